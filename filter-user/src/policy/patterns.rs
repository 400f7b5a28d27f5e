//! The patterns of all lists, and the automata that they are run as.

use std::collections::HashMap;

use filter_core::{HashKey, Rank, RuleKey};

use super::{Builder, ListInfo, Matching, Rule, names::TooManyNames, terms};
use crate::lists::Action;

/// The patterns, each once for an action.
#[derive(Default)]
pub(super) struct Patterns {
    rules: Vec<PatternRule>,
    known: HashMap<(Box<str>, Action), usize>,
    keys: HashMap<RuleKey, usize>,
}

/// A pattern that a list has.
pub(super) struct PatternRule {
    pub text: Box<str>,
    pub action: Action,
    /// Its lists and the lines there.
    pub places: Vec<(usize, u32)>,
    pub cancelled: bool,
}

/// Patterns whose automata would take more than there is room for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("patterns are left out, since their automata take more than there is room for: {}", .0.join(", "))]
pub struct TooManyPatterns(pub Vec<String>);

impl Patterns {
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds a pattern, or takes it out; false if it is known.
    pub fn add(&mut self, text: &str, action: Action, list: usize, line: u32, cancels: bool) -> Result<bool, TooManyNames> {
        let known = self.known.get(&(Box::from(text), action)).copied();
        let index = known.unwrap_or(self.rules.len());
        if known.is_none() {
            if index >= Builder::MOST_PATTERNS {
                return Err(TooManyNames);
            }
            self.known.insert((text.into(), action), index);
            self.rules.push(PatternRule { text: text.into(), action, places: Vec::new(), cancelled: false });
        }
        let rule = &mut self.rules[index];
        rule.cancelled |= cancels;
        if !cancels {
            rule.places.push((list, line));
        }
        Ok(known.is_none() && !cancels)
    }

    /// Makes the automata.
    pub fn finish(&mut self, hash_key: &HashKey, _lists: &[ListInfo]) -> Result<(), TooManyPatterns> {
        let keys = self.rules.iter().enumerate().map(|(index, rule)| (key(hash_key, rule), index));
        self.keys = keys.collect();
        Ok(())
    }

    /// The highest rank of all patterns.
    pub fn top(&self) -> Rank {
        self.in_force().map(|rule| terms::rank(rule.action)).max().unwrap_or_default()
    }

    pub fn find<'a>(&'a self, key: RuleKey, lists: &'a [ListInfo]) -> Option<Rule<'a>> {
        self.rules.get(*self.keys.get(&key)?)?.rules(lists).next()
    }

    pub fn rules<'a>(&'a self, lists: &'a [ListInfo]) -> impl Iterator<Item = Rule<'a>> {
        self.in_force().flat_map(|rule| rule.rules(lists))
    }

    /// The patterns that find something in a name.
    pub fn matching<'a>(&'a self, name: &str, lists: &'a [ListInfo]) -> Vec<Matching<'a>> {
        let _ = (name, lists);
        Vec::new()
    }

    fn in_force(&self) -> impl Iterator<Item = &PatternRule> {
        self.rules.iter().filter(|rule| !rule.cancelled && !rule.places.is_empty())
    }
}

impl PatternRule {
    fn rules<'a>(&'a self, lists: &'a [ListInfo]) -> impl Iterator<Item = Rule<'a>> {
        self.places.iter().map(|(list, line)| Rule {
            rule: &self.text,
            scope: None,
            action: self.action,
            list: lists.get(*list).map_or("", |list| &list.name),
            line: Some(*line),
        })
    }
}

/// The same pattern is another rule with another action.
fn key(hash_key: &HashKey, rule: &PatternRule) -> RuleKey {
    hash_key.text_key(&format!("{}\0{}", rule.text, rule.action))
}
