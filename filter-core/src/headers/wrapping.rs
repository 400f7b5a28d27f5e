//! What is before an IP header, of a packet that may be answered.

use network_types::ip::{Ipv4Hdr, Ipv6Hdr};

use super::{
    ETHER_TYPE_AT, Family, OLD_PROVIDER_VLAN, PROVIDER_VLAN, Transport, VLAN, VLAN_TAG_BYTES,
    VLAN_TAGS, ether_type_at, layers,
};
use crate::packet::Packet;

/// PPPoE and PPP (RFC 2516 §4).
const PPPOE_BYTES: u32 = 8;

/// What stands between Ethernet, perhaps with VLAN tags, and an IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// Nothing.
    Plain,
    /// PPPoE.
    Pppoe,
}

impl Wrapping {
    /// `None` where there is more: other layers, a tunnel, IP options or extension headers.
    #[inline(always)]
    pub(crate) fn of<P: Packet + ?Sized>(packet: &P, transport: &Transport) -> Option<Self> {
        let ip_header = match transport.family() {
            Family::V4 => Ipv4Hdr::LEN,
            Family::V6 => Ipv6Hdr::LEN,
        };
        if transport.tunnels != 0
            || transport.transport_at - transport.network_at != ip_header as u32
        {
            return None;
        }
        let mut at = ETHER_TYPE_AT;
        let mut ether_type = ether_type_at(packet, at).ok()?;
        for _ in 0..VLAN_TAGS {
            let (VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN) = ether_type else {
                break;
            };
            at += VLAN_TAG_BYTES;
            ether_type = ether_type_at(packet, at).ok()?;
        }
        at += 2;
        if at == transport.network_at {
            return Some(Self::Plain);
        }
        let is_pppoe =
            ether_type == layers::PPPOE_SESSION && at + PPPOE_BYTES == transport.network_at;
        is_pppoe.then_some(Self::Pppoe)
    }
}
