//! How the rules lie in the kernel's maps.
//!
//! Sixteen rules lie together in a [`Page`], an entry of a hash map: the map's own 56 bytes an entry are shared by them. The
//! upper half of a [`RuleKey`] says which bucket a rule is in; a bucket has one page, and further ones if more rules happen to
//! be in it. In front stands a sieve of a few bits a rule, a Bloom filter of which each key asks a single word (Putze, Sanders
//! and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007): of the keys that have no rule, one in about 140 gets
//! by and is looked for in the pages.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Generation, Terms};
use crate::rules::RuleKey;

/// A rule: the number of its terms, and the lower bits of its key. Those above say, with the bucket that it is in, all of the
/// key, so that no two keys are taken for each other.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Rule(u64);

impl Rule {
    const NUMBER_BITS: u32 = 14;
    /// Numbers that terms may have.
    pub const NUMBERS: u32 = 1 << Self::NUMBER_BITS;

    /// The rule with this key, if its terms have this number.
    #[inline(always)]
    pub const fn new(key: RuleKey, number: u16) -> Self {
        Self((key.0 << Self::NUMBER_BITS) | number as u64)
    }

    /// The number of its terms.
    #[inline(always)]
    pub const fn number(self) -> u16 {
        (self.0 & (Self::NUMBERS as u64 - 1)) as u16
    }

    /// The number of its terms if it has this key, which is of its bucket.
    #[inline(always)]
    pub const fn number_of(self, key: RuleKey) -> Option<u16> {
        let differs = self.0 ^ Self::new(key, 0).0;
        if differs < Self::NUMBERS as u64 { Some(differs as u16) } else { None }
    }

    /// True if no rule is here.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.number() == Terms::NONE
    }
}

/// Rules of a bucket, without gaps: those from the first empty place on are empty.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Page(pub [Rule; Page::RULES]);

impl Page {
    /// Rules in a page.
    pub const RULES: usize = 16;
    /// Pages of a bucket, at most. With random keys, not even the third is used.
    pub const MOST: u32 = 16;

    /// The number of the terms of the rule with this key, which is of this page's bucket.
    #[inline(always)]
    pub fn find(&self, key: RuleKey) -> Option<u16> {
        self.0.iter().find_map(|rule| rule.number_of(key)).filter(|number| *number != Terms::NONE)
    }

    /// True if the bucket may have more in another page.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.0.last().is_some_and(|rule| !rule.is_none())
    }
}

/// How large the maps of the rules are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleShape {
    /// Buckets of the rules.
    pub buckets: u32,
    /// The sieve has 2 to the power of this words.
    pub sieve_bits: u32,
}

impl RuleShape {
    /// With fewer buckets, some bits of a key would be neither in its rule nor in the number of its bucket.
    const LEAST_BUCKETS: u32 = 1 << Rule::NUMBER_BITS;
    /// Rules in a bucket, on average: a tenth of the buckets have a second page then.
    const RULES_A_BUCKET: u32 = 12;
    /// Rules for each word of the sieve, at most.
    const RULES_A_WORD: u32 = 4;

    /// For so many rules.
    pub const fn of(rules: u32) -> Self {
        let buckets = rules.div_ceil(Self::RULES_A_BUCKET);
        Self {
            buckets: if buckets < Self::LEAST_BUCKETS { Self::LEAST_BUCKETS } else { buckets },
            sieve_bits: rules.div_ceil(Self::RULES_A_WORD).next_power_of_two().trailing_zeros(),
        }
    }

    /// The bucket of a key.
    #[inline(always)]
    pub const fn bucket(self, key: RuleKey) -> u32 {
        (((key.0 >> 32) * self.buckets as u64) >> 32) as u32
    }

    /// What the map has a page of a bucket under.
    #[inline(always)]
    pub const fn page(bucket: u32, page: u32) -> u32 {
        bucket * Page::MOST + page
    }

    /// Words of the sieve.
    pub const fn sieve_words(self) -> u32 {
        1 << self.sieve_bits
    }

    /// The word of the sieve that is asked for a key.
    #[inline(always)]
    pub const fn sieve_word(self, key: RuleKey) -> u32 {
        key.0 as u32 & (self.sieve_words() - 1)
    }
}

/// The bits of a key in its word of the sieve.
#[inline(always)]
pub const fn sieve_bits(key: RuleKey) -> u64 {
    const fn bit(key: RuleKey, at: u32) -> u64 {
        1 << ((key.0 >> at) & 63)
    }
    bit(key, 26) | bit(key, 32) | bit(key, 38)
}

/// What a number in the rule map stands for: terms in either generation.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
pub struct TermsOfBoth(pub [Terms; 2]);

impl TermsOfBoth {
    /// The same in both.
    pub const fn same(terms: Terms) -> Self {
        Self([terms; 2])
    }

    /// These in one generation, and those in the other.
    pub const fn new(generation: Generation, terms: Terms, others: Terms) -> Self {
        Self(if generation.index() == 0 { [terms, others] } else { [others, terms] })
    }

    /// Those of a generation.
    #[inline(always)]
    pub const fn of(&self, generation: Generation) -> &Terms {
        let [first, second] = &self.0;
        if generation.index() == 0 { first } else { second }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_rule_is_found_by_its_key_and_by_no_other_of_its_bucket(key: u64, other: u64, flip in 0..64, number in 1..Rule::NUMBERS as u16, rules in 0..1_u32 << 25) {
            let shape = RuleShape::of(rules);
            let mut page = Page::default();
            page.0[3] = Rule::new(RuleKey(key), number);
            prop_assert_eq!(page.find(RuleKey(key)), Some(number));
            for other in [RuleKey(other), RuleKey(key ^ (1_u64 << flip))] {
                if other.0 != key && shape.bucket(other) == shape.bucket(RuleKey(key)) {
                    prop_assert_eq!(page.find(other), None);
                }
            }
            prop_assert!(shape.bucket(RuleKey(key)) < shape.buckets);
            prop_assert!(shape.buckets.checked_mul(Page::MOST).is_some());
        }
    }

    #[test]
    fn an_empty_page_has_no_rule_not_even_for_the_key_of_zeros() {
        assert_eq!(Page::default().find(RuleKey(0)), None);
    }

    #[test]
    fn the_word_in_force_keeps_the_shape() {
        use crate::abi::{InForce, Rank};
        for rules in [0, 1, 1_000_000, 1 << 25] {
            let shape = RuleShape::of(rules);
            let in_force = InForce::new(Generation::default().other(), Rank::AllowImportant).with_shape(shape);
            assert_eq!(in_force.shape(), shape);
            assert_eq!((in_force.generation().index(), in_force.top()), (1, Rank::AllowImportant));
        }
    }
}
