//! Rules that say nothing new, as those who look after lists want to know of them.

use super::{kind::Kind, sources::Origin};

/// The rules of a list for names of which earlier rules say the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// How many there are.
    pub rules: u64,
    /// The first few of them, in the order of their lines and names.
    pub first: Vec<RepeatedRule>,
}

/// A rule that says nothing new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepeatedRule {
    /// Its line.
    pub line: u32,
    /// The name that it is about.
    pub name: Box<str>,
    /// What it says of it.
    pub kind: Kind,
}

impl Repeated {
    /// Rules that are kept.
    pub const FIRST: usize = 3;

    fn add(&mut self, rule: RepeatedRule) {
        let place = self.first.partition_point(|known| *known <= rule);
        self.first.insert(place, rule);
        self.first.truncate(Self::FIRST);
    }
}

/// How many rules of each list are the first for their name, and those that repeat others.
#[derive(Default)]
pub(super) struct Tally(Vec<(u64, Repeated)>);

impl Tally {
    /// Counts the first rule for a name.
    pub fn first(&mut self, origin: &Origin) {
        self.of(origin.list).0 += 1;
    }

    /// Counts a rule that says nothing new. Rules that take others out do not count.
    pub fn repeated(&mut self, origin: &Origin, line: u32, name: &[u8]) {
        if origin.cancels {
            return;
        }
        let repeated = &mut self.of(origin.list).1;
        repeated.rules += 1;
        if repeated.first.len() < Repeated::FIRST || repeated.first.last().is_some_and(|last| line <= last.line) {
            let name = String::from_utf8_lossy(name).into();
            repeated.add(RepeatedRule { line, name, kind: origin.kind });
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: Self) {
        for (list, (first, repeated)) in other.0.into_iter().enumerate() {
            let of = self.of(list);
            of.0 += first;
            of.1.rules += repeated.rules;
            repeated.first.into_iter().for_each(|rule| of.1.add(rule));
        }
    }

    /// What was counted for so many lists, in their order.
    pub fn of_lists(mut self, lists: usize) -> Vec<(u64, Repeated)> {
        self.0.resize_with(lists, Default::default);
        self.0
    }

    fn of(&mut self, list: usize) -> &mut (u64, Repeated) {
        if self.0.len() <= list {
            self.0.resize_with(list + 1, Default::default);
        }
        &mut self.0[list]
    }
}
