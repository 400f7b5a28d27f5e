//! Leaving out what another rule does as well: a name under a blocked subtree takes no entry in the
//! kernel.

use std::collections::HashSet;

use filter_core::{AllMasks, Effect, HashKey, RuleKey, bloom_bits};

use super::{
    CompiledPolicy,
    effect::EffectTable,
    table::{Index, Table},
};

/// What the number of a name's effect is marked with if another name does what they ask for as
/// well.
pub(super) const REDUNDANT: u16 = 1 << 15;

/// A Bloom filter of the names with rules about names below (`filter_core`'s, with fewer bits):
/// whatever it does not let through is none of them. It tells of most names, while they are still
/// at hand, that nothing covers them.
pub(super) struct AncestorFilter {
    words: Vec<u64>,
    keys: u64,
    /// True if some of them are top-level domains.
    top_level: bool,
}

/// A name, and the two halves of the key of one above it that may cover it: 12 bytes for each of
/// many.
pub(super) struct AncestorKey {
    pub index: Index,
    halves: [u32; 2],
}

impl AncestorKey {
    fn new(index: Index, RuleKey(key): RuleKey) -> Self {
        Self {
            index,
            halves: [(key >> 32) as u32, key as u32],
        }
    }

    fn key(&self) -> RuleKey {
        let [high, low] = self.halves;
        RuleKey((u64::from(high) << 32) | u64::from(low))
    }
}

impl Default for AncestorFilter {
    fn default() -> Self {
        /// A million names have room. Memory that is not written to is never asked of the system.
        const WORDS: usize = 1 << 17;

        Self {
            words: vec![0; WORDS],
            keys: 0,
            top_level: false,
        }
    }
}

impl AncestorFilter {
    /// Keys for each word, at most. One in thirty that are none gets through.
    const KEYS: u64 = 8;

    /// Adds a name with such rules.
    pub fn insert(&mut self, key: RuleKey, name: &[u8]) {
        self.top_level |= !name.contains(&b'.');
        if self.lets_through(key) {
            return;
        }
        self.keys += 1;
        if self.keys > Self::KEYS * self.words.len() as u64 {
            // A bit more of a key tells its word; what was there before is in both words that it
            // may be.
            self.words.extend_from_within(..);
        }
        let place = self.place(key);
        self.words[place] |= bloom_bits(key);
    }

    /// Adds the names above this one that may have such rules.
    pub fn add_above(
        &self,
        hash_key: &HashKey,
        index: Index,
        name: &[u8],
        above: &mut Vec<AncestorKey>,
    ) {
        let Some(dot) = name.iter().position(|octet| *octet == b'.') else {
            return;
        };
        let parent = name.get(dot + 1..).unwrap_or_default();
        if !self.top_level && !parent.contains(&b'.') {
            return;
        }
        let keys = hash_key
            .keys_of_octets(parent)
            .skip(usize::from(!self.top_level));
        above.extend(
            keys.filter(|key| self.lets_through(*key))
                .map(|key| AncestorKey::new(index, key)),
        );
    }

    fn lets_through(&self, key: RuleKey) -> bool {
        bloom_bits(key) & !self.words[self.place(key)] == 0
    }

    fn place(&self, key: RuleKey) -> usize {
        key.0 as usize & (self.words.len() - 1)
    }
}

/// Of the names with these above them, those that are redundant.
pub(super) fn redundant(
    table: &Table,
    mut above: Vec<AncestorKey>,
    effect: &EffectTable,
) -> Vec<Index> {
    // In the order of the keys, what is looked for lies close to what was looked for before.
    above.sort_unstable_by_key(AncestorKey::key);
    let find = |it: &AncestorKey| Some((it.index, table.effect(table.find(it.key())?)));
    let mut found: Vec<_> = above.iter().filter_map(find).collect();
    drop(above);
    found.sort_unstable();
    let of_names = found.chunk_by(|(one, _), (other, _)| one == other);
    let redundant = of_names.filter_map(|found| {
        let (index, _) = found.first()?;
        let mut masks = AllMasks::default();
        for (_, number) in found {
            masks.add_below(effect.get(*number));
        }
        is_redundant(effect, table.effect(*index), &masks).then_some(*index)
    });
    redundant.collect()
}

impl CompiledPolicy {
    /// Entries that change nothing while all lists are in force, and do where rules of some names
    /// are removed by hand.
    pub(super) fn uncovered(&self) -> HashSet<Index> {
        let mut uncovered = HashSet::new();
        self.table.each(|index, _, number, redundant| {
            if redundant {
                let mut above = AllMasks::default();
                self.table.each_above(&self.hash_key, index, |key| {
                    if let Some(parent) = self
                        .table
                        .find(key)
                        .filter(|_| !self.by_hand.is_removed(key))
                    {
                        above.add_below(self.effect.get(self.table.effect(parent)));
                    }
                });
                if !is_redundant(&self.effect, number, &above) {
                    uncovered.insert(index);
                }
            }
        });
        uncovered
    }
}

/// An entry above that is redundant itself says nothing that one above it does not say, so it may
/// be counted in.
fn is_redundant(effect: &EffectTable, number: u16, above: &AllMasks) -> bool {
    number != Effect::NONE && !above.is_none() && effect.get(number).are_covered_by(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bloom_filter_grows_with_what_is_new_and_lets_all_of_it_through() {
        let mut covering = AncestorFilter::default();
        let words = covering.words.len();
        let many = 2 * AncestorFilter::KEYS * words as u64;
        let key = |number: u64| RuleKey(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
        (0..many).for_each(|_| covering.insert(key(1), b"a.example"));
        assert_eq!(covering.words.len(), words);
        (0..many).for_each(|number| covering.insert(key(number), b"a.example"));
        assert_eq!(covering.words.len(), 2 * words);
        assert!((0..many).all(|number| covering.lets_through(key(number))));
        assert!(
            (many..2 * many)
                .filter(|number| covering.lets_through(key(*number)))
                .count() as u64
                * 5
                < many
        );
    }
}
