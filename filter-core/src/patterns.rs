//! Regular expressions about the name, as automata that run over it.
//!
//! User space makes a few automata out of all patterns; each is a [`Part`]. A part runs over the
//! name from its last octet to its first, since the tails of patterns are mostly literal: on most
//! names it ends within a label. What the automata see is the name in lower case with a dot between
//! two labels and none at the end, whichever form it came in. A dot inside a label, which divides
//! nothing, reads as the octet 0xff.

#[cfg(test)]
mod tests;

use core::{fmt, ops::ControlFlow};

use zerocopy::{FromBytes, Immutable, IntoBytes};

pub use crate::name::Link;
use crate::{
    abi::{
        ActivePolicy, BANKS, BlockingLists, Generation, Masks, Precedence, highest_precedence,
        list_of,
    },
    hash::RuleKey,
    loops::LoopBody,
    name::{Found, Name, TEXT_OCTETS},
    subprograms,
};

/// Generations that there may be at once: one in force, and one that is to follow it.
pub const PATTERN_SLOTS: u32 = 2;
/// Parts in a generation, at most.
pub const PARTS: u32 = 16;
/// States of a part in which a pattern matches, at most.
pub const PART_MATCHES: usize = 2048;
/// Memory of a part.
pub const PART_BYTES: usize = 1024 * 1024;
/// Transitions of a part, at most: what the rest leaves room for.
pub const PART_CELLS: usize =
    (PART_BYTES - 32 - 256 - PART_MATCHES * (size_of::<PatternMatch>() + size_of::<u32>())) / 2;

/// What a match of one or several patterns at once means, of one bank of audiences.
#[repr(C)]
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
)]
pub struct PatternMatch {
    /// Which audiences of lists say so.
    pub masks: Masks,
    /// The first lists that block.
    pub lists: BlockingLists,
    /// For each precedence, the key of a pattern that has it.
    pub keys: [u64; Precedence::RULES],
}

/// An automaton in a table. A state is a number: 0 is dead, those up to `finals` are matches behind
/// which nothing can follow, those up to `matches` are matches, and the others are none. All but
/// the finals have a row.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Part {
    /// The state before the last octet.
    pub start: u32,
    /// The last state without a row.
    pub finals: u32,
    /// The last state that is a match.
    pub matches: u32,
    /// Columns of a row. The last is for the end of the walk: nothing is left before the first
    /// octet.
    pub columns: u32,
    /// The column of a dot between labels.
    pub dot: u32,
    _unused: [u32; 3],
    /// The column of each octet within a label.
    pub octets: [u8; 256],
    /// What the matches mean, from state 1 on, of the first bank of audiences; behind the last,
    /// what they mean of further banks.
    pub meanings: [PatternMatch; PART_MATCHES],
    /// For each of these, where that of the next bank is.
    pub links: [Link; PART_MATCHES],
    /// The rows, one behind the other: the states that follow.
    pub cells: [u16; PART_CELLS],
}

const _: () = assert!(size_of::<PatternMatch>() == 64);
const _: () = assert!(size_of::<Part>() == PART_BYTES);

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            start,
            finals,
            matches,
            columns,
            dot,
            ..
        } = self;
        write!(
            f,
            "Part {{ start: {start}, finals: {finals}, matches: {matches}, columns: {columns}, dot: {dot}, .. }}"
        )
    }
}

/// Makes a method of each subprogram for patterns.
macro_rules! pattern_methods {
    ([]) => {};
    ([] pattern { $($method:ident(part: $kind:ty $(, $argument:ident: $more:ty)*) -> $result:ty;)* } $($rest:tt)*) => {
        $(
            #[doc = concat!("Calls [`Part::", stringify!($method), "`].")]
            #[inline(always)]
            fn $method(&self, part: $kind $(, $argument: $more)*) -> $result {
                part.$method($($argument),*)
            }
        )*
        pattern_methods! { [] $($rest)* }
    };
    ([] parts { $($function:ident($($argument:ident: $kind:ty),*) -> $result:ty;)* } $($rest:tt)*) => {
        $(
            #[doc = concat!("Calls [`", stringify!($function), "`].")]
            #[inline(always)]
            fn $function(&self, $($argument: $kind),*) -> $result
            where
                Self: Sized,
            {
                $function(self, $($argument),*)
            }
        )*
        pattern_methods! { [] $($rest)* }
    };
    ([] $other:ident $lines:tt $($rest:tt)*) => { pattern_methods! { [] $($rest)* } };
}

