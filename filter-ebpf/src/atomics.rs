//! Words that CPUs change at the same time: the target has the instructions, but core offers no atomic types for it.

use core::{arch::asm, ffi::c_void};

use aya_ebpf::helpers::generated::bpf_loop;

/// Writes a value, and gives the one that was there.
#[inline(always)]
pub fn exchange(place: &mut u64, mut value: u64) -> u64 {
    // SAFETY: the place is in a map; other CPUs change it by such instructions only.
    unsafe { asm!("{0} = xchg_64({1} + 0, {0})", inlateout(reg) value, in(reg) place, options(nostack)) };
    value
}

/// Writes a value if there is the one that is expected; gives the one that was there.
#[inline(always)]
pub fn exchange_if(place: &mut u64, expected: u64, value: u64) -> u64 {
    let mut was = expected;
    // SAFETY: the place is in a map; other CPUs change it by such instructions only.
    unsafe {
        asm!(
            "r0 = cmpxchg_64({} + 0, r0, {})",
            in(reg) place,
            in(reg) value,
            inlateout("r0") was,
            options(nostack),
        );
    }
    was
}

/// Writes 1 where there is 0, and waits for that for so many turns; false if it does not come.
#[inline(always)]
pub fn take_lock(lock: &mut u64, turns: u32) -> bool {
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
    // SAFETY: the callback has the signature that bpf_loop asks for, and what it is given outlives the loop.
    let taken = unsafe { bpf_loop(turns, turn as *mut c_void, (&raw mut waiting).cast(), 0) };
    taken <= i64::from(last)
}

/// What does not change while a lock is waited for.
struct Waiting<'l> {
    lock: &'l mut u64,
    last: u32,
}

/// Counts one more where other CPUs do as well.
#[inline(always)]
pub fn add_atomically(count: &mut u64) {
    // SAFETY: the place is in a map; other CPUs change it by such instructions only.
    unsafe { asm!("lock *(u64 *)({} + 0) += {}", in(reg) count, in(reg) 1_u64, options(nostack)) };
}
