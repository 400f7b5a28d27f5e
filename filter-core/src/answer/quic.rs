//! The end of a QUIC connection: the packet that was sealed for its client, in a datagram
//! (RFC 9000 §10.2.3).

use super::{Answering, dns::UDP_BYTES};
use crate::{
    bounds::{opaque, within},
    maps::Maps,
    packet::Replace,
    quic::SEALED_BYTES,
    reason::Counter,
};

/// Octets that are copied at once.
const WORD: usize = 8;

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// Makes sure that the datagram is all there, and that a packet was sealed for its client.
    #[inline(always)]
    pub(super) fn open_quic(&mut self) -> Result<(), Counter> {
        self.open_datagram()?;
        if self.scratch.quic.sealed == 0 {
            Err(Counter::UnansweredRate)
        } else {
            Ok(())
        }
    }

    /// Writes the datagram behind the IP header; gives its end.
    #[inline(always)]
    pub(super) fn write_quic(&mut self) -> Option<u32> {
        let udp_at = self.scratch.transport.transport_at;
        let payload_at = udp_at + UDP_BYTES;
        let room = self.room?;
        for word in 0..opaque(SEALED_BYTES / WORD) {
            let at = within(word, 0, SEALED_BYTES / WORD)? * WORD;
            let octets = room.sealed_word(at as u32)?;
            self.write(payload_at + at as u32, octets)?;
        }
        let bytes = within(self.scratch.quic.sealed as usize, 1, SEALED_BYTES)? as u32;
        let end = payload_at + bytes;
        // What is summed up is a multiple of four bytes.
        self.write(end, [0; 4])?;
        let [l0, l1] = ((end - udp_at) as u16).to_be_bytes();
        self.write(udp_at + 4, [l0, l1, 0, 0])?;
        Some(end)
    }
}
