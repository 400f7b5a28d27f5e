use filter_core::Reason;
use frames::{Tunnel, Wrap};

use super::{encapsulation::LINKS, *};

/// Both versions of IP, to whatever port.
fn both(port: u16) -> [Wrap; 2] {
    [Wrap::v4(port), Wrap::v6(port)]
}

const ETHERNET: usize = 14;
/// Where the payload of an IPv4 packet without options is.
const BEHIND_IPV4: usize = ETHERNET + 20;

#[test]
fn names_are_judged_in_every_tunnel_over_and_under_both_versions_of_ip() {
    for tunnel in Tunnel::all() {
        for (outer, inner) in both(0)
            .iter()
            .flat_map(|outer| both(0).map(|inner| (outer.clone(), inner)))
        {
            let what = format!("{tunnel:?}: {:?} in {:?}", inner.network, outer.network);
            let query = Wrap {
                to: 53,
                ..inner.clone()
            };
            let hello = Wrap { to: 443, ..inner };
            assert_queries_are_judged(&what, |bytes| tunnel.carry(&outer, &query.udp(bytes)));
            assert_hellos_are_judged(&what, |bytes| tunnel.carry(&outer, &hello.tcp(bytes)));
        }
    }
}

#[test]
fn names_are_judged_whatever_is_around_the_tunnel_and_around_the_frame_in_it() {
    for tunnel in [
        Tunnel::Ip,
        Tunnel::Gre(0),
        Tunnel::BridgedGre(0xb0),
        Tunnel::Vxlan,
        Tunnel::Pptp(0x90),
        Tunnel::L2tp(0x4a),
    ] {
        for (outside, around) in LINKS {
            let inner = if tunnel.carries_ethernet() {
                &LINKS[..]
            } else {
                &LINKS[..1]
            };
            for (inside, within) in inner {
                let what = format!("{inside} in {tunnel:?} in {outside}");
                let carried = |frame: Vec<u8>| around(&tunnel.carry(&Wrap::v4(0), &within(&frame)));
                assert_queries_are_judged(&what, |query| carried(Wrap::v4(53).udp(query)));
                assert_hellos_are_judged(&what, |hello| carried(Wrap::v6(443).tcp(hello)));
            }
        }
    }
}

#[test]
fn eight_extension_headers_are_followed_outside_of_a_tunnel_and_eight_more_inside() {
    for tunnel in Tunnel::all() {
        let carried = |outer: usize, inner: usize| {
            let inner = frames::behind_extensions(&listed_query(&Wrap::v6(53)), &vec![60; inner]);
            frames::behind_extensions(&tunnel.carry(&Wrap::v6(0), &inner), &vec![60; outer])
        };
        assert_reason(
            &carried(8, 8),
            Reason::DnsBlocked,
            &format!("{tunnel:?}: 8 and 8"),
        );
        assert_reason(
            &carried(9, 0),
            Reason::ExtensionHeaders,
            &format!("{tunnel:?}: 9 outside"),
        );
        assert_reason(
            &carried(0, 9),
            Reason::ExtensionHeaders,
            &format!("{tunnel:?}: 9 inside"),
        );
    }
}

#[test]
fn all_that_may_be_around_a_packet_at_once_is_looked_behind() {
    let (what, around) = LINKS[LINKS.len() - 1];
    for tunnel in [Tunnel::BridgedGre(0xb0), Tunnel::Vxlan] {
        let carried = |frame: Vec<u8>| {
            let inner = around(&frames::behind_extensions(&frame, &[60; 8]));
            around(&frames::behind_extensions(
                &tunnel.carry(&Wrap::v6(0), &inner),
                &[60; 8],
            ))
        };
        assert_queries_are_judged(what, |query| carried(Wrap::v6(53).udp(query)));
        assert_hellos_are_judged(what, |hello| carried(Wrap::v6(443).tcp(hello)));
    }
}

