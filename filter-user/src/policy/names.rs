//! Many names in little memory.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::store::{Place, Store};
use crate::lists::{Action, ListRule, Sink, Subject};

/// The names of all lists without repetitions, in the order in which they were read.
#[derive(Default)]
pub struct Names {
    pub(super) store: Store,
    pub(super) known: HashTable<Place>,
    // Seeded at random: no publisher of a list can make its names collide.
    hasher: RandomState,
}

/// There are more than [`Names::MOST`] names, or their texts do not fit in 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at most {} names are held", Names::MOST)]
pub struct TooManyNames;

impl Names {
    /// Most names that are held. A rule map for as many takes 2.7 GB of the kernel's memory.
    pub const MOST: u32 = 1 << 25;

    /// Number of names.
    pub fn len(&self) -> u32 {
        self.store.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All names, each with its line.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.store.places_from(0).map(|place| (self.store.name(place), self.store.line(place)))
    }

    /// Begins the next list: what is inserted into it comes from it.
    pub fn list(&mut self, list: &str) -> ListNames<'_> {
        self.store.begin_list(list);
        ListNames(self)
    }
}

/// The names of one list, on their way into [`Names`].
pub struct ListNames<'a>(&'a mut Names);

impl ListNames<'_> {
    /// Whatever a file's size makes one expect, no more room is made than this: 20 MB.
    const MOST_EXPECTED: usize = 1 << 21;

    /// Makes room for about so many names: growing step by step would hash all of them again and again. Names that
    /// do not come cost no memory once the book is made.
    pub fn expect(&mut self, names: u64) {
        let Names { store, known, hasher } = &mut *self.0;
        let names = usize::try_from(names).map_or(Self::MOST_EXPECTED, |names| names.min(Self::MOST_EXPECTED));
        known.reserve(names, |place| hasher.hash_one(store.bytes(*place)));
    }

    /// Adds a canonical name; false if it is there already, from whatever list.
    pub fn insert(&mut self, name: &str, line: u32) -> Result<bool, TooManyNames> {
        let Names { store, known, hasher } = &mut *self.0;
        let hash = hasher.hash_one(name.as_bytes());
        if known.find(hash, |place| store.bytes(*place) == name.as_bytes()).is_some() {
            return Ok(false);
        }
        let place = store.push(name, line).ok_or(TooManyNames)?;
        known.insert_unique(hash, place, |place| hasher.hash_one(store.bytes(*place)));
        Ok(true)
    }
}

/// Takes the names that are blocked, whatever their scope.
impl Sink for ListNames<'_> {
    fn expect(&mut self, rules: u64) {
        ListNames::expect(self, rules);
    }

    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        match rule {
            ListRule { subject: Subject::Name(name, _), action: Action::Block, cancels: false } => {
                self.insert(name, line)
            }
            _ => Ok(true),
        }
    }
}
