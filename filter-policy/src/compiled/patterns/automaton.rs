//! Some of the patterns as one deterministic automaton (subset construction).
//!
//! A match is told when it is there, and no state remembers it: that keeps patterns that may begin
//! anywhere from multiplying. The same pattern may match again further on.

use std::{collections::HashMap, mem};

use foldhash::fast::FixedState;

use super::{
    alphabet::Alphabet,
    bases::{Base, Bases},
    closure::{Beside, Closure, Reached, Room},
    nfa::{Nfa, PatternId, StateId},
    octets::Columns,
};

/// What one automaton may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Transitions.
    pub cells: usize,
    /// States in which something matches.
    pub matches: usize,
    /// Steps of the construction; one takes some nanoseconds.
    pub steps: u64,
}

#[derive(Debug)]
pub(super) struct Automaton {
    pub columns: Columns,
    /// The first is dead.
    pub states: Vec<State>,
    pub start: u32,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The patterns that match here.
    pub matches: Vec<PatternId>,
    /// The state behind each column, and behind the end; empty if that is always the dead one.
    pub row: Vec<u32>,
}

impl Automaton {
    const DEAD: u32 = 0;

    /// The automaton, unless it takes more than the bounds, and the steps until that was clear.
    pub fn of(
        nfa: &Nfa,
        patterns: &[PatternId],
        bounds: &Bounds,
        room: &mut Room,
    ) -> (Option<Self>, u64) {
        let mut builder = Builder::new(nfa, patterns, room);
        let start = builder.start(patterns);
        while let Some((id, set)) = builder.open.pop() {
            builder.states[id as usize].row = builder.row(&set);
            if builder.exceeds(bounds) {
                return (None, builder.closure.steps);
            }
        }
        let Builder {
            alphabet,
            states,
            closure,
            ..
        } = builder;
        (
            Some(Self {
                columns: alphabet.columns,
                states,
                start,
            }),
            closure.steps,
        )
    }

    pub fn rows(&self) -> usize {
        self.states
            .iter()
            .filter(|state| !state.row.is_empty())
            .count()
    }

    /// Transitions of all rows.
    pub fn cells(&self) -> usize {
        self.states.iter().map(|state| state.row.len()).sum()
    }
}

/// Where the nondeterministic automaton may be, and what was just matched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Set {
    base: u32,
    /// The states that are not in the base, in order.
    others: Vec<StateId>,
    /// What was read last, as far as it matters.
    right: Beside,
    matches: Vec<PatternId>,
}

struct Builder<'n> {
    alphabet: Alphabet<'n>,
    closure: Closure<'n>,
    bases: Bases,
    states: Vec<State>,
    known: HashMap<Set, u32, FixedState>,
    /// States whose row is still to be made.
    open: Vec<(u32, Set)>,
    /// By base and column: the state behind the base.
    alone: HashMap<(u32, usize), u32, FixedState>,
    rows: usize,
    matches: usize,
}

impl<'n> Builder<'n> {
    fn new(nfa: &'n Nfa, patterns: &[PatternId], room: &'n mut Room) -> Self {
        Self {
            alphabet: Alphabet::of(nfa, patterns),
            closure: Closure::new(nfa, room),
            bases: Bases::default(),
            states: vec![State::default()],
            known: HashMap::default(),
            open: Vec::new(),
            alone: HashMap::default(),
            rows: 0,
            matches: 0,
        }
    }

    fn exceeds(&self, bounds: &Bounds) -> bool {
        self.rows * (self.alphabet.len() + 1) > bounds.cells
            || self.matches > bounds.matches
            || self.states.len() > usize::from(u16::MAX)
            || self.closure.steps > bounds.steps
    }

    fn start(&mut self, patterns: &[PatternId]) -> u32 {
        let states = patterns
            .iter()
            .map(|pattern| self.closure.nfa.start(*pattern))
            .collect();
        let reached = self.closure.at_the_end(states);
        let none = self
            .bases
            .with_loops(Vec::new(), &self.alphabet, &mut self.closure);
        self.state_behind(none, reached, Beside::Nothing)
    }

