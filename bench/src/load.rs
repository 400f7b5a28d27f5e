//! Time and memory from a list on disk to rules in force.
//!
//! Each time in a process of its own, as a controller starts: what this one did before changes no
//! figure.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, ensure};
use filter_lists::{Format, ListOptions};
use filter_policy::{
    compiled::{Builder, CompiledPolicy},
    groups::Groups,
};
use filter_user::{
    check::Undone,
    kernel::{Filter, LoadOptions, draw_hash_key},
};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::{
    kernel,
    names::{self, RealNames},
    plan::Plan,
    process::{self, MIB, Took, memory, timed},
    rows::{Row, Rows},
    statistics::Summary,
};

/// Seconds of CPU from the file to rules in force, for 1,000,000 names.
const GOAL: f64 = 1.0;
/// Seconds of CPU until the programs are loaded that generic mode needs: most of it is the
/// verifier's.
const VERIFYING: f64 = 0.5;

/// What one process found. Times in seconds, memory in bytes.
#[derive(Debug, Deserialize, Serialize)]
struct Loaded {
    names: f64,
    parse: Took,
    compiled: Took,
    program: Took,
    map: Took,
    /// Looking for rules that undo those of other lists, and with exceptions for one name in a
    /// thousand.
    undoing: Took,
    undoing_exceptions: Took,
    /// The compiled policy's own figure.
    policy_bytes: f64,
    /// Growth of the resident memory, from the start of the process until the rules are in force.
    resident: f64,
    /// The same at its highest.
    resident_peak: f64,
    /// Kernel memory of the maps, and without rules.
    maps: f64,
    maps_without_rules: f64,
}

/// Measures how the largest set of rules is loaded.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let figures = Figures {
        names: names.some_rules(plan.most_rules()).len(),
    };
    if !figures.all().iter().any(|(name, ..)| rows.want(name)) {
        return Ok(());
    }
    let list =
        tempfile::NamedTempFile::new().context("no temporary file can be made: set TMPDIR")?;
    names::write_list(&names.some_rules(plan.most_rules()), list.path())?;

    let bar = ProgressBar::new(plan.loads as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:50} {wide_bar} {pos}/{len}",
    )?);
    bar.set_message(format!(
        "loading {} names",
        HumanCount(figures.names as u64)
    ));
    let mut loads = Vec::new();
    for _ in 0..plan.loads {
        loads.push(process::another::<Loaded>("load-once", &[list.path()])?);
        bar.inc(1);
    }
    bar.finish_and_clear();

    for (name, unit, figure) in figures.all() {
        let measured = Summary::of(loads.iter().map(figure)).context("nothing was loaded")?;
        let row = Row::median(&*name, measured, unit);
        rows.push(match &*name {
            "file to rules in force, CPU, 1,000,000 names" => row.at_most(GOAL),
            "load the program, CPU, 1,000,000 names" => row.at_most(VERIFYING),
            _ => row,
        });
    }
    Ok(())
}

/// Loads the list, and writes what that took to standard output.
pub fn once(list: &Path) -> anyhow::Result<()> {
    let resident = memory("VmRSS:")?;
    let hash_key = draw_hash_key()?;
    let mut builder = Builder::new(hash_key);
    let (report, parse) = timed(|| {
        Ok(filter_lists::load(
            list,
            &ListOptions::default(),
            &mut builder.list("names", 0),
            &mut |_| (),
        )?)
    })?;
    ensure!(
        report.unusable_entries() == 0,
        "the list of the measurement has names that are none"
    );
    let (rules, compiled) = timed(|| Ok(builder.finish()?))?;
    let count = rules.len();
    let options = LoadOptions {
        hash_key: Some(hash_key),
        max_rules: u32::try_from(rules.entries_in_force())?,
        ..LoadOptions::default()
    };
    let (mut filter, program) = timed(|| Ok(Filter::load(&options)?))?;
    let before = CompiledPolicy::empty(hash_key);
    let (_, map) = timed(|| Ok(filter.install(&before, &rules, &Groups::default(), |_| ())?))?;
    let resident_now = memory("VmRSS:")?;
    let resident_peak = memory("VmHWM:")?;
    let (_, undoing) = timed(|| Ok(Undone::of(&rules)))?;
    let loaded = Loaded {
        names: count as f64,
        parse,
        compiled,
        program,
        map,
        undoing,
        undoing_exceptions: undoing_exceptions(list)?,
        policy_bytes: rules.memory_bytes() as f64,
        resident: resident_now - resident,
        resident_peak: resident_peak - resident,
        maps: filter.program()?.map_memory as f64,
        maps_without_rules: kernel::load_filter(1)?.program()?.map_memory as f64,
    };
    Ok(writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string(&loaded)?
    )?)
}

