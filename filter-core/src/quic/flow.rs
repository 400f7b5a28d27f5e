//! A QUIC connection, of which a part of the hello has come or the verdict is known.

use core::ops::ControlFlow::{self, Break, Continue};

use zerocopy::FromBytes;

use super::{connection_id::ConnectionId, header::LongHeader, keys::InitialKeys, room::QuicRoom};
use crate::{
    bounds::{opaque, within},
    buffer::{MessageBuffer, PIECE},
    flow_key::FlowKey,
    packet::{LoopBody, LoopState, Packet},
    reason::Reason,
};

/// Octets for which one word has a bit each.
const WORD: u32 = 64;
const WORDS: usize = (MessageBuffer::LEN / WORD) as usize;
/// Words that a piece of [`PIECE`] octets reaches into.
const PIECE_WORDS: u32 = PIECE / WORD + 1;

const _: () = assert!(MessageBuffer::LEN.is_multiple_of(WORD));

/// The client's side of a connection, while its hello is under way and for some time behind that.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
pub struct QuicFlow {
    pub(crate) key: FlowKey,
    /// When its last packet came that was read or dropped, in nanoseconds.
    pub(crate) seen: u64,
    /// The destination connection ID that the keys follow from: the client's first, or the one of a
    /// Retry.
    pub(crate) original: ConnectionId,
    /// The one that the client sends since the server has answered.
    pub(crate) of_server: ConnectionId,
    pub(crate) keys: InitialKeys,
    /// A [`Version`](super::version::Version), by its index.
    pub(crate) version: u32,
    /// One more than the index of the [`Reason`] that its hello met; 0 while that is under way.
    verdict: u32,
    /// Octets of the handshake from its start on that have come without a gap.
    pub(crate) have: u32,
    /// 1 if its client is to be told that it is closed.
    closes: u32,
    /// For each octet of the handshake, whether it has come.
    received: [u64; WORDS],
    pub(crate) bytes: MessageBuffer,
}

impl LoopState for QuicFlow {}

impl QuicFlow {
    /// Nanoseconds after its last packet for which a connection is remembered: longer than clients
    /// try (RFC 9002 §6.2.2), and shorter than a port is left alone by those that use it again.
    const REMEMBERED: u64 = 30_000_000_000;

    /// Starts anew with the connection of this packet, which was opened by these keys.
    #[inline(always)]
    pub(crate) fn begin(&mut self, key: &FlowKey, header: &LongHeader, keys: &InitialKeys) {
        self.key = *key;
        self.original = header.destination;
        self.of_server = header.destination;
        self.keys = *keys;
        self.version = header.version;
        self.verdict = 0;
        self.have = 0;
        for word in &mut self.received {
            *word = 0;
        }
    }

    /// True if it is the flow of this segment, which comes before it is forgotten.
    #[inline(always)]
    pub(crate) fn is_of(&self, key: &FlowKey, now: u64) -> bool {
        self.key == *key && now.saturating_sub(self.seen) < Self::REMEMBERED
    }

    /// True if packets to this connection ID are known to be of it.
    #[inline(always)]
    pub(crate) fn is_to(&self, destination: &ConnectionId) -> bool {
        self.original == *destination || self.of_server == *destination
    }

    /// Why its hello met its verdict; `None` while that is under way.
    #[inline(always)]
    pub(crate) fn verdict(&self) -> Option<Reason> {
        if self.verdict == 0 {
            None
        } else {
            Reason::ALL.get(opaque(self.verdict as usize - 1)).copied()
        }
    }

    /// Notes its verdict, and whether its client is to hear of that.
    #[inline(always)]
    pub(crate) fn set_verdict(&mut self, reason: Reason, closes: bool) {
        self.verdict = reason.index() + 1;
        self.closes = closes.into();
    }

    /// Takes down for the packet at hand what telling its client takes.
    #[inline(always)]
    pub(crate) fn prepare_closing(&self, header: &mut LongHeader, room: &mut QuicRoom) {
        header.closes = self.closes;
        room.derive_from = self.original;
    }

    /// Notes that octets have come, [`PIECE`] at most.
    #[inline(always)]
    pub(crate) fn receive(&mut self, from: u32, to: u32) {
        for place in 0..PIECE_WORDS {
            let index = from / WORD + place;
            let start = index * WORD;
            let bits = low_bits(to.saturating_sub(start)) & !low_bits(from.saturating_sub(start));
            if let Some(word) =
                within(index as usize, 0, WORDS - 1).and_then(|index| self.received.get_mut(index))
            {
                *word |= bits;
            }
        }
        if from <= self.have {
            self.have = self.have.max(to);
        }
    }

    /// Counts what came behind a gap that is closed.
    #[inline(always)]
    pub(crate) fn close_gaps<P: Packet + ?Sized>(&mut self) {
        P::repeat(WORDS as u32 + 1, &ClosingGaps, self);
    }
}

/// Goes on by the octets of one word that have come without a gap.
struct ClosingGaps;

impl LoopBody<QuicFlow> for ClosingGaps {
    #[inline(always)]
    fn turn(&self, flow: &mut QuicFlow) -> ControlFlow<()> {
        let have = flow.have;
        let word =
            within((have / WORD) as usize, 0, WORDS - 1).and_then(|index| flow.received.get(index));
        let Some(word) = word else { return Break(()) };
        let (shift, left) = (have % WORD, WORD - have % WORD);
        let run = leading_run(word >> shift).min(left);
        flow.have = have + run;
        if run < left { Break(()) } else { Continue(()) }
    }
}

/// A word whose lowest so many bits are set; all of them for more than it has.
#[inline(always)]
fn low_bits(bits: u32) -> u64 {
    // Two shifts: by 64 bits at once there is none.
    let bits = bits.min(WORD);
    !(u64::MAX << (bits / 2) << (bits - bits / 2))
}

/// Number of bits that are set from the lowest on. BPF has no instruction for that.
#[inline(always)]
fn leading_run(word: u64) -> u32 {
    let (mut word, mut run) = (word, 0);
    for bits in [32, 16, 8, 4, 2, 1] {
        let are_set = u32::from(!word & low_bits(bits) == 0);
        let step = bits * are_set;
        run += step;
        word >>= step;
    }
    run + u32::from(word & 1 != 0)
}
