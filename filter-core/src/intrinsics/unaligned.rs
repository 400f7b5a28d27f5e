//! Words of memory, as LLVM would not have them by itself.

use core::arch::asm;

/// Reads memory word by word. LLVM would read octet by octet what is not aligned, and the verifier
/// asks for alignment on few machines only.
///
/// # Safety
/// The `N` bytes at `at` lie within memory that may be read.
#[inline(always)]
pub unsafe fn in_words<const N: usize>(at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let (eights, rest) = bytes.as_chunks_mut::<8>();
    let (fours, rest) = rest.as_chunks_mut::<4>();
    let (twos, ones) = rest.as_chunks_mut::<2>();
    let mut at = at;
    for eight in eights {
        // SAFETY: the eight bytes are among the N.
        *eight = unsafe { word_64(at) };
        at += 8;
    }
    for four in fours {
        // SAFETY: the four bytes are among the N.
        *four = unsafe { word_32(at) };
        at += 4;
    }
    for two in twos {
        // SAFETY: the two bytes are among the N.
        *two = unsafe { word_16(at) };
        at += 2;
    }
    for one in ones {
        // SAFETY: the byte is among the N.
        *one = unsafe { *(at as *const u8) };
    }
    bytes
}

/// The same for writing.
#[inline(always)]
pub fn in_words_to<const N: usize>(to: &mut [u8; N], bytes: &[u8; N]) {
    let (mut at, (eights, rest)) = (to.as_mut_ptr(), bytes.as_chunks::<8>());
    let (fours, rest) = rest.as_chunks::<4>();
    let (twos, ones) = rest.as_chunks::<2>();
    for eight in eights {
        // SAFETY: the eight bytes are among the N.
        at = unsafe { store_64(at, u64::from_ne_bytes(*eight)) };
    }
    for four in fours {
        // SAFETY: the four bytes are among the N.
        at = unsafe { store_32(at, u32::from_ne_bytes(*four).into()) };
    }
    for two in twos {
        // SAFETY: the two bytes are among the N.
        at = unsafe { store_16(at, u16::from_ne_bytes(*two).into()) };
    }
    for one in ones {
        // SAFETY: the byte is among the N.
        at = unsafe {
            *at = *one;
            at.add(1)
        };
    }
}

macro_rules! stores {
    ($($name:ident, $bytes:literal, $kind:literal;)+) => {$(
        /// Writes a word without alignment; gives where the next one goes.
        ///
        /// # Safety
        /// The word lies within memory that may be written.
        #[inline(always)]
        pub unsafe fn $name(at: *mut u8, word: u64) -> *mut u8 {
            // SAFETY: it writes a word that the caller knows to be there.
            unsafe {
                asm!(concat!("*(", $kind, " *)({0} + 0) = {1}"), in(reg) at, in(reg) word, options(nostack));
                at.add($bytes)
            }
        }
    )+};
}

stores! {
    store_64, 8, "u64";
    store_32, 4, "u32";
    store_16, 2, "u16";
}

macro_rules! words {
    ($($name:ident, $word:ty, $kind:literal;)+) => {$(
        /// The word at an address without alignment.
        ///
        /// # Safety
        /// The word lies within memory that may be read.
        #[inline(always)]
        pub unsafe fn $name(at: usize) -> [u8; size_of::<$word>()] {
            let word: u64;
            // SAFETY: it reads a word that the caller knows to be there.
            unsafe {
                asm!(
                    concat!("{0} = *(", $kind, " *)({1} + 0)"),
                    out(reg) word,
                    in(reg) at,
                    options(pure, readonly, nostack),
                );
            }
            (word as $word).to_ne_bytes()
        }
    )+};
}

words! {
    word_64, u64, "u64";
    word_32, u32, "u32";
    word_16, u16, "u16";
}
