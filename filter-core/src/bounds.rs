//! Bounds that every verifier reads as the source has them.
//!
//! LLVM may turn `1 <= len && len <= N` into a test of `len - 1` in another register. Verifiers
//! before Linux 7.1 then know a bound of that copy only, and refuse the use of `len` ("invalid
//! zero-sized read", "min value is outside of the allowed memory range", "offset is outside of the
//! packet"). [`within`] has one form that nothing can be moved out of: a subtraction, one unsigned
//! comparison and an addition, between values of which LLVM knows nothing.

/// The same value, of which the compiler of the kernel program knows nothing any more.
#[cfg(not(target_arch = "bpf"))]
#[inline(always)]
pub fn opaque(value: usize) -> usize {
    value
}

/// The same value, of which the compiler of the kernel program knows nothing any more.
#[cfg(target_arch = "bpf")]
#[inline(always)]
pub fn opaque(mut value: usize) -> usize {
    // SAFETY: it copies a register to itself. (With no instruction at all, the line table would be
    // refused.)
    unsafe { core::arch::asm!("{0} = {0}", inlateout(reg) value, options(pure, nomem, nostack)) };
    value
}

/// A number beside itself, in both halves of a word. LLVM would make a multiplication of that.
#[cfg(not(target_arch = "bpf"))]
#[inline(always)]
pub(crate) fn twice(word: u32) -> u64 {
    (u64::from(word) << 32) | u64::from(word)
}

/// A number beside itself, in both halves of a word. LLVM would make a multiplication of that.
#[cfg(target_arch = "bpf")]
#[inline(always)]
pub(crate) fn twice(word: u32) -> u64 {
    let mut twice = u64::from(word);
    // SAFETY: it computes with registers alone.
    unsafe {
        core::arch::asm!(
            "{0} <<= 32",
            "{0} |= {1}",
            inout(reg) twice,
            in(reg) u64::from(word),
            options(pure, nomem, nostack),
        );
    }
    twice
}

/// The value if it lies in `first..=last`. In the kernel program, whatever is a length or an offset
/// of memory comes from here.
#[inline(always)]
pub fn within(value: usize, first: usize, last: usize) -> Option<usize> {
    let beyond_first = opaque(value.wrapping_sub(first));
    if beyond_first > last - first {
        return None;
    }
    // What was compared is what is used; a sum of it might be taken apart again.
    Some(if first == 0 {
        beyond_first
    } else {
        opaque(beyond_first) + first
    })
}

/// Where a part of a packet begins and ends. It fits into one integer: functions of the kernel
/// program take five arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of its first byte.
    pub at: u32,
    /// Offset behind its last byte.
    pub end: u32,
}

impl Span {
    /// As one integer.
    #[inline(always)]
    pub fn word(self) -> u64 {
        u64::from(self.at) | (u64::from(self.end) << 32)
    }

    /// The one that this integer stands for.
    #[inline(always)]
    pub fn from_word(word: u64) -> Self {
        Self {
            at: word as u32,
            end: (word >> 32) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, within};

    #[test]
    fn a_span_comes_back_from_its_word() {
        for (at, end) in [(0, 0), (1, 2), (u32::MAX, 7), (7, u32::MAX)] {
            assert_eq!(Span::from_word(Span { at, end }.word()), Span { at, end });
        }
    }

    #[test]
    fn only_values_between_the_bounds_come_through() {
        for first in 0..5 {
            for last in first..10 {
                for value in (0..20).chain([usize::MAX]) {
                    let inside = (first..=last).contains(&value).then_some(value);
                    assert_eq!(
                        within(value, first, last),
                        inside,
                        "{value} in {first}..={last}"
                    );
                }
            }
        }
        assert_eq!(within(usize::MAX, 0, usize::MAX), Some(usize::MAX));
    }
}
