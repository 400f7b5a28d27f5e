//! Leaving out what another rule does as well: a name under a blocked subtree takes no entry in the kernel.

use std::collections::HashSet;

use filter_core::{HashKey, Masks, Terms};

use super::{RuleBook, entries::Entries, table::Index, terms::TermsTable};

/// Marks each entry that changes nothing, given those above it.
pub(super) fn mark(entries: &mut Entries, terms: &TermsTable, hash_key: &HashKey) {
    // Where every rule is about its name alone, none does what another does.
    if !terms.any_below() {
        return;
    }
    for index in 0..entries.len() {
        let mut above = Masks::default();
        for parent in entries.above(hash_key, index).filter_map(|key| entries.find(key)) {
            add(&mut above, terms, entries.terms(parent));
        }
        if is_redundant(terms, entries.terms(index), &above) {
            entries.set_redundant(index);
        }
    }
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
