use filter_core::Reason;
use frames::{Extension, Hello, Wrap};

use super::*;

const SPLIT: Reason = Reason::TlsHelloSplit;
/// Sequence number of the first octet of a hello.
const FIRST: u32 = 3_000;
/// What is held of a hello.
const HELD: usize = 4_608;

/// A listed name and its neighbour, and what becomes of their hellos.
const NAMES: [(&str, Reason); 2] = [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)];

/// A hello with these octets of padding, and its server name last.
fn padded_hello(name: &str, padding: usize) -> Vec<u8> {
    let mut hello = Hello::of(name);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    let server_name = hello.extensions_mut().remove(place);
    hello
        .extensions_mut()
        .extend([Extension::padding(padding), server_name]);
    hello.record()
}

/// Ranges of a payload: those between these cuts.
fn ranges(cuts: &[usize], len: usize) -> Vec<(usize, usize)> {
    let mut cuts = [&[0], cuts, &[len]].concat();
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|cut| (cut[0], cut[1]))
        .filter(|(from, to)| from < to)
        .collect()
}

/// What should become of these parts of a hello: it is split until all octets up to the end of its
/// name have come.
#[track_caller]
fn assert_judged_once_complete(
    parts: &[(usize, usize)],
    (hello, name_end): (&[u8], usize),
    whole: Reason,
    what: &str,
) {
    let wrap = Wrap::v4(443);
    let mut frames = vec![wrap.syn(FIRST - 1, &[])];
    frames.extend(
        parts
            .iter()
            .map(|(from, to)| frames::segment(&wrap, FIRST, hello, *from..*to)),
    );
    let complete = (1..=parts.len()).find(|count| {
        let has = |octet: usize| {
            parts[..*count]
                .iter()
                .any(|(from, to)| (*from..*to).contains(&octet))
        };
        (0..name_end).all(has)
    });
    let complete = complete.expect("parts that make up the name");
    let reasons = &reasons(&frames)[1..];
    assert_eq!(
        reasons[..complete - 1],
        vec![SPLIT; complete - 1],
        "{what}: {parts:?}"
    );
    assert_eq!(
        reasons[complete - 1],
        whole,
        "{what}: {parts:?}: {reasons:?}"
    );
    let behind = &reasons[complete..];
    assert!(
        behind
            .iter()
            .all(|reason| reason.is_blocked() == whole.is_blocked()),
        "{what}: {parts:?}: {reasons:?}"
    );
}

#[test]
fn a_hello_in_two_segments_is_judged_wherever_it_is_cut() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        for cut in 1..hello.len() {
            let (wrap, second) = if cut % 2 == 0 {
                (Wrap::v4(443), whole)
            } else {
                (Wrap::v6(2222), whole)
            };
            let segments = frames::in_segments(&wrap, FIRST, &hello, &[0, cut]);
            let first = if cut < name_end(&hello, name) {
                SPLIT
            } else {
                whole
            };
            let reasons = reasons(&segments);
            assert_eq!(reasons[0], first, "{name}: {cut}");
            if first == SPLIT {
                assert_eq!(reasons[1], second, "{name}: {cut}");
            } else {
                assert_eq!(
                    reasons[1].is_blocked(),
                    whole.is_blocked(),
                    "{name}: {cut}: {reasons:?}"
                );
            }
        }
    }
}

#[test]
fn a_hello_whose_second_segment_comes_first_is_judged_if_its_syn_was_seen() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        for cut in 1..hello.len() {
            let parts = [(cut, hello.len()), (0, cut)];
            assert_judged_once_complete(&parts, (&hello, name_end(&hello, name)), whole, name);
        }
        let cut = name_end(&hello, name) - 5;
        // Without the SYN, nothing says that something is missing before it.
        let segments = frames::in_segments(&Wrap::v4(443), FIRST, &hello, &[cut, 0]);
        assert_reasons(&segments, &[Reason::TcpOther, SPLIT], "no SYN");
    }
}

