//! Measures the filter: nanoseconds a packet in the kernel, the time and the memory that lists take.
//!
//! It measures and asserts nothing about time: on a machine that others share, a limit would fail by itself.
#![expect(clippy::cast_precision_loss, reason = "times and sizes are far below 2^52")]

mod all_lists;
mod collection;
mod kernel;
mod load;
mod names;
mod peers;
mod plan;
mod prober;
mod process;
mod rows;
mod statistics;
mod traffic;

use std::{fs::File, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::{names::RealNames, plan::Plan, rows::Rows};

/// Measure the filter; needs root
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// Write the rows to this file, too
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,

    /// A few seconds instead of a few minutes: fewer rules, fewer names, fewer batches
    #[arg(long, global = true)]
    quick: bool,

    /// Measure only the rows with this in their names
    #[arg(long, value_name = "TEXT", default_value = "", global = true)]
    filter: String,

    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Measure Namegate beside other filters with the same names: answers a second, CPU, memory, reloads
    Peers {
        /// The release binary; `cargo xtask bench peers` builds it and gives its path
        namegate: PathBuf,
    },

    /// Load one list once in a process of its own, and say what it took
    #[command(hide = true)]
    LoadOnce { list: PathBuf },

    /// Make a policy of all lists once in a process of its own, and say what it took
    #[command(hide = true)]
    CompileAllOnce,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match &args.part {
        Some(Part::LoadOnce { list }) => load::once(list),
        Some(Part::CompileAllOnce) => all_lists::once(),
        Some(Part::Peers { namegate }) => show(&args, |plan, rows| peers::measure(plan, namegate, rows)),
        None => show(&args, measure),
    }
}

fn measure(plan: &Plan, rows: &mut Rows) -> anyhow::Result<RealNames> {
    let names = RealNames::gather(plan.most_rules())?;
    load::measure(plan, &names, rows)?;
    all_lists::measure(plan, rows)?;
    kernel::measure(plan, &names, rows)?;
    kernel::measure_patterns(plan, &names, rows)?;
    Ok(names)
}

fn show(args: &Args, measure: impl FnOnce(&Plan, &mut Rows) -> anyhow::Result<RealNames>) -> anyhow::Result<()> {
    let plan = if args.quick { Plan::quick() } else { Plan::full() };
    // Before minutes are spent, not behind them.
    let json = args.json.as_ref().map(|path| {
        File::create(path).with_context(|| format!("{} cannot be written: name another file", path.display()))
    });
    let json = json.transpose()?;

    let mut rows = Rows::matching(&args.filter);
    let names = measure(&plan, &mut rows)?;

    let mut out = anstream::stdout().lock();
    writeln!(out, "{}\n\n{}", rows.table(), names.describe())?;
    if let Some(file) = json {
        rows.write_json(file)?;
    }
    Ok(())
}
