//! What reading lists may take, so that no list can take the memory or the time of the controller.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{MOST_NAMES, memory};

/// What reading all lists of a policy may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all lists, unpacked.
    pub unpacked: u64,
    /// Rules of all lists, also those that repeat others.
    pub rules: u64,
    /// Time.
    pub time: Duration,
    /// Bytes of memory; `None` for half of what is free when reading begins.
    pub memory: Option<u64>,
}

impl Default for Limits {
    /// 1 GiB, as many rules as a policy holds, two minutes, half of the free memory.
    fn default() -> Self {
        Self {
            unpacked: 1 << 30,
            rules: MOST_NAMES.into(),
            time: Duration::from_mins(2),
            memory: None,
        }
    }
}

impl Limits {
    /// No limits, for those who read lists that are their own.
    pub const NONE: Self = Self {
        unpacked: u64::MAX,
        rules: u64::MAX,
        time: Duration::MAX,
        memory: Some(u64::MAX),
    };

    /// Bytes that a policy of so many rules takes while it is made, where their names have so many
    /// bytes.
    ///
    /// A rule lies by itself until the table is made, and in the table.
    pub const fn memory_of(rules: u64, name_bytes: u64) -> u64 {
        /// Bytes of a rule beside its name, in both.
        const A_RULE: u64 = 36;

        rules.saturating_mul(A_RULE).saturating_add(name_bytes)
    }
}

/// What kinds of files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Files {
    /// Whatever can be read, as standard input and pipes.
    #[default]
    Any,
    /// Regular files: a pipe or a device may have nobody who writes, or no end.
    Regular,
}

/// Why reading ended before the end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Beyond {
    /// The lists have more bytes.
    #[error("the lists have more than {} unpacked: take lists out, or raise --max-unpacked", mebibytes(*.0))]
    Unpacked(u64),
    /// The lists have more rules.
    #[error("the lists have more than {} rules: take lists out, or raise --max-rules", Thousands(*.0))]
    Rules(u64),
    /// The rules take more memory.
    #[error("the rules of the lists take more than {} of memory: take lists out, or raise --max-memory", mebibytes(*.0))]
    Memory(u64),
    /// It takes longer.
    #[error("reading the lists takes more than {} seconds: take lists out, or raise --max-seconds", .0.as_secs())]
    Time(Duration),
    /// Somebody wanted it to end.
    #[error("reading the lists was cancelled")]
    Cancelled,
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// A number with a comma before each three digits.
struct Thousands(u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// What reading has taken so far, and may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    limits: Limits,
    memory: u64,
    files: Files,
    begun: Instant,
    unpacked: Cell<u64>,
    /// What a taker of rules found, while the text alone is in bounds.
    beyond: Cell<Option<Beyond>>,
    cancelled: Arc<AtomicBool>,
}

impl Bounds {
    /// Reading begins now; once `cancelled` is true it ends.
    pub fn new(limits: Limits, files: Files, cancelled: Arc<AtomicBool>) -> Self {
        let (unpacked, beyond) = (Cell::new(0), Cell::new(None));
        let memory = limits
            .memory
            .or_else(|| Some(memory::available()? / 2))
            .unwrap_or(u64::MAX);
        Self {
            limits,
            memory,
            files,
            begun: Instant::now(),
            unpacked,
            beyond,
            cancelled,
        }
    }

    /// No bounds.
    pub fn none() -> Self {
        Self::new(Limits::NONE, Files::Any, Arc::default())
    }

    /// Has all lists be read once more: their bytes count from 0, the time goes on.
    pub fn again(&self) {
        self.unpacked.set(0);
    }

    /// Looks at rules that were taken so far, and the bytes of their names.
    ///
    /// # Errors
    /// If they are too many.
    pub fn check_rules(&self, rules: u64, name_bytes: u64) -> Result<(), Beyond> {
        if rules > self.limits.rules {
            return Err(Beyond::Rules(self.limits.rules));
        }
        if Limits::memory_of(rules, name_bytes) > self.memory {
            return Err(Beyond::Memory(self.memory));
        }
        Ok(())
    }

