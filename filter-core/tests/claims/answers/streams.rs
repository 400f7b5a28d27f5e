//! DNS over TCP, which is answered in its stream, and what the rest of the connection becomes
//! (RFC 7766, RFC 9293).

use std::time::Duration;

use filter_core::{Counter, DnsAction, Interface, Reason, Sent, TcpAction};
use frames::{Header, Opened, Wrap, answer, opened};

use super::{LISTED, OTHER, answering, assert_is_way_back, clients, send, send_all};

/// Where the client is in its stream, and in the server's.
const CLIENT: u32 = 4_000;
const SERVER: u32 = 90_000;
const HEADER: Header = Header {
    sequence: CLIENT,
    acknowledgement: SERVER,
    fin: false,
    rst: false,
    timestamps: None,
};
const STAMPED: Header = Header {
    timestamps: Some((11, 22)),
    ..HEADER
};

fn query(name: &str) -> Vec<u8> {
    frames::over_tcp(&frames::query(name))
}

/// What each of these frames becomes; and what is counted.
fn become_of(
    frames: &[Vec<u8>],
    interface: Interface,
) -> Vec<(Reason, Sent, Vec<u8>, Vec<Counter>)> {
    let frames: Vec<_> = frames
        .iter()
        .map(|frame| (Duration::ZERO, frame.clone()))
        .collect();
    send_all(&frames, interface)
}

/// The message of a segment with one DNS message and nothing else.
#[track_caller]
fn message(segment: &Opened) -> &[u8] {
    let (length, message) = segment.payload.split_at(2);
    assert_eq!(
        usize::from(u16::from_be_bytes([length[0], length[1]])),
        message.len()
    );
    message
}

#[test]
fn the_answer_is_that_of_a_datagram_and_ends_the_stream() {
    for action in [
        DnsAction::NxDomain,
        DnsAction::NoData,
        DnsAction::Refused,
        DnsAction::Null,
        DnsAction::Address,
    ] {
        for (tcp, datagram) in [
            (Wrap::v4(53), Wrap::v4(53)),
            (Wrap::v6(53).vlan(1), Wrap::v6(53).vlan(1)),
        ] {
            for header in [HEADER, STAMPED] {
                // How connections are ended says nothing of queries.
                let interface = clients(action, TcpAction::Drop);
                let message_asked = frames::query(LISTED);
                let asked = tcp.segment(&header, &frames::over_tcp(&message_asked));
                let (reason, sent, frame, counters) = send(&asked, interface);
                assert_eq!(
                    (reason, sent, &counters[..]),
                    (Reason::DnsBlocked, Sent::Tx, &[Counter::Answered][..])
                );
                let (_, _, in_datagram, _) = send(&datagram.udp(&message_asked), interface);
                let (asked, answered) = (opened(&asked), opened(&frame));
                assert_is_way_back(&asked, &answered);
                assert_eq!(message(&answered), opened(&in_datagram).payload);
                let segment = answered.tcp.unwrap();
                assert_eq!((segment.sequence, &*segment.flags), (SERVER, "AFP"));
                assert_eq!(segment.acknowledgement, CLIENT + asked.payload.len() as u32);
                assert_eq!(
                    segment.timestamps,
                    header.timestamps.map(|(value, echo)| (echo, value))
                );
            }
        }
    }
}

#[test]
fn a_query_in_pieces_and_one_behind_others_is_answered() {
    let wrap = Wrap::v4(53);
    let asked = query(LISTED);
    let (first, rest) = asked.split_at(20);
    let behind = Header {
        sequence: CLIENT + 20,
        ..STAMPED
    };
    let pieces = [wrap.segment(&STAMPED, first), wrap.segment(&behind, rest)];
    let several = [wrap.segment(
        &HEADER,
        &[query(OTHER), asked.clone(), query(OTHER)].concat(),
    )];
    for frames in [&pieces[..], &several[..]] {
        let became = become_of(frames, answering(DnsAction::NxDomain));
        let (reason, sent, frame, _) = became.last().unwrap();
        assert_eq!((*reason, *sent), (Reason::DnsBlocked, Sent::Tx));
        let answered = opened(frame);
        let says = answer(message(&answered));
        assert_eq!(
            (says.code, &*says.question),
            (3, &*format!("{LISTED}. IN A"))
        );
        let last = opened(frames.last().unwrap());
        let end = last.tcp.as_ref().unwrap().sequence + last.payload.len() as u32;
        assert_eq!(answered.tcp.unwrap().acknowledgement, end);
    }
}

