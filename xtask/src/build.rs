//! `cargo xtask build`: the binary, with the kernel program inside.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::cross::{self, Cross};
use crate::setup::{self, Part};
use crate::workspace::{self, Workspace, cargo};

#[derive(clap::Args)]
pub struct Args {
    /// Build without optimisations: target/debug/namegate.
    #[arg(long)]
    debug: bool,
    /// Build for another architecture, with Debian's packages alone: target/cross.
    #[arg(long, value_enum, conflicts_with = "debug")]
    target: Option<Target>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Target {
    /// 64-bit Arm, little-endian.
    Aarch64,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(&[Part::Build])?;
    let binary = match args.target {
        Some(Target::Aarch64) => aarch64()?,
        None if args.debug => build_profile("dev", "debug")?,
        None => release()?,
    };
    println!("{}", binary.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the release binary and says where it is.
pub fn release() -> Result<PathBuf> {
    build_profile("release", "release")
}

fn aarch64() -> Result<PathBuf> {
    setup::ensure(&[Part::Arm64])?;
    let workspace = Workspace::read()?;
    let mut build = Cross::find()?.cargo(&workspace);
    build.args([
        "build",
        "--release",
        "--target",
        cross::TARGET,
        "--package",
        "filter-user",
        "--bin",
        "namegate",
    ]);
    workspace::run(&mut build)?;
    Ok(cross::target_folder(&workspace)
        .join(cross::TARGET)
        .join("release/namegate"))
}

fn build_profile(profile: &str, directory: &str) -> Result<PathBuf> {
    workspace::run(cargo().args(["build", "--profile", profile, "--package", "filter-user"]))?;
    Ok(Workspace::read()?.namegate(directory))
}
