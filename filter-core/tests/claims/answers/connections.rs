//! Connections that end.

use std::time::Duration;

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, Sent, TcpAction};
use frames::{Wrap, opened};

use super::{super::name_end, LISTED, answering, assert_is_way_back, clients, send, send_all};

const AT_ONCE: Duration = Duration::ZERO;
/// What Linux lets pass at least before it sends a segment again.
const LATER: Duration = Duration::from_millis(200);
/// Sequence number of the first octet of a stream.
const FIRST: u32 = 3_000;
const RESET: (Sent, Counter) = (Sent::Tx, Counter::Closed);
const NO_FURTHER: (Sent, Counter) = (Sent::Drop, Counter::ClosedAlready);

/// What becomes of frames that are all blocked, each with the one thing that is counted of it.
#[track_caller]
fn of_blocked(frames: &[(Duration, Vec<u8>)], interface: Interface) -> Vec<(Sent, Counter)> {
    let became = send_all(frames, interface);
    let of_one = |(reason, sent, _, counters): (Reason, Sent, _, Vec<Counter>)| {
        assert!(
            reason.is_blocked() && counters.len() == 1,
            "{reason:?} {counters:?}"
        );
        (sent, counters[0])
    };
    became.into_iter().map(of_one).collect()
}

#[test]
fn a_connection_is_reset_as_its_client_takes_it() {
    let interface = answering(DnsAction::NxDomain);
    let hello = frames::client_hello(LISTED);
    let query = frames::over_tcp(&frames::query(LISTED));
    // Where DNS is dropped, a query over TCP is treated as any connection.
    for (port, payload, interface) in [
        (443, &hello, interface),
        (53, &query, answering(DnsAction::Drop)),
    ] {
        for wrap in [Wrap::v4(port), Wrap::v6(port).vlan(1)] {
            let segment = wrap.tcp(payload);
            let (reason, sent, frame, counters) = send(&segment, interface);
            assert!(reason.is_blocked());
            assert_eq!((sent, &counters[..]), (Sent::Tx, &[Counter::Closed][..]));
            let (asked, reset) = (opened(&segment), opened(&frame));
            assert_is_way_back(&asked, &reset);
            let (asked, reset) = (asked.tcp.unwrap(), (reset.tcp.unwrap(), reset.payload));
            assert_eq!(reset.0.sequence, asked.acknowledgement);
            assert_eq!(
                reset.0.acknowledgement,
                asked.sequence + payload.len() as u32
            );
            assert_eq!((&*reset.0.flags, &reset.1[..]), ("AR", &[][..]));
        }
    }
}

#[test]
fn a_connection_whose_first_segment_is_blocked_is_refused() {
    let segment = Wrap::v4(443).syn(7_000, &frames::client_hello(LISTED));
    let (reason, sent, frame, _) = send(&segment, answering(DnsAction::NxDomain));
    assert_eq!((reason, sent), (Reason::TlsBlocked, Sent::Tx));
    let reset = opened(&frame).tcp.unwrap();
    let len = opened(&segment).payload.len() as u32;
    assert_eq!(
        (reset.sequence, reset.acknowledgement, &*reset.flags),
        (0, 7_001 + len, "AR")
    );
}

#[test]
fn a_tls_client_gets_an_alert_if_that_is_asked_for_and_others_a_reset() {
    let interface = clients(DnsAction::NxDomain, TcpAction::Alert);
    let segment = Wrap::v6(443).tcp(&frames::client_hello(LISTED));
    let (_, sent, frame, counters) = send(&segment, interface);
    assert_eq!((sent, &counters[..]), (Sent::Tx, &[Counter::Closed][..]));
    let alert = opened(&frame);
    assert_eq!(alert.payload, [21, 3, 1, 0, 2, 2, 112]);
    assert_eq!(alert.tcp.unwrap().flags, "AFP");
    let segment = Wrap::v4(53).tcp(&frames::over_tcp(&frames::query(LISTED)));
    let (_, _, frame, _) = send(&segment, clients(DnsAction::Drop, TcpAction::Alert));
    let reset = opened(&frame);
    assert_eq!(
        (&*reset.tcp.unwrap().flags, &reset.payload[..]),
        ("AR", &[][..])
    );
}

