//! `cargo xtask setup`: what building and testing need, and installing what is missing.

mod cross;
mod fuzzer;
mod guests;
mod host;
mod kernel_build;
mod program;
mod rust;
mod unpacked;

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};

use crate::progress::{BOLD, GREEN, RED};
use cross::{Headers, Std};
use fuzzer::CargoFuzz;
use guests::QuickKernels;
use host::Host;
pub use host::update_index;
use kernel_build::{BpfLinker, EbpfToolchain};
use program::Program;
use rust::{Component, KernelLinter};
use unpacked::Resolved;

/// Debian's own: another Python in the path would not have Debian's modules.
const PYTHON: &str = "/usr/bin/python3";
const DNSPYTHON_VERSION: &str = "-cimport dns.version; print(dns.version.version)";

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
    let parts = [Part::Build, Part::Lab, Part::Checks, Part::Guests, Part::Kernels];
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

/// Installs what these parts lack; where that cannot be done here, an error that says what to install.
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
    let services: Vec<&str> = missing.iter().flat_map(|need| need.services()).copied().collect();
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

fn needs(parts: &[Part]) -> Vec<Box<dyn Need>> {
    let all: Vec<(Part, Box<dyn Need>)> = vec![
        (Part::Build, Box::new(EbpfToolchain)),
        (Part::Build, Box::new(BpfLinker)),
        (Part::Lab, Box::new(Program::new("ip", "-V", "iproute2"))),
        (Part::Lab, Box::new(Program::new("ethtool", "--version", "ethtool"))),
        (Part::Lab, Box::new(Program::new("dig", "-v", "bind9-dnsutils"))),
        (Part::Lab, Box::new(Program::new("curl", "--version", "curl"))),
        (Part::Lab, Box::new(Program::new("openssl", "version", "openssl"))),
        // The package `dnsmasq` would start a service.
        (Part::Lab, Box::new(Program::new("dnsmasq", "--version", "dnsmasq-base"))),
        // Its service would take port 53, and has no package of its own.
        (
            Part::Lab,
            Box::new(
                Program::new("unbound", "-V", "unbound")
                    .without_services(&["unbound.service", "unbound-resolvconf.service"]),
            ),
        ),
        (Part::Lab, Box::new(Program::new("gnutls-serv", "--version", "gnutls-bin"))),
        (Part::Lab, Box::new(Program::new("tcpdump", "--version", "tcpdump"))),
        (Part::Lab, Box::new(Program::new("tshark", "--version", "tshark"))),
        // What else asks for names: dig's package has delv and nslookup as well.
        (Part::Lab, Box::new(Program::new("host", "-V", "bind9-host"))),
        (Part::Lab, Box::new(Program::new("musl-gcc", "--version", "musl-tools"))),
        (Part::Lab, Box::new(Program::new(PYTHON, DNSPYTHON_VERSION, "python3-dnspython").shown_as("dnspython"))),
        (Part::Lab, Box::new(Program::new("chromium-headless-shell", "--version", "chromium-headless-shell"))),
        (Part::Lab, Box::new(Resolved)),
        (Part::Lab, Box::new(Program::new("ldns-signzone", "-v", "ldnsutils"))),
        // AdGuard's DNS engine is JavaScript.
        (Part::Lab, Box::new(Program::new("node", "--version", "nodejs"))),
        (Part::Lab, Box::new(Program::new("npm", "--version", "npm"))),
        (Part::Checks, Box::new(Component::new("fmt", "rustfmt"))),
        (Part::Checks, Box::new(Component::new("clippy", "clippy"))),
        (Part::Checks, Box::new(KernelLinter)),
        // libFuzzer is C++, and checking the fuzz targets builds it.
        (Part::Checks, Box::new(Program::new("c++", "--version", "g++"))),
        (Part::Fuzz, Box::new(Program::new("c++", "--version", "g++"))),
        (Part::Fuzz, Box::new(CargoFuzz)),
        (Part::Guests, Box::new(Program::new("qemu-system-x86_64", "--version", "qemu-system-x86"))),
        (Part::Guests, Box::new(Program::new("busybox", "--help", "busybox-static"))),
        (Part::Guests, Box::new(Program::new("ip", "-V", "iproute2"))),
        (Part::Guests, Box::new(Program::new("ethtool", "--version", "ethtool"))),
        (Part::Guests, Box::new(Program::new("xz", "--version", "xz-utils"))),
        (Part::Kernels, Box::new(QuickKernels)),
        (Part::Arm64, Box::new(Program::new(crate::cross::LINKER, "--version", "gcc-aarch64-linux-gnu"))),
        (Part::Arm64, Box::new(Headers)),
        (Part::Arm64, Box::new(Std)),
        (Part::Arm64Guests, Box::new(Program::new("qemu-system-aarch64", "--version", "qemu-system-arm"))),
        (Part::Peers, Box::new(Program::new("dnsperf", "-h", "dnsperf"))),
        // Each has its service in its own package.
        (Part::Peers, Box::new(Program::new("dnsdist", "--version", "dnsdist").without_services(&["dnsdist.service"]))),
        (
            Part::Peers,
            Box::new(Program::new("named", "-v", "bind9").without_services(&[
                "named.service",
                "bind9.service",
                "named-resolvconf.service",
            ])),
        ),
        (
            Part::Peers,
            Box::new(
                Program::new("pdns_recursor", "--version", "pdns-recursor")
                    .without_services(&["pdns-recursor.service"]),
            ),
        ),
    ];
    let wanted = all.into_iter().filter(|(part, _)| parts.contains(part));
    wanted.map(|(_, need)| need).collect()
}

fn instructions(missing: &[Box<dyn Need>], obstacle: &str, debian: bool) -> String {
    let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
    let packages: Vec<String> = missing.iter().flat_map(|need| need.packages()).collect();
    let missed = format!("missing: {}. The set-up {obstacle}; install by hand:", names.join(", "));
    let mut lines = vec![missed];
    if debian && !packages.is_empty() {
        lines.push(format!("apt-get install --no-install-recommends {}", packages.join(" ")));
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
        let names = |parts: &[Part]| needs(parts).iter().map(|need| need.name().to_owned()).collect::<Vec<_>>();
        let build = names(&[Part::Build]);
        assert_eq!(build, ["eBPF toolchain", "bpf-linker"]);
        assert!(names(&[Part::Build, Part::Lab]).starts_with(&build));
        assert!(!names(&[Part::Lab]).contains(&build[0]));
    }
}
