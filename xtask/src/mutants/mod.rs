//! `cargo xtask mutants`: small changes of what filter-core means, of which its own tests are to
//! catch each.

mod results;
mod tree;
mod trial;

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Result, ensure};
use fastrand::Rng;

use crate::{
    progress,
    workspace::{Workspace, cargo},
};
use results::{Mutant, Results, State};
use trial::Trial;

/// The crate whose meaning is changed, and whose tests are to notice.
const PACKAGE: &str = "filter-core";
/// Of the mutants that are tried and mean something else, so many are to be caught.
const PERCENT: usize = 95;

#[derive(clap::Args)]
#[command(
    after_help = "What became of each mutant that was tried is in filter-core/mutants.tsv, so that a run goes on where the last
one ended. A mutant that means the same as the source is `equivalent` there, with a reason; nobody but a reader writes that.
Exit code 1 if a mutant survives, or fewer than 95 of 100 that are not equivalent are caught.

Examples:
  cargo xtask mutants --sample 300
  cargo xtask mutants --sample 300 --shard 1/4
  cargo xtask mutants 'dns/owner' --again"
)]
pub struct Args {
    /// Only mutants with this in their names: a file, a function.
    #[arg(value_name = "TEXT")]
    names: Vec<String>,
    /// So many of them, drawn by the seed.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Draws others.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The first of four parts and so on: each part can be tried by itself.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<Shard>,
    /// Mutants of which it is known already what becomes of them, too.
    #[arg(long)]
    again: bool,
}

/// One of several parts of equal size, the first of which is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    part: usize,
    of: usize,
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(part, of)| {
        Some(Shard {
            part: part.parse().ok()?,
            of: of.parse().ok()?,
        })
    });
    parts.filter(|Shard { part, of }| (1..=*of).contains(part)).ok_or_else(|| {
        format!("`{text}` is no part of a whole: give two numbers, such as `1/4` for the first of four parts")
    })
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let root = workspace.root();
    install()?;
    let file = root.join(PACKAGE).join("mutants.tsv");
    let mut results = Results::read(&file)?;
    let trial = Trial::new(root);
    let all = trial.mutants()?;
    results.forget_all_but(&all);
    let chosen = choose(args, all.clone());
    ensure!(
        !chosen.is_empty(),
        "no mutant of {PACKAGE} has {} in its name",
        args.names.join(" or ")
    );
    let left: Vec<_> = chosen
        .iter()
        .filter(|mutant| args.again || !results.has(mutant))
        .cloned()
        .collect();
    println!("{} of {} mutants are to be tried", left.len(), chosen.len());
    if !left.is_empty() {
        trial.run(&left, &all, &mut results, &file)?;
    }
    results.write(&file)?;
    Ok(report(&results.of(&chosen)))
}

fn install() -> Result<()> {
    let installed = cargo().args(["mutants", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        let mut install = cargo();
        install
            .args(["install", "cargo-mutants", "--locked"])
            .env_remove("CARGO_TARGET_DIR");
        progress::step("cargo-mutants: building, which takes some minutes", install)?;
    }
    Ok(())
}

fn choose(args: &Args, mut mutants: Vec<Mutant>) -> Vec<Mutant> {
    if !args.names.is_empty() {
        mutants.retain(|mutant| {
            args.names
                .iter()
                .any(|name| mutant.name.contains(name.as_str()))
        });
    }
    if let Some(sample) = args.sample {
        mutants.sort_by_cached_key(|mutant| turn(args.seed, &mutant.name));
        mutants.truncate(sample);
    }
    if let Some(Shard { part, of }) = args.shard {
        mutants = mutants.into_iter().skip(part - 1).step_by(of).collect();
    }
    mutants
}

/// Whose turn it is when mutants are drawn. It hangs on the mutant alone: when others come or go,
/// the rest of a sample stays.
fn turn(seed: u64, name: &str) -> u64 {
    // FNV-1a, which is then spread.
    const PRIME: u64 = 0x100_0000_01b3;
    Rng::with_seed(name.bytes().fold(seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    }))
    .u64(..)
}

fn report(results: &BTreeMap<Mutant, State>) -> ExitCode {
    let of = |wanted: fn(&State) -> bool| results.values().filter(|state| wanted(state)).count();
    let (caught, survive) = (
        of(|it| *it == State::Caught),
        of(|it| *it == State::Survives),
    );
    let equivalent = of(|it| matches!(it, State::Equivalent(_)));
    for (mutant, _) in results
        .iter()
        .filter(|(_, state)| **state == State::Survives)
    {
        println!("survives: {}", mutant.name);
    }
    let others = results.len() - caught - survive - equivalent;
    println!(
        "{caught} caught, {survive} survive, {equivalent} mean the same, {others} do not build"
    );
    if survive == 0 && 100 * caught >= PERCENT * (caught + survive) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(sample: Option<usize>, shard: Option<Shard>) -> Args {
        Args {
            names: Vec::new(),
            sample,
            seed: 1,
            shard,
            again: false,
        }
    }

    #[test]
    fn parts_of_a_sample_make_the_whole() {
        let all = results::numbered(
            (0..100)
                .map(|number| format!("a.rs:{number}:1: replace"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        );
        let whole = choose(&args(Some(30), None), all.clone());
        assert_eq!(whole.len(), 30);
        let mut parts: Vec<_> = (1..=4)
            .flat_map(|part| choose(&args(Some(30), Some(Shard { part, of: 4 })), all.clone()))
            .collect();
        let mut whole = whole;
        parts.sort();
        whole.sort();
        assert_eq!(parts, whole);
    }

    #[test]
    fn a_part_is_one_of_those_that_there_are() {
        assert_eq!(shard("2/4"), Ok(Shard { part: 2, of: 4 }));
        for text in ["0/4", "5/4", "1", "1/", "a/b", "1/0"] {
            assert!(shard(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sample_stays_when_other_mutants_go() {
        let lines: Vec<_> = (0..100)
            .map(|number| format!("a.rs:{number}:1: replace {number}"))
            .collect();
        let drawn = |lines: &[String]| {
            choose(
                &args(Some(30), None),
                results::numbered(lines.iter().map(String::as_str)),
            )
        };
        let whole = drawn(&lines);
        let without: Vec<_> = lines
            .iter()
            .filter(|line| **line != whole[0].listed)
            .cloned()
            .collect();
        assert_eq!(drawn(&without)[..29], whole[1..]);
        assert_ne!(
            whole,
            choose(
                &Args {
                    seed: 2,
                    ..args(Some(30), None)
                },
                results::numbered(lines.iter().map(String::as_str))
            )
        );
    }
}
