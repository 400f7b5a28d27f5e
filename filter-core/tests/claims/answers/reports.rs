//! What is said of a blocked name: what its client was to get, what it was given, and what stood
//! against it. Each is held against the frame that the client got, as hickory-proto and etherparse
//! read it.

use std::time::Duration;

use filter_core::{Counter, DnsAction, ResponseAction as To, TcpAction};
use frames::{Asking, Data, Header, Wrap};

use super::{
    super::{Became, become_of_all},
    LISTED, answering, clients,
};

/// Types of records (RFC 1035 §3.2.2, RFC 3596 §2.1).
const MX: u16 = 15;
const AAAA: u16 = 28;
const ACKNOWLEDGING: Header = Header {
    sequence: 4_000,
    acknowledgement: 90_000,
    fin: false,
    rst: false,
    timestamps: None,
};

fn became(frame: &[u8], interface: filter_core::Interface) -> Became {
    become_of_all(&[(Duration::ZERO, frame.to_vec())], interface).remove(0)
}

/// The one report of a frame: what was meant, what was given, and what stood against it.
#[track_caller]
fn reported(frame: &[u8], interface: filter_core::Interface) -> (To, To, Option<Counter>) {
    let became = became(frame, interface);
    let [report] = became.reported[..] else {
        panic!("one report: {became:?}")
    };
    (report.action, report.given, report.hindrance)
}

fn query_of(kind: u16) -> Vec<u8> {
    Asking {
        kind,
        ..Asking::of(LISTED)
    }
    .query()
}

#[test]
fn each_action_of_dns_is_reported_as_it_was_given() {
    let over_tcp =
        |message: &[u8]| Wrap::v4(53).segment(&ACKNOWLEDGING, &frames::over_tcp(message));
    let of_server = Wrap {
        from: 53,
        ..Wrap::v6(40_000)
    }
    .udp(&frames::response(LISTED));
    for (action, given) in [
        (DnsAction::NxDomain, To::NxDomain),
        (DnsAction::NoData, To::NoData),
        (DnsAction::Refused, To::Refused),
        (DnsAction::Null, To::Null),
        (DnsAction::Address, To::Address),
    ] {
        let message = frames::query(LISTED);
        for frame in [
            Wrap::v4(53).udp(&message),
            Wrap::v6(53).udp(&query_of(AAAA)),
            over_tcp(&message),
            of_server.clone(),
        ] {
            assert_eq!(
                reported(&frame, answering(action)),
                (given, given, None),
                "{action:?}"
            );
        }
    }
    let dropped = clients(DnsAction::Drop, TcpAction::Drop);
    for frame in [
        Wrap::v4(53).udp(&query_of(AAAA)),
        over_tcp(&query_of(AAAA)),
        of_server,
    ] {
        assert_eq!(reported(&frame, dropped), (To::Drop, To::Drop, None));
    }
}

#[test]
fn each_action_of_tcp_is_reported_as_it_was_given() {
    let hello = Wrap::v4(443).segment(&ACKNOWLEDGING, &frames::client_hello(LISTED));
    let response = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .tcp(&frames::over_tcp(&frames::response(LISTED)));
    for (action, of_hello, of_response) in [
        (TcpAction::Drop, To::Drop, To::Drop),
        (TcpAction::Reset, To::Reset, To::Reset),
        (TcpAction::Alert, To::Alert, To::Reset),
    ] {
        let interface = clients(DnsAction::NxDomain, action);
        assert_eq!(
            reported(&hello, interface),
            (of_hello, of_hello, None),
            "{action:?}"
        );
        assert_eq!(
            reported(&response, interface),
            (of_response, of_response, None),
            "{action:?}"
        );
    }
}

#[test]
fn what_passes_under_audit_is_reported_as_passing() {
    let interface = answering(DnsAction::NxDomain).on_trial();
    assert_eq!(
        reported(&Wrap::v4(53).udp(&frames::query(LISTED)), interface),
        (To::Pass, To::Pass, None)
    );
    let hello = Wrap::v6(443).tcp(&frames::client_hello(LISTED));
    assert_eq!(reported(&hello, interface), (To::Pass, To::Pass, None));
}

