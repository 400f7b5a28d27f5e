//! What holds of whatever becomes of a frame.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use filter_core::{
    Actions, Counter, Directions, DnsAction, Interface, QuicAction, Reason, Sent, TcpAction,
    Verdict,
};

use super::world;

/// Actions that together take all ways through the making of an answer.
const ACTIONS: [(DnsAction, TcpAction); 5] = [
    (DnsAction::NxDomain, TcpAction::Reset),
    (DnsAction::Refused, TcpAction::Alert),
    (DnsAction::Null, TcpAction::Reset),
    (DnsAction::Address, TcpAction::Alert),
    (DnsAction::NoData, TcpAction::Drop),
];
/// Ethernet, tags, IP, UDP and the longest message.
const LONGEST: usize = 14 + 8 + 8 + 40 + 8 + 512;

/// Sends the frame through filters with each action, which have it come in from clients.
///
/// # Panics
/// If what becomes of it is not what it has to be.
pub fn check(frame: &[u8], reason: Reason) {
    let right = with_checksums(frame);
    for (frame, (dns, tcp)) in ACTIONS
        .iter()
        .flat_map(|actions| [(frame, *actions), (&*right, *actions)])
    {
        let actions = Actions::new(dns, tcp)
            .with_quic(QuicAction::Close)
            .with_addresses(Some([192, 0, 2, 7].into()), None);
        let interface = Interface::new(Directions::Both).facing_clients(actions);
        // Half of the frames cannot become longer.
        let room = if frame.len().is_multiple_of(2) {
            0
        } else {
            usize::MAX
        };
        let mut filter = world::filter(false).on(interface).with_room(room);
        let (again, sent, left) = filter.send(frame);
        assert_eq!(again, reason, "the same frame, where it is answered");
        let counters = filter.counters();
        let done = [Counter::Answered, Counter::Rewritten, Counter::Closed];
        let done: u64 = done
            .iter()
            .filter_map(|counter| counters.get(counter))
            .sum();
        // A response may be already what it is to become.
        let is_kept = left == frame && counters.contains_key(&Counter::Rewritten);
        let is_done = left != frame || sent == Sent::Tx || is_kept;
        assert_eq!(
            done,
            u64::from(is_done),
            "what is answered is counted: {counters:?}"
        );
        if done == 0 {
            let is_lost = reason.verdict() == Verdict::Drop;
            assert_eq!(
                sent == Sent::Drop,
                is_lost,
                "what is not answered passes or is lost"
            );
            continue;
        }
        assert!(reason.is_refused() && sent != Sent::Drop && left.len() <= LONGEST);
        assert_is_well_formed(&left);
        let (next, back, _) = filter.send(&left);
        assert!(
            back != Sent::Tx || next.is_refused(),
            "an answer is not answered by what passes"
        );
        assert!(!matches!(next, Reason::DnsBlocked), "an answer is no query");
    }
}

/// The frame with the sum of the pseudo-header in the place of its checksum, which is as good as
/// one, and with a right checksum of an IPv4 header; as it is, if etherparse reads neither UDP nor
/// TCP in it.
fn with_checksums(frame: &[u8]) -> Vec<u8> {
    let mut right = frame.to_vec();
    let Ok(packet) = SlicedPacket::from_ethernet(frame) else {
        return right;
    };
    let (Some(network), Some(transport)) = (&packet.net, &packet.transport) else {
        return right;
    };
    let place = |part: &[u8]| part.as_ptr() as usize - frame.as_ptr() as usize;
    let (addresses, checksum) = match network {
        NetSlice::Ipv4(ip) => {
            let header = ip.header().to_header();
            let at = place(ip.header().slice());
            (
                frame.get(at + 12..at + 20),
                Some((at + 10, header.calc_header_checksum())),
            )
        }
        NetSlice::Ipv6(ip) => {
            let at = place(ip.header().slice());
            (frame.get(at + 8..at + 40), None)
        }
        NetSlice::Arp(_) => return right,
    };
    let (at, number) = match transport {
        TransportSlice::Udp(udp) => (place(udp.slice()) + 6, 17),
        TransportSlice::Tcp(tcp) => (place(tcp.slice()) + 16, 6),
        _ => return right,
    };
    // Without the length, as where a device is to cut the segment.
    let sum = etherparse::checksum::Sum16BitWords::new();
    let sum = sum
        .add_slice(addresses.unwrap_or_default())
        .add_2bytes([0, number]);
    for (at, checksum) in [Some((at, !sum.ones_complement().to_be())), checksum]
        .into_iter()
        .flatten()
    {
        if let Some(place) = right.get_mut(at..at + 2) {
            place.copy_from_slice(&checksum.to_be_bytes());
        }
    }
    right
}

/// As etherparse reads it; what is in PPPoE it does not read.
fn assert_is_well_formed(frame: &[u8]) {
    let packet = SlicedPacket::from_ethernet(frame).expect("a packet");
    let (Some(network), Some(transport)) = (packet.net, packet.transport) else {
        return;
    };
    let checksum = match (&network, &transport) {
        (NetSlice::Ipv4(ip), transport) => {
            let header = ip.header().to_header();
            assert_eq!(
                header.calc_header_checksum(),
                header.header_checksum,
                "the checksum of the IP header"
            );
            match transport {
                TransportSlice::Udp(udp) => {
                    udp.to_header().calc_checksum_ipv4(&header, udp.payload())
                }
                TransportSlice::Tcp(tcp) => {
                    tcp.to_header().calc_checksum_ipv4(&header, tcp.payload())
                }
                _ => panic!("neither UDP nor TCP"),
            }
        }
        (NetSlice::Ipv6(ip), transport) => {
            let header = ip.header().to_header();
            match transport {
                TransportSlice::Udp(udp) => {
                    udp.to_header().calc_checksum_ipv6(&header, udp.payload())
                }
                TransportSlice::Tcp(tcp) => {
                    tcp.to_header().calc_checksum_ipv6(&header, tcp.payload())
                }
                _ => panic!("neither UDP nor TCP"),
            }
        }
        _ => panic!("neither IPv4 nor IPv6"),
    };
    let written = match &transport {
        TransportSlice::Udp(udp) => udp.checksum(),
        TransportSlice::Tcp(tcp) => tcp.checksum(),
        _ => panic!("neither UDP nor TCP"),
    };
    assert_eq!(
        checksum.expect("a length that fits"),
        written,
        "the checksum of UDP or TCP"
    );
}
