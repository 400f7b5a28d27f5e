//! The server name in QUIC: packets that rustls seals, in every form that clients send them. What
//! the loaded program is held to as well is among the claims.

mod engine;

use std::time::Duration;

use filter_core::{
    Counter, Directions, Interface, MessageBuffer, Offline, Options, Quic, Reason, Verdict,
};
use frames::{Extension, Hello, Initial, Wrap, crypto_frame, quic_hello};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, prop_assume, proptest},
    sample::{Index, select},
    strategy::{Just, Strategy},
};

use engine::{Listed, offline, one_bucket};

const LISTED: &str = "ads.example.com";
const OTHER: &str = "web.example.com";
const ID: &[u8] = b"8 octets";
const OF_SERVER: &[u8] = b"another";
const PING: u8 = 1;

/// An engine with one bucket of QUIC connections.
fn fresh() -> Offline<Listed> {
    offline(
        &Options {
            quic_flows: 1,
            ..one_bucket()
        },
        &[LISTED],
    )
}

fn datagram(packets: &[Initial]) -> Vec<u8> {
    Wrap::v4(443).udp(&packets.iter().flat_map(Initial::sealed).collect::<Vec<_>>())
}

/// The first packet of a connection, with all of a hello for this name.
fn first(name: &str) -> Initial {
    Initial::to(ID).carrying(&[crypto_frame(0, &quic_hello(name))])
}

/// A long header of version 1 with this first octet and connection ID, and so many octets behind
/// it.
fn other_packet(first: u8, destination: &[u8], octets: u8) -> Vec<u8> {
    let head = [
        &[first, 0, 0, 0, 1, destination.len() as u8],
        destination,
        &[0, 0x40, octets],
    ]
    .concat();
    [head, vec![0xa5; octets.into()]].concat()
}

const ZERO_RTT: u8 = 0xd3;
const HANDSHAKE: u8 = 0xe3;

/// What a frame meets in an engine that has seen nothing.
fn alone(frame: &[u8]) -> Reason {
    fresh().decide(frame)
}

#[test]
fn a_listed_name_is_blocked_and_another_passes_whatever_the_header_says() {
    for (name, reason) in [
        (LISTED, Reason::QuicBlocked),
        (OTHER, Reason::QuicNotListed),
    ] {
        for version in [
            Initial::V1,
            Initial::V2,
            Initial::DRAFT_29,
            0xff00_0020,
            0xff00_0021,
            0xff00_0022,
        ] {
            let packet = Initial {
                version,
                ..first(name)
            };
            assert_eq!(alone(&datagram(&[packet])), reason, "{version:#x}");
        }
        for octets in 0..=20 {
            let destination = vec![0x5a; octets];
            let packet = Initial {
                keys_of: destination.clone(),
                destination,
                ..first(name)
            };
            assert_eq!(
                alone(&datagram(&[packet])),
                reason,
                "a destination of {octets}"
            );
            assert_eq!(
                alone(&datagram(&[Initial {
                    source: vec![3; octets],
                    ..first(name)
                }])),
                reason
            );
        }
        for token in [1, 63, 64, 300] {
            assert_eq!(
                alone(&datagram(&[Initial {
                    token: vec![9; token],
                    ..first(name)
                }])),
                reason,
                "{token}"
            );
        }
        for number_bytes in 1..=4 {
            assert_eq!(
                alone(&datagram(&[Initial {
                    number_bytes,
                    number: 200,
                    ..first(name)
                }])),
                reason
            );
        }
    }
}

#[test]
fn the_fixed_bit_may_be_zero() {
    for version in [Initial::V1, Initial::V2] {
        let packet = Initial {
            version,
            fixed_bit: false,
            ..first(LISTED)
        };
        assert_eq!(
            alone(&datagram(&[packet])),
            Reason::QuicBlocked,
            "{version:#x}"
        );
    }
}

#[test]
fn a_connection_id_is_never_longer_than_twenty_octets() {
    let long = vec![0x5a; 21];
    let packet = Initial {
        keys_of: long.clone(),
        destination: long.clone(),
        ..first(LISTED)
    };
    assert_eq!(alone(&datagram(&[packet])), Reason::QuicMalformed);
    assert_eq!(
        alone(&datagram(&[Initial {
            source: long,
            ..first(LISTED)
        }])),
        Reason::QuicMalformed
    );
}

