//! What goes over the API, and out of each verb with `--json`. Others rely on these names.

mod events;
mod rules;
mod status;

use serde::{Deserialize, Serialize};

pub use events::{BlockedPacket, EventLine};
pub use rules::{
    ActionOn, Added, AddedName, Cancelled, Explained, ExplainedRule, Judgement, ListLine,
    NameAction, NameList, ReloadOptions, Reloaded, Removed, RemovedName, RuleSource, Undoing,
    UndoingRule,
};
pub use status::{
    EventCounts, Interface, ListStatus, Memory, Program, RuleCounts, RuleHits, Stats, Status,
};

/// Why a request failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One sentence.
    pub error: String,
}
