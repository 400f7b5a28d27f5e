//! Datagrams with several DNS messages, as the kernel joins them: it takes them apart again into
//! pieces of one length behind whatever the filter does.

use std::time::Duration;

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, Sent, TcpAction};
use frames::{Answer, Asking, Data, Drawn, Sections, Wrap, answer, opened, response_with};

use super::*;

/// One of the names that are asked for, all of one length.
fn name(place: usize, is_listed: bool) -> String {
    format!("a{place:02}.{}", if is_listed { LISTED } else { OTHER })
}

fn query(place: usize, is_listed: bool) -> Vec<u8> {
    frames::query_numbered(place as u16, &name(place, is_listed))
}

fn clients(dns: DnsAction) -> Interface {
    Interface::new(Directions::Both).facing_clients(Actions::new(dns, TcpAction::Reset))
}

fn joined(wrap: &Wrap, messages: &[Vec<u8>]) -> Vec<u8> {
    wrap.udp(&messages.concat())
}

fn judged_over(payload: &[u8]) -> Reason {
    let v4 = judge(&Wrap::v4(53).udp(payload)).reason;
    assert_eq!(
        judge(&Wrap::v6(53).vlan(1).udp(payload)).reason,
        v4,
        "IPv6 as IPv4"
    );
    v4
}

#[test]
fn a_listed_name_is_blocked_wherever_it_stands_among_others() {
    for count in [2, 3, 8, 28] {
        for listed in (0..count).step_by(1 + count / 9).chain([count - 1]) {
            let messages: Vec<_> = (0..count)
                .map(|place| query(place, place == listed))
                .collect();
            assert_eq!(
                judged_over(&messages.concat()),
                Reason::DnsBlocked,
                "{listed} of {count}"
            );
        }
        let messages: Vec<_> = (0..count).map(|place| query(place, false)).collect();
        assert_eq!(
            judged_over(&messages.concat()),
            Reason::DnsNotListed,
            "none of {count}"
        );
    }
}

#[test]
fn what_has_more_messages_than_a_packet_may_cost_is_dropped() {
    let messages: Vec<_> = (0..99).map(|place| query(place, false)).collect();
    assert_eq!(judged_over(&messages.concat()), Reason::DnsBeyondDropped);
}

#[test]
fn octets_between_messages_hide_none() {
    for octets in [1, 2, 7, 8, 9, 63, 500] {
        for octet in [0, 1, 0xff] {
            let between = vec![octet; octets];
            let payload = [query(1, false), between.clone(), query(2, true)].concat();
            assert_eq!(
                judged_over(&payload),
                Reason::DnsBlocked,
                "{octets} of {octet}"
            );
            let payload = [query(1, false), between, query(2, false)].concat();
            assert_eq!(
                judged_over(&payload),
                Reason::DnsNotListed,
                "{octets} of {octet}, not listed"
            );
        }
    }
}

#[test]
fn a_record_hides_no_message_in_its_data() {
    // Of the first datagram, EDNS is cut. What it says to be its data is the second.
    let hidden = query(2, true);
    let mut first = Asking::of(&name(1, false)).query();
    let length = first.len() - 2;
    first[length..].copy_from_slice(&(hidden.len() as u16).to_be_bytes());
    assert_eq!(
        judged_over(&[first.clone(), hidden].concat()),
        Reason::DnsBlocked
    );
    assert_eq!(
        judged_over(&[first, query(2, false)].concat()),
        Reason::DnsNotListed
    );
}

#[test]
fn the_start_of_another_message_hides_none() {
    // The header of a message, up to where that of the next could start.
    let header = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for octets in 0..=12 {
        let payload = [&query(1, false)[..], &header[..octets], &query(2, true)].concat();
        assert_eq!(
            judged_over(&payload),
            Reason::DnsBlocked,
            "{octets} octets of a header"
        );
    }
}

#[test]
fn what_is_no_message_hides_none_behind_it() {
    // As a message, a hello has hundreds of questions, of which the first would be among its random
    // octets: where these happen to be names it is refused, and nothing behind it is looked at.
    let hello = with(&frames::client_hello(OTHER), 12, &[0x80]);
    for first in [vec![0; 17], vec![0xff; 40], hello] {
        assert_eq!(
            judged_over(&[first.clone(), query(2, true)].concat()),
            Reason::DnsBlocked,
            "{first:02x?}"
        );
    }
    let refused = frames::query_of(&[OTHER, OTHER]);
    assert_eq!(
        judged_over(&[refused, query(2, true)].concat()),
        Reason::DnsQuestionsRefused
    );
    // A response to a server, of which the second message seems to be an answer.
    let hidden = query(2, true);
    let mut response = response_with(
        &[OTHER],
        &Sections {
            answers: &[(OTHER, Data::Text(0))],
            ..Sections::default()
        },
    );
    let length = response.len() - 2;
    response[length..].copy_from_slice(&(hidden.len() as u16).to_be_bytes());
    assert_eq!(
        judged_over(&[response, hidden].concat()),
        Reason::DnsBlocked
    );
}

