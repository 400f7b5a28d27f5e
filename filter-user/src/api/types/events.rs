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
    /// What happened to the packet: `drop`, `pass` on trial, `nxdomain`, `nodata`, `refused`, `null`, `address`, `reset` or
    /// `alert`, unless something stood against an answer, which is counted.
    pub verdict: String,
    /// The counter of the reason.
    pub reason: String,
}
