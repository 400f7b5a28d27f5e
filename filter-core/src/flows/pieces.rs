//! A flow whose message is held, and which bytes of it have come.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{Ended, LastReset};
use crate::{
    buffer::{CopyState, Copying, MessageBuffer},
    flow_key::FlowKey,
    packet::{LoopBody, Packet},
    scratch::Segment,
};

/// Pieces beyond a gap that are held at once. A sender's window of a hello has a few segments.
const ISLANDS: usize = 4;

/// One direction of a connection, with the bytes of the message that is under way.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Flow {
    pub(crate) key: FlowKey,
    /// Sequence number of the first held byte.
    pub(crate) start: u32,
    /// Bytes from the start on that have come without a gap.
    pub(crate) have: u32,
    /// Bytes of the start that are judged: whole DNS messages.
    pub(crate) judged: u32,
    /// 1 if it carries DNS, else TLS.
    pub(crate) dns: u32,
    /// 1 if the message is blocked.
    pub(crate) blocked: u32,
    /// What is known of a stream of DNS: [`Flow::SPOKEN`], [`Flow::OPENED`], [`Flow::BEGUN`].
    pub(crate) certainty: u32,
    pub(crate) last_reset: LastReset,
    pub(crate) ended: Ended,
    /// Bytes beyond a gap that have come; an empty range where there is none.
    islands: [OutOfOrderRange; ISLANDS],
    pub(crate) bytes: MessageBuffer,
}

/// A range of bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OutOfOrderRange {
    from: u32,
    to: u32,
}

impl Flow {
    /// Nobody's flow.
    pub const EMPTY: Self = Self {
        key: FlowKey([0; 6]),
        start: 0,
        have: 0,
        judged: 0,
        dns: 0,
        blocked: 0,
        certainty: 0,
        last_reset: LastReset::NONE,
        ended: Ended::NONE,
        islands: [OutOfOrderRange { from: 0, to: 0 }; ISLANDS],
        bytes: MessageBuffer::EMPTY,
    };

    /// A DNS message of it has a name that was judged; [`Segment::dns_confirmed`] has the same
    /// number.
    pub(crate) const SPOKEN: u32 = Segment::CONFIRMED;
    /// Its first octet was told by its SYN.
    pub(crate) const OPENED: u32 = 2;
    /// Something with a length was taken off its start, so that it does not start with a hello.
    pub(crate) const BEGUN: u32 = 4;

    /// Starts anew with the message of this segment, and nothing held.
    #[inline(always)]
    pub(crate) fn begin(&mut self, segment: &Segment) {
        self.key = segment.key;
        self.dns = segment.dns;
        self.blocked = 0;
        self.last_reset = LastReset::NONE;
        self.ended = Ended::NONE;
        self.start_at(segment.first);
        self.certainty = if segment.opens != 0 { Self::OPENED } else { 0 };
    }

    /// True if it is the flow of this segment.
    #[inline(always)]
    pub(crate) fn is_of(&self, segment: &Segment) -> bool {
        self.key == segment.key
    }

    /// True if this segment starts another message, and the one that is held was given up by its
    /// sender.
    #[inline(always)]
    pub(crate) fn is_left_by(&self, segment: &Segment) -> bool {
        /// More than the rest of a DNS message that is not held but goes by.
        const GOES_BY: u32 = 1 << 17;
        /// So near to a blocked message, nobody starts another connection by chance.
        const NEAR: u32 = 1 << 24;

        let ahead = segment.first.wrapping_sub(self.start);
        let behind = ahead.wrapping_neg();
        if segment.opens != 0 {
            return ahead != 0;
        }
        // A stream that was joined in the middle of a message, and now one starts: right behind
        // what has come, or in what was taken for the rest of a long one.
        let goes_on = ahead == self.have || ahead.cast_signed() < 0;
        if self.dns != 0 && !self.is_certain() && segment.is_message != 0 && ahead != 0 && goes_on {
            return true;
        }
        segment.begins != 0
            && ahead >= MessageBuffer::LEN
            && !(self.dns != 0 && behind < GOES_BY)
            && !(self.blocked != 0 && ahead.min(behind) < NEAR)
    }

    /// True if messages of DNS start where they are looked for.
    #[inline(always)]
    fn is_certain(&self) -> bool {
        self.certainty & (Self::SPOKEN | Self::OPENED) != 0
    }

    /// Starts anew at another place of the stream.
    #[inline(always)]
    pub(crate) fn start_at(&mut self, start: u32) {
        if start != self.start {
            self.certainty |= Self::BEGUN;
        }
        self.start = start;
        self.have = 0;
        self.judged = 0;
        self.islands = [OutOfOrderRange::default(); ISLANDS];
    }

