//! What rules ask for, each combination once.

use std::collections::HashMap;

use filter_core::{AllEffects, Effect, Precedence};
use filter_lists::{Action, Scope};
use foldhash::fast::FixedState;

use super::kind::Kind;

/// Numbers of effects in a policy. The first is that of no effect.
#[derive(Debug)]
pub(super) struct EffectTable {
    effect: Vec<AllEffects>,
    // Asked for each rule. There are never many, so nobody gains by making some collide.
    numbers: HashMap<AllEffects, u16, FixedState>,
}

/// More combinations than have a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the lists overlap in more than {} different combinations of groups, schedules and actions: use fewer groups and \
     schedules",
    EffectTable::MOST
)]
pub struct TooManyEffects;

impl Default for EffectTable {
    fn default() -> Self {
        Self {
            effect: vec![AllEffects::default()],
            numbers: HashMap::from_iter([(AllEffects::default(), Effect::NONE)]),
        }
    }
}

impl EffectTable {
    /// Two policies at once have room in the kernel's table.
    pub const MOST: usize = 8000;

    /// The table of these effects, the first of which asks for nothing.
    pub fn of(effect: Vec<AllEffects>) -> Option<Self> {
        let is_table =
            effect.first().is_some_and(AllEffects::is_none) && effect.len() <= Self::MOST;
        // For what is in the table already. Nobody adds to one that was read.
        is_table.then(|| Self {
            effect,
            numbers: HashMap::default(),
        })
    }

    /// All of them in the order of their numbers.
    pub fn all(&self) -> &[AllEffects] {
        &self.effect
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.effect.len()
    }

    pub fn get(&self, number: u16) -> &AllEffects {
        self.effect
            .get(usize::from(number))
            .unwrap_or(&self.effect[0])
    }

    /// The number of this effect with what a rule of this kind asks for in addition, in the list
    /// with this number.
    pub fn with(
        &mut self,
        number: u16,
        kind: Kind,
        audience: u32,
        list: u16,
    ) -> Result<u16, TooManyEffects> {
        let mut effect = self.get(number).clone();
        add(&mut effect, kind, audience, list);
        self.number(effect)
    }

    /// The number of this effect. Where there are many already, they go without the names of their
    /// lists.
    pub fn number(&mut self, effect: AllEffects) -> Result<u16, TooManyEffects> {
        /// Effect that name their lists.
        const NAMED: usize = EffectTable::MOST / 2;

        if let Some(number) = self.numbers.get(&effect) {
            return Ok(*number);
        }
        if self.effect.len() >= NAMED && effect != effect.without_lists() {
            return self.number(effect.without_lists());
        }
        if self.effect.len() >= Self::MOST {
            return Err(TooManyEffects);
        }
        let number = u16::try_from(self.effect.len()).map_err(|_| TooManyEffects)?;
        self.effect.push(effect.clone());
        self.numbers.insert(effect, number);
        Ok(number)
    }
}

/// Adds what a rule of this kind asks for in the list with this number, which is of this audience.
pub(super) fn add(effect: &mut AllEffects, kind: Kind, audience: u32, list: u16) {
    let (own, below) = match kind.scope() {
        Scope::Name => (true, false),
        Scope::Subdomains => (false, true),
        Scope::Subtree => (true, true),
    };
    effect.add(precedence(kind.action()), audience, list, own, below);
}

/// The precedence of names that rules with this action are about.
pub(super) const fn precedence(action: Action) -> Precedence {
    match action {
        Action::Audit => Precedence::Audit,
        Action::Block => Precedence::Block,
        Action::Allow => Precedence::Allow,
        Action::BlockImportant => Precedence::BlockImportant,
        Action::AllowImportant => Precedence::AllowImportant,
    }
}
