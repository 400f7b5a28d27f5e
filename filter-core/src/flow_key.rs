//! What tells flows apart.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    abi::Settings,
    headers::{Family, Path, Ports, Transport},
    packet::Packet,
};

/// Who talks to whom, and where that was seen: addresses and ports of one direction of a
/// connection, the version of IP, the interface, and the VLAN tags and the tunnel that the packet
/// was in.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct FlowKey(pub(crate) [u64; 6]);

impl FlowKey {
    /// The flow's keyed hash.
    #[inline(always)]
    pub(crate) fn hash(&self, settings: &Settings) -> u32 {
        settings.flow_hash_key.hash(&self.0, self.is_v6())
    }

    /// The key of these addresses: the first word of IPv4 has both.
    #[inline(always)]
    pub(crate) fn new(
        addresses: [u64; 4],
        ports: u32,
        family: Family,
        interface: u32,
        path: Path,
    ) -> Self {
        let [a0, a1, a2, a3] = addresses;
        // An interface index is positive, and so has 31 bits.
        let place = (u64::from(interface) << 33) | (u64::from(family as u32) << 32);
        Self([a0, a1, a2, a3, place | u64::from(ports), path.0])
    }

    /// True if all words of the addresses are in use.
    #[inline(always)]
    pub(crate) fn is_v6(&self) -> bool {
        self.0[4] & (1 << 32) != 0
    }

    #[inline(always)]
    pub(crate) fn of<P: Packet + ?Sized>(
        packet: &P,
        transport: &Transport,
        ports: Ports,
        interface: u32,
    ) -> Option<Self> {
        let family = transport.family();
        let at = transport.addresses_at();
        let word = |place: u32| packet.read(at + 8 * place).map(u64::from_ne_bytes);
        let addresses = match family {
            Family::V4 => [word(0)?, 0, 0, 0],
            Family::V6 => [word(0)?, word(1)?, word(2)?, word(3)?],
        };
        Some(Self::new(
            addresses,
            ports.0,
            family,
            interface,
            transport.path,
        ))
    }
}
