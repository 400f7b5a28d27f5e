//! How the controller is, and what it counted.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::rules::RuleSource;

/// The controller and all that it holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// Version of the controller.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// How long it has filtered.
    pub uptime_seconds: u64,
    /// The socket that it answers on.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub socket: PathBuf,
    /// The file that keeps the rules which were added by hand, if there is one.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub state: Option<PathBuf>,
    /// The folder in which the filter is pinned, so that it goes on when the controller ends; none if
    /// all packets pass then.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub pins: Option<PathBuf>,
    /// The program in the kernel.
    pub program: Program,
    /// The interfaces that were named, in their order.
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Program {
    /// Its id, as `bpftool prog` shows it.
    pub id: u32,
    /// Instructions that the kernel's verifier went through.
    pub verified_instructions: u32,
}

/// An interface that was named.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interface {
    /// Its name, as it was given.
    pub name: String,
    /// Whether it is filtered.
    pub state: InterfaceState,
    /// What is wrong with it, and what to do; null if it is filtered under its name.
    pub problem: Option<String>,
    /// Its index; null if it is not filtered.
    pub index: Option<u32>,
    /// Where the program runs: `native` (in the driver) or `generic`; null if it is not filtered.
    pub mode: Option<String>,
    /// Which DNS messages are judged there: `queries`, `responses` or `both`.
    pub judged: String,
    /// True if clients are behind it, which are answered.
    pub faces_clients: bool,
    /// What becomes of DNS messages that are blocked, unless a list says otherwise; `audit` if
    /// nothing is.
    pub action: String,
    /// What becomes of TCP connections, likewise: `drop`, `reset` or `alert`.
    pub tcp: String,
    /// What becomes of QUIC connections, likewise: `drop` or `close`; `pass` or `refuse` if no name
    /// in them is read.
    pub quic: String,
    /// Devices below it where offloads have the kernel join datagrams, with these offloads as
    /// `ethtool -k` names them. Of messages in one datagram, those that are not blocked have to be
    /// asked for again.
    pub joined_below: BTreeMap<String, Vec<String>>,
}

/// Whether an interface that was named is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InterfaceState {
    /// It is.
    Filtered,
    /// It is, and has another name by now.
    Renamed,
    /// There is none of the name; it is filtered as soon as it appears.
    Missing,
    /// It was moved to another network namespace, and is not filtered there.
    Moved,
    /// It is there, and cannot be filtered.
    Failed,
}

impl InterfaceState {
    /// The word for it, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Renamed => "renamed",
            Self::Missing => "missing",
            Self::Moved => "moved",
            Self::Failed => "failed",
        }
    }
}

/// How many rules there are, and from where.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleCounts {
    /// All rules, each counted once.
    pub total: u64,
    /// Entries that these take in the kernel's map: none for a name that another rule covers.
    pub in_kernel: u64,
    /// Entries that the kernel's map has room for now.
    pub capacity: u64,
    /// Entries that it may have room for, once a policy needs so many (`--max-rules`).
    pub max_rules: u64,
    /// Rules that were added by hand.
    pub manual: u64,
    /// Rules by list.
    pub lists: Vec<ListStatus>,
}

/// What a list gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListStatus {
    /// Its name: the path as it was given.
    pub list: String,
    /// What those whom it blocks see of it.
    pub label: String,
    /// Its format, as `namegate check --help` names it.
    pub format: String,
    /// What becomes of DNS messages that it blocks: an action, `default` for what the interface
    /// does, or `audit`.
    pub action: String,
    /// What becomes of TCP connections that it blocks: `drop`, `reset`, `alert` or `default`.
    pub tcp: String,
    /// What becomes of QUIC connections that it blocks: `drop`, `close` or `default`.
    pub quic: String,
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Memory {
    /// Of the kernel's maps.
    pub kernel_bytes: u64,
    /// Of the controller (its resident set).
    pub controller_bytes: u64,
}

/// What became of the events since the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stats {
    /// Packets by reason, and events that were not reported.
    pub counters: BTreeMap<String, u64>,
    /// The rules that blocked something, the busiest first.
    pub rules: Vec<RuleHits>,
}

/// What a rule blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleHits {
    /// The rule, and where it came from.
    #[serde(flatten)]
    pub source: RuleSource,
    /// Packets that it blocked.
    pub hits: u64,
}
