use filter_core::Reason;
use frames::{Extension, Hello, Wrap};

use super::*;

/// Where the hello is cut, what should become of it.
fn expected(end: usize, name_end: usize, whole: Reason) -> Reason {
    match end {
        0 => Reason::TcpOther,
        _ if end < name_end => Reason::TlsHelloSplit,
        _ => whole,
    }
}

#[test]
fn a_hello_that_goes_on_in_another_segment_is_split_until_its_name_is_there() {
    for (name, whole) in [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)] {
        let hello = frames::client_hello(name);
        for end in 0..=hello.len() {
            let frame = Wrap::v4(443).tcp(&hello[..end]);
            assert_reason(
                &frame,
                expected(end, name_end(&hello, name), whole),
                &format!("{name}: {end} octets"),
            );
        }
    }
}

#[test]
fn a_frame_that_ends_before_its_packet_is_judged_as_far_as_it_goes() {
    let hello = frames::client_hello(LISTED);
    let frame = Wrap::v6(443).tcp(&hello);
    let headers = frame.len() - hello.len();
    for end in 0..=hello.len() {
        let reason = expected(end, name_end(&hello, LISTED), Reason::TlsBlocked);
        assert_reason(&frame[..headers + end], reason, &format!("{end} octets"));
    }
}

#[test]
fn a_listed_name_that_is_the_start_of_another_blocks_nothing_wherever_that_is_cut() {
    for name in ["ads.example.com.elsewhere.org", "tracker.example.net"] {
        let hello = frames::client_hello(name);
        for end in 0..=hello.len() {
            assert!(
                passes(&Wrap::v4(443).tcp(&hello[..end])),
                "{name}: {end} octets"
            );
        }
    }
}

#[test]
fn a_hello_in_two_records_is_judged_as_one_in_one() {
    for (name, expected) in [(LISTED, Reason::TlsBlocked), (OTHER, Reason::TlsNotListed)] {
        let hello = frames::client_hello(name);
        for first in 1..hello.len() - 5 {
            let records = frames::in_records(&hello, first);
            assert_reason(
                &Wrap::v4(443).tcp(&records),
                expected,
                &format!("{name}: {first} octets in the first"),
            );
        }
    }
}

#[test]
fn a_segment_that_does_not_start_with_the_hello_passes_as_any() {
    let hello = frames::client_hello(LISTED);
    // Its last octets are random, and may be the first of a record.
    let hello = with(&hello, hello.len() - 9, &[0; 9]);
    for start in 1..hello.len() {
        assert_reason(
            &Wrap::v4(443).tcp(&hello[start..]),
            Reason::TcpOther,
            &format!("from {start}"),
        );
    }
}

#[test]
fn a_hello_without_a_server_name_is_split_until_it_is_whole() {
    let mut hello = Hello::of(LISTED);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    hello.extensions_mut().remove(place);
    hello.extensions_mut().push(Extension::padding(100));
    let record = hello.record();
    assert_reason(
        &Wrap::v4(443).tcp(&record[..record.len() - 50]),
        Reason::TlsHelloSplit,
        "cut in the last one",
    );
    assert_reason(
        &Wrap::v4(443).tcp(&record[..record.len() - 101]),
        Reason::TlsHelloSplit,
        "cut in its head",
    );
}

#[test]
fn a_list_that_goes_on_elsewhere_is_split_though_its_first_name_is_not_listed() {
    let mut hello = Hello::of_names(&[(0, OTHER), (0, LISTED)]);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    let server_name = hello.extensions_mut().remove(place);
    hello.extensions_mut().push(server_name);
    let record = hello.record();
    for missing in 1..=LISTED.len() + 3 {
        let frame = Wrap::v4(443).tcp(&record[..record.len() - missing]);
        assert_reason(
            &frame,
            Reason::TlsHelloSplit,
            &format!("{missing} octets missing"),
        );
    }
    assert_reason(&Wrap::v4(443).tcp(&record), Reason::TlsBlocked, "whole");
}

#[test]
fn a_length_of_the_hello_beyond_its_record_is_a_split_and_a_shorter_one_ends_it() {
    let hello = frames::client_hello_without_name();
    assert_reason(
        &Wrap::v4(443).tcp(&with(&hello, 6, &[0xff, 0xff, 0xff])),
        Reason::TlsNoServerName,
        "extensions all there",
    );
    let listed = frames::client_hello(LISTED);
    assert_reason(
        &Wrap::v4(443).tcp(&with(&listed, 6, &[0xff, 0xff, 0xff])),
        Reason::TlsBlocked,
        "name all there",
    );
    assert_reason(
        &Wrap::v4(443).tcp(&with(&listed, 6, &[0, 0, 20])),
        Reason::TlsMalformed,
        "ends in the random",
    );
}
