//! The forms for user space, in safe Rust.

/// Eight octets, the first in the lowest place.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the same as for the kernel, which loads through the reference"
)]
pub(crate) fn load_u64(octets: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*octets)
}

/// These bytes.
pub(crate) fn load<const N: usize>(from: &[u8; N]) -> [u8; N] {
    *from
}

/// Writes these bytes.
pub(crate) fn store<const N: usize>(to: &mut [u8; N], bytes: [u8; N]) {
    *to = bytes;
}

/// The same reference.
pub(crate) fn anew<T>(value: &T) -> &T {
    value
}

/// The sum of `len` bytes at `at` in words of 16 bits, as they are in memory, with the carries
/// added (RFC 1071); not folded to 16 bits. `len` is a multiple of 4 and at most 1,024; 0 if the
/// bytes are not there.
pub(crate) fn sum(bytes: &[u8], at: u32, len: u32) -> u32 {
    let bytes = bytes
        .get(at as usize..)
        .and_then(|bytes| bytes.get(..len as usize))
        .unwrap_or_default();
    let (words, _) = bytes.as_chunks();
    words.iter().fold(0, |sum, word| {
        let (sum, carry) = u32::overflowing_add(sum, u32::from_ne_bytes(*word));
        sum + u32::from(carry)
    })
}

/// Writes 1 where there is 0; false if there is none. Nobody else is there who would write one.
pub(crate) fn take_lock(lock: &mut u64, _turns: u32) -> bool {
    core::mem::replace(lock, 1) == 0
}

/// Writes 0.
pub(crate) fn unlock(lock: &mut u64) {
    *lock = 0;
}
