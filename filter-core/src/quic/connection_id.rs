//! Connection IDs (RFC 9000 §5.1).

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::room::QuicRoom;
use crate::packet::Packet;

/// A connection ID: its octets in the order of the packet, the first in the upper bits of the first
/// word, with zeros behind.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct ConnectionId {
    pub(crate) words: [u64; 3],
    /// Number of octets.
    len: u64,
}

impl ConnectionId {
    /// Octets that it has at most (RFC 9000 §17.2).
    pub(crate) const LONGEST: u32 = 20;

    /// The one at `at`; `None` if it is longer than any, or the packet ends within 24 octets, which
    /// no Initial does.
    #[inline(always)]
    pub(crate) fn read<P: Packet + ?Sized>(packet: &P, at: u32, len: u32) -> Option<Self> {
        if len > Self::LONGEST {
            return None;
        }
        let word = |place: u32| {
            let octets = len.saturating_sub(8 * place).min(8);
            let word = u64::from_be_bytes(packet.read(at + 8 * place)?);
            // Two shifts: by 64 bits at once there is none.
            let unused = 4 * (8 - octets);
            Some(word >> unused >> unused << unused << unused)
        };
        Some(Self {
            words: [word(0)?, word(1)?, word(2)?],
            len: len.into(),
        })
    }

    /// Number of octets.
    #[inline(always)]
    pub(crate) fn len(&self) -> u32 {
        self.len as u32
    }

    /// The last four of its first eight octets.
    #[inline(always)]
    pub(crate) fn start(&self) -> u32 {
        let Self {
            words: [start, ..], ..
        } = self;
        *start as u32
    }

    /// The same with the bit behind a message that is hashed (FIPS 180-4 §5.1.1).
    #[inline(always)]
    pub(crate) fn terminated(&self) -> Self {
        let Self {
            words: [w0, w1, w2],
            len,
        } = *self;
        let bit = |place: u64| {
            let is_here = u64::from(len / 8 == place);
            (is_here << 63) >> (8 * (len % 8))
        };
        Self {
            words: [w0 | bit(0), w1 | bit(1), w2 | bit(2)],
            len,
        }
    }

    /// Writes it to the packet in `room`, with more octets behind; gives where it ends.
    #[inline(always)]
    pub(crate) fn write(&self, room: &mut QuicRoom, at: u32) -> Option<u32> {
        let [w0, w1, w2] = self.words.map(u64::to_be_bytes);
        room.packet.write(at, w0)?;
        room.packet.write(at + 8, w1)?;
        room.packet.write(at + 16, w2)?;
        Some(at + self.len())
    }
}
