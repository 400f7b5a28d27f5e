//! What rules ask for, for all classes that there are.
//!
//! Classes lie in banks of as many as a mask has bits. Most policies have one bank; [`Terms`] are of one. Of others,
//! most names have rules of few banks: what a rule asks for is written for those alone.

use std::sync::Arc;

use super::{Masks, Rank, Terms, policy::class_in_bank};

/// What all rules for one name ask for together, of all banks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllTerms {
    /// Of the first bank.
    pub first: Terms,
    /// Of further banks, each with its number, in their order; none that asks for nothing.
    further: Option<Arc<[(u32, Terms)]>>,
}

impl From<Terms> for AllTerms {
    fn from(first: Terms) -> Self {
        Self { first, further: None }
    }
}

impl AllTerms {
    /// True if they ask for nothing.
    pub fn is_none(&self) -> bool {
        self.further.is_none() && self.first == Terms::default()
    }

    /// Those of the banks behind the first, each with the number of its bank.
    pub fn further(&self) -> &[(u32, Terms)] {
        self.further.as_deref().unwrap_or_default()
    }

    /// These of the first bank, and those of others in the order of their numbers; what asks for nothing is left out.
    pub fn of(first: Terms, further: impl IntoIterator<Item = (u32, Terms)>) -> Self {
        let further: Vec<_> = further.into_iter().filter(|(_, terms)| *terms != Terms::default()).collect();
        Self { first, further: if further.is_empty() { None } else { Some(further.into()) } }
    }

    /// All of them, each with the number of its bank.
    pub fn banks(&self) -> impl Iterator<Item = (u32, &Terms)> {
        [(0, &self.first)].into_iter().chain(self.further().iter().map(|(bank, terms)| (*bank, terms)))
    }

    /// Those of a bank.
    pub fn bank(&self, bank: u32) -> Terms {
        self.banks().find(|(number, _)| *number == bank).map(|(_, terms)| *terms).unwrap_or_default()
    }

    /// Adds what a rule of this rank asks for in the list with this number, which is of this class: see [`Terms::add`].
    pub fn add(&mut self, rank: Rank, class: u32, list: u16, own: bool, below: bool) {
        let (bank, mask) = class_in_bank(class);
        if bank == 0 {
            return self.first.add(rank, mask, list, own, below);
        }
        let mut terms = self.bank(bank);
        terms.add(rank, mask, list, own, below);
        let mut further: Vec<_> = self.further().iter().copied().filter(|(number, _)| *number != bank).collect();
        further.insert(further.partition_point(|(number, _)| *number < bank), (bank, terms));
        *self = Self::of(self.first, further);
    }

    /// The same without the numbers of lists.
    #[must_use]
    pub fn without_lists(&self) -> Self {
        let further = self.further().iter().map(|(bank, terms)| (*bank, terms.without_lists()));
        Self::of(self.first.without_lists(), further)
    }

    /// The highest rank that anything has here.
    pub fn top(&self) -> Rank {
        self.banks().map(|(_, terms)| terms.top()).max().unwrap_or_default()
    }

    /// True if these change nothing for a name below one with `above` in force: see [`Terms::are_covered_by`].
    pub fn are_covered_by(&self, above: &AllMasks) -> bool {
        self.banks().all(|(bank, terms)| terms.are_covered_by(&above.bank(bank)))
    }

    /// True if some of these ranks are asked for.
    pub fn ask_for(&self, ranks: &[Rank]) -> bool {
        let asks = |terms: &Terms| ranks.iter().any(|rank| terms.asks_for(*rank));
        self.banks().any(|(_, terms)| asks(terms))
    }
}

/// Masks of all banks that have some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllMasks {
    first: Masks,
    further: Vec<(u32, Masks)>,
}

impl AllMasks {
    /// True if no class is here.
    pub fn is_none(&self) -> bool {
        self.further.is_empty() && self.first == Masks::default()
    }

