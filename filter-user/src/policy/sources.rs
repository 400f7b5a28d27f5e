//! Where the rules for a name came from, if more than one list has it.

use std::collections::HashSet;

use super::{
    entries::{Entries, Index},
    store::Kind,
};

/// One rule for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The number of its list.
    pub list: usize,
    /// Its line there.
    pub line: u32,
    pub kind: Kind,
    /// True if another rule takes it out.
    pub cancelled: bool,
}

/// A further rule for a name that was there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repeat {
    pub index: Index,
    pub list: u16,
    pub kind: Kind,
    pub line: u32,
}

/// The rules beyond the first for each name: 12 bytes each.
#[derive(Default)]
pub(super) struct Sources {
    repeats: Vec<Repeat>,
    cancelled: HashSet<(Index, Kind)>,
}

impl Sources {
    pub fn repeat(&mut self, index: Index, list: usize, kind: Kind, line: u32) {
        // Lists beyond these are told apart no more.
        let list = u16::try_from(list).unwrap_or(u16::MAX);
        self.repeats.push(Repeat { index, list, kind, line });
    }

    /// Brings them in order: of equal ones in a list, the first stays.
    pub fn sort(&mut self) {
        self.repeats.sort_unstable();
        self.repeats.dedup_by_key(|repeat| (repeat.index, repeat.list, repeat.kind));
        self.repeats.shrink_to_fit();
    }

    /// Takes all rules of this kind for a name out.
    pub fn cancel(&mut self, index: Index, kind: Kind) {
        self.cancelled.insert((index, kind));
    }

    /// All rules for a name, in the order of their lists. A line of 0 says that there is none: the rule that takes others
    /// out came first.
    pub fn of<'s>(&'s self, entries: &Entries, index: Index) -> impl Iterator<Item = Source> + use<'s> {
        let place = entries.place(index);
        let store = &entries.store;
        let first = (store.list(place), store.line(place), store.kind(place));
        let start = self.repeats.partition_point(|repeat| repeat.index < index);
        let repeats = self.repeats.get(start..).unwrap_or_default().iter().take_while(move |it| it.index == index);
        let more = repeats.map(|repeat| (usize::from(repeat.list), repeat.line, repeat.kind));
        std::iter::once(first).chain(more).filter(|(_, line, _)| *line != 0).map(move |(list, line, kind)| Source {
            list,
            line,
            kind,
            cancelled: self.cancelled.contains(&(index, kind)),
        })
    }

    /// The further rules, and the kinds that are taken out.
    pub fn into_parts(self) -> (Vec<Repeat>, Vec<(Index, Kind)>) {
        (self.repeats, self.cancelled.into_iter().collect())
    }
}
