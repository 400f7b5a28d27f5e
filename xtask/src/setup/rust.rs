//! rustup's components, and the linter that goes with the kernel program's toolchain.

use std::process::Command;

use anyhow::Result;

use super::Need;
use super::program::version_of;
use crate::progress;
use crate::toolchain::{Toolchain, ebpf_toolchain};
use crate::workspace::cargo;

/// A component of the toolchain that builds everything else.
pub struct Component {
    subcommand: &'static str,
    name: &'static str,
}

impl Component {
    pub const fn new(subcommand: &'static str, name: &'static str) -> Self {
        Self { subcommand, name }
    }
}

impl Need for Component {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> Option<String> {
        version_of(cargo().args([self.subcommand, "--version"]))
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        let mut add = Command::new("rustup");
        add.args(["component", "add", self.name]);
        progress::step(self.name, add)
    }

    fn by_hand(&self, _debian: bool) -> Option<String> {
        Some(format!("rustup component add {}", self.name))
    }
}

/// clippy, for the kernel program's toolchain.
pub struct KernelLinter;

impl Need for KernelLinter {
    fn name(&self) -> &'static str {
        "clippy (kernel program)"
    }

    fn version(&self) -> Option<String> {
        let toolchain = ebpf_toolchain().ok()?;
        version_of(Command::new("rustup").args([
            "run",
            toolchain.name(),
            "cargo",
            "clippy",
            "--version",
        ]))
    }

    fn packages(&self) -> Vec<String> {
        match ebpf_toolchain() {
            Ok(Toolchain::Nightly) => Vec::new(),
            Ok(Toolchain::Debian) | Err(_) => vec!["rust-web-clippy".to_owned()],
        }
    }

    fn finish(&self) -> Result<()> {
        if ebpf_toolchain() != Ok(Toolchain::Nightly) {
            return Ok(());
        }
        let mut add = Command::new("rustup");
        add.args(["component", "add", "clippy", "--toolchain", "nightly"]);
        progress::step(self.name(), add)
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        let nightly = !debian || self.packages().is_empty();
        nightly.then(|| "rustup component add clippy --toolchain nightly".to_owned())
    }
}
