use filter_core::Reason;
use frames::Wrap;

use super::*;

const UDP_LENGTH: usize = 14 + 20 + 4;
const DATA_OFFSET: usize = 14 + 20 + 12;

#[test]
fn datagrams_between_other_ports_pass_as_such() {
    for port in [0, 52, 54, 443, 5353, 5355, 53 + 256, 65_535] {
        assert_reason(
            &listed_query(&Wrap::v4(port)),
            Reason::UdpOther,
            &format!("port {port}"),
        );
    }
    for to in [40_000, 53] {
        assert_reason(
            &listed_query(&Wrap {
                from: 53,
                ..Wrap::v4(to)
            }),
            Reason::DnsBlocked,
            "from port 53",
        );
    }
}

#[test]
fn a_udp_length_shorter_than_its_header_is_malformed() {
    let query = listed_query(&Wrap::v4(53));
    for length in 1..8 {
        assert_reason(
            &with(&query, UDP_LENGTH, &[0, length]),
            Reason::HeadersMalformed,
            &format!("{length}"),
        );
    }
    assert_reason(
        &with(&query, UDP_LENGTH, &[0, 8]),
        Reason::DnsCut,
        "a header and nothing else",
    );
}

#[test]
fn a_udp_length_of_zero_or_beyond_the_packet_means_up_to_its_end() {
    for length in [[0, 0], [0xff, 0xff]] {
        assert_queries_are_judged("length", |query| {
            with(&Wrap::v4(53).udp(query), UDP_LENGTH, &length)
        });
    }
}

#[test]
fn a_udp_length_ends_the_message() {
    let query = frames::query_without_edns(LISTED);
    let frame = Wrap::v4(53).udp(&query);
    let length = |bytes: usize| u16::try_from(bytes + 8).unwrap().to_be_bytes();
    assert_reason(
        &with(&frame, UDP_LENGTH, &length(query.len() - 1)),
        Reason::DnsCut,
        "one less",
    );
    assert_reason(
        &with(&frame, UDP_LENGTH, &length(query.len())),
        Reason::DnsBlocked,
        "all",
    );
}

#[test]
fn a_tcp_header_of_less_than_five_words_is_malformed() {
    let frame = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    for words in 0..5_u8 {
        assert_reason(
            &with(&frame, DATA_OFFSET, &[words << 4]),
            Reason::HeadersMalformed,
            &format!("{words} words"),
        );
    }
    assert_reason(
        &with(&frame, DATA_OFFSET, &[5 << 4]),
        Reason::TlsBlocked,
        "five words",
    );
}

#[test]
fn tcp_options_of_every_length_do_not_hide_a_name() {
    for words in 6..=15_u8 {
        let options = vec![1; usize::from(words - 5) * 4];
        let wrap = |hello: &[u8]| {
            let frame = Wrap::v4(443).tcp(&[&options, hello].concat());
            with(&frame, DATA_OFFSET, &[words << 4])
        };
        assert_hellos_are_judged(&format!("{words} words"), wrap);
    }
}

#[test]
fn a_tcp_header_that_leads_out_of_the_packet_has_no_payload() {
    let frame = with(&Wrap::v4(443).tcp(&[]), DATA_OFFSET, &[15 << 4]);
    assert_reason(&frame, Reason::TcpOther, "60 bytes of header in 20");
}

#[test]
fn segments_without_a_hello_pass_as_such() {
    for payload in [
        &b""[..],
        b"GET / HTTP/1.1\r\nHost: ads.example.com\r\n\r\n",
        &[0; 1400],
    ] {
        assert_reason(&Wrap::v4(443).tcp(payload), Reason::TcpOther, "no hello");
    }
}
