//! Patterns as one nondeterministic automaton that reads names from the end (Thompson's
//! construction).

use std::{collections::HashMap, mem};

use regex_syntax::{
    hir::{Class, ClassBytes, Hir, HirKind, Look, Repetition},
    utf8::Utf8Sequences,
};

use super::{Refusal, ends_with_the_name, octets::OctetSet};

pub(super) type StateId = u32;
pub(super) type PatternId = u32;

/// States that one pattern may take. The longest of the public lists takes about 100.
const PATTERN_STATES: usize = 4096;

#[derive(Debug)]
pub(super) enum State {
    /// Reads one octet of the set with this number.
    Octet(u32, StateId),
    /// Reads nothing, where this holds.
    Look(Look, StateId),
    /// Reads nothing.
    Fork(Vec<StateId>),
    /// Reads any octet and stays, or reads nothing and goes on: once here, the walk is always here
    /// as well.
    Loop(Vec<StateId>),
    /// The pattern matches whatever is still to be read.
    Match,
}

/// All patterns. Each has states of its own.
#[derive(Debug, Default)]
pub(super) struct Nfa {
    states: Vec<State>,
    /// The pattern of each state.
    owners: Vec<PatternId>,
    patterns: Vec<Pattern>,
    sets: Vec<OctetSet>,
    set_ids: HashMap<OctetSet, u32>,
}

/// Where a pattern is.
#[derive(Debug)]
struct Pattern {
    start: StateId,
    /// Its first state, and the one behind its last.
    states: (StateId, StateId),
    looks_for_words: bool,
}

impl Nfa {
    /// Adds the next pattern, unless there are more states than these then. One that is refused has
    /// its number, too, and matches nothing.
    pub fn push(&mut self, pattern: &Hir, most: usize) -> Result<(), Refusal> {
        let first = self.states.len() as StateId;
        let owner = self.patterns.len() as PatternId;
        let mut built = Builder {
            nfa: self,
            steps: PATTERN_STATES,
        }
        .pattern(pattern);
        if self.states.len() > most {
            built = built.and(Err(Refusal::TooMany));
        }
        if built.is_err() {
            self.states.truncate(first as usize);
        }
        let looks_for_words = pattern.properties().look_set().contains_word();
        self.owners.resize(self.states.len(), owner);
        let start = *built.as_ref().unwrap_or(&first);
        self.patterns.push(Pattern {
            start,
            states: (first, self.states.len() as StateId),
            looks_for_words,
        });
        self.find_loops(first);
        built.map(|_| ())
    }

    pub fn state(&self, id: StateId) -> &State {
        &self.states[id as usize]
    }

    pub fn states(&self) -> usize {
        self.states.len()
    }

    pub fn patterns(&self) -> usize {
        self.patterns.len()
    }

    pub fn owner(&self, id: StateId) -> PatternId {
        self.owners[id as usize]
    }

    pub fn start(&self, pattern: PatternId) -> StateId {
        self.patterns[pattern as usize].start
    }

    pub fn set(&self, id: u32) -> &OctetSet {
        &self.sets[id as usize]
    }

    /// The sets that have to be told apart to run these patterns.
    pub fn sets_of(&self, patterns: &[PatternId]) -> Vec<u32> {
        let mut used = vec![false; self.sets.len()];
        for pattern in patterns.iter().map(|id| &self.patterns[*id as usize]) {
            let (first, end) = pattern.states;
            for state in &self.states[first as usize..end as usize] {
                if let State::Octet(set, _) = state {
                    used[*set as usize] = true;
                }
            }
        }
        (0..self.sets.len() as u32)
            .filter(|set| used[*set as usize])
            .collect()
    }

    /// Loops over any octet in the pattern.
    pub fn loops(&self, pattern: PatternId) -> usize {
        let (first, end) = self.patterns[pattern as usize].states;
        self.states[first as usize..end as usize]
            .iter()
            .filter(|state| matches!(state, State::Loop(_)))
            .count()
    }

    /// The fewest dots that are read before the first loop; `None` if there is no loop.
    pub fn dots_before_loop(&self, pattern: PatternId) -> Option<usize> {
        let dot = OctetSet::of([(b'.', b'.')]);
        let Pattern {
            start,
            states: (first, end),
            ..
        } = self.patterns[pattern as usize];
        let mut seen = vec![false; (end - first) as usize];
        let (mut open, mut behind_dot, mut dots) = (vec![start], Vec::new(), 0);
        while !open.is_empty() {
            while let Some(id) = open.pop() {
                if mem::replace(&mut seen[(id - first) as usize], true) {
                    continue;
                }
                match self.state(id) {
                    State::Loop(_) => return Some(dots),
                    State::Octet(set, next) if self.set(*set) == &dot => behind_dot.push(*next),
                    State::Octet(_, next) | State::Look(_, next) => open.push(*next),
                    State::Fork(ways) => open.extend(ways),
                    State::Match => {}
                }
            }
            open = mem::take(&mut behind_dot);
            dots += 1;
        }
        None
    }

    pub fn look_for_words(&self, patterns: &[PatternId]) -> bool {
        patterns
            .iter()
            .any(|id| self.patterns[*id as usize].looks_for_words)
    }

    pub fn is_look(&self, id: StateId) -> bool {
        matches!(self.state(id), State::Look(..))
    }

    fn set_id(&mut self, set: OctetSet) -> u32 {
        *self.set_ids.entry(set).or_insert_with(|| {
            self.sets.push(set);
            self.sets.len() as u32 - 1
        })
    }