#[test]
fn it_is_read_on_any_port_and_behind_any_layers() {
    let sealed = first(LISTED).sealed();
    for port in [443, 80, 853, 8443, 65_535] {
        assert_eq!(
            alone(&Wrap::v4(port).udp(&sealed)),
            Reason::QuicBlocked,
            "{port}"
        );
        assert_eq!(
            alone(&Wrap::v6(port).udp(&sealed)),
            Reason::QuicBlocked,
            "{port}"
        );
    }
    let tagged = Wrap::v4(443).vlan(2).udp(&sealed);
    assert_eq!(alone(&tagged), Reason::QuicBlocked);
    assert_eq!(
        alone(&frames::in_pppoe(&Wrap::v6(443).udp(&sealed))),
        Reason::QuicBlocked
    );
}

#[test]
fn other_versions_and_other_datagrams_are_not_read() {
    let unknown = Initial {
        version: 0x5130_3530,
        ..first(LISTED)
    };
    assert_eq!(alone(&datagram(&[unknown])), Reason::UdpOther);
    // Version negotiation, a short header, and what is too short for anything.
    for payload in [
        &[0xc0, 0, 0, 0, 0, 8][..],
        &[0x40, 0, 0, 0, 1, 8, 1, 2, 3],
        &[0xc0, 0, 0, 0, 1],
        &[],
    ] {
        assert_eq!(
            alone(&Wrap::v4(443).udp(payload)),
            Reason::UdpOther,
            "{payload:02x?}"
        );
    }
}

#[test]
fn what_was_damaged_or_forged_without_the_keys_changes_nothing() {
    let sealed = first(LISTED).sealed();
    for place in (0..60)
        .chain((60..sealed.len()).step_by(37))
        .chain(sealed.len() - 16..sealed.len())
    {
        for bit in [1, 0x80] {
            let mut damaged = sealed.clone();
            damaged[place] ^= bit;
            let mut engine = fresh();
            let reason = engine.decide(&Wrap::v4(443).udp(&damaged));
            assert_eq!(reason.verdict(), Verdict::Pass, "octet {place}");
            assert!(reason.message().is_none(), "octet {place}: {reason:?}");
            assert_eq!(
                engine.decide(&datagram(&[first(OTHER)])),
                Reason::QuicNotListed,
                "octet {place}"
            );
        }
    }
    let cut = Wrap::v4(443).udp(&sealed[..sealed.len() - 1]);
    assert_eq!(alone(&cut), Reason::QuicMalformed);
}

#[test]
fn a_servers_packet_is_not_opened() {
    let packet = Initial {
        of_server: true,
        ..first(LISTED)
    };
    assert_eq!(alone(&datagram(&[packet])), Reason::QuicNotOpened);
}

#[test]
fn an_initial_is_found_behind_other_packets_of_its_datagram() {
    for before in [ZERO_RTT, HANDSHAKE] {
        for count in 1..=7 {
            let others = other_packet(before, ID, 60).repeat(count);
            let payload = [others, first(LISTED).sealed()].concat();
            assert_eq!(
                alone(&Wrap::v4(443).udp(&payload)),
                Reason::QuicBlocked,
                "{count} of {before:#x}"
            );
        }
    }
    // Zeros behind the packets, as some fill datagrams up.
    let payload = [first(OTHER).sealed(), vec![0; 90]].concat();
    assert_eq!(alone(&Wrap::v4(443).udp(&payload)), Reason::QuicNotListed);
}

#[test]
fn a_blocked_connection_stays_blocked_and_its_port_is_free_for_others() {
    let mut engine = fresh();
    engine.set_time(Duration::from_secs(100));
    assert_eq!(
        engine.decide(&datagram(&[first(LISTED)])),
        Reason::QuicBlocked
    );
    assert_eq!(
        engine.decide(&datagram(&[first(LISTED)])),
        Reason::QuicFlowBlocked,
        "sent again"
    );
    for kind in [ZERO_RTT, HANDSHAKE] {
        let frame = Wrap::v4(443).udp(&other_packet(kind, ID, 60));
        assert_eq!(engine.decide(&frame), Reason::QuicFlowBlocked, "{kind:#x}");
        assert_eq!(
            engine.decide(&Wrap::v4(444).udp(&other_packet(kind, ID, 60))),
            Reason::QuicOther,
            "another flow's"
        );
    }
    let other = Initial {
        keys_of: b"7 other".into(),
        destination: b"7 other".into(),
        ..first(OTHER)
    };
    assert_eq!(
        engine.decide(&datagram(std::slice::from_ref(&other))),
        Reason::QuicNotListed,
        "another connection"
    );
    assert_eq!(engine.decide(&datagram(&[other])), Reason::QuicJudged);
    assert_eq!(
        engine.decide(&Wrap::v4(443).udp(&other_packet(HANDSHAKE, b"x", 60))),
        Reason::QuicJudged
    );
}

