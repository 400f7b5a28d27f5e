//! What the rules for a name ask for.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What the rules say of a name. Each prevails over those before it: this order is the precedence,
/// all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Precedence {
    /// No rule is about it.
    #[default]
    NotListed,
    /// It would be blocked, by a list in audit mode.
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

impl Precedence {
    /// Number of precedences that a rule may have.
    pub const RULES: usize = 5;

    /// All that a rule may have, from the one that yields to all others on.
    pub const OF_RULES: [Self; Self::RULES] = [
        Self::Audit,
        Self::Block,
        Self::Allow,
        Self::BlockImportant,
        Self::AllowImportant,
    ];

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

    /// True if names of this precedence are blocked.
    #[inline(always)]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Block | Self::BlockImportant)
    }

    /// Its place among [`Masks`]; beyond them for what no rule says.
    #[inline(always)]
    pub(crate) const fn place(self) -> usize {
        (self as usize).wrapping_sub(1)
    }

    /// Its place among the lists of [`Effect`]; beyond them if it does not block.
    #[inline(always)]
    const fn blocking_place(self) -> usize {
        match self {
            Self::Block => 0,
            Self::BlockImportant => 1,
            _ => usize::MAX,
        }
    }
}

/// For each precedence, the audiences of lists that say so: a bit for each audience of a bank.
pub type Masks = [u32; Precedence::RULES];

/// Audiences of a bank: the bits of a mask.
pub const AUDIENCES_OF_BANK: u32 = u32::BITS;
/// Banks that there may be. The verifier goes through each of them where a name has rules of many.
pub const BANKS: u32 = 32;

/// The bank of an audience, and the audience there.
#[cfg(not(target_arch = "bpf"))]
pub(crate) const fn audience_in_bank(audience: u32) -> (u32, u32) {
    (
        audience / AUDIENCES_OF_BANK,
        1 << (audience % AUDIENCES_OF_BANK),
    )
}

/// The highest precedence that one of these audiences gives.
#[inline(always)]
pub fn highest_precedence(masks: &Masks, audiences: u32) -> Precedence {
    let [audit, block, allow, block_important, allow_important] = masks;
    if allow_important & audiences != 0 {
        Precedence::AllowImportant
    } else if block_important & audiences != 0 {
        Precedence::BlockImportant
    } else if allow & audiences != 0 {
        Precedence::Allow
    } else if block & audiences != 0 {
        Precedence::Block
    } else if audit & audiences != 0 {
        Precedence::Audit
    } else {
        Precedence::NotListed
    }
}

/// What all rules for one name ask for together, of one bank of audiences. Many names have the same
/// effect, so the rule map holds their number.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
pub struct Effect {
    /// For the name itself.
    pub own: Masks,
    /// For the names below it.
    pub below: Masks,
    /// The numbers of the first lists that block the name itself.
    pub own_lists: BlockingLists,
    /// The same for the names below it.
    pub lists_below: BlockingLists,
}

/// The number of the first list that blocks, and of the first that blocks whatever is allowed; 0
/// for none, or one that has no number.
pub type BlockingLists = [u16; 2];

const _: () = assert!(size_of::<Effect>() == 48);

/// The list among these that gives this precedence; 0 for none.
#[inline(always)]
pub(crate) fn list_of(lists: &BlockingLists, precedence: Precedence) -> u32 {
    lists
        .get(precedence.blocking_place())
        .copied()
        .unwrap_or_default()
        .into()
}

impl Effect {
    /// The number of the effect that asks for nothing.
    pub const NONE: u16 = 0;
    /// The audience of lists that are for all clients at all times, the lowest.
    pub const EVERYBODY: u32 = 1;
    /// The name and all below it are blocked, for everybody.
    pub const BLOCK_SUBTREE: Self = Self {
        own: BLOCK,
        below: BLOCK,
        own_lists: [0; 2],
        lists_below: [0; 2],
    };

    /// What they ask for, for the name itself or for those below it: masks, and lists.
    #[inline(always)]
    pub(crate) fn of(&self, is_own: bool) -> (&Masks, &BlockingLists) {
        if is_own {
            (&self.own, &self.own_lists)
        } else {
            (&self.below, &self.lists_below)
        }
    }

    /// The highest precedence that they give to the name itself, or to one below it.
    #[cfg(not(target_arch = "bpf"))]
    pub fn precedence(&self, is_own: bool, audiences: u32) -> Precedence {
        highest_precedence(self.of(is_own).0, audiences)
    }
}

/// Blocked for everybody.
const BLOCK: Masks = [0, u32::MAX, 0, 0, 0];

#[cfg(not(target_arch = "bpf"))]
impl Effect {
    /// Adds what a rule of this precedence asks for in the list with this number, which is of these
    /// audiences. 0 is a list without a number. Where a list is for everybody, that audience
    /// decides, and so it is the first of those lists that has its number here.
    pub fn add(
        &mut self,
        precedence: Precedence,
        audiences: u32,
        list: u16,
        own: bool,
        below: bool,
    ) {
        let parts = [
            (&mut self.own, &mut self.own_lists, own),
            (&mut self.below, &mut self.lists_below, below),
        ];
        for (masks, lists, _) in parts.into_iter().filter(|(.., wanted)| *wanted) {
            let before = masks.get(precedence.place()).copied().unwrap_or_default();
            if let Some(first) = lists.get_mut(precedence.blocking_place())
                && (before == 0 || before & Self::EVERYBODY < audiences & Self::EVERYBODY)
            {
                *first = list;
            }
            if let Some(mask) = masks.get_mut(precedence.place()) {
                *mask |= audiences;
            }
        }
    }

