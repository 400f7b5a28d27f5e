use filter_core::Reason;
use frames::{Wrap, over_tcp};

use super::*;

const BLOCKED: Reason = Reason::DnsBlocked;
const NOT_LISTED: Reason = Reason::DnsNotListed;
const SPLIT: Reason = Reason::DnsSplit;
/// Sequence number of the first octet of a stream.
const FIRST: u32 = 5_000;
/// What an Ethernet of 1,500 octets lets a segment have.
const SEGMENT: usize = 1_460;

/// Queries for these names, as a stream.
fn queries(names: &[&str]) -> Vec<u8> {
    names
        .iter()
        .flat_map(|name| over_tcp(&frames::query(name)))
        .collect()
}

fn client() -> Wrap {
    Wrap::v4(53)
}

fn server() -> Wrap {
    Wrap {
        from: 53,
        ..Wrap::v6(40_000)
    }
}

/// The payload in segments of so many octets.
fn in_pieces(wrap: &Wrap, payload: &[u8], octets: usize) -> Vec<Vec<u8>> {
    let starts: Vec<_> = (0..payload.len()).step_by(octets).collect();
    frames::in_segments(wrap, FIRST, payload, &starts)
}

#[test]
fn a_message_over_tcp_is_judged_from_and_to_a_dns_port() {
    for wrap in [
        client(),
        server(),
        Wrap {
            from: 53,
            ..Wrap::v4(53)
        },
    ] {
        assert_queries_are_judged("TCP", |query| wrap.tcp(&over_tcp(query)));
    }
    assert_reason(
        &Wrap::v4(54).tcp(&queries(&[LISTED])),
        Reason::TcpOther,
        "port 54",
    );
}

#[test]
fn every_message_of_a_segment_is_judged() {
    for messages in [1, 2, 5, 20] {
        for place in 0..messages {
            let mut names = vec![OTHER; messages];
            names[place] = LISTED;
            assert_reason(
                &client().tcp(&queries(&names)),
                BLOCKED,
                &format!("{place} of {messages}"),
            );
        }
        assert_reason(
            &client().tcp(&queries(&vec![OTHER; messages])),
            NOT_LISTED,
            &format!("{messages}"),
        );
    }
}

#[test]
fn a_message_is_judged_however_many_come_before_it_in_its_segment_at_once_or_when_it_is_sent_again()
{
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        for before in [40, 55, 70, 100, 127, 128, 129, 255, 256, 300, 2_000] {
            let segment = client().tcp(&queries(&[&vec!["."; before][..], &[name]].concat()));
            let reasons = reasons(&vec![segment; 40]);
            let dropped = reasons
                .iter()
                .take_while(|reason| **reason == Reason::DnsBeyondDropped)
                .count();
            assert_eq!(
                reasons[dropped], expected,
                "{name} behind {before}: {reasons:?}"
            );
            assert_eq!(
                dropped > 0,
                before > 70,
                "{name} behind {before}: {reasons:?}"
            );
        }
    }
}

#[test]
fn responses_that_take_too_much_work_pass_and_the_stream_goes_on_behind_them() {
    let responses = |names: &[&str]| -> Vec<u8> {
        names
            .iter()
            .flat_map(|name| over_tcp(&frames::response(name)))
            .collect()
    };
    let stream = responses(&[&vec!["."; 400][..], &[LISTED], &[LISTED]].concat());
    let last = over_tcp(&frames::response(LISTED)).len();
    let segment = |from, to| frames::segment(&server(), FIRST, &stream, from..to);
    let frames = [
        segment(0, stream.len() - last),
        segment(stream.len() - last, stream.len()),
    ];
    assert_reasons(
        &frames,
        &[Reason::DnsBeyond, Reason::DnsResponseBlocked],
        "the last one in its own segment",
    );
}

