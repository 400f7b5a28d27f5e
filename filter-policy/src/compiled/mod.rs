//! The compiled policy: what the lists say of which names, and where each rule came from.
//!
//! The kernel knows a rule by its key alone; the compiled policy gives the name, the list and the
//! line for a key, and answers what a name would meet by the same source that decides in the
//! kernel. It takes about 24 bytes a name at 1,000,000 names, and about 32 while it is made.

mod builder;
pub mod cache;
mod coverage;
mod effect;
mod explain;
mod hand;
mod in_kernel;
mod ingest_worker;
mod kind;
mod list_numbers;
mod merging;
mod parallel;
mod pattern_rules;
pub mod patterns;
mod redundancy;
mod repeated;
mod source;
mod sources;
mod staged;
mod staging;
mod table;
mod undoing;
mod varint;

use std::{
    array,
    borrow::Cow,
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

use filter_core::{
    AUDIENCES_OF_BANK, Actions, ActivePolicy, AllEffects, Effect, Generation, HashKey, ListName,
    Part, Patterns, Precedence, RuleKey, Rules,
};
use filter_lists::{Action, Domain, ListRule, Scope, Sink as _, Subject};
use serde::{Deserialize, Serialize};

use crate::audiences::Audiences;
use effect::EffectTable;
use hand::ByHand;
use list_numbers::ListNumbers;
use pattern_rules::PatternRules;
use patterns::{Compiled, Refusal};
use sources::Source;
use table::{Index, Table};

pub use builder::{Builder, CompileError, KeyCollision, ListRules};
pub use coverage::Covered;
pub use effect::TooManyEffects;
pub use explain::{Explanation, Matching, Outcome};
pub use hand::{MANUAL, Removed, SaidByHand, Uncovered};
pub use kind::Kind;
pub use repeated::{Repeated, RepeatedRule};
pub use source::{Budget, FOR_ALL, HashKeyPolicy, Policy, PolicyError, PolicySource};
pub use undoing::{Undo, Undoing};

/// The audience of rules that are for everybody, at all times.
pub const EVERYBODY: u32 = Effect::EVERYBODY;

/// A key for names that only this process hashes: nobody can choose names that collide under it.
pub fn hash_key() -> HashKey {
    let random = RandomState::new();
    HashKey::from_words(array::from_fn(|word| random.hash_one(word)))
}

/// The rules in force.
pub struct CompiledPolicy {
    hash_key: HashKey,
    table: Table,
    /// Names that the table calls redundant, and that are not, since a rule above was removed by
    /// hand.
    uncovered: HashSet<Index>,
    effect: EffectTable,
    patterns: PatternRules,
    lists: Vec<ListInfo>,
    numbers: ListNumbers,
    by_hand: ByHand,
    /// Banks that the audiences of the lists are in.
    banks: u32,
    /// Names of the table that the kernel is to have.
    in_kernel: u64,
    top: Precedence,
}

/// A list that rules came from.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ListInfo {
    /// As it was named.
    pub name: Box<str>,
    /// What those whom it blocks see, unless that is the name of the file.
    pub label: Option<Box<str>>,
    /// True if what it would block passes, and is reported.
    pub trial: bool,
    /// True if it is there to allow what others block.
    pub allows: bool,
    /// The audience that its rules are of: to whom they apply, and when.
    pub audience: u16,
    /// Names and patterns that no earlier list has.
    pub rules: u64,
    /// True if it has rules for top-level domains.
    pub top_level: bool,
}

impl ListInfo {
    /// What those whom it blocks see of it: its label, or the name of the file without its folder.
    pub fn label(&self) -> &str {
        self.label
            .as_deref()
            .unwrap_or_else(|| self.name.rsplit('/').next().unwrap_or_default())
    }
}

/// A rule and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// The name or the pattern.
    pub rule: Cow<'a, str>,
    /// Which names it is about; `None` for a pattern.
    pub scope: Option<Scope>,
    /// What becomes of them.
    pub action: Action,
    /// The list, as it was named; [`MANUAL`] for a rule that was added by hand.
    pub list: &'a str,
    /// Its line there, if it is in a list.
    pub line: Option<u32>,
}

