//! Time and memory that all lists of the collection take together, as one policy.

use std::{collections::HashSet, ffi::OsStr, io::Write as _};

use anyhow::{Context as _, ensure};
use filter_policy::compiled::Builder;
use filter_user::kernel::draw_hash_key;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::{
    collection,
    plan::Plan,
    process::{self, MIB, Took, memory, timed},
    rows::{Row, Rows},
    statistics::Summary,
};

/// What one process found. Times in seconds, memory in bytes.
#[derive(Debug, Deserialize, Serialize)]
struct CompiledLists {
    parse: Took,
    compiled: Took,
    /// Resident memory of the process at its highest.
    peak: f64,
    lists: f64,
    rules_read: f64,
    /// Those that no earlier list and no earlier line has.
    rules_kept: f64,
    /// Names of these that no other rule covers.
    in_kernel: f64,
    patterns: f64,
    patterns_refused: f64,
    automata: f64,
}

type Figure = fn(&CompiledLists) -> f64;

/// What differs from time to time.
const MEASURED: [(&str, &str, Figure); 5] = [
    ("read and parse, CPU, all lists", "s", |all| all.parse.cpu),
    ("rule book, CPU, all lists", "s", |all| all.compiled.cpu),
    ("files to rule book, CPU, all lists", "s", |all| {
        all.parse.cpu + all.compiled.cpu
    }),
    ("files to rule book, wall, all lists", "s", |all| {
        all.parse.wall + all.compiled.wall
    }),
    (
        "memory of the process at its highest, all lists",
        "MiB",
        |all| all.peak / MIB,
    ),
];

/// What is the same each time.
const COUNTED: [(&str, &str, Figure); 7] = [
    ("lists with rules, all lists", "lists", |all| all.lists),
    ("rules read, all lists", "rules", |all| all.rules_read),
    ("rules kept, all lists", "rules", |all| all.rules_kept),
    ("names in the kernel, all lists", "names", |all| {
        all.in_kernel
    }),
    ("patterns in force, all lists", "patterns", |all| {
        all.patterns
    }),
    ("automata of the patterns, all lists", "automata", |all| {
        all.automata
    }),
    ("patterns without room, all lists", "patterns", |all| {
        all.patterns_refused
    }),
];

/// Measures how all lists become one policy; nothing where there is no collection.
pub fn measure(plan: &Plan, rows: &mut Rows) -> anyhow::Result<()> {
    let wanted = MEASURED
        .iter()
        .chain(&COUNTED)
        .any(|(name, ..)| rows.want(name));
    if !wanted || collection::lists().is_empty() {
        return Ok(());
    }
    let bar = ProgressBar::new(plan.loads as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:50} {wide_bar} {pos}/{len}",
    )?);
    bar.set_message("compiling all lists");
    let mut compiled = Vec::new();
    for _ in 0..plan.loads {
        compiled.push(process::another::<CompiledLists>(
            "compile-all-once",
            &[] as &[&OsStr],
        )?);
        bar.inc(1);
    }
    bar.finish_and_clear();

    for (name, unit, figure) in MEASURED {
        let measured = Summary::of(compiled.iter().map(figure)).context("no list was compiled")?;
        rows.push(Row::median(name, measured, unit));
    }
    for (name, unit, figure) in COUNTED {
        let counted = compiled
            .iter()
            .map(figure)
            .next_back()
            .context("no list was compiled")?;
        rows.push(Row::exact(name, counted, unit));
    }
    Ok(())
}

/// Makes a policy of all lists, and writes what that took to standard output.
pub fn once() -> anyhow::Result<()> {
    let lists = collection::lists();
    let mut builder = Builder::new(draw_hash_key()?);
    let (mut read, mut rules_read) = (0, 0);
    let ((), parse) = timed(|| {
        for list in &lists {
            if let Some(report) = list.load(&mut builder.list(&list.name(), 0))? {
                read += 1;
                rules_read += report.kinds.total();
            }
        }
        Ok(())
    })?;
    ensure!(
        read > 0,
        "no list is in {}: put the collection there",
        collection::folder().display()
    );
    let (compiled, finish) = timed(|| Ok(builder.finish()?))?;
    let peak = memory("VmHWM:")?;
    let patterns: HashSet<_> = compiled
        .patterns()
        .map(|pattern| (pattern.rule, pattern.action))
        .collect();
    let refused = compiled.refused_patterns().count();
    let compiled = CompiledLists {
        parse,
        compiled: finish,
        peak,
        lists: f64::from(read),
        rules_read: rules_read as f64,
        rules_kept: compiled.len() as f64,
        in_kernel: compiled.entries_in_force() as f64,
        patterns: (patterns.len() - refused) as f64,
        patterns_refused: refused as f64,
        automata: compiled.automata().parts.len() as f64,
    };
    Ok(writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string(&compiled)?
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_reading_and_of_the_policy_together() {
        let took = |cpu| Took {
            wall: 2.0 * cpu,
            cpu,
        };
        let all = CompiledLists {
            parse: took(1.0),
            compiled: took(2.0),
            peak: 3.0 * MIB,
            lists: 4.0,
            rules_read: 5.0,
            rules_kept: 6.0,
            in_kernel: 7.0,
            patterns: 8.0,
            patterns_refused: 9.0,
            automata: 10.0,
        };
        let value = |wanted: &str| {
            let row = MEASURED
                .iter()
                .chain(&COUNTED)
                .find(|(name, ..)| name.starts_with(wanted));
            row.map(|(.., figure)| figure(&all))
        };
        assert_eq!(value("files to rule book, CPU"), Some(3.0));
        assert_eq!(value("files to rule book, wall"), Some(6.0));
        assert_eq!(value("memory of the process"), Some(3.0));
        assert_eq!(value("rules read"), Some(5.0));
        assert_eq!(value("rules kept"), Some(6.0));
    }
}
