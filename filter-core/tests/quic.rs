//! The server name in QUIC: packets that rustls seals, in every form that clients send them.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests may panic")]

mod engine;

use filter_core::{Offline, Options, Reason};
use frames::{Initial, Wrap, crypto_frame, quic_hello};

use engine::{Listed, offline};

const LISTED: &str = "www.listed.example";
const OTHER: &str = "www.other.example";

fn engine() -> Offline<Listed> {
    offline(&Options::default(), &[LISTED])
}

fn datagram(packets: &[Initial]) -> Vec<u8> {
    Wrap::v4(443).udp(&packets.iter().flat_map(Initial::sealed).collect::<Vec<_>>())
}

fn whole(name: &str) -> Initial {
    Initial::to(b"8 octets").carrying(&[crypto_frame(0, &quic_hello(name))])
}

#[test]
fn a_listed_name_is_blocked_and_another_passes() {
    let mut offline = engine();
    assert_eq!(offline.decide(&datagram(&[whole(LISTED)])), Reason::QuicBlocked);
    let mut offline = engine();
    assert_eq!(offline.decide(&datagram(&[whole(OTHER)])), Reason::QuicNotListed);
}