    /// The kinds of files that are read.
    pub fn files(&self) -> Files {
        self.files
    }

    /// Has reading end for this reason.
    pub fn end(&self, beyond: Beyond) {
        self.beyond.set(Some(beyond));
    }

    /// Why reading was to end, if it was.
    pub fn ended(&self) -> Option<Beyond> {
        self.beyond.get()
    }

    /// An error if reading is to end, or has taken too long.
    pub fn check(&self) -> Result<(), Beyond> {
        if let Some(beyond) = self.ended() {
            return Err(beyond);
        }
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Beyond::Cancelled);
        }
        if self.begun.elapsed() > self.limits.time {
            return Err(Beyond::Time(self.limits.time));
        }
        Ok(())
    }

    fn take(&self, bytes: u64) -> Result<(), Beyond> {
        self.check()?;
        let unpacked = self.unpacked.get().saturating_add(bytes);
        self.unpacked.set(unpacked);
        if unpacked > self.limits.unpacked {
            Err(Beyond::Unpacked(self.limits.unpacked))
        } else {
            Ok(())
        }
    }
}

/// Text of a list that ends with an error where the bounds are reached.
pub(super) struct Bounded<'a, R> {
    text: R,
    bounds: &'a Bounds,
    /// Bytes of the buffer that were counted and not taken yet.
    counted: usize,
}

impl<'a, R> Bounded<'a, R> {
    pub fn new(text: R, bounds: &'a Bounds) -> Self {
        Self {
            text,
            bounds,
            counted: 0,
        }
    }
}

impl<R: BufRead> BufRead for Bounded<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.counted == 0 {
            self.counted = self.text.fill_buf()?.len();
            self.bounds
                .take(self.counted as u64)
                .map_err(io::Error::other)?;
        }
        self.text.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.counted = self.counted.saturating_sub(amount);
        self.text.consume(amount);
    }
}

impl<R: BufRead> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_up_to_the_bound_and_no_byte_further() {
        for (unpacked, beyond) in [(5, None), (6, None), (4, Some(Beyond::Unpacked(4)))] {
            let limits = Limits {
                unpacked,
                ..Limits::NONE
            };
            let bounds = Bounds::new(limits, Files::Any, Arc::default());
            let read = Bounded::new(&b"a\nb\nc"[..], &bounds).read_to_end(&mut Vec::new());
            let error = read.err().and_then(|error| error.downcast::<Beyond>().ok());
            assert_eq!(error, beyond, "{unpacked}");
        }
    }

    #[test]
    fn the_bytes_of_all_lists_count_together() {
        let limits = Limits {
            unpacked: 6,
            ..Limits::NONE
        };
        let bounds = Bounds::new(limits, Files::Any, Arc::default());
        let read = || Bounded::new(&b"abcd"[..], &bounds).read_to_end(&mut Vec::new());
        assert!(read().is_ok() && read().is_err());
    }

    #[test]
    fn who_cancels_ends_it() {
        let cancelled = Arc::new(AtomicBool::new(false));
        let bounds = Bounds::new(Limits::NONE, Files::Any, cancelled.clone());
        assert_eq!(bounds.check(), Ok(()));
        cancelled.store(true, Ordering::Relaxed);
        assert_eq!(bounds.check(), Err(Beyond::Cancelled));
    }

    #[test]
    fn time_is_bounded() {
        let limits = Limits {
            time: Duration::ZERO,
            ..Limits::NONE
        };
        let bounds = Bounds::new(limits, Files::Any, Arc::default());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(bounds.check(), Err(Beyond::Time(Duration::ZERO)));
    }

    #[test]
    fn messages_say_what_to_do() {
        assert_eq!(
            Beyond::Rules(33_554_432).to_string(),
            "the lists have more than 33,554,432 rules: take lists out, or raise --max-rules"
        );
        assert_eq!(
            Beyond::Unpacked(1 << 30).to_string(),
            "the lists have more than 1024 MiB unpacked: take lists out, or raise --max-unpacked"
        );
    }
}
