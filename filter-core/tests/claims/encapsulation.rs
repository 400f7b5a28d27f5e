use filter_core::Reason;
use frames::Wrap;

use super::*;

/// Puts something around the packet of an untagged frame.
type Around = fn(&[u8]) -> Vec<u8>;

/// What may stand around a packet that is in no tunnel, and in front of one that is.
pub(super) const LINKS: [(&str, Around); 12] = [
    ("nothing", |frame| frame.to_vec()),
    ("a tag", |frame| frames::tagged(frame, &[0x8100])),
    ("two tags", |frame| frames::tagged(frame, &[0x88a8, 0x8100])),
    ("LLC and SNAP", frames::in_snap),
    ("LLC and SNAP in two tags", |frame| {
        frames::tagged(&frames::in_snap(frame), &[0x88a8, 0x8100])
    }),
    ("PPPoE", frames::in_pppoe),
    ("a label", |frame| frames::behind_labels(frame, 1)),
    ("two labels", |frame| frames::behind_labels(frame, 2)),
    ("three labels", |frame| frames::behind_labels(frame, 3)),
    ("PPPoE in a tag", |frame| {
        frames::tagged(&frames::in_pppoe(frame), &[0x8100])
    }),
    ("a label in two tags", |frame| {
        frames::tagged(&frames::behind_labels(frame, 1), &[0x88a8, 0x8100])
    }),
    ("three labels in PPPoE in two tags", |frame| {
        frames::tagged(
            &frames::in_pppoe(&frames::behind_labels(frame, 3)),
            &[0x88a8, 0x8100],
        )
    }),
];

const ETHERNET: usize = 14;
/// Version and type, code, session, length, protocol of PPP.
const PPPOE: usize = 8;

#[test]
fn names_are_judged_behind_whatever_a_link_puts_around_them() {
    for (what, around) in LINKS {
        assert_queries_are_judged(what, |query| around(&Wrap::v4(53).udp(query)));
        assert_queries_are_judged(what, |query| around(&Wrap::v6(53).udp(query)));
        assert_hellos_are_judged(what, |hello| around(&Wrap::v4(443).tcp(hello)));
        assert_hellos_are_judged(what, |hello| around(&Wrap::v6(443).tcp(hello)));
    }
}

#[test]
fn options_and_extension_headers_hide_nothing_behind_whatever_is_around_them() {
    for (what, around) in LINKS {
        let v4 = Wrap {
            network: frames::Network::V4(vec![1; 40]),
            ..Wrap::v4(53)
        };
        assert_queries_are_judged(what, |query| around(&v4.udp(query)));
        let extended = |frame: Vec<u8>| around(&frames::behind_extensions(&frame, &[60; 8]));
        assert_queries_are_judged(what, |query| extended(Wrap::v6(53).udp(query)));
        assert_hellos_are_judged(what, |hello| extended(Wrap::v6(443).tcp(hello)));
        let ninth = around(&frames::behind_extensions(
            &listed_query(&Wrap::v6(53)),
            &[60; 9],
        ));
        assert_reason(&ninth, Reason::ExtensionHeaders, what);
    }
}

#[test]
fn fragments_behind_whatever_is_around_them_are_judged_if_they_are_the_first() {
    for (what, around) in LINKS {
        for (offset, expected) in [(0, Reason::DnsBlocked), (1, Reason::Fragment)] {
            let v4 = frames::ipv4_fragment(&listed_query(&Wrap::v4(53)), offset, true);
            assert_reason(&around(&v4), expected, what);
            let v6 = frames::ipv6_fragment(&listed_query(&Wrap::v6(53)), offset, true);
            assert_reason(&around(&v6), expected, what);
        }
    }
}

#[test]
fn three_labels_are_looked_behind_and_a_fourth_is_not() {
    let query = listed_query(&Wrap::v4(53));
    for labels in 1..=3 {
        assert_reason(
            &frames::behind_labels(&query, labels),
            Reason::DnsBlocked,
            &format!("{labels} labels"),
        );
    }
    for labels in [4, 5, 50] {
        assert_reason(
            &frames::behind_labels(&query, labels),
            Reason::NotIp,
            &format!("{labels} labels"),
        );
    }
}

