use filter_core::Reason;
use frames::{Network, Wrap};

use super::*;

const VERSION_AND_WORDS: usize = 14;
const TOTAL_LENGTH: usize = 16;
const PROTOCOL: usize = 23;
const UDP: usize = 34;

#[test]
fn options_of_every_length_do_not_hide_a_name() {
    for words in 1..=10 {
        // No Operation (RFC 791 §3.1).
        let wrap = |port| Wrap {
            network: Network::V4(vec![1; words * 4]),
            ..Wrap::v4(port)
        };
        assert_queries_are_judged(&format!("{words} words"), |query| wrap(53).udp(query));
        assert_hellos_are_judged(&format!("{words} words"), |hello| wrap(443).tcp(hello));
    }
}

#[test]
fn a_header_that_contradicts_itself_is_malformed() {
    let query = listed_query(&Wrap::v4(53));
    for (what, at, bytes) in [
        (
            "version 6 under the EtherType of IPv4",
            VERSION_AND_WORDS,
            &[0x65][..],
        ),
        ("version 0", VERSION_AND_WORDS, &[0x05]),
        ("four words of header", VERSION_AND_WORDS, &[0x44]),
        ("no word of header", VERSION_AND_WORDS, &[0x40]),
        ("a packet shorter than its header", TOTAL_LENGTH, &[0, 19]),
    ] {
        assert_reason(&with(&query, at, bytes), Reason::HeadersMalformed, what);
    }
    assert_reason(
        &with(&query, VERSION_AND_WORDS, &[0x45]),
        Reason::DnsBlocked,
        "five words of version 4",
    );
}

#[test]
fn a_total_length_of_zero_means_up_to_the_end_of_the_frame() {
    assert_queries_are_judged("zero", |query| {
        with(&Wrap::v4(53).udp(query), TOTAL_LENGTH, &[0, 0])
    });
    assert_hellos_are_judged("zero", |hello| {
        with(&Wrap::v4(443).tcp(hello), TOTAL_LENGTH, &[0, 0])
    });
}

#[test]
fn a_total_length_beyond_the_frame_means_up_to_its_end() {
    assert_queries_are_judged("too long", |query| {
        with(&Wrap::v4(53).udp(query), TOTAL_LENGTH, &[0xff, 0xff])
    });
}

#[test]
fn what_follows_the_packet_is_padding_and_is_not_read() {
    let hello = frames::client_hello(LISTED);
    let mut frame = Wrap::v4(443).tcp(&[]);
    frame.extend(&hello);
    assert_reason(&frame, Reason::TcpOther, "a hello as padding");

    let frame = listed_query(&Wrap::v4(53));
    let name_ends = frame.len() - 20;
    let total = u16::try_from(name_ends - 14).unwrap().to_be_bytes();
    assert_reason(
        &with(&frame, TOTAL_LENGTH, &total),
        Reason::DnsCut,
        "half the question as padding",
    );
}

#[test]
fn padding_behind_a_short_packet_changes_nothing() {
    assert_queries_are_judged("padded", |query| {
        [&Wrap::v4(53).udp(query)[..], &[0xff; 40]].concat()
    });
    assert_hellos_are_judged("padded", |hello| {
        [&Wrap::v4(443).tcp(hello)[..], &[0xff; 40]].concat()
    });
}

#[test]
fn the_first_fragment_is_judged_and_later_ones_pass_as_such() {
    let query = listed_query(&Wrap::v4(53));
    for (what, offset, more) in [
        ("middle", 3, true),
        ("last", 185, false),
        ("far", 8191, false),
    ] {
        assert_reason(
            &frames::ipv4_fragment(&query, offset, more),
            Reason::Fragment,
            what,
        );
    }
    assert_queries_are_judged("first", |query| {
        frames::ipv4_fragment(&Wrap::v4(53).udp(query), 0, true)
    });
    assert_reason(
        &frames::ipv4_fragment(&query, 0, false),
        Reason::DnsBlocked,
        "all in one",
    );
    assert_reason(
        &with(&query, 20, &[0x40, 0]),
        Reason::DnsBlocked,
        "with don't-fragment",
    );
}

#[test]
fn other_protocols_pass_as_such() {
    let query = listed_query(&Wrap::v4(53));
    // ICMP, IGMP, ESP, SCTP, UDP-Lite.
    for protocol in [1, 2, 50, 132, 136] {
        assert_reason(
            &with(&query, PROTOCOL, &[protocol]),
            Reason::OtherProtocol,
            &format!("{protocol}"),
        );
    }
    assert_reason(&with(&query, PROTOCOL, &[17]), Reason::DnsBlocked, "UDP");
}

#[test]
fn a_frame_that_ends_in_its_headers_is_cut() {
    let query = listed_query(&Wrap::v4(53));
    for end in 14..UDP + 8 {
        assert_reason(&query[..end], Reason::HeadersCut, &format!("{end} bytes"));
    }
    assert_reason(&query[..UDP + 8], Reason::DnsCut, "no payload");
}

#[test]
fn each_bit_of_a_fragment_offset_makes_a_later_fragment_and_no_flag_does() {
    const FRAGMENT: usize = 20;
    let query = listed_query(&Wrap::v4(53));
    for bit in 0..16_u32 {
        let field = (1_u16 << bit).to_be_bytes();
        let expected = if bit < 13 {
            Reason::Fragment
        } else {
            Reason::DnsBlocked
        };
        assert_reason(
            &with(&query, FRAGMENT, &field),
            expected,
            &format!("bit {bit}"),
        );
    }
}
