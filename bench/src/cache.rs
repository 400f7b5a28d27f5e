//! A start from the compiled policy of the start before. Each time in a process of its own, as a
//! controller starts.

use std::{io::Write as _, path::Path};

use anyhow::{Context as _, ensure};
use filter_lists::{ListFile, ListOptions};
use filter_policy::{
    compiled::{CompiledPolicy, HashKeyPolicy, PolicySource},
    groups::Groups,
};
use filter_user::kernel::{Filter, LoadOptions, draw_hash_key};
use indicatif::HumanCount;
use serde::{Deserialize, Serialize};

use crate::{
    names::{self, RealNames},
    plan::Plan,
    process::{self, MIB, Took, memory, timed},
    rows::{Row, Rows},
    statistics::Summary,
};

/// Seconds of CPU until the policy is in force, without loading the program, for 1,000,000 names.
const GOAL: f64 = 0.2;

/// What one process found.
#[derive(Debug, Deserialize, Serialize)]
struct Started {
    /// From the cache to a policy that can be installed.
    open: Took,
    install: Took,
    /// Memory of the process when the policy is in force.
    resident: f64,
    from_cache: bool,
}

type Figure = fn(&Started) -> f64;

/// Measures starts from a cache with the largest set of rules.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let count = HumanCount(plan.most_rules() as u64);
    let figures: [(String, &str, Figure); 5] = [
        (
            format!("second start from the cache, CPU, {count} names"),
            "s",
            |it| it.open.cpu + it.install.cpu,
        ),
        (
            format!("second start from the cache, wall, {count} names"),
            "s",
            |it| it.open.wall + it.install.wall,
        ),
        (
            format!("reading the cache, CPU, {count} names"),
            "s",
            |it| it.open.cpu,
        ),
        (
            format!("installing from the cache, CPU, {count} names"),
            "s",
            |it| it.install.cpu,
        ),
        (
            format!("user memory when started from the cache, {count} names"),
            "MiB",
            |it| it.resident / MIB,
        ),
    ];
    if !figures.iter().any(|(name, ..)| rows.want(name)) {
        return Ok(());
    }
    let folder = tempfile::TempDir::new().context("no temporary folder can be made: set TMPDIR")?;
    let list = folder.path().join("list");
    names::write_list(&names.some_rules(plan.most_rules()), &list)?;
    let start =
        || process::another::<Started>("start-once", &[&list, &folder.path().join("cache")]);
    ensure!(!start()?.from_cache, "there was a cache already");
    let starts = (0..plan.loads)
        .map(|_| start())
        .collect::<Result<Vec<_>, _>>()?;
    ensure!(
        starts.iter().all(|started| started.from_cache),
        "the cache was not used"
    );
    for (place, (name, unit, figure)) in figures.into_iter().enumerate() {
        let row = Row::median(
            name,
            Summary::of(starts.iter().map(figure)).context("nothing was started")?,
            unit,
        );
        rows.push(if place == 0 { row.at_most(GOAL) } else { row });
    }
    Ok(())
}

/// Starts with this list and this cache, and writes what that took to standard output.
pub fn once(list: &Path, cache: &Path) -> anyhow::Result<()> {
    let source = PolicySource {
        config: None,
        lists: vec![(
            ListFile {
                path: list.into(),
                format: None,
            },
            ListOptions {
                widen: true,
                ..Default::default()
            },
        )],
        cache: Some(cache.into()),
        ..PolicySource::default()
    };
    let drawn = HashKeyPolicy::Drawn(draw_hash_key()?);
    let (mut policy, open) = timed(|| Ok(source.read_or_open(drawn, &mut |_| ())?))?;
    if let Some(note) = policy.keep() {
        anyhow::bail!(note);
    }
    let compiled = &policy.compiled;
    let max_rules = u32::try_from(compiled.entries_in_force())?;
    let mut filter = Filter::load(&LoadOptions {
        hash_key: Some(*compiled.hash_key()),
        max_rules,
        ..LoadOptions::default()
    })?;
    let before = CompiledPolicy::empty(*compiled.hash_key());
    let (_, install) =
        timed(|| Ok(filter.install(&before, compiled, &Groups::default(), |_| ())?))?;
    compiled.rest();
    let from_cache = policy
        .notes
        .iter()
        .any(|note| note.starts_with("the policy is from the cache"));
    let started = Started {
        open,
        install,
        resident: memory("VmRSS:")?,
        from_cache,
    };
    Ok(writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string(&started)?
    )?)
}
