//! `cargo xtask test`: every check and every test.

mod checks;
mod child;
mod kernel_log;
mod tally;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, mem, thread};

use anyhow::{Result, anyhow};

use crate::kernels::{self, Quick};
use crate::progress::{BOLD, GREEN, RED};
use crate::setup::{self, Part};
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
    outcomes.push(check("fmt", cargo().args(["fmt", "--all", "--check"]))?);
    if outcomes[0].tally.failed == 0 {
        let (tests, checks) = tests_and_checks(&features, &workspace)?;
        outcomes.push(tests);
        outcomes.extend(checks);
        outcomes.push(kernels(&workspace));
    }
    lab::sweep()?;
    outcomes.push(kernel_log.finish()?);
    Ok(report(&workspace, &outcomes))
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

/// Runs the tests, and the checks beside them: tests wait for the network most of the time.
fn tests_and_checks(features: &str, workspace: &Workspace) -> Result<(Outcome, Vec<Outcome>)> {
    let mut checks = checks::commands(workspace)?;
    let mut beside = None;
    let tests = tests(features, || {
        let checks = mem::take(&mut checks);
        beside = Some(thread::spawn(|| checks::run(checks)));
    })?;
    let done = match beside {
        Some(thread) => thread
            .join()
            .map_err(|_| anyhow!("the checks beside the tests panicked"))?,
        None => checks::run(checks),
    }?;
    let outcomes = done.into_iter().map(|done| {
        head(done.name);
        print!("{}", done.output);
        let tally = Tally::of_check(done.passed);
        Outcome {
            name: done.name,
            tally,
            took: done.took,
        }
    });
    Ok((tests, outcomes.collect()))
}

/// Runs the tests, and calls `begun` with the first of them: cargo has built all by then, and lets
/// others use the folder for what is built.
fn tests(features: &str, begun: impl FnOnce()) -> Result<Outcome> {
    let name = "tests";
    let since = head(name);
    let mut tally = Tally::default();
    let mut command = cargo();
    command
        .args(["test", "--no-fail-fast"])
        .args(HOST)
        .arg(features);
    let mut begun = Some(begun);
    let status = child::run_with_lines(&mut command, |line| {
        if line.starts_with("running ")
            && let Some(begun) = begun.take()
        {
            begun();
        }
        tally.add_line(line);
    })?;
    // A test program that crashes prints no result.
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(Outcome {
        name,
        tally,
        took: since.elapsed(),
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
