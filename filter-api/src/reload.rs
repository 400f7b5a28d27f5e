//! Reading the policy again.

use serde::{Deserialize, Serialize};

/// How a policy is to be read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReloadOptions {
    /// Lists that may have lost more rules than a list may lose, as they were named.
    #[serde(default)]
    pub accept_shrink: Vec<String>,
}

/// What became of a reload that was to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cancelled {
    /// True: its reading ends, and the policy that is in force stays.
    pub cancelled: bool,
}

/// What became of a policy that was read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reloaded {
    /// Rules in force.
    pub rules: u64,
    /// Entries of the kernel's map that are new.
    pub added: u64,
    /// Entries that say something else than before.
    pub changed: u64,
    /// Entries that are gone.
    pub removed: u64,
    /// Entries of lists that could not be used.
    pub unusable: u64,
    /// Patterns that are not in force, since there is no room for them; each with the reason.
    pub refused_patterns: Vec<String>,
    /// Rules of lists that undo rules of other lists.
    #[serde(default)]
    pub undoing: Undoing,
    /// What does not work as it should with this policy, and what to do.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Rules of lists that undo rules of other lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Undoing {
    /// How many there are.
    pub count: u64,
    /// The first 20 of them, in the order of their lists and lines.
    pub examples: Vec<UndoingRule>,
}

/// A rule of a list that undoes a rule of another list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UndoingRule {
    /// Its list.
    pub list: String,
    /// Its line there; null for one that takes an equal rule out.
    pub line: Option<u32>,
    /// The name or the pattern that it is about.
    pub rule: String,
    /// `allow`, `allow_important`, or the action of the rules that it takes out.
    pub action: RuleAction,
    /// The list of the first rule that it undoes.
    pub undone_list: String,
    /// The line of that rule.
    pub undone_line: u32,
    /// The name or the pattern of that rule.
    pub undone_rule: String,
    /// All of this in a sentence.
    pub message: String,
}

/// What becomes of the names that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// They would be blocked, by a list in audit mode.
    Audit,
    /// They are blocked.
    Block,
    /// They are allowed, whatever blocks them.
    Allow,
    /// They are blocked, whatever allows them.
    BlockImportant,
    /// They are allowed, whatever else there is.
    AllowImportant,
}
