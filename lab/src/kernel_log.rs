//! The kernel's log, read for signs that the kernel was damaged.
//!
//! A filter that harms the kernel can pass every other check. [`KernelLog`] collects the lines that
//! say so, from the moment that it is opened;
//! [`fail_on_kernel_damage!`](crate::fail_on_kernel_damage) makes a whole test program fail by
//! them.

mod damage;
mod guard;
mod reader;
mod record;

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result};
use rustix::fs::OFlags;

pub use damage::is_damage;
pub use guard::{Guard, catch_up};
use reader::Reader;
pub use record::Record;

const DEVICE: &str = "/dev/kmsg";
const HINT: &str = "without the kernel's log nobody knows whether the kernel was damaged: run as root, and where /dev \
    has no kmsg, give it one (`mknod /dev/kmsg c 1 11`)";

/// What the kernel wrote since this value was made.
#[derive(Debug)]
pub struct KernelLog {
    reader: Reader<File>,
}

impl KernelLog {
    /// Opens the log at its present end. Lines count as [`is_damage`] says, if the kernel itself
    /// wrote them.
    pub fn from_now() -> Result<Self> {
        Self::from_now_by(is_damage_by_kernel)
    }

    /// Opens the log at its present end, where other records count as damage.
    pub fn from_now_by(counts: fn(&Record) -> bool) -> Result<Self> {
        let mut device = open()?;
        device
            .seek(SeekFrom::End(0))
            .with_context(|| format!("cannot go to the end of {DEVICE}"))?;
        Ok(Self {
            reader: Reader::new(device, counts),
        })
    }

    /// Opens the log at its oldest record. Lines count as in [`KernelLog::from_now`].
    pub fn from_boot() -> Result<Self> {
        Ok(Self {
            reader: Reader::new(open()?, is_damage_by_kernel),
        })
    }

    /// Reads what is new. The kernel overwrites the oldest records of its log (128 KiB on many
    /// machines), so a long run reads now and then.
    pub fn catch_up(&mut self) -> Result<()> {
        self.reader
            .catch_up()
            .with_context(|| format!("cannot read {DEVICE}; {HINT}"))
    }

    /// Reads what is new, and returns every line of damage since the start. Records that the kernel
    /// overwrote before they were read are a line of their own, for they may have been damage.
    pub fn damage(&mut self) -> Result<Vec<String>> {
        self.catch_up()?;
        Ok(self.reader.damage())
    }
}

fn open() -> Result<File> {
    let mut options = File::options();
    let device = options
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(DEVICE);
    device.with_context(|| format!("cannot open {DEVICE}; {HINT}"))
}

fn is_damage_by_kernel(record: &Record) -> bool {
    record.is_by_kernel() && is_damage(record.text())
}
