//! `cargo xtask kernels`: the filter on the kernels that people have, each in a guest.

mod boots;
mod budgets;
mod builds;
mod choice;
mod guest_machine;
mod initramfs;
mod libraries;
mod list;
mod lock;
mod modules;
mod packages;
mod programs;
mod quick;
mod results;
mod table;
mod tried;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};

use crate::archive::Architecture;
use crate::progress::{GREEN, RED};
use crate::setup::{self, Part};
use crate::workspace::Workspace;
use boots::{Bench, Boot};
use budgets::Budgets;
use builds::Build;
use guest::plan::Group;
use list::Kernel;
use lock::Lock;
use packages::missing;
pub use quick::{Quick, quick};
use tried::Tried;

/// Test programs of filter-user that guests of the whole matrix run.
const TESTS: [&str; 3] = ["agreement", "corpus", "kernel"];
/// What these read, from the repository's root.
const FILES: [&str; 3] = ["corpus", boots::BUDGET, "../shared/captures"];

#[derive(clap::Args)]
#[command(
    after_help = "The kernels are in xtask/kernels.toml, their versions in xtask/kernels.lock, the budgets of verified
instructions in filter-ebpf/verifier-budgets.toml. Packages are unpacked in ~/.cache/namegate and not installed.
In the table, `-` is what is known not to be possible on a kernel. Exit code 1 if anything failed or has no result.

Examples:
  cargo xtask kernels
  cargo xtask kernels 6.1 newest --json kernels.json
  cargo xtask kernels 6.12 --write-budgets"
)]
pub struct Args {
    /// Kernels to try, by their labels or versions; all without one.
    names: Vec<String>,
    /// Write all results to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Make only these checks: load, corpus, agreement, kernel, replay, live, requirements,
    /// operations, stress.
    #[arg(long = "check", value_name = "CHECK", value_parser = check_of)]
    checks: Vec<Group>,
    /// Guests at once.
    #[arg(long, value_name = "N", default_value_t = default_jobs())]
    jobs: usize,
    /// Take the newest versions of the archive into the lock, and do nothing else.
    #[arg(long, conflicts_with_all = ["json", "write_budgets"])]
    update: bool,
    /// Take the instructions that are measured now, and 5 % more, as the budgets of these kernels.
    #[arg(long)]
    write_budgets: bool,
}

/// A guest keeps one processor busy.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(2))
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let folder = workspace.root().join("xtask");
    let mut lock = Lock::read(&folder)?;
    let kernels = list::select(
        list::read(&folder.join("kernels.toml"))?,
        &lock,
        &args.names,
    )?;
    ensure!(
        args.jobs > 0,
        "`--jobs 0` would start no guest: give 1 or more"
    );
    if args.update {
        packages::update(&kernels, &mut lock)?;
        lock.write(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        workspace.has_shared(),
        "the verdicts are compared over the captures in ../shared, which is not beside the repository: put it there"
    );
    setup::ensure(&parts(&kernels))?;
    let failures = packages::fetch(&missing(&kernels, &lock)?, &lock)?;
    let bench = Bench::new(
        &workspace,
        Build::release(&workspace),
        lock,
        args.jobs,
        &TESTS,
        &FILES,
    )?;
    let (there, gone): (Vec<_>, Vec<_>) = kernels
        .into_iter()
        .partition(|kernel| !failures.iter().any(|(label, _)| *label == kernel.label));
    let wanted = |kernel: &Kernel| -> Vec<Boot> {
        boots::full(kernel)
            .into_iter()
            .filter_map(|boot| boot.with_only(&args.checks))
            .collect()
    };
    let mut tried = bench.run(&there, wanted)?;
    for kernel in gone {
        let why = failures.iter().find(|(label, _)| *label == kernel.label);
        let why = why
            .map(|(_, error)| format!("{error:#}"))
            .unwrap_or_default();
        tried.push(
            Tried::new(&kernel.label, kernel.architecture)
                .without_result(&boots::groups(&wanted(&kernel)), &why),
        );
    }
    if args.checks.is_empty() || args.checks.contains(&Group::Load) {
        check_budgets(&workspace, &mut tried, args.write_budgets)?;
    }
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&tried)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    report(&tried);
    Ok(if tried.iter().all(Tried::is_right) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check_of(name: &str) -> Result<Group, String> {
    let group = serde_json::from_value(name.into());
    group
        .map_err(|_| format!("there is no check `{name}`; `cargo xtask kernels --help` lists them"))
}

/// What the set-up has to have done for guests of these kernels.
fn parts(kernels: &[Kernel]) -> Vec<Part> {
    let mut parts = vec![Part::Build, Part::Guests];
    if kernels
        .iter()
        .any(|kernel| kernel.architecture == Architecture::Arm64)
    {
        parts.extend([Part::Arm64, Part::Arm64Guests]);
    }
    parts
}

/// Gives each kernel its cell, after writing what was measured if that is wanted.
fn check_budgets(workspace: &Workspace, tried: &mut [Tried], write: bool) -> Result<()> {
    let mut budgets = Budgets::read(workspace.root())?;
    if write {
        for kernel in tried.iter().filter(|kernel| !kernel.programs.is_empty()) {
            budgets.set(&kernel.kernel, &kernel.programs);
        }
        budgets.write(workspace.root())?;
    }
    for kernel in tried {
        let cell = budgets.check(&kernel.kernel, &kernel.programs);
        kernel.add([(tried::BUDGET.to_owned(), cell)].into());
    }
    Ok(())
}

fn report(tried: &[Tried]) {
    println!("\n{}\n", table::table(tried));
    for successor in tried.iter().filter_map(|kernel| kernel.successor.as_ref()) {
        println!("{successor}");
    }
    let faults = table::faults(tried);
    for fault in &faults {
        anstream::println!("{RED}{fault}{RED:#}");
    }
    if faults.is_empty() {
        anstream::println!("{GREEN}passed{GREEN:#}  no check failed, and each has a result");
    }
}

/// The kernels that the quick run boots, and whether they are in the cache; for the set-up.
pub fn fetch_quick() -> Result<()> {
    let (kernels, lock) = quick_kernels()?;
    let failures = packages::fetch(&missing(&kernels, &lock)?, &lock)?;
    match failures.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// The versions of the quick run's kernels, if all of them are in the cache.
pub fn quick_versions() -> Option<String> {
    let (kernels, lock) = quick_kernels().ok()?;
    if !missing(&kernels, &lock).ok()?.is_empty() {
        return None;
    }
    let versions: Vec<_> = kernels
        .iter()
        .filter_map(|kernel| lock.version_of(&kernel.label))
        .collect();
    Some(versions.join(", "))
}

fn quick_kernels() -> Result<(Vec<Kernel>, Lock)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kernels = list::read(&folder.join("kernels.toml"))?
        .into_iter()
        .filter(|kernel| kernel.quick);
    Ok((kernels.collect(), Lock::read(folder)?))
}
