//! What the rules for a name ask for.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What the rules say of a name. Each prevails over those before it: this order is the precedence, all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Rank {
    /// No rule is about it.
    #[default]
    NotListed,
    /// It would be blocked, by a list on trial.
    Audit,
    /// Blocked.
    Block,
    /// Allowed, whatever blocks it.
    Allow,
    /// Blocked, whatever allows it.
    BlockImportant,
    /// Allowed, whatever else there is.
    AllowImportant,
}

impl Rank {
    /// Number of ranks that a rule may have.
    pub const RULES: usize = 5;

    /// All that a rule may have, from the one that yields to all others on.
    pub const OF_RULES: [Self; Self::RULES] =
        [Self::Audit, Self::Block, Self::Allow, Self::BlockImportant, Self::AllowImportant];

    /// The one with this number; the last for a number that is too large.
    #[inline(always)]
    pub const fn from_index(index: u32) -> Self {
        match index {
            1 => Self::Audit,
            2 => Self::Block,
            3 => Self::Allow,
            4 => Self::BlockImportant,
            5 => Self::AllowImportant,
            _ => Self::NotListed,
        }
    }

    /// True if names of this rank are blocked.
    #[inline(always)]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Block | Self::BlockImportant)
    }

    /// Its place among [`Masks`]; beyond them for what no rule says.
    #[inline(always)]
    pub(crate) const fn place(self) -> usize {
        (self as usize).wrapping_sub(1)
    }

    /// Its place among the lists of [`Terms`]; beyond them if it does not block.
    #[inline(always)]
    const fn blocking_place(self) -> usize {
        match self {
            Self::Block => 0,
            Self::BlockImportant => 1,
            _ => usize::MAX,
        }
    }
}

/// For each rank, the classes of lists that say so: a bit for each class of a bank.
pub type Masks = [u32; Rank::RULES];

/// Classes of a bank: the bits of a mask.
pub const CLASSES_OF_BANK: u32 = u32::BITS;
/// Banks that there may be. The verifier goes through each of them where a name has rules of many.
pub const BANKS: u32 = 32;

/// The bank of a class, and the class there.
#[cfg(not(target_arch = "bpf"))]
pub(crate) const fn class_in_bank(class: u32) -> (u32, u32) {
    (class / CLASSES_OF_BANK, 1 << (class % CLASSES_OF_BANK))
}

/// The highest rank that one of these classes gives.
#[inline(always)]
pub fn highest_rank(masks: &Masks, classes: u32) -> Rank {
    let [audit, block, allow, block_important, allow_important] = masks;
    if allow_important & classes != 0 {
        Rank::AllowImportant
    } else if block_important & classes != 0 {
        Rank::BlockImportant
    } else if allow & classes != 0 {
        Rank::Allow
    } else if block & classes != 0 {
        Rank::Block
    } else if audit & classes != 0 {
        Rank::Audit
    } else {
        Rank::NotListed
    }
}

/// What all rules for one name ask for together, of one bank of classes. Many names have the same terms, so the rule map holds
/// their number.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
pub struct Terms {
    /// For the name itself.
    pub own: Masks,
    /// For the names below it.
    pub below: Masks,
    /// The numbers of the first lists that block the name itself.
    pub own_lists: BlockingLists,
    /// The same for the names below it.
    pub lists_below: BlockingLists,
}

/// The number of the first list that blocks, and of the first that blocks whatever is allowed; 0 for none, or one that
/// has no number.
pub type BlockingLists = [u16; 2];

const _: () = assert!(size_of::<Terms>() == 48);

/// The list among these that gives this rank; 0 for none.
#[inline(always)]
pub(crate) fn list_of(lists: &BlockingLists, rank: Rank) -> u32 {
    lists.get(rank.blocking_place()).copied().unwrap_or_default().into()
}

impl Terms {
    /// The number of the terms that ask for nothing.
    pub const NONE: u16 = 0;
    /// The class of lists that are for all clients at all times, the lowest.
    pub const EVERYBODY: u32 = 1;
    /// The name and all below it are blocked, for everybody.
    pub const BLOCK_SUBTREE: Self = Self { own: BLOCK, below: BLOCK, own_lists: [0; 2], lists_below: [0; 2] };

    /// What they ask for, for the name itself or for those below it: masks, and lists.
    #[inline(always)]
    pub(crate) fn of(&self, is_own: bool) -> (&Masks, &BlockingLists) {
        if is_own { (&self.own, &self.own_lists) } else { (&self.below, &self.lists_below) }
    }

    /// The highest rank that they give to the name itself, or to one below it.
    #[cfg(not(target_arch = "bpf"))]
    pub fn rank(&self, is_own: bool, classes: u32) -> Rank {
        highest_rank(self.of(is_own).0, classes)
    }
}

/// Blocked for everybody.
const BLOCK: Masks = [0, u32::MAX, 0, 0, 0];

