//! Rules: where they are from, and what changes them by hand.

use serde::{Deserialize, Serialize};

/// A rule, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleSource {
    /// The name or the pattern.
    pub rule: String,
    /// Which names it is about: `name`, `subdomains`, `subtree` or `pattern`.
    pub scope: String,
    /// What becomes of them: `block`, `allow`, `block_important` or `allow_important`.
    pub action: String,
    /// Its list, or `manual`.
    pub list: String,
    /// Its line in the list.
    pub line: Option<u32>,
}

/// Names to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NameList {
    /// The names.
    pub names: Vec<String>,
    /// What is to become of them.
    #[serde(default)]
    pub action: NameAction,
    /// True if public suffixes are meant as well.
    #[serde(default)]
    pub force: bool,
}

/// What becomes of names that are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NameAction {
    /// They are blocked.
    #[default]
    Block,
    /// They are allowed.
    Allow,
}

/// What became of names that were to be added. Either all are in force or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Added {
    /// Each name, in the order given.
    pub results: Vec<AddedName>,
    /// True if they are kept for the next start.
    pub kept: bool,
}

/// A name that is blocked now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddedName {
    /// The name, in canonical form.
    pub name: String,
    /// False if it had been added by hand before.
    pub added: bool,
    /// The rule that had blocked it before.
    pub before: Option<RuleSource>,
}

/// What became of names that were to be removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Removed {
    /// Each name, in the order given.
    pub results: Vec<RemovedName>,
}

/// A name that is no rule of its own now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemovedName {
    /// The name, in canonical form.
    pub name: String,
    /// False if there was no rule of exactly this name.
    pub removed: bool,
    /// The line of a list that brings it back at the next reload or start.
    pub until_restart: Option<ListLine>,
    /// The rule that still blocks it: that of a parent.
    pub still_blocked_by: Option<RuleSource>,
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListLine {
    /// The list.
    pub list: String,
    /// The line.
    pub line: u32,
}