    /// Finds the loops over any octet. One that may end in a match before the first octet is a
    /// match, as in `^.*x`: otherwise states would have to remember of each such pattern that its
    /// `x` was there.
    fn find_loops(&mut self, first: StateId) {
        for id in first..self.states.len() as StateId {
            let State::Fork(ways) = self.state(id) else {
                continue;
            };
            let is_any = |way: &StateId| matches!(self.state(*way), State::Octet(set, next) if *next == id && self.set(*set) == &OctetSet::ALL);
            let (any, others): (Vec<_>, Vec<_>) = ways.iter().copied().partition(is_any);
            if !any.is_empty() {
                let matches = self.matches_at_the_end(first, id);
                self.states[id as usize] = if matches {
                    State::Match
                } else {
                    State::Loop(others)
                };
            }
        }
    }

    fn matches_at_the_end(&self, first: StateId, id: StateId) -> bool {
        let mut seen = vec![false; self.states.len() - first as usize];
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if mem::replace(&mut seen[(id - first) as usize], true) {
                continue;
            }
            let ways: &[StateId] = match self.state(id) {
                State::Match => return true,
                State::Fork(ways) | State::Loop(ways) => ways,
                State::Look(Look::Start, next) => std::slice::from_ref(next),
                State::Look(..) | State::Octet(..) => &[],
            };
            open.extend(ways);
        }
        false
    }
}

/// Builds from the last that is read to the first: each step gets the state that follows it, and
/// gives its own.
struct Builder<'n> {
    nfa: &'n mut Nfa,
    steps: usize,
}

impl Builder<'_> {
    fn pattern(&mut self, pattern: &Hir) -> Result<StateId, Refusal> {
        let last = self.push(State::Match)?;
        let first = self.hir(pattern, last)?;
        // What need not end where the name does has anything behind it.
        if ends_with_the_name(pattern) {
            return Ok(first);
        }
        let skip = self.push(State::Fork(Vec::new()))?;
        let any = self.octet(OctetSet::ALL, skip)?;
        self.nfa.states[skip as usize] = State::Fork(vec![any, first]);
        Ok(skip)
    }

    fn hir(&mut self, hir: &Hir, next: StateId) -> Result<StateId, Refusal> {
        self.steps = self.steps.checked_sub(1).ok_or(Refusal::TooLong)?;
        match hir.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Literal(literal) => literal.0.iter().try_fold(next, |next, octet| {
                self.octet(OctetSet::of([(*octet, *octet)]), next)
            }),
            HirKind::Class(class) => self.class(class, next),
            HirKind::Look(look) => self.look(*look, next),
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
            HirKind::Capture(capture) => self.hir(&capture.sub, next),
            HirKind::Concat(parts) => parts
                .iter()
                .try_fold(next, |next, part| self.hir(part, next)),
            HirKind::Alternation(ways) => {
                let ways = ways
                    .iter()
                    .map(|way| self.hir(way, next))
                    .collect::<Result<_, _>>()?;
                self.push(State::Fork(ways))
            }
        }
    }

    /// Alternatives of one character are a class of characters, whatever they take in octets.
    fn class(&mut self, class: &Class, next: StateId) -> Result<StateId, Refusal> {
        let characters = match class {
            Class::Bytes(class) => return self.octet(set(class), next),
            Class::Unicode(class) => class,
        };
        if let Some(class) = characters.to_byte_class() {
            return self.octet(set(&class), next);
        }
        let ranges = characters
            .iter()
            .flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
        let ways = ranges.map(|range| {
            let octets = range.as_slice().iter();
            octets
                .map(|it| OctetSet::of([(it.start, it.end)]))
                .try_fold(next, |next, set| self.octet(set, next))
        });
        let ways = ways.collect::<Result<_, _>>()?;
        self.push(State::Fork(ways))
    }

    fn look(&mut self, look: Look, next: StateId) -> Result<StateId, Refusal> {
        match look {
            Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF => Err(Refusal::Lines),
            Look::WordUnicode
            | Look::WordUnicodeNegate
            | Look::WordStartUnicode
            | Look::WordEndUnicode
            | Look::WordStartHalfUnicode
            | Look::WordEndHalfUnicode => Err(Refusal::Unicode),
            _ => self.push(State::Look(look, next)),
        }
    }

    fn repetition(&mut self, repetition: &Repetition, next: StateId) -> Result<StateId, Refusal> {
        let Repetition { min, max, sub, .. } = repetition;
        let (mut first, mut copies) = (next, *min);
        if let Some(max) = max {
            for _ in *min..*max {
                let once = self.hir(sub, first)?;
                first = self.push(State::Fork(vec![once, next]))?;
            }
        } else {
            let again = self.push(State::Fork(Vec::new()))?;
            let once = self.hir(sub, again)?;
            self.nfa.states[again as usize] = State::Fork(vec![once, next]);
            first = if *min == 0 { again } else { once };
            copies = min.saturating_sub(1);
        }
        for _ in 0..copies {
            first = self.hir(sub, first)?;
        }
        Ok(first)
    }

    fn octet(&mut self, set: OctetSet, next: StateId) -> Result<StateId, Refusal> {
        let set = self.nfa.set_id(set);
        self.push(State::Octet(set, next))
    }

    fn push(&mut self, state: State) -> Result<StateId, Refusal> {
        self.steps = self.steps.checked_sub(1).ok_or(Refusal::TooLong)?;
        self.nfa.states.push(state);
        Ok(self.nfa.states.len() as StateId - 1)
    }
}

fn set(class: &ClassBytes) -> OctetSet {
    OctetSet::of(class.iter().map(|range| (range.start(), range.end())))
}
