use filter_core::Reason;
use frames::{Hello, Wrap};

use super::*;

/// `ContentType`, major version of the record, `HandshakeType`, major version of the hello
/// (RFC 8446 §5.1, §4).
const MARKS: [usize; 4] = [0, 1, 5, 9];

fn send(record: &[u8]) -> Decided {
    let v4 = judge(&Wrap::v4(443).tcp(record));
    assert_eq!(judge(&Wrap::v6(443).tcp(record)), v4, "IPv6 as IPv4");
    v4
}

fn reason(record: &[u8]) -> Reason {
    send(record).reason
}

/// A hello whose server name is this text, which rustls might not send.
fn named(name: &str) -> Vec<u8> {
    Hello::of_names(&[(0, name)]).record()
}

#[test]
fn a_rule_blocks_its_name_and_what_is_below() {
    for name in [
        "ads.example.com",
        "x.ads.example.com",
        "a.b.c.ads.example.com",
        "tracker.example",
    ] {
        assert_eq!(
            send(&frames::client_hello(name)),
            Decided::of(Reason::TlsBlocked, name)
        );
    }
}

#[test]
fn a_rule_blocks_neither_parents_nor_siblings_nor_lookalikes() {
    for name in [
        "example.com",
        "web.example.com",
        "xads.example.com",
        "ads.example.com.example",
        "ads.example.org",
    ] {
        assert_eq!(
            send(&frames::client_hello(name)),
            Decided::of(Reason::TlsNotListed, name)
        );
    }
}

#[test]
fn upper_case_and_the_roots_dot_change_nothing() {
    for name in ["ADS.EXAMPLE.COM", "ads.example.com.", "X.Ads.Example.Com."] {
        assert_eq!(reason(&named(name)), Reason::TlsBlocked, "{name}");
    }
    assert_eq!(
        send(&named("ADS.example.com.")).name.as_deref(),
        Some(LISTED)
    );
    for name in ["WEB.EXAMPLE.COM", "web.example.com."] {
        assert_eq!(send(&named(name)), Decided::of(Reason::TlsNotListed, OTHER));
    }
}

#[test]
fn what_is_no_name_passes_as_such() {
    let label_of_64 = format!("{}.{LISTED}", "a".repeat(64));
    for name in [
        "",
        ".",
        "ads..example.com",
        ".ads.example.com",
        "ads.example.com..",
        &label_of_64,
    ] {
        assert_eq!(reason(&named(name)), Reason::TlsNameMalformed, "{name:?}");
    }
    assert_eq!(
        reason(&named(&format!("{}.{LISTED}", "a".repeat(63)))),
        Reason::TlsBlocked
    );
}

#[test]
fn names_of_253_octets_are_judged_and_longer_ones_are_none() {
    let name = |octets: usize| {
        let below = "a.".repeat(119);
        format!("{}{LISTED}", &below[below.len() + LISTED.len() - octets..])
    };
    assert_eq!(name(253).len(), 253);
    assert_eq!(reason(&named(&name(253))), Reason::TlsBlocked);
    assert_eq!(
        reason(&named(&format!("{}.", name(253)))),
        Reason::TlsBlocked,
        "with the root's dot"
    );
    for longer in [
        format!("a{}", name(253)),
        format!("aa{}", name(253)),
        format!("{}{}", "a.".repeat(400), LISTED),
    ] {
        assert_eq!(
            reason(&named(&longer)),
            Reason::TlsNameMalformed,
            "{} octets",
            longer.len()
        );
    }
}

#[test]
fn a_hello_is_told_by_its_content_on_any_port() {
    for port in [443, 8443, 12_345, 80, 53, 1, 65_535] {
        assert_hellos_are_judged(&format!("port {port}"), |hello| Wrap::v4(port).tcp(hello));
    }
}

#[test]
fn what_only_resembles_a_hello_is_not_judged() {
    let hello = frames::client_hello(LISTED);
    for at in MARKS {
        let mut other = hello.clone();
        other[at] += 1;
        assert_eq!(reason(&other), Reason::TcpOther, "octet {at}");
    }
    assert_eq!(reason(&hello), Reason::TlsBlocked);
}

#[test]
fn application_data_is_not_touched() {
    let hello = frames::client_hello(LISTED);
    assert_eq!(
        reason(&with(&hello, 0, &[23])),
        Reason::TcpOther,
        "type 23 around a hello"
    );
    assert_eq!(
        reason(&[&[23, 3, 3, 0x40, 0], &hello[..]].concat()),
        Reason::TcpOther,
        "a record before a hello"
    );
}

#[test]
fn minor_versions_do_not_matter() {
    for minor in [0, 1, 2, 3, 4, 255] {
        let hello = with(&frames::client_hello(LISTED), 2, &[minor]);
        assert_eq!(
            reason(&with(&hello, 10, &[minor])),
            Reason::TlsBlocked,
            "3.{minor}"
        );
    }
}

#[test]
fn session_ids_of_up_to_32_octets_are_skipped_and_longer_ones_are_malformed() {
    for (octets, expected) in [
        (0, Reason::TlsBlocked),
        (31, Reason::TlsBlocked),
        (32, Reason::TlsBlocked),
    ]
    .into_iter()
    .chain([(33, Reason::TlsMalformed), (255, Reason::TlsMalformed)])
    {
        let hello = Hello {
            session_id: vec![7; octets],
            ..Hello::of(LISTED)
        };
        assert_eq!(reason(&hello.record()), expected, "{octets} octets");
    }
}

#[test]
fn cipher_suites_and_compression_methods_of_any_number_are_skipped() {
    for suites in [0, 2, 200, 30_000] {
        for methods in [0, 1, 255] {
            let hello = |name| Hello {
                cipher_suites: vec![0x13; suites],
                compression_methods: vec![0; methods],
                ..Hello::of(name)
            };
            assert_eq!(
                reason(&hello(LISTED).record()),
                Reason::TlsBlocked,
                "{suites} and {methods}"
            );
            assert_eq!(
                reason(&hello(OTHER).record()),
                Reason::TlsNotListed,
                "{suites} and {methods}"
            );
        }
    }
}

#[test]
fn a_hello_without_a_server_name_passes_as_such() {
    assert_eq!(
        reason(&frames::client_hello_without_name()),
        Reason::TlsNoServerName
    );
    let none = Hello {
        extensions: None,
        ..Hello::of(LISTED)
    };
    assert_eq!(
        reason(&none.record()),
        Reason::TlsNoServerName,
        "not even the length of the extensions"
    );
    let empty = Hello {
        extensions: Some(Vec::new()),
        ..Hello::of(LISTED)
    };
    assert_eq!(
        reason(&empty.record()),
        Reason::TlsNoServerName,
        "an empty list of extensions"
    );
}

#[test]
fn what_follows_the_hello_in_its_segment_changes_nothing() {
    assert_hellos_are_judged("with early data", |hello| {
        Wrap::v4(443).tcp(&[hello, &[23, 3, 3, 0, 99], &[9; 99]].concat())
    });
}
