//! What the kernel is to have of the rule book: what asks for something that no other rule does as well.

use std::collections::BTreeSet;

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

    /// Calls `each` for every key that the kernel is to have, with what its rules ask for.
    pub fn each_in_force(&self, mut each: impl FnMut(RuleKey, &Terms)) {
        let has_changes = !self.by_hand.is_empty();
        self.each_listed().filter(|(key, _)| !has_changes || !self.by_hand.has(*key)).for_each(|(key, number)| {
            emit(key, self.terms.get(number), &mut each);
        });
        for (key, terms) in self.by_hand.terms() {
            emit(key, terms, &mut each);
        }
    }

    /// Calls `each` for every key for which the kernel is to have something else than with the book before, with what its
    /// rules asked for and what they ask for now. Both books are in the order of their keys, so they are gone through side by
    /// side, and nothing is looked for.
    pub fn each_difference(&self, before: &Self, mut each: impl FnMut(RuleKey, &Terms, &Terms)) {
        let by_hand = |key| before.by_hand.has(key) || self.by_hand.has(key);
        let any_by_hand = !before.by_hand.is_empty() || !self.by_hand.is_empty();
        let (mut old, mut new) = (before.each_listed().peekable(), self.each_listed().peekable());
        // Of most names, the terms have the numbers that those of the name before them have.
        let (mut last, mut same) = ((Terms::NONE, Terms::NONE), true);
        while let Some(key) = first(old.peek(), new.peek()) {
            let [was, is] =
                [&mut old, &mut new].map(|it| it.next_if(|(next, _)| *next == key).map_or(Terms::NONE, |it| it.1));
            if last != (was, is) {
                (last, same) = ((was, is), before.terms.get(was) == self.terms.get(is));
            }
            if !same && !(any_by_hand && by_hand(key)) {
                each(key, before.terms.get(was), self.terms.get(is));
            }
        }
        let keys: BTreeSet<_> = before.by_hand.terms().chain(self.by_hand.terms()).map(|(key, _)| key).collect();
        for key in keys {
            let [was, is] = [before, self].map(|book| book.in_kernel(key).copied().unwrap_or_default());
            if was != is {
                each(key, &was, &is);
            }
        }
    }

    /// The keys of lists that have an entry unless something else is said by hand, in their order, with the numbers of their
    /// terms.
    fn each_listed(&self) -> impl Iterator<Item = (RuleKey, u16)> {
        let has_entry = |index: &Index, redundant: bool| !redundant || self.uncovered.contains(index);
        self.table
            .iter()
            .filter(move |(index, .., redundant)| has_entry(index, *redundant))
            .map(|(_, key, number, _)| (key, number))
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

/// The first of the keys that come next.
fn first(old: Option<&(RuleKey, u16)>, new: Option<&(RuleKey, u16)>) -> Option<RuleKey> {
    match (old, new) {
        (Some((old, _)), Some((new, _))) => Some(*old.min(new)),
        (one, other) => one.or(other).map(|(key, _)| *key),
    }
}

/// Terms that ask for nothing take no entry.
fn emit(key: RuleKey, terms: &Terms, each: &mut impl FnMut(RuleKey, &Terms)) {
    if *terms != Terms::default() {
        each(key, terms);
    }
}
