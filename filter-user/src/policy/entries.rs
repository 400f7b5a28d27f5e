//! The names that rules are about, each once, with all that the rules say, while lists are read.

use filter_core::{HashKey, RuleKey, Terms};
use hashbrown::HashTable;

use super::store::{Kind, Place, Store};

/// Number of an entry, in the order in which the names came.
pub(super) type Index = u32;

/// Names by key. In the table lie numbers only: 26 bytes a name beside its record, with the table's free room.
#[derive(Default)]
pub(super) struct Entries {
    pub store: Store,
    keys: Vec<RuleKey>,
    places: Vec<Place>,
    /// The number of the terms; with [`REDUNDANT`] for what another entry does as well.
    terms: Vec<u16>,
    table: HashTable<Index>,
}

/// What the rules for a name ask for is what those for a name above it do as well.
pub(super) const REDUNDANT: u16 = 1 << 15;

/// What became of a name.
pub(super) enum Entered {
    /// It is new.
    New(Index),
    /// It is there.
    Known(Index),
    /// Another name has its key.
    Collides(Index),
    /// There is no room for it.
    Full,
}

impl Entries {
    pub fn len(&self) -> Index {
        self.keys.len() as Index
    }

    /// Makes room for so many more: growing step by step would move all of them again and again.
    pub fn reserve(&mut self, more: usize) {
        let Self { keys, table, .. } = self;
        table.reserve(more, |index| keys[*index as usize].0);
    }

    /// Adds a name, which a rule of this kind in this line is about.
    pub fn enter(&mut self, key: RuleKey, name: &str, kind: Kind, line: u32) -> Entered {
        let Self { store, keys, places, terms, table } = self;
        if let Some(index) = table.find(key.0, |index| keys[*index as usize] == key) {
            let known = store.name(places[*index as usize]) == name;
            return if known { Entered::Known(*index) } else { Entered::Collides(*index) };
        }
        let Some(place) = store.push(name, kind, line) else { return Entered::Full };
        let index = keys.len() as Index;
        keys.push(key);
        places.push(place);
        terms.push(Terms::NONE);
        table.insert_unique(key.0, index, |index| keys[*index as usize].0);
        Entered::New(index)
    }

    pub fn find(&self, key: RuleKey) -> Option<Index> {
        self.table.find(key.0, |index| self.keys[*index as usize] == key).copied()
    }

    pub fn place(&self, index: Index) -> Place {
        self.places[index as usize]
    }

    pub fn name(&self, index: Index) -> &str {
        self.store.name(self.place(index))
    }

    /// The number of its terms, whether another entry does as well or not.
    pub fn terms(&self, index: Index) -> u16 {
        self.terms[index as usize] & !REDUNDANT
    }

    pub fn set_terms(&mut self, index: Index, number: u16) {
        self.terms[index as usize] = number;
    }

    pub fn set_redundant(&mut self, index: Index) {
        self.terms[index as usize] |= REDUNDANT;
    }

    /// The keys of the names above this one, without its own, the nearest to the root first.
    pub fn above(&self, hash_key: &HashKey, index: Index) -> impl Iterator<Item = RuleKey> {
        let above = self.name(index).split_once('.').map(|(_, above)| above);
        above.into_iter().flat_map(|above| hash_key.suffix_keys(above))
    }

    /// The keys, and what is kept for each.
    pub fn into_parts(self) -> (Vec<RuleKey>, Kept) {
        let Self { store, keys, places, terms, table: _ } = self;
        (keys, Kept { store, places, terms })
    }
}

/// What is known of names beside their keys.
pub(super) struct Kept {
    store: Store,
    places: Vec<Place>,
    terms: Vec<u16>,
}

impl Kept {
    /// The number of the terms of the name that came with this index, with [`REDUNDANT`].
    pub fn terms_word(&self, index: Index) -> u16 {
        self.terms[index as usize]
    }

    /// From here on there are records alone, in this order.
    pub fn bring_in_order(&mut self, mut order: Vec<Index>) {
        for index in &mut order {
            *index = self.places[*index as usize];
        }
        (self.places, self.terms) = (order, Vec::new());
    }

    /// Where the records are.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The octets of the name in a record.
    pub fn text(&self, place: Place) -> &[u8] {
        self.store.text(place)
    }

    /// The list, the line and the kind of its first rule.
    pub fn source(&self, place: Place) -> (usize, u32, Kind) {
        (self.store.list(place), self.store.line(place), self.store.kind(place))
    }
}