#[test]
fn messages_without_octets_hide_none_however_many_are_held() {
    for empty in [1, 241, 242, 243, 300, 700] {
        let stream = [vec![0; 2 * empty], queries(&[LISTED])].concat();
        let segments = frames::in_segments(&client(), FIRST, &stream, &[0, 1]);
        assert_reasons(&segments, &[SPLIT, BLOCKED], &format!("{empty} empty ones"));
    }
}

#[test]
fn a_stream_that_is_joined_within_a_message_is_judged_from_the_next_segment_that_starts_with_one() {
    for (what, tail) in [
        (
            "text",
            &b"the end of something, with lengths that lead far away"[..],
        ),
        ("a short length", &[0, 16, 7, 7, 7][..]),
        (
            "a length, and a message of less than a header",
            &[0, 3, 1, 2, 3, 9],
        ),
        ("zeros, and one more", &[0; 401]),
        ("an octet of a keep-alive", &[0]),
    ] {
        for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
            let stream = [tail, &queries(&[OTHER, name])].concat();
            let (first, second) = (tail.len(), tail.len() + queries(&[OTHER]).len());
            let segments = frames::in_segments(&client(), FIRST, &stream, &[0, first, second]);
            let reasons = reasons(&segments);
            assert_eq!(reasons[1..], [NOT_LISTED, expected], "{what}, {name}");
            // The first one in two segments.
            let cut = first + 20;
            let reasons = super::reasons(&frames::in_segments(
                &client(),
                FIRST,
                &stream,
                &[0, first, cut, second],
            ));
            assert_eq!(reasons[2..], [NOT_LISTED, expected], "{what}, {name}, cut");
        }
    }
}

#[test]
fn a_message_that_comes_before_the_rest_of_the_one_before_it_does_not_hide_that() {
    let stream = queries(&[LISTED, OTHER]);
    let second = stream.len() / 2;
    let segments = frames::in_segments(&client(), FIRST, &stream, &[0, second, 20]);
    assert_eq!(reasons(&segments)[2], BLOCKED);
}

/// Whoever chooses octets could otherwise have a stream begin anew in the middle of a name that is
/// listed.
#[test]
fn a_stream_whose_start_is_known_is_not_joined_again() {
    let decoy = queries(&[OTHER]);
    // A message whose first segment ends where octets start that look like another message.
    let message = over_tcp(&[&frames::query(LISTED)[..14], &decoy].concat());
    let segments = frames::in_segments(&client(), FIRST, &message, &[0, 16]);
    let joined = reasons(&segments);
    assert_eq!(
        joined[1], NOT_LISTED,
        "without a SYN the decoy is a message"
    );
    let opened = reasons(&[&[client().syn(FIRST - 1, &[])], &segments[..]].concat());
    assert_ne!(
        opened[2], NOT_LISTED,
        "the decoy is no message of this stream"
    );
}

#[test]
fn a_message_in_two_segments_is_judged_wherever_it_is_cut() {
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        let stream = queries(&[name]);
        for cut in 1..stream.len() {
            let segments = frames::in_segments(&client(), FIRST, &stream, &[0, cut]);
            assert_reasons(&segments, &[SPLIT, expected], &format!("{name}: {cut}"));
        }
    }
}

#[test]
fn a_message_is_judged_that_comes_octet_by_octet() {
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        let stream = queries(&[name]);
        let reasons = reasons(&in_pieces(&server(), &stream, 1));
        let (last, before) = reasons.split_last().unwrap();
        assert_eq!(*last, expected, "{name}");
        assert!(
            before.iter().all(|reason| *reason == SPLIT),
            "{name}: {before:?}"
        );
    }
}

#[test]
fn messages_that_are_cut_anywhere_are_each_judged() {
    let names = [OTHER, OTHER, LISTED, OTHER];
    let stream = queries(&names);
    let message = stream.len() / names.len();
    for octets in 1..stream.len() {
        let reasons = reasons(&in_pieces(&client(), &stream, octets));
        let complete = (3 * message).div_ceil(octets) - 1;
        assert!(
            reasons[..complete]
                .iter()
                .all(|reason| [SPLIT, NOT_LISTED].contains(reason)),
            "{octets}: {reasons:?}"
        );
        assert_eq!(reasons[complete], BLOCKED, "{octets} octets");
    }
}

