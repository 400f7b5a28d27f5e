//! What is claimed of sources: who is one, and what one source may have of the table.

use std::ops::Range;

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, TcpAction, WAYS};
use frames::Wrap;

use super::{
    FIRST, LISTED, OTHER, SPLIT, count, engine::one_bucket, halves, name_end, of_clients, offline,
};

/// The most places that one source may have.
const OF_SOURCE: u32 = WAYS / 8;

#[test]
fn a_source_has_an_eighth_of_the_places_and_what_is_too_much_pushes_out_its_own() {
    let mut offline = offline(&one_bucket());
    let others = of_clients(WAYS - OF_SOURCE, LISTED);
    for [first, _] in &others {
        assert_eq!(offline.decide(first), SPLIT);
    }
    let flood: Vec<_> = (0..1000).map(|port| halves(1_024 + port, LISTED)).collect();
    for [first, _] in &flood {
        assert_eq!(offline.decide(first), SPLIT);
    }
    for (place, [_, rest]) in others.iter().enumerate() {
        assert_eq!(offline.decide(rest), Reason::TlsBlocked, "{place}");
    }
    let kept = flood
        .iter()
        .rev()
        .map(|[_, rest]| offline.decide(rest))
        .take_while(|reason| *reason == Reason::TlsBlocked);
    assert_eq!(kept.count() as u32, OF_SOURCE, "its latest");
}

#[test]
fn behind_a_router_a_network_is_one_source_and_among_clients_an_address_with_its_mac() {
    let clients = Interface::new(Directions::Both)
        .facing_clients(Actions::new(DnsAction::Drop, TcpAction::Drop));
    for (interface, evicted) in [
        (Interface::new(Directions::Both), 200 - OF_SOURCE),
        (clients, 200 - WAYS),
    ] {
        let mut offline = offline(&one_bucket()).on(interface);
        for host in 1..=200 {
            let [first, _] =
                halves(40_000, OTHER).map(|frame| frames::from_ipv4(&frame, [10, 0, 0, host]));
            assert_eq!(offline.decide(&first), SPLIT);
        }
        assert_eq!(count(&offline, Counter::FlowsEvicted), u64::from(evicted));
    }
}

/// Where the MAC address of the source is, its VLAN, and its IP address, in frames with one tag.
const MAC: Range<usize> = 6..12;
const VLAN: Range<usize> = 14..16;
const V4: Range<usize> = 30..34;
const V6: Range<usize> = 26..42;

/// The start of a hello from this port; `flipped` is a bit of it that is another.
fn start_of_hello(wrap: &Wrap, from: u16, flipped: Option<usize>) -> Vec<u8> {
    let wrap = Wrap {
        from,
        ..wrap.clone()
    }
    .vlan(1);
    let mut frame = frames::segment(&wrap, FIRST, &frames::client_hello(LISTED), 0..20);
    if let Some(bit) = flipped {
        frame[bit / 8] ^= 0x80 >> (bit % 8);
    }
    frame
}

#[test]
fn each_bit_that_tells_a_source_makes_another_one_and_no_other_bit_does() {
    let router = Interface::new(Directions::Both);
    let clients = router.facing_clients(Actions::new(DnsAction::Drop, TcpAction::Drop));
    let bits = |octets: Range<usize>| 8 * octets.start..8 * octets.end;
    for (wrap, addresses, prefix) in [(Wrap::v4(443), V4, 24), (Wrap::v6(443), V6, 64)] {
        let addresses = bits(addresses);
        let network = addresses.start..addresses.start + prefix;
        let vlan = bits(VLAN).start + 4..bits(VLAN).end;
        for (interface, told) in [
            (router, vec![network, vlan.clone()]),
            (clients, vec![bits(MAC), addresses.clone(), vlan]),
        ] {
            for bit in bits(MAC).chain(bits(VLAN)).chain(addresses.clone()) {
                let mut offline = offline(&one_bucket()).on(interface);
                for port in 0..OF_SOURCE as u16 {
                    assert_eq!(
                        offline.decide(&start_of_hello(&wrap, 40_000 + port, None)),
                        SPLIT
                    );
                }
                assert_eq!(
                    offline.decide(&start_of_hello(&wrap, 50_000, Some(bit))),
                    SPLIT
                );
                let is_another = told.iter().any(|bits| bits.contains(&bit));
                assert_eq!(
                    count(&offline, Counter::FlowsEvicted),
                    u64::from(!is_another),
                    "{:?}, bit {bit}",
                    wrap.network
                );
            }
        }
    }
}

#[test]
fn foreign_connections_do_not_push_out_where_a_first_octet_is_awaited() {
    let hello = frames::client_hello(LISTED);
    let at = name_end(&hello, LISTED) - 3;
    let wrap = Wrap::v4(443);
    for syns in [0, 1, 2_048] {
        let mut offline = offline(&one_bucket());
        offline.decide(&wrap.syn(FIRST - 1, &[]));
        for port in 0..syns {
            let syn = Wrap {
                from: 1_024 + port,
                ..Wrap::v4(443)
            }
            .syn(77, &[]);
            offline.decide(&frames::from_ipv4(&syn, [10, 0, 0, 9]));
        }
        // The second half of the hello comes first.
        assert_eq!(
            offline.decide(&frames::segment(&wrap, FIRST, &hello, at..hello.len())),
            SPLIT,
            "{syns}"
        );
        assert_eq!(
            offline.decide(&frames::segment(&wrap, FIRST, &hello, 0..at)),
            Reason::TlsBlocked,
            "{syns}"
        );
    }
}
