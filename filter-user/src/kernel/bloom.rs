//! The Bloom filter in front of the rules, as memory that the kernel program reads.

use std::{
    io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    sync::atomic::Ordering,
};

use filter_core::{RuleKey, RuleShape, bloom_bits};

use super::shared::Words;

/// The words of the Bloom filter. A packet may be asking for one at any time, so a key is let
/// through before its rule is there, and kept away only when that is gone.
#[derive(Debug)]
pub(super) struct BloomFilter {
    map: OwnedFd,
    shape: RuleShape,
}

impl BloomFilter {
    /// The Bloom filter in this map.
    pub fn of(map: BorrowedFd<'_>, shape: RuleShape) -> io::Result<Self> {
        Ok(Self {
            map: map.try_clone_to_owned()?,
            shape,
        })
    }

    /// Lets these keys through.
    pub fn open(&self, keys: impl IntoIterator<Item = RuleKey>) -> io::Result<()> {
        let words = self.words()?;
        for key in keys {
            words.get()[self.shape.bloom_word(key) as usize]
                .fetch_or(bloom_bits(key), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Lets the keys that `each` hands over through, and no others. None of those in force may be
    /// missing.
    pub fn renew(&self, each: impl FnOnce(&mut dyn FnMut(RuleKey))) -> io::Result<()> {
        let words = self.words()?;
        let mut renewed = vec![0; words.get().len()];
        each(&mut |key| renewed[self.shape.bloom_word(key) as usize] |= bloom_bits(key));
        for (word, renewed) in words.get().iter().zip(renewed) {
            word.store(renewed, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Lets all keys through.
    #[cfg(feature = "root-tests")]
    pub fn open_wide(&self) -> io::Result<()> {
        self.words()?
            .get()
            .iter()
            .for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
        Ok(())
    }

    fn words(&self) -> io::Result<Words> {
        Words::of(self.map.as_fd(), self.shape.bloom_words() as usize)
    }
}