/// The time that it takes to look for rules that undo those of other lists, where a second list has
/// exceptions for one name in a thousand.
fn undoing_exceptions(list: &Path) -> anyhow::Result<Took> {
    const EVERY: usize = 1000;

    let mut builder = Builder::new(draw_hash_key()?);
    filter_lists::load(
        list,
        &ListOptions::default(),
        &mut builder.list("names", 0),
        &mut |_| (),
    )?;
    let names = fs::read_to_string(list).context("the list of the measurement cannot be read")?;
    let exceptions = names
        .lines()
        .step_by(EVERY)
        .map(|name| format!("@@||{name}^\n"));
    let file =
        tempfile::NamedTempFile::new().context("no temporary file can be made: set TMPDIR")?;
    fs::write(file.path(), exceptions.collect::<String>())
        .context("the exceptions cannot be written")?;
    let options = ListOptions {
        format: Some(Format::AdBlock),
        ..ListOptions::default()
    };
    filter_lists::load(
        file.path(),
        &options,
        &mut builder.list("exceptions", 0),
        &mut |_| (),
    )?;
    let rules = builder.finish()?;
    let (undone, took) = timed(|| Ok(Undone::of(&rules)))?;
    ensure!(
        undone.count > 0,
        "no exception of the measurement undoes a rule"
    );
    Ok(took)
}

/// The rows, of which each is a figure of every load.
struct Figures {
    names: usize,
}

type Figure = fn(&Loaded) -> f64;

impl Figures {
    fn all(&self) -> Vec<(String, &'static str, Figure)> {
        let rows: [(&str, &'static str, Figure); 19] = [
            ("read and parse, CPU", "s", |load| load.parse.cpu),
            ("read and parse, wall", "s", |load| load.parse.wall),
            ("rule book, CPU", "s", |load| load.compiled.cpu),
            ("rule book, wall", "s", |load| load.compiled.wall),
            ("fill the map, CPU", "s", |load| load.map.cpu),
            ("fill the map, wall", "s", |load| load.map.wall),
            ("file to rules in force, CPU", "s", Loaded::cpu),
            ("file to rules in force, wall", "s", Loaded::wall),
            ("rules that undo others, CPU", "s", |load| load.undoing.cpu),
            (
                "rules that undo others, with exceptions for one name in 1,000, CPU",
                "s",
                |load| load.undoing_exceptions.cpu,
            ),
            ("load the program, CPU", "s", |load| load.program.cpu),
            ("load the program, wall", "s", |load| load.program.wall),
            ("kernel memory of the maps", "MiB", |load| load.maps / MIB),
            ("kernel memory a name", "bytes", |load| {
                (load.maps - load.maps_without_rules) / load.names
            }),
            ("user memory of the rule book", "MiB", |load| {
                load.policy_bytes / MIB
            }),
            ("user memory a name, rule book", "bytes", |load| {
                load.policy_bytes / load.names
            }),
            ("user memory when loaded", "MiB", |load| load.resident / MIB),
            ("user memory a name, when loaded", "bytes", |load| {
                load.resident / load.names
            }),
            ("user memory at its highest", "MiB", |load| {
                load.resident_peak / MIB
            }),
        ];
        let count = HumanCount(self.names as u64);
        rows.map(|(name, unit, figure)| (format!("{name}, {count} names"), unit, figure))
            .into()
    }
}

impl Loaded {
    fn cpu(&self) -> f64 {
        self.parse.cpu + self.compiled.cpu + self.map.cpu
    }

    fn wall(&self) -> f64 {
        self.parse.wall + self.compiled.wall + self.map.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_figures_come_from_what_was_loaded() {
        let took = || Took {
            wall: 2.0,
            cpu: 1.0,
        };
        let load = Loaded {
            names: 1000.0,
            parse: took(),
            compiled: took(),
            program: took(),
            map: took(),
            undoing: took(),
            undoing_exceptions: took(),
            policy_bytes: 35_000.0,
            resident: 40_000.0,
            resident_peak: 80_000.0,
            maps: 90_000.0,
            maps_without_rules: 9_000.0,
        };
        let figures = Figures { names: 1000 }.all();
        let value = |wanted: &str| {
            figures
                .iter()
                .find(|(name, ..)| name.starts_with(wanted))
                .map(|(.., of)| of(&load))
        };
        assert_eq!(value("kernel memory a name"), Some(81.0));
        assert_eq!(value("user memory a name, rule book"), Some(35.0));
        assert_eq!(value("file to rules in force, CPU"), Some(3.0));
        assert_eq!(value("file to rules in force, wall"), Some(6.0));
    }
}
