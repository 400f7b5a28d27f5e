//! Time and memory from a list on disk to rules in force.
//!
//! Each time in a process of its own, as a controller starts: what this one did before changes no figure.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use filter_user::{
    kernel::{Filter, Groups, LoadOptions, draw_hash_key},
    lists::{self, ListOptions},
    policy::{Builder, RuleBook},
};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::{
    kernel,
    names::{self, RealNames},
    plan::Plan,
    rows::{Row, Rows},
    statistics::Summary,
};

const MIB: f64 = 1024.0 * 1024.0;

/// What one process found. Times in seconds, memory in bytes.
#[derive(Debug, Deserialize, Serialize)]
struct Loaded {
    names: f64,
    parse: Took,
    book: Took,
    program: Took,
    map: Took,
    /// The rule book's own figure.
    book_bytes: f64,
    /// Growth of the resident memory, from the start of the process until the rules are in force.
    resident: f64,
    /// The same at its highest.
    resident_peak: f64,
    /// Kernel memory of the maps, and without rules.
    maps: f64,
    maps_without_rules: f64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Took {
    wall: f64,
    cpu: f64,
}

/// Measures how the largest set of rules is loaded.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let figures = Figures { names: names.some_rules(plan.most_rules()).len() };
    if !figures.all().iter().any(|(name, ..)| rows.want(name)) {
        return Ok(());
    }
    let list = tempfile::NamedTempFile::new().context("no temporary file can be made: set TMPDIR")?;
    names::write_list(&names.some_rules(plan.most_rules()), list.path())?;

    let bar = ProgressBar::new(plan.loads as u64);
    bar.set_style(ProgressStyle::with_template("{msg:50} {wide_bar} {pos}/{len}")?);
    bar.set_message(format!("loading {} names", HumanCount(figures.names as u64)));
    let mut loads = Vec::new();
    for _ in 0..plan.loads {
        loads.push(in_another_process(list.path())?);
        bar.inc(1);
    }
    bar.finish_and_clear();

    for (name, unit, figure) in figures.all() {
        let measured = Summary::of(loads.iter().map(figure)).context("nothing was loaded")?;
        rows.push(Row::median(name, measured, unit));
    }
    Ok(())
}

/// Loads the list, and writes what that took to standard output.
pub fn once(list: &Path) -> anyhow::Result<()> {
    let resident = memory("VmRSS:")?;
    let hash_key = draw_hash_key()?;
    let mut builder = Builder::new(hash_key);
    let (report, parse) =
        timed(|| Ok(lists::load(list, &ListOptions::default(), &mut builder.list("names", 0), &mut |_| ())?))?;
    let count = builder.len() as usize;
    ensure!(report.unusable_entries() == 0, "the list of the measurement has names that are none");
    let (rules, book) = timed(|| Ok(builder.finish()?))?;
    let options = LoadOptions {
        hash_key: Some(hash_key),
        max_rules: u32::try_from(rules.entries_in_force())?,
        ..LoadOptions::default()
    };
    let (mut filter, program) = timed(|| Ok(Filter::load(&options)?))?;
    let before = RuleBook::empty(hash_key);
    let (_, map) = timed(|| Ok(filter.install(&before, &rules, &Groups::default(), |_| ())?))?;
    let loaded = Loaded {
        names: count as f64,
        parse,
        book,
        program,
        map,
        book_bytes: rules.memory_bytes() as f64,
        resident: memory("VmRSS:")? - resident,
        resident_peak: memory("VmHWM:")? - resident,
        maps: filter.program()?.map_memory as f64,
        maps_without_rules: kernel::load_filter(1)?.program()?.map_memory as f64,
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&loaded)?)?)
}

/// The rows, of which each is a figure of every load.
struct Figures {
    names: usize,
}

type Figure = fn(&Loaded) -> f64;

