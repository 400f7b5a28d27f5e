//! The packet by which a client hears that its connection is closed: an Initial packet with
//! `CONNECTION_CLOSE`, under the keys of the server (RFC 9000 §10.2.3).
//!
//! The client takes it as it would take one of its server: it is to the connection ID that the
//! client has chosen, from the one that the client sends to, and of the version of its packet.

use super::Inspection;
use crate::{
    bounds::within,
    decide::calls::Frame,
    flows::Flows,
    maps::Maps,
    quic::{
        ConnectionId, FIXED_BYTES, LONG, LongHeader, Opening, QuicRoom, SEALED_BYTES, SERVER_IN,
        VERSIONS,
    },
};

/// The fixed bit (RFC 9000 §17.2).
const FIXED: u8 = 0x40;
/// Of the first octet: a packet number of four octets.
const LONG_NUMBER: u8 = 3;
const NUMBER_BYTES: u32 = 4;
/// A server that has not sent its part of the handshake has used no number near this one. So no
/// client takes the packet for one that it has had.
const NUMBER: u32 = 0x0100;
const TAG_BYTES: u32 = 16;
const PAYLOAD_BYTES: u32 = 32;
/// What the server's alert would be: `CRYPTO_ERROR` (RFC 9000 §20.1) with `unrecognized_name`
/// (RFC 8446 §6.2). The frame that caused it is unknown; the reason is for whoever reads a log.
const PAYLOAD: [u8; PAYLOAD_BYTES as usize] = *b"\x1c\x41\x70\0\x1bblocked by a network policy";

const _: () = assert!(
    FIXED_BYTES + 2 * (ConnectionId::LONGEST + 1) + 3 + NUMBER_BYTES + PAYLOAD_BYTES + TAG_BYTES
        <= SEALED_BYTES as u32
);

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Seals the packet by which the client of the packet that was read last hears that its
    /// connection is closed, unless as many packets were opened as may be in a second.
    #[inline(always)]
    pub fn seal_quic_close<F: Flows>(&mut self, flows: &mut F) {
        if !P::may_open_quic(self, flows) {
            return;
        }
        let Some((_, room)) = flows.quic_flow(0) else {
            return;
        };
        let version = self.scratch.quic.version;
        let Some(end) = self.write_quic_close(room) else {
            return;
        };
        if P::derive_keys(self, room, version, SERVER_IN.index()) && self.seal_packet(room) {
            self.scratch.quic.sealed = end;
        }
    }

    /// Writes the packet as it is before it is protected; gives where it ends.
    #[inline(always)]
    fn write_quic_close(&mut self, room: &mut QuicRoom) -> Option<u32> {
        let LongHeader {
            destination,
            version,
            at,
            ..
        } = self.scratch.quic;
        let source_at = at + FIXED_BYTES + destination.len();
        let [source_bytes] = self.packet.read(source_at)?;
        let source = ConnectionId::read(self.packet, source_at + 1, source_bytes.into())?;
        let row = VERSIONS.get(within(version as usize, 0, VERSIONS.len() - 1)?)?;
        let [v0, v1, v2, v3] = self.packet.read(at + 1)?;
        let first = LONG | FIXED | (row.initial << 4) | LONG_NUMBER;
        room.packet
            .write(0, [first, v0, v1, v2, v3, source_bytes])?;
        let behind = source.write(room, FIXED_BYTES)?;
        room.packet.write(behind, [destination.len() as u8])?;
        let behind = destination.write(room, behind + 1)?;
        // No token, and a length in two octets (RFC 9000 §16).
        let [l0, l1] = ((NUMBER_BYTES + PAYLOAD_BYTES + TAG_BYTES) as u16 | 0x4000).to_be_bytes();
        room.packet.write(behind, [0, l0, l1])?;
        let number_at = behind + 3;
        let payload_at = number_at + NUMBER_BYTES;
        room.packet.write(number_at, NUMBER.to_be_bytes())?;
        for (place, octets) in PAYLOAD.as_chunks::<8>().0.iter().enumerate() {
            room.packet.write(payload_at + 8 * place as u32, *octets)?;
        }
        let payload_end = payload_at + PAYLOAD_BYTES;
        room.opening = Opening {
            number_at,
            payload_at,
            payload_end,
            decrypted: payload_at,
            wanted: payload_end,
            number: NUMBER,
            is_sealed: 1,
            ..Opening::default()
        };
        Some(payload_end + TAG_BYTES)
    }
}