/// What comes back of a joined datagram, piece by piece.
fn pieces(frame: &[u8], length: usize) -> Vec<Vec<u8>> {
    opened(frame)
        .payload
        .chunks(length)
        .map(<[u8]>::to_vec)
        .collect()
}

#[test]
fn each_blocked_message_is_answered_in_its_place_and_the_others_stay() {
    let codes = [
        (DnsAction::NxDomain, 3),
        (DnsAction::Refused, 5),
        (DnsAction::Null, 0),
    ];
    for (action, code) in codes.into_iter().chain([(DnsAction::NoData, 0)]) {
        for listed in [&[0, 1][..], &[1], &[0, 2], &[0, 1, 2, 3, 4]] {
            for wrap in [Wrap::v4(53), Wrap::v6(53), Wrap::v4(53).vlan(1)] {
                let messages: Vec<_> = (0..5)
                    .map(|place| query(place, listed.contains(&place)))
                    .collect();
                let frame = joined(&wrap, &messages);
                let (reason, sent, back, counters) = send(&frame, clients(action));
                assert_eq!((reason, sent), (Reason::DnsBlocked, Sent::Tx));
                assert_eq!(counters, [Counter::DnsJoined, Counter::Answered]);
                assert_eq!(opened(&back).source, opened(&frame).destination);
                assert_eq!(opened(&back).destination, opened(&frame).source);
                for (place, piece) in pieces(&back, messages[0].len()).into_iter().enumerate() {
                    if !listed.contains(&place) {
                        assert_eq!(piece, messages[place], "asked, and not answered");
                        continue;
                    }
                    let Answer {
                        id,
                        code: found,
                        flags,
                        question,
                        ..
                    } = answer(&piece);
                    assert_eq!((usize::from(id), found), (place, code));
                    assert_eq!(flags, "aa", "no recursion was desired");
                    assert!(question.starts_with(&name(place, true)), "{question}");
                }
            }
        }
    }
}

#[test]
fn options_of_a_query_stay_in_its_answer() {
    let asking = Asking {
        option: Some((10, 24)),
        edns: Some((0, true)),
        ..Asking::of(LISTED)
    };
    let messages = [asking.query(), asking.query()];
    let (.., back, _) = send(
        &joined(&Wrap::v4(53), &messages),
        clients(DnsAction::NxDomain),
    );
    for piece in pieces(&back, messages[0].len()) {
        let answer = answer(&piece);
        let edns = answer.edns.expect("EDNS");
        assert_eq!(
            (edns.version, edns.dnssec, edns.options),
            (0, true, vec![(10, (0..24).collect())])
        );
        assert_eq!(answer.flags, "rd ra");
    }
    let unknown = Asking {
        edns: Some((1, false)),
        ..Asking::of(LISTED)
    }
    .query();
    let (.., back, _) = send(
        &joined(&Wrap::v4(53), &[unknown.clone(), unknown.clone()]),
        clients(DnsAction::NxDomain),
    );
    for piece in pieces(&back, unknown.len()) {
        assert_eq!(answer(&piece).code, 16, "BADVERS (RFC 6891 §9)");
    }
}

#[test]
fn a_checksum_that_is_left_to_a_device_is_left_to_it_again() {
    let frame = frames::with_partial_checksum(
        &joined(&Wrap::v4(53), &[query(0, true), query(1, true)]),
        true,
    );
    let (_, sent, back, _) = send(&frame, clients(DnsAction::NxDomain));
    assert_eq!(sent, Sent::Tx);
    // A driver that sends it back makes no checksum.
    opened(&back);
    let (_, sent, back, _) = send(&frame, clients(DnsAction::NxDomain).in_network_stack());
    assert_eq!(
        (sent, &back[40..42]),
        (Sent::Tx, &frame[40..42]),
        "addresses and length are the same"
    );
}

#[test]
fn of_a_list_that_drops_a_message_is_not_answered() {
    let (reason, sent, ..) = send(
        &joined(&Wrap::v4(53), &[query(0, true), query(1, true)]),
        clients(DnsAction::Drop),
    );
    assert_eq!((reason, sent), (Reason::DnsBlocked, Sent::Drop));
}

#[test]
fn in_audit_mode_all_of_it_passes() {
    let frame = joined(&Wrap::v4(53), &[query(0, false), query(1, true)]);
    let (reason, sent, left, _) = send(&frame, clients(DnsAction::NxDomain).on_trial());
    assert_eq!(
        (reason, sent, left),
        (Reason::DnsAudited, Sent::Pass, frame)
    );
    let many: Vec<_> = (0..99).map(|place| query(place, false)).collect();
    let (reason, sent, ..) = send(
        &joined(&Wrap::v4(53), &many),
        clients(DnsAction::NxDomain).on_trial(),
    );
    assert_eq!((reason, sent), (Reason::DnsBeyond, Sent::Pass));
}

fn response_to(question: &str, target: &str) -> Vec<u8> {
    let answers = [(question, Data::Cname(target)), (target, Data::Address)];
    let authorities = [("example.com", Data::Ns("ns.example.net"))];
    response_with(
        &[question],
        &Sections {
            answers: &answers,
            authorities: &authorities,
            ..Sections::default()
        },
    )
}

