//! What holds of QUIC Initial packets: of one datagram, and of several that carry a hello.
//!
//! An input is what a packet carries before it is encrypted. rustls encrypts it: a fuzzer would
//! never find a tag that is right.

pub mod datagram;
pub mod sequence;

use std::collections::BTreeSet;

use filter_core::{Offline, Options, Reason, Settings};
use frames::{Initial, Wrap};

use super::world::{self, Listed};

/// Octets of a packet's frames at most: fewer than there is room for, and a header beside them.
const LONGEST: usize = 4_300;
const ID: &[u8] = b"8 octets";

/// A filter that no QUIC has come through yet, with one bucket of connections.
pub fn filter() -> Offline<Listed> {
    let options = Options {
        flows: 1,
        quic_flows: 1,
        report_passed: true,
        ..Options::default()
    };
    Offline::new(Settings::new(*world::hash_key(), &options), world::rules())
}

/// One of the versions that differ in their keys and headers.
fn version(selector: u8) -> u32 {
    [Initial::V1, Initial::V2, Initial::DRAFT_29][usize::from(selector % 3)]
}

/// A datagram with this payload.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    Wrap::v4(443).udp(payload)
}

/// What a ClientHello that starts with these octets meets in one segment of TCP, in one record, and
/// the names that are reported.
pub fn over_tcp(hello: &[u8]) -> (Reason, BTreeSet<String>) {
    let length = u16::try_from(hello.len()).unwrap_or(u16::MAX).to_be_bytes();
    let record = [&[22, 3, 1], &length[..], hello].concat();
    let mut filter = filter();
    let reason = filter.decide(&Wrap::v4(443).tcp(&record));
    (reason, world::take_names(&mut filter))
}

/// The reason in QUIC that is the same as this one in TCP, if it is about a name.
fn of_quic(reason: Reason) -> Option<Reason> {
    match reason {
        Reason::TlsBlocked => Some(Reason::QuicBlocked),
        Reason::TlsNotListed => Some(Reason::QuicNotListed),
        _ => None,
    }
}

/// A packet that was damaged on its way, at an octet that this number selects, and is not the
/// packet any more.
fn damaged(sealed: &[u8], selector: u16) -> Vec<u8> {
    let mut damaged = sealed.to_vec();
    let bits = damaged.len() * 8;
    let bit = usize::from(selector) % bits.max(1);
    if let Some(octet) = damaged.get_mut(bit / 8) {
        *octet ^= 1 << (bit % 8);
    }
    damaged
}

/// Decides over a datagram of a damaged packet.
///
/// # Panics
/// If it is judged, or is dropped though nothing of its connection was blocked.
fn decide_damaged(filter: &mut Offline<Listed>, datagram: &[u8], is_blocked: bool) {
    let reason = filter.decide(&frame(datagram));
    assert!(
        reason.message().is_none(),
        "a damaged packet was judged: {reason:?}"
    );
    let is_of_blocked = is_blocked && reason == Reason::QuicFlowBlocked;
    assert!(
        is_of_blocked || reason.verdict() == filter_core::Verdict::Pass,
        "a damaged packet was dropped: {reason:?}"
    );
}
