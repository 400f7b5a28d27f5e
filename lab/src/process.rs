//! Child processes that do not outlive their owner.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::namespace::cannot_start;
use crate::wait_until;

/// How long a process may take to end after SIGTERM, before SIGKILL.
const GRACE: Duration = Duration::from_secs(3);

/// A running child, ended when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts the command in a process group of its own: Ctrl-C in a terminal is its owner's
    /// business.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| cannot_start(command))?;
        Ok(Self { child })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot wait for a child")
    }

    /// Asks it to end with SIGTERM, insists with SIGKILL, and says how it ended.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.end()
    }

    /// Ends it with SIGKILL: it cannot clean up.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill().context("cannot kill a child")?;
        self.child.wait().context("cannot wait for a child")
    }

    /// Lets it run on after its owner.
    pub(crate) fn leave(self) {
        std::mem::forget(self);
    }

    fn end(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot end a child")?;
        let in_time = wait_until("a child to end", GRACE, || Ok(self.ended()?.is_some()));
        if in_time.is_err() {
            self.child.kill().context("cannot kill a child")?;
        }
        self.child.wait().context("cannot wait for a child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("a process of the lab may be left: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn a_stopped_process_was_asked_with_sigterm() -> Result<()> {
        let process = Process::spawn(Command::new("sleep").arg("60"))?;
        assert_eq!(process.stop()?.signal(), Some(Signal::TERM.as_raw()));
        Ok(())
    }

    #[test]
    fn a_killed_process_was_not_asked() -> Result<()> {
        let process = Process::spawn(Command::new("sleep").arg("60"))?;
        assert_eq!(process.kill()?.signal(), Some(Signal::KILL.as_raw()));
        Ok(())
    }

    #[test]
    fn a_dropped_process_has_ended() -> Result<()> {
        let process = Process::spawn(Command::new("sleep").arg("60"))?;
        let proc = format!("/proc/{}", process.id());
        assert!(std::fs::exists(&proc)?);
        drop(process);
        assert!(!std::fs::exists(&proc)?);
        Ok(())
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Process::spawn(&mut Command::new("no-such-program"));
        let message = error.map_err(|error| format!("{error:#}")).unwrap_err();
        assert!(message.contains("no-such-program"), "{message}");
    }
}
