//! Whether a host would take the packet that is to be answered (RFC 1122 §3.2.1.2,
//! RFC 9293 §3.10.7, RFC 768).
//!
//! A packet that a stack of the same machine sent, or that it joined of several, has only the sum
//! of the pseudo-header in the place of its transport's checksum, since a device is to make it
//! (`CHECKSUM_PARTIAL`). In generic mode and on a veth that is what an XDP program sees of most
//! packets, so such a sum is as good as a checksum.

use core::ops::ControlFlow::{self, Break, Continue};

use network_types::ip::Ipv4Hdr;

use super::{Answering, checksum::Sum, envelope::checksum_at};
use crate::{
    buffer::{Copying, MessageBuffer},
    headers::{Family, Protocol, Transport},
    maps::Maps,
    packet::{LoopBody, Replace},
};

/// What is summed up at once.
const PIECE_BYTES: u32 = 2 * MessageBuffer::PIECE;
/// Pieces that are summed up: more than a frame of the largest usual MTU has (9,000). What is
/// longer was joined on its way, and who joined it has looked at the checksums.
const PIECES: u32 = 20;
/// Where pieces go in the draft: behind what is held there of the frame.
const PIECE_AT: u32 = 4 * MessageBuffer::PIECE;

impl<F: Replace, M: Maps> Answering<'_, F, M> {
    /// True if there is a hop left, and the checksum of an IPv4 header is right: no device makes
    /// that one.
    #[inline(always)]
    pub(super) fn has_valid_header(&self) -> Option<bool> {
        let Transport { network_at: at, .. } = self.scratch.transport;
        if self.scratch.transport.family() == Family::V6 {
            let [hops] = self.read(at + 7)?;
            return Some(hops != 0);
        }
        let words: [u8; Ipv4Hdr::LEN] = self.read(at)?;
        let [.., hops, _, _, _, _, _, _, _, _, _, _, _] = words;
        let (words, _) = words.as_chunks();
        let sum = words
            .iter()
            .fold(Sum::default(), |sum, word| sum.add_bytes(*word));
        Some(hops != 0 && sum.folded() == u16::MAX)
    }

    /// True if the checksum of the transport is right, is left to a device, or cannot be known. The
    /// stack keeps the checksum of the first datagram where it joins several (`rx-gro-list`), and
    /// in generic mode the program comes behind that.
    #[inline(always)]
    pub(super) fn has_valid_checksum(&mut self, keeps_buffers: bool) -> Option<bool> {
        let Transport {
            transport_at, end, ..
        } = self.scratch.transport;
        let protocol = self.scratch.transport.protocol();
        let bytes = end.checked_sub(transport_at)?;
        let found = u16::from_ne_bytes(self.read(transport_at + checksum_at(protocol))?);
        let may_be_joined =
            keeps_buffers && protocol == Protocol::Udp && self.scratch.edns.message_end < end;
        if self.scratch.envelope.is_fragment() || may_be_joined || bytes > PIECES * PIECE_BYTES {
            return Some(true);
        }
        if found == 0 && protocol == Protocol::Udp {
            // RFC 768: none was made. RFC 8200 §8.1: over IPv6, one is.
            return Some(self.scratch.transport.family() == Family::V4);
        }
        let pseudo_header = self.scratch.envelope.pseudo_header(protocol, bytes);
        // Devices that cut segments (TSO) may ask for the sum without the length.
        let without_length = self.scratch.envelope.pseudo_header(protocol, 0);
        if found == pseudo_header.folded() || found == without_length.folded() {
            return Some(true);
        }
        Some(
            self.sum_of_frame(transport_at, bytes)
                .is_some_and(|sum| pseudo_header.add(sum).folded() == u16::MAX),
        )
    }

    /// The sum of so many bytes of the frame at `at`; `None` if they are not there, or more than
    /// are summed up.
    #[inline(always)]
    pub(super) fn sum_of_frame(&mut self, at: u32, bytes: u32) -> Option<u32> {
        self.scratch.copying = Copying {
            at,
            to: 0,
            left: bytes,
        };
        F::repeat(PIECES, &Summing, self);
        let Copying { to: sum, left, .. } = self.scratch.copying;
        (left == 0).then_some(sum)
    }

    /// Adds the next piece of the frame to the sum.
    #[inline(always)]
    fn sum_piece(&mut self) -> Option<()> {
        let Copying {
            at,
            to: so_far,
            left,
        } = self.scratch.copying;
        let len = left.min(PIECE_BYTES);
        let first = len.min(MessageBuffer::PIECE);
        self.frame
            .copy(at, first, self.draft.as_mut_array(), PIECE_AT)?;
        if len > first {
            self.frame.copy(
                at + first,
                len - first,
                self.draft.as_mut_array(),
                PIECE_AT + first,
            )?;
        }
        // What is summed up is a multiple of four bytes.
        self.write(PIECE_AT + len, [0; 4])?;
        let (sum, carry) = so_far.overflowing_add(self.draft.sum(PIECE_AT, (len + 3) & !3));
        self.scratch.copying = Copying {
            at: at + len,
            to: sum + u32::from(carry),
            left: left - len,
        };
        Some(())
    }
}

/// Sums up what is left of the packet, piece by piece.
struct Summing;

impl<F: Replace, M: Maps> LoopBody<Answering<'_, F, M>> for Summing {
    #[inline(always)]
    fn turn(&self, answering: &mut Answering<'_, F, M>) -> ControlFlow<()> {
        if answering.scratch.copying.left == 0 || answering.sum_piece().is_none() {
            return Break(());
        }
        Continue(())
    }
}
