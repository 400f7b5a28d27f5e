//! What rules ask for, for all audiences that there are.
//!
//! Audiences lie in banks of as many as a mask has bits. Most policies have one bank; [`Effect`]
//! are of one. Of others, most names have rules of few banks: what a rule asks for is written for
//! those alone.

use std::sync::Arc;

use super::{Effect, Masks, Precedence, policy::audience_in_bank};

/// What all rules for one name ask for together, of all banks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllEffects {
    /// Of the first bank.
    pub first: Effect,
    /// Of further banks, each with its number, in their order; none that asks for nothing.
    further: Option<Arc<[(u32, Effect)]>>,
}

impl From<Effect> for AllEffects {
    fn from(first: Effect) -> Self {
        Self {
            first,
            further: None,
        }
    }
}

impl AllEffects {
    /// True if they ask for nothing.
    pub fn is_none(&self) -> bool {
        self.further.is_none() && self.first == Effect::default()
    }

    /// Those of the banks behind the first, each with the number of its bank.
    pub fn further(&self) -> &[(u32, Effect)] {
        self.further.as_deref().unwrap_or_default()
    }

    /// These of the first bank, and those of others in the order of their numbers; what asks for
    /// nothing is left out.
    pub fn of(first: Effect, further: impl IntoIterator<Item = (u32, Effect)>) -> Self {
        let further: Vec<_> = further
            .into_iter()
            .filter(|(_, effect)| *effect != Effect::default())
            .collect();
        Self {
            first,
            further: if further.is_empty() {
                None
            } else {
                Some(further.into())
            },
        }
    }

    /// All of them, each with the number of its bank.
    pub fn banks(&self) -> impl Iterator<Item = (u32, &Effect)> {
        [(0, &self.first)]
            .into_iter()
            .chain(self.further().iter().map(|(bank, effect)| (*bank, effect)))
    }

    /// Those of a bank.
    pub fn bank(&self, bank: u32) -> Effect {
        self.banks()
            .find(|(number, _)| *number == bank)
            .map(|(_, effect)| *effect)
            .unwrap_or_default()
    }

    /// Adds what a rule of this precedence asks for in the list with this number, which is of this
    /// audience: see [`Effect::add`].
    pub fn add(
        &mut self,
        precedence: Precedence,
        audience: u32,
        list: u16,
        own: bool,
        below: bool,
    ) {
        let (bank, mask) = audience_in_bank(audience);
        if bank == 0 {
            return self.first.add(precedence, mask, list, own, below);
        }
        let mut effect = self.bank(bank);
        effect.add(precedence, mask, list, own, below);
        let mut further: Vec<_> = self
            .further()
            .iter()
            .copied()
            .filter(|(number, _)| *number != bank)
            .collect();
        further.insert(
            further.partition_point(|(number, _)| *number < bank),
            (bank, effect),
        );
        *self = Self::of(self.first, further);
    }

    /// The same without the numbers of lists.
    #[must_use]
    pub fn without_lists(&self) -> Self {
        let further = self
            .further()
            .iter()
            .map(|(bank, effect)| (*bank, effect.without_lists()));
        Self::of(self.first.without_lists(), further)
    }

    /// The highest precedence that anything has here.
    pub fn top(&self) -> Precedence {
        self.banks()
            .map(|(_, effect)| effect.top())
            .max()
            .unwrap_or_default()
    }

    /// True if these change nothing for a name below one with `above` in force: see
    /// [`Effect::are_covered_by`].
    pub fn are_covered_by(&self, above: &AllMasks) -> bool {
        self.banks()
            .all(|(bank, effect)| effect.are_covered_by(&above.bank(bank)))
    }

    /// True if some of these precedences are asked for.
    pub fn ask_for(&self, precedences: &[Precedence]) -> bool {
        let asks = |effect: &Effect| {
            precedences
                .iter()
                .any(|precedence| effect.asks_for(*precedence))
        };
        self.banks().any(|(_, effect)| asks(effect))
    }
}

/// Masks of all banks that have some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllMasks {
    first: Masks,
    further: Vec<(u32, Masks)>,
}

impl AllMasks {
    /// True if no audience is here.
    pub fn is_none(&self) -> bool {
        self.further.is_empty() && self.first == Masks::default()
    }

