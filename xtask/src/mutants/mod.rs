//! `cargo xtask mutants`: small changes of what filter-core means, of which its own tests are to catch each.

mod results;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;

use crate::{
    progress,
    workspace::{Workspace, cargo},
};
use results::{Mutant, Results, State};

/// The crate whose meaning is changed, and whose tests are to notice.
const PACKAGE: &str = "filter-core";
/// Of the mutants that are tried and mean something else, so many are to be caught.
const PERCENT: usize = 95;
/// Seconds for the tests of a mutant, which take fifteen: one that makes a loop endless is caught as well.
const PATIENCE: &str = "180";
/// Where cargo-mutants writes, from the repository's root.
const LEFT: &str = "target/mutants";

#[derive(clap::Args)]
#[command(
    after_help = "What became of each mutant that was tried is in filter-core/mutants.tsv, so that a run goes on where the last
one ended. A mutant that means the same as the source is `equivalent` there, with a reason; nobody but a reader writes that.
Exit code 1 if a mutant survives, or fewer than 95 of 100 that are not equivalent are caught.

Examples:
  cargo xtask mutants --sample 300
  cargo xtask mutants --sample 300 --shard 1/4
  cargo xtask mutants 'dns/joined' --again"
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
    let parts =
        text.split_once('/').and_then(|(part, of)| Some(Shard { part: part.parse().ok()?, of: of.parse().ok()? }));
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
    let all = listed(root)?;
    results.forget_all_but(&all);
    let chosen = choose(args, all);
    ensure!(!chosen.is_empty(), "no mutant of {PACKAGE} has {} in its name", args.names.join(" or "));
    let left: Vec<_> = chosen.iter().filter(|mutant| args.again || !results.has(mutant)).cloned().collect();
    println!("{} of {} mutants are to be tried", left.len(), chosen.len());
    if !left.is_empty() {
        try_all(root, &left)?;
        results.take(&root.join(LEFT).join("mutants.out"), &left)?;
    }
    results.write(&file)?;
    Ok(report(&results.of(&chosen)))
}

fn install() -> Result<()> {
    let installed = cargo().args(["mutants", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        let mut install = cargo();
        install.args(["install", "cargo-mutants", "--locked"]).env_remove("CARGO_TARGET_DIR");
        progress::step("cargo-mutants: building, which takes some minutes", install)?;
    }
    Ok(())
}

/// All mutants, as cargo-mutants names them.
fn listed(root: &Path) -> Result<Vec<Mutant>> {
    let mut list = cargo();
    list.current_dir(root).args(["mutants", "--list", "--package", PACKAGE, "--colors", "never"]);
    let output = list.output().context("cargo-mutants does not start")?;
    if !output.status.success() {
        bail!("cargo-mutants cannot list the mutants: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).context("cargo-mutants lists what is no text")?;
    Ok(results::numbered(text.lines()))
}

fn choose(args: &Args, mut mutants: Vec<Mutant>) -> Vec<Mutant> {
    if !args.names.is_empty() {
        mutants.retain(|mutant| args.names.iter().any(|name| mutant.name.contains(name.as_str())));
    }
    if let Some(sample) = args.sample {
        Rng::with_seed(args.seed).shuffle(&mut mutants);
        mutants.truncate(sample);
    }
    if let Some(Shard { part, of }) = args.shard {
        mutants = mutants.into_iter().skip(part - 1).step_by(of).collect();
    }
    mutants
}

/// Has cargo-mutants try these, in a copy of the tree.
fn try_all(root: &Path, mutants: &[Mutant]) -> Result<()> {
    let output: PathBuf = root.join(LEFT);
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    let mut run = cargo();
    run.current_dir(root).args(["mutants", "--package", PACKAGE, "--timeout", PATIENCE, "--colors", "never"]);
    run.arg("--output").arg(&output);
    for mutant in mutants {
        run.arg("--re").arg(format!("^{}$", escaped(&mutant.listed)));
    }
    let status = run.status().context("cargo-mutants does not start")?;
    // 2: mutants survive; 3: tests of a mutant ran out of time.
    ensure!(
        matches!(status.code(), Some(0 | 2 | 3)),
        "cargo-mutants ended with {status}: where the tests fail without a change, mend them first (`cargo test -p {PACKAGE}`)"
    );
    Ok(())
}

/// As a regular expression that matches this text alone.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() && character != '_' && character != '<' && character != '>' {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn report(results: &BTreeMap<Mutant, State>) -> ExitCode {
    let of = |wanted: fn(&State) -> bool| results.values().filter(|state| wanted(state)).count();
    let (caught, survive) = (of(|it| *it == State::Caught), of(|it| *it == State::Survives));
    let equivalent = of(|it| matches!(it, State::Equivalent(_)));
    for (mutant, _) in results.iter().filter(|(_, state)| **state == State::Survives) {
        println!("survives: {}", mutant.name);
    }
    let others = results.len() - caught - survive - equivalent;
    println!("{caught} caught, {survive} survive, {equivalent} mean the same, {others} do not build");
    if survive == 0 && 100 * caught >= PERCENT * (caught + survive) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(sample: Option<usize>, shard: Option<Shard>) -> Args {
        Args { names: Vec::new(), sample, seed: 1, shard, again: false }
    }

    #[test]
    fn parts_of_a_sample_make_the_whole() {
        let all = results::numbered(
            (0..100).map(|number| format!("a.rs:{number}:1: replace")).collect::<Vec<_>>().iter().map(String::as_str),
        );
        let whole = choose(&args(Some(30), None), all.clone());
        assert_eq!(whole.len(), 30);
        let mut parts: Vec<_> =
            (1..=4).flat_map(|part| choose(&args(Some(30), Some(Shard { part, of: 4 })), all.clone())).collect();
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
    fn an_expression_is_about_its_text_alone() {
        assert_eq!(escaped("a.rs: replace + with * in <T>::f"), r"a\.rs\: replace \+ with \* in <T>\:\:f");
    }
}