#[test]
fn a_tunnel_in_a_tunnel_is_not_looked_into() {
    for outer in Tunnel::all() {
        for inner in Tunnel::all() {
            let what = format!("{inner:?} in {outer:?}");
            let frame = inner.carry(&Wrap::v4(0), &listed_query(&Wrap::v4(53)));
            let expected = if inner.is_in_udp() {
                Reason::UdpOther
            } else {
                Reason::OtherProtocol
            };
            assert_reason(&outer.carry(&Wrap::v4(0), &frame), expected, &what);
            assert_reason(&frame, Reason::DnsBlocked, &format!("{inner:?} alone"));
        }
    }
}

#[test]
fn gre_of_another_version_or_with_routing_is_not_looked_into() {
    let frame = Tunnel::Gre(0).carry(&Wrap::v4(0), &listed_query(&Wrap::v4(53)));
    // The version is in the lowest three bits of the second octet (RFC 2784 §2.1).
    for version in 1..8 {
        assert_reason(
            &with(&frame, BEHIND_IPV4 + 1, &[version]),
            Reason::OtherProtocol,
            &format!("version {version}"),
        );
    }
    assert_reason(
        &with(&frame, BEHIND_IPV4, &[0x40]),
        Reason::OtherProtocol,
        "routing present",
    );
    assert_reason(&frame, Reason::DnsBlocked, "as it was");
}

#[test]
fn gre_that_carries_no_ip_passes_as_such() {
    let frame = Tunnel::Gre(0).carry(&Wrap::v4(0), &listed_query(&Wrap::v4(53)));
    // PPP, ERSPAN, ISO.
    for kind in [0x880b, 0x88be, 0x00fe_u16] {
        assert_reason(
            &with(&frame, BEHIND_IPV4 + 2, &kind.to_be_bytes()),
            Reason::NotIp,
            &format!("{kind:#x}"),
        );
    }
}

#[test]
fn bridged_ethernet_is_a_payload_of_gre_and_no_ethertype() {
    let query = listed_query(&Wrap::v4(53));
    let again = [&query[..12], &[0x65, 0x58], &query].concat();
    assert_reason(&again, Reason::NotIp, "in Ethernet");
    assert_reason(
        &frames::tagged(&again, &[0x8100]),
        Reason::NotIp,
        "in a VLAN",
    );
    for tunnel in [Tunnel::Vxlan, Tunnel::BridgedGre(0)] {
        assert_reason(
            &tunnel.carry(&Wrap::v4(0), &again),
            Reason::NotIp,
            &format!("{tunnel:?}"),
        );
        assert_reason(
            &tunnel.carry(&Wrap::v4(0), &query),
            Reason::DnsBlocked,
            &format!("{tunnel:?}, once"),
        );
    }
}

#[test]
fn vxlan_is_told_by_its_destination_port() {
    let frame = Tunnel::Vxlan.carry(&Wrap::v4(0), &listed_query(&Wrap::v4(53)));
    let ports = BEHIND_IPV4;
    assert_reason(&frame, Reason::DnsBlocked, "4789");
    assert_reason(
        &with(&frame, ports + 2, &8472_u16.to_be_bytes()),
        Reason::DnsBlocked,
        "8472, as of Linux",
    );
    for port in [4788, 4790, 8471, 8473_u16] {
        assert_reason(
            &with(&frame, ports + 2, &port.to_be_bytes()),
            Reason::UdpOther,
            &format!("{port}"),
        );
    }
    let reversed = with(&frame, ports, &[0x12, 0xb5, 0x9c, 0x40]);
    assert_reason(&reversed, Reason::UdpOther, "from port 4789");
}

