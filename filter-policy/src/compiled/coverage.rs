//! Rules that say nothing new, for those who want to know what is in their lists.

use filter_core::AllEffects;
use filter_lists::{Action, Scope, Subject};

use super::{CompiledPolicy, Rule, effect, pattern_rules, sources::Source, table::Index};

/// A rule that says nothing more than a wider one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered<'a> {
    /// The number of its list, in the order in which they were read.
    pub list: usize,
    /// The rule.
    pub rule: Rule<'a>,
    /// The wider one.
    pub by: Rule<'a>,
}

/// Here, what is said counts, and not who says it.
const NO_LIST: u16 = 0;

impl CompiledPolicy {
    /// Calls `each` for the rules of lists that say nothing more than a wider one of the same
    /// action, in the order in which their names came. What an earlier rule for the same name says
    /// is left out: it was not taken for new.
    pub fn each_covered<'a>(&'a self, mut each: impl FnMut(Covered<'a>)) {
        let mut order: Vec<_> = (0..self.table.len())
            .map(|index| (self.first_place(index), index))
            .collect();
        order.sort_unstable();
        for (_, index) in order {
            let mut own = self.in_order(index);
            let mut said = AllEffects::default();
            own.retain(|source| {
                let before = said.clone();
                effect::add(&mut said, source.kind, self.audience_of(source), NO_LIST);
                said != before
            });
            for source in &own {
                if let Some((wider, by)) = self.wider(index, source, &own) {
                    let (rule, by) = (self.rule(index, *source), self.rule(wider, by));
                    each(Covered {
                        list: source.list,
                        rule,
                        by,
                    });
                }
            }
        }
    }

    /// The first rule that says the same with this action, or more of the same name, and stands
    /// before this line of the list with this number.
    pub fn first_saying(
        &self,
        subject: Subject<'_>,
        action: Action,
        before: (usize, u32),
    ) -> Option<Rule<'_>> {
        let (name, scope) = match subject {
            Subject::Name(name, scope) => (name, scope),
            Subject::Pattern(text) => {
                return self.patterns.find(
                    pattern_rules::key(text, action, &self.hash_key),
                    &self.lists,
                );
            }
        };
        let index = self.table.find(self.hash_key.key_of_canonical(name))?;
        let mut sources = self.in_order(index);
        sources
            .retain(|source| source.kind.action() == action && (source.list, source.line) < before);
        let says = |source: &&Source| [scope, Scope::Subtree].contains(&source.kind.scope());
        // Several rules together may say what none of them does.
        let first = sources.iter().find(says).or(sources.first())?;
        Some(self.rule(index, *first))
    }

    /// A rule of the same action and for the same clients, for all names that this one is about,
    /// and more.
    fn wider(&self, index: Index, rule: &Source, own: &[Source]) -> Option<(Index, Source)> {
        let says = |other: &Source, scopes: &[Scope]| {
            let same = (other.kind.action(), self.audience_of(other))
                == (rule.kind.action(), self.audience_of(rule));
            same && scopes.contains(&other.kind.scope())
        };
        let wider = own
            .iter()
            .find(|other| rule.kind.scope() != Scope::Subtree && says(other, &[Scope::Subtree]));
        if let Some(wider) = wider {
            return Some((index, *wider));
        }
        let mut above: Vec<Index> = Vec::new();
        self.table.each_above(&self.hash_key, index, |key| {
            above.extend(self.table.find(key));
        });
        above.into_iter().rev().find_map(|parent| {
            let all = self.in_order(parent);
            let wider = all
                .iter()
                .find(|other| says(other, &[Scope::Subdomains, Scope::Subtree]))?;
            Some((parent, *wider))
        })
    }

    /// The list and the line in which a name came first.
    fn first_place(&self, index: Index) -> Option<(usize, u32)> {
        self.table
            .sources(index)
            .next()
            .map(|source| (source.list, source.line))
    }

    /// The rules for a name that no other rule takes out, as they were read.
    fn in_order(&self, index: Index) -> Vec<Source> {
        let mut sources: Vec<_> = self
            .table
            .sources(index)
            .filter(|source| !source.cancelled)
            .collect();
        sources.sort_by_key(|source| (source.list, source.line));
        sources
    }

    fn audience_of(&self, source: &Source) -> u32 {
        self.lists
            .get(source.list)
            .map_or(0, |list| list.audience.into())
    }
}
