//! Two policies side by side.
//!
//! Each entry of the maps has a place for either of two generations, and one word says which of
//! them is in force. A new policy is written into the places of the other generation and takes
//! effect, as a whole, with that word.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Precedence, RuleShape};

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

/// Which generation is in force, and what it has; one word, so that all of it changes at once.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct ActivePolicy(u64);

impl ActivePolicy {
    const TOP_AT: u32 = 8;
    const CLIENTS: u64 = 1 << 16;
    const PATTERNS: u64 = 1 << 17;
    const NO_TOP_LEVEL: u64 = 1 << 18;
    const BANK_BITS_AT: u32 = 19;
    const BANK_BITS: u64 = 7;
    const BLOOM_BITS_AT: u32 = 24;
    const BUCKETS_AT: u32 = 32;

    /// A policy without groups and patterns. `top` is the highest precedence of all rules: a name
    /// that reaches it is judged.
    #[inline(always)]
    pub const fn new(generation: Generation, top: Precedence) -> Self {
        Self(generation.index() as u64 | ((top as u64) << Self::TOP_AT))
    }

    /// The same with another highest precedence.
    #[must_use]
    pub const fn with_top(self, top: Precedence) -> Self {
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

    /// The same without rules for top-level domains.
    #[must_use]
    pub const fn without_top_level(self) -> Self {
        Self(self.0 | Self::NO_TOP_LEVEL)
    }

    /// The same with audiences in so many banks.
    #[must_use]
    pub const fn with_banks(self, banks: u32) -> Self {
        let bits = banks.next_power_of_two().trailing_zeros() as u64 & Self::BANK_BITS;
        Self((self.0 & !(Self::BANK_BITS << Self::BANK_BITS_AT)) | (bits << Self::BANK_BITS_AT))
    }

    /// Where the words of a group begin in the map of groups: one for each bank.
    #[inline(always)]
    pub const fn row(self, group: u32) -> u32 {
        group << self.bank_bits()
    }

    /// True if audiences are in more than one bank.
    #[inline(always)]
    pub const fn has_banks(self) -> bool {
        self.bank_bits() != 0
    }

    #[inline(always)]
    const fn bank_bits(self) -> u32 {
        (self.0 >> Self::BANK_BITS_AT) as u32 & Self::BANK_BITS as u32
    }

    /// The same with rules in maps of this shape.
    #[must_use]
    pub const fn with_shape(self, shape: RuleShape) -> Self {
        let RuleShape {
            buckets,
            bloom_bits,
        } = shape;
        let others = self.0 & ((1 << Self::BLOOM_BITS_AT) - 1);
        Self(
            others
                | ((bloom_bits as u64) << Self::BLOOM_BITS_AT)
                | ((buckets as u64) << Self::BUCKETS_AT),
        )
    }

    /// The shape of the maps that the rules are in.
    #[inline(always)]
    pub const fn shape(self) -> RuleShape {
        let bloom_bits = (self.0 >> Self::BLOOM_BITS_AT) as u32 & 31;
        RuleShape {
            buckets: (self.0 >> Self::BUCKETS_AT) as u32,
            bloom_bits,
        }
    }

    /// The generation in force.
    #[inline(always)]
    pub const fn generation(self) -> Generation {
        Generation(self.0 as u32 & 1)
    }

    /// The highest precedence of all rules.
    #[inline(always)]
    pub const fn top(self) -> Precedence {
        Precedence::from_index((self.0 >> Self::TOP_AT) as u32 & 7)
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

    /// True if there may be rules for top-level domains.
    #[inline(always)]
    pub const fn has_top_level(self) -> bool {
        self.0 & Self::NO_TOP_LEVEL == 0
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

#[cfg(test)]
mod tests {
    use super::*;

    /// All that the word has.
    fn parts(in_force: ActivePolicy) -> (u32, Precedence, [bool; 3], RuleShape) {
        let flags = [
            in_force.has_clients(),
            in_force.has_patterns(),
            in_force.has_top_level(),
        ];
        (
            in_force.generation().index(),
            in_force.top(),
            flags,
            in_force.shape(),
        )
    }

    #[test]
    fn each_part_of_the_word_changes_by_itself() {
        let [first, second] = [Generation::default(), Generation::default().other()];
        let shape = RuleShape {
            buckets: 0xabcd_1235,
            bloom_bits: 21,
        };
        let none = RuleShape::default();
        for top in Precedence::OF_RULES {
            let plain = ActivePolicy::new(first, top);
            for (in_force, expected) in [
                (plain, (0, top, [false, false, true], none)),
                (
                    ActivePolicy::new(second, top),
                    (1, top, [false, false, true], none),
                ),
                (plain.with_clients(), (0, top, [true, false, true], none)),
                (plain.with_patterns(), (0, top, [false, true, true], none)),
                (
                    plain.without_top_level(),
                    (0, top, [false, false, false], none),
                ),
                (
                    plain.with_shape(shape),
                    (0, top, [false, false, true], shape),
                ),
            ] {
                assert_eq!(parts(in_force), expected);
                assert_eq!(ActivePolicy::from_word(in_force.word()), in_force);
                let all = in_force
                    .with_clients()
                    .with_patterns()
                    .without_top_level()
                    .with_shape(shape);
                assert_eq!(parts(all), (expected.0, top, [true, true, false], shape));
                assert_eq!(
                    parts(all.with_clients().with_patterns().without_top_level()),
                    parts(all),
                    "twice"
                );
                for other in Precedence::OF_RULES {
                    assert_eq!(
                        parts(all.with_top(other)),
                        (expected.0, other, [true, true, false], shape)
                    );
                }
                assert_eq!(
                    parts(all.with_shape(none)),
                    (expected.0, top, [true, true, false], none)
                );
            }
        }
    }

    #[test]
    fn a_group_has_a_row_of_words_for_all_banks() {
        let plain = ActivePolicy::new(Generation::default(), Precedence::Allow)
            .with_patterns()
            .with_shape(RuleShape::of(1 << 20));
        for (banks, words) in [(0, 1), (1, 1), (2, 2), (3, 4), (31, 32), (32, 32)] {
            let in_force = plain.with_banks(banks);
            assert_eq!(
                (in_force.row(0), in_force.row(7), in_force.has_banks()),
                (0, 7 * words, words > 1),
                "{banks}"
            );
            assert_eq!(parts(in_force), parts(plain));
            assert_eq!(in_force.with_banks(1), plain);
        }
    }

    #[test]
    fn there_are_two_generations() {
        for index in 0..4 {
            let generation = Generation::from_index(index);
            assert_eq!(generation.index(), index % 2);
            assert_eq!(
                (generation.other().index(), generation.other().other()),
                (1 - index % 2, generation)
            );
        }
    }
}
