//! The frames of an Initial packet (RFC 9000 §12.4, §19), of which CRYPTO frames carry the
//! handshake.

use core::{
    marker::PhantomData,
    ops::ControlFlow::{self, Break, Continue},
};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{flow::QuicFlow, header::varint_of, room::QuicRoom};
use crate::{
    bounds::opaque,
    buffer::{MessageBuffer, PIECE},
    packet::{LoopBody, LoopState, Packet},
    reason::Reason,
};

/// Types of frames that an Initial packet may have (RFC 9000 §12.4, table 3).
mod frame_type {
    pub const PADDING: u8 = 0x00;
    pub const PING: u8 = 0x01;
    pub const ACK: u8 = 0x02;
    pub const ACK_ECN: u8 = 0x03;
    pub const CRYPTO: u8 = 0x06;
}

/// Octets that are decrypted ahead of the next frame: more than its type and three integers take.
const AHEAD: u32 = 32;
/// Octets that are decrypted at once, at least.
const AT_ONCE: u32 = 192;
/// Octets of padding that are passed over in one turn.
const PADDING_BYTES: u32 = 8;
/// Turns at most: a frame has an octet at least, and those of CRYPTO are copied by pieces.
const TURNS: u32 = MessageBuffer::LEN + MessageBuffer::LEN / PIECE;

/// Where the walk from frame to frame is, in the packet that is in [`QuicRoom`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FramesWalk {
    /// The next frame, or the next octet of what is copied.
    at: u32,
    /// A [`Step`].
    step: u32,
    /// Octets of a CRYPTO frame that are still to be copied, and where they go to.
    left: u32,
    to: u32,
    /// Integers of an ACK frame that are still to be passed over.
    integers: u32,
    /// 1 if the walk stops where the handshake has become longer without a gap.
    stops: u32,
    /// Octets of the handshake that there were without a gap when the walk began.
    had: u32,
    /// 1 if a CRYPTO frame was met.
    has_crypto: u32,
    /// Times that the hello was looked at.
    looks: u32,
    /// Index of the [`Reason`] of the last look.
    pub outcome: u32,
}

/// Why the walk stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Step {
    /// It did not.
    Walking,
    /// What comes next has to be decrypted first.
    Encrypted,
    /// The handshake has become longer without a gap.
    Grown,
    /// All frames are passed over.
    Done,
    /// A frame contradicts itself, or is of a type that no Initial has.
    Malformed,
}

impl FramesWalk {
    /// At the first frame.
    #[inline(always)]
    pub(crate) fn begin(at: u32) -> Self {
        Self {
            at,
            stops: 1,
            ..Self::default()
        }
    }

    #[inline(always)]
    pub(crate) fn is(&self, step: Step) -> bool {
        self.step == step as u32
    }

    /// Notes that the hello was looked at. After so many times, the walk stops at its end only.
    #[inline(always)]
    pub(crate) fn note_look(&mut self, most: u32) {
        self.looks += 1;
        if self.looks >= most {
            self.stops = 0;
        }
    }

    /// What the packet met.
    #[inline(always)]
    pub(crate) fn outcome(&self) -> Reason {
        match Reason::ALL.get(opaque(self.outcome as usize)) {
            Some(Reason::QuicHelloSplit) if self.is(Step::Malformed) => Reason::QuicMalformed,
            Some(Reason::QuicHelloSplit) if self.has_crypto == 0 => Reason::QuicNoHello,
            Some(reason) => *reason,
            None => Reason::InternalFailure,
        }
    }
}

/// The frames of a packet, and the flow that they are of.
pub(crate) struct FramesOf<'f> {
    pub flow: &'f mut QuicFlow,
    pub room: &'f mut QuicRoom,
}

impl LoopState for FramesOf<'_> {}

impl FramesOf<'_> {
    /// Goes on from frame to frame until there is a reason to stop.
    #[inline(always)]
    pub(crate) fn walk<P: Packet + ?Sized>(&mut self) {
        self.room.frames.step = Step::Walking as u32;
        self.room.frames.had = self.flow.have;
        P::repeat(TURNS, &NextFrame::<P>(PhantomData), self);
    }
}

struct NextFrame<P: ?Sized>(PhantomData<P>);

impl<P: Packet + ?Sized> LoopBody<FramesOf<'_>> for NextFrame<P> {
    #[inline(always)]
    fn turn(&self, frames: &mut FramesOf<'_>) -> ControlFlow<()> {
        let step = frames.next::<P>();
        frames.room.frames.step = step as u32;
        if step == Step::Walking {
            Continue(())
        } else {
            Break(())
        }
    }
}