#[test]
fn responses_are_judged_one_by_one_and_only_what_is_blocked_is_changed() {
    let from_server = Wrap {
        from: 53,
        to: 40_000,
        ..Wrap::v4(0)
    };
    let (bad, good) = (
        response_to("www.example.org", LISTED),
        response_to("www.example.org", OTHER),
    );
    assert_eq!(bad.len(), good.len());
    for (messages, expected) in [
        (
            vec![good.clone(), good.clone()],
            Reason::DnsResponseNotListed,
        ),
        (vec![good.clone(), bad.clone()], Reason::DnsResponseBlocked),
        (
            vec![bad.clone(), good.clone(), bad.clone()],
            Reason::DnsResponseBlocked,
        ),
    ] {
        let frame = joined(&from_server, &messages);
        let (reason, sent, left, _) = send(&frame, clients(DnsAction::NxDomain));
        assert_eq!((reason, sent), (expected, Sent::Pass));
        assert_eq!(opened(&left).source, opened(&frame).source);
        for (piece, message) in pieces(&left, good.len()).into_iter().zip(&messages) {
            if *message == good {
                assert_eq!(piece, good);
                continue;
            }
            let question_end = 12 + "www.example.org".len() + 2 + 4;
            let answer = answer(&piece[..question_end]);
            assert_eq!(answer.code, 3);
        }
    }
}

/// As for a response alone: of the name that was asked for, there may be records of other types.
#[test]
fn of_responses_each_says_in_its_place_what_it_would_say_alone() {
    let from_server = Wrap {
        from: 53,
        to: 40_000,
        ..Wrap::v4(0)
    };
    let question = "www.example.org";
    let question_end = 12 + question.len() + 2 + 4;
    for (action, codes) in [
        (DnsAction::NxDomain, [3, 0, 0]),
        (DnsAction::NoData, [0, 0, 0]),
        (DnsAction::Refused, [5, 5, 5]),
    ] {
        let data = [
            Data::Cname(LISTED),
            Data::Https(1, LISTED),
            Data::Svcb(1, LISTED),
        ];
        let messages = data.map(|data| frames::response_of(&[question], &[(question, data)]));
        let (reason, sent, left, _) = send(&joined(&from_server, &messages), clients(action));
        assert_eq!((reason, sent), (Reason::DnsResponseBlocked, Sent::Pass));
        let mut payload = &opened(&left).payload[..];
        for (message, code) in messages.iter().zip(codes) {
            let (piece, rest) = payload.split_at(message.len());
            assert_eq!(answer(&piece[..question_end]).code, code, "{action:?}");
            payload = rest;
        }
    }
}

#[test]
fn another_operation_on_a_blocked_name_is_refused_in_its_place() {
    let (first, second) = (with(&query(0, true), 2, &[2 << 3]), query(1, true));
    let (_, sent, back, _) = send(
        &joined(&Wrap::v4(53), &[first.clone(), second]),
        clients(DnsAction::NxDomain),
    );
    assert_eq!(sent, Sent::Tx);
    let pieces = pieces(&back, first.len());
    assert_eq!((pieces[0][2] & 0x78, pieces[0][3] & 0xf), (2 << 3, 5));
    assert_eq!(answer(&pieces[1]).code, 3);
}

#[test]
fn of_drawn_datagrams_those_with_a_listed_name_are_blocked() {
    let mut drawn = Drawn(18);
    for round in 0..300 {
        let count = 2 + drawn.below(14);
        let listed: Vec<bool> = (0..count).map(|_| drawn.below(12) == 0).collect();
        let cookie = drawn.below(41) as u8;
        let message = |place: usize| match round % 3 {
            0 => query(place, listed[place]),
            1 => Asking::of(&name(place, listed[place])).query(),
            _ => Asking {
                option: Some((10, cookie)),
                ..Asking::of(&name(place, listed[place]))
            }
            .query(),
        };
        let messages: Vec<_> = (0..count).map(message).collect();
        let expected = if listed.contains(&true) {
            Reason::DnsBlocked
        } else {
            Reason::DnsNotListed
        };
        assert_eq!(
            judged_over(&messages.concat()),
            expected,
            "{round}: {listed:?}"
        );
        let frame = (Duration::ZERO, joined(&Wrap::v4(53), &messages));
        let (_, sent, back, _) =
            send_all(std::slice::from_ref(&frame), clients(DnsAction::NxDomain)).remove(0);
        if expected == Reason::DnsNotListed {
            assert_eq!((sent, back), (Sent::Pass, frame.1));
            continue;
        }
        assert_eq!(sent, Sent::Tx);
        let pieces = pieces(&back, messages[0].len());
        let is_answered = |(piece, message): (&Vec<u8>, &Vec<u8>)| piece != message;
        assert_eq!(
            pieces
                .iter()
                .zip(&messages)
                .map(is_answered)
                .collect::<Vec<_>>(),
            listed
        );
    }
}