/// Where the parts are: maps in the kernel, whatever holds them in user space.
pub trait Patterns {
    /// A part of the generation in this slot; `None` behind the last.
    fn part(&self, _slot: u32, _index: u32) -> Option<&Part> {
        None
    }

    /// The audiences of a bank that apply to a group: `word` is where the group's row begins
    /// ([`ActivePolicy::row`]), and the number of the bank.
    #[inline(always)]
    fn audiences(&self, _word: u32, _generation: Generation) -> u32 {
        u32::MAX
    }

    /// Runs such a walk over one part. The kernel has `bpf_loop` do it.
    #[inline(always)]
    fn walk_banks(&self, name: &mut Name, walk: &BankWalk<'_, Self>)
    where
        Self: Sized,
    {
        for _ in 0..BankWalk::<Self>::TURNS {
            if walk.turn(name).is_break() {
                break;
            }
        }
    }

    subprograms! { pattern_methods }
}

/// Lets the patterns have their say. One that prevails over what was found for the name so far is
/// left in the name; of several, the first that the walk meets.
#[inline(always)]
pub fn run_parts<R: Patterns>(name: &mut Name, tables: &R, in_force: ActivePolicy) {
    for index in 0..PARTS {
        if !tables.run_part(name, in_force, index) {
            break;
        }
    }
}

/// Runs one part, as [`run_parts`] does; false if there is no such part.
#[inline(always)]
pub fn run_part<T: Patterns>(
    tables: &T,
    name: &mut Name,
    in_force: ActivePolicy,
    index: u32,
) -> bool {
    let Some(part) = tables.part(in_force.generation().index(), index) else {
        return false;
    };
    name.begin_walk(part.start);
    if in_force.has_banks() {
        tables.walk_banks(
            name,
            &BankWalk {
                part,
                tables,
                in_force,
            },
        );
    } else {
        for _ in 0..STATES {
            if !tables.step_to_best(part, name) {
                break;
            }
        }
    }
    name.add_steps(name.labels_end().wrapping_sub(name.walk.at) + 1);
    true
}

/// A walk over a part where matches may mean something in several banks. A turn goes on by an
/// octet, or lets what a match means in one bank have its say. One loop for both: inner loops would
/// have the verifier go through all banks for each octet.
#[derive(Debug)]
pub struct BankWalk<'a, R> {
    part: &'a Part,
    tables: &'a R,
    in_force: ActivePolicy,
}

impl<R> BankWalk<'_, R> {
    /// Each state has a turn, and each bank of each.
    pub const TURNS: u32 = STATES * (1 + BANKS);
}

