//! Arguments of global functions: integers, and pointers to values in maps.

use filter_core::{Layer, Reason, bounds::Span, return_codes::ReturnCode};

/// What such a function takes, and the form in which it is handed over.
pub trait Argument: Sized {
    /// The form.
    type Raw;

    /// In that form.
    fn into_raw(self) -> Self::Raw;

    /// From that form; `None` for a null pointer.
    fn from_raw(raw: Self::Raw) -> Option<Self>;
}

impl Argument for u32 {
    type Raw = u32;

    #[inline(always)]
    fn into_raw(self) -> u32 {
        self
    }

    #[inline(always)]
    fn from_raw(raw: u32) -> Option<Self> {
        Some(raw)
    }
}

impl Argument for Layer {
    type Raw = u32;

    #[inline(always)]
    fn into_raw(self) -> u32 {
        self.0
    }

    #[inline(always)]
    fn from_raw(raw: u32) -> Option<Self> {
        Some(Self(raw))
    }
}

impl Argument for Reason {
    type Raw = u32;

    #[inline(always)]
    fn into_raw(self) -> u32 {
        self.code()
    }

    #[inline(always)]
    fn from_raw(raw: u32) -> Option<Self> {
        Some(Self::from_code(raw))
    }
}

impl Argument for Span {
    type Raw = u64;

    #[inline(always)]
    fn into_raw(self) -> u64 {
        self.word()
    }

    #[inline(always)]
    fn from_raw(raw: u64) -> Option<Self> {
        Some(Self::from_word(raw))
    }
}

impl<T: 'static> Argument for &mut T {
    type Raw = *mut T;

    #[inline(always)]
    fn into_raw(self) -> *mut T {
        self
    }

    #[inline(always)]
    fn from_raw(raw: *mut T) -> Option<Self> {
        raw.taken()
    }
}

/// A pointer that a global function was given. The verifier lets programs call the function with a pointer to a value of this
/// type and nothing else, and lets the function use it only where it is not null.
pub trait Pointer {
    /// A reference to the value.
    type Value;

    /// The value; `None` for a null pointer.
    fn taken(self) -> Option<Self::Value>;
}

impl<T: 'static> Pointer for *const T {
    type Value = &'static T;

    #[inline(always)]
    fn taken(self) -> Option<&'static T> {
        // SAFETY: it is null, or points to a value that outlives the run of the program, as the verifier makes sure of. Who
        // calls the function has given it the reference that this was.
        unsafe { self.as_ref() }
    }
}

impl<T: 'static> Pointer for *mut T {
    type Value = &'static mut T;

    #[inline(always)]
    fn taken(self) -> Option<&'static mut T> {
        // SAFETY: it is null, or points to a value that outlives the run of the program, as the verifier makes sure of. Who
        // calls the function has given it the only reference, and uses it no more until the function returns.
        unsafe { self.as_mut() }
    }
}
