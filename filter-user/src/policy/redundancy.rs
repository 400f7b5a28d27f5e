//! Leaving out what another rule does as well: a name under a blocked subtree takes no entry in the kernel.

use std::{collections::HashSet, ops::Range};

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

    /// False if no name above this one has such rules.
    pub fn may_cover(&self, hash_key: &HashKey, name: &[u8]) -> bool {
        above(name, self.top_level).is_some_and(|above| {
            let mut keys = hash_key.keys_of_octets(above).skip(usize::from(!self.top_level));
            keys.any(|key| sieve_bits(key) & !self.words[self.place(key)] == 0)
        })
    }

    /// Names in this range that are marked, and that do change something, given those above them.
    pub fn needed(&self, table: &Table, range: Range<Index>, terms: &TermsTable, hash_key: &HashKey) -> Vec<Index> {
        let mut needed = Vec::new();
        table.each_redundant(range, |index, name| {
            let mut masks = Masks::default();
            let keys = above(name, self.top_level).into_iter().flat_map(|above| hash_key.keys_of_octets(above));
            for parent in keys.skip(usize::from(!self.top_level)).filter_map(|key| table.find(key)) {
                add(&mut masks, terms, table.terms(parent));
            }
            if !is_redundant(terms, table.terms(index), &masks) {
                needed.push(index);
            }
        });
        needed
    }

    fn place(&self, key: RuleKey) -> usize {
        key.0 as usize & (self.words.len() - 1)
    }
}

/// The name above this one, if rules may cover it.
fn above(name: &[u8], top_level: bool) -> Option<&[u8]> {
    let dot = name.iter().position(|octet| *octet == b'.')?;
    let above = name.get(dot + 1..)?;
    (top_level || above.contains(&b'.')).then_some(above)
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
