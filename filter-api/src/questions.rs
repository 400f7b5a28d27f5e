//! What a name would meet, and why.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::RuleSource;

/// What a name would meet, for which client and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The name.
    pub name: String,
    /// As this client would meet it; without one, as a client in no group.
    pub client: Option<IpAddr>,
    /// The client's MAC address; it counts more than the address.
    pub mac: Option<String>,
    /// The time, as in RFC 3339; without one, now.
    pub at: Option<Timestamp>,
}

impl Question {
    /// About this name, for a client in no group, now.
    pub fn about(name: &str) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The pairs of the query.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("name", Some(self.name.clone())),
            ("client", self.client.map(|client| client.to_string())),
            ("mac", self.mac.clone()),
            ("at", self.at.map(|at| at.to_string())),
        ];
        all.into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }
}

/// What a name would meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// Why a name is blocked or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionOn {
    /// The interface.
    pub interface: String,
    /// Of a query in a datagram: an action, or `pass` in audit mode.
    pub dns: String,
    /// Of a TLS connection: `drop`, `reset`, `alert`, or `pass` in audit mode.
    pub tls: String,
    /// Of a QUIC connection: `drop`, `close`, or `pass` in audit mode and where no name is read.
    pub quic: String,
}

/// A rule about a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What becomes of QUIC connections that its list blocks: `drop`, `close` or `default`.
    #[serde(default)]
    pub quic: String,
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
