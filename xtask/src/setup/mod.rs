//! `cargo xtask setup`: what building and testing need, and installing what is missing.

mod cross;
mod fuzzer;
mod guests;
mod host;
mod kernel_build;
mod needs;
mod nss;
mod program;
mod python;
mod rust;
mod unpacked;

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};

use crate::progress::{BOLD, GREEN, RED};
use host::Host;
pub use host::update_index;
use needs::needs;

#[derive(clap::Args)]
pub struct Args {
    /// Only print what is there and what is missing, with versions; exit 1 if anything is.
    #[arg(long)]
    check: bool,
}

/// What a thing is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Building the binary.
    Build,
    /// The lab's programs.
    Lab,
    /// Checking the sources.
    Checks,
    /// Fuzzing.
    Fuzz,
    /// Guests with other kernels.
    Guests,
    /// The kernels that `cargo xtask test` boots.
    Kernels,
    /// Building for `AArch64`.
    Arm64,
    /// Guests of that architecture.
    Arm64Guests,
    /// Measuring in the lab, beside other filters.
    Peers,
}

/// A thing that the machine may lack.
trait Need {
    fn name(&self) -> &str;
    /// Its version, where it is there and works.
    fn version(&self) -> Option<String>;
    /// The Debian packages that it comes from, as far as they are not installed.
    fn packages(&self) -> Vec<String>;
    /// Services that come with these, and are not to run.
    fn services(&self) -> &[&str] {
        &[]
    }
    /// Does what is left to do when these packages are there.
    fn finish(&self) -> Result<()> {
        Ok(())
    }
    /// That as a command, or what else there is to do where the system is not Debian.
    fn by_hand(&self, debian: bool) -> Option<String>;
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let parts = [
        Part::Build,
        Part::Lab,
        Part::Checks,
        Part::Guests,
        Part::Kernels,
    ];
    if !args.check {
        ensure(&parts)?;
    }
    let mut missing = 0;
    for need in needs(&parts) {
        let (name, version) = (need.name(), need.version());
        match &version {
            Some(version) => anstream::println!("{GREEN}there  {GREEN:#}  {name:<26} {version}"),
            None => anstream::println!("{RED}missing{RED:#}  {BOLD}{name}{BOLD:#}"),
        }
        missing += usize::from(version.is_none());
    }
    if missing == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{missing} missing: `cargo xtask setup` installs them.");
    Ok(ExitCode::FAILURE)
}

/// Installs what these parts lack; where that cannot be done here, an error that says what to
/// install.
pub fn ensure(parts: &[Part]) -> Result<()> {
    let mut missing = needs(parts);
    missing.retain(|need| need.version().is_none());
    if missing.is_empty() {
        return Ok(());
    }
    let host = Host::read();
    if let Some(obstacle) = host.obstacle() {
        bail!("{}", instructions(&missing, &obstacle, host.is_debian()));
    }
    let mut packages: Vec<String> = missing.iter().flat_map(|need| need.packages()).collect();
    packages.dedup();
    let services: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.services())
        .copied()
        .collect();
    host::install(&packages, &services)?;
    for need in missing {
        need.finish()?;
        ensure!(
            need.version().is_some(),
            "{} is still missing after the set-up: see what `cargo xtask setup --check` says",
            need.name()
        );
    }
    Ok(())
}

fn instructions(missing: &[Box<dyn Need>], obstacle: &str, debian: bool) -> String {
    let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
    let packages: Vec<String> = missing.iter().flat_map(|need| need.packages()).collect();
    let missed = format!(
        "missing: {}. The set-up {obstacle}; install by hand:",
        names.join(", ")
    );
    let mut lines = vec![missed];
    if debian && !packages.is_empty() {
        lines.push(format!(
            "apt-get install --no-install-recommends {}",
            packages.join(" ")
        ));
    }
    lines.extend(missing.iter().filter_map(|need| need.by_hand(debian)));
    lines.join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Absent;

    impl Need for Absent {
        fn name(&self) -> &'static str {
            "thing"
        }
        fn version(&self) -> Option<String> {
            None
        }
        fn packages(&self) -> Vec<String> {
            vec!["thing-bin".to_owned()]
        }
        fn by_hand(&self, debian: bool) -> Option<String> {
            (!debian).then(|| "the program `thing`".to_owned())
        }
    }

    #[test]
    fn instructions_name_debians_packages_on_debian_only() {
        let missing: Vec<Box<dyn Need>> = vec![Box::new(Absent)];
        assert_eq!(
            instructions(&missing, "needs root", true),
            "missing: thing. The set-up needs root; install by hand:\n    \
             apt-get install --no-install-recommends thing-bin"
        );
        assert_eq!(
            instructions(&missing, "knows Debian only", false),
            "missing: thing. The set-up knows Debian only; install by hand:\n    the program `thing`"
        );
    }

    #[test]
    fn only_the_needs_of_a_part_are_looked_at() {
        let names = |parts: &[Part]| {
            needs(parts)
                .iter()
                .map(|need| need.name().to_owned())
                .collect::<Vec<_>>()
        };
        let build = names(&[Part::Build]);
        assert_eq!(build, ["eBPF toolchain", "bpf-linker"]);
        assert!(names(&[Part::Build, Part::Lab]).starts_with(&build));
        assert!(!names(&[Part::Lab]).contains(&build[0]));
    }
}
