//! What somebody hears by a frame, in one word, as etherparse and hickory-proto read it.

use etherparse::{SlicedPacket, TransportSlice};
use hickory_proto::{
    op::Message,
    rr::RData,
    serialize::binary::{BinDecodable as _, BinDecoder},
};

use crate::quic::Initial;

/// Content type of a TLS alert (RFC 8446 §5.1).
const ALERT: u8 = 21;

/// What the receiver of a frame hears: `nxdomain`, `nodata`, `refused`, `null`, `address`,
/// `format_error`, `bad_version`, `reset`, `alert`, or `close` for an Initial packet of QUIC, which
/// only [`opened_by_client`](crate::opened_by_client) can read. Checksums, and what lies behind the IP
/// packet, are for [`opened`](crate::opened).
///
/// # Panics
/// If it is none of these.
pub fn heard(frame: &[u8]) -> &'static str {
    match opened_at_session(frame).transport.expect("UDP or TCP") {
        TransportSlice::Udp(udp) if is_quic(udp.payload()) => "close",
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

/// True for a long header (RFC 9000 §17.2) of a version that is no DNS message: that would be a
/// query (RFC 1035 §4.1.1).
fn is_quic(payload: &[u8]) -> bool {
    let versions = [Initial::V1, Initial::V2, Initial::DRAFT_29].map(u32::to_be_bytes);
    payload[0] & 0x80 != 0 && versions.iter().any(|it| payload[1..].starts_with(it))
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