#[test]
fn a_datagram_to_the_port_of_vxlan_is_none_without_its_flag_and_is_one_whatever_the_others_are() {
    const FLAGS: usize = BEHIND_IPV4 + 8;
    for inner in both(53) {
        let frame = Tunnel::Vxlan.carry(&Wrap::v4(0), &listed_query(&inner));
        for flags in [0x08, 0x88, 0xff] {
            assert_reason(
                &with(&frame, FLAGS, &[flags]),
                Reason::DnsBlocked,
                &format!("flags {flags:#x}"),
            );
        }
        for flags in [0, 0x80, 0xf7] {
            assert_reason(
                &with(&frame, FLAGS, &[flags]),
                Reason::UdpOther,
                &format!("flags {flags:#x}"),
            );
        }
    }
}

#[test]
fn fragments_of_a_tunnel_and_in_a_tunnel_are_judged_if_they_are_the_first() {
    for tunnel in Tunnel::all() {
        let what = format!("{tunnel:?}");
        for (offset, expected) in [(0, Reason::DnsBlocked), (1, Reason::Fragment)] {
            let inner = frames::ipv4_fragment(&listed_query(&Wrap::v4(53)), offset, true);
            assert_reason(&tunnel.carry(&Wrap::v6(0), &inner), expected, &what);
            let inner = frames::ipv6_fragment(&listed_query(&Wrap::v6(53)), offset, true);
            assert_reason(&tunnel.carry(&Wrap::v4(0), &inner), expected, &what);
            let outer = tunnel.carry(&Wrap::v4(0), &listed_query(&Wrap::v6(53)));
            assert_reason(
                &frames::ipv4_fragment(&outer, offset, true),
                expected,
                &what,
            );
        }
    }
}

#[test]
fn what_follows_the_outer_packet_is_padding_and_is_not_read() {
    const TOTAL_LENGTH: usize = 16;
    const UDP_LENGTH: usize = BEHIND_IPV4 + 4;
    for tunnel in Tunnel::all() {
        let frame = tunnel.carry(&Wrap::v4(0), &listed_query(&Wrap::v4(53)));
        let in_tunnel = frame.len() - listed_query(&Wrap::v4(53)).len();
        let headers = if tunnel.carries_ethernet() {
            in_tunnel
        } else {
            in_tunnel + ETHERNET
        };
        let total = u16::try_from(headers - ETHERNET).unwrap();
        let mut short = with(&frame, TOTAL_LENGTH, &total.to_be_bytes());
        if tunnel == Tunnel::Vxlan {
            short = with(&short, UDP_LENGTH, &(total - 20).to_be_bytes());
        }
        assert!(passes(&short), "{tunnel:?}: {:?}", judge(&short));
        assert!(!passes(&frame), "{tunnel:?}: as it was");
    }
}

#[test]
fn a_frame_that_ends_in_the_headers_of_a_tunnel_is_cut() {
    for tunnel in Tunnel::all() {
        let frame = tunnel.carry(&Wrap::v4(0), &listed_query(&Wrap::v4(53)));
        let payload = frame.len() - frames::query(LISTED).len();
        for end in 14..payload {
            assert_reason(
                &frame[..end],
                Reason::HeadersCut,
                &format!("{tunnel:?}: {end} bytes"),
            );
        }
    }
}

#[test]
fn a_hello_in_segments_in_a_tunnel_is_judged_as_one_without() {
    for tunnel in Tunnel::all() {
        for (name, expected) in [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)] {
            let hello = frames::client_hello(name);
            let cut = name_end(&hello, name) - 3;
            let segments = frames::in_segments(&Wrap::v6(443), 9, &hello, &[0, cut]);
            let carried: Vec<_> = segments
                .iter()
                .map(|segment| tunnel.carry(&Wrap::v4(0), segment))
                .collect();
            assert_reasons(
                &carried,
                &[Reason::TlsHelloSplit, expected],
                &format!("{tunnel:?}"),
            );
        }
    }
}

