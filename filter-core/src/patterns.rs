//! Regular expressions about the name, as automata that run over it.
//!
//! User space makes a few automata out of all patterns; each is a [`Part`]. A part runs over the name from its last
//! octet to its first, since the tails of patterns are mostly literal: on most names it ends within a label. What the
//! automata see is the name in lower case with a dot between two labels and none at the end, whichever form it came in.
//! A dot inside a label, which divides nothing, reads as the octet 0xff.

use core::fmt;

use crate::name::{Name, TEXT_OCTETS};

/// Generations that there may be at once: one in force, and one that is to follow it.
pub const PATTERN_SLOTS: u32 = 2;
/// Parts in a generation, at most.
pub const PARTS: u32 = 16;
/// Ranks that a pattern may have for somebody, above none.
pub const RANKS: u32 = 4;
/// States of a part in which a pattern matches, at most.
pub const PART_MATCHES: usize = 2048;
/// Memory of a part.
pub const PART_BYTES: usize = 1024 * 1024;
/// Transitions of a part, at most: what the rest leaves room for.
pub const PART_CELLS: usize = (PART_BYTES - 32 - 256 - PART_MATCHES * size_of::<PatternMatch>()) / 2;

/// Stands for the rank where there is no such part.
pub(crate) const NO_PART: u32 = u32::MAX;

/// What a match of one or several patterns at once means.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternMatch {
    /// By rank less one, whom it concerns: a bit for each class of clients.
    pub masks: [u32; RANKS as usize],
    /// By rank less one, what is handed back for it.
    pub keys: [u64; RANKS as usize],
}

/// An automaton in a table. A state is a number: 0 is dead, those up to `finals` are matches behind which nothing can
/// follow, those up to `matches` are matches, and the others are none. All but the finals have a row.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Part {
    /// The state before the last octet.
    pub start: u32,
    /// The last state without a row.
    pub finals: u32,
    /// The last state that is a match.
    pub matches: u32,
    /// Columns of a row. The last is for the end of the walk: nothing is left before the first octet.
    pub columns: u32,
    /// The column of a dot between labels.
    pub dot: u32,
    _unused: [u32; 3],
    /// The column of each octet within a label.
    pub octets: [u8; 256],
    /// What the matches mean, from state 1 on.
    pub meanings: [PatternMatch; PART_MATCHES],
    /// The rows, one behind the other: the states that follow.
    pub cells: [u16; PART_CELLS],
}

const _: () = assert!(size_of::<PatternMatch>() == 48);
const _: () = assert!(size_of::<Part>() == PART_BYTES);

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, finals, matches, columns, dot, .. } = self;
        write!(f, "Part {{ start: {start}, finals: {finals}, matches: {matches}, columns: {columns}, dot: {dot}, .. }}")
    }
}

/// Where the parts are: maps in the kernel, whatever holds them in user space.
pub trait Patterns {
    /// A part of the generation in this slot; `None` behind the last.
    fn part(&self, _slot: u32, _index: u32) -> Option<&Part> {
        None
    }

    /// Calls [`better_of_part`]. The kernel has it as a function of its own.
    #[inline(always)]
    fn better_of_part(&self, name: &mut Name, slot: u32, index: u32, classes: u32, rank: u32) -> u32
    where
        Self: Sized,
    {
        better_of_part(name, self, slot, index, classes, rank)
    }
}

/// The highest rank, for these classes of clients, of the patterns that match the name, and its key; of several the
/// first that the walk meets. Rank 0 is none.
#[inline(always)]
pub fn best_pattern<T: Patterns>(name: &mut Name, tables: &T, slot: u32, classes: u32) -> (u32, u64) {
    let mut rank = 0;
    name.set_pattern_key(0);
    for index in 0..PARTS {
        let better = tables.better_of_part(name, slot, index, classes, rank);
        if better == NO_PART {
            break;
        }
        rank = better;
    }
    (rank, name.pattern_key())
}

