//! The first process of a test guest: it sets the system up, runs the checks of `/plan.json` on the
//! kernel that was booted, reports on the console, and turns the machine off.
//!
//! As any other process (`guest PLAN`) it runs a plan on the machine that it is on, except for
//! checks that may harm the kernel.

mod console;
mod context;
mod dns;
mod init;
mod live;
mod load;
mod memory;
mod operations;
mod replay;
mod requirements;
mod runner;
mod servers;
mod stress;
mod suites;
mod world;

use std::env;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use guest::plan::{self, Group, Plan};
use guest::report::Line;

use console::{report, say};
use runner::Runner;

fn main() -> ExitCode {
    if process::id() != 1 {
        return outside();
    }
    // Where the first process ends, the kernel panics: nothing may leave this function but by
    // turning the machine off.
    let done = catch_unwind(|| {
        init::set_up()?;
        run(Path::new(plan::PATH), true)
    });
    match done {
        Ok(Ok(())) => report(&Line::End {}),
        Ok(Err(error)) => say(&format!("the guest cannot begin: {error:#}")),
        Err(_) => say("the guest panicked"),
    }
    init::power_off()
}

/// On a machine that is no guest.
fn outside() -> ExitCode {
    let Some(path) = env::args_os().nth(1) else {
        eprintln!(
            "usage: guest PLAN (as the first process of a guest it reads {})",
            plan::PATH
        );
        return ExitCode::FAILURE;
    };
    match run(Path::new(&path), false) {
        Ok(()) => {
            report(&Line::End {});
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &Path, is_guest: bool) -> Result<()> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the plan {}", path.display()))?;
    let plan: Plan =
        serde_json::from_str(&text).with_context(|| format!("{} is no plan", path.display()))?;
    if let Some(group) = plan
        .checks
        .iter()
        .find(|group| group.may_harm_kernel() && !is_guest)
    {
        bail!(
            "the check {group:?} may harm the kernel, and this is no guest: take it out of the plan"
        );
    }
    let mut runner = Runner::new(
        Instant::now() + Duration::from_secs(plan.deadline_seconds),
        is_guest,
    )?;
    for group in &plan.checks {
        match group {
            Group::Load => load::check(&mut runner),
            Group::Corpus => suites::corpus(&mut runner, &plan),
            Group::Agreement => suites::agreement(&mut runner, &plan),
            Group::Kernel => suites::kernel(&mut runner, &plan),
            Group::Replay => replay::check(&mut runner, &plan),
            Group::Live => live::check(&mut runner),
            Group::Stress => stress::check(&mut runner),
            Group::Requirements => requirements::check(&mut runner),
            Group::Operations => operations::check(&mut runner),
        }
    }
    runner.check_log();
    Ok(())
}
