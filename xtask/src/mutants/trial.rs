//! Running cargo-mutants.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{
    PACKAGE,
    results::{self, Mutant, Results, State},
    tree,
};
use crate::workspace::cargo;

/// Tests of the package that mutants meet together.
struct Round {
    /// What these are.
    name: &'static str,
    /// Their targets; none for all.
    targets: &'static [&'static str],
    /// Seconds that they may take, where a mutant makes a loop endless.
    patience: &'static str,
}

/// First those that catch most mutants: they take three seconds to build for each, and two to run.
/// All take ten and twenty.
const ROUNDS: [Round; 2] = [
    Round {
        name: "unit tests and claims",
        targets: &["--lib", "--test=packets"],
        patience: "60",
    },
    Round {
        name: "all tests",
        targets: &[],
        patience: "240",
    },
];

/// How often it is looked what became of mutants.
const PAUSE: Duration = Duration::from_secs(2);

/// Where mutants are made and tried.
pub struct Trial {
    /// The checkout.
    root: PathBuf,
    /// Everything that is left of trials.
    folder: PathBuf,
}

impl Trial {
    /// Of the checkout at `root`.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.into(),
            folder: root.join("target/mutants"),
        }
    }

    /// All mutants of the source, as cargo-mutants names them.
    pub fn mutants(&self) -> Result<Vec<Mutant>> {
        let mut list = cargo();
        list.current_dir(&self.root).args([
            "mutants",
            "--list",
            "--package",
            PACKAGE,
            "--colors",
            "never",
        ]);
        let output = list.output().context("cargo-mutants does not start")?;
        if !output.status.success() {
            bail!(
                "cargo-mutants cannot list the mutants: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let text =
            String::from_utf8(output.stdout).context("cargo-mutants lists what is no text")?;
        Ok(results::numbered(text.lines()))
    }

    /// Tries these, in any order. What became of each is written to `file` as soon as it is known,
    /// so that a trial which is interrupted loses little.
    pub fn run(
        &self,
        mutants: &[Mutant],
        all: &[Mutant],
        results: &mut Results,
        file: &Path,
    ) -> Result<()> {
        tree::copy(&self.root, &self.tree())?;
        let mut left = mutants.to_vec();
        for round in ROUNDS {
            if left.is_empty() {
                break;
            }
            println!("{} mutants meet {}", left.len(), round.name);
            left = self.round(&round, &left, all, results, file)?;
        }
        Ok(())
    }

    /// Gives those that survive.
    fn round(
        &self,
        round: &Round,
        mutants: &[Mutant],
        all: &[Mutant],
        results: &mut Results,
        file: &Path,
    ) -> Result<Vec<Mutant>> {
        let folder = self.folder.join("mutants.out");
        let chosen: BTreeSet<_> = mutants.iter().map(|mutant| &*mutant.listed).collect();
        leave_out(
            &folder,
            all.iter()
                .map(|mutant| &*mutant.listed)
                .filter(|listed| !chosen.contains(listed)),
        )?;
        let mut child = self
            .command(round)
            .spawn()
            .context("cargo-mutants does not start")?;
        let (status, found) = loop {
            let status = wait(&mut child)?;
            let found = results::found(&folder)?;
            for (mutant, state) in mutants
                .iter()
                .filter_map(|mutant| Some((mutant, found.get(&mutant.listed)?)))
            {
                // What survives some tests is to meet the others.
                if *state != State::Survives || round.targets.is_empty() {
                    results.note(mutant, state.clone());
                }
            }
            results.write(file)?;
            if let Some(status) = status {
                break (status, found);
            }
        };
        // 2: mutants survive; 3: tests of a mutant ran out of time.
        ensure!(
            matches!(status.code(), Some(0 | 2 | 3)),
            "cargo-mutants ended with {status}: where the tests fail without a change, mend them first (`cargo test -p {PACKAGE}`)"
        );
        if let Some(mutant) = mutants
            .iter()
            .find(|mutant| !found.contains_key(&mutant.listed))
        {
            bail!(
                "cargo-mutants does not say what became of `{}`",
                mutant.listed
            );
        }
        Ok(mutants
            .iter()
            .filter(|mutant| found[&mutant.listed] == State::Survives)
            .cloned()
            .collect())
    }

    fn command(&self, round: &Round) -> Command {
        let mut command = cargo();
        command.current_dir(self.tree()).args([
            "mutants",
            "--in-place",
            "--iterate",
            "--shuffle",
            "--package",
            PACKAGE,
        ]);
        command
            .args(["--timeout", round.patience, "--colors", "never"])
            .arg("--output")
            .arg(&self.folder);
        command.args(
            round
                .targets
                .iter()
                .map(|target| format!("--cargo-arg={target}")),
        );
        // Of xtask: where it differs, dependencies are built again.
        command
            .env("CARGO_TARGET_DIR", self.folder.join("build"))
            .env_remove("CARGO_MANIFEST_DIR");
        // Nobody looks at a backtrace, and linking takes half as long.
        command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        command
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }
}

/// Has cargo-mutants leave these mutants out, as if it had caught them before (`--iterate`). Its
/// expressions for names (`--re`) leave some out and others not.
fn leave_out<'m>(folder: &Path, mutants: impl Iterator<Item = &'m str>) -> Result<()> {
    let cannot = || format!("cannot make {} anew", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(cannot)?;
    }
    fs::create_dir_all(folder).with_context(cannot)?;
    let lines: String = mutants.flat_map(|listed| [listed, "\n"]).collect();
    fs::write(folder.join("previously_caught.txt"), lines).with_context(cannot)
}

/// How the child ended, if it did; else after a while.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>> {
    let status = child.try_wait().context("cannot wait for cargo-mutants")?;
    if status.is_none() {
        thread::sleep(PAUSE);
    }
    Ok(status)
}
