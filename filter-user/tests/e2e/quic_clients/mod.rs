//! What clients by other makers do where a filter reads QUIC.

mod aioquic;

use std::path::Path;

use lab::{
    Options,
    quic::{Aioquic, SignedCertificate},
};

use crate::network::{LISTED, Network, OTHER};

fn installed() -> Aioquic {
    Aioquic::below(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

/// A lab with no server on port 443, and a certificate for the one that comes there.
fn network_and_certificate() -> (Network, SignedCertificate) {
    let network = Network::without_servers(&Options::default());
    let names = [LISTED, OTHER];
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
