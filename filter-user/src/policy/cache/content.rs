//! What is in the file beside the table of names.

use std::{io, mem};

use filter_core::{AllTerms, BANKS, DnsAction, HASH_KEY_WORDS, HashKey, Terms};
use serde::{Deserialize, Serialize};

use super::MadeFrom;
use crate::{
    lists::ListReport,
    policy::{
        ListInfo, RuleBook,
        list_numbers::ListNumbers,
        pattern_rules::{PatternRule, PatternRules},
        table::Table,
        terms::TermsTable,
    },
};

#[derive(Deserialize, Serialize)]
pub(super) struct Content {
    made_from: MadeFrom,
    hash_key: Vec<u64>,
    /// Each with those of further banks.
    terms: Vec<(TermsNumbers, Vec<(u32, TermsNumbers)>)>,
    lists: Vec<ListInfo>,
    /// Each with what its rules say of the answer, as a number.
    numbers: Vec<(usize, Option<u8>)>,
    /// They are compiled again.
    patterns: Vec<PatternRule>,
    reports: Vec<ListReport>,
}

/// [`Terms`], as they can be written.
type TermsNumbers = ([[u32; 5]; 2], [[u16; 2]; 2]);

impl Content {
    pub fn of(made_from: MadeFrom, book: &RuleBook, reports: &[ListReport]) -> Self {
        let terms = book.terms.all().iter();
        let numbers = book.numbers.iter().map(|(list, answer)| (list, answer.map(|answer| answer as u8)));
        Self {
            made_from,
            hash_key: words(book.hash_key()).into(),
            terms: terms.map(to_numbers).collect(),
            lists: book.lists.clone(),
            numbers: numbers.collect(),
            patterns: book.patterns.all().into(),
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

    /// The book, with this table; `None` if the parts do not go together.
    pub fn into_book(self, table: Table) -> Option<(RuleBook, Vec<ListReport>)> {
        let hash_key = HashKey::from_words(self.hash_key.try_into().ok()?);
        let terms = self.terms.into_iter().map(|(first, further)| {
            let further = further.into_iter().filter(|(bank, _)| (1..BANKS).contains(bank));
            AllTerms::of(of_numbers(first), further.map(|(bank, numbers)| (bank, of_numbers(numbers))))
        });
        let answer = |number| DnsAction::ALL.iter().copied().find(|action| *action as u8 == number);
        let numbers = self.numbers.into_iter().map(|(list, number)| (list, number.and_then(answer)));
        let (terms, mut numbers) = (TermsTable::of(terms.collect())?, ListNumbers::of(numbers.collect()));
        let mut patterns = PatternRules::of(self.patterns);
        patterns.compile(&hash_key, &self.lists, &mut numbers);
        Some((RuleBook::of(&hash_key, table, terms, patterns, (self.lists, numbers)), self.reports))
    }
}

fn to_numbers(terms: &AllTerms) -> (TermsNumbers, Vec<(u32, TermsNumbers)>) {
    let numbers = |it: &Terms| ([it.own, it.below], [it.own_lists, it.lists_below]);
    (numbers(&terms.first), terms.further().iter().map(|(bank, terms)| (*bank, numbers(terms))).collect())
}

fn of_numbers(([own, below], [own_lists, lists_below]): TermsNumbers) -> Terms {
    Terms { own, below, own_lists, lists_below }
}

/// What [`HashKey::from_words`] made this key of.
fn words(key: &HashKey) -> [u64; HASH_KEY_WORDS] {
    // SAFETY: a key is made of words and nothing else (`repr(C)`, and of this size, which the compiler looks at).
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
