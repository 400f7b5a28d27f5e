//! The octets as some patterns see them.

use super::{
    closure::Beside,
    nfa::{Nfa, PatternId, State, StateId},
    octets::{Columns, OctetSet},
};

pub(super) struct Alphabet<'n> {
    nfa: &'n Nfa,
    pub columns: Columns,
    /// The columns that are in each set of octets.
    within: Vec<Vec<u8>>,
    /// What each column is to its neighbours.
    pub beside: Vec<Beside>,
    /// True if that matters.
    pub words: bool,
}

impl<'n> Alphabet<'n> {
    pub fn of(nfa: &'n Nfa, patterns: &[PatternId]) -> Self {
        let ids = nfa.sets_of(patterns);
        let words = nfa.look_for_words(patterns).then(OctetSet::word);
        let sets: Vec<_> = ids.iter().map(|id| *nfa.set(*id)).chain(words).collect();
        let columns = Columns::telling_apart(&sets);
        let mut within = vec![Vec::new(); ids.last().map_or(0, |last| *last as usize + 1)];
        for (id, set) in ids.iter().zip(&sets) {
            within[*id as usize] = columns.within(set);
        }
        let is_word = |sample: &u8| words.is_some_and(|words| words.has(*sample));
        let beside = |sample| {
            if is_word(sample) {
                Beside::Word
            } else {
                Beside::Other
            }
        };
        let beside = columns.samples.iter().map(beside).collect();
        Self {
            nfa,
            columns,
            within,
            beside,
            words: words.is_some(),
        }
    }

    pub fn len(&self) -> usize {
        self.beside.len()
    }

    /// Where each column leads from these states.
    pub fn moves<'s>(&self, states: impl IntoIterator<Item = &'s StateId>) -> Vec<Vec<StateId>> {
        let mut moved = vec![Vec::new(); self.len()];
        for state in states {
            if let State::Octet(octets, next) = self.nfa.state(*state) {
                for column in &self.within[*octets as usize] {
                    moved[usize::from(*column)].push(*next);
                }
            }
        }
        moved
    }
}