#[test]
fn of_enhanced_gre_and_l2tp_only_data_of_their_version_is_looked_into() {
    let inner = listed_query(&Wrap::v4(53));
    let pptp = Tunnel::Pptp(0).carry(&Wrap::v4(0), &inner);
    for (at, octet, what) in [
        (BEHIND_IPV4 + 1, 2, "version 2 of GRE"),
        (BEHIND_IPV4 + 2, 0x08, "another protocol"),
        (BEHIND_IPV4, 0x60, "routing"),
    ] {
        assert_reason(&with(&pptp, at, &[octet]), Reason::OtherProtocol, what);
    }
    let l2tp = Tunnel::L2tp(0).carry(&Wrap::v4(0), &inner);
    let header = BEHIND_IPV4 + 8;
    for (at, octet, what) in [
        (header, 0x80, "a control message"),
        (header + 1, 3, "version 3"),
        (header + 1, 1, "L2F"),
    ] {
        assert_reason(&with(&l2tp, at, &[octet]), Reason::UdpOther, what);
    }
    for protocol in [0xc021, 0x00fd, 0x8021_u16] {
        let other = with(&l2tp, header + 8, &protocol.to_be_bytes());
        assert_reason(&other, Reason::NotIp, &format!("PPP {protocol:#x}"));
    }
}

/// A frame in Geneve (RFC 8926 §3.4): version and length of the options, flags, and an `EtherType`.
fn in_geneve(first: u8, ether_type: [u8; 2], options: usize, inner: &[u8]) -> Vec<u8> {
    let header = [first, 0, ether_type[0], ether_type[1], 0, 0, 7, 0];
    Wrap::v4(6081).udp(&[&header[..], &vec![0xee; options], inner].concat())
}

#[test]
fn names_are_judged_in_geneve_however_long_its_options_are() {
    let query = listed_query(&Wrap::v4(53));
    for fours in [0, 1, 2, 3, 31, 32, 62, 63_u8] {
        let frame = in_geneve(fours, [0x65, 0x58], 4 * usize::from(fours), &query);
        assert_reason(
            &frame,
            Reason::DnsBlocked,
            &format!("{fours} times four octets"),
        );
        let packet = in_geneve(
            fours,
            [0x08, 0x00],
            4 * usize::from(fours),
            &query[ETHERNET..],
        );
        assert_reason(
            &packet,
            Reason::DnsBlocked,
            &format!("{fours} times four octets before IPv4"),
        );
    }
    for version in 1..=3 {
        let frame = in_geneve(version << 6, [0x65, 0x58], 0, &query);
        assert_reason(&frame, Reason::OtherProtocol, &format!("version {version}"));
    }
}

/// Octets of a frame with its tags behind Cisco metadata, whose layers are all taken off one by
/// one.
fn behind_metadata(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &[0x89, 0x09, 1, 1, 0, 1, 0, 42], &frame[12..]].concat()
}

#[test]
fn tags_and_labels_are_counted_anew_inside_of_a_tunnel() {
    let inner = frames::tagged(&listed_query(&Wrap::v4(53)), &[0x88a8, 0x8100]);
    let outer = Tunnel::BridgedGre(0).carry(&Wrap::v4(0), &inner);
    let outer = behind_metadata(&frames::tagged(&outer, &[0x88a8, 0x8100]));
    assert_reason(
        &outer,
        Reason::DnsBlocked,
        "two tags outside, and two inside",
    );
    let inner = frames::behind_labels(&listed_query(&Wrap::v4(53)), 3);
    let outer = frames::behind_labels(&Tunnel::BridgedGre(0).carry(&Wrap::v4(0), &inner), 3);
    assert_reason(
        &outer,
        Reason::DnsBlocked,
        "three labels outside, and three inside",
    );
    let tagged =
        |tags: &[u16]| behind_metadata(&frames::tagged(&listed_query(&Wrap::v4(53)), tags));
    assert_reason(&tagged(&[0x88a8, 0x8100]), Reason::DnsBlocked, "two tags");
    assert_reason(
        &tagged(&[0x88a8, 0x8100, 0x8100]),
        Reason::NotIp,
        "three tags",
    );
}
