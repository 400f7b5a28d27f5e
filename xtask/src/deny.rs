//! `cargo xtask deny`: the dependencies.

use std::process::ExitCode;

use anyhow::Result;

use crate::progress;
use crate::workspace::{become_program, cargo};

pub fn run() -> Result<ExitCode> {
    let installed = cargo().args(["deny", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        let mut install = cargo();
        install
            .args(["install", "cargo-deny", "--locked"])
            .env_remove("CARGO_TARGET_DIR");
        progress::step("cargo-deny: building, which takes some minutes", install)?;
    }
    become_program(cargo().args(["deny", "check", "bans", "licenses", "sources"]))
}