#[test]
fn a_verdict_is_forgotten_when_a_port_may_be_used_again() {
    let handshake = Wrap::v4(443).udp(&other_packet(HANDSHAKE, ID, 60));
    for (seconds, reason) in [(29, Reason::QuicFlowBlocked), (31, Reason::QuicOther)] {
        let mut engine = fresh();
        engine.set_time(Duration::from_secs(100));
        assert_eq!(
            engine.decide(&datagram(&[first(LISTED)])),
            Reason::QuicBlocked
        );
        engine.set_time(Duration::from_secs(100 + seconds));
        assert_eq!(engine.decide(&handshake), reason, "after {seconds} s");
    }
}

#[test]
fn a_retry_begins_the_hello_again_under_other_keys() {
    let again = |name| Initial {
        keys_of: OF_SERVER.into(),
        destination: OF_SERVER.into(),
        token: vec![1; 40],
        number: 1,
        ..first(name)
    };
    let start =
        datagram(&[Initial::to(ID).carrying(&[crypto_frame(0, &quic_hello(LISTED)[..40])])]);
    let mut engine = fresh();
    assert_eq!(engine.decide(&start), Reason::QuicHelloSplit);
    assert_eq!(
        engine.decide(&datagram(&[again(LISTED)])),
        Reason::QuicBlocked
    );
    let mut engine = fresh();
    assert_eq!(
        engine.decide(&datagram(&[first(OTHER)])),
        Reason::QuicNotListed
    );
    assert_eq!(
        engine.decide(&datagram(&[again(OTHER)])),
        Reason::QuicNotListed
    );
}

#[test]
fn a_hello_beyond_what_is_held_is_told_and_its_start_is_read() {
    let padded = |name: &str, before: bool| {
        let mut hello = Hello::of(name);
        let padding = Extension::padding(5_000);
        if before {
            hello.extensions_mut().insert(0, padding);
        } else {
            hello.extensions_mut().push(padding);
        }
        hello.record()[5..].to_vec()
    };
    for (before, reason) in [
        (false, Reason::QuicBlocked),
        (true, Reason::QuicHelloTooLong),
    ] {
        let hello = padded(LISTED, before);
        let mut engine = fresh();
        let frames = hello
            .chunks(1_000)
            .enumerate()
            .map(|(place, part)| crypto_frame(place * 1_000, part));
        let last = frames
            .map(|frame| engine.decide(&datagram(&[Initial::to(ID).carrying(&[frame])])))
            .find(|reason| *reason != Reason::QuicHelloSplit);
        assert_eq!(last, Some(reason), "padding first: {before}");
    }
}

#[test]
fn an_interface_may_pass_or_refuse_it() {
    let frame = datagram(&[first(LISTED)]);
    let on = |quic| {
        fresh()
            .on(Interface::new(Directions::Both).with_quic(quic))
            .decide(&frame)
    };
    assert_eq!(on(Quic::Inspect), Reason::QuicBlocked);
    assert_eq!(on(Quic::Pass), Reason::UdpOther);
    assert_eq!(on(Quic::Refuse), Reason::QuicRefused);
}

#[test]
fn nothing_is_dropped_on_an_interface_in_audit_mode() {
    let frame = datagram(&[first(LISTED)]);
    let on = |quic| {
        fresh()
            .on(Interface::new(Directions::Both).with_quic(quic).on_trial())
            .decide(&frame)
    };
    assert_eq!(on(Quic::Inspect), Reason::QuicAudited);
    assert_eq!(on(Quic::Refuse), Reason::UdpOther);
    for (interface, reason) in [
        (
            Interface::new(Directions::Both),
            Reason::QuicBeyondBudgetDropped,
        ),
        (
            Interface::new(Directions::Both).on_trial(),
            Reason::QuicBeyondBudget,
        ),
    ] {
        let options = Options {
            quic_per_source: 1,
            ..one_bucket()
        };
        let mut engine = offline(&options, &[LISTED]).on(interface);
        engine.set_time(Duration::from_secs(100));
        engine.decide(&datagram(&[Initial {
            keys_of: b"another 1".into(),
            destination: b"another 1".into(),
            ..first(OTHER)
        }]));
        assert_eq!(engine.decide(&frame), reason);
    }
}

