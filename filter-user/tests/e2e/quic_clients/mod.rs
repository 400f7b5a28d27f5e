//! What clients by other makers do where a filter reads QUIC: aioquic, and browsers that may fall
//! back to TCP.

mod aioquic;
mod browsers;
mod fallback;
mod firefox;

use std::{path::Path, time::Duration};

use lab::{
    Family, Options,
    quic::{Aioquic, SignedCertificate},
};

use crate::network::{LISTED, Network, OTHER};

/// What a browser takes to start and to ask, on a machine that is busy.
const LIMIT: Duration = Duration::from_mins(2);

/// The name that a browser has the page of when the filter changes.
fn changing(family: Family) -> &'static str {
    match family {
        Family::V4 => "v4.example.com",
        Family::V6 => "v6.example.com",
    }
}

fn installed() -> Aioquic {
    Aioquic::below(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

/// A lab with no server on port 443, and a certificate for the one that comes there.
fn network_and_certificate(options: &Options) -> (Network, SignedCertificate) {
    let network = Network::without_servers(options);
    let names = [LISTED, OTHER, changing(Family::V4), changing(Family::V6)];
    let certificate = SignedCertificate::new(network.lab.directory(), &names).unwrap();
    (network, certificate)
}

/// A counter of the filter.
fn count(network: &Network, name: &str) -> u64 {
    let stats = network.verb("stats").expect("a controller that answers");
    stats["counters"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("no counter {name}: {stats}"))
}
