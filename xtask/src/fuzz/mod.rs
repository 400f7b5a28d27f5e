//! `cargo xtask fuzz`: made-up input for the decision and for the controller's readers.

mod runs;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Instant, SystemTime},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    progress::{self, GREEN, RED},
    setup::{self, Part},
    workspace::{Workspace, cargo},
};
use runs::Runs;

/// Octets of an input: as many as are held of a message, and how it is cut.
const LONGEST_INPUT: u32 = 5_000;
/// Where everything that fuzzing leaves goes, from the repository's root.
const LEFT: &str = "target/fuzz";

#[derive(clap::Args)]
#[command(after_help = "Targets:
  frame  any bytes as a frame: nothing panics, what is dropped has a name that a rule blocks
  flow   a ClientHello or DNS messages in segments: they are judged as the whole is
  quic  any frames in one QUIC Initial packet: it is judged as its hello is in TCP, and a damaged copy is not
  quic_flow  a handshake in several QUIC Initial packets: they are judged as the whole is
  list  any bytes as a list: rules are canonical and counted, and the format that is told reads it as it does when it is said
  pattern  an expression and a name: the automata of the kernel match what the crate regex finds
  configuration  any text as a configuration: who meets which lists stays within bounds
  capture  any bytes as a capture: there are no more frames than the file can have

What was found stays in target/fuzz, and the next run starts from there. `cargo test` replays the seeds, which are in
fuzz/seeds. Exit code 1 if an input fails.

Examples:
  cargo xtask fuzz frame --seconds 600
  cargo xtask fuzz flow --seconds 60 --jobs 4
  cargo xtask fuzz list --seconds 600")]
pub struct Args {
    /// What to fuzz: one of the targets below.
    target: String,
    /// For how long; building comes before.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Processes that fuzz at once.
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: u32,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let root = workspace.root();
    check(args, &targets(root)?)?;
    setup::ensure(&[Part::Fuzz])?;

    let mut build = cargo_fuzz(root, "build");
    build.arg(&args.target);
    progress::step(&format!("the fuzz target {}: building", args.target), build)?;
    let places = Places::of(root, &args.target)?;
    let begun = SystemTime::now();
    let (runs, succeeded) = fuzz(root, args, &places)?;
    let failures = places.failures_since(begun)?;
    ensure!(
        succeeded || !failures.is_empty(),
        "the fuzzer failed, and not for an input: see what it printed above"
    );
    println!("{}: {runs}", args.target);
    report(root, &args.target, &failures);
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The names of the targets, in order.
fn targets(root: &Path) -> Result<Vec<String>> {
    let directory = root.join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let stems = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()));
    let mut targets: Vec<_> = stems.collect();
    targets.sort_unstable();
    Ok(targets)
}

fn check(args: &Args, targets: &[String]) -> Result<()> {
    let Args {
        target,
        seconds,
        jobs,
    } = args;
    if !targets.contains(target) {
        bail!(
            "there is no fuzz target `{target}`; there are: {}",
            targets.join(", ")
        );
    }
    ensure!(
        *seconds > 0,
        "`--seconds 0` would fuzz for no time: give 1 or more"
    );
    ensure!(
        *jobs > 0,
        "`--jobs 0` would fuzz in no process: give 1 or more"
    );
    Ok(())
}

/// Without a sanitizer, which would take a nightly compiler: what decides has no `unsafe` in user
/// space.
fn cargo_fuzz(root: &Path, verb: &str) -> Command {
    let mut command = cargo();
    command
        .args(["fuzz", verb, "--sanitizer", "none", "--fuzz-dir"])
        .arg(root.join("fuzz"));
    command
        .arg("--target-dir")
        .arg(root.join(LEFT).join("build"))
        .env_remove("CARGO_TARGET_DIR");
    command
}

/// Where inputs of a target lie.
struct Places {
    corpus: PathBuf,
    failures: PathBuf,
    seeds: PathBuf,
}

impl Places {
    fn of(root: &Path, target: &str) -> Result<Self> {
        let left = root.join(LEFT);
        let places = Self {
            corpus: left.join("corpus").join(target),
            failures: left.join("artifacts").join(target),
            seeds: root.join("fuzz/seeds").join(target),
        };
        for directory in [&places.corpus, &places.failures] {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        Ok(places)
    }

    /// The inputs that failed. One that has failed before is written again, under the same name.
    fn failures_since(&self, begun: SystemTime) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.failures)
            .with_context(|| format!("cannot read {}", self.failures.display()))?;
        let is_failure = |name: &str| {
            ["crash-", "timeout-", "oom-"]
                .iter()
                .any(|kind| name.starts_with(kind))
        };
        let is_new = |file: &fs::DirEntry| {
            let written = file.metadata().and_then(|it| it.modified());
            written.is_ok_and(|written| written >= begun)
        };
        let files = entries
            .flatten()
            .filter(|file| file.file_name().to_str().is_some_and(is_failure) && is_new(file));
        Ok(files.map(|file| file.path()).collect())
    }
}

