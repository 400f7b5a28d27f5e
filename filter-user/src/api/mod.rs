//! The API: HTTP and JSON on a Unix socket. One controller serves it; every verb of the command
//! line is a client.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/status` | [`Status`] |
//! | `GET /v1/stats?top=N` | [`Stats`] |
//! | `GET /v1/rules?contains=TEXT` | a [`RuleSource`] a line |
//! | `POST /v1/rules` with [`NameList`] | [`Added`] |
//! | `DELETE /v1/rules` with [`NameList`] | [`Removed`] |
//! | `GET /v1/test?name=NAME&client=ADDRESS&mac=MAC&at=TIME` | [`Judgement`] |
//! | `GET /v1/explain?name=NAME&client=ADDRESS&mac=MAC&at=TIME` | [`Explained`] |
//! | `POST /v1/reload`, also with [`ReloadOptions`] | [`Reloaded`] |
//! | `DELETE /v1/reload` | [`Cancelled`] |
//! | `POST /v1/rollback` | [`Reloaded`] |
//! | `GET /v1/events` | an [`EventLine`] a line, for as long as somebody reads |
//!
//! Whatever fails is answered with its status code and an [`ErrorBody`].

mod client;
mod server;
mod socket;
mod types;

pub use client::{Client, ClientError, Lines};
pub(crate) use server::push_line;
pub use server::{control_routes, event_routes, rule_routes, with_fallbacks};
pub use socket::{ApiSocket, SocketError};
pub use types::{
    ActionOn, Added, AddedName, BlockedPacket, Cancelled, ErrorBody, EventCounts, EventLine,
    Explained, ExplainedRule, Interface, Judgement, ListLine, ListStatus, Memory, NameAction,
    NameList, Program, ReloadOptions, Reloaded, Removed, RemovedName, RuleCounts, RuleHits,
    RuleSource, Stats, Status, Undoing, UndoingRule,
};

/// Where the API is, unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/namegate.sock";