#[test]
fn a_hello_in_three_segments_is_judged_in_any_order() {
    let mut drawn = frames::Drawn(1);
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        for _ in 0..40 {
            let cuts = [
                1 + drawn.below(hello.len() - 1),
                1 + drawn.below(hello.len() - 1),
            ];
            let ranges = ranges(&cuts, hello.len());
            for order in [
                [0, 1, 2],
                [0, 2, 1],
                [1, 0, 2],
                [1, 2, 0],
                [2, 0, 1],
                [2, 1, 0],
            ] {
                let parts: Vec<_> = order
                    .iter()
                    .filter_map(|place| ranges.get(*place).copied())
                    .collect();
                assert_judged_once_complete(&parts, (&hello, name_end(&hello, name)), whole, name);
            }
        }
    }
}

#[test]
fn segments_that_overlap_are_joined() {
    let mut drawn = frames::Drawn(2);
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        for _ in 0..100 {
            let cut = 1 + drawn.below(hello.len() - 1);
            let (earlier, later) = (drawn.below(cut + 1), cut + drawn.below(hello.len() - cut));
            let parts = [(0, later), (earlier.max(1), hello.len())];
            assert_judged_once_complete(&parts, (&hello, name_end(&hello, name)), whole, name);
            let parts = [(earlier.max(1), hello.len()), (0, later)];
            assert_judged_once_complete(&parts, (&hello, name_end(&hello, name)), whole, name);
        }
    }
}

#[test]
fn segments_that_come_again_before_the_hello_is_complete_change_nothing() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        let len = hello.len();
        for parts in [
            &[(0, 50), (0, 50), (50, len)][..],
            &[(0, 50), (20, 40), (50, len)],
            &[(50, len), (50, len), (0, 50)],
            &[(50, 60), (70, len), (70, len), (0, 50), (70, len), (50, 70)],
            &[(30, 40), (50, len), (0, 30), (50, len), (40, 50)],
        ] {
            assert_judged_once_complete(parts, (&hello, name_end(&hello, name)), whole, name);
        }
    }
}

#[test]
fn a_hello_that_comes_octet_by_octet_is_judged() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        let parts: Vec<_> = (0..hello.len()).map(|octet| (octet, octet + 1)).collect();
        assert_judged_once_complete(&parts, (&hello, name_end(&hello, name)), whole, name);
        let segments: Vec<_> = parts
            .iter()
            .map(|(from, to)| frames::segment(&Wrap::v6(443), FIRST, &hello, *from..*to))
            .collect();
        assert_eq!(
            reasons(&segments)[name_end(&hello, name) - 1],
            whole,
            "{name}: without the SYN"
        );
    }
}

#[test]
fn sequence_numbers_may_wrap_around_within_a_hello() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        let cut = name_end(&hello, name) - 2;
        for before in 1..=hello.len() as u32 {
            let segments = frames::in_segments(
                &Wrap::v4(443),
                0_u32.wrapping_sub(before),
                &hello,
                &[0, cut],
            );
            assert_reasons(
                &segments,
                &[SPLIT, whole],
                &format!("{name}: {before} octets before 0"),
            );
            let syn = Wrap::v4(443).syn(0_u32.wrapping_sub(before + 1), &[]);
            let reversed = [syn, segments[1].clone(), segments[0].clone()];
            assert_reasons(
                &reversed,
                &[Reason::TcpOther, SPLIT, whole],
                &format!("{name}: {before}, reversed"),
            );
        }
    }
}

