//! What a walk that has come to some loops does beside all else: it waits behind each of them for
//! ever.
//!
//! Sets of states are told by the loops that are in them and by what is in them besides. That makes
//! them short, and what is behind the loops is worked out once.

use std::{collections::HashMap, rc::Rc};

use foldhash::fast::FixedState;

use super::{
    alphabet::Alphabet,
    closure::{Beside, Closure, Reached},
    nfa::{PatternId, StateId},
};

#[derive(Debug)]
pub(super) struct Base {
    /// In order.
    pub loops: Vec<StateId>,
    /// The states that wait behind them, in order.
    pub waiting: Vec<StateId>,
    /// True if it matters to them what was read last.
    pub asks: bool,
    /// Where each column leads.
    pub moves: Vec<Reached>,
    /// By column, the first that leads to the same.
    pub same: Vec<usize>,
    /// What matches if nothing is left to read and no word is asked for.
    pub at_the_start: Vec<PatternId>,
}

#[derive(Default)]
pub(super) struct Bases {
    all: Vec<Rc<Base>>,
    known: HashMap<Vec<StateId>, u32, FixedState>,
}

impl Bases {
    pub fn get(&self, id: u32) -> Rc<Base> {
        Rc::clone(&self.all[id as usize])
    }

    /// The base with these loops, and those that come with them.
    pub fn with_loops(
        &mut self,
        loops: Vec<StateId>,
        alphabet: &Alphabet<'_>,
        closure: &mut Closure<'_>,
    ) -> u32 {
        if let Some(id) = self.known.get(&loops) {
            return *id;
        }
        let base = Base::of(loops.clone(), alphabet, closure);
        let id = self.known.get(&base.loops).copied().unwrap_or_else(|| {
            self.known.insert(base.loops.clone(), self.all.len() as u32);
            self.all.push(Rc::new(base));
            self.all.len() as u32 - 1
        });
        self.known.insert(loops, id);
        id
    }
}

impl Base {
    fn of(loops: Vec<StateId>, alphabet: &Alphabet<'_>, closure: &mut Closure<'_>) -> Self {
        let mut all = closure.through_loops(loops);
        all.sort();
        let Reached { waiting, loops, .. } = all;
        let behind = alphabet.moves(&waiting);
        let moves: Vec<_> = behind
            .into_iter()
            .map(|states| closure.up_to_loops(states))
            .collect();
        let first = |of: &Reached| {
            moves
                .iter()
                .position(|other| other == of)
                .unwrap_or_default()
        };
        Self {
            asks: alphabet.words && waiting.iter().any(|state| closure.nfa.is_look(*state)),
            same: moves.iter().map(first).collect(),
            at_the_start: closure
                .resolve(&waiting, Beside::Nothing, Beside::Other)
                .matches,
            loops,
            waiting,
            moves,
        }
    }
}