#[test]
fn a_response_over_tcp_becomes_the_reset_of_its_connection() {
    let interface = Interface::new(Directions::Both)
        .with_actions(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    let segment = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .tcp(&frames::over_tcp(&frames::response(LISTED)));
    let (reason, sent, frame, _) = send(&segment, interface);
    assert_eq!((reason, sent), (Reason::DnsResponseBlocked, Sent::Pass));
    let (before, reset) = (opened(&segment), opened(&frame));
    assert_eq!(
        (reset.source, reset.destination, reset.macs),
        (before.source, before.destination, before.macs)
    );
    let (before, after) = (before.tcp.unwrap(), reset.tcp.unwrap());
    assert_eq!((after.sequence, &*after.flags), (before.sequence, "AR"));
}

#[test]
fn of_a_burst_the_segment_that_is_blocked_first_has_a_reset_and_the_rest_has_none() {
    // The extensions come in any order, and the name may be the last.
    let mut hellos = std::iter::repeat_with(|| frames::client_hello(LISTED));
    let hello = hellos
        .find(|hello| name_end(hello, LISTED) + 20 < hello.len())
        .unwrap();
    let end = name_end(&hello, LISTED);
    for wrap in [Wrap::v4(443), Wrap::v6(443).vlan(1)] {
        let piece = |range| (AT_ONCE, frames::segment(&wrap, FIRST, &hello, range));
        let burst = [
            piece(0..20),
            piece(20..end),
            piece(end..end + 10),
            piece(end + 10..hello.len()),
        ];
        let became = send_all(&burst, answering(DnsAction::NxDomain));
        assert_eq!((became[0].1, &became[0].3[..]), (Sent::Pass, &[][..]));
        for ((_, sent, left, counters), (_, frame)) in became[2..].iter().zip(&burst[2..]) {
            assert_eq!(
                (*sent, &counters[..], left),
                (Sent::Drop, &[Counter::ClosedAlready][..], frame)
            );
        }
        assert_eq!(
            (became[1].1, &became[1].3[..]),
            (Sent::Tx, &[Counter::Closed][..])
        );
    }
}

#[test]
fn who_sends_a_blocked_segment_again_later_has_another_reset() {
    let hello = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    let query = Wrap::v6(53).tcp(&frames::over_tcp(&frames::query(LISTED)));
    for segment in [hello, query] {
        let again = |pause| (pause, segment.clone());
        let frames = [
            again(AT_ONCE),
            again(AT_ONCE),
            again(LATER),
            again(AT_ONCE),
            again(LATER),
        ];
        let expected = [RESET, NO_FURTHER, RESET, NO_FURTHER, RESET];
        assert_eq!(of_blocked(&frames, answering(DnsAction::Drop)), expected);
    }
}

/// The reset had the sequence number of what was expected before, so that its receiver did not take
/// it.
#[test]
fn who_acknowledges_more_since_has_another_reset_at_once() {
    const ACKNOWLEDGEMENT: usize = 14 + 20 + 8;

    let first = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    let mut again = first.clone();
    again[ACKNOWLEDGEMENT..][..4].copy_from_slice(&500_u32.to_be_bytes());
    let again = frames::with_checksums(&again);
    let frames = [&first, &first, &again, &again].map(|frame| (AT_ONCE, frame.clone()));
    let expected = [RESET, NO_FURTHER, RESET, NO_FURTHER];
    assert_eq!(
        of_blocked(&frames, answering(DnsAction::NxDomain)),
        expected
    );
    let became = send_all(&frames, answering(DnsAction::NxDomain));
    assert_eq!(opened(&became[2].2).tcp.unwrap().sequence, 500);
}

#[test]
fn the_next_connection_of_the_same_ends_has_a_reset_of_its_own() {
    let hello = frames::client_hello(LISTED);
    let opened_by = |sequence| {
        [
            Wrap::v4(443).syn(sequence, &[]),
            Wrap::v4(443).tcp_at(sequence + 1, &hello),
        ]
    };
    let frames = [opened_by(FIRST), opened_by(9_000)]
        .concat()
        .into_iter()
        .map(|frame| (AT_ONCE, frame));
    let became = send_all(&frames.collect::<Vec<_>>(), answering(DnsAction::NxDomain));
    let sent: Vec<_> = became.iter().map(|(_, sent, ..)| *sent).collect();
    assert_eq!(sent, [Sent::Pass, Sent::Tx, Sent::Pass, Sent::Tx]);
}

#[test]
fn connections_at_the_same_time_each_have_their_reset() {
    let hello = frames::client_hello(LISTED);
    let segment = Wrap::v4(443).tcp(&hello);
    let of_client = |client| frames::from_ipv4(&segment, [10, 0, 0, client]);
    let another = Wrap {
        from: 40_001,
        ..Wrap::v4(443)
    }
    .tcp(&hello);
    let frames: Vec<_> = [segment.clone(), another, of_client(1), of_client(2)]
        .map(|frame| (AT_ONCE, frame))
        .into();
    assert_eq!(
        of_blocked(&frames, answering(DnsAction::NxDomain)),
        [RESET; 4]
    );
}

/// It acknowledges what has come so far, so that the client's system has nothing to send again.
#[test]
fn each_segment_that_is_blocked_has_its_alert() {
    let hello = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    let frames = [(AT_ONCE, hello.clone()), (AT_ONCE, hello)];
    assert_eq!(
        of_blocked(&frames, clients(DnsAction::NxDomain, TcpAction::Alert)),
        [RESET; 2]
    );
}

#[test]
fn of_a_response_over_tcp_the_rest_of_the_burst_has_no_further_reset() {
    let interface = Interface::new(Directions::Both)
        .with_actions(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    let server = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    };
    let segment = server.tcp(&frames::over_tcp(&frames::response(LISTED)));
    let frames = [
        (AT_ONCE, segment.clone()),
        (AT_ONCE, segment.clone()),
        (LATER, segment),
    ];
    let (on, no_further) = ((Sent::Pass, Counter::Closed), NO_FURTHER);
    assert_eq!(of_blocked(&frames, interface), [on, no_further, on]);
}

/// RFC 9293 §3.10.7.1: the sequence number of a reset is 0 where the segment acknowledges nothing.
#[test]
fn a_reset_of_what_acknowledges_nothing_has_the_sequence_number_0() {
    for (wrap, flags_at) in [(Wrap::v4(443), 14 + 20 + 13), (Wrap::v6(443), 14 + 40 + 13)] {
        let hello = frames::client_hello(LISTED);
        let mut segment = wrap.tcp(&hello);
        segment[flags_at] = 8;
        let segment = frames::with_checksums(&segment);
        let (_, sent, frame, _) = send(&segment, answering(DnsAction::NxDomain));
        let (asked, reset) = (opened(&segment).tcp.unwrap(), opened(&frame).tcp.unwrap());
        let expected = (Sent::Tx, 0, asked.sequence + hello.len() as u32, "AR");
        assert_eq!(
            (sent, reset.sequence, reset.acknowledgement, &*reset.flags),
            expected
        );
    }
}