impl Figures {
    fn all(&self) -> Vec<(String, &'static str, Figure)> {
        let rows: [(&str, &'static str, Figure); 17] = [
            ("read and parse, CPU", "s", |load| load.parse.cpu),
            ("read and parse, wall", "s", |load| load.parse.wall),
            ("rule book, CPU", "s", |load| load.book.cpu),
            ("rule book, wall", "s", |load| load.book.wall),
            ("fill the map, CPU", "s", |load| load.map.cpu),
            ("fill the map, wall", "s", |load| load.map.wall),
            ("file to rules in force, CPU", "s", Loaded::cpu),
            ("file to rules in force, wall", "s", Loaded::wall),
            ("load the program, CPU", "s", |load| load.program.cpu),
            ("load the program, wall", "s", |load| load.program.wall),
            ("kernel memory of the maps", "MiB", |load| load.maps / MIB),
            ("kernel memory a name", "bytes", |load| (load.maps - load.maps_without_rules) / load.names),
            ("user memory of the rule book", "MiB", |load| load.book_bytes / MIB),
            ("user memory a name, rule book", "bytes", |load| load.book_bytes / load.names),
            ("user memory when loaded", "MiB", |load| load.resident / MIB),
            ("user memory a name, when loaded", "bytes", |load| load.resident / load.names),
            ("user memory at its highest", "MiB", |load| load.resident_peak / MIB),
        ];
        let count = HumanCount(self.names as u64);
        rows.map(|(name, unit, figure)| (format!("{name}, {count} names"), unit, figure)).into()
    }
}

impl Loaded {
    fn cpu(&self) -> f64 {
        self.parse.cpu + self.book.cpu + self.map.cpu
    }

    fn wall(&self) -> f64 {
        self.parse.wall + self.book.wall + self.map.wall
    }
}

fn in_another_process(list: &Path) -> anyhow::Result<Loaded> {
    let this = std::env::current_exe().context("the path of this program is not known")?;
    let child = Command::new(this).arg("load-once").arg(list).stderr(Stdio::inherit()).output()?;
    ensure!(child.status.success(), "loading the list in a process of its own failed, as it says above");
    serde_json::from_slice(&child.stdout).context("the process that loads the list gave no figures")
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Took)> {
    let (start, cpu_start) = (Instant::now(), cpu_time());
    let result = work()?;
    let took = Took { wall: start.elapsed().as_secs_f64(), cpu: cpu_time().saturating_sub(cpu_start).as_secs_f64() };
    Ok((result, took))
}

/// Time that the process spent on a CPU, its own and the kernel's on its behalf.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// A figure of /proc/self/status in bytes.
fn memory(field: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("/proc/self/status cannot be read: mount /proc")?;
    let kib = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix("kB"));
    let kib = kib.and_then(|kib| kib.trim().parse::<f64>().ok());
    Ok(kib.with_context(|| format!("/proc/self/status does not say {field}"))? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_reported_are_those_of_the_work() {
        const WORK: Duration = Duration::from_millis(30);

        let ((), slept) = timed(|| {
            std::thread::sleep(WORK);
            Ok(())
        })
        .unwrap();
        assert!(slept.wall >= WORK.as_secs_f64(), "{slept:?}");
        // Other tests of this process may take time as well, so there is no most.
        let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let ((), worked) = timed(|| {
            let end = spent() + WORK;
            while spent() < end {}
            Ok(())
        })
        .unwrap();
        assert!(worked.cpu >= WORK.as_secs_f64(), "{worked:?}");
    }

    #[test]
    fn memory_that_is_taken_shows() {
        let before = memory("VmRSS:").unwrap();
        let taken = vec![1_u8; 64 << 20];
        assert!(memory("VmRSS:").unwrap() - before > 32.0 * MIB, "{}", taken.len());
    }

    #[test]
    fn all_figures_come_from_what_was_loaded() {
        let took = || Took { wall: 2.0, cpu: 1.0 };
        let load = Loaded {
            names: 1000.0,
            parse: took(),
            book: took(),
            program: took(),
            map: took(),
            book_bytes: 35_000.0,
            resident: 40_000.0,
            resident_peak: 80_000.0,
            maps: 90_000.0,
            maps_without_rules: 9_000.0,
        };
        let figures = Figures { names: 1000 }.all();
        let value = |wanted: &str| figures.iter().find(|(name, ..)| name.starts_with(wanted)).map(|(.., of)| of(&load));
        assert_eq!(value("kernel memory a name"), Some(81.0));
        assert_eq!(value("user memory a name, rule book"), Some(35.0));
        assert_eq!(value("file to rules in force, CPU"), Some(3.0));
        assert_eq!(value("file to rules in force, wall"), Some(6.0));
    }
}