impl FramesOf<'_> {
    #[inline(always)]
    fn next<P: Packet + ?Sized>(&mut self) -> Step {
        let FramesWalk {
            at, left, integers, ..
        } = self.room.frames;
        if left > 0 {
            return self.copy::<P>();
        }
        let end = self.room.opening.payload_end;
        if at >= end {
            // A frame that does not end within its packet.
            return if at > end || integers > 0 {
                Step::Malformed
            } else {
                Step::Done
            };
        }
        if !self.has(at + AHEAD) {
            return Step::Encrypted;
        }
        if integers > 0 {
            return self.pass_integer();
        }
        let Some([kind, rest @ ..]) = self.room.packet.load::<16>(at) else {
            return Step::Malformed;
        };
        match kind {
            frame_type::PADDING => {
                let [p0, p1, p2, p3, p4, p5, p6, ..] = rest;
                let is_all = u64::from_ne_bytes([0, p0, p1, p2, p3, p4, p5, p6]) == 0;
                self.room.frames.at = (at + if is_all { PADDING_BYTES } else { 1 }).min(end);
            }
            frame_type::PING => self.room.frames.at = at + 1,
            frame_type::ACK | frame_type::ACK_ECN => return self.begin_ack(at, kind),
            frame_type::CRYPTO => return self.begin_crypto(at),
            _ => return Step::Malformed,
        }
        Step::Walking
    }

    /// True if all before this offset is decrypted; asks for it otherwise.
    #[inline(always)]
    fn has(&mut self, to: u32) -> bool {
        let opening = &mut self.room.opening;
        let to = to.min(opening.payload_end);
        if opening.decrypted >= to {
            return true;
        }
        opening.wanted = to.max(opening.decrypted + AT_ONCE).min(opening.payload_end);
        false
    }

    #[inline(always)]
    fn integer(&self, at: u32) -> Option<(u64, u32)> {
        Some(varint_of(
            u64::from_be_bytes(self.room.packet.load::<8>(at)?),
            at,
        ))
    }

    /// RFC 9000 §19.6.
    #[inline(always)]
    fn begin_crypto(&mut self, at: u32) -> Step {
        let end = self.room.opening.payload_end;
        let Some((offset, at)) = self.integer(at + 1) else {
            return Step::Malformed;
        };
        let Some((length, at)) = self.integer(at) else {
            return Step::Malformed;
        };
        if at > end || length > u64::from(end - at) {
            return Step::Malformed;
        }
        let (length, have) = (length as u32, self.flow.have);
        self.room.frames.has_crypto = 1;
        // What is beyond that of a hello is not read.
        if offset >= MessageBuffer::LEN.into() {
            self.room.frames.at = at + length;
            return Step::Walking;
        }
        let offset = offset as u32;
        // The first copy counts of what has come without a gap, and the last copy beyond.
        let known = have.saturating_sub(offset).min(length);
        self.room.frames.at = at + known;
        self.room.frames.to = offset + known;
        self.room.frames.left = length - known;
        // Decrypted at once: what is copied comes next.
        if self.has(at + length) {
            Step::Walking
        } else {
            Step::Encrypted
        }
    }

    /// Copies the next piece of a CRYPTO frame.
    #[inline(always)]
    fn copy<P: Packet + ?Sized>(&mut self) -> Step {
        let FramesWalk {
            at,
            left,
            to,
            stops,
            had,
            ..
        } = self.room.frames;
        if to >= MessageBuffer::LEN {
            self.room.frames.at = at + left;
            self.room.frames.left = 0;
            return Step::Walking;
        }
        let piece = left.min(PIECE).min(MessageBuffer::LEN - to);
        if P::copy_buffered(
            &self.room.packet,
            at,
            piece,
            self.flow.bytes.as_mut_array(),
            to,
        )
        .is_none()
        {
            return Step::Malformed;
        }
        self.flow.receive(to, to + piece);
        self.room.frames.at = at + piece;
        self.room.frames.to = to + piece;
        self.room.frames.left = left - piece;
        let has_grown = left == piece && self.flow.have > had;
        if has_grown && stops != 0 {
            Step::Grown
        } else {
            Step::Walking
        }
    }

    /// RFC 9000 §19.3: the largest number, the delay, the count of ranges and the first range; then
    /// two integers a range, and three counts of ECN.
    #[inline(always)]
    fn begin_ack(&mut self, at: u32, kind: u8) -> Step {
        let integers = self.integer(at + 1).and_then(|(_, at)| self.integer(at));
        let Some((ranges, at)) = integers.and_then(|(_, at)| self.integer(at)) else {
            return Step::Malformed;
        };
        if ranges > MessageBuffer::LEN.into() {
            return Step::Malformed;
        }
        let counts = if kind == frame_type::ACK_ECN { 3 } else { 0 };
        self.room.frames.integers = 1 + 2 * ranges as u32 + counts;
        self.room.frames.at = at;
        Step::Walking
    }

    #[inline(always)]
    fn pass_integer(&mut self) -> Step {
        let FramesWalk { at, integers, .. } = self.room.frames;
        let Some((_, behind)) = self.integer(at) else {
            return Step::Malformed;
        };
        self.room.frames.at = behind;
        self.room.frames.integers = integers - 1;
        Step::Walking
    }
}
