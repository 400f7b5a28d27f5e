//! Reading names from bytes that are buffered of a flow.

use crate::{
    buffer::MessageBuffer,
    packet::{LoopBody, LoopState, Packet},
};

/// Buffered bytes as a packet.
pub struct Buffered<'b, F: ?Sized> {
    /// The frame that brought the last of them.
    pub frame: &'b F,
    /// The bytes.
    pub bytes: &'b MessageBuffer,
    /// How many there are.
    pub len: u32,
}

impl<F: Packet + ?Sized> Packet for Buffered<'_, F> {
    #[inline(always)]
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.bytes.read(at)
    }

    #[inline(always)]
    fn read_frame<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.frame.read(at)
    }

    #[inline(always)]
    fn copy<const ROOM: usize>(
        &self,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        F::copy_buffered(self.bytes, at, len, into, to)
    }

    #[inline(always)]
    fn copy_buffered<const ROOM: usize>(
        from: &MessageBuffer,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        F::copy_buffered(from, at, len, into, to)
    }

    #[inline(always)]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline(always)]
    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        F::repeat(limit, body, state);
    }
}
