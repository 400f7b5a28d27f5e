//! The rule book: which names are blocked, and where each rule came from.
//!
//! The kernel knows a rule by its key alone; the book gives the name, the list and the line for a key, and answers
//! what a name would meet by the same walk over its suffixes that the kernel makes. It takes about 35 bytes a name
//! at 1,000,000 names: the text, five bytes beside it, and a table of places by key.

mod names;
mod store;

use std::collections::HashMap;

use filter_core::{HashKey, RuleKey, Rules, matching_rule};
use hashbrown::HashTable;

use crate::lists::Domain;
use store::{Place, Store};

pub use names::{ListNames, Names, TooManyNames};

/// What stands in the place of a list's name for rules that were added one by one.
pub const MANUAL: &str = "manual";

/// The rules in force. A name is a rule once, from the first list that has it, and may be added by hand besides.
pub struct RuleBook {
    hash_key: HashKey,
    listed: Listed,
    manual: HashMap<RuleKey, Domain>,
}

/// A rule and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// The name that it blocks, with all names below.
    pub name: &'a str,
    /// The list, as it was named; [`MANUAL`] for a rule that was added by hand.
    pub list: &'a str,
    /// Its line there, if it is in a list.
    pub line: Option<u32>,
}

/// Two names have one key, so the kernel could not tell them apart. At 1,000,000 names this happens in one of
/// 10,000,000 runs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the names {0} and {1} cannot be told apart in this run: start namegate again, which draws a new hash key")]
pub struct KeyCollision(pub String, pub String);

/// A rule that was taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its key.
    pub key: RuleKey,
    /// The list and line that will bring it back at the next start.
    pub listed: Option<(String, u32)>,
}

impl RuleBook {
    /// Makes the book of these names. With it come the keys of all rules, for the kernel.
    pub fn new(names: Names, hash_key: HashKey) -> Result<(Self, Vec<RuleKey>), KeyCollision> {
        let Names { mut store, known: mut places, .. } = names;
        store.shrink();
        // A second table beside this one would be the peak of all memory.
        places.clear();
        places.shrink_to(store.len() as usize, |_| 0);
        let mut listed = Listed { store, places };
        let keys = listed.index(&hash_key)?;
        Ok((Self { hash_key, listed, manual: HashMap::new() }, keys))
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        let manual_alone = self.manual.keys().filter(|key| self.listed.find(&self.hash_key, **key).is_none());
        self.listed.store.len() as usize + manual_alone.count()
    }

    /// True if there is no rule.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of the rule for this name, whether there is one or not.
    pub fn key(&self, name: &Domain) -> RuleKey {
        key(&self.hash_key, name.as_str())
    }

    /// The rule with this key.
    pub fn find(&self, key: RuleKey) -> Option<Rule<'_>> {
        let listed = self.listed.find(&self.hash_key, key).map(|place| self.listed.rule(place));
        listed.or_else(|| self.manual.get(&key).map(manual_rule))
    }

    /// The rule that blocks this name: its own, or that of a parent, the one nearest to the root first.
    pub fn matching(&self, name: &Domain) -> Option<Rule<'_>> {
        matching_rule(name.as_str(), &self.hash_key, self).and_then(|key| self.find(key))
    }

    /// Adds a rule by hand; false if it was added before.
    pub fn add(&mut self, name: Domain) -> Result<bool, KeyCollision> {
        let key = self.key(&name);
        if let Some(rule) = self.find(key)
            && rule.name != name.as_str()
        {
            return Err(KeyCollision(rule.name.into(), name.to_string()));
        }
        Ok(self.manual.insert(key, name).is_none())
    }

    /// Takes a rule out, added by hand or listed; `None` if there is none for exactly this name.
    pub fn remove(&mut self, name: &Domain) -> Option<Removed> {
        let key = self.key(name);
        if self.find(key)?.name != name.as_str() {
            return None;
        }
        let by_hand = self.manual.remove(&key).is_some();
        let listed = self.listed.remove(&self.hash_key, key);
        (by_hand || listed.is_some()).then_some(Removed { key, listed })
    }

    /// Takes back what [`RuleBook::add`] added. A list that has the name keeps it.
    pub fn remove_manual(&mut self, name: &Domain) {
        self.manual.remove(&self.key(name));
    }

    /// The names that were added by hand, sorted.
    pub fn manual(&self) -> Vec<&Domain> {
        let mut names: Vec<_> = self.manual.values().collect();
        names.sort_unstable();
        names
    }

    /// The lists, each with the number of rules that it gives.
    pub fn lists(&self) -> impl Iterator<Item = (&str, u32)> {
        self.listed.store.lists()
    }

    /// The rules from lists, in pages: those among the next `most` records, and where the next page begins.
    pub fn page(&self, from: Position, most: usize) -> (Vec<Rule<'_>>, Option<Position>) {
        let mut places = self.listed.store.places_from(from.0);
        let rules = places.by_ref().take(most).filter(|place| self.in_force(*place));
        let rules = rules.map(|place| self.listed.rule(place)).collect();
        (rules, places.next().map(Position))
    }

    /// Bytes that the book takes.
    pub fn memory_bytes(&self) -> usize {
        let manual: usize = self.manual.values().map(|name| 64 + name.as_str().len()).sum();
        self.listed.store.memory_bytes() + self.listed.places.allocation_size() + manual
    }

    fn in_force(&self, place: Place) -> bool {
        let key = key(&self.hash_key, self.listed.store.name(place));
        self.listed.find(&self.hash_key, key) == Some(place)
    }
}

/// Where a page of rules begins; the default is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position(Place);

impl Rules for RuleBook {
    fn matches(&self, key: RuleKey) -> bool {
        self.find(key).is_some()
    }
}

fn manual_rule(name: &Domain) -> Rule<'_> {
    Rule { name: name.as_str(), list: MANUAL, line: None }
}

fn key(hash_key: &HashKey, name: &str) -> RuleKey {
    hash_key.rule_key(name).expect("every canonical name has a key")
}

/// The rules from lists, by key. The table holds places only: a key is computed again from its name to compare it.
struct Listed {
    store: Store,
    places: HashTable<Place>,
}

impl Listed {
    fn index(&mut self, hash_key: &HashKey) -> Result<Vec<RuleKey>, KeyCollision> {
        let Self { store, places } = self;
        let mut keys = Vec::with_capacity(store.len() as usize);
        for place in store.places_from(0) {
            let key_at = |place: &Place| key(hash_key, store.name(*place));
            let new = key_at(&place);
            if let Some(other) = places.find(new.0, |other| key_at(other) == new) {
                return Err(KeyCollision(store.name(*other).into(), store.name(place).into()));
            }
            places.insert_unique(new.0, place, |place| key_at(place).0);
            keys.push(new);
        }
        Ok(keys)
    }

    fn find(&self, hash_key: &HashKey, wanted: RuleKey) -> Option<Place> {
        self.places.find(wanted.0, |place| key(hash_key, self.store.name(*place)) == wanted).copied()
    }

    fn remove(&mut self, hash_key: &HashKey, wanted: RuleKey) -> Option<(String, u32)> {
        let store = &self.store;
        let entry = self.places.find_entry(wanted.0, |place| key(hash_key, store.name(*place)) == wanted).ok()?;
        let (place, _) = entry.remove();
        self.store.retire(place);
        Some((self.store.list(place).into(), self.store.line(place)))
    }

    fn rule(&self, place: Place) -> Rule<'_> {
        Rule { name: self.store.name(place), list: self.store.list(place), line: Some(self.store.line(place)) }
    }
}

#[cfg(test)]
mod tests;