    /// The same without the numbers of lists.
    #[must_use]
    pub fn without_lists(self) -> Self {
        Self {
            own_lists: [0; 2],
            lists_below: [0; 2],
            ..self
        }
    }

    /// True if this precedence is asked for.
    pub fn asks_for(&self, precedence: Precedence) -> bool {
        let of = |masks: &Masks| masks.get(precedence.place()).copied().unwrap_or_default();
        of(&self.own) | of(&self.below) != 0
    }

    /// The highest precedence that anything has here.
    pub fn top(&self) -> Precedence {
        self.precedence(true, u32::MAX)
            .max(self.precedence(false, u32::MAX))
    }

    /// True if these change nothing for a name below one with `above` in force: whatever they ask
    /// for, that already has with the same precedence or a higher one of the same kind, for the
    /// same audiences.
    pub fn are_covered_by(&self, above: &Masks) -> bool {
        let [audit, block, allow, block_important, allow_important] = *above;
        let blocking = block | block_important;
        let covering = [
            audit | blocking,
            blocking,
            allow | allow_important,
            block_important,
            allow_important,
        ];
        let covered = |masks: &Masks| {
            masks
                .iter()
                .zip(covering)
                .all(|(mask, covering)| mask & !covering == 0)
        };
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
            let mut effect = Effect::default();
            for (audiences, list) in rules {
                effect.add(Precedence::Block, *audiences, *list, true, false);
            }
            (effect.own_lists, effect.lists_below)
        };
        assert_eq!(numbers(&[(SOME, 7), (1 << 2, 8)]), ([7, 0], [0, 0]));
        assert_eq!(
            numbers(&[(SOME, 7), (Effect::EVERYBODY, 8), (Effect::EVERYBODY, 9)]),
            ([8, 0], [0, 0])
        );
        assert_eq!(
            numbers(&[(Effect::EVERYBODY, 7), (SOME, 8)]),
            ([7, 0], [0, 0])
        );
        assert_eq!(
            numbers(&[(Effect::EVERYBODY, 0), (Effect::EVERYBODY, 8)]),
            ([0, 0], [0, 0]),
            "one without a number"
        );
    }

    #[test]
    fn what_effects_say_is_that_of_the_name_or_of_those_below() {
        let mut effect = Effect::default();
        effect.add(Precedence::Allow, 6, 0, true, false);
        effect.add(Precedence::BlockImportant, 2, 9, false, true);
        assert_eq!(
            [
                effect.precedence(true, 4),
                effect.precedence(false, 4),
                effect.precedence(false, 2)
            ],
            [
                Precedence::Allow,
                Precedence::NotListed,
                Precedence::BlockImportant
            ]
        );
        assert_eq!(
            (effect.top(), Effect::default().top()),
            (Precedence::BlockImportant, Precedence::NotListed)
        );
        assert_eq!(
            (
                list_of(effect.of(false).1, Precedence::BlockImportant),
                list_of(effect.of(false).1, Precedence::Block)
            ),
            (9, 0)
        );
        let expected = Effect {
            own_lists: [0; 2],
            lists_below: [0; 2],
            ..effect
        };
        assert!(effect.without_lists() == expected && expected != effect);
    }

    #[test]
    fn each_precedence_has_its_number_and_two_of_them_block() {
        for (number, precedence) in (1..).zip(Precedence::OF_RULES) {
            assert_eq!(
                (Precedence::from_index(number), precedence.place()),
                (precedence, number as usize - 1)
            );
            assert_eq!(
                precedence.blocks(),
                matches!(precedence, Precedence::Block | Precedence::BlockImportant)
            );
        }
        assert_eq!(
            (Precedence::from_index(0), Precedence::NotListed.place()),
            (Precedence::NotListed, usize::MAX)
        );
    }

    /// Of two rules for a name and one above it, the lower one is of no use if the upper one does
    /// the same or more.
    #[test]
    fn a_rule_is_covered_by_one_above_it_with_its_precedence_or_a_higher_one_of_its_kind_and_its_audiences()
     {
        let covers = |upper, lower| match lower {
            Precedence::Audit => matches!(
                upper,
                Precedence::Audit | Precedence::Block | Precedence::BlockImportant
            ),
            Precedence::Block => matches!(upper, Precedence::Block | Precedence::BlockImportant),
            Precedence::Allow => matches!(upper, Precedence::Allow | Precedence::AllowImportant),
            lower => upper == lower,
        };
        for lower in Precedence::OF_RULES {
            for upper in Precedence::OF_RULES {
                let mut above = Masks::default();
                above[upper.place()] = 0b110;
                let is_covered = |audiences, own, below| {
                    let mut effect = Effect::default();
                    effect.add(lower, audiences, 0, own, below);
                    effect.are_covered_by(&above)
                };
                let expected = covers(upper, lower);
                for (own, below) in [(true, false), (false, true), (true, true)] {
                    assert_eq!(
                        is_covered(0b010, own, below),
                        expected,
                        "{lower:?} below {upper:?}"
                    );
                    assert!(
                        !is_covered(0b011, own, below),
                        "{lower:?} below {upper:?}, of one class more"
                    );
                }
            }
        }
    }
}
