//! What Namegate finds in the captures.

use std::path::Path;

use filter_core::Message;
use filter_user::replay::{Engine, Replayed, Seen, replay};

/// A name that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The frame in which it became known.
    pub frame: u64,
    /// What it stands in.
    pub message: Message,
    /// The name and more.
    pub seen: Seen,
}

/// Captures with DNS on other ports than 53, as tshark told by its contents or its own list of
/// ports. mDNS and LLMNR are no such ports: the tables have their names in another column.
const DNS_PORTS: [(&str, u16); 3] = [
    ("ndpi/avast_securedns.pcapng", 443),
    ("suricata-verify/dns__dns-incomplete.pcap", 5353),
    ("tcpdump/dns_udp_8053.pcap", 8053),
];

/// The ports whose messages are DNS in this capture.
pub fn dns_ports(capture: &str) -> Vec<u16> {
    let more = DNS_PORTS
        .iter()
        .filter(|(name, _)| *name == capture)
        .map(|(_, port)| *port);
    [53].into_iter().chain(more).collect()
}

/// The names of a capture, and what became of it.
///
/// # Panics
/// If the engine fails.
pub fn names(file: &Path, engine: &mut dyn Engine) -> (Vec<Found>, Replayed) {
    let mut found = Vec::new();
    let replayed = replay(file, engine, &mut |_| {}, &mut |frame, seen| {
        let message = seen
            .reason
            .message()
            .expect("what is reported is about a name");
        found.push(Found {
            frame,
            message,
            seen,
        });
        Ok(())
    });
    (found, replayed.expect("an engine that goes on"))
}
