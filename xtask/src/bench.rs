//! `cargo xtask bench`: measures.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::build;
use crate::setup::{self, Part};
use crate::workspace::{become_program, cargo};

pub fn run(args: &[OsString]) -> Result<ExitCode> {
    setup::ensure(&[Part::Build])?;
    let mut command = cargo();
    command.args(["run", "--release", "--package", "bench", "--"]).args(args);
    if args.iter().any(|arg| arg == "peers") {
        setup::ensure(&[Part::Lab, Part::Peers])?;
        command.arg(build::release()?);
    }
    if args.iter().any(|arg| arg == "controller") {
        setup::ensure(&[Part::Lab])?;
        command.arg(build::release()?);
    }
    become_program(&mut command)
}
