//! What the kernel is to have of the compiled policy: what asks for something that no other rule
//! does as well.

use std::collections::BTreeSet;

use filter_core::{AllEffects, Effect, RuleKey};

use super::{
    CompiledPolicy,
    table::{BUCKETS, Bucket, Index},
};

impl CompiledPolicy {
    /// Names that have an entry in the kernel: those that no other rule covers.
    pub fn entries_in_force(&self) -> u64 {
        let asks = |effect: &AllEffects| !effect.is_none();
        let mut entries = self.in_kernel + self.uncovered.len() as u64;
        for (key, effect) in self.by_hand.effect() {
            let listed = self.listed_in_kernel(key).is_some_and(asks);
            entries = (entries + u64::from(asks(effect))).saturating_sub(u64::from(listed));
        }
        entries
    }

    /// Calls `each` for every key that the kernel is to have, with what its rules ask for.
    pub fn each_in_force(&self, mut each: impl FnMut(RuleKey, &AllEffects)) {
        let has_changes = !self.by_hand.is_empty();
        self.table.each(|index, key, number, redundant| {
            if (!redundant || self.uncovered.contains(&index))
                && !(has_changes && self.by_hand.has(key))
            {
                emit(key, self.effect.get(number), &mut each);
            }
        });
        for (key, effect) in self.by_hand.effect() {
            emit(key, effect, &mut each);
        }
    }

    /// Calls `each` for every key for which the kernel is to have something else than with the
    /// compiled policy before, with what its rules asked for and what they ask for now. Both
    /// compiled policies are in the order of their keys, so they are gone through side by side, and
    /// nothing is looked for; what has the same bytes in both is not even read key by key.
    pub fn each_difference(
        &self,
        before: &Self,
        mut each: impl FnMut(RuleKey, &AllEffects, &AllEffects),
    ) {
        let any_by_hand = !before.by_hand.is_empty() || !self.by_hand.is_empty();
        let same_bytes_mean_the_same = before.effect.all() == self.effect.all()
            && before.uncovered.is_empty()
            && self.uncovered.is_empty();
        for bucket in 0..BUCKETS {
            let buckets = [before, self].map(|compiled| compiled.table.bucket(bucket));
            if same_bytes_mean_the_same && buckets[0].is_same(&buckets[1]) {
                continue;
            }
            self.each_difference_in(before, buckets, |key, old, new| {
                if !(any_by_hand && (before.by_hand.has(key) || self.by_hand.has(key))) {
                    each(key, old, new);
                }
            });
        }
        let by_hand: BTreeSet<_> = before
            .by_hand
            .effect()
            .chain(self.by_hand.effect())
            .map(|(key, _)| key)
            .collect();
        for key in by_hand {
            let [old, new] =
                [before, self].map(|compiled| compiled.in_kernel(key).cloned().unwrap_or_default());
            if old != new {
                each(key, &old, &new);
            }
        }
    }

    /// How many entries the kernel is to have that it has not with the compiled policy before.
    pub fn not_in_kernel_of(&self, before: &Self) -> u64 {
        let mut new = 0;
        self.each_difference(before, |_, was, is| {
            new += u64::from(was.is_none() && !is.is_none());
        });
        new
    }

    /// The same for what lists say, in a bucket of each compiled policy.
    fn each_difference_in(
        &self,
        before: &Self,
        [old, new]: [Bucket<'_>; 2],
        mut each: impl FnMut(RuleKey, &AllEffects, &AllEffects),
    ) {
        let (mut old, mut new) = (before.entries(old).peekable(), self.entries(new).peekable());
        // Of most names, the effect has the numbers that those of the name before them have.
        let (mut last, mut same) = ((Effect::NONE, Effect::NONE), true);
        while let Some(key) = first(old.peek(), new.peek()) {
            let was = old
                .next_if(|(next, _)| *next == key)
                .map_or(Effect::NONE, |(_, number)| number);
            let is = new
                .next_if(|(next, _)| *next == key)
                .map_or(Effect::NONE, |(_, number)| number);
            if last != (was, is) {
                (last, same) = ((was, is), before.effect.get(was) == self.effect.get(is));
            }
            if !same {
                each(key, before.effect.get(was), self.effect.get(is));
            }
        }
    }

    /// The keys of a bucket that have an entry if nothing else is said by hand, with the numbers of
    /// their effect.
    fn entries(&self, bucket: Bucket<'_>) -> impl Iterator<Item = (RuleKey, u16)> {
        let names = bucket.iter();
        let has_entry =
            move |index: &Index, redundant: bool| !redundant || self.uncovered.contains(index);
        names
            .filter(move |(index, _, _, redundant)| has_entry(index, *redundant))
            .map(|(_, key, number, _)| (key, number))
    }

    /// All that rules ask for, and some more that they do not.
    pub fn all_effects(&self) -> impl Iterator<Item = &AllEffects> {
        self.effect
            .all()
            .iter()
            .chain(self.by_hand.effect().map(|(_, effect)| effect))
    }

    /// Entries of further banks that the kernel's table is to have: each effect may have two
    /// numbers, one while the policy comes in force and one from then on.
    pub fn further_entries(&self) -> u32 {
        /// For what is changed by hand, and for policies that differ from it a little.
        const SPARE: usize = 1 << 10;

        let further: usize = self
            .all_effects()
            .map(|effect| effect.further().len())
            .sum();
        let entries = if further == 0 {
            0
        } else {
            2 * further + further / 4 + SPARE
        };
        u32::try_from(entries).unwrap_or(u32::MAX)
    }

    /// What the kernel is to have for this key; nothing for what another rule does as well.
    pub fn in_kernel(&self, key: RuleKey) -> Option<&AllEffects> {
        let effect = self
            .by_hand
            .effect_of(key)
            .or_else(|| self.listed_in_kernel(key))?;
        (!effect.is_none()).then_some(effect)
    }

    /// The same as if nothing had been changed by hand for this key.
    fn listed_in_kernel(&self, key: RuleKey) -> Option<&AllEffects> {
        let index = self
            .table
            .find(key)
            .filter(|index| !self.is_redundant(*index))?;
        Some(self.effect.get(self.table.effect(index)))
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

/// Effect that ask for nothing take no entry.
fn emit(key: RuleKey, effect: &AllEffects, each: &mut impl FnMut(RuleKey, &AllEffects)) {
    if !effect.is_none() {
        each(key, effect);
    }
}
