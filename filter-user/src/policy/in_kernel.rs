//! What the kernel is to have of the rule book: what asks for something that no other rule does as well.

use filter_core::{RuleKey, Terms};

use super::{RuleBook, table::Index};

impl RuleBook {
    /// Names that have an entry in the kernel: those that no other rule covers.
    pub fn entries_in_force(&self) -> u64 {
        let asks = |terms: &Terms| *terms != Terms::default();
        let mut entries = self.in_kernel + self.uncovered.len() as u64;
        for (key, terms) in self.by_hand.terms() {
            let listed = self.listed_in_kernel(key).is_some_and(asks);
            entries = (entries + u64::from(asks(terms))).saturating_sub(u64::from(listed));
        }
        entries
    }

    /// Calls `each` for every key that the kernel is to have, with what its rules ask for. Those of lists come in the order
    /// of their keys, in which it takes least to look for them in another book.
    pub fn each_in_force(&self, mut each: impl FnMut(RuleKey, &Terms)) {
        let has_changes = !self.by_hand.is_empty();
        self.table.each(|index, key, number, redundant| {
            if (!redundant || self.uncovered.contains(&index)) && !(has_changes && self.by_hand.has(key)) {
                emit(key, self.terms.get(number), &mut each);
            }
        });
        for (key, terms) in self.by_hand.terms() {
            emit(key, terms, &mut each);
        }
    }

    /// What the kernel is to have for this key; nothing for what another rule does as well.
    pub fn in_kernel(&self, key: RuleKey) -> Option<&Terms> {
        let terms = self.by_hand.terms_of(key).or_else(|| self.listed_in_kernel(key))?;
        (*terms != Terms::default()).then_some(terms)
    }

    /// The same as if nothing had been changed by hand for this key.
    fn listed_in_kernel(&self, key: RuleKey) -> Option<&Terms> {
        let index = self.table.find(key).filter(|index| !self.is_redundant(*index))?;
        Some(self.terms.get(self.table.terms(index)))
    }

    /// True if the rules for this name take no entry of their own.
    pub(super) fn is_redundant(&self, index: Index) -> bool {
        self.table.is_redundant(index) && !self.uncovered.contains(&index)
    }
}

/// Terms that ask for nothing take no entry.
fn emit(key: RuleKey, terms: &Terms, each: &mut impl FnMut(RuleKey, &Terms)) {
    if *terms != Terms::default() {
        each(key, terms);
    }
}
