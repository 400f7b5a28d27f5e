//! Who asked: the client, by whose group the policy may differ.

use crate::{
    headers::{Family, Transport},
    packet::Packet,
};

/// The client's end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The MAC address of that end, in the lower six octets and in the order of the frame.
    pub mac: u64,
    /// Its address: the octets in the order that they have in memory; an IPv4 address fills the first four.
    pub address: [u64; 2],
    /// The family of the address.
    pub family: Family,
}

impl Client {
    /// The client of a packet: who sent a query or a hello, or whom a response is for.
    #[inline(always)]
    pub fn of<P: Packet + ?Sized>(packet: &P, transport: &Transport, of_response: bool) -> Option<Self> {
        let at = if of_response { 0 } else { 6 };
        let mac = packet.read_frame(at)?;
        let (source, destination) = transport.addresses(packet)?;
        Some(Self {
            mac: Self::mac(mac),
            address: if of_response { destination } else { source },
            family: transport.family(),
        })
    }

    /// A MAC address as a number.
    #[inline(always)]
    pub const fn mac(octets: [u8; 6]) -> u64 {
        let [low @ .., e, f] = octets;
        u32::from_le_bytes(low) as u64 | ((e as u64) << 32) | ((f as u64) << 40)
    }
}
