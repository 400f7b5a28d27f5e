//! Runs checks one after another, each with a deadline, and reports how each ended. Neither a panic
//! nor a check that hangs keeps the next from running.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use guest::report::{LOG, Line, Outcome};
use lab::kernel_log::KernelLog;

use crate::console::{report, say};
use crate::context;

/// How often the kernel log is read while a check runs: the kernel writes over what is not read.
const LOOK_UP: Duration = Duration::from_millis(500);

/// Lines of damage that are reported; the kernel may write thousands.
const DAMAGE_LINES: usize = 100;

/// Why a check cannot be run on this kernel, where that is no fault.
#[derive(Debug)]
pub struct NotPossible(pub String);

impl fmt::Display for NotPossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotPossible {}

/// What a check that passed has to say, and what it leaves to the next one.
pub struct Passed<T> {
    detail: String,
    value: T,
}

impl<T> Passed<T> {
    /// A check that passed with this in one sentence.
    pub fn new(detail: impl Into<String>, value: T) -> Self {
        Self {
            detail: detail.into(),
            value,
        }
    }
}

/// A check that passed and leaves nothing.
pub fn passed(detail: impl Into<String>) -> Passed<()> {
    Passed::new(detail, ())
}

/// Runs checks.
pub struct Runner {
    end: Instant,
    is_guest: bool,
    log: KernelLog,
}

impl Runner {
    /// Checks have time until `end`. In a guest, all other processes are ended with a check that
    /// hangs.
    pub fn new(end: Instant, is_guest: bool) -> Result<Self> {
        let log = if is_guest {
            KernelLog::from_boot()?
        } else {
            KernelLog::from_now()?
        };
        Ok(Self { end, is_guest, log })
    }

    /// True in a guest, which may be damaged.
    pub fn is_guest(&self) -> bool {
        self.is_guest
    }

    /// Runs a check that may take so long, and gives what it left if it passed.
    pub fn check<T: Send + 'static>(
        &mut self,
        name: &str,
        limit: Duration,
        work: impl FnOnce() -> Result<Passed<T>> + Send + 'static,
    ) -> Option<T> {
        say(&format!("-- {name}"));
        let before = self.signs_of_damage();
        let start = Instant::now();
        let result = self.in_time(start, limit, work);
        let damage = self.signs_of_damage() - before;
        let (outcome, detail, value) = match result {
            Ok(Passed { detail, .. }) if damage > 0 => (
                Outcome::Failed,
                format!("the kernel was damaged ({damage} lines of its log); otherwise: {detail}"),
                None,
            ),
            Ok(Passed { detail, value }) => (Outcome::Passed, detail, Some(value)),
            Err(error) if error.is::<NotPossible>() => {
                (Outcome::NotPossible, format!("{error:#}"), None)
            }
            Err(error) => (Outcome::Failed, format!("{error:#}"), None),
        };
        report(&Line::Check {
            name: name.to_owned(),
            outcome,
            detail,
            seconds: start.elapsed().as_secs_f64(),
        });
        value
    }

    /// Reports the damage since the boot.
    pub fn check_log(&mut self) {
        let start = Instant::now();
        let (outcome, detail) = match self.log.damage() {
            Err(error) => (Outcome::Failed, format!("{error:#}")),
            Ok(damage) if damage.is_empty() => (
                Outcome::Passed,
                "no line since the boot is a sign of damage".to_owned(),
            ),
            Ok(damage) => {
                for line in damage.iter().take(DAMAGE_LINES) {
                    report(&Line::Log { line: line.clone() });
                }
                say(&context::of_damage().unwrap_or_else(|error| format!("{error:#}")));
                (
                    Outcome::Failed,
                    format!("{} lines are signs of damage", damage.len()),
                )
            }
        };
        report(&Line::Check {
            name: LOG.to_owned(),
            outcome,
            detail,
            seconds: start.elapsed().as_secs_f64(),
        });
    }

    /// How many lines of damage there are so far. A log that cannot be read is told at the end.
    fn signs_of_damage(&mut self) -> usize {
        self.log.damage().map_or(0, |damage| damage.len())
    }

    fn in_time<T: Send + 'static>(
        &mut self,
        start: Instant,
        limit: Duration,
        work: impl FnOnce() -> Result<Passed<T>> + Send + 'static,
    ) -> Result<Passed<T>> {
        let end = self.end.min(start + limit);
        if end <= start {
            return Err(anyhow!(
                "no time is left of the plan's deadline: give the guest more"
            ));
        }
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            // Nobody listens any more if it took too long.
            let _ = sender.send(
                result.unwrap_or_else(|panic| Err(anyhow!("it panicked: {}", words(&*panic)))),
            );
        });
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left.min(LOOK_UP)) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {
                    self.signs_of_damage();
                }
                Err(_) => break,
            }
        }
        if self.is_guest {
            end_all_others();
        }
        Err(anyhow!(
            "it had not ended after {} s",
            start.elapsed().as_secs()
        ))
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "without a word".to_owned())
}

/// Ends all processes but this one, which is the first of the system: what a check that hangs has
/// started.
fn end_all_others() {
    // SAFETY: the call has no memory of this process to do with. A process that is the first of its
    // system is not ended.
    let sent = unsafe { libc::kill(-1, libc::SIGKILL) };
    if sent != 0 {
        say("-- no other process could be ended");
    }
}
