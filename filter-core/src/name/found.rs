//! What was found for a name so far, and where an automaton stands that looks for more.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    abi::{AUDIENCES_OF_BANK, Precedence},
    hash::RuleKey,
};

/// What won: a precedence, and the key of a rule that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The highest precedence of all rules that are about the name.
    pub precedence: Precedence,
    /// Of the rules with this precedence, the one nearest to the root.
    pub key: RuleKey,
    /// The audiences of lists that have this rule with this precedence, as far as they count: those
    /// of the first bank that has some.
    pub audiences: u32,
    /// That bank.
    pub bank: u32,
    /// If it blocks, the number of the first list that has it with this precedence, whether it
    /// counts or not; 0 if that has no number.
    pub list: u32,
    /// Labels of its name, which are the last ones of the name that was judged; 0 for a pattern.
    pub labels: u32,
}

impl Found {
    /// The audience whose lists say what becomes of a name that is blocked: the first.
    #[inline(always)]
    pub(crate) fn audience(&self) -> u32 {
        self.bank * AUDIENCES_OF_BANK + self.audiences.trailing_zeros()
    }
}

/// How far an automaton is. It lives with the name in a map: the verifier follows every value
/// that is on the stack, and would not see that one turn of the loop is as another.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub struct Walk {
    pub(crate) state: u32,
    /// Behind the octet that is next.
    pub(crate) at: u32,
    /// Where its label starts.
    pub(crate) start: u32,
    /// Labels before that.
    pub(crate) labels: u32,
    /// What the last state means in another bank, and is still to be asked.
    pub(crate) link: Link,
}

/// What matches mean in the next bank of audiences: which bank it is, and the place among the
/// meanings, from 1 on. 0 for none.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Link(u32);

impl Link {
    /// To this bank, at this place from 1 on.
    pub const fn new(bank: u32, place: u32) -> Self {
        Self((place << 8) | bank)
    }

    #[inline(always)]
    pub(crate) const fn bank(self) -> u32 {
        self.0 & 0xff
    }

    #[inline(always)]
    pub(crate) const fn place(self) -> u32 {
        self.0 >> 8
    }

    #[inline(always)]
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}
