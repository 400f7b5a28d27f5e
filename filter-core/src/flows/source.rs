//! Who is taken for one source of flows.

use crate::{
    abi::{Interface, Settings},
    flow_key::FlowKey,
    headers::{Family, Path, Transport},
    packet::Packet,
};

/// Where the source is in an Ethernet header (IEEE 802.3 §3.2.4).
const SOURCE_MAC_AT: u32 = 6;
/// Of an IPv4 address as it lies in memory, the /24.
pub(crate) const V4_PREFIX: u64 = (!0_u64 << 40).to_be();

/// The keyed hash of the source of a packet. On an interface with clients that is a MAC address
/// with an IP address; elsewhere, where one router sends for many, it is the /24 of IPv4 or the /64
/// of IPv6.
#[inline(always)]
pub(crate) fn source_hash<P: Packet + ?Sized>(
    packet: &P,
    transport: &Transport,
    settings: &Settings,
    interface: (u32, &Interface),
) -> Option<u32> {
    let (index, interface) = interface;
    let ([start, rest], _) = transport.addresses(packet)?;
    let words = if interface.faces_clients() {
        let [m0, m1, m2, m3, m4, m5]: [u8; 6] = packet.read(SOURCE_MAC_AT)?;
        [
            start,
            rest,
            u64::from_ne_bytes([m0, m1, m2, m3, m4, m5, 0, 0]),
            0,
        ]
    } else {
        let prefix = match transport.family() {
            Family::V4 => start & V4_PREFIX,
            Family::V6 => start,
        };
        [prefix, 0, 0, 0]
    };
    // All words count, as those of IPv6 do; ports of 0 and of all ones tell the two families apart.
    let ports = if transport.family() == Family::V4 {
        0
    } else {
        u32::MAX
    };
    // Of what the packet is in, the VLANs alone: who makes a tunnel may write any number into it.
    let vlans = transport.path.outer_tags().unwrap_or_default();
    Some(FlowKey::new(words, ports, Family::V6, index, Path(vlans.into())).hash(settings))
}
