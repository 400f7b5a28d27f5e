//! Leaving out what another rule does as well: a name under a blocked subtree takes no entry in the kernel.

use std::collections::HashSet;

use filter_core::{HashKey, Masks, RuleKey, Terms, sieve_bits};

use super::{
    RuleBook,
    arrivals::{Arrival, Arrivals},
    sources::Origins,
    table::{Index, Table},
    terms::TermsTable,
};

/// What the number of a name's terms is marked with if another name does what they ask for as well.
pub(super) const REDUNDANT: u16 = 1 << 15;

/// A sieve of the names with rules about names below (`filter_core`'s, with fewer bits): whatever it does not let through is
/// none of them. It tells of most names, while they are still at hand, that nothing covers them.
pub(super) struct Covering {
    words: Vec<u64>,
    /// True if some of them are top-level domains.
    top_level: bool,
}

/// A name, and the two halves of the key of one above it that may cover it: 12 bytes for each of many.
pub(super) struct Above {
    pub index: Index,
    halves: [u32; 2],
}

impl Above {
    fn new(index: Index, RuleKey(key): RuleKey) -> Self {
        Self { index, halves: [(key >> 32) as u32, key as u32] }
    }

    fn key(&self) -> RuleKey {
        let [high, low] = self.halves;
        RuleKey((u64::from(high) << 32) | u64::from(low))
    }
}

impl Covering {
    /// Keys for each word. One in thirty that are none gets through.
    const KEYS: u64 = 8;

    /// The names with such rules among these.
    pub fn of(arrivals: &Arrivals, origins: &Origins) -> Self {
        let words = usize::try_from(arrivals.len() / Self::KEYS).unwrap_or_default().next_power_of_two();
        let mut covering = Self { words: vec![0; words], top_level: false };
        for Arrival { key, name, .. } in arrivals.iter().filter(|it| origins.get(it.origin).is_about_below()) {
            let place = covering.place(key);
            covering.words[place] |= sieve_bits(key);
            covering.top_level |= !name.contains(&b'.');
        }
        covering
    }

    /// Adds the names above this one that may have such rules.
    pub fn add_above(&self, hash_key: &HashKey, index: Index, name: &[u8], above: &mut Vec<Above>) {
        let Some(dot) = name.iter().position(|octet| *octet == b'.') else { return };
        let parent = name.get(dot + 1..).unwrap_or_default();
        if !self.top_level && !parent.contains(&b'.') {
            return;
        }
        let keys = hash_key.keys_of_octets(parent).skip(usize::from(!self.top_level));
        let lets_through = |key: &RuleKey| sieve_bits(*key) & !self.words[self.place(*key)] == 0;
        above.extend(keys.filter(lets_through).map(|key| Above::new(index, key)));
    }

    fn place(&self, key: RuleKey) -> usize {
        key.0 as usize & (self.words.len() - 1)
    }
}

/// Of the names with these above them, those that are redundant.
pub(super) fn redundant(table: &Table, mut above: Vec<Above>, terms: &TermsTable) -> Vec<Index> {
    // In the order of the keys, what is looked for lies close to what was looked for before.
    above.sort_unstable_by_key(Above::key);
    let find = |it: &Above| Some((it.index, table.terms(table.find(it.key())?)));
    let mut found: Vec<_> = above.iter().filter_map(find).collect();
    drop(above);
    found.sort_unstable();
    let of_names = found.chunk_by(|(one, _), (other, _)| one == other);
    let redundant = of_names.filter_map(|found| {
        let (index, _) = found.first()?;
        let mut masks = Masks::default();
        for (_, number) in found {
            add(&mut masks, terms, *number);
        }
        is_redundant(terms, table.terms(*index), &masks).then_some(*index)
    });
    redundant.collect()
}

impl RuleBook {
    /// Entries that change nothing while all lists are in force, and do where rules of some names are removed by hand.
    pub(super) fn uncovered(&self) -> HashSet<Index> {
        let mut uncovered = HashSet::new();
        self.table.each(|index, _, number, redundant| {
            if redundant {
                let mut above = Masks::default();
                self.table.each_above(&self.hash_key, index, |key| {
                    if let Some(parent) = self.table.find(key).filter(|_| !self.by_hand.is_removed(key)) {
                        add(&mut above, &self.terms, self.table.terms(parent));
                    }
                });
                if !is_redundant(&self.terms, number, &above) {
                    uncovered.insert(index);
                }
            }
        });
        uncovered
    }
}

/// Adds what these terms say of names below.
fn add(above: &mut Masks, terms: &TermsTable, number: u16) {
    above.iter_mut().zip(terms.get(number).below).for_each(|(mask, more)| *mask |= more);
}

/// An entry above that is redundant itself says nothing that one above it does not say, so it may be counted in.
fn is_redundant(terms: &TermsTable, number: u16, above: &Masks) -> bool {
    number != Terms::NONE && *above != Masks::default() && terms.get(number).are_covered_by(above)
}