#[test]
fn records_of_any_size_are_joined() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        for octets in 1..hello.len() {
            let records = frames::in_records(&hello, octets);
            assert_reason(
                &Wrap::v4(443).tcp(&records),
                whole,
                &format!("{name}: records of {octets} in a segment"),
            );
            let starts: Vec<_> = (0..records.len()).step_by(100).collect();
            let reasons = reasons(&frames::in_segments(
                &Wrap::v4(443),
                FIRST,
                &records,
                &starts,
            ));
            let judged = reasons.iter().find(|reason| **reason != SPLIT);
            assert_eq!(
                judged,
                Some(&whole),
                "{name}: records of {octets} in segments: {reasons:?}"
            );
        }
    }
}

#[test]
fn a_hello_of_two_segments_with_its_name_last_is_judged() {
    for (name, whole) in NAMES {
        // As large as hellos with a post-quantum key share.
        let hello = padded_hello(name, 1_500);
        for segment in [1_200, 1_400, 1_460] {
            for parts in [
                [(0, segment), (segment, hello.len())],
                [(segment, hello.len()), (0, segment)],
            ] {
                assert_judged_once_complete(&parts, (&hello, hello.len()), whole, name);
            }
        }
    }
}

#[test]
fn a_name_within_what_is_held_is_judged_and_one_beyond_is_too_long() {
    for (name, whole) in NAMES {
        let without = padded_hello(name, 0).len();
        for (len, expected) in [
            (HELD - 1, whole),
            (HELD, whole),
            (HELD + 1, Reason::TlsHelloTooLong),
            (9_000, Reason::TlsHelloTooLong),
        ] {
            let hello = padded_hello(name, len - without);
            let starts: Vec<_> = (0..hello.len()).step_by(1_460).collect();
            let reasons = reasons(&frames::in_segments(&Wrap::v4(443), FIRST, &hello, &starts));
            assert_eq!(reasons[..3], [SPLIT; 3], "{name}: {len} octets");
            assert_eq!(reasons[3], expected, "{name}: {len} octets: {reasons:?}");
        }
        let hello = padded_hello(name, 9_000);
        assert_reason(&Wrap::v4(443).tcp(&hello), whole, "in one segment");
    }
}

#[test]
fn segments_whose_frames_are_padded_are_judged_as_any() {
    /// The shortest frame of Ethernet without its check sequence (IEEE 802.3 §4.2.3.3).
    const SHORTEST: usize = 60;
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        for cut in 1..10 {
            let mut segments = frames::in_segments(&Wrap::v4(443), FIRST, &hello, &[0, cut]);
            for frame in &mut segments {
                frame.resize(frame.len().max(SHORTEST), 0);
            }
            assert_reasons(&segments, &[SPLIT, whole], &format!("{name}: {cut}"));
        }
    }
}

#[test]
fn octets_of_a_hello_that_resemble_a_record_belong_to_it() {
    for (name, whole) in NAMES {
        let mut hello = Hello::of(name);
        // A record of type change_cipher_spec, and the start of a hello.
        hello.session_id = [
            &[20, 3, 3, 0, 1, 1][..],
            &[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3],
        ]
        .concat();
        let record = hello.record();
        // Record and handshake headers, version and random, and the length of the session id.
        let session_id = 5 + 4 + 2 + 32 + 1;
        for cut in [session_id, session_id + 6] {
            let parts = [(0, cut), (cut, record.len())];
            assert_judged_once_complete(&parts, (&record, name_end(&record, name)), whole, name);
            let parts = [(cut, record.len()), (0, cut)];
            assert_judged_once_complete(&parts, (&record, name_end(&record, name)), whole, name);
        }
    }
}

#[test]
fn a_hello_on_a_dns_port_is_judged_wherever_it_is_cut() {
    for (name, whole) in NAMES {
        let hello = frames::client_hello(name);
        assert_reason(&Wrap::v4(53).tcp(&hello), whole, "whole");
        for cut in 1..name_end(&hello, name) {
            let segments = frames::in_segments(&Wrap::v4(53), FIRST, &hello, &[0, cut]);
            let reasons = reasons(&segments);
            assert_eq!(reasons[1], whole, "{name}: {cut}: {reasons:?}");
        }
    }
}
