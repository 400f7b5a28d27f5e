//! What holds of whatever becomes of a frame.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use filter_core::{Counter, DnsAction, Interface, Reason, Sent, Sides, TcpAction, Treatment};

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
    for (dns, tcp) in ACTIONS {
        let treatment = Treatment::new(dns, tcp).with_addresses(Some([192, 0, 2, 7].into()), None);
        let interface = Interface::new(Sides::Both).facing_clients(treatment);
        // Half of the frames cannot become longer.
        let room = if frame.len().is_multiple_of(2) { 0 } else { usize::MAX };
        let mut filter = world::filter(false).on(interface).with_room(room);
        let (again, sent, left) = filter.send(frame);
        assert_eq!(again, reason, "the same frame, where it is answered");
        let counters = filter.counters();
        let done = [Counter::Answered, Counter::Rewritten, Counter::Closed];
        let done: u64 = done.iter().filter_map(|counter| counters.get(counter)).sum();
        // A response may be already what it is to become.
        let is_kept = left == frame && counters.contains_key(&Counter::Rewritten);
        let is_done = left != frame || sent == Sent::Back || is_kept;
        assert_eq!(done, u64::from(is_done), "what is answered is counted: {counters:?}");
        if done == 0 {
            assert_eq!(sent == Sent::Nowhere, reason.is_blocked(), "what is not answered passes or is lost");
            continue;
        }
        assert!(reason.is_blocked() && sent != Sent::Nowhere && left.len() <= LONGEST);
        assert_is_well_formed(&left);
        let (next, back, _) = filter.send(&left);
        assert!(back != Sent::Back || next.is_blocked(), "an answer is not answered by what passes");
        assert!(!matches!(next, Reason::DnsBlocked), "an answer is no query");
    }
}

/// As etherparse reads it; what is in PPPoE it does not read.
fn assert_is_well_formed(frame: &[u8]) {
    let packet = SlicedPacket::from_ethernet(frame).expect("a packet");
    let (Some(network), Some(transport)) = (packet.net, packet.transport) else { return };
    let checksum = match (&network, &transport) {
        (NetSlice::Ipv4(ip), transport) => {
            let header = ip.header().to_header();
            assert_eq!(header.calc_header_checksum(), header.header_checksum, "the checksum of the IP header");
            match transport {
                TransportSlice::Udp(udp) => udp.to_header().calc_checksum_ipv4(&header, udp.payload()),
                TransportSlice::Tcp(tcp) => tcp.to_header().calc_checksum_ipv4(&header, tcp.payload()),
                _ => panic!("neither UDP nor TCP"),
            }
        }
        (NetSlice::Ipv6(ip), transport) => {
            let header = ip.header().to_header();
            match transport {
                TransportSlice::Udp(udp) => udp.to_header().calc_checksum_ipv6(&header, udp.payload()),
                TransportSlice::Tcp(tcp) => tcp.to_header().calc_checksum_ipv6(&header, tcp.payload()),
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
    assert_eq!(checksum.expect("a length that fits"), written, "the checksum of UDP or TCP");
}
