//! The API: HTTP and JSON on a Unix socket. One controller serves it; every verb of the command
//! line is a client, and so may any other program be.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET` [`STATUS`](routes::STATUS) | | [`Status`](status::Status) |
//! | `GET` [`STATS`](routes::STATS)`?top=N` | | [`Stats`](status::Stats) |
//! | `GET` [`RULES`](routes::RULES)`?contains=TEXT` | | a [`RuleSource`](rules::RuleSource) a line |
//! | `POST` [`RULES`](routes::RULES) | [`NameList`](rules::NameList) | [`Added`](rules::Added) |
//! | `DELETE` [`RULES`](routes::RULES) | [`NameList`](rules::NameList) | [`Removed`](rules::Removed) |
//! | `GET` [`TEST`](routes::TEST) with a [`Question`](questions::Question) | | [`Judgement`](questions::Judgement) |
//! | `GET` [`EXPLAIN`](routes::EXPLAIN) with a [`Question`](questions::Question) | | [`Explained`](questions::Explained) |
//! | `POST` [`RELOAD`](routes::RELOAD) | [`ReloadOptions`](reload::ReloadOptions), or none | [`Reloaded`](reload::Reloaded) |
//! | `DELETE` [`RELOAD`](routes::RELOAD) | | [`Cancelled`](reload::Cancelled) |
//! | `POST` [`ROLLBACK`](routes::ROLLBACK) | | [`Reloaded`](reload::Reloaded) |
//! | `GET` [`EVENTS`](routes::EVENTS) | | an [`EventLine`](events::EventLine) a line, for as long as somebody reads |
//!
//! Whatever fails is answered with its status code and an [`ErrorBody`].
//!
//! This crate knows no server, no policy and no kernel: it has what goes over the socket, and the
//! [`Client`](client::Client). Others rely on the names of its fields.

pub mod client;
pub mod events;
pub mod questions;
pub mod reload;
pub mod routes;
pub mod rules;
pub mod status;

use serde::{Deserialize, Serialize};

/// Where the API is, unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/namegate.sock";

/// Why a request failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One sentence.
    pub error: String,
}
