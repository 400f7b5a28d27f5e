//! What somebody hears by a frame, in one word, as etherparse and hickory-proto read it.

use etherparse::{SlicedPacket, TransportSlice};
use hickory_proto::{
    op::Message,
    rr::RData,
    serialize::binary::{BinDecodable as _, BinDecoder},
};

/// Content type of a TLS alert (RFC 8446 §5.1).
const ALERT: u8 = 21;

/// What the receiver of a frame hears: `nxdomain`, `nodata`, `refused`, `null`, `address`,
/// `format_error`, `bad_version`, `reset` or `alert`. Checksums, and what lies behind the IP
/// packet, are for [`opened`](crate::opened).
///
/// # Panics
/// If it is none of these.
pub fn heard(frame: &[u8]) -> &'static str {
    match opened_at_session(frame).transport.expect("UDP or TCP") {
        TransportSlice::Udp(udp) => heard_in_message(udp.payload()),
        TransportSlice::Tcp(tcp) if tcp.rst() => "reset",
        TransportSlice::Tcp(tcp) => match tcp.payload() {
            [ALERT, 3, ..] => "alert",
            [_, _, message @ ..] => heard_in_message(message),
            other => panic!("neither an alert nor DNS: {other:02x?}"),
        },
        other => panic!("neither UDP nor TCP: {other:?}"),
    }
}

/// The packet, also in a session of PPPoE, which etherparse does not open.
fn opened_at_session(frame: &[u8]) -> SlicedPacket<'_> {
    /// `EtherType` of a session, and the bytes from it to the IP header (RFC 2516 §4).
    const SESSION: [u8; 2] = [0x88, 0x64];
    const HEADER_BYTES: usize = 2 + 6 + 2;

    let packet = SlicedPacket::from_ethernet(frame).expect("a packet in Ethernet");
    let types_end = 14 + 4 * packet.link_exts.len();
    match frame.get(types_end - 2..) {
        Some(rest) if rest.starts_with(&SESSION) => {
            SlicedPacket::from_ip(&rest[HEADER_BYTES..]).expect("a packet in a session")
        }
        _ => packet,
    }
}

/// What a DNS message says, and others behind it do not matter.
///
/// # Panics
/// If it is no response that a filter gives.
pub fn heard_in_message(message: &[u8]) -> &'static str {
    let response = Message::read(&mut BinDecoder::new(message)).expect("a DNS message");
    match u16::from(response.metadata.response_code) {
        0 => match response.answers.first().map(|record| &record.data) {
            None => "nodata",
            Some(RData::A(address)) => {
                if address.0.is_unspecified() {
                    "null"
                } else {
                    "address"
                }
            }
            Some(RData::AAAA(address)) => {
                if address.0.is_unspecified() {
                    "null"
                } else {
                    "address"
                }
            }
            Some(other) => panic!("an answer with {other}"),
        },
        1 => "format_error",
        3 => "nxdomain",
        5 => "refused",
        16 => "bad_version",
        code => panic!("code {code}"),
    }
}
