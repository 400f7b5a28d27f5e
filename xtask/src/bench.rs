//! `cargo xtask bench`: measures.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::build;
use crate::setup::{self, Part};
use crate::workspace::{become_program, cargo};

pub fn run(args: &[OsString]) -> Result<ExitCode> {
    setup::ensure(&[Part::Build, Part::Lab])?;
    let mut command = cargo();
    command
        .args(["run", "--release", "--package", "bench", "--"])
        .args(args);
    let asked_for = |part: &str| args.iter().any(|arg| arg == part);
    if asked_for("peers") {
        setup::ensure(&[Part::Peers])?;
    }
    if asked_for("peers") || asked_for("controller") {
        command.arg(build::release()?);
    }
    become_program(&mut command)
}
