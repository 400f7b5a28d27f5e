//! What is claimed of settings other than the default, and of counters.

mod engine;

use std::{collections::BTreeMap, time::Duration};

use filter_core::{
    Actions, Counter, Directions, DnsAction, Fragments, Interface, Offline, Options, Reason, Sent,
    TcpAction,
};
use frames::{Data, Extension, Hello, Tunnel, Wrap};

use engine::{Listed, one_bucket};

const LISTED: &str = "ads.example.com";
const OTHER: &str = "web.example.com";
/// Sequence number of the first octet of a stream.
const FIRST: u32 = 3_000;

fn offline(options: &Options) -> Offline<Listed> {
    engine::offline(options, &[LISTED])
}

/// What the frames counted besides their reasons.
fn counted(frames: &[Vec<u8>]) -> BTreeMap<Counter, u64> {
    let mut offline = offline(&one_bucket());
    for frame in frames {
        offline.decide(frame);
    }
    offline
        .counters()
        .into_iter()
        .filter(|(counter, _)| !matches!(counter, Counter::Packets(_)))
        .collect()
}

/// Octets of the hello up to the end of its server name.
fn name_end(hello: &[u8], name: &str) -> usize {
    frames::server_name_at(hello, name).unwrap() + name.len()
}

fn segment(payload: &[u8], from: usize, to: usize) -> Vec<u8> {
    frames::segment(&Wrap::v4(443), FIRST, payload, from..to)
}

#[test]
fn later_fragments_are_dropped_where_they_are_to_be_and_nothing_else_is() {
    let [v4, v6] = [Wrap::v4(53), Wrap::v6(53)].map(|wrap| wrap.udp(&frames::query(OTHER)));
    let fragments = |offset| {
        [
            frames::ipv4_fragment(&v4, offset, true),
            frames::ipv6_fragment(&v6, offset, true),
        ]
    };
    let mut frames = Vec::new();
    for offset in [0, 1, 100] {
        for fragment in fragments(offset) {
            frames.push((offset, frames::tagged(&fragment, &[0x88a8, 0x8100])));
            frames.push((
                offset,
                frames::in_pppoe(&frames::behind_labels(&fragment, 3)),
            ));
            frames.extend(
                Tunnel::all()
                    .iter()
                    .map(|tunnel| (offset, tunnel.carry(&Wrap::v6(0), &fragment))),
            );
            frames.push((offset, fragment));
        }
    }
    for (setting, later) in [
        (Fragments::Pass, Reason::Fragment),
        (Fragments::Drop, Reason::FragmentDropped),
    ] {
        let mut offline = offline(&Options {
            fragments: setting,
            ..one_bucket()
        });
        for (offset, frame) in &frames {
            let expected = if *offset == 0 {
                Reason::DnsNotListed
            } else {
                later
            };
            assert_eq!(
                offline.decide(frame),
                expected,
                "{setting:?}, offset {offset}"
            );
        }
    }
}

#[test]
fn messages_of_a_side_that_is_not_judged_pass_as_such() {
    let query = |name| frames::query(name);
    let response = |name| frames::response_of(&[name], &[(name, Data::Cname(name))]);
    let not_queries = [Reason::DnsQueryNotJudged; 2];
    let not_responses = [Reason::DnsResponseNotJudged; 2];
    for (directions, queries, responses) in [
        (
            Directions::Both,
            [Reason::DnsBlocked, Reason::DnsNotListed],
            [Reason::DnsResponseBlocked, Reason::DnsResponseNotListed],
        ),
        (
            Directions::Queries,
            [Reason::DnsBlocked, Reason::DnsNotListed],
            not_responses,
        ),
        (
            Directions::Responses,
            not_queries,
            [Reason::DnsResponseBlocked, Reason::DnsResponseNotListed],
        ),
    ] {
        let mut offline = offline(&one_bucket()).on(Interface::new(directions));
        for (place, name) in [LISTED, OTHER].into_iter().enumerate() {
            for (message, expected) in [
                (query(name), queries[place]),
                (response(name), responses[place]),
            ] {
                assert_eq!(
                    offline.decide(&Wrap::v4(53).udp(&message)),
                    expected,
                    "{directions:?}, UDP, {name}"
                );
                let stream = frames::over_tcp(&message);
                assert_eq!(
                    offline.decide(&Wrap::v6(53).tcp(&stream)),
                    expected,
                    "{directions:?}, TCP, {name}"
                );
                assert_eq!(
                    offline.decide(&Wrap::v4(53).tcp_at(0, &stream[..20])),
                    Reason::DnsSplit
                );
                assert_eq!(
                    offline.decide(&Wrap::v4(53).tcp_at(20, &stream[20..])),
                    expected,
                    "{directions:?}, split"
                );
                offline.forget_flows();
            }
        }
        let hello = offline.decide(&Wrap::v4(443).tcp(&frames::client_hello(LISTED)));
        assert_eq!(hello, Reason::TlsBlocked, "{directions:?} are of DNS");
    }
}

