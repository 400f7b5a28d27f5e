//! Leaving out what another rule does as well: a name under a blocked subtree takes no entry in the kernel.

use filter_core::{HashKey, Masks, RuleKey, Terms};

use super::{
    entries::{Entries, Index},
    terms::TermsTable,
};

/// Marks each entry that changes nothing, given those above it that are not removed. Gives those that did not change
/// anything before, and do now.
pub(super) fn mark(
    entries: &mut Entries,
    terms: &TermsTable,
    hash_key: &HashKey,
    is_removed: impl Fn(RuleKey) -> bool,
) -> Vec<RuleKey> {
    let mut uncovered = Vec::new();
    // Where every rule is about its name alone, none does what another does, and none has been marked.
    if !terms.any_below() {
        return uncovered;
    }
    for index in 0..entries.len() {
        let redundant = is_redundant(entries, terms, hash_key, &is_removed, index);
        if entries.is_redundant(index) && !redundant {
            uncovered.push(entries.key(index));
        }
        entries.set_redundant(index, redundant);
    }
    uncovered
}

/// An entry above that is redundant itself says nothing that one above it does not say, so it may be counted in.
fn is_redundant(
    entries: &Entries,
    terms: &TermsTable,
    hash_key: &HashKey,
    is_removed: &impl Fn(RuleKey) -> bool,
    index: Index,
) -> bool {
    let number = entries.terms(index);
    if number == Terms::NONE {
        return false;
    }
    let mut above = Masks::default();
    for key in entries.above(hash_key, index) {
        if let Some(parent) = entries.find(key).filter(|_| !is_removed(key)) {
            let below = &terms.get(entries.terms(parent)).below;
            above.iter_mut().zip(below).for_each(|(mask, more)| *mask |= more);
        }
    }
    above != Masks::default() && terms.get(number).are_covered_by(&above)
}