impl CompiledPolicy {
    fn of(
        hash_key: &HashKey,
        table: Table,
        effect: EffectTable,
        patterns: PatternRules,
        (lists, numbers): (Vec<ListInfo>, ListNumbers),
    ) -> Self {
        let (mut used, mut in_kernel) = (vec![false; effect.len()], 0);
        table.each(|_, _, number, redundant| {
            used.get_mut(usize::from(number))
                .into_iter()
                .for_each(|used| *used = true);
            in_kernel += u64::from(!redundant && number != Effect::NONE);
        });
        let used = (0..).zip(used).filter(|(_, used)| *used);
        let top = used
            .map(|(number, _)| effect.get(number).top())
            .max()
            .unwrap_or_default()
            .max(patterns.top());
        let (hash_key, uncovered, by_hand) = (*hash_key, HashSet::new(), ByHand::default());
        let banks = lists
            .iter()
            .map(|list| u32::from(list.audience) / AUDIENCES_OF_BANK + 1)
            .max()
            .unwrap_or(1);
        Self {
            hash_key,
            table,
            uncovered,
            effect,
            patterns,
            lists,
            numbers,
            by_hand,
            banks,
            in_kernel,
            top,
        }
    }

    /// A compiled policy of rules that block names and all below them: one list, with a name a
    /// line.
    ///
    /// # Errors
    /// If two names cannot be told apart.
    pub fn blocking_all<'n>(
        hash_key: HashKey,
        list: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, CompileError> {
        let mut builder = Builder::new(hash_key);
        let mut sink = builder.list(list, 0);
        for (line, name) in (1..).zip(names) {
            let subject = Subject::Name(name, Scope::Subtree);
            sink.rule(
                ListRule {
                    subject,
                    action: Action::Block,
                    answer: None,
                    cancels: false,
                },
                line,
            )?;
        }
        builder.finish()
    }

    /// A compiled policy without rules.
    pub fn empty(hash_key: HashKey) -> Self {
        Self::of(
            &hash_key,
            Table::default(),
            EffectTable::default(),
            PatternRules::default(),
            Default::default(),
        )
    }

    /// Number of names and patterns that something is said of.
    pub fn len(&self) -> u64 {
        let listed = self.lists.iter().map(|list| list.rules).sum::<u64>();
        let by_hand = self
            .by_hand
            .names()
            .filter(|(key, ..)| self.table.find(*key).is_none())
            .count() as u64;
        (listed + by_hand).saturating_sub(self.by_hand.removed() as u64)
    }

    /// True if there is no rule.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of the hash, under which names have theirs.
    pub fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// The key of the rules for this name, whether there are any or not.
    pub fn key(&self, name: &Domain) -> RuleKey {
        self.hash_key.key_of_canonical(name.as_str())
    }

