//! How the rules lie in the kernel's maps.
//!
//! Sixteen rules lie together in a [`Page`], an entry of a hash map: the map's own 56 bytes an
//! entry are shared by them. The upper half of a [`RuleKey`] says which bucket a rule is in; a
//! bucket has one page, and further ones if more rules happen to be in it. In front stands a Bloom
//! filter of a few bits a rule, a Bloom filter of which each key asks a single word (Putze, Sanders
//! and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007): of the keys that have no
//! rule, one in about 140 gets by and is looked for in the pages.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Effect, Generation};
use crate::hash::RuleKey;

/// A rule: the number of its effect, and the lower bits of its key. Those above say, with the
/// bucket that it is in, all of the key, so that no two keys are taken for each other.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Rule(u64);

impl Rule {
    const NUMBER_BITS: u32 = 14;
    /// Numbers that an effect may have.
    pub const NUMBERS: u32 = 1 << Self::NUMBER_BITS;

    /// The rule with this key, if its effect has this number.
    #[inline(always)]
    pub const fn new(key: RuleKey, number: u16) -> Self {
        Self((key.0 << Self::NUMBER_BITS) | number as u64)
    }

    /// The number of its effect.
    #[inline(always)]
    pub const fn number(self) -> u16 {
        (self.0 & (Self::NUMBERS as u64 - 1)) as u16
    }

    /// The number of its effect if it has this key, which is of its bucket.
    #[inline(always)]
    pub const fn number_of(self, key: RuleKey) -> Option<u16> {
        let differs = self.0 ^ Self::new(key, 0).0;
        if differs < Self::NUMBERS as u64 {
            Some(differs as u16)
        } else {
            None
        }
    }

    /// True if no rule is here.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.number() == Effect::NONE
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

    /// The number of the effect of the rule with this key, which is of this page's bucket.
    #[inline(always)]
    pub fn find(&self, key: RuleKey) -> Option<u16> {
        self.0
            .iter()
            .find_map(|rule| rule.number_of(key))
            .filter(|number| *number != Effect::NONE)
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
    /// The Bloom filter has 2 to the power of this words.
    pub bloom_bits: u32,
}

impl RuleShape {
    /// With fewer buckets, some bits of a key would be neither in its rule nor in the number of its
    /// bucket.
    const LEAST_BUCKETS: u32 = 1 << Rule::NUMBER_BITS;
    /// Rules in a bucket, on average: a tenth of the buckets have a second page then.
    const RULES_A_BUCKET: u32 = 12;
    /// Rules for each word of the Bloom filter, at most.
    const RULES_A_WORD: u32 = 4;

    /// For so many rules.
    pub const fn of(rules: u32) -> Self {
        let buckets = rules.div_ceil(Self::RULES_A_BUCKET);
        Self {
            buckets: if buckets < Self::LEAST_BUCKETS {
                Self::LEAST_BUCKETS
            } else {
                buckets
            },
            bloom_bits: rules
                .div_ceil(Self::RULES_A_WORD)
                .next_power_of_two()
                .trailing_zeros(),
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

    /// Words of the Bloom filter.
    pub const fn bloom_words(self) -> u32 {
        1 << self.bloom_bits
    }

    /// The word of the Bloom filter that is asked for a key.
    #[inline(always)]
    pub const fn bloom_word(self, key: RuleKey) -> u32 {
        key.0 as u32 & (self.bloom_words() - 1)
    }
}

/// The bits of a key in its word of the Bloom filter.
#[inline(always)]
pub const fn bloom_bits(key: RuleKey) -> u64 {
    const fn bit(key: RuleKey, at: u32) -> u64 {
        1 << ((key.0 >> at) & 63)
    }
    bit(key, 26) | bit(key, 32) | bit(key, 38)
}

/// What a number in the rule map stands for: effect in either generation, of the first bank of
/// audiences. What rules ask for in further banks is in entries behind those that have numbers,
/// each of which leads to the next.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct EffectEntry {
    effect: [Effect; 2],
    /// The bank that they are of.
    pub bank: u32,
    /// The entry of the next bank, whose number is higher; 0 for none.
    pub next: u32,
}

impl EffectEntry {
    /// These in one generation, and those in the other, of this bank.
    pub const fn new(
        generation: Generation,
        effect: Effect,
        others: Effect,
        bank: u32,
        next: u32,
    ) -> Self {
        let effect = if generation.index() == 0 {
            [effect, others]
        } else {
            [others, effect]
        };
        Self { effect, bank, next }
    }

