//! The kernel's log, from the first check to the last.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use lab::kernel_log::KernelLog;

use super::{Outcome, Tally, head};

/// Often enough that the kernel overwrites nothing unread.
const INTERVAL: Duration = Duration::from_secs(1);

/// Reads the kernel's log while checks and tests run.
pub struct Watch {
    reader: JoinHandle<Result<Vec<String>>>,
    end: Sender<()>,
}

impl Watch {
    pub fn start() -> Result<Self> {
        let mut log = KernelLog::from_now()?;
        let (end, ended) = mpsc::channel();
        let reader = thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(INTERVAL) {
                log.catch_up()?;
            }
            log.damage()
        });
        Ok(Self { reader, end })
    }

    /// Fails by every line of damage, and where the log could not be read.
    pub fn finish(self) -> Result<Outcome> {
        let name = "kernel log";
        let begun = head(name);
        // A reader that has failed already does not listen.
        let _ = self.end.send(());
        let damage = self
            .reader
            .join()
            .map_err(|_| anyhow!("the thread panicked"))
            .context("kernel log")??;
        for line in &damage {
            println!("{line}");
        }
        if !damage.is_empty() {
            println!(
                "the kernel was damaged during this run: see `dmesg`, and boot before anything else is tried"
            );
        }
        Ok(Outcome {
            name,
            tally: Tally::of_check(damage.is_empty()),
            took: begun.elapsed(),
        })
    }
}
