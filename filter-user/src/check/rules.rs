//! The rules of all lists that are checked, with their places.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    Finding, Place, RuleText,
    patterns::{Patterns, PatternsTooLarge},
};
use crate::lists::{Action, ListRule, Scope, Subject};

/// Rules of several lists.
#[derive(Default)]
pub(super) struct Rules {
    names: HashMap<Box<str>, Vec<NameRule>>,
    patterns: HashMap<(Box<str>, Action), Place>,
    cancelled: Vec<RuleText>,
}

#[derive(Clone, Copy)]
struct NameRule {
    scope: Scope,
    action: Action,
    at: Place,
}

impl Rules {
    /// Makes room for about so many names.
    pub fn reserve(&mut self, names: u64) {
        const MOST: u64 = 1 << 20;
        self.names.reserve(names.min(MOST) as usize);
    }

    /// Adds a rule; where it stands already, if it does.
    pub fn add(&mut self, rule: ListRule<'_>, at: Place) -> Option<Place> {
        if rule.cancels {
            self.cancelled.push(RuleText::from(&rule));
            return None;
        }
        match rule.subject {
            Subject::Name(name, scope) => self.add_name(name, NameRule { scope, action: rule.action, at }),
            Subject::Pattern(regex) => match self.patterns.entry((regex.into(), rule.action)) {
                Entry::Occupied(first) => Some(*first.get()),
                Entry::Vacant(place) => {
                    place.insert(at);
                    None
                }
            },
        }
    }

    fn add_name(&mut self, name: &str, rule: NameRule) -> Option<Place> {
        let Some(rules) = self.names.get_mut(name) else {
            self.names.insert(name.into(), vec![rule]);
            return None;
        };
        let first = rules.iter().find(|other| (other.scope, other.action) == (rule.scope, rule.action));
        let first = first.map(|first| first.at);
        if first.is_none() {
            rules.push(rule);
        }
        first
    }

    /// Takes out the rules that others cancel.
    pub fn settle(&mut self) {
        for RuleText { action, scope, text } in std::mem::take(&mut self.cancelled) {
            let Some(scope) = scope else {
                self.patterns.remove(&(text.into(), action));
                continue;
            };
            if let Some(rules) = self.names.get_mut(&*text) {
                rules.retain(|rule| (rule.scope, rule.action) != (scope, action));
            }
        }
    }

    /// Rules that say nothing more than a wider one, with their places, in the order of those.
    pub fn redundant(&self) -> Vec<(Finding, Place)> {
        let all = self.names.iter().flat_map(|(name, rules)| rules.iter().map(move |rule| (&**name, rule)));
        let mut found: Vec<(Finding, Place)> = all
            .filter_map(|(name, rule)| {
                let (wider_name, wider) = self.wider(name, rule)?;
                let finding =
                    Finding { rule: rule.text(name), line: rule.at.line, by: wider.text(wider_name), at: wider.at };
                Some((finding, rule.at))
            })
            .collect();
        found.sort_unstable_by_key(|(_, at)| *at);
        found
    }

    /// A rule with the same action for all names that this one is about, and more.
    fn wider<'a>(&self, name: &'a str, rule: &NameRule) -> Option<(&'a str, &NameRule)> {
        let same = self
            .rules_of(name)
            .find(|other| other.action == rule.action && other.scope == Scope::Subtree && rule.scope != Scope::Subtree);
        same.map(|wider| (name, wider)).or_else(|| {
            parents(name).find_map(|parent| {
                let mut rules = self.rules_of(parent);
                let wider = rules.find(|other| other.action == rule.action && other.scope != Scope::Name);
                wider.map(|wider| (parent, wider))
            })
        })
    }

    fn rules_of(&self, name: &str) -> impl Iterator<Item = &NameRule> {
        self.names.get(name).into_iter().flatten()
    }

    /// A function that finds the rule that decides about a name: of the strongest action the first.
    pub fn judge(&self) -> Result<impl Fn(&str) -> Option<(RuleText, Place)>, PatternsTooLarge> {
        let rules = self.patterns.iter().map(|((regex, action), at)| (&**regex, *action, *at));
        let patterns = Patterns::new(rules)?;
        Ok(move |name: &str| {
            let own = self.rules_of(name).filter(|rule| rule.scope != Scope::Subdomains).map(move |rule| (name, rule));
            let above = parents(name).flat_map(|parent| {
                let rules = self.rules_of(parent).filter(|rule| rule.scope != Scope::Name);
                rules.map(move |rule| (parent, rule))
            });
            let by_name = own.chain(above).map(|(name, rule)| (rule.text(name), rule.at));
            let all = by_name.chain(patterns.matching(name));
            all.max_by(|(a, at_a), (b, at_b)| a.action.cmp(&b.action).then(at_b.cmp(at_a)))
        })
    }
}

impl NameRule {
    fn text(&self, name: &str) -> RuleText {
        RuleText { action: self.action, scope: Some(self.scope), text: name.to_owned() }
    }
}

fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.split_once('.'), |(_, parent)| parent.split_once('.')).map(|(_, parent)| parent)
}
