use filter_core::Reason;
use frames::Wrap;

use super::*;

const VERSION: usize = 14;
const PAYLOAD_LENGTH: usize = 18;
const NEXT_HEADER: usize = 20;
/// Hop-by-hop, routing, fragment, authentication, destination options, mobility, host identity,
/// shim6.
const EXTENSIONS: [u8; 8] = [0, 43, 44, 51, 60, 135, 139, 140];
const DESTINATION: u8 = 60;

#[test]
fn names_are_judged_behind_each_kind_of_extension_header() {
    for number in EXTENSIONS {
        let what = format!("extension header {number}");
        assert_queries_are_judged(&what, |query| {
            frames::behind_extensions(&Wrap::v6(53).udp(query), &[number])
        });
        assert_hellos_are_judged(&what, |hello| {
            frames::behind_extensions(&Wrap::v6(443).tcp(hello), &[number])
        });
    }
}

#[test]
fn names_are_judged_behind_all_kinds_at_once() {
    assert_queries_are_judged("all", |query| {
        frames::behind_extensions(&Wrap::v6(53).udp(query), &EXTENSIONS)
    });
    assert_hellos_are_judged("all", |hello| {
        frames::behind_extensions(&Wrap::v6(443).tcp(hello), &EXTENSIONS)
    });
}

#[test]
fn eight_extension_headers_are_followed_and_a_ninth_is_not() {
    let query = listed_query(&Wrap::v6(53));
    for headers in [0, 1, 7, 8] {
        let frame = frames::behind_extensions(&query, &vec![DESTINATION; headers]);
        assert_reason(&frame, Reason::DnsBlocked, &format!("{headers} headers"));
    }
    for headers in [9, 10, 30] {
        let frame = frames::behind_extensions(&query, &vec![DESTINATION; headers]);
        assert_reason(
            &frame,
            Reason::ExtensionHeaders,
            &format!("{headers} headers"),
        );
    }
}

#[test]
fn the_first_fragment_is_judged_and_later_ones_pass_as_such() {
    let query = listed_query(&Wrap::v6(53));
    for (what, offset, more) in [
        ("middle", 1, true),
        ("last", 181, false),
        ("far", 8191, false),
    ] {
        assert_reason(
            &frames::ipv6_fragment(&query, offset, more),
            Reason::Fragment,
            what,
        );
    }
    assert_queries_are_judged("first", |query| {
        frames::ipv6_fragment(&Wrap::v6(53).udp(query), 0, true)
    });
    assert_queries_are_judged("atomic", |query| {
        frames::ipv6_fragment(&Wrap::v6(53).udp(query), 0, false)
    });
}

#[test]
fn a_fragment_header_behind_others_is_found() {
    let fragment = frames::ipv6_fragment(&listed_query(&Wrap::v6(53)), 1, true);
    let frame = frames::behind_extensions(&fragment, &[0, DESTINATION]);
    assert_reason(&frame, Reason::Fragment, "behind two headers");
}

#[test]
fn other_protocols_pass_as_such() {
    let query = listed_query(&Wrap::v6(53));
    // ICMPv6, no next header, ESP.
    for protocol in [58, 59, 50] {
        assert_reason(
            &with(&query, NEXT_HEADER, &[protocol]),
            Reason::OtherProtocol,
            &format!("{protocol}"),
        );
    }
    let behind = frames::behind_extensions(&with(&query, NEXT_HEADER, &[58]), &[0]);
    assert_reason(
        &behind,
        Reason::OtherProtocol,
        "ICMPv6 behind hop-by-hop options",
    );
}

#[test]
fn a_header_of_another_version_is_malformed() {
    let query = listed_query(&Wrap::v6(53));
    assert_reason(
        &with(&query, VERSION, &[0x45]),
        Reason::HeadersMalformed,
        "version 4",
    );
    assert_reason(
        &with(&query, VERSION, &[0x60]),
        Reason::DnsBlocked,
        "version 6",
    );
}

#[test]
fn a_payload_length_of_zero_or_beyond_the_frame_means_up_to_its_end() {
    for length in [[0, 0], [0xff, 0xff]] {
        assert_queries_are_judged("length", |query| {
            with(&Wrap::v6(53).udp(query), PAYLOAD_LENGTH, &length)
        });
    }
}

#[test]
fn what_follows_the_packet_is_padding_and_is_not_read() {
    let mut frame = Wrap::v6(443).tcp(&[]);
    frame.extend(frames::client_hello(LISTED));
    assert_reason(&frame, Reason::TcpOther, "a hello as padding");
    assert_queries_are_judged("padded", |query| {
        [&Wrap::v6(53).udp(query)[..], &[0xff; 9]].concat()
    });
}

#[test]
fn a_frame_that_ends_in_its_headers_is_cut() {
    let query = frames::behind_extensions(&listed_query(&Wrap::v6(53)), &[0, 43, 51]);
    let payload = query.len() - frames::query(LISTED).len();
    for end in 14..payload {
        assert_reason(&query[..end], Reason::HeadersCut, &format!("{end} bytes"));
    }
    assert_reason(&query[..payload], Reason::DnsCut, "no payload");
}

#[test]
fn an_extension_header_that_leads_out_of_the_frame_is_cut() {
    let query = frames::behind_extensions(&listed_query(&Wrap::v6(53)), &[DESTINATION]);
    assert_reason(
        &with(&query, 55, &[0xff]),
        Reason::HeadersCut,
        "2,048 bytes long",
    );
    assert_reason(&query, Reason::DnsBlocked, "as it was");
}

#[test]
fn each_bit_of_a_fragment_offset_makes_a_later_fragment_and_no_other_bit_does() {
    let first = frames::ipv6_fragment(&listed_query(&Wrap::v6(53)), 0, true);
    // Behind Ethernet, the IPv6 header, and two octets of the fragment header (RFC 8200 §4.5).
    let field = 14 + 40 + 2;
    for bit in 0..16_u32 {
        let expected = if bit >= 3 {
            Reason::Fragment
        } else {
            Reason::DnsBlocked
        };
        assert_reason(
            &with(&first, field, &(1_u16 << bit).to_be_bytes()),
            expected,
            &format!("bit {bit}"),
        );
    }
}
