//! Which patterns go into one automaton.
//!
//! Patterns with different tails have an automaton about as large as theirs together. Those with a
//! `.*` behind one tail and before another multiply, whatever they are together with, and go into
//! automata of their own.

use std::{cmp::Reverse, collections::BTreeMap, mem};

use super::{
    Limits, Refusal,
    automaton::{Automaton, Bounds},
    closure::Room,
    nfa::{Nfa, PatternId},
};

/// Patterns, and the automaton of them all.
pub(super) struct Group {
    pub patterns: Vec<PatternId>,
    pub automaton: Automaton,
}

pub(super) struct Grouping<'n> {
    nfa: &'n Nfa,
    limits: &'n Limits,
    room: Room,
    /// Steps that may still be taken.
    steps: u64,
    /// Rows of each pattern's own automaton; `None` for those that are refused.
    rows: Vec<Option<usize>>,
    groups: Vec<Group>,
    refused: Vec<(PatternId, Refusal)>,
}

impl<'n> Grouping<'n> {
    /// The part of an automaton that one pattern may take.
    const SHARE: usize = 4;
    /// Attempts to make one automaton of two.
    const MERGERS: usize = 8;

    pub fn new(nfa: &'n Nfa, limits: &'n Limits) -> Self {
        let steps = limits.steps + limits.steps_per_pattern * nfa.patterns() as u64;
        let rows = vec![None; nfa.patterns()];
        Self {
            nfa,
            limits,
            room: Room::default(),
            steps,
            rows,
            groups: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Groups patterns, of which neighbours are alike.
    pub fn run(mut self, patterns: &[PatternId]) -> (Vec<Group>, Vec<(PatternId, Refusal)>) {
        let patterns = self.fitting_alone(patterns);
        let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pattern in patterns {
            kinds.entry(self.kind(pattern)).or_default().push(pattern);
        }
        for patterns in kinds.values() {
            let mut rest = &patterns[..];
            while !rest.is_empty() {
                let (chunk, behind) = rest.split_at(self.filling(rest));
                self.divide(chunk);
                rest = behind;
            }
        }
        self.merge();
        self.leave_out();
        (self.groups, self.refused)
    }

    /// Works out what each pattern takes, and refuses those that take too much. Those that take
    /// little come first, so that the others cannot use up their time.
    fn fitting_alone(&mut self, patterns: &[PatternId]) -> Vec<PatternId> {
        let cells = self.limits.cells / Self::SHARE;
        let mut larger = Vec::new();
        for pattern in patterns {
            match self.automaton(&[*pattern], cells, self.limits.steps_per_pattern) {
                Some(automaton) => self.rows[*pattern as usize] = Some(automaton.rows()),
                None => larger.push(*pattern),
            }
        }
        let kept = self.limits.steps / 2;
        for pattern in larger {
            let refusal = match self.automaton(&[pattern], cells, self.steps.saturating_sub(kept)) {
                Some(automaton) => {
                    self.rows[pattern as usize] = Some(automaton.rows());
                    continue;
                }
                None if self.steps <= kept => Refusal::OutOfTime,
                None => Refusal::TooLarge,
            };
            self.refused.push((pattern, refusal));
        }
        patterns
            .iter()
            .copied()
            .filter(|pattern| self.rows[*pattern as usize].is_some())
            .collect()
    }

    /// Where loops begin, and whether there are several. A loop behind a short tail goes on beside
    /// what all longer tails lead to.
    fn kind(&self, pattern: PatternId) -> (bool, usize) {
        (
            self.nfa.loops(pattern) > 1,
            self.nfa
                .dots_before_loop(pattern)
                .unwrap_or(usize::MAX)
                .min(2),
        )
    }

    /// How many of these are likely to fill an automaton.
    fn filling(&self, patterns: &[PatternId]) -> usize {
        /// As many as there are in the largest public lists.
        const COLUMNS: usize = 41;

        let mut cells = 0;
        let fits = |pattern: &&PatternId| {
            cells += self.rows[**pattern as usize].unwrap_or_default() * COLUMNS;
            cells <= self.limits.cells
        };
        patterns.iter().take_while(fits).count().max(1)
    }

    /// Makes an automaton of these, or several.
    fn divide(&mut self, patterns: &[PatternId]) {
        if patterns.is_empty() {
            return;
        }
        if let Some(automaton) = self.automaton(patterns, self.limits.cells, u64::MAX) {
            self.groups.push(Group {
                patterns: patterns.to_vec(),
                automaton,
            });
        } else if self.steps == 0 {
            self.refused.extend(
                patterns
                    .iter()
                    .map(|pattern| (*pattern, Refusal::OutOfTime)),
            );
        } else if let [pattern] = patterns {
            self.refused.push((*pattern, Refusal::TooLarge));
        } else {
            let (first, second) = patterns.split_at(patterns.len() / 2);
            self.divide(first);
            self.divide(second);
        }
    }

    /// Joins small groups: each automaton costs time for every name.
    fn merge(&mut self) {
        let mut attempts = Self::MERGERS;
        self.groups.sort_by_key(|group| group.automaton.cells());
        let mut merged: Vec<Group> = Vec::new();
        for group in mem::take(&mut self.groups) {
            let mut group = Some(group);
            for other in &mut merged {
                let Some(one) = group.as_ref() else { break };
                // Tails that both have are there once then.
                let sum = one.automaton.cells() + other.automaton.cells();
                if sum * 3 / 4 > self.limits.cells || attempts == 0 {
                    break;
                }
                let cells = (sum * 3 / 2)
                    .max(self.limits.cells / 8)
                    .min(self.limits.cells);
                attempts -= 1;
                let patterns = [&other.patterns[..], &one.patterns].concat();
                if let Some(automaton) = self.automaton(&patterns, cells, u64::MAX) {
                    *other = Group {
                        patterns,
                        automaton,
                    };
                    group = None;
                }
            }
            merged.extend(group);
        }
        self.groups = merged;
    }

    /// Refuses the groups whose patterns cost most, until there is room for the others.
    fn leave_out(&mut self) {
        let cost =
            |group: &Group| group.automaton.cells() * size_of::<u16>() / group.patterns.len();
        self.groups.sort_by_key(|group| Reverse(cost(group)));
        let excess = self.groups.len().saturating_sub(self.limits.parts);
        for group in self.groups.drain(..excess) {
            let bytes = cost(&group);
            self.refused.extend(
                group
                    .patterns
                    .iter()
                    .map(|pattern| (*pattern, Refusal::NoRoom { bytes })),
            );
        }
    }

    fn automaton(&mut self, patterns: &[PatternId], cells: usize, steps: u64) -> Option<Automaton> {
        let Limits {
            matches,
            steps_each,
            ..
        } = *self.limits;
        let bounds = Bounds {
            cells,
            matches,
            steps: steps.min(steps_each).min(self.steps),
        };
        let (automaton, steps) = Automaton::of(self.nfa, patterns, &bounds, &mut self.room);
        self.steps = self.steps.saturating_sub(steps);
        automaton
    }
}
