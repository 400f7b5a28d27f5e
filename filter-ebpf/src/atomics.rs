//! Words that CPUs change at the same time: the target has the instructions, but core offers no
//! atomic types for it.

use core::arch::asm;

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

/// Counts one more where other CPUs do as well.
#[inline(always)]
pub fn add_atomically(count: &mut u64) {
    // SAFETY: the place is in a map; other CPUs change it by such instructions only.
    unsafe { asm!("lock *(u64 *)({} + 0) += {}", in(reg) count, in(reg) 1_u64, options(nostack)) };
}
