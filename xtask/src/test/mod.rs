//! `cargo xtask test`: every check and every test.

mod child;
mod kernel_log;
mod tally;

use std::env;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::kernels::{self, Quick};
use crate::progress::{BOLD, GREEN, RED};
use crate::setup::{self, Part};
use crate::toolchain::ebpf_toolchain;
use crate::workspace::{Workspace, cargo, need_root};
use tally::Tally;

const ROOT_TESTS: &str = "root-tests";
const SHARED_TESTS: &str = "shared-tests";
/// All but the kernel program, which would get the others' features.
const HOST: [&str; 3] = ["--workspace", "--exclude", "filter-ebpf"];

/// A check that has been done.
struct Outcome {
    name: &'static str,
    tally: Tally,
    took: Duration,
}

pub fn run() -> Result<ExitCode> {
    need_root(
        "test",
        "makes network namespaces and loads programs into the kernel (`cargo test` runs what needs no root)",
    )?;
    setup::ensure(&[Part::Build, Part::Lab, Part::Checks])?;
    child::end_on_signals()?;
    let workspace = Workspace::read()?;

    let kernel_log = kernel_log::Watch::start()?;
    let features = features(&workspace);
    let mut outcomes = vec![check(
        "build",
        cargo().args(["test", "--no-run"]).args(HOST).arg(&features),
    )?];
    if outcomes[0].tally.failed == 0 {
        outcomes.extend(checks(&workspace)?);
        outcomes.push(tests(&features)?);
        outcomes.push(kernels(&workspace));
    }
    lab::sweep()?;
    outcomes.push(kernel_log.finish()?);
    Ok(report(&workspace, &outcomes))
}

fn checks(workspace: &Workspace) -> Result<Vec<Outcome>> {
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
    Ok(vec![
        check("fmt", cargo().args(["fmt", "--all", "--check"]))?,
        check("clippy", &mut clippy)?,
        check("clippy, kernel program", &mut kernel_clippy()?)?,
        check("clippy, fuzz targets", &mut fuzz_clippy(workspace))?,
        check("doc", &mut doc)?,
    ])
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
    command
}

fn kernel_clippy() -> Result<Command> {
    // What it depends on has been linted with the others, by their own clippy.
    const ARGS: &str = "cargo clippy --package filter-ebpf --package test-programs --features test-programs/programs --no-deps --release \
        --target bpfel-unknown-none -Zbuild-std=core -- -Dwarnings";
    let toolchain = ebpf_toolchain().map_err(|reason| anyhow!(reason))?;
    let mut command = Command::new("rustup");
    command.args(["run", toolchain.name()]);
    command.args(ARGS.split_whitespace());
    if toolchain.needs_bootstrap() {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    Ok(command)
}

/// Runs a command that passes or fails as a whole.
fn check(name: &'static str, command: &mut Command) -> Result<Outcome> {
    let begun = head(name);
    let tally = Tally::of_check(child::run(command)?.success());
    Ok(Outcome {
        name,
        tally,
        took: begun.elapsed(),
    })
}

fn tests(features: &str) -> Result<Outcome> {
    let name = "tests";
    let begun = head(name);
    let mut tally = Tally::default();
    let mut command = cargo();
    command
        .args(["test", "--no-fail-fast"])
        .args(HOST)
        .arg(features);
    let status = child::run_with_lines(&mut command, |line| tally.add_line(line))?;
    // A test program that crashes prints no result.
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(Outcome {
        name,
        tally,
        took: begun.elapsed(),
    })
}

/// The filter on other kernels. What keeps guests from being started is a failure in CI, and told
/// elsewhere.
fn kernels(workspace: &Workspace) -> Outcome {
    let name = "other kernels";
    let begun = head(name);
    let tally = match kernels::quick(workspace) {
        Ok(Quick::Ran { passed, failed }) => Tally {
            passed,
            failed,
            skipped: 0,
        },
        Ok(Quick::LeftOut(why)) if is_ci() => {
            anstream::println!("{RED}FAILED{RED:#}  with CI=true no kernel may be left out: {why}");
            Tally::of_check(false)
        }
        Ok(Quick::LeftOut(why)) => {
            println!("left out, because no guest can be started here: {why}");
            Tally {
                skipped: 1,
                ..Tally::default()
            }
        }
        Err(error) => {
            anstream::println!("{RED}FAILED{RED:#}  {error:#}");
            Tally::of_check(false)
        }
    };
    Outcome {
        name,
        tally,
        took: begun.elapsed(),
    }
}

fn is_ci() -> bool {
    env::var("CI").is_ok_and(|ci| ci == "true")
}

fn head(name: &str) -> Instant {
    anstream::println!("\n{BOLD}== {name}{BOLD:#}");
    Instant::now()
}

/// Prints what was done and what was left out; the last line is for programs to read.
fn report(workspace: &Workspace, outcomes: &[Outcome]) -> ExitCode {
    let mut total = Tally::default();
    println!();
    for Outcome { name, tally, took } in outcomes {
        let (style, word) = if tally.failed == 0 {
            (GREEN, "passed")
        } else {
            (RED, "FAILED")
        };
        anstream::println!(
            "{style}{word}{style:#}  {name:<24} {:>7.1} s  {tally}",
            took.as_secs_f32()
        );
        total.add(*tally);
    }
    total.add(left_out(workspace));
    println!("{total}");
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Says which tests could not be run here. With CI=true there may be none.
fn left_out(workspace: &Workspace) -> Tally {
    if workspace.has_shared() {
        return Tally::default();
    }
    let tests = workspace.tests_that_need(SHARED_TESTS);
    println!(
        "left out, because there is no ../shared beside the repository: {}",
        tests.join(", ")
    );
    let ci = is_ci();
    if ci {
        anstream::println!(
            "{RED}FAILED{RED:#}  with CI=true no test may be left out: put ../shared there"
        );
    }
    Tally {
        failed: usize::from(ci),
        skipped: tests.len(),
        ..Tally::default()
    }
}

/// What cargo is told of packages and features for programs that the tests have had built.
pub fn cargo_args(workspace: &Workspace) -> Vec<String> {
    HOST.into_iter()
        .map(str::to_owned)
        .chain([features(workspace)])
        .collect()
}

/// The tests to run here: those that need root, and those that need ../shared where it is.
fn features(workspace: &Workspace) -> String {
    let mut features = workspace.with_feature(ROOT_TESTS);
    if workspace.has_shared() {
        features.extend(workspace.with_feature(SHARED_TESTS));
    }
    feature_flag(&features)
}

fn feature_flag(features: &[String]) -> String {
    format!("--features={}", features.join(","))
}