/// The client's segments behind a blocked query, which the server knows nothing of: its half is
/// reset where it is, and then the client's FIN is acknowledged.
#[test]
fn both_halves_end() {
    for wrap in [Wrap::v4(53), Wrap::v6(53)] {
        let asked = query(LISTED);
        let end = CLIENT + asked.len() as u32;
        let blocked = wrap.segment(&STAMPED, &asked);
        let interface = answering(DnsAction::NxDomain);
        let (_, _, frame, _) = send(&blocked, interface);
        let behind_fin = SERVER + opened(&frame).payload.len() as u32 + 1;
        let next = Header {
            sequence: end,
            acknowledgement: behind_fin,
            ..STAMPED
        };
        let fin = Header { fin: true, ..next };
        let ends = |header: &Header| wrap.segment(header, &[]);
        for frames in [
            vec![blocked.clone(), ends(&next), ends(&fin), ends(&fin)],
            vec![blocked.clone(), ends(&fin), ends(&fin)],
            vec![
                blocked.clone(),
                wrap.segment(&next, &query(OTHER)),
                ends(&fin),
            ],
            vec![
                blocked.clone(),
                blocked.clone(),
                ends(&Header { rst: true, ..next }),
            ],
        ] {
            let asked_twice = frames[0] == frames[1];
            let at = if asked_twice { 2 } else { 1 };
            let became = become_of(&frames, interface);
            let (reason, sent, frame, counters) = &became[at];
            assert_eq!(
                (*reason, *sent, &counters[..]),
                (Reason::TcpEnded, Sent::Pass, &[Counter::ServerReset][..])
            );
            let (before, reset) = (opened(&frames[at]), opened(frame));
            assert_eq!(
                (reset.source, reset.destination, reset.macs),
                (before.source, before.destination, before.macs)
            );
            assert_eq!(reset.payload, [0; 0]);
            let reset = reset.tcp.unwrap();
            assert_eq!(
                (reset.sequence, &*reset.flags),
                (CLIENT, "R"),
                "where the server is"
            );
            for (reason, sent, frame, counters) in &became[at + 1..] {
                assert_eq!(
                    (*reason, *sent, &counters[..]),
                    (Reason::TcpEnded, Sent::Tx, &[Counter::FinAcknowledged][..])
                );
                let acknowledged = opened(frame).tcp.unwrap();
                assert_eq!(
                    (acknowledged.sequence, &*acknowledged.flags),
                    (behind_fin, "A")
                );
                assert_eq!(acknowledged.acknowledgement, end + 1);
            }
        }
    }
}

/// What no host would take ends nothing.
#[test]
fn a_segment_with_a_wrong_checksum_ends_no_half() {
    let wrap = Wrap::v4(53);
    let asked = query(LISTED);
    let blocked = wrap.segment(&HEADER, &asked);
    let interface = answering(DnsAction::NxDomain);
    let (_, _, frame, _) = send(&blocked, interface);
    let behind_fin = SERVER + opened(&frame).payload.len() as u32 + 1;
    let next = Header {
        sequence: CLIENT + asked.len() as u32,
        acknowledgement: behind_fin,
        ..HEADER
    };
    let mut wrong = wrap.segment(&next, &[]);
    // The window.
    wrong[14 + 20 + 14] ^= 1;
    let became = become_of(&[blocked, wrong], interface);
    let (reason, sent, _, counters) = &became[1];
    let expected = (
        Reason::TcpEnded,
        Sent::Drop,
        &[Counter::UnansweredInvalid][..],
    );
    assert_eq!((*reason, *sent, &counters[..]), expected);
}

#[test]
fn the_server_of_a_client_with_an_alert_is_reset_as_well() {
    let wrap = Wrap::v4(443);
    let hello = frames::client_hello(LISTED);
    let interface = clients(DnsAction::NxDomain, TcpAction::Alert);
    let fin = Header {
        sequence: CLIENT + hello.len() as u32,
        acknowledgement: SERVER + 7 + 1,
        fin: true,
        ..HEADER
    };
    let frames = [
        wrap.segment(&HEADER, &hello),
        wrap.segment(&fin, &[]),
        wrap.segment(&fin, &[]),
    ];
    let became = become_of(&frames, interface);
    let sent: Vec<_> = became.iter().map(|(_, sent, ..)| *sent).collect();
    assert_eq!(sent, [Sent::Tx, Sent::Pass, Sent::Tx]);
    let flags: Vec<_> = became
        .iter()
        .map(|(_, _, frame, _)| opened(frame).tcp.unwrap().flags)
        .collect();
    assert_eq!(flags, ["AFP", "R", "A"]);
}

/// Ports are in use again before anything else has taken the place of the connection.
#[test]
fn the_next_connection_of_the_same_ends_is_left_alone() {
    let wrap = Wrap::v4(53);
    let blocked = wrap.segment(&HEADER, &query(LISTED));
    let anew = Header {
        sequence: 7_001,
        acknowledgement: 500_001,
        ..HEADER
    };
    let frames = [
        blocked,
        wrap.syn(7_000, &[]),
        wrap.segment(&anew, &[]),
        wrap.segment(&anew, &query(OTHER)),
        wrap.segment(
            &Header {
                sequence: 7_001 + query(OTHER).len() as u32,
                fin: true,
                ..anew
            },
            &[],
        ),
    ];
    let became = become_of(&frames, answering(DnsAction::NxDomain));
    let expected = [
        (Reason::DnsBlocked, Sent::Tx),
        (Reason::TcpOther, Sent::Pass),
        (Reason::TcpOther, Sent::Pass),
        (Reason::DnsNotListed, Sent::Pass),
        (Reason::TcpOther, Sent::Pass),
    ];
    assert_eq!(
        became
            .iter()
            .map(|(reason, sent, ..)| (*reason, *sent))
            .collect::<Vec<_>>(),
        expected
    );
    // Also where its SYN went another way.
    let unseen = [frames[0].clone(), frames[2].clone(), frames[4].clone()];
    let became = become_of(&unseen, answering(DnsAction::NxDomain));
    assert_eq!(
        became[1..]
            .iter()
            .map(|(reason, ..)| *reason)
            .collect::<Vec<_>>(),
        [Reason::TcpOther; 2]
    );
}
