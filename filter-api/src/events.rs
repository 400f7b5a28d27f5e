//! The event stream.

use serde::{Deserialize, Serialize};

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
    /// `dns`, `tls` or `quic`.
    pub protocol: String,
    /// The name that was asked for; odd bytes as `\xHH`.
    pub name: String,
    /// Type of the records that were asked for; null if it is no DNS message.
    pub question_type: Option<String>,
    /// The VLANs that the frame was in, from the outermost on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<u16>,
    /// The tunnel that the message was in, with the network identifier of VXLAN and Geneve or the
    /// key of GRE: `vxlan 42`. Whoever sent it chose the addresses in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<String>,
    /// The rule that blocks it; null if it was removed meanwhile.
    pub rule: Option<String>,
    /// Its list, or `manual`.
    pub list: Option<String>,
    /// Its line in the list.
    pub line: Option<u32>,
    /// What the client got: `drop` (nothing), `pass` in audit mode, `nxdomain`, `nodata`,
    /// `refused`, `null`, `address`, `format_error`, `bad_version`, `reset` or `alert`.
    pub verdict: String,
    /// What the client was to get, by the rule, its list and the interface: the same, unless
    /// something stood against it or DNS has no such answer to the question.
    #[serde(default)]
    pub action: String,
    /// The counter of what stood against it: `unanswered_...`, `closed_already`, or
    /// `program_not_run` after a failure of ours; null if nothing did.
    #[serde(default)]
    pub unanswered: Option<String>,
    /// The counter of the reason.
    pub reason: String,
}
