use filter_core::Reason;
use frames::Wrap;

use super::*;

const SPLIT: Reason = Reason::TlsHelloSplit;
const SYN: u32 = 7_000;
/// A record of type `change_cipher_spec` (RFC 8446 appendix D.4, RFC 5246 §7.1).
const CHANGE_CIPHER_SPEC: [u8; 6] = [20, 3, 3, 0, 1, 1];

/// A listed name and its neighbour, and what becomes of their hellos.
const NAMES: [(&str, Reason); 2] = [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)];

fn wraps() -> [Wrap; 2] {
    [Wrap::v4(443), Wrap::v6(8443)]
}

#[test]
fn a_syn_alone_passes_as_any_segment() {
    for wrap in wraps() {
        assert_reason(&wrap.syn(SYN, &[]), Reason::TcpOther, "SYN");
        assert_reason(
            &wrap.syn(SYN, b"GET / HTTP/1.1\r\n"),
            Reason::TcpOther,
            "with something else",
        );
    }
}

#[test]
fn a_hello_in_a_syn_is_judged() {
    for wrap in wraps() {
        assert_hellos_are_judged("with the SYN", |hello| wrap.syn(SYN, hello));
    }
}

#[test]
fn a_hello_that_starts_in_a_syn_is_judged_wherever_it_is_cut() {
    for (name, expected) in NAMES {
        let hello = frames::client_hello(name);
        for cut in 1..name_end(&hello, name) {
            let frames = [
                Wrap::v4(443).syn(SYN, &hello[..cut]),
                Wrap::v4(443).tcp_at(SYN + 1 + cut as u32, &hello[cut..]),
            ];
            assert_reasons(&frames, &[SPLIT, expected], &format!("{name}: {cut}"));
        }
    }
}

#[test]
fn what_a_server_did_not_take_with_the_syn_is_judged_again() {
    for (name, expected) in NAMES {
        let hello = frames::client_hello(name);
        let wrap = Wrap::v6(443);
        let frames = [wrap.syn(SYN, &hello), wrap.tcp_at(SYN + 1, &hello)];
        assert_reasons(&frames, &[expected; 2], name);
        let cut = name_end(&hello, name) - 1;
        let frames = [wrap.syn(SYN, &hello[..cut]), wrap.tcp_at(SYN + 1, &hello)];
        assert_reasons(&frames, &[SPLIT, expected], name);
    }
}

#[test]
fn a_syn_that_is_sent_again_changes_nothing() {
    for (name, expected) in NAMES {
        let hello = frames::client_hello(name);
        let wrap = Wrap::v4(443);
        let (syn, other) = (wrap.syn(SYN, &[]), Reason::TcpOther);
        let cut = name_end(&hello, name) - 1;
        let [start, rest] = [
            wrap.tcp_at(SYN + 1, &hello[..cut]),
            wrap.tcp_at(SYN + 1 + cut as u32, &hello[cut..]),
        ];
        let before = [syn.clone(), syn.clone(), start.clone(), rest.clone()];
        assert_reasons(
            &before,
            &[other, other, SPLIT, expected],
            "before the hello",
        );
        let within = [syn.clone(), start, syn, rest];
        assert_reasons(
            &within,
            &[other, SPLIT, other, expected],
            "within the hello",
        );
    }
}

#[test]
fn a_hello_behind_a_change_of_cipher_is_judged() {
    for wrap in wraps() {
        assert_hellos_are_judged("behind a record", |hello| {
            wrap.tcp(&[&CHANGE_CIPHER_SPEC, hello].concat())
        });
    }
    let hello = frames::client_hello(LISTED);
    assert_reason(
        &Wrap::v4(443).tcp(&CHANGE_CIPHER_SPEC),
        Reason::TcpOther,
        "the record alone",
    );
    for (at, octet) in [(0, 21), (1, 2), (3, 1), (4, 2), (5, 2)] {
        let other = with(&[&CHANGE_CIPHER_SPEC[..], &hello].concat(), at, &[octet]);
        assert_reason(
            &Wrap::v4(443).tcp(&other),
            Reason::TcpOther,
            &format!("{octet} at {at}"),
        );
    }
}

