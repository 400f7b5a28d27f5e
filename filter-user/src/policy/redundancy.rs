//! Leaving out what another rule does as well: a name under a blocked subtree takes no entry in the kernel.

use std::{collections::HashSet, ops::Range};

use filter_core::{HashKey, Masks, RuleKey, Terms};

use super::{
    RuleBook,
    arrivals::Arrivals,
    sources::Origins,
    table::{Index, Table},
    terms::TermsTable,
};

/// What the number of a name's terms is marked with if another name does what they ask for as well.
pub(super) const REDUNDANT: u16 = 1 << 15;

/// Keys of names with rules about names below: whatever is not let through is none of them. It tells of most names, while
/// they are still at hand, that nothing covers them.
pub(super) struct Covering(Vec<u64>);

impl Covering {
    /// Bits for each key: one in eight keys that are none gets through.
    const BITS: usize = 8;

    /// Those of these rules.
    pub fn of(arrivals: &Arrivals, origins: &Origins) -> Self {
        let mut covering = Self::with_room_for(arrivals.len());
        arrivals
            .iter()
            .filter(|arrival| origins.get(arrival.origin).is_about_below())
            .for_each(|it| covering.insert(it.key));
        covering
    }

    fn with_room_for(keys: u64) -> Self {
        let bits = (usize::try_from(keys).unwrap_or(usize::MAX) / 2).saturating_mul(2 * Self::BITS);
        Self(vec![0; (bits / u64::BITS as usize).next_power_of_two()])
    }

    fn insert(&mut self, key: RuleKey) {
        let (word, bit) = self.place(key);
        self.0[word] |= bit;
    }

    /// False if no name above this one has such rules.
    pub fn may_cover(&self, hash_key: &HashKey, name: &str) -> bool {
        let Some((_, above)) = name.split_once('.') else { return false };
        hash_key.suffix_keys(above).any(|key| {
            let (word, bit) = self.place(key);
            self.0[word] & bit != 0
        })
    }

    /// The lower bits of a key: names come in the order of the upper ones.
    fn place(&self, RuleKey(key): RuleKey) -> (usize, u64) {
        let word = (key >> u64::BITS.trailing_zeros()) as usize & (self.0.len() - 1);
        (word, 1 << (key % u64::from(u64::BITS)))
    }
}

/// Names in this range that are marked, and that do change something, given those above them.
pub(super) fn needed(table: &Table, range: Range<Index>, terms: &TermsTable, hash_key: &HashKey) -> Vec<Index> {
    let marked = range.filter(|index| table.is_redundant(*index));
    let needed = marked.filter(|index| {
        let mut above = Masks::default();
        table.each_above(hash_key, *index, |key| {
            if let Some(parent) = table.find(key) {
                add(&mut above, terms, table.terms(parent));
            }
        });
        !is_redundant(terms, table.terms(*index), &above)
    });
    needed.collect()
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
