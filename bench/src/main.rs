//! Measures the filter: nanoseconds a packet in the kernel, the time and the memory that lists
//! take.
//!
//! It measures and asserts nothing about time: on a machine that others share, a limit would fail
//! by itself.
#![expect(
    clippy::cast_precision_loss,
    reason = "times and sizes are far below 2^52"
)]

mod against;
mod all_lists;
mod cache;
mod caches;
mod collection;
mod controller;
mod floods;
mod kernel;
mod live;
mod load;
mod measurement;
mod names;
mod peers;
mod plan;
mod prober;
mod process;
mod quic;
mod rows;
mod statistics;
mod traffic;
mod worst;

use std::{fs::File, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use lab::kernel_log::Guard;

use crate::{against::Earlier, names::RealNames, plan::Plan, rows::Rows};

/// Measure the filter; needs root
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// Write the rows to this file, too
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,

    /// Compare with the rows that an earlier run wrote to this file, and name those that are slower
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

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
    /// Measure Namegate beside other filters with the same names: answers a second, CPU, memory,
    /// reloads
    Peers {
        /// The release binary; `cargo xtask bench peers` builds it and gives its path
        namegate: PathBuf,
    },

    /// Measure what memory the controller takes with the largest list, and what a reload of it
    /// takes
    Controller {
        /// The release binary; `cargo xtask bench controller` builds it and gives its path
        namegate: PathBuf,
    },

    /// Send floods of hellos in two segments from two processors, and count what gets through
    Floods,

    /// Load one list once in a process of its own, and say what it took
    #[command(hide = true)]
    LoadOnce { list: PathBuf },

    /// Start from a cache once in a process of its own, and say what it took
    #[command(hide = true)]
    StartOnce { list: PathBuf, cache: PathBuf },

    /// Make a policy of all lists once in a process of its own, and say what it took
    #[command(hide = true)]
    CompileAllOnce,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    Guard::install();
    match &args.part {
        Some(Part::LoadOnce { list }) => load::once(list),
        Some(Part::StartOnce { list, cache }) => cache::once(list, cache),
        Some(Part::CompileAllOnce) => all_lists::once(),
        Some(Part::Controller { namegate }) => show(&args, |plan, rows| {
            let names = RealNames::gather(plan.most_rules())?;
            controller::measure(namegate, plan, &names, rows)?;
            Ok(names)
        }),
        Some(Part::Floods) => show(&args, |plan, rows| {
            floods::measure(plan, rows)?;
            RealNames::gather(Plan::FEW_RULES)
        }),
        Some(Part::Peers { namegate }) => {
            show(&args, |plan, rows| peers::measure(plan, namegate, rows))
        }
        None => show(&args, measure),
    }
}

fn measure(plan: &Plan, rows: &mut Rows) -> anyhow::Result<RealNames> {
    let names = RealNames::gather(plan.most_rules())?;
    // What it needs of the machine is found missing before minutes are spent.
    live::measure(plan, &names, rows)?;
    caches::measure(plan, rows);
    load::measure(plan, &names, rows)?;
    cache::measure(plan, &names, rows)?;
    all_lists::measure(plan, rows)?;
    kernel::measure(plan, &names, rows)?;
    kernel::measure_patterns(plan, &names, rows)?;
    quic::measure(plan, &names, rows)?;
    Ok(names)
}

fn show(
    args: &Args,
    measure: impl FnOnce(&Plan, &mut Rows) -> anyhow::Result<RealNames>,
) -> anyhow::Result<()> {
    let plan = if args.quick {
        Plan::quick()
    } else {
        Plan::full()
    };
    // Before minutes are spent, not behind them; and it may be the file that is written anew.
    let earlier = args.against.as_deref().map(Earlier::read).transpose()?;
    let json = args.json.as_ref().map(|path| {
        File::create(path)
            .with_context(|| format!("{} cannot be written: name another file", path.display()))
    });
    let json = json.transpose()?;

    let mut rows = Rows::matching(&args.filter);
    let names = measure(&plan, &mut rows)?;

    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{}\n\n{}",
        rows.table(earlier.as_ref()),
        names.describe()
    )?;
    if let Some(earlier) = earlier {
        writeln!(out, "\n{}", earlier.describe(rows.all()))?;
    }
    if let Some(file) = json {
        rows.write_json(file)?;
    }
    Ok(())
}
