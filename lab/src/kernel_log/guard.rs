//! Failing a whole program by the kernel's log.
//!
//! The test harness has no hook for the end of a program, so the guard is a function that the C
//! library calls at exit. It does not run where a signal ends the program, which fails by that
//! alone.

use std::process;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow, bail};

use super::{KernelLog, Record};

/// The log since this program's start; the error if it could not be opened.
static LOG: Mutex<Option<Result<KernelLog>>> = Mutex::new(None);

/// Makes this program fail, whatever its tests say, if the kernel's log has damage when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Guard;

impl Guard {
    /// Reads the log from now on. At exit the program prints the lines of damage and ends with
    /// status 1; it does so as well where the log cannot be read.
    pub fn install() {
        Self::watch(KernelLog::from_now);
    }

    /// Reads the log from now on, where other records count as damage: to test the guard itself.
    pub fn install_by(counts: fn(&Record) -> bool) {
        Self::watch(|| KernelLog::from_now_by(counts));
    }

    fn watch(open: impl FnOnce() -> Result<KernelLog>) {
        let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = log.is_none();
        *log = Some(open());
        if is_first {
            // SAFETY: the function is there as long as the program, and does not unwind: it prints
            // and ends.
            let refused = unsafe { libc::atexit(at_exit) };
            if refused != 0 {
                *log = Some(Err(anyhow!("the C library calls no function at exit")));
            }
        }
    }
}

/// Reads what is new in the log, if this program has a guard: so much may be written in a long run
/// that the kernel overwrites what was not read.
pub fn catch_up() -> Result<()> {
    match &mut *LOG.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(Ok(log)) => log.catch_up(),
        // The error is told at exit.
        Some(Err(_)) | None => Ok(()),
    }
}

extern "C" fn at_exit() {
    if let Err(error) = verdict() {
        eprintln!("\nkernel log: FAILED: {error:#}");
        // SAFETY: it ends the process at once. `exit` must not be called again by what it calls.
        unsafe { libc::_exit(1) };
    }
}

fn verdict() -> Result<()> {
    // A thread that still runs may hold the lock for a moment only.
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut log = log.unwrap_or_else(|| Err(anyhow!("it was not watched")))?;
    let damage = log.damage()?;
    if damage.is_empty() {
        return Ok(());
    }
    bail!(
        "the kernel was damaged while process {} ran; see `dmesg`, and boot before anything else is tried:\n{}",
        process::id(),
        damage.join("\n")
    )
}

/// Makes a test program fail if the kernel's log has damage when it ends, from before its first
/// test: once in the main file of each test program that loads or attaches programs.
#[macro_export]
macro_rules! fail_on_kernel_damage {
    () => {
        const _: () = {
            extern "C" fn install() {
                $crate::kernel_log::Guard::install();
            }

            // The C library calls what is in this section before `main`.
            #[used]
            #[unsafe(link_section = ".init_array")]
            static INSTALL: extern "C" fn() = install;
        };
    };
}
