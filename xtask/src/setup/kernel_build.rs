//! The compiler and the linker of the kernel program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};

use super::program::version_of;
use super::{Need, host};
use crate::progress;
use crate::toolchain::{Toolchain, ebpf_toolchain, has_sources, is_recent};
use crate::workspace::cargo;

/// Debian's compiler that keeps up with the releases, its cargo, and the standard library's
/// sources.
const DEBIAN_RUST: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const LINK_DEBIAN: [&str; 4] = ["toolchain", "link", "debian", "/usr"];
const LINKER_VERSION: &str = "^0.13";

/// A toolchain that can build `core` for the BPF target.
pub struct EbpfToolchain;

impl Need for EbpfToolchain {
    fn name(&self) -> &'static str {
        "eBPF toolchain"
    }

    fn version(&self) -> Option<String> {
        let toolchain = ebpf_toolchain().ok()?;
        let printed = toolchain.rustc(&["--version"]).ok()?;
        let version = printed.split(' ').nth(1)?;
        Some(format!("{version} ({})", toolchain.name()))
    }

    fn packages(&self) -> Vec<String> {
        Self::debian_packages()
    }

    fn finish(&self) -> Result<()> {
        Self::link_debian()?;
        ebpf_toolchain()
            .map(|_| ())
            .map_err(|reason| anyhow!(reason))
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        let chosen = if debian {
            format!("rustup {}", LINK_DEBIAN.join(" "))
        } else {
            "rustup toolchain install nightly --component rust-src".to_owned()
        };
        let has_rustup = version_of(Command::new("rustup").arg("--version")).is_some();
        let rustup = if has_rustup {
            ""
        } else {
            "rustup, from https://rustup.rs; then:\n    "
        };
        Some(format!("{rustup}{chosen}"))
    }
}

impl EbpfToolchain {
    /// The packages of Debian's Rust, unless they are there.
    pub fn debian_packages() -> Vec<String> {
        if has_debian_rust() {
            Vec::new()
        } else {
            DEBIAN_RUST.map(str::to_owned).to_vec()
        }
    }

    /// Has rustup call Debian's Rust `debian`.
    pub fn link_debian() -> Result<()> {
        let mut link = Command::new("rustup");
        link.args(LINK_DEBIAN);
        progress::step("Debian's Rust as rustup's toolchain `debian`", link).context(
            "rustup is needed to choose between toolchains: install it from https://rustup.rs",
        )
    }

    /// What rustup's toolchain `debian` prints as its version, where it is there.
    pub fn debian_version() -> Option<String> {
        Toolchain::Debian.rustc(&["--version"]).ok()
    }
}

/// Links the kernel program, with an LLVM that reads what the toolchain's writes.
pub struct BpfLinker;

impl Need for BpfLinker {
    fn name(&self) -> &'static str {
        "bpf-linker"
    }

    fn version(&self) -> Option<String> {
        version_of(Command::new("bpf-linker").arg("--version"))
            .or_else(|| version_of(Command::new(cargo_bin().join("bpf-linker")).arg("--version")))
    }

    /// None before the toolchain is there, which decides which LLVM it is to be.
    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        let llvm = llvm_version()?;
        let mut packages = llvm_packages(&llvm);
        packages.retain(|package| !host::is_installed(package));
        host::install(&packages, &[])?;
        let mut install = cargo();
        install
            .args(install_args(&llvm))
            .env("LLVM_PREFIX", llvm_prefix(&llvm))
            .env_remove("CARGO_TARGET_DIR");
        progress::step("bpf-linker: building, about two minutes", install).context(
            "cannot build bpf-linker: mend what is said above and run `cargo xtask setup`, or install its own release",
        )
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        if !debian {
            return Some(
                "cargo binstall bpf-linker (or its release: https://github.com/aya-rs/bpf-linker)"
                    .to_owned(),
            );
        }
        let llvm = llvm_version().unwrap_or_else(|_| "22".to_owned());
        let packages = llvm_packages(&llvm).join(" ");
        let (prefix, install) = (llvm_prefix(&llvm), install_args(&llvm).join(" "));
        Some(format!(
            "apt-get install --no-install-recommends {packages}\n    LLVM_PREFIX={prefix} cargo {install}"
        ))
    }
}

fn has_debian_rust() -> bool {
    // rustup's own proxy may be there instead, and would print another sysroot.
    let rustc = |arg: &[&str]| Command::new("/usr/bin/rustc").args(arg).output();
    let sysroot = rustc(&["--print", "sysroot"]).is_ok_and(|output| output.stdout == b"/usr\n");
    let recent = rustc(&["--version"])
        .is_ok_and(|output| is_recent(&String::from_utf8_lossy(&output.stdout)));
    sysroot && recent && has_sources(Path::new("/usr")) && Path::new("/usr/bin/cargo").is_file()
}

/// The major version of the LLVM in the kernel program's toolchain.
fn llvm_version() -> Result<String> {
    let toolchain: Toolchain = ebpf_toolchain().map_err(|reason| anyhow!(reason))?;
    let printed = toolchain
        .rustc(&["-vV"])
        .map_err(|reason| anyhow!(reason))?;
    let version = printed
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "));
    let major = version.and_then(|version| version.split('.').next());
    Ok(major
        .context("rustc -vV does not print its LLVM version")?
        .to_owned())
}

fn llvm_packages(llvm: &str) -> Vec<String> {
    let mut packages = vec![format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev")];
    packages.extend(
        [
            "libzstd-dev",
            "zlib1g-dev",
            "libxml2-dev",
            "libffi-dev",
            "pkg-config",
        ]
        .map(str::to_owned),
    );
    packages
}

/// Where Debian puts that LLVM. bpf-linker's build would otherwise look in the directory above that
/// of `llvm-config`, which is `/usr`.
fn llvm_prefix(llvm: &str) -> String {
    format!("/usr/lib/llvm-{llvm}")
}

fn install_args(llvm: &str) -> Vec<String> {
    // One that is there and does not run is replaced.
    let args = format!(
        "install bpf-linker --force --locked --version {LINKER_VERSION} --no-default-features --features llvm-{llvm}"
    );
    args.split(' ').map(str::to_owned).collect()
}

/// Where `cargo install` puts programs.
fn cargo_bin() -> PathBuf {
    let chosen = env::var_os("CARGO_HOME").map(PathBuf::from);
    chosen
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .unwrap_or_default()
        .join("bin")
}
