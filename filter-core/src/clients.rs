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
    /// Its address: the octets in the order that they have in memory; an IPv4 address fills the
    /// first four.
    pub address: [u64; 2],
    /// The family of the address.
    pub family: Family,
}

impl Client {
    /// The client of a packet: who sent a query or a hello, or whom a response is for.
    #[inline(always)]
    pub fn of<P: Packet + ?Sized>(
        packet: &P,
        transport: &Transport,
        of_response: bool,
    ) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_who_asked_or_whom_a_response_is_for() {
        const MACS: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

        for (wrap, octets, family) in [
            (frames::Wrap::v4(53), 4, Family::V4),
            (frames::Wrap::v6(53), 16, Family::V6),
        ] {
            let mut frame = wrap.udp(b"");
            frame[..12].copy_from_slice(&MACS);
            let transport = Transport::plain(&frame[..]).unwrap();
            let source = transport.addresses_at() as usize;
            for (of_response, mac, at) in [
                (false, &MACS[6..], source),
                (true, &MACS[..6], source + octets),
            ] {
                let client = Client::of(&frame[..], &transport, of_response).unwrap();
                assert_eq!(client.mac.to_le_bytes(), *[mac, &[0; 2]].concat());
                let address = client.address.map(u64::to_ne_bytes).concat();
                assert_eq!(
                    (&address[..octets], client.family),
                    (&frame[at..at + octets], family)
                );
                assert!(address[octets..].iter().all(|octet| *octet == 0));
            }
        }
    }
}
