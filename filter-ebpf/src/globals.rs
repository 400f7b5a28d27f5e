//! Values that the program has without a look-up: the loader writes their addresses into its
//! instructions.

use core::{cell::UnsafeCell, hint::assert_unchecked, mem::MaybeUninit, ptr::read_volatile};

use filter_core::bounds::opaque;
use zerocopy::FromZeros;

use crate::atomics::add_atomically;

/// A value that the controller writes. Each has a section of its own, which becomes a map with one
/// entry.
#[repr(transparent)]
pub struct Global<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: the program only reads it, or counts by single instructions; the controller changes it as
// it changes values of other maps.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    /// All of it zeros, until the controller writes it.
    pub const fn zeros() -> Self
    where
        T: FromZeros,
    {
        Self(UnsafeCell::new(MaybeUninit::zeroed()))
    }

    /// The value. LLVM does not learn where it comes from: it would take what nothing here writes
    /// for zeros.
    #[inline(always)]
    pub fn get(&'static self) -> &'static T {
        let address = opaque(self.0.get() as usize);
        // SAFETY: the address is that of the value, which was one from the start; and no value lies
        // at 0.
        unsafe {
            assert_unchecked(address != 0);
            &*(address as *const T)
        }
    }
}

impl<T: Copy> Global<T> {
    /// The value, read once: LLVM may not read it again later, when it may be another one.
    #[inline(always)]
    pub fn read(&'static self) -> T {
        // SAFETY: the reference is valid.
        unsafe { read_volatile(self.get()) }
    }
}

impl Global<u64> {
    /// Counts one more.
    #[inline(always)]
    pub fn add_one(&'static self) {
        let address = opaque(self.0.get() as usize);
        // SAFETY: the address is that of the value, which CPUs change by single instructions only.
        add_atomically(unsafe { &mut *(address as *mut u64) });
    }
}