#[test]
fn where_a_frame_cannot_become_longer_a_response_is_brief_and_a_query_has_no_answer() {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let interface = Interface::new(Directions::Both).facing_clients(actions);
    let mut offline = offline(&one_bucket()).on(interface).with_room(0);
    let mut message = frames::response(LISTED);
    message[11] = 1;
    message.extend([0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0]);
    let response = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    }
    .udp(&message);
    let (_, sent, frame) = offline.send(&response);
    let answer = frames::answer(&frames::opened(&frame).payload);
    assert_eq!(
        (sent, frame.len(), answer.code),
        (Sent::Pass, response.len(), 3)
    );
    assert_eq!(
        (answer.authorities.len(), answer.edns.unwrap().options.len()),
        (0, 0)
    );
    assert_eq!(offline.counters()[&Counter::Rewritten], 1);

    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    assert_eq!(
        offline.send(&query),
        (Reason::DnsBlocked, Sent::Drop, query)
    );
    assert_eq!(offline.counters()[&Counter::UnansweredRoom], 1);
}

/// Names behind a blocked one are read then, and what is held of the last one is not that of the
/// question.
#[test]
fn where_names_that_pass_are_reported_a_target_that_is_cut_behind_a_blocked_name_leaves_an_answer()
{
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let options = Options {
        report_passed: true,
        ..one_bucket()
    };
    let mut offline = offline(&options).on(Interface::new(Directions::Both).with_actions(actions));
    let message = frames::response_of(&[LISTED], &[(LISTED, Data::Cname("a"))]);
    // The target's end becomes a label of a type that there is not.
    for octet in [0x80, 0x40, 0x3f] {
        let mut message = message.clone();
        *message.last_mut().unwrap() = octet;
        let response = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message);
        let (reason, sent, frame) = offline.send(&response);
        assert_eq!(
            (reason, sent),
            (Reason::DnsResponseBlocked, Sent::Pass),
            "{octet:#x}"
        );
        let answer = frames::answer(&frames::opened(&frame).payload);
        assert_eq!(
            (answer.code, answer.authorities.len()),
            (3, 1),
            "{octet:#x}"
        );
    }
}

#[test]
fn dns_is_judged_on_the_ports_that_are_set_and_on_no_other() {
    let mut offline = offline(&Options {
        dns_ports: &[5353, 63, 64, 65_535],
        ..one_bucket()
    });
    for (port, udp, tcp) in [
        (5353, Reason::DnsBlocked, Reason::DnsBlocked),
        (63, Reason::DnsBlocked, Reason::DnsBlocked),
        (64, Reason::DnsBlocked, Reason::DnsBlocked),
        (65_535, Reason::DnsBlocked, Reason::DnsBlocked),
        (53, Reason::UdpOther, Reason::TcpOther),
        (62, Reason::UdpOther, Reason::TcpOther),
        (0, Reason::UdpOther, Reason::TcpOther),
    ] {
        for wrap in [
            Wrap::v4(port),
            Wrap {
                from: port,
                ..Wrap::v6(40_000)
            },
        ] {
            assert_eq!(
                offline.decide(&wrap.udp(&frames::query(LISTED))),
                udp,
                "port {port}"
            );
            assert_eq!(
                offline.decide(&wrap.tcp(&frames::over_tcp(&frames::query(LISTED)))),
                tcp,
                "port {port}"
            );
        }
    }
}

