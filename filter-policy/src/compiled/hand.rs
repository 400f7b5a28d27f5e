//! Rules that were added and removed by hand, while the filter runs.

use std::{borrow::Cow, collections::HashMap};

use filter_core::{AllEffects, ListName, Masks, RuleKey};
use filter_lists::{Action, Domain, Scope};

use super::{
    CompiledPolicy, FOR_ALL, Rule, builder::KeyCollision, effect, kind::Kind, sources::Source,
};

/// What stands in the place of a list's name for rules that were added one by one.
pub const MANUAL: &str = "manual";

/// Names that somebody changed.
#[derive(Default)]
pub(super) struct ByHand(HashMap<RuleKey, Changed>);

#[derive(Default)]
struct Changed {
    /// The rule that was added.
    added: Option<(Domain, Action)>,
    /// True if what lists say is out of force.
    removed: bool,
    /// What holds now.
    effect: AllEffects,
}

/// A rule that was taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    /// The list and line that will bring it back at the next reload or start.
    pub listed: Option<(String, u32)>,
    /// Keys of names below it whose rules it did as well, and that need entries of their own from
    /// now on.
    pub uncovered: Vec<RuleKey>,
}

impl ByHand {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, key: RuleKey) -> bool {
        self.0.contains_key(&key)
    }

    pub fn is_removed(&self, key: RuleKey) -> bool {
        self.0.get(&key).is_some_and(|changed| changed.removed)
    }

    pub fn removed(&self) -> usize {
        self.0
            .values()
            .filter(|changed| changed.removed && changed.added.is_none())
            .count()
    }

    pub fn effect_of(&self, key: RuleKey) -> Option<&AllEffects> {
        self.0.get(&key).map(|changed| &changed.effect)
    }

    pub fn effect(&self) -> impl Iterator<Item = (RuleKey, &AllEffects)> {
        self.0.iter().map(|(key, changed)| (*key, &changed.effect))
    }

    pub fn find(&self, key: RuleKey) -> Option<Rule<'_>> {
        let (name, action) = self.0.get(&key)?.added.as_ref()?;
        let scope = Some(Scope::Subtree);
        Some(Rule {
            rule: name.as_str().into(),
            scope,
            action: *action,
            list: MANUAL,
            line: None,
        })
    }

    pub fn names(&self) -> impl Iterator<Item = (RuleKey, &Domain, Action)> {
        self.0.iter().filter_map(|(key, changed)| {
            let (name, action) = changed.added.as_ref()?;
            Some((*key, name, *action))
        })
    }

    pub fn memory_bytes(&self) -> usize {
        self.0.len() * (size_of::<(RuleKey, Changed)>() + 32)
    }
}

/// Rules by hand are for everybody, at all times.
pub(super) const CLASS: u16 = FOR_ALL;

/// A name's rule by hand covers all names below it.
const KIND_SCOPE: Scope = Scope::Subtree;

impl CompiledPolicy {
    /// Adds a rule by hand for a name and all below it; false if it was added before.
    pub fn add(&mut self, name: Domain, action: Action) -> Result<bool, KeyCollision> {
        let key = self.key(&name);
        if let Some(known) = self.name_of(key)
            && known != name.as_str()
        {
            return Err(KeyCollision(known.into_owned(), name.to_string()));
        }
        let changed = self.by_hand.0.entry(key).or_default();
        if changed
            .added
            .as_ref()
            .is_some_and(|(_, known)| *known == action)
        {
            return Ok(false);
        }
        changed.added = Some((name, action));
        self.settle(key);
        Ok(true)
    }

    /// Takes the rules for a name out, added by hand or listed; `None` if there is none for exactly
    /// this name.
    pub fn remove(&mut self, name: &Domain) -> Option<Removed> {
        let key = self.key(name);
        self.find(key)
            .filter(|rule| rule.rule == name.as_str() && rule.scope.is_some())?;
        let listed = self
            .first_listed(key)
            .filter(|_| !self.by_hand.is_removed(key));
        let changed = self.by_hand.0.entry(key).or_default();
        (changed.added, changed.removed) = (None, true);
        let uncovered = self.settle(key);
        Some(Removed { listed, uncovered })
    }

    /// Takes back what [`CompiledPolicy::add`] added. What lists say of the name stands.
    pub fn remove_added(&mut self, name: &Domain) {
        let key = self.key(name);
        if let Some(changed) = self.by_hand.0.get_mut(&key) {
            changed.added = None;
            self.settle(key);
        }
    }

    /// Takes over what was added and removed by hand in the compiled policy before this one.
    pub fn take_over(&mut self, before: &Self) -> Result<(), KeyCollision> {
        for (_, name, action) in before.by_hand.names() {
            self.add(name.clone(), action)?;
        }
        Ok(())
    }

    /// What lists say is all that holds again.
    pub fn forget_by_hand(&mut self) {
        self.by_hand = ByHand::default();
        self.uncovered.clear();
    }

    /// The names that were added by hand, sorted.
    pub fn by_hand(&self) -> Vec<(&Domain, Action)> {
        let mut names: Vec<_> = self
            .by_hand
            .names()
            .map(|(_, name, action)| (name, action))
            .collect();
        names.sort_unstable();
        names
    }

    /// The rules that were added by hand, sorted by name.
    pub fn rules_by_hand(&self) -> impl Iterator<Item = Rule<'_>> {
        let rule = |(name, action): (&'_ Domain, Action)| (self.key(name), action);
        self.by_hand()
            .into_iter()
            .map(rule)
            .filter_map(|(key, _)| self.by_hand.find(key))
    }

    fn name_of(&self, key: RuleKey) -> Option<Cow<'_, str>> {
        let listed = self.table.find(key).map(|index| self.table.name(index));
        listed.or_else(|| Some(self.by_hand.0.get(&key)?.added.as_ref()?.0.as_str().into()))
    }

    fn first_listed(&self, key: RuleKey) -> Option<(String, u32)> {
        let Source { list, line, .. } = self.table.sources(self.table.find(key)?).next()?;
        Some((self.lists.get(list)?.name.to_string(), line))
    }

    /// Works out what holds for a name now. What it covered before may come into force.
    fn settle(&mut self, key: RuleKey) -> Vec<RuleKey> {
        let listed = self
            .table
            .find(key)
            .map(|index| self.effect.get(self.table.effect(index)).clone());
        let Some(changed) = self.by_hand.0.get_mut(&key) else {
            return Vec::new();
        };
        let covers = listed.as_ref().is_some_and(|effect| {
            effect
                .banks()
                .any(|(_, effect)| effect.below != Masks::default())
        });
        changed.effect = if changed.removed {
            AllEffects::default()
        } else {
            listed.unwrap_or_default()
        };
        if let Some((_, action)) = &changed.added {
            effect::add(
                &mut changed.effect,
                Kind::new(KIND_SCOPE, *action),
                CLASS.into(),
                ListName::BY_HAND,
            );
        }
        self.top = self.top.max(changed.effect.top());
        if !changed.removed || !covers {
            return Vec::new();
        }
        let before = std::mem::take(&mut self.uncovered);
        self.uncovered = self.uncovered();
        self.uncovered
            .difference(&before)
            .map(|index| self.table.key(*index))
            .collect()
    }
}
