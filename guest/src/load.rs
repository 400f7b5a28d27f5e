//! The kernel takes all programs.

use std::time::Duration;

use filter_user::kernel::{Filter, LoadOptions};
use guest::report::Line;

use crate::console::report;
use crate::runner::{Runner, passed};

const LIMIT: Duration = Duration::from_mins(5);

/// Loads the programs, and reports what the verifier went through for each.
pub fn check(runner: &mut Runner) {
    runner.check("load", LIMIT, || {
        let mut filter = Filter::load(&LoadOptions::default())?;
        let verified = filter.program()?.verified_instructions;
        report(&Line::Program { name: "namegate".to_owned(), verified_instructions: verified });
        Ok(passed(format!("the kernel took all programs, the largest with {verified} verified instructions")))
    });
}
