//! Frames that become others: answers.

use aya_ebpf::helpers::generated::{bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_store_bytes};
use filter_core::{Length, MessageBuffer, Packet as _, Replace, Replaced, copy_start};

use crate::{
    copying::{in_one_piece, small},
    frame::{Paged, bounds},
};

impl Replace for Paged {
    #[inline(always)]
    fn copy_start(&self, len: u32, into: &mut MessageBuffer) -> Option<()> {
        // SAFETY: `into` has room for a piece.
        let copied =
            unsafe { in_one_piece::<false>(self.0, len, into.as_mut_array().as_mut_ptr()) };
        copied.or_else(|| copy_start(self, len, into))
    }

    #[inline(always)]
    fn replace(&mut self, with: &MessageBuffer, len: u32, length: Length) -> Option<Replaced> {
        let keeps_start = match length {
            Length::New => false,
            Length::NewAtEnd => true,
            Length::Kept => {
                self.write_start(with, len)?;
                return Some(Replaced::Padded);
            }
        };
        let replaced = if self.has_fragments() {
            Replaced::Padded
        } else {
            self.resize(len, keeps_start)?;
            Replaced::Whole
        };
        self.write_start(with, len)?;
        Some(replaced)
    }

    #[inline(always)]
    fn write<const N: usize>(&mut self, at: u32, mut bytes: [u8; N]) -> Option<()> {
        // SAFETY: there are N bytes, and the context is the program's own.
        let failed =
            unsafe { bpf_xdp_store_bytes(self.0, at, bytes.as_mut_ptr().cast(), N as u32) };
        (failed == 0).then_some(())
    }
}

impl Paged {
    /// Writes the first `len` of these bytes over the start of the frame, which stays as long as it
    /// is.
    #[inline(always)]
    fn write_start(&mut self, with: &MessageBuffer, len: u32) -> Option<()> {
        let bytes = with.as_slice().as_ptr().cast_mut();
        // SAFETY: there are that many bytes.
        if let Some(()) = unsafe { in_one_piece::<true>(self.0, len, bytes) } {
            return Some(());
        }
        let (len, _) = small(len, 0)?;
        // SAFETY: there are that many bytes, and the context is the program's own.
        let failed = unsafe { bpf_xdp_store_bytes(self.0, 0, bytes.cast(), len as u32) };
        (failed == 0).then_some(())
    }

    /// True if the frame goes on in other buffers. Such a frame is never resized:
    /// `bpf_xdp_adjust_tail` that takes whole buffers off a frame frees pages that the page pool
    /// goes on using, which damages the memory of kernels from 6.12 on, in both modes
    /// (docs/kernel-bugs.md).
    #[inline(always)]
    fn has_fragments(&self) -> bool {
        let (start, end) = bounds(self.0);
        self.len() as usize > end - start
    }

    /// Makes a frame without fragments `len` bytes long.
    #[inline(always)]
    fn resize(&mut self, len: u32, keeps_start: bool) -> Option<()> {
        let more = len.cast_signed() - self.len().cast_signed();
        // All of the frame is written anew, so it may grow at its start. There the kernel sees to
        // room for headers (`XDP_PACKET_HEADROOM`); behind a frame is as much as its driver happens
        // to leave.
        // SAFETY: the context is the program's own, and nothing holds on to the frame.
        let has_room = unsafe {
            more == 0
                || (more > 0 && !keeps_start && bpf_xdp_adjust_head(self.0, -more) == 0)
                || bpf_xdp_adjust_tail(self.0, more) == 0
        };
        has_room.then_some(())
    }
}