#[test]
fn behind_the_last_label_is_ip_of_the_version_that_it_says_or_nothing() {
    let frame = frames::behind_labels(&listed_query(&Wrap::v4(53)), 2);
    let version = ETHERNET + 8;
    assert_reason(&frame, Reason::DnsBlocked, "as it was");
    // A control word (RFC 4385 §3), and what no version of IP is.
    for octet in [0x00, 0x10, 0x55, 0xf5] {
        assert_reason(
            &with(&frame, version, &[octet]),
            Reason::NotIp,
            &format!("{octet:#x}"),
        );
    }
    assert!(
        passes(&with(&frame, version, &[0x65])),
        "IPv4 under the version of IPv6"
    );
}

#[test]
fn labels_of_multicast_are_looked_behind_as_well() {
    assert_queries_are_judged("multicast", |query| {
        with(
            &frames::behind_labels(&Wrap::v4(53).udp(query), 2),
            ETHERNET - 2,
            &[0x88, 0x48],
        )
    });
}

#[test]
fn llc_without_snap_passes_as_such() {
    let frame = frames::in_snap(&listed_query(&Wrap::v4(53)));
    for (at, octets, what) in [
        (ETHERNET, &[0x42, 0x42][..], "a spanning tree"),
        (ETHERNET + 2, &[0xf3], "another control field"),
        (ETHERNET + 3, &[0, 0, 0x0c], "Cisco's protocols"),
        (ETHERNET + 6, &[0, 100], "a length again"),
        (
            ETHERNET - 2,
            &[0x05, 0xdd],
            "neither a length nor an EtherType",
        ),
    ] {
        assert_reason(&with(&frame, at, octets), Reason::NotIp, what);
    }
    assert_reason(
        &with(&frame, ETHERNET - 2, &[0x05, 0xdc]),
        Reason::DnsBlocked,
        "the largest length",
    );
}

#[test]
fn pppoe_that_carries_no_ip_passes_as_such() {
    let frame = frames::in_pppoe(&listed_query(&Wrap::v4(53)));
    let protocol = ETHERNET + PPPOE - 2;
    // LCP, PAP, IPCP, IPv6CP, and compressed headers.
    for number in [0xc021, 0xc023, 0x8021, 0x8057, 0x002d_u16] {
        assert_reason(
            &with(&frame, protocol, &number.to_be_bytes()),
            Reason::NotIp,
            &format!("{number:#x}"),
        );
    }
    assert_reason(
        &with(&frame, protocol, &[0x00, 0x21]),
        Reason::DnsBlocked,
        "IPv4",
    );
}

#[test]
fn pppoe_that_is_no_session_passes_as_such() {
    let frame = frames::in_pppoe(&listed_query(&Wrap::v4(53)));
    assert_reason(
        &with(&frame, ETHERNET - 2, &[0x88, 0x63]),
        Reason::NotIp,
        "discovery",
    );
    assert_reason(
        &with(&frame, ETHERNET, &[0x12]),
        Reason::NotIp,
        "another version",
    );
    for code in [0x09, 0x07, 0x19, 0x65, 0xa7] {
        assert_reason(
            &with(&frame, ETHERNET + 1, &[code]),
            Reason::NotIp,
            &format!("code {code:#x}"),
        );
    }
    assert_reason(&frame, Reason::DnsBlocked, "as it was");
}

#[test]
fn a_frame_that_ends_in_what_is_around_the_packet_is_cut() {
    for (what, around) in LINKS {
        let frame = around(&listed_query(&Wrap::v4(53)));
        let payload = frame.len() - frames::query(LISTED).len();
        for end in 14..payload {
            assert_reason(
                &frame[..end],
                Reason::HeadersCut,
                &format!("{what}: {end} bytes"),
            );
        }
        assert_reason(&frame, Reason::DnsBlocked, what);
    }
}

#[test]
fn padding_behind_what_is_around_a_packet_changes_nothing() {
    for (what, around) in LINKS {
        let padded = |frame: Vec<u8>| [&around(&frame)[..], &[0xff; 40]].concat();
        assert_queries_are_judged(what, |query| padded(Wrap::v4(53).udp(query)));
        let hello = [
            around(&Wrap::v6(443).tcp(&[])),
            frames::client_hello(LISTED),
        ]
        .concat();
        assert_reason(&hello, Reason::TcpOther, "a hello as padding");
    }
}