#[test]
fn budgets_are_of_a_source_and_of_all_and_fill_up_in_a_second() {
    let from = |source: u8, number: u8| {
        let id = vec![number; 8];
        let mut frame = datagram(&[Initial {
            keys_of: id.clone(),
            destination: id,
            ..first(OTHER)
        }]);
        frame[28] = source;
        frame[34..36].copy_from_slice(&(1_000 + u16::from(number)).to_be_bytes());
        frame
    };
    let opened = |engine: &mut Offline<Listed>, source: u8, numbers: std::ops::Range<u8>| {
        numbers
            .filter(|number| engine.decide(&from(source, *number)) == Reason::QuicNotListed)
            .count()
    };
    let options = Options {
        quic_per_source: 5,
        quic_per_second: 12,
        ..one_bucket()
    };
    let mut engine = offline(&options, &[LISTED]);
    engine.set_time(Duration::from_secs(100));
    assert_eq!(
        [1, 2, 3, 4].map(|source| opened(&mut engine, source, 1..21)),
        [5, 5, 2, 0]
    );
    engine.set_time(Duration::from_secs(101));
    assert_eq!(opened(&mut engine, 1, 31..51), 5);
    let mut engine = offline(
        &Options {
            quic_per_source: 0,
            quic_per_second: 0,
            ..options
        },
        &[LISTED],
    );
    engine.set_time(Duration::from_secs(100));
    assert_eq!(opened(&mut engine, 1, 1..101), 100, "no bound");
}

#[test]
fn one_source_pushes_out_its_own_connections_only() {
    let mut engine = fresh();
    let from = |port: u16| {
        let mut frame = datagram(&[first(LISTED)]);
        frame[34..36].copy_from_slice(&port.to_be_bytes());
        frame
    };
    let mut of_other = datagram(&[first(LISTED)]);
    of_other[28] ^= 1;
    assert_eq!(engine.decide(&of_other), Reason::QuicBlocked);
    for port in 1_000..1_100 {
        assert_eq!(engine.decide(&from(port)), Reason::QuicBlocked);
    }
    assert_eq!(engine.decide(&of_other), Reason::QuicFlowBlocked);
    assert_eq!(engine.decide(&from(1_099)), Reason::QuicFlowBlocked);
    assert!(engine.counters()[&Counter::FlowsEvicted] >= 90);
}

/// Frames that carry nothing of a hello.
fn other_frames() -> impl Strategy<Value = Vec<u8>> {
    select(vec![
        vec![],
        vec![PING],
        vec![0; 3],
        vec![0; 70],
        // An ACK of one range, one of three, and one with counts of ECN.
        vec![2, 0, 0, 0, 0],
        vec![2, 9, 0x40, 0x19, 2, 0, 0, 1, 0, 2],
        vec![3, 7, 0, 0, 1, 0x40, 9, 0x80, 0, 0, 1, 5],
    ])
}

/// A part of the hello as a frame, with what stands before it in its packet.
#[derive(Clone, Debug)]
struct Part {
    before: Vec<u8>,
    from: Index,
    len: usize,
}

fn part() -> impl Strategy<Value = Part> {
    (other_frames(), any::<Index>(), 1_usize..400).prop_map(|(before, from, len)| Part {
        before,
        from,
        len,
    })
}

