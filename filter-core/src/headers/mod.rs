//! From the start of a frame to the payload of UDP or TCP.
//!
//! Lengths in headers count where they are smaller than the frame (padding follows a short packet);
//! a length of zero means up to the end of the frame, as segmentation offload and jumbograms write
//! it.
//!
//! Most frames are Ethernet, perhaps with VLAN tags, then IP, then UDP or TCP: [`Transport::plain`]
//! finds that in a straight line. Whatever else is around a packet is taken off layer by layer
//! ([`layers`]).

mod behind_ip;
mod ip;
pub(crate) mod layers;
mod path;
mod transport;
mod tunnels;
mod wrapping;

use core::mem::offset_of;

use network_types::{
    eth::EtherType,
    ip::{Ipv4Hdr, Ipv6Hdr},
};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{packet::Packet, reason::Reason};

pub use layers::Layer;
pub(crate) use layers::Layers;
pub use path::TunnelKind;
pub(crate) use path::{Path, Tunnel, VLAN_BITS};

pub(crate) use transport::{Ports, Tcp, acknowledged, tcp, udp};
pub(crate) use wrapping::Wrapping;

/// Offset of the EtherType in an Ethernet header (IEEE 802.3 §3.2.6).
const ETHER_TYPE_AT: u32 = 12;
/// Where the header behind Ethernet starts.
const FIRST_HEADER_AT: u32 = ETHER_TYPE_AT + 2;
/// VLAN tags that are looked behind: a customer's in a provider's (IEEE 802.1ad).
const VLAN_TAGS: u32 = 2;
const VLAN_TAG_BYTES: u32 = 4;

const IPV4: u16 = u16::from_be(EtherType::Ipv4 as u16);
const IPV6: u16 = u16::from_be(EtherType::Ipv6 as u16);
const VLAN: u16 = u16::from_be(EtherType::Ieee8021q as u16);
const PROVIDER_VLAN: u16 = u16::from_be(EtherType::Ieee8021ad as u16);
/// Two tags, as switches wrote them before IEEE 802.1ad.
const OLD_PROVIDER_VLAN: u16 = u16::from_be(EtherType::Ieee8021QinQ1 as u16);

/// Version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Where the addresses are in the IP header (RFC 791 §3.1, RFC 8200 §3).
    #[inline(always)]
    fn addresses_at(self) -> u32 {
        match self {
            Self::V4 => offset_of!(Ipv4Hdr, src_addr) as u32,
            Self::V6 => offset_of!(Ipv6Hdr, src_addr) as u32,
        }
    }
}

/// Transport protocol that carries names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Where the parts of a packet are; all offsets from the start of the frame.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
pub struct Transport {
    family: u32,
    protocol: u32,
    /// Offset of the IP header.
    pub network_at: u32,
    /// Offset of the UDP or TCP header.
    pub transport_at: u32,
    /// Offset behind the last byte of the IP packet, as far as the frame has it.
    pub end: u32,
    /// Tunnels that the packet was in.
    pub tunnels: u32,
    pub(crate) path: Path,
}

/// Addresses and ports of a packet. The octets of an address are in the order that they have in
/// memory; IPv4 addresses fill the first four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Source address.
    pub source: [u64; 2],
    /// Destination address.
    pub destination: [u64; 2],
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

/// Where the straight line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There are no names here.
    Because(Reason),
    /// Something is around the packet, or between its headers: this layer, which starts at this
    /// offset.
    Layered(Layer, u32),
}

impl From<Reason> for Stop {
    #[inline(always)]
    fn from(reason: Reason) -> Self {
        Self::Because(reason)
    }
}

impl Transport {
    /// None yet.
    pub(crate) const NONE: Self = Self {
        family: 0,
        protocol: 0,
        network_at: 0,
        transport_at: 0,
        end: 0,
        tunnels: 0,
        path: Path::PLAIN,
    };

