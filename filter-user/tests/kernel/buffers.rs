//! Frames that lie in several buffers, as a large MTU and segmentation offload make them. The first
//! holds about 3,500 bytes of a test run's frame, a page each of the others.

use std::time::Duration;

use etherparse::{SlicedPacket, TransportSlice};
use filter_core::{
    Actions, Counter, Directions, DnsAction, Interface, MessageBuffer, Reason, Sent, TcpAction,
};
use frames::{Extension, Hello, Wrap};

use super::{
    claims::{Decided, send_all},
    judge,
};

const PAGE: usize = 4096;
/// A first buffer has less than a page: the kernel keeps room before and behind the packet.
const FIRST_BUFFER: std::ops::Range<usize> = 3_300..3_800;

/// A hello whose server name stands behind this much padding.
fn padded(entries: &[(u8, &str)], padding: usize) -> Vec<u8> {
    let mut hello = Hello::of_names(entries);
    let place = hello.place_of(Extension::SERVER_NAME).unwrap();
    let server_name = hello.extensions_mut().remove(place);
    hello
        .extensions_mut()
        .extend([Extension::padding(padding), server_name]);
    hello.record()
}

fn send(record: &[u8]) -> Decided {
    let v4 = judge(&Wrap::v4(443).tcp(record));
    assert_eq!(judge(&Wrap::v6(443).vlan(1).tcp(record)), v4);
    v4
}

#[test]
fn a_server_name_beyond_the_first_buffer_is_judged() {
    for padding in [PAGE, 2 * PAGE, 30_000, 60_000] {
        for (name, reason) in [
            ("ads.example.com", Reason::TlsBlocked),
            ("web.example.com", Reason::TlsNotListed),
        ] {
            assert_eq!(
                send(&padded(&[(0, name)], padding)),
                Decided::of(reason, name),
                "{padding}"
            );
        }
    }
}

#[test]
fn a_server_name_on_the_edge_of_the_first_buffer_is_judged_wherever_that_lies() {
    for padding in FIRST_BUFFER.start - 400..FIRST_BUFFER.end {
        let blocked = judge(&Wrap::v4(443).tcp(&padded(&[(0, "ads.example.com")], padding)));
        assert_eq!(
            blocked,
            Decided::of(Reason::TlsBlocked, "ads.example.com"),
            "{padding}"
        );
    }
    for padding in (FIRST_BUFFER.start - 400..FIRST_BUFFER.end).step_by(7) {
        let passed = judge(&Wrap::v4(443).tcp(&padded(&[(0, "web.example.com")], padding)));
        assert_eq!(
            passed,
            Decided::of(Reason::TlsNotListed, "web.example.com"),
            "{padding}"
        );
    }
}

#[test]
fn a_listed_name_beyond_the_first_buffer_is_found_behind_one_that_is_not_listed() {
    // Of few labels, so that all names are within what a packet may cost.
    let below = format!("{}.", "a".repeat(49)).repeat(4);
    let not_listed: Vec<_> = (0..15).map(|_| (0, &below[..199])).collect();
    for padding in (0..4 * PAGE).step_by(97) {
        let listed = [&not_listed[..], &[(0, "ads.example.com")]].concat();
        assert_eq!(
            judge(&Wrap::v4(443).tcp(&padded(&listed, padding))).reason,
            Reason::TlsBlocked,
            "{padding}"
        );
        let other = [&not_listed[..], &[(0, "web.example.com")]].concat();
        assert_eq!(
            judge(&Wrap::v4(443).tcp(&padded(&other, padding))).reason,
            Reason::TlsNotListed,
            "{padding}"
        );
    }
}

#[test]
fn headers_and_a_question_beyond_the_first_buffer_are_judged() {
    // An extension header of 2,048 bytes, the longest there is, behind another.
    for (name, reason) in [
        ("ads.example.com", Reason::DnsBlocked),
        ("web.example.com", Reason::DnsNotListed),
    ] {
        let plain = Wrap::v6(53).udp(&frames::query(name));
        let frame = (0..8).fold(plain, |frame, _| behind_longest_options(&frame));
        assert!(frame.len() > 4 * PAGE);
        assert_eq!(judge(&frame), Decided::of(reason, name));
    }
}