/// A query whose source address starts at this octet and is no group's or loopback's, whichever of
/// its bits is another.
fn query_of_client(wrap: &Wrap, source: std::ops::Range<usize>, flipped: Option<usize>) -> Vec<u8> {
    let mut frame = wrap.udp(&frames::query(LISTED));
    frame[source.clone()].fill(0x55);
    if let Some(bit) = flipped {
        frame[source.start + bit / 8] ^= 0x80 >> (bit % 8);
    }
    frames::with_checksums(&frame)
}

/// /24 of IPv4 and /56 of IPv6 are what response rate limiting goes by.
#[test]
fn clients_of_a_prefix_share_their_answers_and_other_prefixes_have_their_own() {
    let clients = Interface::new(Directions::Both)
        .facing_clients(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    for (wrap, source, prefix) in [(Wrap::v4(53), 26..30, 24), (Wrap::v6(53), 22..38, 56)] {
        let query = query_of_client(&wrap, source.clone(), None);
        for bit in 0..8 * source.len() {
            let mut offline = offline(&Options {
                answers_per_second: 1,
                ..one_bucket()
            })
            .on(clients);
            offline.set_time(Duration::from_secs(1));
            let neighbour = query_of_client(&wrap, source.clone(), Some(bit));
            let sent = [&query, &query, &neighbour].map(|frame| offline.send(frame).1);
            let expected = if bit < prefix { Sent::Tx } else { Sent::Drop };
            assert_eq!(
                sent,
                [Sent::Tx, Sent::Drop, expected],
                "{:?}, bit {bit}",
                wrap.network
            );
            let limited = if bit < prefix { 1 } else { 2 };
            assert_eq!(offline.counters()[&Counter::UnansweredRate], limited);
        }
    }
}

#[test]
fn answers_a_second_come_back_with_time_and_have_no_limit_where_none_is_set() {
    let clients = Interface::new(Directions::Both)
        .facing_clients(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    for (answers_per_second, expected) in [(2, [2, 1, 2]), (0, [9, 9, 9])] {
        let mut offline = offline(&Options {
            answers_per_second,
            ..one_bucket()
        })
        .on(clients);
        for (milliseconds, expected) in [1_000, 1_500, 9_000].into_iter().zip(expected) {
            offline.set_time(Duration::from_millis(milliseconds));
            let answered = (0..9)
                .filter(|_| offline.send(&query).1 == Sent::Tx)
                .count();
            assert_eq!(
                answered, expected,
                "{answers_per_second} a second, after {milliseconds} ms"
            );
        }
    }
}

#[test]
fn messages_with_several_questions_are_counted() {
    let query = |names: &[&str]| Wrap::v4(53).udp(&frames::query_of(names));
    let response = |names: &[&str]| Wrap::v4(53).udp(&frames::response_of(names, &[]));
    for names in [&[][..], &[OTHER], &[LISTED]] {
        assert!(
            counted(&[query(names), response(names)]).is_empty(),
            "{names:?}"
        );
    }
    for names in [
        &[OTHER, OTHER][..],
        &[LISTED, OTHER],
        &[OTHER, OTHER, LISTED],
    ] {
        let counted = counted(&[query(names), response(names)]);
        assert_eq!(
            counted,
            [(Counter::DnsSeveralQuestions, 2)].into(),
            "{names:?}"
        );
    }
}

/// A hello with `encrypted_client_hello` before or behind its server name, and room between the
/// two.
fn encrypted_hello(name: &str, kind: u16, name_first: bool) -> Vec<u8> {
    let mut hello = Hello::of(name);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    let server_name = hello.extensions_mut().remove(place);
    let encrypted = Extension {
        kind,
        data: vec![0x5a; 200],
    };
    let mut between = [server_name, Extension::padding(300), encrypted];
    if !name_first {
        between.reverse();
    }
    hello.extensions_mut().extend(between);
    hello.record()
}

#[test]
fn an_encrypted_hello_is_counted_once_however_it_is_cut() {
    const ENCRYPTED: u16 = 0xfe0d;
    for name in [LISTED, OTHER] {
        for name_first in [true, false] {
            let hello = encrypted_hello(name, ENCRYPTED, name_first);
            for cuts in (1..hello.len())
                .step_by(7)
                .map(|cut| [cut, (cut + 250).min(hello.len())])
            {
                let frames = [(0, cuts[0]), (cuts[0], cuts[1]), (cuts[1], hello.len())]
                    .map(|(from, to)| segment(&hello, from, to));
                let expected = [(Counter::EncryptedClientHello, 1)].into();
                assert_eq!(
                    counted(&frames),
                    expected,
                    "{name}, first: {name_first}, {cuts:?}"
                );
            }
            assert_eq!(
                counted(&[segment(&hello, 0, hello.len())])[&Counter::EncryptedClientHello],
                1,
                "whole"
            );
            let records = Wrap::v4(443).tcp(&frames::in_records(&hello, 100));
            assert_eq!(
                counted(&[records])[&Counter::EncryptedClientHello],
                1,
                "in records"
            );
        }
    }
}

#[test]
fn other_extensions_and_half_a_hello_count_nothing() {
    for kind in [0xfe0c, 0xfe0e, 0x0dfe] {
        let hello = encrypted_hello(OTHER, kind, true);
        assert!(
            counted(&[segment(&hello, 0, hello.len())]).is_empty(),
            "{kind:#x}"
        );
        assert!(
            counted(&[segment(&hello, 0, 100), segment(&hello, 100, hello.len())]).is_empty(),
            "{kind:#x}"
        );
    }
    let hello = encrypted_hello(OTHER, 0xfe0d, true);
    assert!(
        counted(&[segment(&hello, 0, name_end(&hello, OTHER))]).is_empty(),
        "its first half"
    );
}

#[test]
fn messages_behind_the_first_are_counted_as_joined_if_they_are_all_there() {
    const TOTAL_LENGTH: usize = 16;
    let joined = |frame: Vec<u8>| {
        counted(&[frame])
            .get(&Counter::DnsJoined)
            .copied()
            .unwrap_or_default()
    };
    let query = frames::query_without_edns(OTHER);
    let response = frames::response_of(&[OTHER], &[]);
    for (wrap, message, least) in [
        (Wrap::v4(53), query, None),
        (
            Wrap {
                from: 53,
                ..Wrap::v4(40_000)
            },
            response,
            Some(17),
        ),
    ] {
        let both = [&message[..], &message].concat();
        let frame = wrap.udp(&both);
        assert_eq!((joined(frame.clone()), joined(wrap.udp(&message))), (1, 0));
        for missing in 1..message.len() {
            // Of a query, the question is looked for to its end; of a response, its header tells.
            let expected = u64::from(least.is_some_and(|least| message.len() - missing >= least));
            let total = u16::try_from(frame.len() - 14 - missing)
                .unwrap()
                .to_be_bytes();
            let mut padded = [&frame[..], &[0; 40]].concat();
            padded[TOTAL_LENGTH..TOTAL_LENGTH + 2].copy_from_slice(&total);
            assert_eq!(joined(padded), expected, "{missing} octets are padding");
            assert_eq!(
                joined(wrap.udp(&both[..both.len() - missing])),
                expected,
                "{missing} octets are missing"
            );
        }
    }
}

#[test]
fn the_shortest_name_behind_a_first_message_is_found_wherever_it_ends() {
    let mut offline = engine::offline(&one_bucket(), &["x"]);
    for name in ["x", "a.x", "ab.x", "abc.x"] {
        for between in 0..20 {
            let first = frames::query_without_edns(OTHER);
            let payload = [
                &first[..],
                &vec![0xff; between],
                &frames::query_without_edns(name),
            ]
            .concat();
            assert_eq!(
                offline.decide(&Wrap::v4(53).udp(&payload)),
                Reason::DnsBlocked,
                "{name} behind {between}"
            );
        }
    }
}