    /// Adds what this effect says of names below.
    pub fn add_below(&mut self, effect: &AllEffects) {
        add(&mut self.first, &effect.first.below);
        for (bank, effect) in effect
            .further()
            .iter()
            .filter(|(_, effect)| effect.below != Masks::default())
        {
            match self.further.iter_mut().find(|(number, _)| number == bank) {
                Some((_, masks)) => add(masks, &effect.below),
                None => self.further.push((*bank, effect.below)),
            }
        }
    }

    fn bank(&self, bank: u32) -> Masks {
        if bank == 0 {
            return self.first;
        }
        self.further
            .iter()
            .find(|(number, _)| *number == bank)
            .map(|(_, masks)| *masks)
            .unwrap_or_default()
    }
}

fn add(masks: &mut Masks, more: &Masks) {
    masks
        .iter_mut()
        .zip(more)
        .for_each(|(mask, more)| *mask |= more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(rules: &[(Precedence, u32, u16)]) -> AllEffects {
        let mut effect = AllEffects::default();
        for (precedence, audience, list) in rules {
            effect.add(*precedence, *audience, *list, true, true);
        }
        effect
    }

    #[test]
    fn an_audience_is_a_bit_of_its_bank_whatever_the_order_they_come_in() {
        let forth = effect(&[
            (Precedence::Block, 3, 1),
            (Precedence::Allow, 40, 2),
            (Precedence::Block, 1_023, 3),
            (Precedence::Block, 45, 4),
        ]);
        let back = effect(&[
            (Precedence::Block, 45, 4),
            (Precedence::Block, 1_023, 3),
            (Precedence::Allow, 40, 2),
            (Precedence::Block, 3, 1),
        ]);
        assert_eq!(forth, back);
        assert_eq!(
            forth.banks().map(|(bank, _)| bank).collect::<Vec<_>>(),
            [0, 1, 31]
        );
        assert_eq!(
            (forth.bank(1).own, forth.bank(1).own_lists),
            ([0, 1 << 13, 1 << 8, 0, 0], [4, 0])
        );
        assert_eq!(
            (forth.bank(31).below, forth.bank(31).lists_below),
            ([0, 1 << 31, 0, 0, 0], [3, 0])
        );
        assert_eq!(forth.bank(2), Effect::default());
        assert_eq!(
            (forth.top(), AllEffects::default().top()),
            (Precedence::Allow, Precedence::NotListed)
        );
        assert!(!forth.is_none() && AllEffects::default().is_none());
        assert!(
            effect(&[(Precedence::Block, 1_023, 3)]).without_lists()
                == effect(&[(Precedence::Block, 1_023, 0)])
        );
    }

    #[test]
    fn what_asks_for_nothing_is_left_out() {
        let all = AllEffects::of(
            Effect::default(),
            [(1, Effect::default()), (2, Effect::BLOCK_SUBTREE)],
        );
        assert_eq!(all.further(), [(2, Effect::BLOCK_SUBTREE)]);
        assert!(AllEffects::of(Effect::default(), [(1, Effect::default())]).is_none());
        assert_eq!(
            AllEffects::from(Effect::BLOCK_SUBTREE),
            AllEffects::of(Effect::BLOCK_SUBTREE, [])
        );
    }

    #[test]
    fn effects_are_covered_where_those_of_each_bank_are() {
        let mut above = AllMasks::default();
        assert!(above.is_none());
        for all in [
            effect(&[(Precedence::Block, 0, 0), (Precedence::Block, 70, 0)]),
            effect(&[(Precedence::Block, 71, 0)]),
        ] {
            above.add_below(&all);
        }
        assert!(!above.is_none());
        let covered = |audience| {
            effect(&[(Precedence::Block, 0, 0), (Precedence::Block, audience, 0)])
                .are_covered_by(&above)
        };
        assert_eq!(
            [0, 70, 71, 72, 38, 1].map(covered),
            [true, true, true, false, false, false]
        );
    }

    #[test]
    fn precedences_are_asked_for_in_any_bank() {
        let all = effect(&[(Precedence::Block, 0, 0), (Precedence::Allow, 900, 0)]);
        let asks = |precedence| all.ask_for(&[precedence]);
        assert_eq!(
            Precedence::OF_RULES.map(asks),
            [false, true, true, false, false]
        );
        assert!(all.ask_for(&[Precedence::Audit, Precedence::Allow]));
    }
}
