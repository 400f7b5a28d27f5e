//! Copying between frames, held bytes and rooms, and the bounds of it that the verifier is to see.

use aya_ebpf::{bindings::xdp_md, helpers::generated::bpf_probe_read_kernel};
use filter_core::HeldBytes;

use crate::{
    frame::bounds,
    words::{in_one_register, store_64, word_64},
};

/// Bytes of what is copied at once.
const WORD: usize = size_of::<u64>();

/// Copies the start of a frame to `bytes`, or back, a word at a time, which takes half of the time of a helper call. `None` if
/// it is longer than a piece, or does not lie in one.
///
/// # Safety
/// There is room for a piece at `bytes`.
#[inline(always)]
pub unsafe fn in_one_piece<const BACK: bool>(ctx: *mut xdp_md, len: u32, bytes: *mut u8) -> Option<()> {
    const PIECE: usize = HeldBytes::PIECE as usize;

    let (start, end) = bounds(ctx);
    let len = in_one_register(len as usize);
    if !(WORD..=PIECE).contains(&len) {
        return None;
    }
    let mut at = 0;
    // Four words for each look at the frame's end. The verifier may have lost by now how long the frame is at most ("outside of
    // the allowed memory range").
    while at + 4 * WORD <= len && at <= PIECE - 4 * WORD {
        // SAFETY: there is room for a piece, of which these are a part.
        unsafe { copy_words::<4, BACK>(start + at, end, bytes.add(at)) }?;
        at = in_one_register(at + 4 * WORD);
    }
    while at + WORD < len && at <= PIECE - WORD {
        // SAFETY: as above.
        unsafe { copy_words::<1, BACK>(start + at, end, bytes.add(at)) }?;
        at = in_one_register(at + WORD);
    }
    // The word that ends with the last byte.
    let last = in_one_register(len - WORD);
    if last > PIECE - WORD {
        return None;
    }
    // SAFETY: as above.
    unsafe { copy_words::<1, BACK>(start + last, end, bytes.add(last)) }
}

/// Copies words at `place` of a frame that ends at `end` to `bytes`, or back. `None` if the frame does not have them.
///
/// # Safety
/// There is room for them at `bytes`.
#[inline(always)]
unsafe fn copy_words<const WORDS: usize, const BACK: bool>(place: usize, end: usize, bytes: *mut u8) -> Option<()> {
    let (place, bytes) = (in_one_register(place), in_one_register(bytes as usize));
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

    let (len, at) = (in_one_register(len as usize), in_one_register(at as usize));
    (len > 0 && len <= MOST && at <= MOST).then_some((len, at))
}

/// Where a piece of a name may start in its room.
pub const NAME_PIECE_AT: usize = 255;

/// Length and place of a piece, which the verifier now knows to be within bounds.
#[inline(always)]
pub fn piece(len: u32, to: u32, last: usize) -> Option<(usize, usize)> {
    let (len, to) = (in_one_register(len as usize), in_one_register(to as usize));
    (len > 0 && len <= HeldBytes::PIECE as usize && to <= last).then_some((len, to))
}

/// Copies held bytes.
///
/// # Safety
/// There is room for `len` bytes at `into`.
#[inline(always)]
pub unsafe fn copy_held(from: &HeldBytes, at: u32, into: *mut u8, len: usize) -> Option<()> {
    let at = in_one_register(at as usize);
    if at > HeldBytes::LEN as usize {
        return None;
    }
    // SAFETY: the caller has room for the bytes, and a piece at `at` is within the held bytes.
    let failed = unsafe { bpf_probe_read_kernel(into.cast(), len as u32, from.as_slice().as_ptr().add(at).cast()) };
    (failed == 0).then_some(())
}
