use filter_core::Reason;
use frames::{Extension, Hello, Initial, Wrap, crypto_frame, quic_hello};

use super::*;

const ID: &[u8] = b"8 octets";
const OF_SERVER: &[u8] = b"another";
const SPLIT: Reason = Reason::QuicHelloSplit;

/// A listed name and its neighbour, and what becomes of their hellos.
const NAMES: [(&str, Reason); 2] = [
    (LISTED, Reason::QuicBlocked),
    (OTHER, Reason::QuicNotListed),
];

fn datagram(packets: &[Initial]) -> Vec<u8> {
    Wrap::v4(443).udp(&packets.iter().flat_map(Initial::sealed).collect::<Vec<_>>())
}

/// The first packet of a connection, with all of a hello for this name.
fn first(name: &str) -> Initial {
    Initial::to(ID).carrying(&[crypto_frame(0, &quic_hello(name))])
}

/// A hello for this name as large as those with post-quantum key shares, with the name at its end
/// or not.
fn large_hello(name: &str, name_last: bool) -> Vec<u8> {
    let mut hello = Hello::of(name);
    let padding = Extension::padding(1_300);
    let at = if name_last {
        0
    } else {
        hello.extensions_mut().len()
    };
    hello.extensions_mut().insert(at, padding);
    hello.record()[5..].to_vec()
}

/// Packets of one connection with these ranges of a hello, each in a frame of its own.
fn packets(hello: &[u8], ranges: &[&[(usize, usize)]]) -> Vec<Vec<u8>> {
    let frames = |ranges: &[(usize, usize)]| {
        ranges
            .iter()
            .map(|(from, to)| crypto_frame(*from, &hello[*from..*to]))
            .collect::<Vec<_>>()
    };
    ranges
        .iter()
        .map(|ranges| datagram(&[Initial::to(ID).carrying(&frames(ranges))]))
        .collect()
}

#[test]
fn a_hello_in_quic_is_judged_in_each_version_and_under_any_connection_id() {
    for (name, expected) in NAMES {
        for version in [Initial::V1, Initial::V2, Initial::DRAFT_29] {
            for octets in [0, 1, 7, 8, 9, 16, 17, 20] {
                let id = vec![0x5a; octets];
                let ids = Initial {
                    keys_of: id.clone(),
                    destination: id.clone(),
                    source: id,
                    ..first(name)
                };
                let packet = Initial {
                    version,
                    number: 3,
                    number_bytes: 1 + octets % 4,
                    ..ids
                };
                let decided = judge(&datagram(&[packet]));
                assert_eq!(
                    decided,
                    Decided::of(expected, name),
                    "{version:#x}, {octets} octets"
                );
            }
        }
    }
}

#[test]
fn a_hello_in_quic_is_judged_over_ipv6_and_behind_vlan_tags() {
    for (name, expected) in NAMES {
        let sealed = Initial {
            token: vec![9; 70],
            ..first(name)
        }
        .sealed();
        assert_reason(&Wrap::v6(8443).udp(&sealed), expected, name);
        assert_reason(&Wrap::v4(443).vlan(2).udp(&sealed), expected, name);
        assert_reason(
            &frames::in_pppoe(&Wrap::v6(443).udp(&sealed)),
            expected,
            name,
        );
    }
}

#[test]
fn a_hello_in_several_datagrams_is_judged_with_the_one_that_completes_its_name() {
    for (name, expected) in NAMES {
        let again = if expected == Reason::QuicBlocked {
            Reason::QuicFlowBlocked
        } else {
            Reason::QuicJudged
        };
        let hello = large_hello(name, true);
        let end = hello.len();
        let in_order = packets(&hello, &[&[(0, 1_000)], &[(1_000, end)]]);
        assert_reasons(&in_order, &[SPLIT, expected], name);
        let reversed: Vec<_> = in_order.into_iter().rev().collect();
        assert_reasons(&reversed, &[SPLIT, expected], name);
        let shuffled = packets(
            &hello,
            &[
                &[(900, end), (5, 60)],
                &[(700, 950), (0, 9)],
                &[(60, 700), (0, 40)],
                &[(0, 4)],
            ],
        );
        assert_reasons(&shuffled, &[SPLIT, SPLIT, expected, again], name);
        let early = packets(&large_hello(name, false), &[&[(0, 1_000)]]);
        assert_reasons(&early, &[expected], name);
    }
}

#[test]
fn a_connection_goes_on_under_what_its_server_chose() {
    let hello = quic_hello(LISTED);
    let (start, rest) = hello.split_at(40);
    let [start, rest] = [crypto_frame(0, start), crypto_frame(40, rest)]
        .map(|frame| Initial::to(ID).carrying(&[frame]));
    let id = Initial {
        destination: OF_SERVER.into(),
        ..rest.clone()
    };
    let version = Initial {
        version: Initial::V2,
        ..id.clone()
    };
    for rest in [id, version] {
        let rest = datagram(&[rest]);
        let frames = [datagram(std::slice::from_ref(&start)), rest.clone(), rest];
        assert_reasons(
            &frames,
            &[SPLIT, Reason::QuicBlocked, Reason::QuicFlowBlocked],
            "under the server's",
        );
    }
    let retried = Initial {
        keys_of: OF_SERVER.into(),
        destination: OF_SERVER.into(),
        token: vec![1; 9],
        ..first(LISTED)
    };
    assert_reasons(
        &[datagram(&[start]), datagram(&[retried])],
        &[SPLIT, Reason::QuicBlocked],
        "behind a Retry",
    );
}

#[test]
fn a_port_of_a_blocked_connection_serves_another() {
    let other = Initial {
        keys_of: OF_SERVER.into(),
        destination: OF_SERVER.into(),
        ..first(OTHER)
    };
    let frames = [
        first(LISTED),
        first(LISTED),
        other.clone(),
        other,
        first(LISTED),
    ]
    .map(|packet| datagram(&[packet]));
    let expected = [
        Reason::QuicBlocked,
        Reason::QuicFlowBlocked,
        Reason::QuicNotListed,
        Reason::QuicJudged,
        Reason::QuicBlocked,
    ];
    assert_reasons(&frames, &expected, "one port");
}

#[test]
fn what_was_damaged_on_its_way_is_not_judged() {
    let sealed = first(LISTED).sealed();
    for place in [0, 6, 20, 40, 300, sealed.len() - 17, sealed.len() - 1] {
        let mut damaged = sealed.clone();
        damaged[place] ^= 0x10;
        let decided = judge(&Wrap::v4(443).udp(&damaged));
        assert!(decided.name.is_none(), "octet {place}: {decided:?}");
        let frames = [Wrap::v4(443).udp(&damaged), datagram(&[first(OTHER)])];
        assert_eq!(
            judge_all(&frames)[1].reason,
            Reason::QuicNotListed,
            "octet {place}"
        );
    }
}

#[test]
fn an_initial_behind_other_packets_of_its_datagram_is_judged() {
    let handshake = [&[0xe3, 0, 0, 0, 1, 8], ID, &[0, 0x40, 60], &[0xa5; 60]].concat();
    for (name, expected) in NAMES {
        let payload = [handshake.repeat(2), first(name).sealed()].concat();
        assert_reason(&Wrap::v4(443).udp(&payload), expected, name);
    }
    let hello = quic_hello(LISTED);
    let (start, rest) = hello.split_at(40);
    let parts = [crypto_frame(0, start), crypto_frame(40, rest)]
        .map(|frame| Initial::to(ID).carrying(&[frame]));
    assert_reason(&datagram(&parts), Reason::QuicBlocked, "joined datagrams");
}