    /// The bytes of the message that is under way.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &MessageBuffer {
        &self.bytes
    }

    /// True if nothing is held.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.have == 0 && self.islands.iter().all(|island| island.is_empty())
    }

    /// Holds the bytes from `at` to `end` of the frame, which are at `offset` from the start. What
    /// has come before without a gap stays: as a receiver, this takes the first copy of what comes
    /// again (RFC 9293 §3.10.7.4). Beyond a gap, the later copy counts. False if they are beyond
    /// more gaps than are followed.
    #[inline(always)]
    pub(crate) fn hold<F: Packet + ?Sized>(
        &mut self,
        frame: &F,
        (at, end): (u32, u32),
        offset: u32,
        copying: &mut Copying,
    ) -> bool {
        let to = (offset + (end - at)).min(MessageBuffer::LEN);
        let from = offset.max(self.have);
        if from >= to {
            return true;
        }
        let at = at + (from - offset);
        let bytes = &mut self.bytes;
        *copying = Copying {
            at,
            to: from,
            left: to - from,
        };
        let copy =
            |at, len, into: &mut MessageBuffer, to| frame.copy(at, len, into.as_mut_array(), to);
        in_pieces::<F>(
            CopyState {
                into: bytes,
                copying,
            },
            copy,
        ) && self.add(OutOfOrderRange { from, to })
    }

    #[inline(always)]
    fn add(&mut self, piece: OutOfOrderRange) -> bool {
        if piece.from > self.have {
            return self.add_island(piece);
        }
        self.have = self.have.max(piece.to);
        // An island that is reached may reach the next, which may stand before it.
        for _ in 0..ISLANDS {
            for island in &mut self.islands {
                if island.from <= self.have {
                    self.have = self.have.max(island.to);
                    *island = OutOfOrderRange::default();
                }
            }
        }
        true
    }

    #[inline(always)]
    fn add_island(&mut self, piece: OutOfOrderRange) -> bool {
        let mut piece = piece;
        // Islands do not touch each other: one pass finds all that the piece joins.
        for island in &mut self.islands {
            if !island.is_empty() && island.from <= piece.to && piece.from <= island.to {
                piece = island.with(piece);
                *island = OutOfOrderRange::default();
            }
        }
        for island in &mut self.islands {
            if island.is_empty() {
                *island = piece;
                return true;
            }
        }
        false
    }

    /// Forgets the bytes that are judged; those behind them move to the start, by way of `spare`.
    #[inline(always)]
    pub(crate) fn forget_judged<F: Packet + ?Sized>(
        &mut self,
        spare: &mut MessageBuffer,
        copying: &mut Copying,
    ) {
        let by = self.judged;
        let last = self
            .islands
            .iter()
            .fold(self.have, |last, island| last.max(island.to));
        let left = last.saturating_sub(by).min(MessageBuffer::LEN);
        let bytes = &mut self.bytes;
        *copying = Copying {
            at: by,
            to: 0,
            left,
        };
        in_pieces::<F>(
            CopyState {
                into: spare,
                copying,
            },
            |at, len, into, to| F::copy_buffered(bytes, at, len, into.as_mut_array(), to),
        );
        *copying = Copying { at: 0, to: 0, left };
        in_pieces::<F>(
            CopyState {
                into: bytes,
                copying,
            },
            |at, len, into, to| F::copy_buffered(spare, at, len, into.as_mut_array(), to),
        );
        self.start = self.start.wrapping_add(by);
        self.certainty |= Self::BEGUN;
        self.have = self.have.saturating_sub(by);
        self.judged = 0;
        for island in &mut self.islands {
            *island = OutOfOrderRange {
                from: island.from.saturating_sub(by),
                to: island.to.saturating_sub(by),
            };
        }
    }
}

impl OutOfOrderRange {
    #[inline(always)]
    fn is_empty(self) -> bool {
        self.from >= self.to
    }

    /// Both as one.
    #[inline(always)]
    fn with(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }
}

/// Copies so many bytes at `at` of the frame to the start of `into`; false if the frame does not
/// have them.
#[inline(always)]
pub(crate) fn copy_frame<F: Packet + ?Sized>(
    frame: &F,
    at: u32,
    into: &mut MessageBuffer,
    bytes: u32,
    copying: &mut Copying,
) -> bool {
    *copying = Copying {
        at,
        to: 0,
        left: bytes,
    };
    let copy = |at, len, into: &mut MessageBuffer, to| frame.copy(at, len, into.as_mut_array(), to);
    in_pieces::<F>(CopyState { into, copying }, copy)
}

/// Copies piece by piece, with `copy` given where from, how much, into what and where to; false if
/// one fails.
#[inline(always)]
fn in_pieces<F: Packet + ?Sized>(
    mut state: CopyState<'_>,
    copy: impl Fn(u32, u32, &mut MessageBuffer, u32) -> Option<()>,
) -> bool {
    F::repeat(
        MessageBuffer::LEN / MessageBuffer::PIECE,
        &Pieces(copy),
        &mut state,
    );
    state.copying.left == 0
}

struct Pieces<C>(C);

impl<C: Fn(u32, u32, &mut MessageBuffer, u32) -> Option<()>> LoopBody<CopyState<'_>> for Pieces<C> {
    #[inline(always)]
    fn turn(&self, CopyState { into, copying }: &mut CopyState<'_>) -> ControlFlow<()> {
        let Copying { at, to, left } = **copying;
        let len = left.min(MessageBuffer::PIECE);
        if len == 0 || (self.0)(at, len, into, to).is_none() {
            return Break(());
        }
        copying.advance(len);
        Continue(())
    }
}
