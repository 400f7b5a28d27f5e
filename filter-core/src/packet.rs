//! The seam between the kernel and user space: bytes, and bounded loops. What is written by hand
//! here is what each of them does in its own way.

use crate::buffer::{MessageBuffer, NAME_BYTES, PIECE};
pub use crate::loops::{LoopBody, LoopState};
pub(crate) use crate::loops::{Step, Unrolled};

/// Bytes that names are read from, and the loops that may run over them.
///
/// The kernel's implementation loops with `bpf_loop`, user space with `for`. Reads outside of the
/// bytes give `None`, whatever the offset.
#[expect(clippy::len_without_is_empty, reason = "nothing asks for it")]
pub trait Packet {
    /// The `N` bytes at `at`.
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]>;

    /// The `N` bytes at `at` of the frame, which holds the last of the bytes if it is not all of
    /// them.
    #[inline(always)]
    fn read_frame<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.read(at)
    }

    /// Copies `len` bytes at `at` to `to` in `into`. `len` is 1 to [`PIECE`], `to` at most
    /// [`last_place`] of `into`.
    fn copy<const ROOM: usize>(
        &self,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()>;

    /// Number of bytes.
    fn len(&self) -> u32;

    /// Calls `body.turn(state)` until it breaks, `limit` times at most.
    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S);

    /// False if the packet goes on behind the bytes that this gives.
    #[inline(always)]
    fn is_whole(&self) -> bool {
        true
    }

    /// As [`Packet::copy`], from buffered bytes.
    #[inline(always)]
    fn copy_buffered<const ROOM: usize>(
        from: &MessageBuffer,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        from.as_slice().copy(at, len, into, to)
    }
}

/// A frame that can become another.
pub trait Replace: Packet {
    /// Copies the frame, or as much of it as an answer may need: a longer query has more than a
    /// question and an OPT.
    #[inline(always)]
    fn copy_start(&self, len: u32, into: &mut MessageBuffer) -> Option<()> {
        copy_start(self, len, into)
    }

    /// Makes the first `len` of these bytes the start of the frame, which becomes as long as
    /// `length` says; `None` if there is no room for them.
    fn replace(&mut self, with: &MessageBuffer, len: u32, length: Length) -> Option<Replaced>;

    /// Writes these bytes over those at `at`; `None` if the frame does not have so many.
    fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()>;
}

/// [`Replace::copy_start`] by [`Packet::copy`].
#[inline(always)]
pub fn copy_start<P: Packet + ?Sized>(
    packet: &P,
    len: u32,
    into: &mut MessageBuffer,
) -> Option<()> {
    for at in [0, PIECE, 2 * PIECE] {
        if len > at {
            packet.copy(at, (len - at).min(PIECE), into.as_mut_array(), at)?;
        }
    }
    Some(())
}

/// [`Packet::repeat`] with `TURNS` turns in each call of the body: in the kernel, a call costs more
/// than a short turn.
#[inline(always)]
pub(crate) fn repeat_by<const TURNS: u32, P: Packet + ?Sized, S: LoopState>(
    limit: u32,
    body: &impl LoopBody<S>,
    state: &mut S,
) {
    P::repeat(limit.div_ceil(TURNS), &Unrolled::<TURNS, _>(body), state);
}

/// The last place in so much room where a piece may start. A name is read where its octets have
/// numbers of eight bits.
#[must_use]
pub const fn last_place(room: usize) -> usize {
    if room == NAME_BYTES {
        PIECE as usize - 1
    } else {
        room - PIECE as usize
    }
}

/// How long a frame is when its start was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// As long as the new bytes.
    New,
    /// As long as the new bytes, and longer or shorter at its end alone: somebody knows places in
    /// it.
    NewAtEnd,
    /// As it was.
    Kept,
}

/// What a frame is after [`Replace::replace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The new bytes and nothing else.
    Whole,
    /// The new bytes, and behind them the rest of the old frame. A receiver cuts it off by the
    /// length in the IP header (RFC 791 §3.1, RFC 8200 §3), as it does with the padding of short
    /// frames.
    Padded,
}

impl Packet for [u8] {
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.get(at as usize..)?.first_chunk().copied()
    }

    fn copy<const ROOM: usize>(
        &self,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        let from = self.get(at as usize..)?.get(..len as usize)?;
        into.get_mut(to as usize..)?
            .get_mut(..from.len())?
            .copy_from_slice(from);
        Some(())
    }

    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        for _ in 0..limit {
            if body.turn(state).is_break() {
                break;
            }
        }
    }
}
