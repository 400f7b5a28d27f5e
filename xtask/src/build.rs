//! `cargo xtask build`: the binary, with the kernel program inside.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::setup::{self, Part};
use crate::workspace::{self, Workspace, cargo};

#[derive(clap::Args)]
pub struct Args {
    /// Build without optimisations: target/debug/namegate.
    #[arg(long)]
    debug: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(&[Part::Build])?;
    let binary = if args.debug { build_profile("dev", "debug")? } else { release()? };
    println!("{}", binary.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the release binary and says where it is.
pub fn release() -> Result<PathBuf> {
    build_profile("release", "release")
}

fn build_profile(profile: &str, directory: &str) -> Result<PathBuf> {
    workspace::run(cargo().args(["build", "--profile", profile, "--package", "filter-user"]))?;
    Ok(Workspace::read()?.namegate(directory))
}
