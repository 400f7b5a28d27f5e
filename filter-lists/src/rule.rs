//! What an entry of a list says, whatever the list's format.

use std::{fmt, str::FromStr};

use filter_core::DnsAction;
use serde::{Deserialize, Serialize};

/// A rule as a list states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRule<'a> {
    /// What it is about.
    pub subject: Subject<'a>,
    /// What becomes of that.
    pub action: Action,
    /// What the rule says itself of the answer to a DNS query, if it does.
    pub answer: Option<DnsAction>,
    /// True for a rule that is there to take an equal one out, of whatever list (AdGuard's
    /// `$badfilter`).
    pub cancels: bool,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A canonical name ([`Domain`](super::Domain)), and what is meant with it.
    Name(&'a str, Scope),
    /// Names in which this regular expression finds something. It is in the syntax of the crate
    /// `regex-syntax` without Unicode classes, and is about the canonical name as text: lower case,
    /// no dot at the end.
    Pattern(&'a str),
}

/// Which names a rule for a name is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The name alone.
    Name,
    /// All names below it, and not itself.
    Subdomains,
    /// The name and all names below it.
    Subtree,
}

/// What becomes of the names that a rule is about. The later ones prevail over the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub enum Action {
    /// They would be blocked, by a list in audit mode.
    Audit,
    /// They are blocked.
    Block,
    /// They are allowed, whatever blocks them.
    Allow,
    /// They are blocked, whatever allows them (AdGuard's `$important`).
    BlockImportant,
    /// They are allowed, whatever else there is (AdGuard's `@@` with `$important`).
    AllowImportant,
}

/// What a list may do to the rules of other lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Nothing: it blocks, and its exceptions and `$badfilter` rules are left out.
    Block,
    /// Whatever its rules say: exceptions allow what other lists block, and `$badfilter` takes
    /// their rules out.
    #[default]
    Full,
}

impl Trust {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Full => "full",
        }
    }
}

/// A word that says of no trust what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` says not how a list is trusted: write block or full", .0.escape_debug())]
pub struct UnknownTrust(String);

impl FromStr for Trust {
    type Err = UnknownTrust;

    fn from_str(word: &str) -> Result<Self, UnknownTrust> {
        [Self::Block, Self::Full]
            .into_iter()
            .find(|trust| trust.as_str() == word)
            .ok_or_else(|| UnknownTrust(word.into()))
    }
}

impl Scope {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Subdomains => "subdomains",
            Self::Subtree => "subtree",
        }
    }
}

impl Action {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [
        Self::Audit,
        Self::Block,
        Self::Allow,
        Self::BlockImportant,
        Self::AllowImportant,
    ];

    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Block => "block",
            Self::Allow => "allow",
            Self::BlockImportant => "block_important",
            Self::AllowImportant => "allow_important",
        }
    }
}

impl Action {
    /// True if it blocks.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Block | Self::BlockImportant)
    }

    /// True if it allows.
    pub const fn allows(self) -> bool {
        matches!(self, Self::Allow | Self::AllowImportant)
    }

    /// The same in a list in audit mode: what it would block passes, and is reported.
    #[must_use]
    pub const fn on_trial(self) -> Self {
        if self.blocks() { Self::Audit } else { self }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
