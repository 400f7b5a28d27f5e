//! Loads as the kernel's compiler would not have them by itself.

/// Eight octets, the first in the lowest place.
#[cfg(not(target_arch = "bpf"))]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the same as for the kernel, which loads through the reference")]
pub(crate) fn load_u64(octets: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*octets)
}

/// The same in one instruction: LLVM takes a load that may be unaligned apart into single bytes on this target. The
/// kernel allows such loads from maps wherever the processor does.
#[cfg(target_arch = "bpf")]
#[inline(always)]
pub(crate) fn load_u64(octets: &[u8; 8]) -> u64 {
    let word: u64;
    // SAFETY: it reads the eight octets and nothing else.
    unsafe {
        core::arch::asm!("{} = *(u64 *)({} + 0)", out(reg) word, in(reg) octets, options(pure, readonly, nostack))
    };
    u64::from_le(word)
}

/// The same reference.
#[cfg(not(target_arch = "bpf"))]
pub(crate) fn anew<T>(value: &T) -> &T {
    value
}

/// The same reference. LLVM keeps nothing of what is behind it from one turn of a loop to the next: the stack is short, and a
/// look into a map costs no more than one onto the stack.
#[cfg(target_arch = "bpf")]
#[inline(always)]
pub(crate) fn anew<T>(value: &T) -> &T {
    let mut value: *const T = value;
    // SAFETY: the register that holds the reference is copied to itself.
    unsafe {
        core::arch::asm!("{0} = {0}", inlateout(reg) value, options(nomem, nostack));
        &*value
    }
}
