//! IP headers.

use network_types::ip::{Ipv4Hdr, Ipv6Hdr};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Family, Path, Protocol, Transport, end_of};
use crate::{packet::Packet, reason::Reason};

/// An IP header.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Ip {
    family: u32,
    network_at: u32,
    /// Protocol number of what follows.
    pub next: u32,
    /// Offset of what follows.
    pub payload_at: u32,
    /// Offset behind the packet.
    pub end: u32,
}

impl Ip {
    /// No header yet, in a frame of this length.
    #[inline(always)]
    pub(super) const fn none(end: u32) -> Self {
        Self {
            family: Family::V4 as u32,
            network_at: 0,
            next: 0,
            payload_at: 0,
            end,
        }
    }

    /// The packet around this transport.
    #[inline(always)]
    pub(super) fn around(transport: &Transport) -> Self {
        let &Transport {
            family,
            network_at,
            transport_at,
            end,
            ..
        } = transport;
        Self {
            family,
            network_at,
            next: 0,
            payload_at: transport_at,
            end,
        }
    }

    /// Version, and offset of the header.
    #[inline(always)]
    pub(super) fn header(&self) -> (Family, u32) {
        (
            if self.family == Family::V4 as u32 {
                Family::V4
            } else {
                Family::V6
            },
            self.network_at,
        )
    }

    /// The packet with this transport at this offset.
    #[inline(always)]
    pub(super) fn carries(
        &self,
        protocol: Protocol,
        transport_at: u32,
        tunnels: u32,
        path: Path,
    ) -> Transport {
        Transport {
            family: self.family,
            protocol: protocol as u32,
            network_at: self.network_at,
            transport_at,
            end: self.end,
            tunnels,
            path,
        }
    }
}

/// RFC 791 §3.1. The packet ends at `limit` at the latest. Of a fragmented packet, the first
/// fragment is one.
#[inline(always)]
pub(super) fn v4<P: Packet + ?Sized>(packet: &P, at: u32, limit: u32) -> Result<Ip, Reason> {
    const FRAGMENT_OFFSET: u16 = 0x1fff;

    let header = packet
        .read::<{ Ipv4Hdr::LEN }>(at)
        .ok_or(Reason::HeadersCut)?;
    let [version_and_words, _, t0, t1, _, _, f0, f1, _, next, ..] = header;
    let header_bytes = u32::from(version_and_words & 0xf) * 4;
    let total = u32::from(u16::from_be_bytes([t0, t1]));
    let version = version_and_words >> 4;
    if version != 4 || header_bytes < Ipv4Hdr::LEN as u32 || (total != 0 && total < header_bytes) {
        return Err(Reason::HeadersMalformed);
    }
    if u16::from_be_bytes([f0, f1]) & FRAGMENT_OFFSET != 0 {
        return Err(Reason::Fragment);
    }
    let end = end_of(packet, at, total, limit)?;
    Ok(Ip {
        family: Family::V4 as u32,
        network_at: at,
        next: u32::from(next),
        payload_at: at + header_bytes,
        end,
    })
}

/// RFC 8200 §3.
#[inline(always)]
pub(super) fn v6<P: Packet + ?Sized>(packet: &P, at: u32, limit: u32) -> Result<Ip, Reason> {
    let header = packet
        .read::<{ Ipv6Hdr::LEN }>(at)
        .ok_or(Reason::HeadersCut)?;
    let [version, _, _, _, p0, p1, next, ..] = header;
    if version >> 4 != 6 {
        return Err(Reason::HeadersMalformed);
    }
    let payload_at = at + Ipv6Hdr::LEN as u32;
    let end = end_of(
        packet,
        payload_at,
        u32::from(u16::from_be_bytes([p0, p1])),
        limit,
    )?;
    Ok(Ip {
        family: Family::V6 as u32,
        network_at: at,
        next: u32::from(next),
        payload_at,
        end,
    })
}
