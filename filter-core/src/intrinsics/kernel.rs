//! The forms for the kernel program.

use core::{arch::asm, ffi::c_void, ptr::null_mut};

use super::unaligned::{in_words, in_words_to};
use crate::bounds::within;

/// Eight octets, the first in the lowest place, in one instruction.
#[inline(always)]
pub(crate) fn load_u64(octets: &[u8; 8]) -> u64 {
    let word: u64;
    // SAFETY: it reads the eight octets and nothing else.
    unsafe {
        asm!("{} = *(u64 *)({} + 0)", out(reg) word, in(reg) octets, options(pure, readonly, nostack))
    };
    u64::from_le(word)
}

/// These bytes.
#[inline(always)]
pub(crate) fn load<const N: usize>(from: &[u8; N]) -> [u8; N] {
    // SAFETY: the bytes are there.
    unsafe { in_words(from.as_ptr() as usize) }
}

/// Writes these bytes.
#[inline(always)]
pub(crate) fn store<const N: usize>(to: &mut [u8; N], bytes: [u8; N]) {
    in_words_to(to, &bytes);
}

/// The same reference. LLVM keeps nothing of what is behind it from one turn of a loop to the next:
/// the stack is short, and a look into a map costs no more than one onto the stack.
#[inline(always)]
pub(crate) fn anew<T>(value: &T) -> &T {
    let mut value: *const T = value;
    // SAFETY: the register that holds the reference is copied to itself.
    unsafe {
        asm!("{0} = {0}", inlateout(reg) value, options(nomem, nostack));
        &*value
    }
}

/// The sum of `len` bytes at `at` in words of 16 bits, as they are in memory, with the carries
/// added (RFC 1071); not folded to 16 bits. `len` is a multiple of 4 and at most 1,024; 0 if the
/// bytes are not there.
#[inline(always)]
pub(crate) fn sum<const N: usize>(bytes: &[u8; N], at: u32, len: u32) -> u32 {
    /// `BPF_FUNC_csum_diff` (`enum bpf_func_id` in include/uapi/linux/bpf.h).
    const CSUM_DIFF: usize = 28;
    /// More than the longest answer with its headers.
    const MOST: usize = 1024;

    type CsumDiff = unsafe extern "C" fn(*const u32, u32, *const u32, u32, u32) -> i64;
    const { assert!(2 * MOST <= N) };
    let Some(len) = within(len as usize, 1, MOST) else {
        return 0;
    };
    let Some(at) = within(at as usize, 0, MOST) else {
        return 0;
    };
    // SAFETY: the number of a helper is its address for the loader, and there are that many bytes
    // at `at`.
    let sum = unsafe {
        let csum_diff: CsumDiff = core::mem::transmute(CSUM_DIFF);
        csum_diff(null_mut(), 0, bytes.as_ptr().add(at).cast(), len as u32, 0)
    };
    sum.cast_unsigned() as u32
}

/// Writes 1 where there is 0, and waits for that for so many turns; false if it does not come.
#[inline(always)]
pub(crate) fn take_lock(lock: &mut u64, turns: u32) -> bool {
    /// `BPF_FUNC_loop` (`enum bpf_func_id` in include/uapi/linux/bpf.h).
    const LOOP: usize = 181;

    type Loop = unsafe extern "C" fn(u32, *mut c_void, *mut c_void, u64) -> i64;
    extern "C" fn turn(turn: u32, waiting: *mut Waiting<'_>) -> i64 {
        // SAFETY: bpf_loop hands back the pointer that it was given.
        let Waiting { lock, last } = unsafe { &mut *waiting };
        // The last turn takes nothing, so that the number of turns tells whether one did.
        i64::from(turn >= *last || exchange(lock, 1) == 0)
    }
    if exchange(lock, 1) == 0 {
        return true;
    }
    let last = turns - 1;
    let mut waiting = Waiting { lock, last };
    // SAFETY: the number of a helper is its address for the loader. The callback has the signature
    // that bpf_loop asks for, and what it is given outlives the loop.
    let taken = unsafe {
        let bpf_loop: Loop = core::mem::transmute(LOOP);
        bpf_loop(turns, turn as *mut c_void, (&raw mut waiting).cast(), 0)
    };
    taken <= i64::from(last)
}

/// What does not change while a lock is waited for.
struct Waiting<'l> {
    lock: &'l mut u64,
    last: u32,
}

/// Writes 0.
#[inline(always)]
pub(crate) fn unlock(lock: &mut u64) {
    exchange(lock, 0);
}

/// Writes a value, and gives the one that was there: the target has the instruction, but core
/// offers no atomic types for it.
#[inline(always)]
fn exchange(place: &mut u64, mut value: u64) -> u64 {
    // SAFETY: the place is in a map; other CPUs change it by such instructions only.
    unsafe {
        asm!("{0} = xchg_64({1} + 0, {0})", inlateout(reg) value, in(reg) place, options(nostack))
    };
    value
}
