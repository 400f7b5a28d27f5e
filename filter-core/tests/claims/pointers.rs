use filter_core::Reason;
use frames::{Data, Wrap, response_of};

use super::*;

/// RFC 1035 §4.1.1.
const HEADER: usize = 12;
/// A name that is asked for; the first answer's data is behind it, its QTYPE and QCLASS, a pointer
/// as the owner, and ten octets up to the length.
const ASKED: &str = "a.example.net";
const DATA: usize = HEADER + ASKED.len() + 2 + 4 + 2 + 10;
/// Behind the data of the first answer, the owner and the ten octets of the second.
const HEAD: usize = 2 + 10;
/// Data of which nothing is asked.
const ANYTHING: &[u8] = &[0];
/// TXT, whose data is not read.
const UNREAD: u16 = 16;
const CNAME: u16 = 5;

fn pointer(target: usize) -> [u8; 2] {
    (0xc000 | u16::try_from(target).unwrap()).to_be_bytes()
}

/// The reason of a response with data that is not read, then an alias of these octets.
fn reason(unread: &[u8], target: &[u8]) -> Reason {
    let answers = [
        (ASKED, Data::Other(UNREAD, unread)),
        (ASKED, Data::Other(CNAME, target)),
    ];
    let message = response_of(&[ASKED], &answers);
    assert_eq!(
        &message[DATA..DATA + unread.len()],
        unread,
        "the data is where it should be"
    );
    let datagram = judge(
        &Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&message),
    );
    let segment = judge(
        &Wrap {
            from: 53,
            ..Wrap::v6(40_000)
        }
        .tcp(&frames::over_tcp(&message)),
    );
    assert_eq!(segment, datagram, "TCP as UDP");
    datagram.reason
}

/// A name as hickory-proto writes it.
fn wire(name: &str) -> Vec<u8> {
    frames::query(name)[HEADER..][..name.len() + 2].to_vec()
}

/// A name, and behind it so many pointers, the first to the name and each other to the one before;
/// where the last is.
fn chain(name: &str, pointers: usize) -> (Vec<u8>, usize) {
    let mut octets = wire(name);
    let mut last = DATA;
    for _ in 0..pointers {
        let here = DATA + octets.len();
        octets.extend(pointer(last));
        last = here;
    }
    (octets, last)
}

#[test]
fn as_many_pointers_are_followed_in_a_name_as_dnsmasq_follows() {
    for (name, followed) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsResponseNotListed),
    ] {
        for pointers in [1, 2, 16, 17, 60, 126, 254, 255, 256, 257, 400] {
            let (unread, last) = chain(name, pointers - 1);
            let expected = if pointers <= 255 {
                followed
            } else {
                Reason::DnsPointer
            };
            assert_eq!(
                reason(&unread, &pointer(last)),
                expected,
                "{name}: {pointers} pointers"
            );
        }
    }
}

#[test]
fn each_label_of_a_name_may_have_a_pointer_behind_it_as_long_as_the_packet_may_cost_that() {
    for (root, followed) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsResponseNotListed),
    ] {
        for (labels, expected) in [
            (1, followed),
            (20, followed),
            (40, followed),
            (118, Reason::DnsBeyond),
        ] {
            let mut unread = wire(root);
            let mut last = DATA;
            for _ in 0..labels {
                let here = DATA + unread.len();
                unread.extend(b"\x01a");
                unread.extend(pointer(last));
                last = here;
            }
            assert_eq!(
                reason(&unread, &pointer(last)),
                expected,
                "{root} below {labels}"
            );
        }
    }
}

#[test]
fn labels_before_each_pointer_belong_to_the_name() {
    // `com`, then `example` and a pointer to that, then `ads`, `www`.
    let com = wire("com");
    let example = [&b"\x07example"[..], &pointer(DATA)].concat();
    let unread = [&com[..], &example].concat();
    let target = |label: &[u8]| [label, &pointer(DATA + com.len())].concat();
    assert_eq!(
        reason(&unread, &target(b"\x03ads")),
        Reason::DnsResponseBlocked
    );
    assert_eq!(
        reason(&unread, &target(b"\x03www\x03ads")),
        Reason::DnsResponseBlocked
    );
    assert_eq!(
        reason(&unread, &target(b"\x03web")),
        Reason::DnsResponseNotListed
    );
    assert_eq!(
        reason(&unread, &pointer(DATA + com.len())),
        Reason::DnsResponseNotListed,
        "the parent"
    );
}