/// Runs one part. Gives the rank of the best match so far, whose key is left in the name, or [`NO_PART`].
#[inline(always)]
pub fn better_of_part<T: Patterns>(name: &mut Name, tables: &T, slot: u32, index: u32, classes: u32, rank: u32) -> u32 {
    let Some(part) = tables.part(slot, index) else { return NO_PART };
    let mut best = Best { rank, key: name.pattern_key() };
    part.walk(name, |state| {
        if let Some(meaning) = part.meaning(state) {
            best.take_better(meaning, classes);
        }
    });
    name.set_pattern_key(best.key);
    best.rank
}

struct Best {
    rank: u32,
    key: u64,
}

impl Best {
    #[inline(always)]
    fn take_better(&mut self, meaning: &PatternMatch, classes: u32) {
        for ((above, mask), key) in (1..).zip(&meaning.masks).zip(&meaning.keys) {
            if above > self.rank && mask & classes != 0 {
                self.rank = above;
                self.key = *key;
            }
        }
    }
}

impl Part {
    /// A part that matches nothing.
    #[cfg(not(target_arch = "bpf"))]
    pub fn empty() -> Box<Self> {
        // SAFETY: a part is made of integers, of which zeros are some. It is too large to be made on the stack.
        unsafe { Box::new_zeroed().assume_init() }
    }

    /// Calls `on_match` with each state that is a match, on the way from the name's last octet to before its first.
    #[inline(always)]
    pub fn walk(&self, name: &Name, mut on_match: impl FnMut(u32)) {
        /// A state before each octet, one before the end, and the one behind it.
        const STATES: u32 = TEXT_OCTETS + 2;

        let mut state = self.start;
        let mut left = Left::of(name);
        for _ in 0..STATES {
            if state <= self.matches {
                if state != 0 {
                    on_match(state);
                }
                if state <= self.finals {
                    break;
                }
            }
            let column = match left.take(name) {
                Taken::Octet(octet) => self.column(octet),
                Taken::Dot => self.dot,
                Taken::End => self.columns.wrapping_sub(1),
            };
            state = self.next(state, column);
        }
    }

    /// What a match means.
    #[inline(always)]
    pub fn meaning(&self, state: u32) -> Option<&PatternMatch> {
        self.meanings.get(state.wrapping_sub(1) as usize)
    }

    #[inline(always)]
    fn column(&self, octet: u8) -> u32 {
        self.octets.get(usize::from(octet)).copied().unwrap_or_default().into()
    }

    #[inline(always)]
    fn next(&self, state: u32, column: u32) -> u32 {
        let row = state.wrapping_sub(self.finals).wrapping_sub(1);
        let cell = row.wrapping_mul(self.columns).wrapping_add(column);
        self.cells.get(cell as usize).copied().unwrap_or_default().into()
    }
}

/// What is left of the name, which is taken from its end.
struct Left {
    /// Behind the octet that is next.
    at: u32,
    /// Where its label starts.
    start: u32,
    /// Labels before that.
    labels: u32,
}

enum Taken {
    Octet(u8),
    Dot,
    End,
}

impl Left {
    #[inline(always)]
    fn of(name: &Name) -> Self {
        let labels = name.labels();
        // Without a label, nothing is left.
        let (start, at) = if labels == 0 { (0, 0) } else { (name.label_start(labels - 1), name.labels_end()) };
        Self { at, start, labels: labels.saturating_sub(1) }
    }

    #[inline(always)]
    fn take(&mut self, name: &Name) -> Taken {
        if self.at > self.start {
            self.at -= 1;
            return Taken::Octet(name.octet(self.at));
        }
        if self.labels == 0 {
            return Taken::End;
        }
        self.labels -= 1;
        // A dot, or the octet with the label's length.
        self.at = self.start.wrapping_sub(1) & 0xff;
        self.start = name.label_start(self.labels);
        Taken::Dot
    }
}
