//! Two policies side by side.
//!
//! Each entry of the maps has a place for either of two generations, and one word says which of them is in force. A new
//! policy is written into the places of the other generation and takes effect, as a whole, with that word.

use super::Rank;
use crate::rules::RuleKey;

/// One of the two policies that the maps have room for: 0 or 1.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation(u32);

impl Generation {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// The one with this number.
    #[inline(always)]
    pub const fn from_index(index: u32) -> Self {
        Self(index & 1)
    }

    /// 0 or 1.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0 & 1
    }
}

/// What the rule map holds for each [`RuleKey`]: the numbers of the [`Terms`](super::Terms) in either generation, in one word with a
/// part of the key. The kernel uses an entry that was removed for the next one at once, while somebody may still look at
/// it; the part of the key tells.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule(u64);

impl Rule {
    /// The entry of a key with these terms in generation 0 and 1.
    #[inline(always)]
    pub const fn new(key: RuleKey, terms: [u16; 2]) -> Self {
        let [first, second] = terms;
        Self((key.0 << 32) | ((second as u64) << 16) | first as u64)
    }

    /// The number of its terms in this generation.
    #[inline(always)]
    pub const fn terms(self, generation: Generation) -> u16 {
        (self.0 >> (16 * generation.index())) as u16
    }

    /// The same entry with other terms in this generation.
    #[must_use]
    pub const fn with_terms(self, generation: Generation, terms: u16) -> Self {
        let at = 16 * generation.index();
        Self((self.0 & !(0xffff << at)) | ((terms as u64) << at))
    }

    /// True if it is the entry of this key.
    #[inline(always)]
    pub const fn is_of(self, key: RuleKey) -> bool {
        self.0 >> 32 == key.0 & 0xffff_ffff
    }
}

/// Which generation is in force, and what it has; one word, so that all of it changes at once.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InForce(u64);

impl InForce {
    const TOP_AT: u32 = 8;
    const CLIENTS: u64 = 1 << 16;
    const PATTERNS: u64 = 1 << 17;

    /// A policy without groups and patterns. `top` is the highest rank of all rules: a name that reaches it is judged.
    #[inline(always)]
    pub const fn new(generation: Generation, top: Rank) -> Self {
        Self(generation.index() as u64 | ((top as u64) << Self::TOP_AT))
    }

    /// The same with another highest rank.
    #[must_use]
    pub const fn with_top(self, top: Rank) -> Self {
        Self((self.0 & !(7 << Self::TOP_AT)) | ((top as u64) << Self::TOP_AT))
    }

    /// The same with clients in groups of their own.
    #[must_use]
    pub const fn with_clients(self) -> Self {
        Self(self.0 | Self::CLIENTS)
    }

    /// The same with patterns.
    #[must_use]
    pub const fn with_patterns(self) -> Self {
        Self(self.0 | Self::PATTERNS)
    }

    /// The generation in force.
    #[inline(always)]
    pub const fn generation(self) -> Generation {
        Generation(self.0 as u32 & 1)
    }

    /// The highest rank of all rules.
    #[inline(always)]
    pub const fn top(self) -> Rank {
        Rank::from_index((self.0 >> Self::TOP_AT) as u32 & 7)
    }

    /// True if there are clients in groups of their own.
    #[inline(always)]
    pub const fn has_clients(self) -> bool {
        self.0 & Self::CLIENTS != 0
    }

    /// True if there are patterns.
    #[inline(always)]
    pub const fn has_patterns(self) -> bool {
        self.0 & Self::PATTERNS != 0
    }

    /// All of it, as an argument of a function of the kernel program.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The one with this word.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }
}
