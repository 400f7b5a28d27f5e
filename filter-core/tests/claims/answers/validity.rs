//! Packets that a host would not take, and that are not answered either (RFC 1122 §3.2.1,
//! RFC 9293 §3.10.7).

use filter_core::{Counter, DnsAction, Sent};
use frames::{Wrap, opened};

use super::{LISTED, answering, assert_unanswered, send};

/// Where the flags are in an untagged segment over IPv4 and IPv6.
const TCP_FLAGS: [usize; 2] = [14 + 20 + 13, 14 + 40 + 13];
const RESET: u8 = 4;
/// A shorter frame lies in one buffer.
const ONE_BUFFER: usize = 3_000;

/// A query and a hello over both versions of IP.
fn blocked() -> Vec<Vec<u8>> {
    // Behind the hello is something else, so that its last octets are none of the name.
    let (query, hello) = (
        frames::query(LISTED),
        [frames::client_hello(LISTED), vec![0x17; 8]].concat(),
    );
    let wraps = [Wrap::v4(53), Wrap::v6(53)];
    wraps
        .iter()
        .flat_map(|wrap| {
            [
                wrap.udp(&query),
                Wrap {
                    to: 443,
                    ..wrap.clone()
                }
                .tcp(&hello),
            ]
        })
        .collect()
}

#[track_caller]
fn assert_invalid(frame: &[u8], what: &str) {
    assert_unanswered(
        frame,
        answering(DnsAction::NxDomain),
        Counter::UnansweredInvalid,
        what,
    );
}

#[track_caller]
fn assert_answered(frame: &[u8], what: &str) {
    let (reason, sent, left, _) = send(frame, answering(DnsAction::NxDomain));
    assert!(
        reason.is_blocked() && sent == Sent::Tx,
        "{what}: {reason:?}, {sent:?}"
    );
    // Where it lies in several buffers, the rest of the frame stays behind the answer.
    if frame.len() < ONE_BUFFER {
        opened(&left);
    }
}

#[test]
fn a_wrong_checksum_has_no_answer_and_a_right_one_has() {
    for frame in blocked() {
        assert_answered(&frame, "as it came");
        // Of the link, the IP header but for its addresses, and the lengths, nothing is summed up
        // by the transport.
        let transport = if frame[12] == 8 { 34 } else { 54 };
        let is_datagram = frame[if transport == 34 { 23 } else { 20 }] == 17;
        // Of a segment also the sequence number and the random of its hello; of a datagram what is
        // behind its question.
        let places = if is_datagram {
            vec![frame.len() - 2, frame.len() - 1]
        } else {
            vec![
                transport + 4,
                transport + 5,
                transport + 20 + 11,
                transport + 20 + 12,
            ]
        };
        for at in places {
            let mut wrong = frame.clone();
            wrong[at] ^= 0x10;
            assert_invalid(&wrong, &format!("an octet at {at}"));
            assert_answered(
                &frames::with_checksums(&wrong),
                &format!("the same with its checksum, at {at}"),
            );
        }
    }
}

#[test]
fn a_checksum_that_is_left_to_a_device_is_none_that_is_wrong() {
    for frame in blocked() {
        for with_length in [true, false] {
            assert_answered(
                &frames::with_partial_checksum(&frame, with_length),
                "the sum of the pseudo-header",
            );
        }
    }
}

/// The stack keeps the checksum of the first datagram where it joins several, and a driver joins
/// none.
#[test]
fn of_what_the_stack_may_have_joined_the_checksum_says_nothing_and_of_all_else_it_does() {
    let (query, plain) = (frames::query(LISTED), frames::query_without_edns(LISTED));
    let hello = [frames::client_hello(LISTED), vec![0x17; 8]].concat();
    for (wrap, transport) in [(Wrap::v4(53), 34), (Wrap::v6(53), 54)] {
        for (frame, payload, may_be_joined) in [
            (wrap.udp(&query), 8, false),
            (wrap.udp(&plain), 8, false),
            (wrap.udp(&[&query[..], &[0]].concat()), 8, true),
            (wrap.udp(&[&plain[..], &[0; 9]].concat()), 8, true),
            (
                Wrap {
                    to: 443,
                    ..wrap.clone()
                }
                .tcp(&hello),
                20 + 11,
                false,
            ),
        ] {
            let mut wrong = frame.clone();
            wrong[transport + payload] ^= 1;
            assert_invalid(&wrong, "from a driver");
            let sent = send(&wrong, answering(DnsAction::NxDomain).in_network_stack()).1;
            assert_eq!(
                sent,
                if may_be_joined { Sent::Tx } else { Sent::Drop },
                "in the stack: {frame:?}"
            );
        }
    }
}