    /// Adds what these terms say of names below.
    pub fn add_below(&mut self, terms: &AllTerms) {
        add(&mut self.first, &terms.first.below);
        for (bank, terms) in terms.further().iter().filter(|(_, terms)| terms.below != Masks::default()) {
            match self.further.iter_mut().find(|(number, _)| number == bank) {
                Some((_, masks)) => add(masks, &terms.below),
                None => self.further.push((*bank, terms.below)),
            }
        }
    }

    fn bank(&self, bank: u32) -> Masks {
        if bank == 0 {
            return self.first;
        }
        self.further.iter().find(|(number, _)| *number == bank).map(|(_, masks)| *masks).unwrap_or_default()
    }
}

fn add(masks: &mut Masks, more: &Masks) {
    masks.iter_mut().zip(more).for_each(|(mask, more)| *mask |= more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(rules: &[(Rank, u32, u16)]) -> AllTerms {
        let mut terms = AllTerms::default();
        for (rank, class, list) in rules {
            terms.add(*rank, *class, *list, true, true);
        }
        terms
    }

    #[test]
    fn a_class_is_a_bit_of_its_bank_whatever_the_order_they_come_in() {
        let forth = terms(&[(Rank::Block, 3, 1), (Rank::Allow, 40, 2), (Rank::Block, 1_023, 3), (Rank::Block, 45, 4)]);
        let back = terms(&[(Rank::Block, 45, 4), (Rank::Block, 1_023, 3), (Rank::Allow, 40, 2), (Rank::Block, 3, 1)]);
        assert_eq!(forth, back);
        assert_eq!(forth.banks().map(|(bank, _)| bank).collect::<Vec<_>>(), [0, 1, 31]);
        assert_eq!((forth.bank(1).own, forth.bank(1).own_lists), ([0, 1 << 13, 1 << 8, 0, 0], [4, 0]));
        assert_eq!((forth.bank(31).below, forth.bank(31).lists_below), ([0, 1 << 31, 0, 0, 0], [3, 0]));
        assert_eq!(forth.bank(2), Terms::default());
        assert_eq!((forth.top(), AllTerms::default().top()), (Rank::Allow, Rank::NotListed));
        assert!(!forth.is_none() && AllTerms::default().is_none());
        assert!(terms(&[(Rank::Block, 1_023, 3)]).without_lists() == terms(&[(Rank::Block, 1_023, 0)]));
    }

    #[test]
    fn what_asks_for_nothing_is_left_out() {
        let all = AllTerms::of(Terms::default(), [(1, Terms::default()), (2, Terms::BLOCK_SUBTREE)]);
        assert_eq!(all.further(), [(2, Terms::BLOCK_SUBTREE)]);
        assert!(AllTerms::of(Terms::default(), [(1, Terms::default())]).is_none());
        assert_eq!(AllTerms::from(Terms::BLOCK_SUBTREE), AllTerms::of(Terms::BLOCK_SUBTREE, []));
    }

    #[test]
    fn terms_are_covered_where_those_of_each_bank_are() {
        let mut above = AllMasks::default();
        assert!(above.is_none());
        for all in [terms(&[(Rank::Block, 0, 0), (Rank::Block, 70, 0)]), terms(&[(Rank::Block, 71, 0)])] {
            above.add_below(&all);
        }
        assert!(!above.is_none());
        let covered = |class| terms(&[(Rank::Block, 0, 0), (Rank::Block, class, 0)]).are_covered_by(&above);
        assert_eq!([0, 70, 71, 72, 38, 1].map(covered), [true, true, true, false, false, false]);
    }

    #[test]
    fn ranks_are_asked_for_in_any_bank() {
        let all = terms(&[(Rank::Block, 0, 0), (Rank::Allow, 900, 0)]);
        let asks = |rank| all.ask_for(&[rank]);
        assert_eq!(Rank::OF_RULES.map(asks), [false, true, true, false, false]);
        assert!(all.ask_for(&[Rank::Audit, Rank::Allow]));
    }
}
