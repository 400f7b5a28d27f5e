//! What can be reached without reading an octet.

use std::mem;

use regex_syntax::hir::Look;

use super::nfa::{Nfa, PatternId, State, StateId};

/// What is on one side of a place in the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Beside {
    /// The name starts or ends here.
    Nothing,
    /// What `\w` matches.
    Word,
    Other,
}

/// What was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// The states that wait for an octet, or for what is on the left while that is not known.
    pub waiting: Vec<StateId>,
    pub loops: Vec<StateId>,
    pub matches: Vec<PatternId>,
}

impl Reached {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.loops.is_empty() && self.matches.is_empty()
    }

    pub fn extend(&mut self, other: &Self) {
        self.waiting.extend(&other.waiting);
        self.loops.extend(&other.loops);
        self.matches.extend(&other.matches);
    }

    /// Puts all in order, each once.
    pub fn sort(&mut self) {
        for list in [&mut self.waiting, &mut self.loops, &mut self.matches] {
            list.sort_unstable();
            list.dedup();
        }
    }
}

/// Marks of the states that were seen, which all constructions share.
#[derive(Debug, Default)]
pub(super) struct Room {
    seen: Vec<u32>,
    mark: u32,
}

pub(super) struct Closure<'n> {
    pub nfa: &'n Nfa,
    room: &'n mut Room,
    /// States that were looked at so far.
    pub steps: u64,
}

impl<'n> Closure<'n> {
    pub fn new(nfa: &'n Nfa, room: &'n mut Room) -> Self {
        room.seen.resize(nfa.states(), 0);
        Self {
            nfa,
            room,
            steps: 0,
        }
    }

    /// From these states, before any octet is read.
    pub fn at_the_end(&mut self, states: Vec<StateId>) -> Reached {
        self.walk(states, None, Beside::Nothing, true)
    }

    /// From these states, with some octet on the right. What is behind the loops is left out.
    pub fn up_to_loops(&mut self, states: Vec<StateId>) -> Reached {
        self.walk(states, None, Beside::Other, false)
    }

    /// The same, with what is behind the loops.
    pub fn through_loops(&mut self, states: Vec<StateId>) -> Reached {
        self.walk(states, None, Beside::Other, true)
    }

    /// From those of the states that wait for what is on the left, which is now known.
    pub fn resolve(&mut self, waiting: &[StateId], left: Beside, right: Beside) -> Reached {
        let looks = waiting
            .iter()
            .copied()
            .filter(|state| matches!(self.nfa.state(*state), State::Look(..)));
        self.walk(looks.collect(), Some(left), right, true)
    }

    fn walk(
        &mut self,
        mut open: Vec<StateId>,
        left: Option<Beside>,
        right: Beside,
        through: bool,
    ) -> Reached {
        let mut reached = Reached::default();
        self.room.mark += 1;
        while let Some(id) = open.pop() {
            self.steps += 1;
            if mem::replace(&mut self.room.seen[id as usize], self.room.mark) == self.room.mark {
                continue;
            }
            match self.nfa.state(id) {
                State::Octet(..) => reached.waiting.push(id),
                State::Match => reached.matches.push(self.nfa.owner(id)),
                State::Fork(ways) => open.extend(ways),
                State::Loop(ways) => {
                    reached.loops.push(id);
                    open.extend(ways.iter().filter(|_| through));
                }
                State::Look(look, next) => match holds(*look, left, right) {
                    Some(true) => open.push(*next),
                    Some(false) => {}
                    None => reached.waiting.push(id),
                },
            }
        }
        reached
    }
}

/// Whether this holds between what is left and right; `None` if what is left decides.
fn holds(look: Look, left: Option<Beside>, right: Beside) -> Option<bool> {
    if look == Look::End {
        return Some(right == Beside::Nothing);
    }
    let left = left?;
    let (before, behind) = (left == Beside::Word, right == Beside::Word);
    Some(match look {
        Look::Start => left == Beside::Nothing,
        Look::WordAscii => before != behind,
        Look::WordAsciiNegate => before == behind,
        Look::WordStartAscii => !before && behind,
        Look::WordEndAscii => before && !behind,
        Look::WordStartHalfAscii => !before,
        Look::WordEndHalfAscii => !behind,
        _ => false,
    })
}