    /// The first of the rules with this key whose action prevails.
    pub fn find(&self, key: RuleKey) -> Option<Rule<'_>> {
        let of_list = self.table.find(key).and_then(|index| {
            let rules = self.table.sources(index).filter(|source| !source.cancelled);
            let first = rules.reduce(|first, next| {
                if next.kind.action() > first.kind.action() {
                    next
                } else {
                    first
                }
            })?;
            (!self.by_hand.is_removed(key)).then(|| self.rule(index, first))
        });
        let by_hand = self.by_hand.find(key);
        match (of_list, by_hand) {
            (Some(listed), Some(by_hand)) => Some(if by_hand.action > listed.action {
                by_hand
            } else {
                listed
            }),
            (listed, by_hand) => listed
                .or(by_hand)
                .or_else(|| self.patterns.find(key, &self.lists)),
        }
    }

    /// The rule that prevails for this name, for clients in no group and all lists.
    pub fn prevailing(&self, name: &Domain) -> Option<(Precedence, Rule<'_>)> {
        let all = Audiences::all();
        Some((
            self.judge(name, &all).precedence,
            self.deciding(name, &all)?,
        ))
    }

    /// The rule that blocks this name, if one does.
    pub fn blocking(&self, name: &Domain) -> Option<Rule<'_>> {
        self.prevailing(name)
            .filter(|(precedence, _)| precedence.blocks())
            .map(|(_, rule)| rule)
    }

    /// True if some rules say themselves what their clients are answered, where each audience has
    /// its actions.
    pub fn has_own_answers(&self, of_audiences: &[Actions]) -> bool {
        self.numbers.iter().any(|(list, answer)| {
            let audience = self.lists.get(list).map_or(0, |list| list.audience);
            let of_audience = of_audiences
                .get(usize::from(audience))
                .copied()
                .unwrap_or_default();
            answer.is_some() && of_audience.or_dns(answer.unwrap_or_default()).answers_dns()
        })
    }

    /// The lists, in the order in which they were read.
    pub fn lists(&self) -> &[ListInfo] {
        &self.lists
    }

    /// The names of the lists for those whom they block, each with its number; and the word for
    /// what was blocked by hand.
    pub fn list_names(&self) -> impl Iterator<Item = (u16, ListName)> {
        let of_lists = (ListName::FIRST..=u16::MAX)
            .zip(self.numbers.numbered())
            .filter_map(|(number, (list, answer))| {
                let list = self.lists.get(*list)?;
                let name = ListName::new(list.audience, list.label());
                Some((number, answer.map_or(name, |answer| name.answering(answer))))
            });
        [(ListName::BY_HAND, ListName::new(hand::CLASS, MANUAL))]
            .into_iter()
            .chain(of_lists)
    }

    /// Banks that the audiences of its lists are in.
    pub fn banks(&self) -> u32 {
        self.banks
    }

    /// Numbers that lists have, those without a list included.
    pub fn list_numbers(&self) -> u32 {
        self.numbers.numbered().len() as u32 + u32::from(ListName::FIRST)
    }

    /// Hands back memory of what can be had again from the cache.
    pub fn rest(&self) {
        self.table.rest();
    }

    /// The highest precedence of all rules.
    pub fn top(&self) -> Precedence {
        self.top
    }

    /// Rules from lists, in pages: those of the next `most` names, and where the next page begins.
    pub fn page(&self, from: Position, most: usize) -> (Vec<Rule<'_>>, Option<Position>) {
        let end = from
            .0
            .saturating_add(Index::try_from(most).unwrap_or(Index::MAX))
            .min(self.table.len());
        let keys = (from.0..end).map(|index| self.table.key(index));
        let rules = keys
            .filter(|key| !self.by_hand.is_removed(*key))
            .filter_map(|key| self.find(key))
            .collect();
        (rules, (end < self.table.len()).then_some(Position(end)))
    }

    /// True if there are rules for top-level domains, which are in few lists; by hand, there are
    /// none.
    pub fn has_top_level(&self) -> bool {
        self.lists.iter().any(|list| list.top_level)
    }

    /// True if there are patterns in force.
    pub fn has_patterns(&self) -> bool {
        !self.patterns.automata().parts.is_empty()
    }

    /// The automata of all patterns.
    pub fn automata(&self) -> &Compiled {
        self.patterns.automata()
    }

    /// Patterns that are not in force, since there is no room for them, and why.
    pub fn refused_patterns(&self) -> impl Iterator<Item = (&str, &Refusal)> {
        self.patterns.refused()
    }

    /// All patterns.
    pub fn patterns(&self) -> impl Iterator<Item = Rule<'_>> {
        self.patterns.rules(&self.lists)
    }

    /// Bytes that the compiled policy takes of the memory of this process; what lies in a file is
    /// not counted.
    pub fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.by_hand.memory_bytes()
    }

    fn rule(&self, index: Index, source: Source) -> Rule<'_> {
        let Source {
            list, line, kind, ..
        } = source;
        let rule = self.table.name(index);
        let list = self.lists.get(list).map_or("", |list| &*list.name);
        Rule {
            rule,
            scope: Some(kind.scope()),
            action: kind.action(),
            list,
            line: Some(line),
        }
    }
}

impl CompiledPolicy {
    fn all_effects_of(&self, key: RuleKey) -> Option<&AllEffects> {
        match self.by_hand.effect_of(key) {
            Some(effect) => Some(effect),
            None => Some(self.effect.get(self.table.effect(self.table.find(key)?))),
        }
    }
}

/// Where a page of rules begins; the default is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position(Index);

impl Patterns for CompiledPolicy {
    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.patterns.automata().part(slot, index)
    }
}

/// With the whole compiled policy in force: all audiences are the caller's to choose from.
impl Rules for CompiledPolicy {
    fn in_force(&self) -> ActivePolicy {
        let in_force = ActivePolicy::new(Generation::default(), self.top).with_banks(self.banks());
        let in_force = if self.has_top_level() {
            in_force
        } else {
            in_force.without_top_level()
        };
        if self.has_patterns() {
            in_force.with_patterns()
        } else {
            in_force
        }
    }

    fn effect(&self, key: RuleKey, _: Generation) -> Option<&Effect> {
        self.all_effects_of(key)
            .filter(|effect| !effect.is_none())
            .map(|effect| &effect.first)
    }

    fn further_effects(&self, key: RuleKey, _: Generation) -> &[(u32, Effect)] {
        self.all_effects_of(key)
            .map(AllEffects::further)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