    /// The states behind this one: by column, and at the end.
    fn row(&mut self, set: &Set) -> Vec<u32> {
        let base = self.bases.get(set.base);
        let other = self.ways(set, &base, Beside::Other);
        let word = if self.alphabet.words {
            self.ways(set, &base, Beside::Word)
        } else {
            Ways::default()
        };
        let ways = [other, word];
        let mut row = Vec::with_capacity(self.alphabet.len() + 1);
        for column in 0..self.alphabet.len() {
            let beside = self.alphabet.beside[column];
            let Ways { moved, before } = &ways[usize::from(beside == Beside::Word)];
            row.push(if moved[column].is_empty() && before.is_empty() {
                self.behind_base(set.base, &base, column)
            } else {
                let alike = |other: &usize| {
                    let beside_too = self.alphabet.beside[*other] == beside;
                    moved[*other] == moved[column]
                        && base.same[*other] == base.same[column]
                        && beside_too
                };
                let next = (0..column).find(alike).map(|other| row[other]);
                next.unwrap_or_else(|| {
                    let mut reached = self.closure.up_to_loops(moved[column].clone());
                    reached.extend(&base.moves[column]);
                    reached.extend(before);
                    self.state_behind(set.base, reached, beside)
                })
            });
        }
        row.push(self.last(set, &base));
        self.closure.steps += row.len() as u64;
        row
    }

    /// Where a column leads if nothing is there but the loops.
    fn behind_base(&mut self, id: u32, base: &Base, column: usize) -> u32 {
        if let Some(known) = self.alone.get(&(id, column)) {
            return *known;
        }
        let state = self.state_behind(id, base.moves[column].clone(), self.alphabet.beside[column]);
        self.alone.insert((id, column), state);
        state
    }

    /// Where each column leads if it is this on the left, beside what the base does.
    fn ways(&mut self, set: &Set, base: &Base, left: Beside) -> Ways {
        let mut before = Reached::default();
        if self.alphabet.words {
            before = self.closure.resolve(&set.others, left, set.right);
            before.extend(&self.closure.resolve(&base.waiting, left, set.right));
        }
        let octets = mem::take(&mut before.waiting);
        let moved = self.alphabet.moves(set.others.iter().chain(&octets));
        self.closure.steps += moved.iter().map(|states| states.len() as u64).sum::<u64>();
        Ways { moved, before }
    }

    /// The state behind the end of the walk.
    fn last(&mut self, set: &Set, base: &Base) -> u32 {
        let mut matches = self
            .closure
            .resolve(&set.others, Beside::Nothing, set.right)
            .matches;
        if base.asks || set.right == Beside::Nothing {
            matches.extend(
                self.closure
                    .resolve(&base.waiting, Beside::Nothing, set.right)
                    .matches,
            );
        } else {
            matches.extend(&base.at_the_start);
        }
        matches.sort_unstable();
        matches.dedup();
        let none = self
            .bases
            .with_loops(Vec::new(), &self.alphabet, &mut self.closure);
        self.id_of(
            Set {
                base: none,
                others: Vec::new(),
                right: Beside::Other,
                matches,
            },
            false,
        )
    }

    /// The state in which this is reached, from one with this base.
    fn state_behind(&mut self, base: u32, mut reached: Reached, right: Beside) -> u32 {
        reached.sort();
        let (mut id, mut base) = (base, self.bases.get(base));
        let Reached {
            waiting: mut others,
            mut loops,
            matches,
        } = reached;
        loops.retain(|state| base.loops.binary_search(state).is_err());
        if !loops.is_empty() {
            loops.extend(&base.loops);
            loops.sort_unstable();
            id = self
                .bases
                .with_loops(loops, &self.alphabet, &mut self.closure);
            base = self.bases.get(id);
        }
        others.retain(|state| base.waiting.binary_search(state).is_err());
        let asks = base.asks
            || right == Beside::Nothing
            || (self.alphabet.words && others.iter().any(|state| self.closure.nfa.is_look(*state)));
        let goes_on = !base.loops.is_empty() || !others.is_empty();
        self.id_of(
            Set {
                base: id,
                others,
                right: if asks { right } else { Beside::Other },
                matches,
            },
            goes_on,
        )
    }

    fn id_of(&mut self, set: Set, goes_on: bool) -> u32 {
        if !goes_on && set.matches.is_empty() {
            return Automaton::DEAD;
        }
        if let Some(id) = self.known.get(&set) {
            return *id;
        }
        let id = self.states.len() as u32;
        self.states.push(State {
            matches: set.matches.clone(),
            row: Vec::new(),
        });
        self.matches += usize::from(!set.matches.is_empty());
        if goes_on {
            self.rows += 1;
            self.open.push((id, set.clone()));
        }
        self.known.insert(set, id);
        id
    }
}

#[derive(Default)]
struct Ways {
    /// By column: where it leads.
    moved: Vec<Vec<StateId>>,
    /// What is reached and matches before a column is read.
    before: Reached,
}
