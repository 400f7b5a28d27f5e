//! From the start of a frame to the payload of UDP or TCP.
//!
//! Lengths in headers count where they are smaller than the frame (padding follows a short packet); a length of zero
//! means up to the end of the frame, as segmentation offload and jumbograms write it.

use core::{
    mem::offset_of,
    ops::ControlFlow::{self, Break, Continue},
};

use network_types::{
    eth::EtherType,
    ip::{Ipv4Hdr, Ipv6Hdr},
    tcp::TcpHdr,
    udp::UdpHdr,
};

use crate::{
    packet::{Packet, Step},
    reason::Reason,
};

/// Offset of the EtherType in an Ethernet header (IEEE 802.3 §3.2.6).
const ETHER_TYPE_AT: u32 = 12;
/// VLAN tags that are looked behind: a customer's in a provider's (IEEE 802.1ad).
const VLAN_TAGS: u32 = 2;
const VLAN_TAG_BYTES: u32 = 4;
/// IPv6 extension headers that are followed; RFC 8200 §4.1 lists seven that may come before TCP or UDP.
const EXTENSION_HEADERS: u32 = 8;

const IPV4: u16 = u16::from_be(EtherType::Ipv4 as u16);
const IPV6: u16 = u16::from_be(EtherType::Ipv6 as u16);
const VLAN: u16 = u16::from_be(EtherType::Ieee8021q as u16);
const PROVIDER_VLAN: u16 = u16::from_be(EtherType::Ieee8021ad as u16);
/// Two tags, as switches wrote them before IEEE 802.1ad.
const OLD_PROVIDER_VLAN: u16 = u16::from_be(EtherType::Ieee8021QinQ1 as u16);

/// Protocol numbers (IANA, Assigned Internet Protocol Numbers).
mod number {
    pub const HOP_BY_HOP: u8 = 0;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const AUTHENTICATION: u8 = 51;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const MOBILITY: u8 = 135;
    pub const HOST_IDENTITY: u8 = 139;
    pub const SHIM6: u8 = 140;
}

/// Version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Transport protocol that carries names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Where the parts of a packet are; all offsets from the start of the frame.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    /// Version of IP.
    pub family: Family,
    /// What the IP header carries.
    pub protocol: Protocol,
    /// Offset of the IP header.
    pub network_at: u32,
    /// Offset of the UDP or TCP header.
    pub transport_at: u32,
    /// Offset behind the last byte of the IP packet, as far as the frame has it.
    pub end: u32,
}

/// Addresses and ports of a packet. IPv4 addresses fill the first four octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Source address.
    pub source: [u8; 16],
    /// Destination address.
    pub destination: [u8; 16],
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

impl Transport {
    /// Finds TCP or UDP in a frame that starts with an Ethernet header; the reason says why there is none.
    #[inline(always)]
    pub fn of<P: Packet + ?Sized>(packet: &P) -> Result<Self, Reason> {
        let (ether_type, network_at) = network(packet)?;
        match ether_type {
            IPV4 => ipv4(packet, network_at),
            IPV6 => ipv6(packet, network_at),
            _ => Err(Reason::NotIp),
        }
    }

    /// The addresses and ports, read anew: few packets need them.
    #[inline(always)]
    pub fn endpoints<P: Packet + ?Sized>(&self, packet: &P) -> Option<Endpoints> {
        let (source, destination) = match self.family {
            Family::V4 => {
                let source = packet.read(self.network_at + offset_of!(Ipv4Hdr, src_addr) as u32)?;
                let destination = packet.read(self.network_at + offset_of!(Ipv4Hdr, dst_addr) as u32)?;
                (widen(source), widen(destination))
            }
            Family::V6 => (
                packet.read(self.network_at + offset_of!(Ipv6Hdr, src_addr) as u32)?,
                packet.read(self.network_at + offset_of!(Ipv6Hdr, dst_addr) as u32)?,
            ),
        };
        // Source and destination port are the first fields of UDP (RFC 768) and of TCP (RFC 9293 §3.1).
        let [s0, s1, d0, d1] = packet.read(self.transport_at)?;
        Some(Endpoints {
            source,
            destination,
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
        })
    }
}

