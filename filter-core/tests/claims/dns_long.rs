use filter_core::Reason;
use frames::{Data, Wrap, over_tcp};

use super::*;

const SPLIT: Reason = Reason::DnsSplit;
/// Sequence number of the first octet of a stream.
const FIRST: u32 = 5_000;
/// What an Ethernet of 1,500 octets lets a segment have.
const SEGMENT: usize = 1_460;

/// A response for a name, with so much text in it that it has more than `octets`; the target of an
/// alias is last.
fn long_response(octets: usize, asked: &str, target: &str) -> Vec<u8> {
    let answers = [
        (asked, Data::Text(octets / 200)),
        (asked, Data::Cname(target)),
    ];
    frames::response_of(&[asked], &answers)
}

fn query(name: &str) -> Vec<u8> {
    over_tcp(&frames::query(name))
}

fn server() -> Wrap {
    Wrap {
        from: 53,
        ..Wrap::v6(40_000)
    }
}

/// The payload in segments of so many octets.
fn in_pieces(payload: &[u8], octets: usize) -> Vec<Vec<u8>> {
    let starts: Vec<_> = (0..payload.len()).step_by(octets).collect();
    frames::in_segments(&server(), FIRST, payload, &starts)
}

#[test]
fn responses_over_tcp_are_judged_as_those_over_udp() {
    for (name, expected) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsResponseNotListed),
    ] {
        let stream = over_tcp(&long_response(3_000, "a.example.net", name));
        for octets in [1, 100, SEGMENT, 4_000] {
            let reasons = reasons(&in_pieces(&stream, octets));
            assert_eq!(
                reasons.last(),
                Some(&expected),
                "{name}: {octets} octets a segment"
            );
        }
    }
}

#[test]
fn a_long_message_in_one_segment_is_judged_to_its_end() {
    for (name, expected) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsResponseNotListed),
    ] {
        let stream = over_tcp(&long_response(20_000, "a.example.net", name));
        assert_reason(&server().tcp(&stream), expected, name);
    }
}

#[test]
fn what_is_held_of_a_message_is_judged_and_the_rest_goes_by() {
    /// What is held, with the two octets of the length.
    const HELD: usize = 4_608;
    for (asked, target, expected) in [
        (LISTED, OTHER, Reason::DnsResponseBlocked),
        (OTHER, "web.example.net", Reason::DnsCut),
        (OTHER, LISTED, Reason::DnsCut),
    ] {
        let stream = over_tcp(&long_response(6_000, asked, target));
        for octets in [100, 512, SEGMENT, 4_000] {
            let reasons = reasons(&in_pieces(&stream, octets));
            let complete = HELD.div_ceil(octets) - 1;
            assert_eq!(
                reasons[complete], expected,
                "{asked}, {target}: {octets} octets a segment: {reasons:?}"
            );
            let before = &reasons[..complete];
            assert!(
                before.iter().all(|reason| *reason == SPLIT),
                "{asked}, {target}: {octets}: {before:?}"
            );
        }
    }
}

#[test]
fn behind_a_message_that_goes_by_the_next_one_is_judged() {
    let mut wrong = Vec::new();
    for (name, expected) in [(LISTED, Reason::DnsBlocked), (OTHER, Reason::DnsNotListed)] {
        for long in [4_700, 6_000, 20_000, 60_000] {
            let long = over_tcp(&long_response(long, OTHER, "web.example.net"));
            let stream = [&long[..], &query(name)].concat();
            for octets in [100, 512, SEGMENT, 4_000, 5_000, 10_000] {
                let reasons = reasons(&in_pieces(&stream, octets));
                if reasons.last() != Some(&expected) {
                    wrong.push(format!(
                        "{name} behind {} octets, {octets} a segment",
                        long.len()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_long_message_whose_start_ends_a_segment_is_judged_by_what_is_held() {
    for (name, expected) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsCut),
    ] {
        let short = query(OTHER);
        let long = over_tcp(&long_response(6_000, name, "web.example.net"));
        let stream = [&short[..], &long].concat();
        let half = short.len() / 2;
        // The second segment has the end of the first message and more of the second than is held.
        let segments = frames::in_segments(&server(), FIRST, &stream, &[0, half, half + 5_200]);
        let reasons = reasons(&segments);
        assert!(reasons[1..].contains(&expected), "{name}: {reasons:?}");
    }
}