#[test]
fn a_hello_behind_a_change_of_cipher_is_judged_wherever_it_is_cut() {
    for (name, expected) in NAMES {
        let stream = [&CHANGE_CIPHER_SPEC, &frames::client_hello(name)[..]].concat();
        for cut in CHANGE_CIPHER_SPEC.len() + 1..name_end(&stream, name) {
            let segments = frames::in_segments(&Wrap::v4(443), 99, &stream, &[0, cut]);
            assert_reasons(&segments, &[SPLIT, expected], &format!("{name}: {cut}"));
            let again = [&segments[..], &segments].concat();
            let again = reasons(&again);
            assert!(
                again[2..]
                    .iter()
                    .all(|reason| reason.is_blocked() == expected.is_blocked()),
                "{cut}: {again:?}"
            );
        }
    }
}

/// A handshake record without octets.
const EMPTY: [u8; 5] = [22, 3, 1, 0, 0];

#[test]
fn a_hello_behind_records_that_servers_read_over_is_judged_and_behind_more_it_is_counted() {
    for (name, expected) in NAMES {
        let hello = frames::client_hello(name);
        for record in [&EMPTY[..], &CHANGE_CIPHER_SPEC] {
            for (records, expected) in [
                (1, expected),
                (2, expected),
                (31, expected),
                (32, expected),
                (33, Reason::TlsBeyond),
            ] {
                let stream = [&record.repeat(records), &hello[..]].concat();
                for wrap in wraps() {
                    assert_reason(
                        &wrap.tcp(&stream),
                        expected,
                        &format!("{name} behind {records}"),
                    );
                }
            }
        }
        let both = [
            &EMPTY[..],
            &CHANGE_CIPHER_SPEC,
            &CHANGE_CIPHER_SPEC,
            &EMPTY,
            &hello,
        ]
        .concat();
        assert_reason(
            &Wrap::v4(443).tcp(&both),
            expected,
            &format!("{name} behind both"),
        );
    }
}

#[test]
fn a_hello_behind_records_of_their_own_segments_is_judged_wherever_they_are_cut() {
    let before = [&EMPTY[..], &CHANGE_CIPHER_SPEC, &EMPTY].concat();
    for (name, expected) in NAMES {
        let stream = [&before, &frames::client_hello(name)[..]].concat();
        for opens in [false, true] {
            for cut in 1..=before.len() + 12 {
                let segments = frames::in_segments(&Wrap::v4(443), SYN + 1, &stream, &[0, cut]);
                let syn = [Wrap::v4(443).syn(SYN, &[])];
                let frames = [if opens { &syn[..] } else { &[] }, &segments].concat();
                let reasons = reasons(&frames);
                assert_eq!(
                    reasons.last(),
                    Some(&expected),
                    "{name}, {cut}: {reasons:?}"
                );
            }
        }
        let each = [
            0,
            EMPTY.len(),
            EMPTY.len() + CHANGE_CIPHER_SPEC.len(),
            before.len(),
            before.len() + 40,
        ];
        let reasons = reasons(&frames::in_segments(&Wrap::v6(443), 99, &stream, &each));
        assert_eq!(reasons.last(), Some(&expected), "{name}, each: {reasons:?}");
    }
}

#[test]
fn a_hello_behind_records_whose_second_segment_comes_first_is_judged_if_its_syn_was_seen() {
    let befores = [
        EMPTY.to_vec(),
        CHANGE_CIPHER_SPEC.to_vec(),
        [&EMPTY[..], &CHANGE_CIPHER_SPEC, &EMPTY].concat(),
    ];
    for (name, expected) in NAMES {
        for before in &befores {
            let stream = [before, &frames::client_hello(name)[..]].concat();
            for cut in 1..name_end(&stream, name) {
                let wrap = if cut % 2 == 0 {
                    Wrap::v4(443)
                } else {
                    Wrap::v6(2222)
                };
                let segments = frames::in_segments(&wrap, SYN + 1, &stream, &[cut, 0]);
                let frames = [wrap.syn(SYN, &[]), segments[0].clone(), segments[1].clone()];
                let what = format!("{name} behind {} octets, {cut}", before.len());
                assert_reasons(&frames, &[Reason::TcpOther, SPLIT, expected], &what);
            }
        }
    }
}