#[inline(always)]
fn widen([a, b, c, d]: [u8; 4]) -> [u8; 16] {
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The EtherType behind VLAN tags, and where its header starts.
#[inline(always)]
fn network<P: Packet + ?Sized>(packet: &P) -> Result<(u16, u32), Reason> {
    let mut at = ETHER_TYPE_AT;
    let mut ether_type = ether_type_at(packet, at)?;
    for _ in 0..VLAN_TAGS {
        let (VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN) = ether_type else { break };
        at += VLAN_TAG_BYTES;
        ether_type = ether_type_at(packet, at)?;
    }
    Ok((ether_type, at + 2))
}

#[inline(always)]
fn ether_type_at<P: Packet + ?Sized>(packet: &P, at: u32) -> Result<u16, Reason> {
    packet.read(at).map(u16::from_be_bytes).ok_or(Reason::HeadersCut)
}

/// RFC 791 §3.1.
#[inline(always)]
fn ipv4<P: Packet + ?Sized>(packet: &P, at: u32) -> Result<Transport, Reason> {
    /// More-fragments flag and fragment offset.
    const FRAGMENT: u16 = 0x3fff;

    let header = packet.read::<{ Ipv4Hdr::LEN }>(at).ok_or(Reason::HeadersCut)?;
    let [version_and_words, _, t0, t1, _, _, f0, f1, _, protocol, ..] = header;
    let header_bytes = u32::from(version_and_words & 0xf) * 4;
    let total = u32::from(u16::from_be_bytes([t0, t1]));
    let version = version_and_words >> 4;
    if version != 4 || header_bytes < Ipv4Hdr::LEN as u32 || (total != 0 && total < header_bytes) {
        return Err(Reason::HeadersMalformed);
    }
    if u16::from_be_bytes([f0, f1]) & FRAGMENT != 0 {
        return Err(Reason::Fragment);
    }
    let protocol = transport_protocol(protocol).ok_or(Reason::OtherProtocol)?;
    let end = end_of(packet, at, total);
    Ok(Transport { family: Family::V4, protocol, network_at: at, transport_at: at + header_bytes, end })
}

/// RFC 8200 §3.
#[inline(always)]
fn ipv6<P: Packet + ?Sized>(packet: &P, at: u32) -> Result<Transport, Reason> {
    let header = packet.read::<{ Ipv6Hdr::LEN }>(at).ok_or(Reason::HeadersCut)?;
    let [version, _, _, _, p0, p1, next, ..] = header;
    if version >> 4 != 6 {
        return Err(Reason::HeadersMalformed);
    }
    let payload_at = at + Ipv6Hdr::LEN as u32;
    let (protocol, transport_at) = match transport_protocol(next) {
        Some(protocol) => (protocol, payload_at),
        None => behind_extensions(packet, payload_at, next)?,
    };
    let end = end_of(packet, payload_at, u32::from(u16::from_be_bytes([p0, p1])));
    Ok(Transport { family: Family::V6, protocol, network_at: at, transport_at, end })
}

#[inline(always)]
fn behind_extensions<P: Packet + ?Sized>(packet: &P, at: u32, next: u8) -> Result<(Protocol, u32), Reason> {
    let mut chain = Extensions { packet, at, next, found: Err(Reason::ExtensionHeaders) };
    P::repeat(EXTENSION_HEADERS + 1, &mut chain);
    Ok((chain.found?, chain.at))
}

struct Extensions<'p, P: ?Sized> {
    packet: &'p P,
    at: u32,
    next: u8,
    found: Result<Protocol, Reason>,
}

impl<P: Packet + ?Sized> Step for Extensions<'_, P> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if let Some(protocol) = transport_protocol(self.next) {
            self.found = Ok(protocol);
            return Break(());
        }
        match extension(self.packet, self.at, self.next) {
            Ok((next, bytes)) => {
                self.next = next;
                self.at += bytes;
                Continue(())
            }
            Err(reason) => {
                self.found = Err(reason);
                Break(())
            }
        }
    }
}

/// What follows an extension header, and its length.
#[inline(always)]
fn extension<P: Packet + ?Sized>(packet: &P, at: u32, number: u8) -> Result<(u8, u32), Reason> {
    let read = || packet.read::<4>(at).ok_or(Reason::HeadersCut);
    match number {
        number::HOP_BY_HOP
        | number::ROUTING
        | number::DESTINATION_OPTIONS
        | number::MOBILITY
        | number::HOST_IDENTITY
        | number::SHIM6 => {
            let [next, eights, ..] = read()?;
            Ok((next, (u32::from(eights) + 1) * 8))
        }
        // RFC 4302 §2.2: counted in units of four octets, and less two.
        number::AUTHENTICATION => {
            let [next, fours, ..] = read()?;
            Ok((next, (u32::from(fours) + 2) * 4))
        }
        // RFC 6946: a fragment that is the whole packet is treated as one.
        number::FRAGMENT => match read()? {
            [next, _, 0, rest] if rest & 0xf9 == 0 => Ok((next, 8)),
            _ => Err(Reason::Fragment),
        },
        _ => Err(Reason::OtherProtocol),
    }
}

#[inline(always)]
fn transport_protocol(number: u8) -> Option<Protocol> {
    match number {
        number::TCP => Some(Protocol::Tcp),
        number::UDP => Some(Protocol::Udp),
        _ => None,
    }
}

/// Where what starts at `at` ends, if it says that it has `bytes` bytes, or 0 for unknown.
#[inline(always)]
fn end_of<P: Packet + ?Sized>(packet: &P, at: u32, bytes: u32) -> u32 {
    let frame = packet.len();
    if bytes == 0 || at + bytes > frame { frame } else { at + bytes }
}

/// RFC 768: the destination port, and the payload's start and end.
#[inline(always)]
pub(crate) fn udp<P: Packet + ?Sized>(packet: &P, transport: &Transport) -> Result<(u16, u32, u32), Reason> {
    let header = packet.read::<{ UdpHdr::LEN }>(transport.transport_at).ok_or(Reason::HeadersCut)?;
    let [_, _, d0, d1, l0, l1, _, _] = header;
    let bytes = u32::from(u16::from_be_bytes([l0, l1]));
    if bytes != 0 && bytes < UdpHdr::LEN as u32 {
        return Err(Reason::HeadersMalformed);
    }
    let end = end_of(packet, transport.transport_at, bytes).min(transport.end);
    Ok((u16::from_be_bytes([d0, d1]), transport.transport_at + UdpHdr::LEN as u32, end))
}

/// RFC 9293 §3.1: the payload's start and end.
#[inline(always)]
pub(crate) fn tcp<P: Packet + ?Sized>(packet: &P, transport: &Transport) -> Result<(u32, u32), Reason> {
    /// Offset of the octet whose upper half is the header's length in words.
    const DATA_OFFSET_AT: u32 = 12;

    let [data_offset] = packet.read(transport.transport_at + DATA_OFFSET_AT).ok_or(Reason::HeadersCut)?;
    let header_bytes = u32::from(data_offset >> 4) * 4;
    if header_bytes < TcpHdr::LEN as u32 {
        return Err(Reason::HeadersMalformed);
    }
    Ok((transport.transport_at + header_bytes, transport.end))
}
