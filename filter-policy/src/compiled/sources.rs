//! Where the rules for a name came from.

use std::collections::HashMap;

use super::{ListInfo, kind::Kind, list_numbers::ListNumbers, table::Index};

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
    /// The number of the list of the first rule that does.
    pub cancelled_by: Option<usize>,
}

/// A kind of rules for a name that another rule takes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cancelled {
    pub index: Index,
    pub kind: Kind,
    /// The number of that rule's list.
    pub by: u16,
}

/// A further rule for a name that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repeat {
    pub index: Index,
    pub list: u16,
    pub kind: Kind,
    pub line: u32,
}

/// What many rules have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// The number of their list.
    pub list: usize,
    pub kind: Kind,
    /// True if they are there to take equal ones out.
    pub cancels: bool,
}

impl Origin {
    /// The number of the list as it is written down.
    pub fn list_number(&self) -> u16 {
        // Lists beyond these are told apart no more.
        u16::try_from(self.list).unwrap_or(u16::MAX)
    }
}

/// The origins of rules, each once, in the order in which they came.
#[derive(Default)]
pub(super) struct Origins {
    all: Vec<Known>,
    numbers: HashMap<Origin, u32>,
    /// Most rules of a list are of the origin of the one before.
    last: u32,
}

/// An origin, and what its rules ask for beside their kind.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub origin: Origin,
    /// The audience of the list.
    pub audience: u32,
    /// The number of the list in the kernel, if the rules are not there to take others out.
    pub list_number: u16,
}

impl Origins {
    /// The number of an origin in one of these lists. The kernel's numbers of lists are given in
    /// the order in which they are asked for.
    pub fn number(&mut self, origin: Origin, lists: &[ListInfo], numbers: &mut ListNumbers) -> u32 {
        if self
            .all
            .get(self.last as usize)
            .is_some_and(|known| known.origin == origin)
        {
            return self.last;
        }
        let Self {
            all,
            numbers: known,
            ..
        } = self;
        self.last = *known.entry(origin).or_insert_with(|| {
            let list_number = if origin.cancels {
                0
            } else {
                numbers.number(origin.list, origin.kind.answer())
            };
            let audience = lists
                .get(origin.list)
                .map_or(0, |list| list.audience.into());
            all.push(Known {
                origin,
                audience,
                list_number,
            });
            all.len() as u32 - 1
        });
        self.last
    }

    /// The one with this number.
    pub fn get(&self, number: u32) -> &Known {
        &self.all[number as usize]
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.all.iter().map(|known| &known.origin)
    }
}
