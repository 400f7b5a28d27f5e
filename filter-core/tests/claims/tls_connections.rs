use filter_core::Reason;
use frames::Wrap;

use super::*;

const SPLIT: Reason = Reason::TlsHelloSplit;
/// Sequence number of the first octet of a hello.
const FIRST: u32 = 3_000;

/// A listed name and its neighbour, and what becomes of their hellos.
const NAMES: [(&str, Reason); 2] = [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)];

#[test]
fn every_segment_of_a_blocked_hello_is_dropped_when_it_is_sent_again() {
    let hello = frames::client_hello(LISTED);
    let cut = name_end(&hello, LISTED) - 3;
    let segment = |from, to| frames::segment(&Wrap::v4(443), FIRST, &hello, from..to);
    let len = hello.len();
    for (from, to) in [
        (0, cut),
        (cut, len),
        (0, len),
        (0, 1),
        (cut - 1, cut + 1),
        (0, cut + 1),
    ] {
        let frames = [
            segment(0, cut),
            segment(cut, len),
            segment(from, to),
            segment(from, to),
        ];
        let expected = [
            SPLIT,
            Reason::TlsBlocked,
            Reason::TlsBlocked,
            Reason::TlsBlocked,
        ];
        assert_reasons(&frames, &expected, &format!("{from} to {to} again"));
    }
}

#[test]
fn every_segment_of_a_hello_that_was_blocked_in_one_is_dropped_when_it_is_sent_again() {
    let hello = frames::client_hello(LISTED);
    let wrap = Wrap::v4(443);
    let segment = |from, to| frames::segment(&wrap, FIRST, &hello, from..to);
    let cut = name_end(&hello, LISTED) - 3;
    for (what, again) in [
        ("in one", vec![(0, hello.len())]),
        ("in two", vec![(0, cut), (cut, hello.len())]),
        (
            "in two, the second first",
            vec![(cut, hello.len()), (0, cut)],
        ),
    ] {
        let mut frames = vec![wrap.syn(FIRST - 1, &[]), segment(0, hello.len())];
        frames.extend(again.iter().map(|(from, to)| segment(*from, *to)));
        let reasons = reasons(&frames);
        assert_eq!(reasons[1], Reason::TlsBlocked, "{what}");
        assert_eq!(
            reasons.last(),
            Some(&Reason::TlsBlocked),
            "{what}: {reasons:?}"
        );
    }
}

#[test]
fn a_blocked_hello_blocks_no_later_connection_of_the_same_ports() {
    let wrap = Wrap::v4(443);
    let [blocked, other] = NAMES.map(|(name, _)| frames::client_hello(name));
    let cut = name_end(&blocked, LISTED) - 3;
    let before = frames::in_segments(&wrap, FIRST, &blocked, &[0, cut]);
    for later in [FIRST + 100_000, FIRST.wrapping_sub(100_000), FIRST + 5_000] {
        let behind = frames::in_segments(&wrap, later, &other, &[0, name_end(&other, OTHER) - 3]);
        let frames = [
            &before[..],
            &[wrap.syn(later.wrapping_sub(1), &[])],
            &behind,
        ]
        .concat();
        let expected = [
            SPLIT,
            Reason::TlsBlocked,
            Reason::TcpOther,
            SPLIT,
            Reason::TlsNotListed,
        ];
        assert_reasons(&frames, &expected, &format!("from {later}"));
    }
}

#[test]
fn of_a_hello_that_passed_nothing_is_held() {
    let hello = frames::client_hello(OTHER);
    let cut = name_end(&hello, OTHER) - 3;
    let mut frames = frames::in_segments(&Wrap::v4(443), FIRST, &hello, &[0, cut]);
    frames.push(frames[1].clone());
    let stream = [&hello[..], b"more"].concat();
    frames.push(frames::segment(
        &Wrap::v4(443),
        FIRST,
        &stream,
        hello.len()..stream.len(),
    ));
    let other = Reason::TcpOther;
    assert_reasons(
        &frames,
        &[SPLIT, Reason::TlsNotListed, other, other],
        "again, and behind",
    );
}

#[test]
fn segments_of_different_connections_are_not_joined() {
    let hello = frames::client_hello(LISTED);
    let cut = name_end(&hello, LISTED) - 3;
    let [wrap, v6] = [Wrap::v4(443), Wrap::v6(443)];
    let segment = |wrap: &Wrap, from, to| frames::segment(wrap, FIRST, &hello, from..to);
    let start = segment(&wrap, 0, cut);
    let rest = segment(&wrap, cut, hello.len());
    for (what, frame) in [
        (
            "another source port",
            segment(
                &Wrap {
                    from: 40_001,
                    ..wrap.clone()
                },
                cut,
                hello.len(),
            ),
        ),
        (
            "another destination port",
            segment(
                &Wrap {
                    to: 444,
                    ..wrap.clone()
                },
                cut,
                hello.len(),
            ),
        ),
        (
            "the other direction",
            segment(
                &Wrap {
                    from: 443,
                    to: 40_000,
                    ..wrap.clone()
                },
                cut,
                hello.len(),
            ),
        ),
        ("another version of IP", segment(&v6, cut, hello.len())),
        ("another source address", with(&rest, 14 + 12, &[10])),
        ("another destination address", with(&rest, 14 + 16, &[10])),
    ] {
        assert_reasons(&[start.clone(), frame], &[SPLIT, Reason::TcpOther], what);
    }
    assert_reasons(&[start, rest], &[SPLIT, Reason::TlsBlocked], "the same");
}