#[test]
fn a_message_behind_whole_ones_is_judged_once_it_is_complete() {
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        let stream = queries(&[OTHER, name]);
        let message = stream.len() / 2;
        for cut in message + 1..stream.len() {
            let segments = frames::in_segments(&client(), FIRST, &stream, &[0, cut]);
            assert_reasons(
                &segments,
                &[NOT_LISTED, expected],
                &format!("{name}: {}", cut - message),
            );
        }
    }
}

#[test]
fn segments_may_come_in_any_order_after_the_syn() {
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        let stream = queries(&[name]);
        for (first, second) in [(1, 2), (1, 20), (2, 14), (14, 20), (20, 21)] {
            for order in [
                [0, 1, 2],
                [0, 2, 1],
                [1, 0, 2],
                [1, 2, 0],
                [2, 0, 1],
                [2, 1, 0],
            ] {
                let starts = order.map(|place| [0, first, second][place]);
                let segments = frames::in_segments(&client(), FIRST, &stream, &starts);
                let frames = [&[client().syn(FIRST - 1, &[])], &segments[..]].concat();
                let what = format!("{name}: {starts:?}");
                assert_reasons(&frames, &[Reason::TcpOther, SPLIT, SPLIT, expected], &what);
            }
        }
    }
}

#[test]
fn a_later_message_may_come_in_any_order_as_well() {
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        let stream = queries(&[OTHER, name]);
        let message = stream.len() / 2;
        let segments = frames::in_segments(&client(), FIRST, &stream, &[0, message + 20, message]);
        let frames = [&[client().syn(FIRST - 1, &[])], &segments[..]].concat();
        let reasons = reasons(&frames);
        assert_eq!(reasons[1], NOT_LISTED, "the first message");
        assert_eq!(reasons[3], expected, "{name}: {reasons:?}");
    }
}

#[test]
fn segments_that_overlap_are_joined() {
    for (name, expected) in [(LISTED, BLOCKED), (OTHER, NOT_LISTED)] {
        let stream = queries(&[name]);
        let segment = |from, to| frames::segment(&client(), FIRST, &stream, from..to);
        for overlap in 1..20 {
            let frames = [segment(0, 20), segment(20 - overlap, stream.len())];
            assert_reasons(
                &frames,
                &[SPLIT, expected],
                &format!("{name}: {overlap} octets twice"),
            );
            let frames = [
                segment(0, 20),
                segment(20 - overlap, 20),
                segment(20, stream.len()),
            ];
            assert_reasons(
                &frames,
                &[SPLIT, SPLIT, expected],
                &format!("{name}: {overlap} octets again"),
            );
        }
    }
}

#[test]
fn every_segment_of_a_blocked_message_is_dropped_when_it_is_sent_again() {
    let stream = queries(&[LISTED]);
    let segment = |from, to| frames::segment(&client(), FIRST, &stream, from..to);
    for (from, to) in [
        (0, 20),
        (20, stream.len()),
        (0, stream.len()),
        (0, 1),
        (10, 30),
    ] {
        let frames = [segment(0, 20), segment(20, stream.len()), segment(from, to)];
        assert_reasons(
            &frames,
            &[SPLIT, BLOCKED, BLOCKED],
            &format!("{from} to {to} again"),
        );
    }
    let other = queries(&[OTHER]);
    let segment = |from, to| frames::segment(&client(), FIRST, &other, from..to);
    let frames = [
        segment(0, 20),
        segment(20, other.len()),
        segment(20, other.len()),
    ];
    assert!(
        judge_all(&frames)
            .iter()
            .all(|decided| !decided.reason.is_blocked())
    );
}

