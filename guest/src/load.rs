//! The kernel takes all programs.

use std::time::Duration;

use anyhow::Context as _;
use filter_user::kernel::{Filter, LoadOptions};
use guest::report::Line;

use crate::console::report;
use crate::runner::{Runner, passed};

const LIMIT: Duration = Duration::from_mins(15);

/// Loads the programs, and reports what the verifier went through for each.
pub fn check(runner: &mut Runner) {
    runner.check("load", LIMIT, || {
        let mut filter = Filter::load(&LoadOptions::default())?;
        filter.load_all()?;
        let programs = filter.verified_instructions()?;
        for (name, verified_instructions) in &programs {
            report(&Line::Program { name: (*name).to_owned(), verified_instructions: *verified_instructions });
        }
        let most = programs.iter().map(|(_, verified)| verified).max().context("no program is loaded")?;
        Ok(passed(format!("the kernel took {} programs, with {most} verified instructions at most", programs.len())))
    });
}