#[test]
fn a_long_message_is_judged_by_its_question() {
    for (name, reason) in [
        ("ads.example.com", Reason::DnsBlocked),
        ("web.example.com", Reason::DnsNotListed),
    ] {
        let message = [frames::query(name), vec![0; 60_000]].concat();
        assert_eq!(
            judge(&Wrap::v4(53).udp(&message)),
            Decided::of(reason, name)
        );
    }
}

#[test]
fn an_answer_to_a_frame_in_several_buffers_stands_at_its_start_and_the_frame_keeps_its_length() {
    const HEADERS: usize = 14 + 20 + 20;

    let interface = Interface::new(Directions::Both)
        .facing_clients(Actions::new(DnsAction::NxDomain, TcpAction::Reset));
    for padding in [PAGE, 2 * PAGE, 30_000, 60_000] {
        let blocked = Wrap::v4(443).tcp(&padded(&[(0, "ads.example.com")], padding));
        let became = send_all(&[(Duration::ZERO, blocked.clone())], interface);
        let [(reason, sent, answer, counted)] = &became[..] else {
            panic!("one frame was sent")
        };
        assert_eq!(
            (*reason, *sent),
            (Reason::TlsBlocked, Sent::Tx),
            "{padding}"
        );
        assert!(
            counted.contains(&Counter::Closed) && counted.contains(&Counter::AnsweredPadded),
            "{counted:?}"
        );
        let sliced = SlicedPacket::from_ethernet(answer).unwrap();
        let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else {
            panic!("no TCP: {sliced:?}")
        };
        assert!(tcp.rst() && tcp.payload().is_empty());
        // The IP packet ends with its headers; what is behind them is the rest of the frame as it
        // came.
        assert_eq!(
            (answer.len(), &answer[HEADERS..]),
            (blocked.len(), &blocked[HEADERS..])
        );
    }
}

#[test]
fn long_segments_without_a_hello_pass_as_any() {
    assert_eq!(
        judge(&Wrap::v4(443).tcp(&vec![0; 60_000])).reason,
        Reason::TcpOther
    );
    assert_eq!(
        judge(&Wrap::v4(5300).udp(&vec![0; 60_000])).reason,
        Reason::UdpOther
    );
}

#[test]
fn a_long_hello_that_goes_on_elsewhere_is_split_up_to_what_is_held_of_one() {
    let hello = padded(&[(0, "ads.example.com")], 30_000);
    let buffered = MessageBuffer::LEN as usize;
    for end in [100, 3_000, 3_500, 4_000, buffered - 1] {
        assert_eq!(
            send(&hello[..end]).reason,
            Reason::TlsHelloSplit,
            "{end} octets"
        );
    }
    for end in [buffered, buffered + 1, 20_000, hello.len() - 1] {
        assert_eq!(
            send(&hello[..end]).reason,
            Reason::TlsHelloTooLong,
            "{end} octets"
        );
    }
    assert_eq!(send(&hello).reason, Reason::TlsBlocked);
}

/// The frame with destination options of 2,048 bytes, made of a short header and its length
/// (RFC 8200 §4.6).
fn behind_longest_options(frame: &[u8]) -> Vec<u8> {
    const OPTIONS: usize = 14 + 40;
    const MORE: usize = 2048 - 16;
    let mut longer = frames::behind_extensions(frame, &[60]);
    longer[OPTIONS + 1] = 255;
    let payload = u16::from_be_bytes([longer[18], longer[19]]) + MORE as u16;
    longer[18..20].copy_from_slice(&payload.to_be_bytes());
    longer.splice(OPTIONS + 16..OPTIONS + 16, vec![0; MORE]);
    longer
}
