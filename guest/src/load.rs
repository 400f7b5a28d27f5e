//! The kernel takes all programs.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use filter_user::kernel::{Filter, KernelError, LoadOptions, SavedLog};
use guest::report::Line;

use crate::console::report;
use crate::runner::{Runner, passed};

const LIMIT: Duration = Duration::from_mins(15);

/// Loads the programs, and reports what the verifier went through for each.
pub fn check(runner: &mut Runner) {
    runner.check("load", LIMIT, || {
        let mut filter = Filter::load(&LoadOptions::default())?;
        filter.load_all().inspect_err(show_log)?;
        let programs = filter.verified_instructions()?;
        for (name, verified_instructions) in &programs {
            report(&Line::Program {
                name: (*name).to_owned(),
                verified_instructions: *verified_instructions,
            });
        }
        let most = programs
            .iter()
            .map(|(_, verified)| verified)
            .max()
            .context("no program is loaded")?;
        Ok(passed(format!(
            "the kernel took {} programs, with {most} verified instructions at most",
            programs.len()
        )))
    });
}

/// Shows the end of the verifier's log, which is gone with the guest.
fn show_log(error: &KernelError) {
    const LINES: usize = 60;

    let KernelError::Refused(refusal) = error else {
        return;
    };
    let SavedLog::In(path) = refusal.log() else {
        return;
    };
    let log = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        println!("{line}");
    }
}
