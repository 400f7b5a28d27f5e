//! UDP and TCP headers.

use network_types::{tcp::TcpHdr, udp::UdpHdr};

use super::Transport;
use crate::{packet::Packet, reason::Reason};

/// Source and destination port, the first fields of UDP (RFC 768) and of TCP (RFC 9293 §3.1), as
/// one number.
#[derive(Clone, Copy)]
pub(crate) struct Ports(pub u32);

impl Ports {
    #[inline(always)]
    pub(crate) fn source(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline(always)]
    pub(crate) fn destination(self) -> u16 {
        self.0 as u16
    }
}

/// A UDP header (RFC 768).
pub(crate) struct Udp {
    pub ports: Ports,
    /// Where the payload starts.
    pub at: u32,
    /// Where it ends.
    pub end: u32,
}

#[inline(always)]
pub(crate) fn udp<P: Packet + ?Sized>(packet: &P, transport: &Transport) -> Result<Udp, Reason> {
    let at = transport.transport_at;
    let [s0, s1, d0, d1, l0, l1, _, _] = packet
        .read::<{ UdpHdr::LEN }>(at)
        .ok_or(Reason::HeadersCut)?;
    let bytes = u32::from(u16::from_be_bytes([l0, l1]));
    if bytes != 0 && bytes < UdpHdr::LEN as u32 {
        return Err(Reason::HeadersMalformed);
    }
    // A length of zero is that of a jumbogram (RFC 2675 §4); one beyond the packet, that of a
    // fragmented datagram.
    let end = if bytes == 0 {
        transport.end
    } else {
        transport.end.min(at + bytes)
    };
    Ok(Udp {
        ports: Ports(u32::from_be_bytes([s0, s1, d0, d1])),
        at: at + UdpHdr::LEN as u32,
        end,
    })
}

/// A TCP header (RFC 9293 §3.1).
pub(crate) struct Tcp {
    pub ports: Ports,
    pub sequence: u32,
    pub syn: bool,
    /// True if the sender says no more: FIN or RST.
    pub closes: bool,
    /// Where the payload starts.
    pub at: u32,
    /// Where it ends.
    pub end: u32,
}

/// The acknowledgement number of the TCP header (RFC 9293 §3.1).
#[inline(always)]
pub(crate) fn acknowledged<P: Packet + ?Sized>(packet: &P, transport: &Transport) -> Option<u32> {
    packet
        .read(transport.transport_at + 8)
        .map(u32::from_be_bytes)
}

#[inline(always)]
pub(crate) fn tcp<P: Packet + ?Sized>(packet: &P, transport: &Transport) -> Result<Tcp, Reason> {
    const SYN: u8 = 2;
    const FIN_OR_RST: u8 = 1 | 4;

    let at = transport.transport_at;
    // As one array, LLVM would put the header on the stack and read it octet by octet.
    let [data_offset, flags] = packet.read(at + 12).ok_or(Reason::HeadersCut)?;
    let [s0, s1, d0, d1, n0, n1, n2, n3] = packet.read(at).ok_or(Reason::HeadersCut)?;
    let header_bytes = u32::from(data_offset >> 4) * 4;
    if header_bytes < TcpHdr::LEN as u32 {
        return Err(Reason::HeadersMalformed);
    }
    Ok(Tcp {
        ports: Ports(u32::from_be_bytes([s0, s1, d0, d1])),
        sequence: u32::from_be_bytes([n0, n1, n2, n3]),
        syn: flags & SYN != 0,
        closes: flags & FIN_OR_RST != 0,
        at: at + header_bytes,
        end: transport.end,
    })
}