#[test]
fn an_answer_that_dns_has_not_for_the_question_is_reported_as_the_one_that_was_given() {
    let udp = |message: &[u8]| Wrap::v4(53).udp(message);
    for (frame, action, meant, given) in [
        (udp(&query_of(MX)), DnsAction::Null, To::Null, To::NoData),
        (
            udp(&query_of(MX)),
            DnsAction::Address,
            To::Address,
            To::NoData,
        ),
        (
            udp(&Asking {
                edns: Some((1, false)),
                ..Asking::of(LISTED)
            }
            .query()),
            DnsAction::NxDomain,
            To::NxDomain,
            To::BadVersion,
        ),
        (
            udp(&frames::query_of(&[LISTED, LISTED])),
            DnsAction::NxDomain,
            To::NxDomain,
            To::FormatError,
        ),
        (
            udp(&frames::update(LISTED)),
            DnsAction::NxDomain,
            To::NxDomain,
            To::Refused,
        ),
    ] {
        assert_eq!(
            reported(&frame, answering(action)),
            (meant, given, None),
            "{given:?}"
        );
    }
    let service = frames::response_of(
        &["www.example.org"],
        &[("www.example.org", Data::Https(1, LISTED))],
    );
    let response = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .udp(&service);
    assert_eq!(
        reported(&response, answering(DnsAction::NxDomain)),
        (To::NxDomain, To::NoData, None)
    );
}

#[test]
fn a_segment_that_acknowledges_nothing_is_reset_and_reported_so() {
    let asked = Wrap::v4(53).syn(4_000, &frames::over_tcp(&frames::query(LISTED)));
    assert_eq!(
        reported(&asked, answering(DnsAction::NxDomain)),
        (To::NxDomain, To::Reset, None)
    );
    let hello = Wrap::v4(443).syn(4_000, &frames::client_hello(LISTED));
    let interface = clients(DnsAction::NxDomain, TcpAction::Alert);
    assert_eq!(reported(&hello, interface), (To::Alert, To::Reset, None));
    let silent = clients(DnsAction::NxDomain, TcpAction::Drop);
    assert_eq!(
        reported(&asked, silent),
        (To::NxDomain, To::Drop, Some(Counter::UnansweredMessage))
    );
}

#[test]
fn what_stood_against_an_answer_is_reported_with_the_drop() {
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let nxdomain = answering(DnsAction::NxDomain);
    let mut cut = query.clone();
    let length = u16::from_be_bytes([cut[38], cut[39]]) + 1;
    cut[38..40].copy_from_slice(&length.to_be_bytes());
    let mut wrong = query.clone();
    wrong[40] ^= 1;
    for (frame, hindrance) in [
        (
            Wrap {
                from: 53,
                ..Wrap::v4(53)
            }
            .udp(&frames::query(LISTED)),
            Counter::UnansweredEnds,
        ),
        (frames::behind_labels(&query, 1), Counter::UnansweredLayers),
        (cut, Counter::UnansweredMessage),
        (wrong, Counter::UnansweredInvalid),
    ] {
        assert_eq!(
            reported(&frame, nxdomain),
            (To::NxDomain, To::Drop, Some(hindrance))
        );
    }
    // From where no clients are, nobody is to be answered.
    let side = Some(Counter::UnansweredSide);
    assert_eq!(
        reported(&query, nxdomain.facing_nobody()),
        (To::Drop, To::Drop, side)
    );
    assert_eq!(
        reported(&query, clients(DnsAction::Drop, TcpAction::Drop)),
        (To::Drop, To::Drop, None),
        "not of before"
    );
}

#[test]
fn the_rest_of_a_burst_is_reported_as_closed_already() {
    let hello = Wrap::v4(443).segment(&ACKNOWLEDGING, &frames::client_hello(LISTED));
    let burst = [(Duration::ZERO, hello.clone()), (Duration::ZERO, hello)];
    let became = become_of_all(&burst, answering(DnsAction::NxDomain));
    let of = |place: usize| {
        became[place]
            .reported
            .iter()
            .map(|it| (it.action, it.given, it.hindrance))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(0), [(To::Reset, To::Reset, None)]);
    assert_eq!(of(1), [(To::Reset, To::Drop, Some(Counter::ClosedAlready))]);
}

#[test]
fn of_several_messages_in_a_datagram_each_is_reported_by_itself() {
    let service = Asking {
        edns: Some((1, false)),
        ..Asking::of(LISTED)
    }
    .query();
    let plain = Asking::of(LISTED).query();
    let other = Asking::of(super::OTHER).query();
    assert_eq!((service.len(), other.len()), (plain.len(), plain.len()));
    let messages = [other, plain.clone(), service, plain.clone()];
    let became = became(
        &Wrap::v4(53).udp(&messages.concat()),
        answering(DnsAction::Refused),
    );
    let given: Vec<_> = became
        .reported
        .iter()
        .map(|report| report.given.as_str())
        .collect();
    let payload = frames::opened(&became.frame).payload;
    let heard: Vec<_> = payload
        .chunks(plain.len())
        .skip(1)
        .map(frames::heard_in_message)
        .collect();
    assert_eq!(given, heard);
    assert_eq!(given, ["refused", "bad_version", "refused"]);
    assert!(
        became
            .reported
            .iter()
            .all(|report| report.action == To::Refused && report.hindrance.is_none())
    );
}
