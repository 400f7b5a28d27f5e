//! The API: HTTP and JSON on a Unix socket. One controller serves it; every verb of the command
//! line is a client, and so may any other program be.
//!
//! [`routes::ROUTES`] has all requests, with what each takes and what answers it. A request that
//! fails is answered with its status code and an [`ErrorBody`](error::ErrorBody).
//!
//! This crate knows no server, no policy and no kernel: it has what goes over the socket, and the
//! [`Client`](client::Client). Others rely on the names of its fields.

pub mod client;
pub mod error;
pub mod events;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod questions;
pub mod reload;
pub mod routes;
pub mod rules;
pub mod status;

/// Where the API is, unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/namegate.sock";
