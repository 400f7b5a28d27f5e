//! A test program fails by the kernel's log, and every one that could damage the kernel does.

use std::process::{Command, Output};
use std::{env, fs};

use lab::kernel_log::{Guard, KernelLog, Record};

lab::fail_on_kernel_damage!();

/// Set in the programs that these tests start.
const PART: &str = "KERNEL_LOG_TEST_PART";
/// What counts as damage there. Nobody else takes it for any.
const MARK: &str = "namegate: a harmless line by which a test takes a kernel for damaged";

fn is_mark(record: &Record) -> bool {
    record.text() == MARK
}

fn write_mark() {
    // A record without the end of its line is not given out before the next.
    fs::write("/dev/kmsg", format!("{MARK}\n")).expect("root may write to the log");
}

#[test]
fn what_is_written_from_now_on_is_found_and_nothing_before() {
    let mut before = KernelLog::from_now_by(is_mark).unwrap();
    write_mark();
    let mut after = KernelLog::from_now_by(is_mark).unwrap();
    // The other tests write as well.
    let after = after.damage().unwrap().len();
    let before = before.damage().unwrap().len();
    assert!(
        before > after,
        "{before} lines from before the first, {after} from behind it"
    );
}

#[test]
fn a_program_whose_tests_pass_fails_by_damage() {
    let Output {
        status,
        stdout,
        stderr,
    } = run_part("damaged");
    assert_eq!(status.code(), Some(1));
    let (stdout, stderr) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert!(stdout.contains("test result: ok. 1 passed"), "{stdout}");
    assert!(
        stderr.contains("kernel log: FAILED: the kernel was damaged") && stderr.contains(MARK),
        "{stderr}"
    );
}

#[test]
fn a_program_without_damage_passes() {
    let Output { status, stderr, .. } = run_part("whole");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}

#[test]
fn a_program_that_may_not_read_the_log_fails() {
    // It runs without the capabilities for the device and for the log.
    let mut command = Command::new("setpriv");
    command.args([
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--reuid=65534",
        "--clear-groups",
    ]);
    let Output { status, stderr, .. } = start_part(command, "whole");
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("kernel log: FAILED: cannot open /dev/kmsg"),
        "{stderr}"
    );
}

/// Runs only as the child of the tests above.
#[test]
fn part() {
    let Ok(part) = env::var(PART) else { return };
    if part == "damaged" {
        Guard::install_by(is_mark);
        write_mark();
    }
}

fn run_part(part: &str) -> Output {
    start_part(Command::new("env"), part)
}

/// Starts this program by another one, with the test `part` alone.
fn start_part(mut by: Command, part: &str) -> Output {
    by.arg(env::current_exe().unwrap())
        .args(["part", "--exact"])
        .env(PART, part)
        .output()
        .unwrap()
}