#[test]
fn hellos_of_several_connections_at_once_are_each_judged() {
    // Two connections of each of four networks, which is what the one bucket of these tests has for
    // a source.
    let connections: Vec<_> = (0..8)
        .map(|place| {
            (
                Wrap {
                    from: 40_000 + place / 4,
                    ..Wrap::v4(443)
                },
                NAMES[place as usize % 2],
            )
        })
        .collect();
    let mut starts = Vec::new();
    let mut rests = Vec::new();
    for (place, (wrap, (name, _))) in connections.iter().enumerate() {
        let hello = frames::client_hello(name);
        let segments = frames::in_segments(wrap, FIRST, &hello, &[0, name_end(&hello, name) - 1]);
        let segments: Vec<_> = segments
            .iter()
            .map(|segment| frames::from_ipv4(segment, [10, 0, place as u8 % 4, 9]))
            .collect();
        starts.push(segments[0].clone());
        rests.push(segments[1].clone());
    }
    let expected: Vec<_> = connections.iter().map(|(_, (_, whole))| *whole).collect();
    let reasons = reasons(&[starts, rests].concat());
    assert_eq!(reasons[..8], [SPLIT; 8]);
    assert_eq!(reasons[8..], expected);
}

#[test]
fn a_stream_that_starts_late_with_something_else_is_let_go() {
    let wrap = Wrap::v4(443);
    let stream = [&b"GET / HTTP/1.1\r\n"[..], &[b'x'; 200]].concat();
    let segments = [(100, 200), (0, 100), (100, 200)]
        .map(|(from, to)| frames::segment(&wrap, FIRST, &stream, from..to));
    let frames = [&[wrap.syn(FIRST - 1, &[])], &segments[..]].concat();
    let reasons = reasons(&frames);
    assert_eq!(reasons[2..], [Reason::TcpOther; 2], "{reasons:?}");
}

/// A hello with the listed name, the same with its neighbour, and where the name is in both.
fn hellos_of_two_names() -> (Vec<u8>, Vec<u8>, usize) {
    let blocked = frames::client_hello(LISTED);
    let at = frames::server_name_at(&blocked, LISTED).unwrap();
    let changed = with(&blocked, at, OTHER.as_bytes());
    (blocked, changed, at)
}

/// As receivers do (RFC 9293 §3.10.7.4).
#[test]
fn of_octets_that_come_twice_without_a_gap_the_first_copy_counts() {
    let (blocked, changed, at) = hellos_of_two_names();
    for (first, second, expected) in [
        (&blocked, &changed, Reason::TlsBlocked),
        (&changed, &blocked, Reason::TlsNotListed),
    ] {
        // Up to within the name, and again from the start of it on.
        let cut = at + LISTED.len() - 1;
        let frames = [
            frames::segment(&Wrap::v4(443), FIRST, first, 0..cut),
            frames::segment(&Wrap::v4(443), FIRST, second, at..second.len()),
        ];
        assert_reasons(&frames, &[SPLIT, expected], "the first copy");
    }
}

#[test]
fn of_octets_beyond_a_gap_the_later_copy_counts() {
    let (blocked, changed, at) = hellos_of_two_names();
    for (earlier, later, expected) in [
        (&changed, &blocked, Reason::TlsBlocked),
        (&blocked, &changed, Reason::TlsNotListed),
    ] {
        let segment = |hello: &[u8], range| frames::segment(&Wrap::v4(443), FIRST, hello, range);
        let frames = [
            segment(later, 0..10),
            segment(earlier, at..later.len()),
            segment(later, at..later.len()),
            segment(later, 10..at),
        ];
        assert_eq!(reasons(&frames).last(), Some(&expected));
    }
}

/// What a server sends is out of order as well.
#[test]
fn the_syn_of_a_server_tells_where_its_stream_starts() {
    let server = Wrap {
        from: 53,
        ..Wrap::v4(40_000)
    };
    let stream = frames::over_tcp(&frames::response(LISTED));
    let mut opening = server.syn(FIRST - 1, &[]);
    // ACK as well.
    opening[14 + 20 + 13] |= 16;
    let segments = frames::in_segments(&server, FIRST, &stream, &[20, 0]);
    let reasons = reasons(&[&[opening], &segments[..]].concat());
    assert_eq!(
        reasons.last(),
        Some(&Reason::DnsResponseBlocked),
        "{reasons:?}"
    );
}