#[test]
fn a_pointer_may_lead_forward_and_in_no_circle() {
    let unread = wire(LISTED);
    let here = DATA + unread.len() + HEAD;
    assert_eq!(
        reason(&unread, &pointer(DATA)),
        Reason::DnsResponseBlocked,
        "a name before"
    );
    assert_eq!(
        reason(&unread, &pointer(here)),
        Reason::DnsPointer,
        "to itself"
    );
    assert_eq!(
        reason(&unread, &pointer(here + 2)),
        Reason::DnsPointer,
        "to the end of the message"
    );
    let labelled = [&b"\x03www"[..], &pointer(here)].concat();
    assert_eq!(
        reason(&unread, &labelled),
        Reason::DnsNameTooLong,
        "to the start of its labels"
    );
    let labelled = [&[63][..], &[b'a'; 63], &pointer(here)].concat();
    assert_eq!(
        reason(&unread, &labelled),
        Reason::DnsNameTooLong,
        "to its own label"
    );
    // Forward, to a name behind the pointer.
    for (name, expected) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsResponseNotListed),
    ] {
        let forward = [&pointer(DATA + 1 + HEAD + 2)[..], &wire(name)].concat();
        assert_eq!(reason(ANYTHING, &forward), expected, "{name} ahead");
    }
    // The last octet before the labels: 0, the root.
    assert_eq!(
        reason(
            &wire(OTHER),
            &[&b"\x03www"[..], &pointer(DATA + OTHER.len() + 1)].concat()
        ),
        Reason::DnsResponseNotListed
    );
}

#[test]
fn a_pointer_leads_to_behind_the_header_of_the_message() {
    for target in 0..HEADER {
        assert_eq!(
            reason(ANYTHING, &pointer(target)),
            Reason::DnsPointer,
            "{target}"
        );
    }
    assert_eq!(
        reason(ANYTHING, &pointer(HEADER)),
        Reason::DnsResponseNotListed,
        "the question"
    );
}

#[test]
fn pointers_that_run_in_circles_or_out_of_the_message_lead_nowhere() {
    let first = DATA;
    let second = DATA + 2;
    let circle = [pointer(second), pointer(first)].concat();
    for target in [first, second] {
        assert_eq!(
            reason(&circle, &pointer(target)),
            Reason::DnsPointer,
            "a circle"
        );
    }
    for target in [0x0fff, 0x3fff] {
        assert_eq!(
            reason(ANYTHING, &pointer(target)),
            Reason::DnsPointer,
            "{target:#x}"
        );
    }
}

#[test]
fn names_of_255_octets_over_pointers_are_judged_and_256_are_too_long() {
    // 17 octets of the name, and two for each label before it.
    for (labels, expected) in [
        (118, Reason::DnsResponseBlocked),
        (119, Reason::DnsResponseBlocked),
        (120, Reason::DnsNameTooLong),
        (200, Reason::DnsNameTooLong),
    ] {
        let target = [&b"\x01a".repeat(labels)[..], &pointer(DATA)].concat();
        assert_eq!(reason(&wire(LISTED), &target), expected, "{labels} labels");
    }
}

#[test]
fn a_broken_name_hides_none_of_the_others() {
    let broken = ("b.example.net", Data::Other(CNAME, &[0xc0, 0x00]));
    for (name, before, behind) in [
        (
            LISTED,
            Reason::DnsResponseBlocked,
            Reason::DnsResponseBlocked,
        ),
        (OTHER, Reason::DnsPointer, Reason::DnsResponseNotListed),
    ] {
        let answers = [(ASKED, Data::Cname(name)), broken];
        let frame = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&response_of(&[ASKED], &answers));
        assert_reason(&frame, before, &format!("{name} before"));
        let answers = [broken, (ASKED, Data::Cname(name))];
        let frame = Wrap {
            from: 53,
            ..Wrap::v4(40_000)
        }
        .udp(&response_of(&[ASKED], &answers));
        assert_reason(&frame, behind, &format!("{name} behind"));
    }
}

#[test]
fn a_pointer_may_lead_to_a_name_of_any_length() {
    for (root, expected) in [
        (LISTED, Reason::DnsResponseBlocked),
        (OTHER, Reason::DnsResponseNotListed),
    ] {
        for octets in (1..=63).chain([100, 126, 127, 190, 200, 253 - LISTED.len() - 1]) {
            // Labels of 63 octets, and what is left.
            let mut below = "a".repeat(octets);
            (63..octets)
                .step_by(64)
                .for_each(|dot| below.replace_range(dot..=dot, "."));
            let name = format!("{below}.{root}");
            assert_eq!(reason(&wire(&name), &pointer(DATA)), expected, "{name}");
            let expected = if name.len() + 2 > 253 {
                Reason::DnsNameTooLong
            } else {
                expected
            };
            assert_eq!(
                reason(&wire(&name), &[&b"\x01x"[..], &pointer(DATA)].concat()),
                expected,
                "below {name}"
            );
        }
    }
}