#[test]
fn a_blocked_message_stays_blocked_whatever_came_behind_it() {
    let stream = queries(&[LISTED, OTHER]);
    let message = stream.len() / 2;
    let segment = |from, to| frames::segment(&client(), FIRST, &stream, from..to);
    let blocked = segment(0, message);
    for (what, behind) in [
        ("a whole message", segment(message, stream.len())),
        ("the start of one", segment(message, message + 20)),
        ("the end of one", segment(message + 20, stream.len())),
        ("a single octet", segment(message, message + 1)),
    ] {
        let reasons = reasons(&[blocked.clone(), behind, blocked.clone()]);
        assert_eq!([reasons[0], reasons[2]], [BLOCKED; 2], "{what}");
    }
}

#[test]
fn a_message_of_several_segments_stays_blocked_though_what_follows_is_far_ahead() {
    let stream = [queries(&[LISTED]), vec![0xff; 20_000]].concat();
    let segment = |from, to| frames::segment(&client(), FIRST, &stream, from..to);
    let message = queries(&[LISTED]).len();
    for ahead in [0, 100, SEGMENT, 4_000, 4_700, 10_000] {
        let far = segment(message + ahead, message + ahead + 100);
        let frames = [
            segment(0, 20),
            segment(20, message),
            far,
            segment(0, 20),
            segment(20, message),
        ];
        let reasons = reasons(&frames);
        assert_eq!(reasons[4], BLOCKED, "{ahead} octets ahead: {reasons:?}");
    }
}

#[test]
fn octets_that_were_judged_hide_nothing_when_they_come_again() {
    let stream = queries(&[OTHER, LISTED]);
    let message = stream.len() / 2;
    let segment = |from, to| frames::segment(&client(), FIRST, &stream, from..to);
    for (what, again) in [
        (
            "a keep-alive of one octet (RFC 9293 §3.8.4)",
            vec![(message - 1, message), (message, stream.len())],
        ),
        (
            "the end of the first together with the second",
            vec![(message - 5, stream.len())],
        ),
        (
            "the first again",
            vec![(0, message), (message, stream.len())],
        ),
        ("both together", vec![(0, stream.len())]),
    ] {
        let mut frames = vec![client().syn(FIRST - 1, &[]), segment(0, message)];
        frames.extend(again.iter().map(|(from, to)| segment(*from, *to)));
        let reasons = reasons(&frames);
        assert_eq!(reasons.last(), Some(&BLOCKED), "{what}: {reasons:?}");
    }
}

#[test]
fn a_message_of_no_octets_and_of_less_than_a_header_is_cut() {
    for octets in [0, 1, 11] {
        let stream = over_tcp(&frames::query(LISTED)[..octets]);
        assert_reason(
            &client().tcp(&stream),
            Reason::DnsCut,
            &format!("{octets} octets"),
        );
        let stream = [stream, queries(&[LISTED])].concat();
        assert_reason(
            &client().tcp(&stream),
            BLOCKED,
            &format!("{octets} octets, and a message behind"),
        );
    }
}

#[test]
fn a_message_that_looks_like_another_protocol_is_dns_on_its_port() {
    // A length of 0x1403 and the next octets as of a record of type change_cipher_spec (RFC 8446
    // appendix D.4).
    let mut message = frames::query_numbered(0x0300, LISTED);
    message[2..4].copy_from_slice(&[0x01, 0x01]);
    message.resize(0x1403, 0);
    let stream = over_tcp(&message);
    assert_reason(&client().tcp(&stream), BLOCKED, "in one segment");
    let cut = 100;
    let reasons = reasons(&frames::in_segments(
        &client(),
        FIRST,
        &stream,
        &[0, cut, 1_500, 3_000, 4_500],
    ));
    assert!(reasons.contains(&BLOCKED), "in several: {reasons:?}");
}