    /// Those of a generation.
    #[inline(always)]
    pub const fn of(&self, generation: Generation) -> &Effect {
        let [first, second] = &self.effect;
        if generation.index() == 0 {
            first
        } else {
            second
        }
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
        for key in (0..64).map(|bit| 1 << bit).chain([0, u64::MAX]) {
            assert_eq!(Page::default().find(RuleKey(key)), None, "{key:#x}");
        }
    }

    #[test]
    fn the_word_in_force_keeps_the_shape() {
        use crate::abi::{ActivePolicy, Precedence};
        for rules in [0, 1, 1_000_000, 1 << 25] {
            let shape = RuleShape::of(rules);
            let in_force =
                ActivePolicy::new(Generation::default().other(), Precedence::AllowImportant)
                    .with_shape(shape);
            assert_eq!(in_force.shape(), shape);
            assert_eq!(
                (in_force.generation().index(), in_force.top()),
                (1, Precedence::AllowImportant)
            );
        }
    }

    #[test]
    fn maps_are_large_enough_and_not_twice_as_large() {
        for rules in [1, 4, 5, 12, 13, 100_000, 200_000, 1_000_003, 1 << 25] {
            let shape = RuleShape::of(rules);
            assert_eq!(shape.buckets, rules.div_ceil(12).max(1 << 14), "{rules}");
            assert!(
                shape.bloom_words() * 4 >= rules
                    && (shape.bloom_words() == 1 || shape.bloom_words() * 2 < rules),
                "{rules}"
            );
        }
    }

    #[test]
    fn buckets_share_all_keys_in_their_order_and_each_has_pages_of_its_own() {
        let shape = RuleShape {
            buckets: 5,
            bloom_bits: 3,
        };
        let bucket = |hundredths: u64| shape.bucket(RuleKey(hundredths * (u64::MAX / 100)));
        assert_eq!(
            [0, 19, 21, 50, 79, 81, 100].map(bucket),
            [0, 0, 1, 2, 3, 4, 4]
        );
        let pages: Vec<_> = (0..3)
            .flat_map(|bucket| (0..Page::MOST).map(move |page| RuleShape::page(bucket, page)))
            .collect();
        assert_eq!(pages, (0..3 * Page::MOST).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_is_full_with_its_last_rule() {
        let rule = Rule::new(RuleKey(7), 1);
        let page = |rules| {
            Page(core::array::from_fn(|place| {
                if place < rules { rule } else { Rule::default() }
            }))
        };
        assert_eq!(
            [0, 1, 15, 16].map(|rules| page(rules).is_full()),
            [false, false, false, true]
        );
        assert!(Rule::new(RuleKey(7), Effect::NONE).is_none() && !rule.is_none());
    }

    /// Three bits of a word, for six bits of the key each, and none of those that say which word.
    #[test]
    fn the_bloom_filter_goes_by_bits_of_the_key_that_say_different_things() {
        let shape = RuleShape {
            buckets: 1 << 14,
            bloom_bits: 20,
        };
        let key = 0x0123_4567_89ab_cdef;
        let changed = |bit: u32| RuleKey(key ^ (1 << bit));
        let word =
            (0..64).filter(|bit| shape.bloom_word(changed(*bit)) != shape.bloom_word(RuleKey(key)));
        assert_eq!(word.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
        let bits = (0..64).filter(|bit| bloom_bits(changed(*bit)) != bloom_bits(RuleKey(key)));
        assert_eq!(bits.collect::<Vec<_>>(), (26..44).collect::<Vec<_>>());
        for (at, value) in [(26, 1), (32, 2), (38, 63)] {
            assert_eq!(bloom_bits(RuleKey(value << at)), 1 | (1 << value));
        }
        assert!(shape.bloom_word(RuleKey(u64::MAX)) == shape.bloom_words() - 1);
    }

    #[test]
    fn an_entry_has_effects_in_either_generation() {
        let [first, second] = [Generation::default(), Generation::default().other()];
        let (effect, others) = (Effect::BLOCK_SUBTREE, Effect::default());
        for (generation, other) in [(first, second), (second, first)] {
            let entry = EffectEntry::new(generation, effect, others, 3, 20_000);
            assert_eq!([entry.of(generation), entry.of(other)], [&effect, &others]);
            assert_eq!((entry.bank, entry.next), (3, 20_000));
        }
    }
}
