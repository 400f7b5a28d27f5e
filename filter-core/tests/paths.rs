//! Flows of different interfaces, VLANs and tunnels have nothing to do with each other, whatever
//! their addresses are.

mod engine;

use std::cell::RefCell;

use filter_core::{Offline, Options, Reason, TunnelKind};
use frames::{Data, Tunnel, Wrap};
use proptest::{
    collection,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use engine::Listed;

const LISTED: &str = "ads.example.com";
const FIRST: u32 = 3_000;

/// Where a frame is seen: on which interface, and in what.
struct Place {
    interface: u32,
    around: fn(&[u8]) -> Vec<u8>,
}

const CUSTOMER: u16 = 0x8100;
const PROVIDER: u16 = 0x88a8;

/// A frame behind a tag of this VLAN.
fn tagged(frame: &[u8], protocol: u16, vlan: u16) -> Vec<u8> {
    let mut frame = frames::tagged(frame, &[protocol]);
    frame[14..16].copy_from_slice(&vlan.to_be_bytes());
    frame
}

/// A frame with other bytes at this place.
fn with(mut frame: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame
}

/// Where the network identifier is in VXLAN over UDP over IPv4.
const NETWORK_IDENTIFIER: usize = 14 + 20 + 8 + 4;
/// Where the source address is in IPv4.
const SOURCE: usize = 14 + 12;
/// Where a session is in PPPoE, and a label in MPLS.
const BEHIND_ETHERNET: usize = 14;

/// GRE with a key, which is where that of a header with a key alone stands.
const KEYED: Tunnel = Tunnel::Gre(0x20);
const GRE_KEY: usize = 14 + 20 + 4;

fn in_tunnel(tunnel: Tunnel, frame: &[u8]) -> Vec<u8> {
    tunnel.carry(&Wrap::v4(0), frame)
}

const PLACES: [Place; 20] = [
    Place {
        interface: 1,
        around: <[u8]>::to_vec,
    },
    Place {
        interface: 2,
        around: <[u8]>::to_vec,
    },
    Place {
        interface: 1,
        around: |frame| tagged(frame, CUSTOMER, 5),
    },
    Place {
        interface: 1,
        around: |frame| tagged(frame, CUSTOMER, 6),
    },
    Place {
        interface: 2,
        around: |frame| tagged(frame, CUSTOMER, 6),
    },
    Place {
        interface: 1,
        around: |frame| tagged(frame, PROVIDER, 5),
    },
    Place {
        interface: 1,
        around: |frame| tagged(&tagged(frame, CUSTOMER, 5), PROVIDER, 5),
    },
    Place {
        interface: 1,
        around: |frame| tagged(&tagged(frame, CUSTOMER, 6), PROVIDER, 5),
    },
    Place {
        interface: 1,
        around: frames::in_pppoe,
    },
    Place {
        interface: 1,
        around: |frame| with(frames::in_pppoe(frame), BEHIND_ETHERNET + 2, &[0, 8]),
    },
    Place {
        interface: 1,
        around: |frame| frames::behind_labels(frame, 1),
    },
    Place {
        interface: 1,
        around: |frame| with(frames::behind_labels(frame, 1), BEHIND_ETHERNET, &[0, 2]),
    },
    Place {
        interface: 1,
        around: |frame| in_tunnel(Tunnel::Vxlan, frame),
    },
    Place {
        interface: 2,
        around: |frame| in_tunnel(Tunnel::Vxlan, frame),
    },
    Place {
        interface: 1,
        around: |frame| {
            with(
                in_tunnel(Tunnel::Vxlan, frame),
                NETWORK_IDENTIFIER,
                &[0, 0, 6],
            )
        },
    },
    Place {
        interface: 1,
        around: |frame| with(in_tunnel(Tunnel::Vxlan, frame), SOURCE, &[10, 9, 8, 7]),
    },
    Place {
        interface: 1,
        around: |frame| in_tunnel(Tunnel::Vxlan, &tagged(frame, CUSTOMER, 5)),
    },
    Place {
        interface: 1,
        around: |frame| tagged(&in_tunnel(Tunnel::Vxlan, frame), CUSTOMER, 5),
    },
    Place {
        interface: 1,
        around: |frame| in_tunnel(KEYED, frame),
    },
    Place {
        interface: 1,
        around: |frame| with(in_tunnel(KEYED, frame), GRE_KEY, &[0, 0, 0, 10]),
    },
];

/// A connection, its hello in three segments, and some of it again.
fn segments(wrap: &Wrap, name: &str) -> Vec<Vec<u8>> {
    let hello = frames::client_hello(name);
    let name_at = frames::server_name_at(&hello, name).expect("it is there");
    let mut segments = vec![wrap.syn(FIRST - 1, &[])];
    segments.extend(frames::in_segments(
        wrap,
        FIRST,
        &hello,
        &[0, 40, name_at + 4],
    ));
    segments
}

fn engine_for(flows: u32) -> Offline<Listed> {
    engine::offline(
        &Options {
            flows,
            ..engine::one_bucket()
        },
        &[LISTED],
    )
}

fn engine() -> Offline<Listed> {
    engine_for(64)
}

/// Whatever goes on elsewhere, each place meets the verdicts that it meets alone.
#[test]
fn no_place_sees_what_goes_on_in_another() {
    let frames = [Wrap::v4(443), Wrap::v6(443)]
        .map(|wrap| [LISTED, "web.example.com"].map(|name| segments(&wrap, name)));
    // So many buckets that no two of these flows are in one, where a source has few places.
    let engines = RefCell::new((engine_for(1 << 15), PLACES.each_ref().map(|_| engine())));
    let steps = collection::vec((0..PLACES.len(), 0..2_usize, 0..4_usize), 1..120);
    let mut runner = TestRunner::new(Config::with_cases(500));
    runner
        .run(&(steps, 0..2_usize), |(steps, family)| {
            let (together, alone) = &mut *engines.borrow_mut();
            together.forget_flows();
            alone.iter_mut().for_each(Offline::forget_flows);
            for (place, name, segment) in steps {
                let Place { interface, around } = &PLACES[place];
                let frame = around(&frames[family][name][segment]);
                together.set_interface_index(*interface);
                prop_assert_eq!(together.decide(&frame), alone[place].decide(&frame));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_hello_is_joined_within_each_place() {
    for (place, Place { interface, around }) in PLACES.iter().enumerate() {
        let mut engine = engine();
        engine.set_interface_index(*interface);
        let frames: Vec<_> = segments(&Wrap::v4(443), LISTED)
            .iter()
            .map(|frame| around(frame))
            .collect();
        let reasons: Vec<_> = frames.iter().map(|frame| engine.decide(frame)).collect();
        let split = Reason::TlsHelloSplit;
        assert_eq!(
            reasons,
            [Reason::TcpOther, split, split, Reason::TlsBlocked],
            "{place}"
        );
    }
}

#[test]
fn a_priority_alone_is_no_vlan_and_changes_none() {
    let frames = segments(&Wrap::v4(443), LISTED);
    for (first, second) in [
        (frames[1].clone(), tagged(&frames[2], CUSTOMER, 0xe000)),
        (
            tagged(&frames[1], CUSTOMER, 5),
            tagged(&frames[2], CUSTOMER, 0x6005),
        ),
    ] {
        let mut engine = engine();
        assert_eq!(
            [&first, &second].map(|frame| engine.decide(frame)),
            [Reason::TlsHelloSplit; 2]
        );
    }
}

#[test]
fn events_say_in_which_vlan_and_tunnel_a_name_was() {
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let seen = |frame: &[u8]| {
        let mut engine = engine();
        assert_eq!(engine.decide(frame), Reason::DnsBlocked);
        let event = engine.take_events().remove(0);
        assert_eq!(event.question_type(), Some(1));
        (event.vlans().collect::<Vec<_>>(), event.tunnel())
    };
    assert_eq!(seen(&query), (vec![], None));
    assert_eq!(
        seen(&tagged(&tagged(&query, CUSTOMER, 5), PROVIDER, 0xe007)),
        (vec![7, 5], None)
    );
    assert_eq!(
        seen(&in_tunnel(Tunnel::Vxlan, &query)),
        (vec![], Some((TunnelKind::Vxlan, 5)))
    );
    assert_eq!(
        seen(&tagged(&in_tunnel(Tunnel::Vxlan, &query), CUSTOMER, 5)),
        (vec![5], Some((TunnelKind::Vxlan, 5)))
    );
    assert_eq!(
        seen(&in_tunnel(Tunnel::Ip, &query)),
        (vec![], Some((TunnelKind::Ip, 0)))
    );
    assert_eq!(
        seen(&in_tunnel(KEYED, &query)),
        (vec![], Some((TunnelKind::Gre, 9)))
    );
    assert_eq!(seen(&frames::in_pppoe(&query)), (vec![], None));
}

#[test]
fn events_say_who_asked_whom_for_what_and_why_it_was_blocked() {
    let query = frames::query(LISTED);
    let alias = frames::response_of(
        &["web.example.com"],
        &[("web.example.com", Data::Cname(LISTED))],
    );
    let hello = frames::client_hello("x.ads.example.com");
    for wrap in [Wrap::v4(53), Wrap::v6(53).vlan(1)] {
        let server = Wrap {
            from: 53,
            to: 40_000,
            ..wrap.clone()
        };
        for (frame, reason, name, record, over_tcp) in [
            (wrap.udp(&query), Reason::DnsBlocked, LISTED, None, false),
            (
                server.udp(&alias),
                Reason::DnsResponseBlocked,
                LISTED,
                Some(5),
                false,
            ),
            (
                wrap.tcp_at(FIRST, &frames::over_tcp(&query)),
                Reason::DnsBlocked,
                LISTED,
                None,
                true,
            ),
            (
                Wrap {
                    to: 443,
                    ..wrap.clone()
                }
                .tcp_at(FIRST, &hello),
                Reason::TlsBlocked,
                "x.ads.example.com",
                None,
                true,
            ),
        ] {
            let mut engine = engine();
            assert_eq!(engine.decide(&frame), reason);
            let events = engine.take_events();
            assert!(
                events.len() == 1 && engine.take_events().is_empty(),
                "{reason:?}"
            );
            let (event, packet) = (&events[0], frames::opened(&frame));
            assert_eq!(
                (event.source(), event.destination()),
                (packet.source, packet.destination)
            );
            assert_eq!(
                (event.reason(), event.record(), event.over_tcp()),
                (Some(reason), record, over_tcp)
            );
            assert_eq!(event.name().to_string(), name);
            assert_eq!(event.rule(), engine::key().rule_key(LISTED));
            assert_eq!(
                (event.sequence(), event.time()),
                (if over_tcp { FIRST } else { 0 }, 0)
            );
            assert_eq!(
                event.question_type(),
                (reason != Reason::TlsBlocked).then_some(1)
            );
        }
    }
}

#[test]
fn where_tunnels_are_ignored_nothing_in_them_is_judged() {
    use filter_core::{Directions, Interface};
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    let mut engine = engine().on(Interface::new(Directions::Both).ignoring_tunnels());
    assert_eq!(engine.decide(&query), Reason::DnsBlocked);
    assert_eq!(
        engine.decide(&in_tunnel(Tunnel::Vxlan, &query)),
        Reason::UdpOther
    );
    for tunnel in [Tunnel::Ip, KEYED, Tunnel::BridgedGre(0)] {
        assert_eq!(
            engine.decide(&in_tunnel(tunnel, &query)),
            Reason::OtherProtocol,
            "{tunnel:?}"
        );
    }
}
