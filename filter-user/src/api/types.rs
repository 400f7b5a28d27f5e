//! What goes over the API, and out of each verb with `--json`. Others rely on these names.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    lists::{Action, Scope},
    policy::Rule,
};

/// The controller and all that it holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the controller.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// How long it has filtered.
    pub uptime_seconds: u64,
    /// The socket that it answers on.
    pub socket: PathBuf,
    /// The file that keeps the rules which were added by hand, if there is one.
    pub state: Option<PathBuf>,
    /// The program in the kernel.
    pub program: Program,
    /// Where it is attached.
    pub interfaces: Vec<Interface>,
    /// What it blocks.
    pub rules: RuleCounts,
    /// What that takes.
    pub memory: Memory,
    /// What became of the events.
    pub events: EventCounts,
}

/// The program in the kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Its id, as `bpftool prog` shows it.
    pub id: u32,
    /// Instructions that the kernel's verifier went through.
    pub verified_instructions: u32,
}

/// An interface that is filtered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// Where the program runs: `native` (in the driver) or `generic`.
    pub mode: String,
    /// Which DNS messages are judged there: `queries`, `responses` or `both`.
    pub judged: String,
}

/// How many rules there are, and from where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleCounts {
    /// All rules, each counted once.
    pub total: u64,
    /// Entries that these take in the kernel's map: none for a name that another rule covers.
    pub in_kernel: u64,
    /// Entries that the kernel's map has room for.
    pub capacity: u64,
    /// Rules that were added by hand.
    pub manual: u64,
    /// Rules by list.
    pub lists: Vec<ListStatus>,
}

/// What a list gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListStatus {
    /// Its name: the path as it was given.
    pub list: String,
    /// `hosts` or `domains`.
    pub format: String,
    /// Rules that come from it.
    pub rules: u64,
    /// Names that an earlier list or line has.
    pub repeated: u64,
    /// Local names that were left out.
    pub local: u64,
    /// Entries that could not be used, by reason.
    pub unusable: BTreeMap<String, u64>,
}

/// Memory in use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    /// Of the kernel's maps.
    pub kernel_bytes: u64,
    /// Of the controller (its resident set).
    pub controller_bytes: u64,
}

/// What became of the events since the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventCounts {
    /// Read from the kernel.
    pub reported: u64,
    /// Not reported: more than are reported in a second.
    pub suppressed: u64,
    /// Not reported: the controller was too slow.
    pub lost: u64,
    /// Who reads them now.
    pub readers: u64,
}

/// What was counted since the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stats {
    /// Packets by reason, and events that were not reported.
    pub counters: BTreeMap<String, u64>,
    /// The rules that blocked something, the busiest first.
    pub rules: Vec<RuleHits>,
}

/// What a rule blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHits {
    /// The rule, and where it came from.
    #[serde(flatten)]
    pub source: RuleSource,
    /// Packets that it blocked.
    pub hits: u64,
}

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

/// A rule about a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct ExplainedRule {
    /// The rule, and where it came from.
    #[serde(flatten)]
    pub source: RuleSource,
    /// Its line in the list, as it stands there; null if the list changed since, or cannot be read.
    pub text: Option<String>,
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
    /// The line of a list that brings it back at the next start.
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
    /// The rule that blocks or allows it.
    pub rule: Option<String>,
    /// Its list, or `manual`.
    pub list: Option<String>,
    /// Its line in the list.
    pub line: Option<u32>,
}

/// A line of the event stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventLine {
    /// A packet was blocked.
    Blocked(Box<BlockedPacket>),
    /// The reader was too slow for this many events, which come no more.
    Missed {
        /// How many.
        missed: u64,
    },
}

/// A packet that was blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedPacket {
    /// When, as in RFC 3339.
    pub time: String,
    /// The interface that it came in by.
    pub interface: String,
    /// Who sent it.
    pub client: String,
    /// From which port.
    pub client_port: u16,
    /// Whom it was for.
    pub server: String,
    /// At which port.
    pub server_port: u16,
    /// `dns` or `tls`.
    pub protocol: String,
    /// The name that was asked for; odd bytes as `\xHH`.
    pub name: String,
    /// The rule that blocks it; null if it was removed meanwhile.
    pub rule: Option<String>,
    /// Its list, or `manual`.
    pub list: Option<String>,
    /// Its line in the list.
    pub line: Option<u32>,
    /// What happened to the packet: `drop`.
    pub verdict: String,
    /// The counter of the reason.
    pub reason: String,
}

/// Why a request failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One sentence.
    pub error: String,
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