#[test]
fn long_segments_are_summed_up_to_their_end() {
    for behind in [1, 2, 3, 4, 700, 1_000, 1_403, 8_000] {
        let hello = [frames::client_hello(LISTED), vec![0x5a; behind]].concat();
        for wrap in [Wrap::v4(443), Wrap::v6(443)] {
            let frame = wrap.tcp(&hello);
            assert_answered(&frame, &format!("{behind} octets behind"));
            // The last octet of the hello itself may be that of its name.
            if behind > 0 {
                let mut wrong = frame.clone();
                *wrong.last_mut().unwrap() ^= 1;
                assert_invalid(&wrong, &format!("{behind} octets behind"));
            }
        }
    }
}

#[test]
fn what_is_longer_than_what_is_summed_up_is_answered_whatever_its_checksum() {
    const SUMMED: usize = 20 * 512;
    let header = 20;
    for (bytes, is_checked) in [(SUMMED - 1, true), (SUMMED, true), (SUMMED + 1, false)] {
        let mut hello = frames::client_hello(LISTED);
        hello.resize(bytes - header, 0x5a);
        let mut frame = Wrap::v4(443).tcp(&hello);
        assert_answered(&frame, "a right one");
        *frame.last_mut().unwrap() ^= 1;
        if is_checked {
            assert_invalid(&frame, "a wrong one");
        } else {
            assert_answered(&frame, "not known");
        }
    }
}

#[test]
fn a_datagram_without_a_checksum_is_answered_over_ipv4_alone() {
    let query = frames::query(LISTED);
    let mut v4 = Wrap::v4(53).udp(&query);
    v4[40..42].fill(0);
    assert_answered(&v4, "RFC 768");
    let mut v6 = Wrap::v6(53).udp(&query);
    v6[60..62].fill(0);
    assert_invalid(&v6, "RFC 8200 section 8.1");
    let mut segment = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    segment[50..52].fill(0);
    assert_invalid(&segment, "TCP has a checksum");
}

#[test]
fn a_wrong_checksum_of_the_ip_header_has_no_answer() {
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    for (at, what) in [
        (24, "the checksum"),
        (18, "the identification"),
        (15, "the class"),
    ] {
        let mut wrong = query.clone();
        wrong[at] ^= 1;
        assert_invalid(&wrong, what);
    }
}

#[test]
fn a_packet_without_a_hop_left_has_no_answer() {
    for frame in blocked() {
        let at = if frame[12] == 8 { 22 } else { 21 };
        for (hops, is_answered) in [(0, false), (1, true), (255, true)] {
            let mut changed = frame.clone();
            changed[at] = hops;
            let changed = frames::with_checksums(&changed);
            if is_answered {
                assert_answered(&changed, "hops");
            } else {
                assert_invalid(&changed, "no hops");
            }
        }
    }
}

#[test]
fn a_reset_is_never_answered() {
    let hello = frames::client_hello(LISTED);
    let query = frames::over_tcp(&frames::query(LISTED));
    for (port, payload) in [(443, &hello), (53, &query)] {
        for (wrap, at) in [Wrap::v4(port), Wrap::v6(port)].iter().zip(TCP_FLAGS) {
            for flags in [RESET, RESET | 16, RESET | 2, 0xff] {
                let mut frame = wrap.tcp(payload);
                frame[at] = flags;
                assert_invalid(
                    &frames::with_checksums(&frame),
                    &format!("flags {flags:#x}"),
                );
            }
            let mut frame = wrap.tcp(payload);
            frame[at] = 16 | 8 | 1;
            assert_answered(&frames::with_checksums(&frame), "the end of a stream");
        }
    }
}
