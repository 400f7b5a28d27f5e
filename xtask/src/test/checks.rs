//! Lints and documentation, checked at the lowest priority while tests run.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::{HOST, ROOT_TESTS, SHARED_TESTS, child, feature_flag};
use crate::toolchain::ebpf_toolchain;
use crate::workspace::{Workspace, cargo};

/// A check that is to be run.
pub struct Check {
    name: &'static str,
    command: Command,
}

/// A check that has been run.
pub struct Done {
    pub name: &'static str,
    pub passed: bool,
    pub output: String,
    pub took: Duration,
}

/// The checks, in an order in which each finds what those before have built.
pub fn commands(workspace: &Workspace) -> Result<Vec<Check>> {
    let every_test = [ROOT_TESTS, SHARED_TESTS]
        .map(|feature| workspace.with_feature(feature))
        .concat();
    let mut clippy = cargo();
    clippy.args(["clippy", "--all-targets"]).args(HOST);
    clippy
        .arg(feature_flag(&every_test))
        .args(["--", "-Dwarnings"]);
    // The same features, or the kernel program would be built once more.
    let mut doc = cargo();
    doc.args(["doc", "--no-deps"]).args(HOST);
    doc.arg(feature_flag(&every_test))
        .env("RUSTDOCFLAGS", "-Dwarnings");
    let checks = [
        ("clippy", clippy),
        ("clippy, kernel program", kernel_clippy()?),
        ("clippy, fuzz targets", fuzz_clippy(workspace)),
        ("doc", doc),
    ];
    let checks = checks.map(|(name, command)| Check {
        name,
        command: at_lowest_priority(&command),
    });
    Ok(checks.into())
}

/// Runs them one after the other.
pub fn run(checks: Vec<Check>) -> Result<Vec<Done>> {
    let one = |Check { name, mut command }| {
        let begun = Instant::now();
        let (status, output) = child::run_with_output(&mut command)?;
        Ok(Done {
            name,
            passed: status.success(),
            output,
            took: begun.elapsed(),
        })
    };
    checks.into_iter().map(one).collect()
}

/// The same command, run by nice(1): it has what the tests leave of the CPUs.
fn at_lowest_priority(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    nice
}

/// They are a workspace of their own. Without cargo-fuzz, they are compiled as any program.
fn fuzz_clippy(workspace: &Workspace) -> Command {
    let mut command = cargo();
    command
        .args(["clippy", "--locked", "--all-targets", "--manifest-path"])
        .arg(workspace.root().join("fuzz/Cargo.toml"));
    command
        .arg("--target-dir")
        .arg(workspace.target())
        .args(["--", "-Dwarnings"]);
    // Nothing is linked, so libFuzzer, which is C++, need not be compiled: libfuzzer-sys takes the
    // name of one that is there.
    command.env("CUSTOM_LIBFUZZER_PATH", "./libFuzzer.a");
    command
}

fn kernel_clippy() -> Result<Command> {
    // What it depends on has been linted with the others, by their own clippy.
    const ARGS: &str = "cargo clippy --package filter-ebpf --package test-programs \
        --features test-programs/programs --no-deps --release --target bpfel-unknown-none \
        -Zbuild-std=core -- -Dwarnings";
    let toolchain = ebpf_toolchain().map_err(|reason| anyhow!(reason))?;
    let mut command = Command::new("rustup");
    command.args(["run", toolchain.name()]);
    command.args(ARGS.split_whitespace());
    if toolchain.needs_bootstrap() {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    Ok(command)
}