/// Fuzzes to the end of the time or up to an input that fails; false if the fuzzer says that
/// something went wrong.
fn fuzz(root: &Path, args: &Args, places: &Places) -> Result<(Runs, bool)> {
    let mut command = cargo_fuzz(root, "run");
    command.args(["--jobs", &args.jobs.to_string(), &args.target]);
    // What is found goes to the first folder; the others are only read.
    command.arg(&places.corpus).arg(&places.seeds);
    command.args(shared(root, &args.target)).arg("--");
    command
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-max_len={LONGEST_INPUT}"));
    command
        .arg(format!("-artifact_prefix={}/", places.failures.display()))
        .arg("-print_final_stats=1");
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let mut begun = Instant::now();
    let mut runs = Runs::default();
    let stderr = child.stderr.take().context("standard error is a pipe")?;
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line.context("cannot read the fuzzer's output")?;
        let line = String::from_utf8_lossy(&line);
        // cargo looks once more whether the target is built.
        if runs.inputs == 0 {
            begun = Instant::now();
        }
        if !runs.add_line(&line) {
            eprintln!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for the fuzzer")?;
    runs.took = begun.elapsed();
    Ok((runs, status.success()))
}

/// A folder of real inputs beside the repository, where there is one for the target.
fn shared(root: &Path, target: &str) -> Option<PathBuf> {
    let folder = match target {
        "list" => "cases/lists",
        "capture" => "cases/packets",
        _ => return None,
    };
    Some(root.join("../shared").join(folder)).filter(|folder| folder.is_dir())
}

fn report(root: &Path, target: &str, failures: &[PathBuf]) {
    if failures.is_empty() {
        anstream::println!("{GREEN}passed{GREEN:#}  no input failed");
        return;
    }
    for file in failures {
        let file = file.strip_prefix(root).unwrap_or(file).display();
        anstream::println!("{RED}FAILED{RED:#}  {file}; to see it again:");
        println!("    cargo fuzz run --sanitizer none --target-dir {LEFT}/build {target} {file}");
    }
    println!(
        "Copied to fuzz/seeds/{target} under a name that says what it is, `cargo test` replays it."
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_inputs_that_failed_since_the_start_are_told() -> Result<()> {
        let root = std::env::temp_dir().join(format!("namegate-fuzz-{}", std::process::id()));
        let places = Places::of(&root, "flow")?;
        for name in ["crash-1", "slow-unit-2", "timeout-3"] {
            fs::write(places.failures.join(name), "")?;
        }
        let found = |begun: SystemTime| places.failures_since(begun).map(|found| found.len());
        let (since, later) = (
            found(SystemTime::UNIX_EPOCH),
            found(SystemTime::now() + Duration::from_mins(1)),
        );
        fs::remove_dir_all(&root)?;
        assert_eq!((since?, later?), (2, 0), "slow inputs are no failures");
        Ok(())
    }

    #[test]
    fn what_cannot_be_fuzzed_is_refused_and_what_can_is_named() {
        let targets = ["flow".to_owned(), "frame".to_owned()];
        let refused = |args: &Args| check(args, &targets).map_err(|error| error.to_string());
        assert_eq!(refused(&args("flow", 1, 1)), Ok(()));
        let unknown = "there is no fuzz target `packet`; there are: flow, frame";
        assert_eq!(refused(&args("packet", 1, 1)), Err(unknown.to_owned()));
        assert!(refused(&args("flow", 0, 1)).is_err_and(|error| error.contains("--seconds 0")));
        assert!(refused(&args("flow", 1, 0)).is_err_and(|error| error.contains("--jobs 0")));
    }

    #[test]
    fn the_targets_of_the_help_are_those_that_there_are() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let help = <Args as clap::Args>::augment_args(clap::Command::new("fuzz"))
            .get_after_help()
            .map(ToString::to_string);
        for target in targets(&root)? {
            assert!(
                help.as_ref()
                    .is_some_and(|help| help.contains(&format!("\n  {target}  "))),
                "{target}"
            );
            assert!(
                root.join("fuzz/seeds").join(&target).is_dir(),
                "{target} has no seeds"
            );
        }
        Ok(())
    }

    fn args(target: &str, seconds: u32, jobs: u32) -> Args {
        Args {
            target: target.to_owned(),
            seconds,
            jobs,
        }
    }
}
