//! What is in the file beside the table of names.

use std::{io, mem};

use filter_core::{AllEffects, BANKS, DnsAction, Effect, HASH_KEY_WORDS, HashKey};
use filter_lists::ListReport;
use serde::{Deserialize, Serialize};

use super::MadeFrom;
use crate::compiled::{
    CompiledPolicy, ListInfo,
    effect::EffectTable,
    list_numbers::ListNumbers,
    pattern_rules::{PatternRule, PatternRules},
    table::Table,
};

#[derive(Deserialize, Serialize)]
pub(super) struct Content {
    made_from: MadeFrom,
    hash_key: Vec<u64>,
    /// Each with those of further banks.
    effect: Vec<(EffectNumbers, Vec<(u32, EffectNumbers)>)>,
    lists: Vec<ListInfo>,
    /// Each with what its rules say of the answer, as a number.
    numbers: Vec<(usize, Option<u8>)>,
    /// They are compiled again.
    patterns: Vec<PatternRule>,
    reports: Vec<ListReport>,
}

/// [`Effect`], as they can be written.
type EffectNumbers = ([[u32; 5]; 2], [[u16; 2]; 2]);

impl Content {
    pub fn of(made_from: MadeFrom, compiled: &CompiledPolicy, reports: &[ListReport]) -> Self {
        let effect = compiled.effect.all().iter();
        let numbers = compiled
            .numbers
            .iter()
            .map(|(list, answer)| (list, answer.map(|answer| answer as u8)));
        Self {
            made_from,
            hash_key: words(compiled.hash_key()).into(),
            effect: effect.map(to_numbers).collect(),
            lists: compiled.lists.clone(),
            numbers: numbers.collect(),
            patterns: compiled.patterns.all().into(),
            reports: reports.into(),
        }
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        postcard::to_stdvec(self).map_err(io::Error::other)
    }

    pub fn made_from(&self) -> &MadeFrom {
        &self.made_from
    }

    pub fn has_key(&self, key: &HashKey) -> bool {
        self.hash_key == words(key)
    }

    /// The compiled policy, with this table; `None` if the parts do not go together.
    pub fn into_compiled(self, table: Table) -> Option<(CompiledPolicy, Vec<ListReport>)> {
        let hash_key = HashKey::from_words(self.hash_key.try_into().ok()?);
        let effect = self.effect.into_iter().map(|(first, further)| {
            let further = further
                .into_iter()
                .filter(|(bank, _)| (1..BANKS).contains(bank));
            AllEffects::of(
                of_numbers(first),
                further.map(|(bank, numbers)| (bank, of_numbers(numbers))),
            )
        });
        let answer = |number| {
            DnsAction::ALL
                .iter()
                .copied()
                .find(|action| *action as u8 == number)
        };
        let numbers = self
            .numbers
            .into_iter()
            .map(|(list, number)| (list, number.and_then(answer)));
        let (effect, mut numbers) = (
            EffectTable::of(effect.collect())?,
            ListNumbers::of(numbers.collect()),
        );
        let mut patterns = PatternRules::of(self.patterns);
        patterns.compile(&hash_key, &self.lists, &mut numbers);
        Some((
            CompiledPolicy::of(&hash_key, table, effect, patterns, (self.lists, numbers)),
            self.reports,
        ))
    }
}

fn to_numbers(effect: &AllEffects) -> (EffectNumbers, Vec<(u32, EffectNumbers)>) {
    let numbers = |it: &Effect| ([it.own, it.below], [it.own_lists, it.lists_below]);
    (
        numbers(&effect.first),
        effect
            .further()
            .iter()
            .map(|(bank, effect)| (*bank, numbers(effect)))
            .collect(),
    )
}

fn of_numbers(([own, below], [own_lists, lists_below]): EffectNumbers) -> Effect {
    Effect {
        own,
        below,
        own_lists,
        lists_below,
    }
}

/// What [`HashKey::from_words`] made this key of.
fn words(key: &HashKey) -> [u64; HASH_KEY_WORDS] {
    // SAFETY: a key is made of words and nothing else (`repr(C)`, and of this size, which the
    // compiler looks at).
    unsafe { mem::transmute::<HashKey, [u64; HASH_KEY_WORDS]>(*key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_key_make_the_same_key() {
        let drawn: [u64; HASH_KEY_WORDS] =
            std::array::from_fn(|place| (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let key = HashKey::from_words(drawn);
        assert_eq!(words(&key), drawn);
        let again = HashKey::from_words(words(&key));
        let name = "a.long-enough-label.example";
        assert_eq!(again.key_of_canonical(name), key.key_of_canonical(name));
    }
}
