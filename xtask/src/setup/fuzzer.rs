//! What builds and runs the fuzz targets.

use anyhow::Result;

use super::Need;
use super::program::version_of;
use crate::progress;
use crate::workspace::cargo;

const INSTALL: [&str; 3] = ["install", "cargo-fuzz", "--locked"];

/// cargo's subcommand `fuzz`.
pub struct CargoFuzz;

impl Need for CargoFuzz {
    fn name(&self) -> &'static str {
        "cargo-fuzz"
    }

    fn version(&self) -> Option<String> {
        version_of(cargo().args(["fuzz", "--version"]))
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }

    fn finish(&self) -> Result<()> {
        let mut install = cargo();
        install.args(INSTALL).env_remove("CARGO_TARGET_DIR");
        progress::step("cargo-fuzz: building, which takes some minutes", install)
    }

    fn by_hand(&self, _debian: bool) -> Option<String> {
        Some(format!("cargo {}", INSTALL.join(" ")))
    }
}
