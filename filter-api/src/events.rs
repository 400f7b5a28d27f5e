//! The event stream.

use serde::{Deserialize, Serialize};

/// A line of the event stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// A name that is blocked, or would be in audit mode, in a packet that came in. A packet may have
/// several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockedPacket {
    /// When, as in RFC 3339.
    pub time: String,
    /// The interface that it came in by.
    pub interface: String,
    /// The client: who sent a query or a hello, or whom a response is for.
    pub client: String,
    /// From which port.
    pub client_port: u16,
    /// The other end.
    pub server: String,
    /// At which port.
    pub server_port: u16,
    /// `dns`, `tls` or `quic`.
    pub protocol: String,
    /// The name: what was asked for, an alias in a response, or a server name; odd bytes as `\xHH`.
    pub name: String,
    /// Type of the records that were asked for; null if it is no DNS message.
    pub question_type: Option<String>,
    /// The VLANs that the frame was in, from the outermost on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<u16>,
    /// The tunnel that the message was in, with its identifier where it has one: `vxlan 42`.
    /// Whoever sent it chose the addresses in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<String>,
    /// The rule that blocks it; null if it was removed meanwhile.
    pub rule: Option<String>,
    /// Its list, or `manual`.
    pub list: Option<String>,
    /// Its line in the list.
    pub line: Option<u32>,
    /// What the client got: `drop` (nothing), `pass` in audit mode, `nxdomain`, `nodata`,
    /// `refused`, `null`, `address`, `format_error`, `bad_version`, `reset`, `alert` or `close`.
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