impl<R: Patterns> LoopBody<Name> for BankWalk<'_, R> {
    #[inline(always)]
    fn turn(&self, name: &mut Name) -> ControlFlow<()> {
        let link = name.walk.link;
        if !link.is_none() {
            let bank = link.bank();
            let audiences = self
                .tables
                .audiences(name.row() + bank, self.in_force.generation());
            if let Some(meaning) = self.part.meaning(link.place()) {
                name.take_better(meaning, (bank, audiences));
            }
            name.walk.link = self.part.link_at(link.place());
            return ControlFlow::Continue(());
        }
        let mut match_at = 0;
        let step = self.part.step(name, |_, state| match_at = state);
        if match_at != 0 {
            name.walk.link = Link::new(0, match_at);
        }
        if step.is_break() {
            // Nothing follows the state, but what it means.
            name.walk.state = 0;
            if match_at == 0 {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

/// A state before each octet, one before the end, and the one behind it.
const STATES: u32 = TEXT_OCTETS + 2;

impl Part {
    /// A part that matches nothing.
    #[cfg(not(target_arch = "bpf"))]
    pub fn empty() -> Box<Self> {
        // SAFETY: a part is made of integers, of which zeros are some. It is too large to be made
        // on the stack.
        unsafe { Box::new_zeroed().assume_init() }
    }

    /// Calls `on_match` with each state that is a match, on the way from the name's last octet to
    /// before its first.
    #[cfg(not(target_arch = "bpf"))]
    pub fn walk(&self, name: &mut Name, mut on_match: impl FnMut(u32)) {
        name.begin_walk(self.start);
        for _ in 0..STATES {
            if self.step(name, |_, state| on_match(state)).is_break() {
                break;
            }
        }
    }

    /// Goes on by an octet, as [`run_parts`] does; false if that was all.
    #[inline(always)]
    pub fn step_to_best(&self, name: &mut Name) -> bool {
        let step = self.step(name, |name, state| {
            if let Some(meaning) = self.meaning(state) {
                let of_first = (0, name.audiences());
                name.take_better(meaning, of_first);
            }
        });
        step.is_continue()
    }

    #[inline(always)]
    fn step(&self, name: &mut Name, mut on_match: impl FnMut(&mut Name, u32)) -> ControlFlow<()> {
        let state = name.walk.state;
        if state <= self.matches {
            if state != 0 {
                on_match(name, state);
            }
            if state <= self.finals {
                return ControlFlow::Break(());
            }
        }
        let column = match name.take_last() {
            Taken::Octet(octet) => self.column(octet),
            Taken::Dot => self.dot,
            Taken::End => self.columns.wrapping_sub(1),
        };
        name.walk.state = self.next(state, column);
        ControlFlow::Continue(())
    }

    /// What a match means.
    #[inline(always)]
    pub fn meaning(&self, state: u32) -> Option<&PatternMatch> {
        // A power of two: the mask keeps every index inside, where the verifier sees it.
        self.meanings
            .get(state.wrapping_sub(1) as usize & (PART_MATCHES - 1))
    }

    /// Where is what a match means in the bank behind the one at this place?
    #[inline(always)]
    fn link_at(&self, place: u32) -> Link {
        self.links
            .get(place.wrapping_sub(1) as usize & (PART_MATCHES - 1))
            .copied()
            .unwrap_or_default()
    }

    #[inline(always)]
    fn column(&self, octet: u8) -> u32 {
        self.octets
            .get(usize::from(octet))
            .copied()
            .unwrap_or_default()
            .into()
    }

    #[inline(always)]
    fn next(&self, state: u32, column: u32) -> u32 {
        let row = state.wrapping_sub(self.finals).wrapping_sub(1);
        let cell = row.wrapping_mul(self.columns).wrapping_add(column);
        self.cells
            .get(cell as usize)
            .copied()
            .unwrap_or_default()
            .into()
    }
}

enum Taken {
    Octet(u8),
    Dot,
    End,
}

impl Name {
    #[inline(always)]
    fn take_better(&mut self, meaning: &PatternMatch, (bank, audiences): (u32, u32)) {
        let precedence = highest_precedence(&meaning.masks, audiences);
        if precedence <= self.precedence() {
            return;
        }
        let (key, mask) = (
            meaning.keys.get(precedence.place()),
            meaning.masks.get(precedence.place()),
        );
        if let (Some(key), Some(mask)) = (key, mask) {
            let (audiences, list) = (mask & audiences, list_of(&meaning.lists, precedence));
            self.set_found(Found {
                precedence,
                key: RuleKey(*key),
                audiences,
                bank,
                list,
                labels: 0,
            });
        }
    }

    /// All of the name is left.
    #[inline(always)]
    fn begin_walk(&mut self, state: u32) {
        let labels = self.labels();
        // Without a label, nothing is left.
        let (start, at) = if labels == 0 {
            (0, 0)
        } else {
            (self.label_start(labels - 1), self.labels_end())
        };
        self.walk.state = state;
        self.walk.at = at;
        self.walk.start = start;
        self.walk.labels = labels.saturating_sub(1);
        self.walk.link = Link::default();
    }

    /// Takes the last octet of what is left.
    #[inline(always)]
    fn take_last(&mut self) -> Taken {
        if self.walk.at > self.walk.start {
            self.walk.at -= 1;
            return Taken::Octet(self.octet(self.walk.at));
        }
        if self.walk.labels == 0 {
            return Taken::End;
        }
        self.walk.labels -= 1;
        // A dot, or the octet with the label's length.
        self.walk.at = self.walk.start.wrapping_sub(1) & 0xff;
        self.walk.start = self.label_start(self.walk.labels);
        Taken::Dot
    }
}
