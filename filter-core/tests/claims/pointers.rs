use filter_core::Reason;
use frames::{Data, Wrap, response_of};

use super::*;

/// RFC 1035 §4.1.1.
const HEADER: usize = 12;
/// A name that is asked for; the first answer's data is behind it, its QTYPE and QCLASS, a pointer as the owner, and ten
/// octets up to the length.
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
    let answers = [(ASKED, Data::Other(UNREAD, unread)), (ASKED, Data::Other(CNAME, target))];
    let message = response_of(&[ASKED], &answers);
    assert_eq!(&message[DATA..DATA + unread.len()], unread, "the data is where it should be");
    let datagram = judge(&Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&message));
    let segment = judge(&Wrap { from: 53, ..Wrap::v6(40_000) }.tcp(&frames::over_tcp(&message)));
    assert_eq!(segment, datagram, "TCP as UDP");
    datagram.reason
}

/// A name as hickory-proto writes it.
fn wire(name: &str) -> Vec<u8> {
    frames::query(name)[HEADER..][..name.len() + 2].to_vec()
}

/// A name, and behind it so many pointers, the first to the name and each other to the one before; where the last is.
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
fn sixteen_pointers_are_followed_in_a_name_and_a_seventeenth_is_not() {
    for (name, followed) in [(LISTED, Reason::DnsResponseBlocked), (OTHER, Reason::DnsResponseNotListed)] {
        for pointers in [1, 2, 15, 16, 17, 18, 60] {
            let (unread, last) = chain(name, pointers - 1);
            let expected = if pointers <= 16 { followed } else { Reason::DnsPointer };
            assert_eq!(reason(&unread, &pointer(last)), expected, "{name}: {pointers} pointers");
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
    assert_eq!(reason(&unread, &target(b"\x03ads")), Reason::DnsResponseBlocked);
    assert_eq!(reason(&unread, &target(b"\x03www\x03ads")), Reason::DnsResponseBlocked);
    assert_eq!(reason(&unread, &target(b"\x03web")), Reason::DnsResponseNotListed);
    assert_eq!(reason(&unread, &pointer(DATA + com.len())), Reason::DnsResponseNotListed, "the parent");
}

#[test]
fn a_pointer_leads_to_before_the_labels_that_it_ends() {
    let unread = wire(LISTED);
    let here = DATA + unread.len() + HEAD;
    assert_eq!(reason(&unread, &pointer(DATA)), Reason::DnsResponseBlocked, "a name before");
    for ahead in 0..40 {
        let expected = Reason::DnsPointer;
        assert_eq!(reason(&unread, &pointer(here + ahead)), expected, "{ahead} octets ahead");
        let labelled = [&b"\x03www"[..], &pointer(here + ahead)].concat();
        assert_eq!(reason(&unread, &labelled), expected, "{ahead} octets ahead of the start of a label");
    }
    // Once around, a name of such labels would be too long before its pointers were too many.
    let labelled = [&[63][..], &[b'a'; 63], &pointer(here)].concat();
    assert_eq!(reason(&unread, &labelled), Reason::DnsPointer, "to its own label");
    // The last octet before the labels: 0, the root.
    assert_eq!(
        reason(&wire(OTHER), &[&b"\x03www"[..], &pointer(DATA + OTHER.len() + 1)].concat()),
        Reason::DnsResponseNotListed
    );
}

#[test]
fn a_pointer_leads_to_behind_the_header_of_the_message() {
    for target in 0..HEADER {
        assert_eq!(reason(ANYTHING, &pointer(target)), Reason::DnsPointer, "{target}");
    }
    assert_eq!(reason(ANYTHING, &pointer(HEADER)), Reason::DnsResponseNotListed, "the question");
}

#[test]
fn pointers_that_run_in_circles_or_out_of_the_message_lead_nowhere() {
    let first = DATA;
    let second = DATA + 2;
    let circle = [pointer(second), pointer(first)].concat();
    for target in [first, second] {
        assert_eq!(reason(&circle, &pointer(target)), Reason::DnsPointer, "a circle");
    }
    for target in [0x0fff, 0x3fff] {
        assert_eq!(reason(ANYTHING, &pointer(target)), Reason::DnsPointer, "{target:#x}");
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
fn a_blocked_name_stands_before_a_broken_one_and_one_that_passes_does_not() {
    let broken = ("b.example.net", Data::Other(CNAME, &[0xc0, 0x00]));
    for (name, expected) in [(LISTED, Reason::DnsResponseBlocked), (OTHER, Reason::DnsPointer)] {
        let answers = [(ASKED, Data::Cname(name)), broken];
        let frame = Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&response_of(&[ASKED], &answers));
        assert_reason(&frame, expected, &format!("{name} before"));
        let answers = [broken, (ASKED, Data::Cname(name))];
        let frame = Wrap { from: 53, ..Wrap::v4(40_000) }.udp(&response_of(&[ASKED], &answers));
        assert_reason(&frame, Reason::DnsPointer, &format!("{name} behind"));
    }
}
