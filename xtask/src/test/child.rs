//! Commands in a process group of their own, so that a signal to this process ends a command's own
//! children too.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

const GRACE: Duration = Duration::from_secs(5);

/// The commands that run now.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// On Ctrl-C, SIGTERM and SIGHUP: ends the commands that run and what they started, takes away the
/// labs that they leave, and exits with 130.
pub fn end_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        for &group in &*running {
            end(group);
        }
        if let Err(error) = lab::sweep() {
            eprintln!("a lab may be left standing: {error:#}");
        }
        process::exit(130);
    })
    .context("cannot handle signals")
}

/// Ends a process group; each signal may find nobody left.
fn end(group: Pid) {
    let _ = kill_process_group(group, Signal::TERM);
    let gone = lab::wait_until("the tests to end", GRACE, || {
        Ok(test_kill_process_group(group).is_err())
    });
    if gone.is_err() {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Runs a command to its end, with its output as it comes.
pub fn run(command: &mut Command) -> Result<ExitStatus> {
    wait(start(command)?)
}

/// The same, and tells each line that goes to its standard output.
pub fn run_with_lines(command: &mut Command, mut tell: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = start(command.stdout(Stdio::piped()))?;
    let stdout = child.stdout.take().context("standard output is a pipe")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("cannot read the command's output")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tell(&line);
    }
    wait(child)
}

/// Runs a command to its end, and gives all that it printed, in the order that it did.
pub fn run_with_output(command: &mut Command) -> Result<(ExitStatus, String)> {
    let (mut output, writer) = io::pipe().context("cannot make a pipe")?;
    let to_stderr = writer.try_clone().context("cannot make a pipe")?;
    let child = start(command.stdout(writer).stderr(to_stderr))?;
    // The pipe ends when nobody can write to it any more.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut bytes = Vec::new();
    output
        .read_to_end(&mut bytes)
        .context("cannot read the command's output")?;
    let status = wait(child)?;
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

fn start(command: &mut Command) -> Result<Child> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    running.push(Pid::from_child(&child));
    Ok(child)
}

fn wait(mut child: Child) -> Result<ExitStatus> {
    let group = Pid::from_child(&child);
    let status = child.wait().context("cannot wait for the command")?;
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|&running| running != group);
    Ok(status)
}