/// The packets' frames: pieces that cover the hello, further copies of parts of it, in any order,
/// in so many datagrams.
fn packets(hello: &[u8], parts: &[Part], order: &[Index], datagrams: usize) -> Vec<Vec<Vec<u8>>> {
    let frame = |before: &[u8], from: usize, to: usize| {
        [before, &crypto_frame(from, &hello[from..to])].concat()
    };
    let mut frames = Vec::new();
    let mut cuts: Vec<_> = parts
        .iter()
        .map(|part| part.from.index(hello.len()))
        .chain([0, hello.len()])
        .collect();
    cuts.sort_unstable();
    for (pair, part) in cuts.windows(2).zip(parts.iter().cycle()) {
        frames.push(frame(&part.before, pair[0], pair[1]));
    }
    for part in parts {
        let from = part.from.index(hello.len());
        frames.push(frame(
            &part.before,
            from,
            (from + part.len).min(hello.len()),
        ));
    }
    let mut packets = vec![Vec::new(); datagrams];
    for (place, index) in (0..frames.len()).zip(order.iter().cycle()) {
        let frame = frames.swap_remove(index.index(frames.len()));
        packets[place % datagrams].push(frame);
    }
    packets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_order_and_overlap_meets_the_verdict_of_the_whole(
        listed in any::<bool>(),
        padding in 0_usize..1_500,
        parts in vec(part(), 1..12),
        order in vec(any::<Index>(), 1..12),
        datagrams in 1_usize..5,
        version in select(vec![Initial::V1, Initial::V2, Initial::DRAFT_29]),
    ) {
        let name = if listed { LISTED } else { OTHER };
        let mut hello = Hello::of(name);
        hello.extensions_mut().insert(0, Extension::padding(padding));
        let hello = hello.record()[5..].to_vec();
        let mut engine = fresh();
        let mut verdicts = Vec::new();
        for (number, frames) in packets(&hello, &parts, &order, datagrams).into_iter().enumerate() {
            let packet = Initial { version, number: number as u32, ..Initial::to(ID) }.carrying(&frames);
            prop_assume!(packet.sealed().len() <= MessageBuffer::LEN as usize);
            verdicts.push(engine.decide(&datagram(&[packet])));
        }
        let expected = if listed { Reason::QuicBlocked } else { Reason::QuicNotListed };
        let after = if listed { Reason::QuicFlowBlocked } else { Reason::QuicJudged };
        let place = verdicts.iter().position(|reason| *reason == expected);
        prop_assert!(place.is_some(), "{verdicts:?}");
        let (before, behind) = verdicts.split_at(place.unwrap());
        prop_assert!(before.iter().all(|it| matches!(it, Reason::QuicHelloSplit | Reason::QuicNoHello)), "{verdicts:?}");
        prop_assert!(behind[1..].iter().all(|it| *it == after), "{verdicts:?}");
        prop_assert_eq!(engine.take_events().len(), usize::from(listed));
    }

    #[test]
    fn whatever_a_client_encrypts_nothing_breaks(
        frames in vec(any::<u8>(), 0..1_300),
        start in Just(crypto_frame(0, &quic_hello(OTHER))),
        behind in any::<bool>(),
    ) {
        let payload = if behind { [start, frames].concat() } else { frames };
        let mut engine = fresh();
        let packet = Initial { frames: payload, ..Initial::to(ID) };
        let reason = engine.decide(&datagram(&[packet]));
        prop_assert!(reason.as_str().starts_with("quic_"), "{reason:?}");
    }
}

/// A hello in two datagrams, each filled up behind its packet, which the kernel has joined.
fn joined(filling: &[u8]) -> Vec<u8> {
    let hello = quic_hello(LISTED);
    let packet = |number: u32, from: usize, to: usize| {
        let frames = crypto_frame(from, &hello[from..to]);
        let packet = Initial {
            number,
            frames,
            ..Initial::to(ID)
        };
        [packet.sealed(), filling.to_vec()].concat()
    };
    let middle = hello.len() / 2;
    Wrap::v4(443).udp(
        &[
            packet(0, 0, 40),
            packet(1, 40, middle),
            packet(2, middle, hello.len()),
        ]
        .concat(),
    )
}

#[test]
fn what_a_datagram_is_filled_up_with_hides_no_packet_behind_it() {
    // Firefox has some 250 zeros; RFC 9000 §14.1 leaves open what they are.
    for filling in [0, 1, 7, 8, 9, 250, 900] {
        for octet in [0, 1, 0x40, 0xff] {
            assert_eq!(
                alone(&joined(&vec![octet; filling])),
                Reason::QuicBlocked,
                "{filling} of {octet:#x}"
            );
        }
    }
}

proptest! {
    #[test]
    fn a_packet_number_is_found_by_its_last_octets_near_the_largest(
        start in 0_u32..1 << 31,
        ahead in 0_u32..100,
        bytes in 1_usize..=4,
    ) {
        // The first packet has all of its number, as RFC 9000 §17.1 asks for what nobody has
        // acknowledged.
        let hello = quic_hello(LISTED);
        let part = |number, number_bytes, from: usize, to: usize| Initial {
            number,
            number_bytes,
            ..Initial::to(ID)
        }
        .carrying(&[crypto_frame(from, &hello[from..to])]);
        let first = if start < 1 << 8 { 1 } else { 4 };
        let mut engine = fresh();
        let reason = engine.decide(&datagram(&[part(start, first, 0, 40)]));
        prop_assert_eq!(reason, Reason::QuicHelloSplit);
        let next = part(start + 1 + ahead, bytes, 40, hello.len());
        prop_assert_eq!(engine.decide(&datagram(&[next])), Reason::QuicBlocked);
    }
}
