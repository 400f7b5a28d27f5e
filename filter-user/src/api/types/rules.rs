//! Rules: where they are from, what they say of a name, and what changes them.

use filter_lists::{Action, Scope};
use filter_policy::compiled::Rule;
use serde::{Deserialize, Serialize};

use crate::check::Undone;

/// A rule, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Names to add or to remove.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NameList {
    /// The names.
    pub names: Vec<String>,
    /// What is to become of them, if they are added.
    #[serde(default)]
    pub action: NameAction,
}

/// How a policy is to be read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReloadOptions {
    /// Lists that may have lost more rules than a list may lose, as they were named.
    #[serde(default)]
    pub accept_shrink: Vec<String>,
}

/// What became of a reload that was to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// True: its reading ends, and the policy that is in force stays.
    pub cancelled: bool,
}

/// What became of a policy that was read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Undoing {
    /// How many there are.
    pub count: u64,
    /// The first 20 of them, in the order of their lists and lines.
    pub examples: Vec<UndoingRule>,
}

/// A rule of a list that undoes a rule of another list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoingRule {
    /// Its list.
    pub list: String,
    /// Its line there; null for one that takes an equal rule out.
    pub line: Option<u32>,
    /// The name or the pattern that it is about.
    pub rule: String,
    /// `allow`, `allow_important`, or the action of the rules that it takes out.
    pub action: Action,
    /// The list of the first rule that it undoes.
    pub undone_list: String,
    /// The line of that rule.
    pub undone_line: u32,
    /// The name or the pattern of that rule.
    pub undone_rule: String,
    /// All of this in a sentence.
    pub message: String,
}

impl From<Undone> for Undoing {
    fn from(Undone { count, first }: Undone) -> Self {
        let examples = first.into_iter().map(|it| UndoingRule {
            message: it.to_string(),
            list: it.list,
            line: it.line,
            rule: it.rule.text,
            action: it.rule.action,
            undone_list: it.at.list,
            undone_line: it.at.line,
            undone_rule: it.undone.text,
        });
        Self {
            count,
            examples: examples.collect(),
        }
    }
}

/// Why a name is blocked or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The name, in canonical form.
    pub name: String,
    /// `drop` or `pass`.
    pub verdict: String,
    /// `blocked`, `allowed` or `not_listed`.
    pub outcome: String,
    /// What becomes of it on each interface, if it is blocked.
    #[serde(default)]
    pub actions: Vec<ActionOn>,
    /// The client that was asked about.
    pub client: Option<String>,
    /// Its group; null for clients in none.
    pub group: Option<String>,
    /// True if the group is exempt.
    pub exempt: bool,
    /// The time that was asked about, as in RFC 3339.
    pub at: String,
    /// All rules about the name, from the top-level domain down, then the patterns.
    pub rules: Vec<ExplainedRule>,
}

/// What becomes of a blocked name on an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionOn {
    /// The interface.
    pub interface: String,
    /// Of a query in a datagram: an action, or `pass` in audit mode.
    pub dns: String,
    /// Of a TLS connection: `drop`, `reset`, `alert`, or `pass` in audit mode.
    pub tls: String,
}

/// A rule about a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own"
)]
pub struct ExplainedRule {
    /// The rule, and where it came from.
    #[serde(flatten)]
    pub source: RuleSource,
    /// Its line in the list, as it stands there; null if the list changed since, or cannot be read.
    pub text: Option<String>,
    /// What becomes of DNS messages that its list blocks: an action, `default` for what the
    /// interface does, or `audit`.
    #[serde(default)]
    pub dns: String,
    /// What becomes of TCP connections that its list blocks: `drop`, `reset`, `alert` or `default`.
    #[serde(default)]
    pub tcp: String,
    /// The groups that it is for; null for all that are not exempt.
    pub groups: Option<Vec<String>>,
    /// The schedule that it follows; null for all times.
    pub schedule: Option<String>,
    /// True if it is in force for the client and at the time in question.
    pub applies: bool,
    /// True if it decides, alone or with others that say the same.
    pub prevails: bool,
    /// True if another rule takes it out (`$badfilter`).
    pub cancelled: bool,
    /// True if it takes no entry in the kernel: a rule for a name above says the same.
    pub redundant: bool,
}

/// What becomes of names that are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameAction {
    /// They are blocked.
    #[default]
    Block,
    /// They are allowed.
    Allow,
}

impl From<NameAction> for Action {
    fn from(action: NameAction) -> Self {
        match action {
            NameAction::Block => Self::Block,
            NameAction::Allow => Self::Allow,
        }
    }
}

/// What became of names that were to be added. Either all are in force or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Added {
    /// Each name, in the order given.
    pub results: Vec<AddedName>,
    /// True if they are kept for the next start.
    pub kept: bool,
}

/// A name that is blocked now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Removed {
    /// Each name, in the order given.
    pub results: Vec<RemovedName>,
}

/// A name that is no rule of its own now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct ListLine {
    /// The list.
    pub list: String,
    /// The line.
    pub line: u32,
}

/// What a name would meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The name, in canonical form.
    pub name: String,
    /// `drop` or `pass`.
    pub verdict: String,
    /// What becomes of it on each interface, if it is blocked.
    #[serde(default)]
    pub actions: Vec<ActionOn>,
    /// The client that was asked about.
    pub client: Option<String>,
    /// Its group; null for clients in none.
    pub group: Option<String>,
    /// True if the group is exempt.
    #[serde(default)]
    pub exempt: bool,
    /// The time that was asked about, as in RFC 3339.
    #[serde(default)]
    pub at: String,
    /// The rule that blocks or allows it.
    pub rule: Option<String>,
    /// Its list, or `manual`.
    pub list: Option<String>,
    /// Its line in the list.
    pub line: Option<u32>,
}

impl From<Rule<'_>> for RuleSource {
    fn from(rule: Rule<'_>) -> Self {
        Self {
            rule: rule.rule.into(),
            scope: rule.scope.map_or("pattern", Scope::as_str).into(),
            action: rule.action.as_str().into(),
            list: rule.list.into(),
            line: rule.line,
        }
    }
}
