//! The sieve in front of the rules, as memory that the kernel program reads.

use std::{
    fmt, io,
    os::fd::{AsRawFd as _, BorrowedFd},
    sync::atomic::{AtomicU64, Ordering},
};

use filter_core::{RuleKey, RuleShape, sieve_bits};
use memmap2::{MmapOptions, MmapRaw};

/// The words of the sieve. A packet may be asking for one at any time, so a key is let through before its rule is there, and
/// kept away only when that is gone.
pub(super) struct Sieve {
    words: MmapRaw,
    shape: RuleShape,
}

impl Sieve {
    /// The memory of this map.
    pub fn of(map: BorrowedFd<'_>, shape: RuleShape) -> io::Result<Self> {
        let bytes = shape.sieve_words() as usize * size_of::<u64>();
        Ok(Self { words: MmapOptions::new().len(bytes).map_raw(map.as_raw_fd())?, shape })
    }

    /// Lets these keys through.
    pub fn open(&self, keys: impl IntoIterator<Item = RuleKey>) {
        let words = self.words();
        for key in keys {
            words[self.shape.sieve_word(key) as usize].fetch_or(sieve_bits(key), Ordering::Relaxed);
        }
    }

    /// Lets the keys that `each` hands over through, and no others. None of those in force may be missing.
    pub fn renew(&self, each: impl FnOnce(&mut dyn FnMut(RuleKey))) {
        let words = self.words();
        let mut renewed = vec![0; words.len()];
        each(&mut |key| renewed[self.shape.sieve_word(key) as usize] |= sieve_bits(key));
        for (word, renewed) in words.iter().zip(renewed) {
            word.store(renewed, Ordering::Relaxed);
        }
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the memory begins with a page and has so many words, and whoever else may write does so by such words.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.shape.sieve_words() as usize) }
    }
}

impl fmt::Debug for Sieve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sieve").field("shape", &self.shape).finish_non_exhaustive()
    }
}