#[cfg(not(target_arch = "bpf"))]
impl Terms {
    /// Adds what a rule of this rank asks for in the list with this number, which is of these classes. 0 is a list without a
    /// number. Where a list is for everybody, that class decides, and so it is the first of those lists that has its number here.
    pub fn add(&mut self, rank: Rank, classes: u32, list: u16, own: bool, below: bool) {
        let parts = [(&mut self.own, &mut self.own_lists, own), (&mut self.below, &mut self.lists_below, below)];
        for (masks, lists, _) in parts.into_iter().filter(|(.., wanted)| *wanted) {
            let before = masks.get(rank.place()).copied().unwrap_or_default();
            if let Some(first) = lists.get_mut(rank.blocking_place())
                && (before == 0 || before & Self::EVERYBODY < classes & Self::EVERYBODY)
            {
                *first = list;
            }
            if let Some(mask) = masks.get_mut(rank.place()) {
                *mask |= classes;
            }
        }
    }

    /// The same without the numbers of lists.
    #[must_use]
    pub fn without_lists(self) -> Self {
        Self { own_lists: [0; 2], lists_below: [0; 2], ..self }
    }

    /// True if this rank is asked for.
    pub fn asks_for(&self, rank: Rank) -> bool {
        let of = |masks: &Masks| masks.get(rank.place()).copied().unwrap_or_default();
        of(&self.own) | of(&self.below) != 0
    }

    /// The highest rank that anything has here.
    pub fn top(&self) -> Rank {
        self.rank(true, u32::MAX).max(self.rank(false, u32::MAX))
    }

    /// True if these change nothing for a name below one with `above` in force: whatever they ask for, that already
    /// has with the same rank or a higher one of the same kind, for the same classes.
    pub fn are_covered_by(&self, above: &Masks) -> bool {
        let [audit, block, allow, block_important, allow_important] = *above;
        let blocking = block | block_important;
        let covering = [audit | blocking, blocking, allow | allow_important, block_important, allow_important];
        let covered = |masks: &Masks| masks.iter().zip(covering).all(|(mask, covering)| mask & !covering == 0);
        covered(&self.own) && covered(&self.below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_list_has_its_number_unless_a_later_one_is_for_everybody() {
        const SOME: u32 = 1 << 3;

        let numbers = |rules: &[(u32, u16)]| {
            let mut terms = Terms::default();
            for (classes, list) in rules {
                terms.add(Rank::Block, *classes, *list, true, false);
            }
            (terms.own_lists, terms.lists_below)
        };
        assert_eq!(numbers(&[(SOME, 7), (1 << 2, 8)]), ([7, 0], [0, 0]));
        assert_eq!(numbers(&[(SOME, 7), (Terms::EVERYBODY, 8), (Terms::EVERYBODY, 9)]), ([8, 0], [0, 0]));
        assert_eq!(numbers(&[(Terms::EVERYBODY, 7), (SOME, 8)]), ([7, 0], [0, 0]));
        assert_eq!(numbers(&[(Terms::EVERYBODY, 0), (Terms::EVERYBODY, 8)]), ([0, 0], [0, 0]), "one without a number");
    }

    #[test]
    fn what_terms_say_is_that_of_the_name_or_of_those_below() {
        let mut terms = Terms::default();
        terms.add(Rank::Allow, 6, 0, true, false);
        terms.add(Rank::BlockImportant, 2, 9, false, true);
        assert_eq!(
            [terms.rank(true, 4), terms.rank(false, 4), terms.rank(false, 2)],
            [Rank::Allow, Rank::NotListed, Rank::BlockImportant]
        );
        assert_eq!((terms.top(), Terms::default().top()), (Rank::BlockImportant, Rank::NotListed));
        assert_eq!((list_of(terms.of(false).1, Rank::BlockImportant), list_of(terms.of(false).1, Rank::Block)), (9, 0));
        let expected = Terms { own_lists: [0; 2], lists_below: [0; 2], ..terms };
        assert!(terms.without_lists() == expected && expected != terms);
    }

    #[test]
    fn each_rank_has_its_number_and_two_of_them_block() {
        for (number, rank) in (1..).zip(Rank::OF_RULES) {
            assert_eq!((Rank::from_index(number), rank.place()), (rank, number as usize - 1));
            assert_eq!(rank.blocks(), matches!(rank, Rank::Block | Rank::BlockImportant));
        }
        assert_eq!((Rank::from_index(0), Rank::NotListed.place()), (Rank::NotListed, usize::MAX));
    }

    /// Of two rules for a name and one above it, the lower one is of no use if the upper one does the same or more.
    #[test]
    fn a_rule_is_covered_by_one_above_it_with_its_rank_or_a_higher_one_of_its_kind_and_its_classes() {
        let covers = |upper, lower| match lower {
            Rank::Audit => matches!(upper, Rank::Audit | Rank::Block | Rank::BlockImportant),
            Rank::Block => matches!(upper, Rank::Block | Rank::BlockImportant),
            Rank::Allow => matches!(upper, Rank::Allow | Rank::AllowImportant),
            lower => upper == lower,
        };
        for lower in Rank::OF_RULES {
            for upper in Rank::OF_RULES {
                let mut above = Masks::default();
                above[upper.place()] = 0b110;
                let is_covered = |classes, own, below| {
                    let mut terms = Terms::default();
                    terms.add(lower, classes, 0, own, below);
                    terms.are_covered_by(&above)
                };
                let expected = covers(upper, lower);
                for (own, below) in [(true, false), (false, true), (true, true)] {
                    assert_eq!(is_covered(0b010, own, below), expected, "{lower:?} below {upper:?}");
                    assert!(!is_covered(0b011, own, below), "{lower:?} below {upper:?}, of one class more");
                }
            }
        }
    }
}
