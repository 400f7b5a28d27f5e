//! An automaton as the table that the kernel runs.

use filter_core::{Link, Part, PatternMatch};

use super::{
    automaton::{Automaton, State},
    nfa::PatternId,
};

/// A part, and which patterns its matches are.
#[derive(Debug)]
pub struct CompiledPart {
    /// What the kernel runs.
    pub table: Box<Part>,
    /// By match, from state 1 on: the patterns that match there.
    patterns: Vec<Vec<PatternId>>,
    /// States of the automaton with transitions.
    pub rows: usize,
}

impl CompiledPart {
    pub(super) fn of(
        automaton: &Automaton,
        meaning: &mut impl FnMut(&[PatternId]) -> Vec<(u32, PatternMatch)>,
    ) -> Self {
        let order = Order::of(&automaton.states);
        let mut table = Part::empty();
        table.octets = automaton.columns.of;
        table.dot = table.octets[usize::from(b'.')].into();
        // A dot that is read as an octet is inside a label.
        table.octets[usize::from(b'.')] = table.octets[0xff];
        table.columns = automaton.columns.samples.len() as u32 + 1;
        table.start = order.numbers[automaton.start as usize].into();
        (table.finals, table.matches) = (order.finals, order.matches);
        let matches = &order.states[1..=order.matches as usize];
        let patterns: Vec<_> = matches
            .iter()
            .map(|state| automaton.states[*state].matches.clone())
            .collect();
        let mut behind = matches.len();
        for (state, patterns) in patterns.iter().enumerate() {
            let mut last = state;
            for (bank, meaning) in meaning(patterns) {
                let place = if bank == 0 { state } else { behind };
                table.meanings[place] = meaning;
                if bank != 0 {
                    behind += 1;
                    table.links[last] = Link::new(bank, behind as u32);
                    last = place;
                }
            }
        }
        let rows = &order.states[order.finals as usize + 1..];
        let transitions = rows.iter().flat_map(|state| &automaton.states[*state].row);
        for (cell, next) in table.cells.iter_mut().zip(transitions) {
            *cell = order.numbers[*next as usize];
        }
        Self {
            table,
            patterns,
            rows: rows.len(),
        }
    }

    /// The patterns that match in a state.
    pub fn patterns(&self, state: u32) -> &[PatternId] {
        self.patterns
            .get(state.wrapping_sub(1) as usize)
            .map_or(&[], Vec::as_slice)
    }
}

/// The states in the order of the table: dead, finals, other matches, the rest.
struct Order {
    states: Vec<usize>,
    /// The place of each state in this order.
    numbers: Vec<u16>,
    finals: u32,
    matches: u32,
}

impl Order {
    fn of(states: &[State]) -> Self {
        let precedence = |state: &State| match (state.matches.is_empty(), state.row.is_empty()) {
            (true, true) => 0,
            (false, true) => 1,
            (false, false) => 2,
            (true, false) => 3,
        };
        let mut order: Vec<_> = (0..states.len()).collect();
        order.sort_by_key(|state| precedence(&states[*state]));
        let mut numbers = vec![0; states.len()];
        for (number, state) in (0..).zip(&order) {
            numbers[*state] = number;
        }
        let last = |most| {
            states
                .iter()
                .filter(|state| precedence(state) <= most)
                .count() as u32
                - 1
        };
        Self {
            finals: last(1),
            matches: last(2),
            states: order,
            numbers,
        }
    }
}
