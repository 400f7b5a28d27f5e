//! What was found for a name so far, and where an automaton stands that looks for more.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{abi::Rank, hash::RuleKey};

/// What won: a rank, and the key of a rule that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The highest rank of all rules that are about the name.
    pub rank: Rank,
    /// Of the rules with this rank, the one nearest to the root.
    pub key: RuleKey,
    /// The classes of lists that have this rule with this rank, as far as they count.
    pub classes: u32,
    /// If it blocks, the number of the first list that has it with this rank, whether it counts or not; 0 if that has no
    /// number.
    pub list: u32,
    /// Labels of its name, which are the last ones of the name that was judged; 0 for a pattern.
    pub labels: u32,
}

impl Found {
    /// The class whose lists say what becomes of a name that is blocked: the first.
    #[inline(always)]
    pub(crate) fn class(&self) -> u32 {
        self.classes.trailing_zeros()
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
}
