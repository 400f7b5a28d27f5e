//! Rules on their way from the lists to a policy, in bounds.
//!
//! A reload should not take much more memory than the last one before it is known that its policy
//! can be had. So rules are kept up to a budget, and beyond that they are counted alone. If their
//! number is in bounds, the lists are read once more, and all rules are kept.

use std::cell::Cell;

use filter_lists::{Bounds, ListRule, Sink, Subject, TooManyNames};

use super::ListRules;

/// What was taken of all lists.
pub(super) struct Staging<'b> {
    bounds: &'b Bounds,
    rules: Cell<u64>,
    name_bytes: Cell<u64>,
    /// Rules that are kept.
    budget: u64,
}

impl<'b> Staging<'b> {
    /// Keeps so many rules.
    pub fn new(bounds: &'b Bounds, budget: u64) -> Self {
        Self {
            bounds,
            rules: Cell::default(),
            name_bytes: Cell::default(),
            budget,
        }
    }

    /// True if some rules were counted alone.
    pub fn is_beyond_budget(&self) -> bool {
        self.rules.get() > self.budget
    }

    /// The rules of a list on their way.
    pub fn list<'a>(&'a self, rules: ListRules<'a>) -> Staged<'a> {
        Staged {
            staging: self,
            rules,
        }
    }

    /// Counts a rule; true if it is kept.
    fn take(&self, rule: &ListRule<'_>) -> Result<bool, TooManyNames> {
        let (Subject::Name(text, _) | Subject::Pattern(text)) = rule.subject;
        let rules = self.rules.get() + 1;
        let name_bytes = self.name_bytes.get() + text.len() as u64;
        self.rules.set(rules);
        self.name_bytes.set(name_bytes);
        if let Err(beyond) = self.bounds.check_rules(rules, name_bytes) {
            self.bounds.end(beyond);
            return Err(TooManyNames);
        }
        Ok(rules <= self.budget)
    }
}

/// The sink of a list.
pub(super) struct Staged<'a> {
    staging: &'a Staging<'a>,
    rules: ListRules<'a>,
}

impl Sink for Staged<'_> {
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames> {
        if self.staging.take(&rule)? {
            self.rules.rule(rule, line)
        } else {
            Ok(true)
        }
    }
}
