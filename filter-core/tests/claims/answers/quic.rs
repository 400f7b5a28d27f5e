//! QUIC connections, each with the packet that closes it (RFC 9000 §10.2.3), as rustls opens it.

use std::time::Duration;

use filter_core::{Counter, DnsAction, Interface, QuicAction, Reason, Sent, TcpAction};
use frames::{Closing, Initial, Wrap, crypto_frame, opened, opened_by_client, quic_hello};

use super::{LISTED, OTHER, assert_is_way_back, assert_unanswered, clients, send, send_all};

const ID: &[u8] = b"8 octets";
/// `CONNECTION_CLOSE` of the transport (RFC 9000 §19.19) with `CRYPTO_ERROR` (§20.1) and the alert
/// `unrecognized_name`, which is 112 (RFC 8446 §6), no frame, and a reason of 27 octets.
const CLOSE: [u8; 5] = [0x1c, 0x41, 0x70, 0, 27];

fn closing() -> Interface {
    let interface = clients(DnsAction::NxDomain, TcpAction::Reset);
    let actions = interface.actions().with_quic(QuicAction::Close);
    interface.facing_clients(actions)
}

/// The first packet of a connection to this connection ID, with all of a hello for this name.
fn first(name: &str, id: &[u8]) -> Initial {
    Initial::to(id).carrying(&[crypto_frame(0, &quic_hello(name))])
}

/// What the client reads, after making sure that it comes from whom the packet was for.
#[track_caller]
fn closed(wrap: &Wrap, packet: &Initial) -> Closing {
    let frame = wrap.udp(&packet.sealed());
    let (reason, sent, left, counters) = send(&frame, closing());
    assert_eq!(
        (reason, sent, &counters[..]),
        (Reason::QuicBlocked, Sent::Tx, &[Counter::Closed][..])
    );
    let (asked, answering) = (opened(&frame), opened(&left));
    assert_is_way_back(&asked, &answering);
    let closing = opened_by_client(&packet.keys_of, &answering.payload).expect("the server's keys");
    assert_eq!(closing.version, packet.version);
    assert_eq!(
        (&closing.destination, &closing.source),
        (&packet.source, &packet.destination)
    );
    closing
}

#[test]
fn a_client_reads_that_its_connection_is_closed_and_why() {
    for wrap in [Wrap::v4(443), Wrap::v6(8443)] {
        for version in [Initial::V1, Initial::V2, Initial::DRAFT_29] {
            for octets in [0, 1, 7, 8, 9, 16, 17, 20] {
                let packet = Initial {
                    version,
                    source: vec![3; 20 - octets],
                    ..first(LISTED, &vec![0x5a; octets])
                };
                let closing = closed(&wrap, &packet);
                assert_eq!(closing.frames[..5], CLOSE, "{version:#x}, {octets}");
                assert_eq!(&closing.frames[5..], b"blocked by a network policy");
            }
        }
    }
}

#[test]
fn it_is_a_packet_of_the_connection_that_the_server_has_answered() {
    let hello = quic_hello(LISTED);
    let part = |from: usize, to: usize, destination: &[u8], number| Initial {
        destination: destination.to_vec(),
        number,
        ..Initial::to(ID).carrying(&[crypto_frame(from, &hello[from..to])])
    };
    let packets = [
        part(0, 40, ID, 0),
        part(40, hello.len(), b"of the server", 1),
    ];
    let wrap = Wrap::v4(443);
    let frames = packets
        .each_ref()
        .map(|packet| (Duration::ZERO, wrap.udp(&packet.sealed())));
    let became = send_all(&frames, closing());
    let (reason, sent, left, _) = &became[1];
    assert_eq!((*reason, *sent), (Reason::QuicBlocked, Sent::Tx));
    let closing = opened_by_client(ID, &opened(left).payload).expect("keys of the first packet");
    assert_eq!(closing.source, b"of the server");
    // The server has sent an acknowledgement by now, with a number that no other packet may have.
    assert!(closing.number > 16, "{}", closing.number);
}

#[test]
fn a_client_that_sends_its_hello_again_is_told_again_and_other_packets_are_not_answered() {
    let wrap = Wrap::v4(443);
    let initial = wrap.udp(&first(LISTED, ID).sealed());
    let head = [&[0xe0, 0, 0, 0, 1, ID.len() as u8], ID, &[0, 0x40, 60]].concat();
    let handshake = wrap.udp(&[head, vec![0xa5; 60]].concat());
    let frames = [initial.clone(), initial, handshake].map(|frame| (Duration::ZERO, frame));
    let became = send_all(&frames, closing());
    let seen: Vec<_> = became
        .iter()
        .map(|(reason, sent, ..)| (*reason, *sent))
        .collect();
    assert_eq!(
        seen,
        [
            (Reason::QuicBlocked, Sent::Tx),
            (Reason::QuicFlowBlocked, Sent::Tx),
            (Reason::QuicFlowBlocked, Sent::Drop),
        ]
    );
    let payload = |place: usize| opened(&became[place].2).payload;
    assert_eq!(payload(0), payload(1));
}

#[test]
fn no_one_hears_of_it_where_it_is_dropped_where_no_clients_are_or_where_the_name_is_not_listed() {
    let listed = Wrap::v4(443).udp(&first(LISTED, ID).sealed());
    let dropping = closing().actions().with_quic(QuicAction::Drop);
    let dropping = closing().facing_clients(dropping);
    let (reason, sent, left, counters) = send(&listed, dropping);
    assert_eq!(
        (reason, sent, left, counters),
        (Reason::QuicBlocked, Sent::Drop, listed.clone(), vec![])
    );
    assert_unanswered(
        &listed,
        closing().facing_nobody(),
        Counter::UnansweredSide,
        "no clients",
    );
    let (reason, sent, ..) = send(&listed, closing().on_trial());
    assert_eq!((reason, sent), (Reason::QuicAudited, Sent::Pass));
    let other = Wrap::v4(443).udp(&first(OTHER, ID).sealed());
    let (reason, sent, left, _) = send(&other, closing());
    assert_eq!(
        (reason, sent, left),
        (Reason::QuicNotListed, Sent::Pass, other)
    );
}

#[test]
fn what_no_host_would_take_is_not_answered() {
    let good = Wrap::v4(443).udp(&first(LISTED, ID).sealed());
    let mut damaged = good.clone();
    // The checksum of UDP.
    damaged[40] ^= 1;
    assert_unanswered(&damaged, closing(), Counter::UnansweredInvalid, "checksum");
    let mut to_a_group = good;
    to_a_group[0] |= 1;
    assert_unanswered(&to_a_group, closing(), Counter::UnansweredEnds, "a group");
}
