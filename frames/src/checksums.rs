//! Frames whose checksums are made anew, or left to a device.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

/// The frame with right checksums of its IP header and of UDP or TCP, as etherparse makes them. A
/// datagram without one gets one.
///
/// # Panics
/// If it is no UDP or TCP in IP directly behind Ethernet and VLAN tags.
pub fn with_checksums(frame: &[u8]) -> Vec<u8> {
    let packet = SlicedPacket::from_ethernet(frame).expect("a packet in Ethernet");
    let mut written = frame.to_vec();
    let (network, transport) = (
        packet.net.expect("an IP header"),
        packet.transport.expect("UDP or TCP"),
    );
    if let NetSlice::Ipv4(ip) = &network {
        let checksum = ip.header().to_header().calc_header_checksum();
        put(
            &mut written,
            place(frame, ip.header().slice()) + 10,
            checksum,
        );
    }
    let (at, checksum) = match (&transport, &network) {
        (TransportSlice::Udp(udp), NetSlice::Ipv4(ip)) => (
            6,
            udp.to_header()
                .calc_checksum_ipv4(&ip.header().to_header(), udp.payload()),
        ),
        (TransportSlice::Udp(udp), NetSlice::Ipv6(ip)) => (
            6,
            udp.to_header()
                .calc_checksum_ipv6(&ip.header().to_header(), udp.payload()),
        ),
        (TransportSlice::Tcp(tcp), NetSlice::Ipv4(ip)) => (
            16,
            tcp.to_header()
                .calc_checksum_ipv4(&ip.header().to_header(), tcp.payload()),
        ),
        (TransportSlice::Tcp(tcp), NetSlice::Ipv6(ip)) => (
            16,
            tcp.to_header()
                .calc_checksum_ipv6(&ip.header().to_header(), tcp.payload()),
        ),
        _ => panic!("neither UDP nor TCP"),
    };
    put(
        &mut written,
        transport_at(frame, &transport) + at,
        checksum.expect("a length that fits"),
    );
    written
}

/// The frame as a stack hands it to a device that is to make the checksum of UDP or TCP: the sum of
/// the pseudo-header stands in its place (RFC 768, RFC 9293 §3.1), with the length of the datagram
/// or segment or, where the device is to cut it, without.
///
/// # Panics
/// If it is no UDP or TCP in IP directly behind Ethernet and VLAN tags.
pub fn with_partial_checksum(frame: &[u8], with_length: bool) -> Vec<u8> {
    let packet = SlicedPacket::from_ethernet(frame).expect("a packet in Ethernet");
    let (network, transport) = (
        packet.net.expect("an IP header"),
        packet.transport.expect("UDP or TCP"),
    );
    let at = transport_at(frame, &transport);
    let (number, checksum_at) = match &transport {
        TransportSlice::Udp(_) => (17_u8, 6),
        _ => (6, 16),
    };
    let (addresses, end) = match &network {
        NetSlice::Ipv4(ip) => {
            let header = ip.header().to_header();
            let addresses = [header.source, header.destination].concat();
            (
                addresses,
                place(frame, ip.header().slice()) + usize::from(header.total_len),
            )
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header().to_header();
            (
                ([header.source, header.destination].concat()),
                at + usize::from(header.payload_length),
            )
        }
        NetSlice::Arp(_) => panic!("ARP"),
    };
    let length = u16::try_from(if with_length { end - at } else { 0 }).expect("a length that fits");
    let sum = etherparse::checksum::Sum16BitWords::new()
        .add_slice(&addresses)
        .add_2bytes(length.to_be_bytes())
        .add_2bytes([0, number]);
    let mut written = frame.to_vec();
    put(
        &mut written,
        at + checksum_at,
        !sum.ones_complement().to_be(),
    );
    written
}

fn put(frame: &mut [u8], at: usize, checksum: u16) {
    frame[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
}

fn transport_at(frame: &[u8], transport: &TransportSlice) -> usize {
    match transport {
        TransportSlice::Udp(udp) => place(frame, udp.slice()),
        TransportSlice::Tcp(tcp) => place(frame, tcp.slice()),
        _ => panic!("neither UDP nor TCP"),
    }
}

/// Where a part of a frame starts.
fn place(frame: &[u8], part: &[u8]) -> usize {
    part.as_ptr() as usize - frame.as_ptr() as usize
}
