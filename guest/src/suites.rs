//! Test programs of filter-user, which compare the kernel with user space.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use guest::plan::Plan;
use lab::Process;

use crate::console::say;
use crate::runner::{Passed, Runner, passed};

/// A test program takes as long as the plan lets it.
const LIMIT: Duration = Duration::from_hours(24);
/// How often a test program is asked whether it has ended.
const LOOK_UP: Duration = Duration::from_millis(100);
/// The variable that says how many changed frames are compared.
const MUTATED: &str = "NAMEGATE_MUTATED";
/// Of the test program `agreement`: those of whole lists need more memory and time than a guest
/// has.
const WITHOUT_LISTS: [&str; 4] = ["--skip", "policy::", "--skip", "sieve::"];

/// Runs `corpus`.
pub fn corpus(runner: &mut Runner, plan: &Plan) {
    check(runner, plan, "corpus", &[]);
}

/// Runs `agreement`.
pub fn agreement(runner: &mut Runner, plan: &Plan) {
    check(runner, plan, "agreement", &WITHOUT_LISTS);
}

/// Runs `kernel`.
pub fn kernel(runner: &mut Runner, plan: &Plan) {
    check(runner, plan, "kernel", &[]);
}

fn check(runner: &mut Runner, plan: &Plan, name: &'static str, args: &'static [&str]) {
    let program = plan.tests_dir.join(name);
    let mutated = plan.mutated_frames;
    runner.check(name, LIMIT, move || run(&program, args, mutated));
}

fn run(program: &Path, args: &[&str], mutated: Option<usize>) -> Result<Passed<()>> {
    let log = PathBuf::from(format!("/tmp/{}.log", process_name(program)));
    let file = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
    let mut command = Command::new(program);
    // The log shows what each test printed, also of those that passed: how many frames it compared.
    command
        .args(args)
        .arg("--show-output")
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    if let Some(mutated) = mutated {
        command.env(MUTATED, mutated.to_string());
    }
    let mut process = Process::spawn(&mut command)?;
    let status = loop {
        if let Some(status) = process.ended()? {
            break status;
        }
        std::thread::sleep(LOOK_UP);
    };
    let output = std::fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let output = String::from_utf8_lossy(&output);
    let Some(tally) = Tally::of(&output) else {
        say(&output);
        bail!("the program gave no result ({status})");
    };
    if tally.failed > 0 || !status.success() {
        say(failures(&output));
        bail!("{tally}: {}", failed_tests(&output).join(", "));
    }
    ensure!(tally.passed > 0, "no test was run");
    Ok(passed(format!("{tally}{}", compared(&output))))
}

fn process_name(program: &Path) -> String {
    program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The numbers of libtest's last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Reads `test result: ok. 5 passed; 0 failed; 0 ignored; ...`.
    fn of(output: &str) -> Option<Self> {
        let line = output
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("test result: "))?;
        let number = |word: &str| {
            line.split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed } = self;
        if *failed == 0 {
            write!(f, "{passed} tests passed")
        } else {
            write!(f, "{failed} of {} tests failed", passed + failed)
        }
    }
}

/// What libtest prints of tests that failed; all of the output if there is no such part.
fn failures(output: &str) -> &str {
    output
        .find("\nfailures:\n")
        .map_or(output, |at| &output[at + 1..])
}

fn failed_tests(output: &str) -> Vec<&str> {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .collect()
}

/// How many frames were compared, of the tests that print it (`Tally { judged: 7, ...`).
fn compared(output: &str) -> String {
    let numbers = output.split("Tally { judged: ").skip(1);
    let numbers = numbers.filter_map(|rest| rest.split(',').next()?.parse::<usize>().ok());
    let numbers: Vec<_> = numbers.collect();
    if numbers.is_empty() {
        String::new()
    } else {
        format!("; {} frames compared", numbers.iter().sum::<usize>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
running 3 tests
test corpus ... ok
test mutated ... FAILED
test other ... ok

successes:

---- corpus stdout ----
12 rules, Tally { judged: 300, dropped: 7 }

failures:

---- mutated stdout ----
thread 'mutated' panicked
Tally { judged: 20000, dropped: 70 }

failures:
    mutated

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.00s
";

    #[test]
    fn the_last_line_has_the_numbers() {
        let tally = Tally::of(OUTPUT).unwrap();
        assert_eq!(
            tally,
            Tally {
                passed: 2,
                failed: 1
            }
        );
        assert_eq!(tally.to_string(), "1 of 3 tests failed");
        assert_eq!(
            Tally::of("test result: ok. 5 passed; 0 failed; 0 ignored")
                .unwrap()
                .to_string(),
            "5 tests passed"
        );
        assert_eq!(Tally::of("running 3 tests\nkilled"), None);
    }

    #[test]
    fn failed_tests_are_named_and_shown() {
        assert_eq!(failed_tests(OUTPUT), ["mutated"]);
        assert!(failures(OUTPUT).starts_with("failures:\n\n---- mutated stdout"));
    }

    #[test]
    fn compared_frames_are_added_up() {
        assert_eq!(compared(OUTPUT), "; 20300 frames compared");
        assert_eq!(compared("test a ... ok"), "");
    }
}
