//! What a rule for a name says of it.

use filter_core::DnsAction;
use filter_lists::{Action, Scope};

/// What a rule for a name says of it, in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

impl Kind {
    /// The kind of rules with this scope and action.
    pub const fn new(scope: Scope, action: Action) -> Self {
        Self(scope as u8 * 8 + action as u8)
    }

    /// The kind of which this is the byte.
    pub(super) const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// Its byte.
    pub(super) const fn to_byte(self) -> u8 {
        self.0
    }

    /// The same with what they say themselves of the answer to a DNS query.
    #[must_use]
    pub fn with_answer(self, answer: Option<DnsAction>) -> Self {
        Self(self.0 % 32 + answer.unwrap_or_default() as u8 * 32)
    }

    /// What they say themselves of the answer to a DNS query.
    pub fn answer(self) -> Option<DnsAction> {
        DnsAction::ALL
            .iter()
            .copied()
            .find(|action| *action as u8 == self.0 / 32)
    }

    /// Which names it is about.
    pub const fn scope(self) -> Scope {
        match self.0 / 8 % 4 {
            0 => Scope::Name,
            1 => Scope::Subdomains,
            _ => Scope::Subtree,
        }
    }

    /// True if it is about names below as well, or about nothing else.
    pub(super) fn is_about_below(self) -> bool {
        self.scope() != Scope::Name
    }

    /// What becomes of them.
    pub const fn action(self) -> Action {
        match self.0 % 8 {
            0 => Action::Audit,
            1 => Action::Block,
            2 => Action::Allow,
            3 => Action::BlockImportant,
            _ => Action::AllowImportant,
        }
    }
}
