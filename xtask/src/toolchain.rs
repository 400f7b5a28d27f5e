//! Which Rust toolchain builds the kernel program.
//!
//! The set-up and filter-user's build script both include this file, so that they agree; it needs
//! nothing but `std`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A toolchain of rustup's that can build `core` for the BPF target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// rustup's own `nightly`, with the component rust-src.
    Nightly,
    /// Debian's packaged compiler and sources, linked into rustup as `debian`.
    Debian,
}

impl Toolchain {
    /// What `rustup run` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nightly => "nightly",
            Self::Debian => "debian",
        }
    }

    /// Whether it takes unstable options only with `RUSTC_BOOTSTRAP=1`.
    pub fn needs_bootstrap(self) -> bool {
        matches!(self, Self::Debian)
    }

    /// What its `rustc` prints; an error says why there is none.
    pub fn rustc(self, args: &[&str]) -> Result<String, String> {
        let output = Command::new("rustup")
            .args(["run", self.name(), "rustc"])
            .args(args)
            // rustup would otherwise download a toolchain that it lacks.
            .env("RUSTUP_AUTO_INSTALL", "0")
            .output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(_) => Err(format!("rustup has no toolchain `{}`", self.name())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err("rustup is not installed (see https://rustup.rs)".to_owned())
            }
            Err(error) => Err(format!("rustup cannot be run: {error}")),
        }
    }

    fn check(self) -> Result<(), String> {
        let sysroot = self.rustc(&["--print", "sysroot"])?;
        if !has_sources(&PathBuf::from(sysroot.trim())) {
            return Err(format!("`{}` has no rust-src", self.name()));
        }
        let version = self.rustc(&["--version"])?;
        if !is_recent(&version) {
            let needed = env!("CARGO_PKG_RUST_VERSION");
            let version = version.trim();
            return Err(format!(
                "`{}` is {version}, {needed} is needed",
                self.name()
            ));
        }
        Ok(())
    }
}

/// The toolchain to build the kernel program with; an error says why none will do.
pub fn ebpf_toolchain() -> Result<Toolchain, String> {
    let mut reasons = Vec::new();
    for toolchain in [Toolchain::Nightly, Toolchain::Debian] {
        match toolchain.check() {
            Ok(()) => return Ok(toolchain),
            Err(reason) if !reasons.contains(&reason) => reasons.push(reason),
            Err(_) => {}
        }
    }
    Err(format!(
        "no toolchain can build the kernel program ({}): run `cargo xtask setup`",
        reasons.join("; ")
    ))
}

/// Whether the standard library's sources lie in this sysroot, for `-Zbuild-std`.
pub fn has_sources(sysroot: &Path) -> bool {
    sysroot
        .join("lib/rustlib/src/rust/library/core/src/lib.rs")
        .is_file()
}

/// Whether `rustc --version` printed the workspace's rust-version or a later one.
pub fn is_recent(version: &str) -> bool {
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    minor(number) >= minor(env!("CARGO_PKG_RUST_VERSION"))
}

/// The `96` of `1.96.0`.
fn minor(version: &str) -> u32 {
    let minor = version.split('.').nth(1);
    minor
        .and_then(|minor| minor.parse().ok())
        .unwrap_or_default()
}
