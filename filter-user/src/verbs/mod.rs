//! One verb a file, and what several of them share.

mod asking;
pub mod block;
pub mod check;
pub mod completions;
pub mod detach;
pub mod events;
pub mod explain;
pub mod policy;
pub mod reload;
pub mod replay;
pub mod rollback;
pub mod run;
pub mod stats;
pub mod status;
pub mod test;

use std::time::Duration;

use anyhow::Context;
use filter_api::{client::Client, questions::ActionOn};

use crate::cli::ClientArgs;

/// Runs a verb that asks the controller.
fn ask<T>(
    args: &ClientArgs,
    verb: impl AsyncFnOnce(Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.context("cannot start the event loop")?;
    let client = Client::new(&args.socket.socket);
    let client = match args.timeout {
        Some(seconds) => client.with_timeout(Duration::from_secs(seconds.into())),
        None => client,
    };
    runtime.block_on(verb(client))
}

/// What becomes of a blocked name, in words: once where all interfaces do the same, and else for
/// each.
fn action_words(actions: &[ActionOn]) -> Vec<String> {
    let words = |on: &ActionOn| format!("{}, TLS {}, QUIC {}", on.dns, on.tls, on.quic);
    match actions {
        [] => Vec::new(),
        [first, others @ ..] if others.iter().all(|other| words(other) == words(first)) => {
            vec![words(first)]
        }
        _ => actions
            .iter()
            .map(|on| format!("{}: {}", on.interface, words(on)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(interface: &str, dns: &str) -> ActionOn {
        ActionOn {
            interface: interface.into(),
            dns: dns.into(),
            tls: "reset".into(),
            quic: "close".into(),
        }
    }

    #[test]
    fn what_all_interfaces_do_is_said_once_and_what_they_do_differently_of_each() {
        assert_eq!(
            action_words(&[on("lan", "nxdomain"), on("wan", "nxdomain")]),
            ["nxdomain, TLS reset, QUIC close"]
        );
        let each = [
            "lan: nxdomain, TLS reset, QUIC close",
            "wan: drop, TLS reset, QUIC close",
        ];
        assert_eq!(
            action_words(&[on("lan", "nxdomain"), on("wan", "drop")]),
            each
        );
    }
}
