//! A guest under QEMU, emulated: a hardware-assisted one may hang, and could not be of another
//! architecture.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::archive::Architecture;

/// How often it is looked whether the guest has ended.
const LOOK: Duration = Duration::from_millis(200);
/// Panics end the guest; QEMU then exits, and does not boot anew. The emulated timer interrupt is
/// at times not seen in time, and the kernel would give up (`IO-APIC + timer doesn't work`). The
/// kernel log is long enough for all of a run.
const COMMAND_LINE: &str = "panic=-1 quiet loglevel=4 no_timer_check log_buf_len=4M";

/// A guest to start.
pub struct Machine {
    /// Its processors.
    pub architecture: Architecture,
    /// True for a kernel with pages of 16 KiB, which QEMU's usual processor does not have.
    pub large_pages: bool,
    /// Its memory.
    pub memory_mib: u32,
    /// The kernel.
    pub image: PathBuf,
    /// What it starts with.
    pub initramfs: PathBuf,
    /// More for the kernel's command line.
    pub more: &'static str,
}

/// How a guest ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// QEMU exited; with success also after a panic in the guest.
    ByItself(ExitStatus),
    /// It was ended at its deadline.
    Late,
}

impl Machine {
    /// Runs the guest to its end or its deadline, with its console in a file.
    pub fn run(&self, console: &Path, limit: Duration) -> Result<Ended> {
        let output =
            File::create(console).with_context(|| format!("cannot write {}", console.display()))?;
        let mut command = self.command();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let begun = Instant::now();
        let mut guest = command
            .spawn()
            .context("cannot start QEMU: run `cargo xtask setup`")?;
        loop {
            if let Some(status) = guest.try_wait().context("cannot wait for QEMU")? {
                return Ok(Ended::ByItself(status));
            }
            if begun.elapsed() > limit {
                // It may have ended just now.
                let _ = guest.kill();
                guest.wait().context("cannot wait for QEMU")?;
                return Ok(Ended::Late);
            }
            thread::sleep(LOOK);
        }
    }

    fn command(&self) -> Command {
        let (qemu, processor, board, console) = match self.architecture {
            Architecture::Amd64 => ("qemu-system-x86_64", "max", "q35", "ttyS0"),
            // The other one signs pointers in a way that is slow to emulate.
            Architecture::Arm64 if self.large_pages => (
                "qemu-system-aarch64",
                "max,pauth-impdef=on",
                "virt",
                "ttyAMA0",
            ),
            Architecture::Arm64 => ("qemu-system-aarch64", "cortex-a72", "virt", "ttyAMA0"),
        };
        // Killed when this process ends, however it does.
        let mut command = Command::new("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "nice",
            "-n",
            "10",
            qemu,
            "-accel",
            "tcg,thread=multi",
        ]);
        command.args([
            "-cpu",
            processor,
            "-M",
            board,
            "-smp",
            "1",
            "-m",
            &self.memory_mib.to_string(),
        ]);
        command.args([
            "-display",
            "none",
            "-serial",
            "stdio",
            "-monitor",
            "none",
            "-net",
            "none",
            "-no-reboot",
        ]);
        command
            .arg("-kernel")
            .arg(&self.image)
            .arg("-initrd")
            .arg(&self.initramfs);
        command
            .arg("-append")
            .arg(format!("console={console} {COMMAND_LINE} {}", self.more));
        command
    }
}
