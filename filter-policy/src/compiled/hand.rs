//! Rules that were added and removed by hand, while the filter runs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use filter_core::{AllEffects, ListName, RuleKey};
use filter_lists::{Action, Domain, Scope};

use super::{
    CompiledPolicy, FOR_ALL, Rule, builder::KeyCollision, effect, kind::Kind, sources::Source,
    table::Index,
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

/// What was said by hand of some names at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidByHand(BTreeMap<RuleKey, (Option<(Domain, Action)>, bool)>);

/// Names that are covered by no rule above them any more, since one was taken out by hand.
#[derive(Debug)]
pub struct Uncovered(HashSet<Index>);

/// A rule that was taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    /// The list and line that will bring it back at the next reload or start; `None` for a rule
    /// that was added by hand.
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
        let changed = self.by_hand.0.get(&key);
        if changed
            .and_then(|changed| changed.added.as_ref())
            .is_some_and(|(_, known)| *known == action)
        {
            return Ok(false);
        }
        let removed = self.by_hand.is_removed(key);
        self.say(key, Some((name, action)), removed);
        Ok(true)
    }

    /// Takes a rule out: the one that was added by hand, or else those of lists; `None` if there is
    /// none for exactly this name.
    pub fn remove(&mut self, name: &Domain) -> Option<Removed> {
        let listed = self.take_out(name)?;
        let mut uncovered = Vec::new();
        if listed.is_some() {
            let all = self.uncovered_now();
            uncovered = self.uncover(all);
        }
        Some(Removed { listed, uncovered })
    }

    /// The same, but for the names below it: [`CompiledPolicy::uncovered_now`] tells which need
    /// entries of their own then, if a rule of a list was taken out. Gives that.
    pub fn take_out(&mut self, name: &Domain) -> Option<Option<(String, u32)>> {
        let key = self.key(name);
        if self
            .by_hand
            .find(key)
            .is_some_and(|rule| rule.rule == name.as_str())
        {
            self.say(key, None, self.by_hand.is_removed(key));
            return Some(None);
        }
        self.find(key)
            .filter(|rule| rule.rule == name.as_str() && rule.scope.is_some())?;
        let listed = self.first_listed(key)?;
        self.say(key, None, true);
        Some(Some(listed))
    }

    /// What is said of these names by hand.
    pub fn by_hand_of(&self, names: &[Domain]) -> SaidByHand {
        let said = |name| {
            let key = self.key(name);
            let changed = self.by_hand.0.get(&key);
            let said = changed.map(|changed| (changed.added.clone(), changed.removed));
            (key, said.unwrap_or_default())
        };
        SaidByHand(names.iter().map(said).collect())
    }

    /// Says by hand what was said before; gives the keys whose entries in the kernel may be others
    /// by that.
    pub fn restore(&mut self, before: SaidByHand) -> Vec<RuleKey> {
        let mut keys: Vec<_> = before.0.keys().copied().collect();
        let mut covers = false;
        for (key, (added, removed)) in before.0 {
            covers |= removed != self.by_hand.is_removed(key);
            self.say(key, added, removed);
        }
        if covers {
            let uncovered = self.uncovered_now();
            keys.extend(self.uncover(uncovered));
        }
        keys
    }

    /// The names that need entries of their own, since rules above them were taken out by hand.
    /// That is looked for among all names, which may take a second.
    pub fn uncovered_now(&self) -> Uncovered {
        Uncovered(if self.by_hand.0.values().any(|changed| changed.removed) {
            self.uncovered()
        } else {
            HashSet::new()
        })
    }

    /// Takes these for the names that need entries of their own; gives those that need one now and
    /// did not, or the other way round.
    pub fn uncover(&mut self, Uncovered(now): Uncovered) -> Vec<RuleKey> {
        let before = std::mem::replace(&mut self.uncovered, now);
        let differs = self.uncovered.symmetric_difference(&before);
        differs.map(|index| self.table.key(*index)).collect()
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

    /// How many names were added by hand.
    pub fn count_by_hand(&self) -> u64 {
        self.by_hand.names().count() as u64
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

    /// Says this of a name by hand, and works out what holds for it now.
    fn say(&mut self, key: RuleKey, added: Option<(Domain, Action)>, removed: bool) {
        if added.is_none() && !removed {
            self.by_hand.0.remove(&key);
            return;
        }
        let listed = self.table.find(key).filter(|_| !removed);
        let listed = listed.map(|index| self.effect.get(self.table.effect(index)).clone());
        let mut effect = listed.unwrap_or_default();
        if let Some((_, action)) = &added {
            effect::add(
                &mut effect,
                Kind::new(KIND_SCOPE, *action),
                CLASS.into(),
                ListName::BY_HAND,
            );
        }
        self.top = self.top.max(effect.top());
        let changed = Changed {
            added,
            removed,
            effect,
        };
        self.by_hand.0.insert(key, changed);
    }
}
