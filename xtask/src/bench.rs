//! `cargo xtask bench`: measures.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::setup::{self, Part};
use crate::workspace::{become_program, cargo};

pub fn run(args: &[OsString]) -> Result<ExitCode> {
    setup::ensure(&[Part::Build])?;
    let bench = ["run", "--release", "--package", "bench", "--"];
    become_program(cargo().args(bench).args(args))
}
