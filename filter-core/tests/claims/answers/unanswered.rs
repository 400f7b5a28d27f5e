//! Frames that nobody hears of.

use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Sent, TcpAction};
use frames::{Tunnel, Wrap};

use super::{LISTED, answering, assert_unanswered, clients, send};

#[test]
fn only_clients_are_answered() {
    let unanswered = |frame: &[u8], what: &str| {
        assert_unanswered(
            frame,
            answering(DnsAction::NxDomain),
            Counter::UnansweredEnds,
            what,
        );
    };
    let query = frames::query(LISTED);
    unanswered(
        &Wrap {
            from: 53,
            ..Wrap::v4(53)
        }
        .udp(&query),
        "from a server's port",
    );
    unanswered(
        &Wrap {
            from: 0,
            ..Wrap::v4(53)
        }
        .udp(&query),
        "from no port",
    );
    let v4 = Wrap::v4(53).udp(&query);
    let v6 = Wrap::v6(53).udp(&query);
    let with = |frame: &[u8], at: usize, bytes: &[u8]| {
        let mut frame = frame.to_vec();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    };
    unanswered(&with(&v4, 0, &[0xff; 6]), "to all on the link");
    unanswered(
        &with(&v4, 6, &[1, 0, 0x5e, 0, 0, 1]),
        "from a group of the link",
    );
    let (source, destination) = (26, 30);
    for (at, address, what) in [
        (destination, [255; 4], "to all"),
        (destination, [224, 0, 0, 251], "to a group"),
        (source, [224, 0, 0, 251], "from a group"),
        (source, [0; 4], "from nobody"),
        (source, [127, 0, 0, 1], "from a loopback"),
        (source, [198, 51, 100, 2], "from where it is sent to"),
    ] {
        unanswered(&with(&v4, at, &address), what);
    }
    let (source, destination) = (22, 38);
    let mut group = [0; 16];
    (group[0], group[15]) = (0xff, 0xfb);
    let mut loopback = [0; 16];
    loopback[15] = 1;
    let own: [u8; 16] = v6[destination..destination + 16].try_into().unwrap();
    for (at, address, what) in [
        (destination, group, "to a group"),
        (source, group, "from a group"),
        (source, [0; 16], "from nobody"),
        (source, loopback, "from a loopback"),
        (source, own, "from where it is sent to"),
    ] {
        unanswered(&with(&v6, at, &address), what);
    }
}

#[test]
fn the_first_and_last_addresses_of_hosts_are_answered() {
    let at = |wrap: &Wrap, source: &[u8]| {
        let mut frame = wrap.udp(&frames::query(LISTED));
        let place = if source.len() == 4 { 26 } else { 22 };
        frame[place..place + source.len()].copy_from_slice(source);
        send(
            &frames::with_checksums(&frame),
            answering(DnsAction::NxDomain),
        )
        .1
    };
    for source in [
        [1, 0, 0, 0],
        [126, 255, 255, 255],
        [128, 0, 0, 0],
        [223, 255, 255, 255],
    ] {
        assert_eq!(at(&Wrap::v4(53), &source), Sent::Tx, "{source:?}");
    }
    for source in ["::2", "::1:0:0:1", "0:0:0:1::", "feff::", "fe80::1"] {
        let source: std::net::Ipv6Addr = source.parse().unwrap();
        assert_eq!(at(&Wrap::v6(53), &source.octets()), Sent::Tx, "{source}");
    }
}

#[test]
fn an_interface_without_clients_answers_nobody() {
    let actions = Actions::new(DnsAction::NxDomain, TcpAction::Reset);
    let interface = Interface::new(Directions::Both).with_actions(actions);
    let query = Wrap::v4(53).udp(&frames::query(LISTED));
    assert_unanswered(&query, interface, Counter::UnansweredSide, "a query");
    let hello = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    assert_unanswered(&hello, interface, Counter::UnansweredSide, "a hello");
    for interface in [
        Interface::new(Directions::Both),
        clients(DnsAction::Drop, TcpAction::Drop),
    ] {
        for frame in [&query, &hello] {
            let (reason, sent, left, counters) = send(frame, interface);
            assert!(
                reason.is_blocked() && sent == Sent::Drop && left == *frame && counters.is_empty()
            );
        }
    }
}

#[test]
fn what_is_around_a_packet_and_would_be_lost_has_no_answer() {
    let unanswered = |frame: &[u8], what: &str| {
        assert_unanswered(
            frame,
            answering(DnsAction::NxDomain),
            Counter::UnansweredLayers,
            what,
        );
    };
    let query = frames::query(LISTED);
    let v4 = Wrap::v4(53).udp(&query);
    unanswered(&frames::behind_labels(&v4, 1), "MPLS");
    unanswered(&Tunnel::Ip.carry(&Wrap::v4(0), &v4), "a tunnel");
    let options = Wrap {
        network: frames::Network::V4(vec![1; 4]),
        ..Wrap::v4(53)
    };
    unanswered(&options.udp(&query), "IP options");
    let extensions = Wrap {
        network: frames::Network::V6 { extensions: true },
        ..Wrap::v6(53)
    };
    unanswered(&extensions.udp(&query), "extension headers");
    let segment = Wrap::v4(443).tcp(&frames::client_hello(LISTED));
    unanswered(
        &frames::ipv4_fragment(&segment, 0, true),
        "a first fragment of a segment",
    );
}

#[test]
fn a_datagram_that_is_not_all_there_has_no_answer() {
    let unanswered = |frame: &[u8], what: &str| {
        assert_unanswered(
            frame,
            answering(DnsAction::NxDomain),
            Counter::UnansweredMessage,
            what,
        );
    };
    let query = Wrap::v4(53).udp(&frames::query_without_edns(LISTED));
    let length = u16::from_be_bytes([query[38], query[39]]);
    for (octets, what) in [
        (length + 1, "an octet less than it says"),
        (0, "a length of zero"),
    ] {
        let mut frame = query.clone();
        frame[38..40].copy_from_slice(&octets.to_be_bytes());
        unanswered(&frame, what);
    }
}