#[test]
fn a_hello_whose_segments_change_places_behind_one_of_records_is_judged_if_its_syn_was_seen() {
    for (name, expected) in NAMES {
        for before in [EMPTY.repeat(32), CHANGE_CIPHER_SPEC.to_vec()] {
            let stream = [&before, &frames::client_hello(name)[..]].concat();
            let wrap = Wrap::v4(443);
            let behind = before.len();
            for cut in (behind + 1..name_end(&stream, name)).step_by(7) {
                // Also with the records sent again, in a segment of their own and with the start of
                // the hello.
                let segments = frames::in_segments(&wrap, SYN + 1, &stream, &[0, behind, cut]);
                let [records, start, rest] = [
                    segments[0].clone(),
                    segments[1].clone(),
                    segments[2].clone(),
                ];
                let both = frames::segment(&wrap, SYN + 1, &stream, 0..cut);
                let syn = wrap.syn(SYN, &[]);
                for order in [
                    vec![&records, &rest, &start],
                    vec![&records, &rest, &records, &start],
                    vec![&records, &rest, &both],
                    vec![&rest, &records, &start],
                    vec![&rest, &start, &records],
                ] {
                    let frames: Vec<_> = [&syn].into_iter().chain(order).cloned().collect();
                    let reasons = reasons(&frames);
                    let (last, before) = reasons[1..].split_last().unwrap();
                    assert_eq!(*last, expected, "{name}, {cut}: {reasons:?}");
                    assert!(
                        before.iter().all(|reason| *reason == SPLIT),
                        "{name}, {cut}: {reasons:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn empty_records_within_a_hello_hide_nothing() {
    for (name, expected) in NAMES {
        let hello = frames::client_hello(name);
        for octets in [1, 4, 60, 200] {
            let records = frames::in_records(&hello, octets);
            // Behind each record that is not the last.
            let with_empty: Vec<u8> = records
                .chunks(5 + octets)
                .flat_map(|record| [record, &EMPTY].concat())
                .collect();
            if with_empty.len() > 4_608 {
                continue;
            }
            assert_reason(
                &Wrap::v4(443).tcp(&with_empty),
                expected,
                &format!("{name}, records of {octets}"),
            );
            let cut = with_empty.len() / 3;
            let segments = frames::in_segments(&Wrap::v4(443), 99, &with_empty, &[0, cut]);
            assert_eq!(
                reasons(&segments).last(),
                Some(&expected),
                "{name}, records of {octets}, cut"
            );
        }
    }
}

#[test]
fn what_only_resembles_records_before_a_hello_is_no_start() {
    for (what, start) in [
        ("an alert", [21, 3, 1, 0, 0].as_slice()),
        ("data", &[23, 3, 1, 0, 0]),
        ("another version", &[22, 2, 1, 0, 0]),
        ("a change of two octets", &[20, 3, 3, 0, 2, 1, 1]),
        ("another change", &[20, 3, 3, 0, 1, 2]),
    ] {
        let stream = [start, &frames::client_hello(LISTED)].concat();
        assert_reason(&Wrap::v4(443).tcp(&stream), Reason::TcpOther, what);
    }
    // A start that could be one is held, and let go once it is none.
    let stream = [&[20, 3, 3, 0, 1, 9][..], &frames::client_hello(LISTED)].concat();
    let segments = frames::in_segments(&Wrap::v4(443), 99, &stream, &[0, 5, 30]);
    assert_reasons(
        &segments,
        &[SPLIT, Reason::TcpOther, Reason::TcpOther],
        "another change",
    );
}

#[test]
fn a_few_octets_are_held_if_they_may_be_the_start_of_a_hello_or_of_a_record_before_it() {
    // Type, major version, and type of the message; of the other record all but the minor version.
    for (record, told) in [
        (&frames::client_hello(LISTED)[..9], &[0, 1, 5][..]),
        (&CHANGE_CIPHER_SPEC[..5], &[0, 1, 3, 4]),
    ] {
        // Of fewer octets, nobody can tell what they are.
        for end in 3..=record.len() {
            assert_reason(
                &Wrap::v4(443).tcp(&record[..end]),
                SPLIT,
                &format!("{end} octets of {record:?}"),
            );
            for place in 0..end {
                let expected = if told.contains(&place) {
                    Reason::TcpOther
                } else {
                    SPLIT
                };
                let other = with(&record[..end], place, &[record[place] ^ 0x40]);
                assert_reason(&Wrap::v4(443).tcp(&other), expected, &format!("{other:?}"));
            }
        }
    }
}

#[test]
fn a_second_hello_of_a_connection_is_judged_as_the_first() {
    for (name, expected) in NAMES {
        let [first, second] = [frames::client_hello(OTHER), frames::client_hello(name)];
        let stream = [&first, &CHANGE_CIPHER_SPEC[..], &second].concat();
        let start = first.len();
        let cut = start + name_end(&stream[start..], name) - 4;
        let segments = frames::in_segments(&Wrap::v4(443), SYN + 1, &stream, &[0, start, cut]);
        assert_reasons(&segments, &[Reason::TlsNotListed, SPLIT, expected], name);
    }
}

#[test]
fn a_hello_in_the_form_of_ssl_2_passes_as_such() {
    for version in [[0, 2], [3, 0], [3, 1], [3, 3]] {
        for wrap in wraps() {
            assert_reason(
                &wrap.tcp(&frames::sslv2_hello(version)),
                Reason::TlsSslv2,
                &format!("{version:?}"),
            );
        }
    }
    let frames = [
        Wrap::v4(443).syn(999, &[]),
        Wrap::v4(443).tcp_at(1_000, &frames::sslv2_hello([3, 1])),
    ];
    assert_reasons(
        &frames,
        &[Reason::TcpOther, Reason::TlsSslv2],
        "behind a SYN",
    );
}

#[test]
fn what_only_resembles_a_hello_of_ssl_2_passes_as_any_segment() {
    let hello = frames::sslv2_hello([3, 1]);
    for (what, at, octets) in [
        ("a record with padding", 0, &[0x00][..]),
        ("another length", 1, &[hello[1] + 1]),
        ("another type", 2, &[4]),
        ("another version", 3, &[4]),
        ("version 1", 3, &[0, 1]),
        // Lengths whose sum is as before, and one whose is not.
        ("no cipher", 5, &[0, 0, 0, 0, 0, 22]),
        ("half a cipher", 5, &[0, 5, 0, 0, 0, 17]),
        ("a short challenge", 5, &[0, 6, 0, 1, 0, 15]),
        ("a session that is not there", 7, &[0, 1]),
    ] {
        assert_reason(
            &Wrap::v4(443).tcp(&with(&hello, at, octets)),
            Reason::TcpOther,
            what,
        );
    }
    assert_reason(
        &Wrap::v4(443).tcp(&hello[..10]),
        Reason::TcpOther,
        "its start",
    );
}

#[test]
fn what_is_behind_the_packet_completes_no_hello() {
    const TOTAL_LENGTH: usize = 16;
    let headers = 20 + 20;
    for hello in [frames::sslv2_hello([3, 1]), frames::client_hello(LISTED)] {
        let frame = Wrap::v4(443).tcp(&hello);
        for octets in 0..hello.len() {
            let total = u16::try_from(headers + octets).unwrap().to_be_bytes();
            let in_frame = judge(&with(&frame, TOTAL_LENGTH, &total)).reason;
            let alone = judge(&Wrap::v4(443).tcp(&hello[..octets])).reason;
            assert_eq!(in_frame, alone, "{octets} octets");
        }
    }
}
