//! `cargo xtask run`: the demonstration, or the filter on a real interface.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::setup::{self, Part};
use crate::workspace::{become_program, need_root};
use crate::{build, demonstration};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask run
  cargo xtask run -- --iface eth0 --list hosts.txt")]
pub struct Args {
    /// Arguments of `namegate run`; without any, the filter is shown at work in a lab.
    #[arg(last = true)]
    args: Vec<OsString>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    if args.args.is_empty() {
        setup::ensure(&[Part::Build, Part::Lab])?;
        need_root(
            "run",
            "makes network namespaces and loads a program into the kernel",
        )?;
        return demonstration::run(&build::release()?);
    }
    setup::ensure(&[Part::Build])?;
    become_program(Command::new(build::release()?).arg("run").args(&args.args))
}
