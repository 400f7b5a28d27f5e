//! One verb a file.

pub mod block;
pub mod check;
pub mod completions;
pub mod events;
pub mod explain;
pub mod policy;
pub mod reload;
pub mod replay;
pub mod run;
pub mod stats;
pub mod status;
pub mod test;

use anyhow::Context;
use filter_user::api::Client;

use crate::cli::ClientArgs;

/// Runs a verb that asks the controller.
fn ask<T>(args: &ClientArgs, verb: impl AsyncFnOnce(Client) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the event loop")?;
    runtime.block_on(verb(Client::new(&args.socket.socket)))
}
