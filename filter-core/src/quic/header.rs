//! The long header of QUIC packets (RFC 9000 §17.2).

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{
    ConnectionId,
    version::{VERSIONS, Version},
};
use crate::{bounds::within, buffer::MessageBuffer, packet::Packet, reason::Reason};

/// The form bit (RFC 9000 §17.2). The fixed bit behind it may be 0 where a server takes that
/// (RFC 9287).
pub(crate) const LONG: u8 = 0x80;
/// The first octet, the version and the length of the destination connection ID.
pub(crate) const FIXED_BYTES: u32 = 6;

/// Types of packets, in the order of RFC 9000 §17.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum PacketType {
    Initial = 0,
    // 0-RTT and Handshake packets are between the two.
    Retry = 3,
}

/// What the long header of a packet says.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct LongHeader {
    /// The destination connection ID.
    pub destination: ConnectionId,
    /// A [`Version`], by its index.
    pub version: u32,
    /// A [`PacketType`].
    pub packet_type: u32,
    /// Where the packet starts in the frame.
    pub at: u32,
    /// Where the packet number starts (RFC 9000 §17.1).
    pub number_at: u32,
    /// Where the packet ends.
    pub end: u32,
    /// 1 if the client is to be told that its connection is closed.
    pub closes: u32,
    /// Bytes of the packet that tells it, once that is sealed.
    pub sealed: u32,
    reserved: u32,
}

/// True if a QUIC packet with a long header and a version that is read starts at `at`.
#[inline(always)]
pub(crate) fn may_start<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> bool {
    let Some([first, version @ ..]) = packet.read::<5>(at) else {
        return false;
    };
    first & LONG != 0
        && at + FIXED_BYTES < end
        && Version::from_wire(u32::from_be_bytes(version)).is_some()
}

impl LongHeader {
    /// Reads the header at `at` of a datagram whose payload ends at `end`. An error if it
    /// contradicts itself, or is of a version that is not read.
    #[inline(always)]
    pub(crate) fn read<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> Result<Self, Reason> {
        const CUT: Reason = Reason::QuicMalformed;

        let [first, v0, v1, v2, v3, length] = packet.read(at).ok_or(CUT)?;
        let version =
            Version::from_wire(u32::from_be_bytes([v0, v1, v2, v3])).ok_or(Reason::QuicOther)?;
        if first & LONG == 0 {
            return Err(Reason::QuicOther);
        }
        let row = within(version.index() as usize, 0, VERSIONS.len() - 1)
            .and_then(|row| VERSIONS.get(row));
        let packet_type =
            u32::from(first >> 4).wrapping_sub(row.map_or(0, |row| row.initial).into()) & 3;
        let destination = ConnectionId::read(packet, at + FIXED_BYTES, length.into()).ok_or(CUT)?;
        let source_at = at + FIXED_BYTES + destination.len();
        let [source_bytes] = packet.read(source_at).ok_or(CUT)?;
        if u32::from(source_bytes) > ConnectionId::LONGEST {
            return Err(CUT);
        }
        let mut behind = source_at + 1 + u32::from(source_bytes);
        // Nothing is read of a Retry; it has neither a length nor anything behind it
        // (RFC 9000 §17.2.5).
        let mut header = Self {
            destination,
            version: version.index(),
            packet_type,
            at,
            number_at: end,
            end,
            closes: 0,
            sealed: 0,
            reserved: 0,
        };
        if packet_type == PacketType::Retry as u32 {
            return Ok(header);
        }
        if packet_type == PacketType::Initial as u32 {
            let (token, token_at) = varint(packet, behind).ok_or(CUT)?;
            behind = token_at + shorter(token, end).ok_or(CUT)?;
        }
        let (length, number_at) = varint(packet, behind).ok_or(CUT)?;
        header.number_at = number_at;
        header.end = number_at + shorter(length, end).ok_or(CUT)?;
        if header.end > end {
            Err(CUT)
        } else {
            Ok(header)
        }
    }

    /// False if the packet is longer than what there is room for, or has less than a sample behind
    /// its number.
    #[inline(always)]
    pub(crate) fn may_be_opened(&self) -> bool {
        /// From the packet number on: four octets and a sample of 16 (RFC 9001 §5.4.2), the last of
        /// which are the tag's.
        const SHORTEST: u32 = 4 + 16;

        self.end - self.at <= MessageBuffer::LEN && self.end - self.number_at >= SHORTEST
    }

    /// True if the client of this packet is to hear that its connection is closed.
    #[inline(always)]
    pub(crate) fn is_to_be_closed(&self) -> bool {
        self.closes != 0 && self.is(PacketType::Initial)
    }

    #[inline(always)]
    pub(crate) fn is(&self, packet_type: PacketType) -> bool {
        self.packet_type == packet_type as u32
    }
}

/// A variable-length integer (RFC 9000 §16), and the offset behind it.
#[inline(always)]
pub(crate) fn varint<P: Packet + ?Sized>(packet: &P, at: u32) -> Option<(u64, u32)> {
    let word = u64::from_be_bytes(packet.read(at)?);
    Some(varint_of(word, at))
}

/// The variable-length integer that eight octets at `at` start with.
#[inline(always)]
pub(crate) fn varint_of(word: u64, at: u32) -> (u64, u32) {
    let bytes = 1_u32 << (word >> 62);
    ((word << 2 >> 2) >> (64 - 8 * bytes), at + bytes)
}

/// A length that a datagram of so many bytes may have in it.
#[inline(always)]
fn shorter(length: u64, end: u32) -> Option<u32> {
    (length <= end.into()).then_some(length as u32)
}
