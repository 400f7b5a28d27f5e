//! Copying between frames, held bytes and rooms, and the bounds of it that the verifier is to see.

use aya_ebpf::{bindings::xdp_md, helpers::generated::bpf_probe_read_kernel};
use filter_core::{
    MessageBuffer,
    bounds::{opaque, within},
    intrinsics::unaligned::{store_64, word_64},
};

use crate::frame::bounds;

/// Bytes of what is copied at once.
const WORD: usize = size_of::<u64>();

/// Copies the start of a frame to `bytes`, or back, a word at a time, which takes half of the time
/// of a helper call. `None` if it is longer than a piece, or does not lie in one.
///
/// # Safety
/// There is room for a piece at `bytes`.
#[inline(always)]
pub unsafe fn in_one_piece<const BACK: bool>(
    ctx: *mut xdp_md,
    len: u32,
    bytes: *mut u8,
) -> Option<()> {
    const PIECE: usize = MessageBuffer::PIECE as usize;

    let (start, end) = bounds(ctx);
    let len = within(len as usize, WORD, PIECE)?;
    let mut done = 0;
    // Four words for each look at the frame's end. The verifier may have lost by now how long the
    // frame is at most ("outside of the allowed memory range").
    while done + 4 * WORD <= len {
        let at = within(done, 0, PIECE - 4 * WORD)?;
        // SAFETY: there is room for a piece, of which these are a part.
        unsafe { copy_words::<4, BACK>(start + at, end, bytes.add(at)) }?;
        done = at + 4 * WORD;
    }
    while done + WORD < len {
        let at = within(done, 0, PIECE - WORD)?;
        // SAFETY: there is room for a piece, of which this is a part.
        unsafe { copy_words::<1, BACK>(start + at, end, bytes.add(at)) }?;
        done = at + WORD;
    }
    // The word that ends with the last byte.
    let last = within(len - WORD, 0, PIECE - WORD)?;
    // SAFETY: there is room for a piece, of which this is a part.
    unsafe { copy_words::<1, BACK>(start + last, end, bytes.add(last)) }
}

/// Copies words at `place` of a frame that ends at `end` to `bytes`, or back. `None` if the frame
/// does not have them.
///
/// # Safety
/// There is room for them at `bytes`.
#[inline(always)]
unsafe fn copy_words<const WORDS: usize, const BACK: bool>(
    place: usize,
    end: usize,
    bytes: *mut u8,
) -> Option<()> {
    let (place, bytes) = (opaque(place), opaque(bytes as usize));
    if place + WORDS * WORD > end {
        return None;
    }
    let (from, to) = if BACK { (bytes, place) } else { (place, bytes) };
    for at in (0..WORDS * WORD).step_by(WORD) {
        // SAFETY: the words lie before the end of the frame, and there is room for them.
        unsafe { store_64((to + at) as *mut u8, u64::from_ne_bytes(word_64(from + at))) };
    }
    Some(())
}

/// A length and a place that the verifier now knows to be within held bytes.
#[inline(always)]
pub fn small(len: u32, at: u32) -> Option<(usize, usize)> {
    /// More than the longest answer with its headers.
    const MOST: usize = 1024;

    Some((
        within(len as usize, 1, MOST)?,
        within(at as usize, 0, MOST)?,
    ))
}

/// Length and place of a piece, which the verifier now knows to be within bounds.
#[inline(always)]
pub fn piece(len: u32, to: u32, last: usize) -> Option<(usize, usize)> {
    Some((
        within(len as usize, 1, MessageBuffer::PIECE as usize)?,
        within(to as usize, 0, last)?,
    ))
}

/// Copies held bytes.
///
/// # Safety
/// There is room for `len` bytes at `into`.
#[inline(always)]
pub unsafe fn copy_buffered(
    from: &MessageBuffer,
    at: u32,
    into: *mut u8,
    len: usize,
) -> Option<()> {
    let at = within(at as usize, 0, MessageBuffer::LEN as usize)?;
    // SAFETY: the caller has room for the bytes, and a piece at `at` is within the held bytes.
    let failed = unsafe {
        bpf_probe_read_kernel(
            into.cast(),
            len as u32,
            from.as_slice().as_ptr().add(at).cast(),
        )
    };
    (failed == 0).then_some(())
}