    /// Finds TCP or UDP directly behind Ethernet, VLAN tags and IP.
    #[inline(always)]
    pub(crate) fn plain<P: Packet + ?Sized>(packet: &P) -> Result<Self, Stop> {
        let mut at = ETHER_TYPE_AT;
        let mut ether_type = ether_type_at(packet, at)?;
        let mut path = Path::PLAIN;
        for _ in 0..VLAN_TAGS {
            // Most frames have none.
            if ether_type == IPV4 || ether_type == IPV6 {
                break;
            }
            let (VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN) = ether_type else {
                break;
            };
            path = path.with_outer_tag(ether_type, ether_type_at(packet, at + 2)?);
            at += VLAN_TAG_BYTES;
            ether_type = ether_type_at(packet, at)?;
        }
        // Layers behind tags are taken off from the first on, which has the tags in the path.
        let layered = |at| match at {
            FIRST_HEADER_AT => Stop::Layered(Layer::ether(ether_type), at),
            _ => Stop::Layered(Layer::ETHERNET, 0),
        };
        at += 2;
        let ip = match ether_type {
            IPV4 => ip::v4(packet, at, packet.len())?,
            IPV6 => ip::v6(packet, at, packet.len())?,
            layers::PPPOE_SESSION
            | layers::MPLS
            | layers::MPLS_MULTICAST
            | layers::METADATA
            | 0..=layers::LONGEST_LLC => {
                return Err(layered(at));
            }
            _ => return Err(Reason::NotIp.into()),
        };
        match Protocol::of(ip.next as u8) {
            Some(protocol) => Ok(ip.carries(protocol, ip.payload_at, 0, path)),
            None if behind_ip::leads_on(ip.next as u8) => Err(layered(at)),
            None => Err(Reason::OtherProtocol.into()),
        }
    }

    /// The same that ends here.
    #[inline(always)]
    pub(crate) fn ending_at(self, end: u32) -> Self {
        Self { end, ..self }
    }

    /// Version of IP.
    #[inline(always)]
    pub fn family(&self) -> Family {
        if self.family == Family::V4 as u32 {
            Family::V4
        } else {
            Family::V6
        }
    }

    /// What the IP header carries.
    #[inline(always)]
    pub fn protocol(&self) -> Protocol {
        if self.protocol == Protocol::Tcp as u32 {
            Protocol::Tcp
        } else {
            Protocol::Udp
        }
    }

    /// Offset of the addresses: first the source, then the destination (RFC 791 §3.1, RFC 8200 §3).
    #[inline(always)]
    pub(crate) fn addresses_at(&self) -> u32 {
        self.network_at + self.family().addresses_at()
    }

    /// Source and destination address, laid out as in [`Endpoints`].
    #[inline(always)]
    pub(crate) fn addresses<P: Packet + ?Sized>(&self, packet: &P) -> Option<([u64; 2], [u64; 2])> {
        let at = self.addresses_at();
        let long = |at| packet.read_frame(at).map(u64::from_ne_bytes);
        let short = |at| {
            packet
                .read_frame(at)
                .map(|[a, b, c, d]: [u8; 4]| u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]))
        };
        Some(match self.family() {
            Family::V4 => ([short(at)?, 0], [short(at + 4)?, 0]),
            Family::V6 => ([long(at)?, long(at + 8)?], [long(at + 16)?, long(at + 24)?]),
        })
    }

    /// The addresses and ports, read anew: few packets need them.
    #[inline(always)]
    pub fn endpoints<P: Packet + ?Sized>(&self, packet: &P) -> Option<Endpoints> {
        let (source, destination) = self.addresses(packet)?;
        // Source and destination port are the first fields of UDP (RFC 768) and of TCP
        // (RFC 9293 §3.1).
        let [s0, s1, d0, d1] = packet.read_frame(self.transport_at)?;
        Some(Endpoints {
            source,
            destination,
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
        })
    }
}

/// IANA, Assigned Internet Protocol Numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

impl Protocol {
    /// The one with this number.
    #[inline(always)]
    fn of(number: u8) -> Option<Self> {
        match number {
            TCP => Some(Self::Tcp),
            UDP => Some(Self::Udp),
            _ => None,
        }
    }

    /// Its number.
    #[inline(always)]
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Tcp => TCP,
            Self::Udp => UDP,
        }
    }
}

#[inline(always)]
fn ether_type_at<P: Packet + ?Sized>(packet: &P, at: u32) -> Result<u16, Reason> {
    packet
        .read(at)
        .map(u16::from_be_bytes)
        .ok_or(Reason::HeadersCut)
}

/// Where what starts at `at` ends, if it says that it has `bytes` bytes, or 0 for unknown; at
/// `limit` at the latest.
#[inline(always)]
fn end_of<P: Packet + ?Sized>(packet: &P, at: u32, bytes: u32, limit: u32) -> Result<u32, Reason> {
    if bytes != 0 && at + bytes <= limit {
        Ok(at + bytes)
    } else if packet.is_whole() {
        Ok(limit)
    } else {
        Err(Reason::PacketCut)
    }
}
