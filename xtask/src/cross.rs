//! Building for `AArch64`, with Debian's packages alone: its cross compiler and linker, its Rust,
//! and its standard library of Rust for the other architecture.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::archive::{Architecture, Archive, Package, Versions, clear, newest, own_suite};
use crate::cache;
use crate::workspace::Workspace;

/// What rustc calls it.
pub const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Debian's compiler for it.
pub const LINKER: &str = "aarch64-linux-gnu-gcc";
/// Its companion that takes debugging information out of programs.
pub const STRIP: &str = "aarch64-linux-gnu-strip";
/// The standard library, of the same version as the compiler.
const STD: &str = "libstd-rust-web-dev";
const RUSTC: &str = "rustc-web";
/// What a guest of this architecture has from Debian, beside what these depend on.
const GUEST: [&str; 5] = [
    "busybox-static",
    "iproute2",
    "ethtool",
    "libc6",
    "libgcc-s1",
];

/// Fetched files for building and running programs of the other architecture.
pub struct Cross {
    sysroot: PathBuf,
    root: PathBuf,
}

impl Cross {
    /// What has been fetched.
    pub fn find() -> Result<Self> {
        let found = Self {
            sysroot: folder("sysroot")?,
            root: folder("root")?,
        };
        let is_there = found.sysroot.is_dir() && found.root.is_dir();
        ensure!(
            is_there,
            "Rust's standard library for {TARGET} is not fetched: run `cargo xtask build --target aarch64`"
        );
        Ok(found)
    }

    /// Fetches it.
    pub fn fetch() -> Result<()> {
        let suite = own_suite()?;
        let security = format!("{suite}-security");
        let archive = Archive::open(Architecture::Arm64, &[&suite, &security])?;
        let mut packages = archive.packages(&suite)?;
        packages.extend(archive.packages(&security)?);
        let std = Versions::from([(STD.to_owned(), rustc_version()?)]);
        unpack(&archive, &std, "std")?;
        unpack(&archive, &with_libraries(&packages)?, "root")?;
        link_sysroot()
    }

    /// Debian's programs and libraries for the other architecture.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo that builds for it with `--target`.
    pub fn cargo(&self, workspace: &Workspace) -> Command {
        let mut command = Command::new("rustup");
        command.args(["run", "debian", "cargo"]);
        let variable = |name: &str| {
            format!(
                "CARGO_TARGET_{}_{name}",
                TARGET.replace('-', "_").to_uppercase()
            )
        };
        command.env(variable("LINKER"), LINKER);
        command.env(
            variable("RUSTFLAGS"),
            format!("--sysroot={}", self.sysroot.display()),
        );
        command.env(format!("CC_{}", TARGET.replace('-', "_")), LINKER);
        // Made by another compiler than what is in the usual one.
        command.env("CARGO_TARGET_DIR", target_folder(workspace));
        command
    }
}

/// Where this cargo puts what it builds.
pub fn target_folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("cross")
}

/// The version of the packaged compiler, which its standard library has to be of.
pub fn rustc_version() -> Result<String> {
    let query = ["-W", "-f", "${Version}", RUSTC];
    let output = Command::new("dpkg-query")
        .args(query)
        .output()
        .context("cannot run dpkg-query")?;
    ensure!(
        output.status.success(),
        "the package {RUSTC} is not installed"
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A folder for this version of the compiler: an upgrade of it makes a new one.
fn folder(name: &str) -> Result<PathBuf> {
    Ok(cache::folder("arm64")?.join(rustc_version()?).join(name))
}

fn unpack(archive: &Archive, packages: &Versions, name: &str) -> Result<()> {
    let folder = folder(name)?;
    let tree = folder.with_extension("new");
    clear(&tree)?;
    archive.unpack(
        &format!("Debian's arm64 packages ({name}), not installed"),
        packages,
        &tree,
    )?;
    clear(&folder)?;
    fs::rename(&tree, &folder)
        .with_context(|| format!("cannot put {} in its place", folder.display()))
}

/// The packages of a guest, with the libraries that these depend on.
fn with_libraries(packages: &[Package]) -> Result<Versions> {
    let mut chosen = Versions::new();
    let mut open: Vec<String> = GUEST.map(str::to_owned).to_vec();
    while let Some(name) = open.pop() {
        if chosen.contains_key(&name) {
            continue;
        }
        let found = newest(packages.iter().filter(|package| package.name == name));
        let found =
            found.with_context(|| format!("Debian's archive has no package {name} for arm64"))?;
        let is_library = |name: &&String| name.starts_with("lib") || name.starts_with("zlib");
        open.extend(found.depends.iter().filter(is_library).cloned());
        chosen.insert(name, found.version.clone());
    }
    Ok(chosen)
}

/// rustc looks for the library in TARGET/lib below lib/rustlib of its sysroot; what runs while
/// building needs the machine's own.
fn link_sysroot() -> Result<()> {
    let sysroot = folder("sysroot")?;
    clear(&sysroot)?;
    let targets = sysroot.join("lib/rustlib");
    let make = || {
        fs::create_dir_all(&targets)?;
        for entry in fs::read_dir("/usr/lib/rustlib")? {
            let entry = entry?;
            if entry.file_name() != TARGET {
                symlink(entry.path(), targets.join(entry.file_name()))?;
            }
        }
        symlink(
            folder("std")?.join("usr/lib/rustlib").join(TARGET),
            targets.join(TARGET),
        )?;
        anyhow::Ok(())
    };
    make().with_context(|| format!("cannot make {}", sysroot.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_packages_come_with_their_libraries_and_nothing_else() {
        let package = |name: &str, depends: &[&str]| Package {
            name: name.to_owned(),
            version: "1".to_owned(),
            depends: depends.iter().map(|name| (*name).to_owned()).collect(),
        };
        let mut packages: Vec<_> = GUEST
            .iter()
            .map(|name| package(name, &["libmnl0", "debconf"]))
            .collect();
        packages.extend([
            package("libmnl0", &["libc6", "zlib1g"]),
            package("zlib1g", &["libc6"]),
            package("debconf", &[]),
        ]);
        let chosen = with_libraries(&packages).unwrap();
        assert_eq!(chosen.len(), GUEST.len() + 2);
        assert!(chosen.contains_key("libmnl0") && chosen.contains_key("zlib1g"));
        packages.retain(|package| package.name != "zlib1g");
        assert!(
            with_libraries(&packages)
                .is_err_and(|error| error.to_string().contains("no package zlib1g"))
        );
    }
}
