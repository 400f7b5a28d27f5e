//! The part of the matrix that `cargo xtask test` runs.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use guest::plan::Group;

use super::boots::{BUDGET, Bench, Boot};
use super::builds::Build;
use super::tried::Tried;
use super::{check_budgets, default_jobs, quick_kernels, report};
use crate::setup::{self, Part};
use crate::workspace::Workspace;

/// All guests of the quick run end by then: three times what two cores need.
const LIMIT: Duration = Duration::from_mins(15);
/// Captures that the kernel's verdicts are compared over, from the repository's root.
const CAPTURES: &str = "../shared/captures/zeek";

/// What became of the quick run.
pub enum Quick {
    /// It ran; how many checks were right, and how many were not.
    Ran {
        /// Right.
        passed: usize,
        /// Failed, or without result.
        failed: usize,
    },
    /// It could not run here, for this reason.
    LeftOut(String),
}

/// Boots the kernels that are marked as quick, with the corpus and some captures. The programs are
/// those that the tests have had built.
pub fn quick(workspace: &Workspace) -> Result<Quick> {
    if let Err(error) = setup::ensure(&[Part::Build, Part::Guests, Part::Kernels]) {
        return Ok(Quick::LeftOut(format!("{error:#}")));
    }
    let (mut kernels, lock) = quick_kernels()?;
    // The newest first: it takes twice as long as the others, which run one after the other beside
    // it.
    kernels.reverse();
    let captures = workspace.has_shared().then(|| PathBuf::from(CAPTURES));
    let files = ["corpus", BUDGET]
        .into_iter()
        .chain(captures.is_some().then_some(CAPTURES));
    let build = Build::debug(workspace);
    let bench = Bench::new(
        workspace,
        build,
        lock,
        default_jobs(),
        &["corpus"],
        &files.collect::<Vec<_>>(),
    )?;
    let mut groups = vec![Group::Load, Group::Corpus];
    groups.extend(captures.is_some().then_some(Group::Replay));
    let mut tried = bench.ending_within(LIMIT).run(&kernels, |_| {
        vec![Boot {
            name: "quick",
            groups: groups.clone(),
            more: "",
            memory_mib: 1024,
            limit: LIMIT,
            captures: captures.clone(),
            mutated_frames: Some(1_000),
        }]
    })?;
    check_budgets(workspace, &mut tried, false)?;
    report(&tried);
    let cells: Vec<bool> = tried.iter().flat_map(Tried::rights).collect();
    let passed = cells.iter().filter(|right| **right).count();
    Ok(Quick::Ran {
        passed,
        failed: cells.len() - passed,
    })
}
