//! Arguments of global functions: integers, and pointers to values in maps.

use filter_core::{
    ActivePolicy, Generation, Layer, Reason, bounds::Span, return_codes::ReturnCode,
};

/// What such a function takes, and the form in which it is handed over.
pub trait Argument: Sized {
    /// The form.
    type Raw;

    /// In that form.
    fn into_raw(self) -> Self::Raw;

    /// From that form; `None` for a null pointer.
    fn from_raw(raw: Self::Raw) -> Option<Self>;
}

/// Arguments that are handed over as an integer, and how they become one and come back.
macro_rules! integers {
    ($($argument:ty: $raw:ty, $value:ident => $into:expr, $from:expr;)+) => {$(
        impl Argument for $argument {
            type Raw = $raw;

            #[inline(always)]
            fn into_raw(self) -> $raw {
                let $value = self;
                $into
            }

            #[inline(always)]
            fn from_raw($value: $raw) -> Option<Self> {
                Some($from)
            }
        }
    )+};
}

integers! {
    u32: u32, value => value, value;
    u64: u64, value => value, value;
    bool: u32, value => u32::from(value), value != 0;
    Generation: u32, value => value.index(), Self::from_index(value);
    ActivePolicy: u64, value => value.word(), Self::from_word(value);
    Layer: u32, value => value.0, Self(value);
    Reason: u32, value => value.code(), Self::from_code(value);
    Span: u64, value => value.word(), Self::from_word(value);
}

impl<T: 'static> Argument for &T {
    type Raw = *const T;

    #[inline(always)]
    fn into_raw(self) -> *const T {
        self
    }

    #[inline(always)]
    fn from_raw(raw: *const T) -> Option<Self> {
        raw.taken()
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

/// Makes methods of the seam that call the functions of the table with values of maps and nothing
/// else, where these are in scope: functions of a trait, or methods if there is a receiver.
macro_rules! calls_with_values {
    ([$self:ident] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name(&$self, $($argument: $kind),*) -> $result {
            ReturnCode::from_code(subprograms::any::$name($($argument.into_raw()),*))
        }
    )*};
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $name($($argument: $kind),*) -> $result {
            ReturnCode::from_code(subprograms::any::$name($($argument.into_raw()),*))
        }
    )*};
}

pub(crate) use calls_with_values;

/// A pointer that a global function was given. The verifier lets programs call the function with a
/// pointer to a value of this type and nothing else, and lets the function use it only where it is
/// not null.
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
        // SAFETY: it is null, or points to a value that outlives the run of the program, as the
        // verifier makes sure of. Who calls the function has given it the reference that this was.
        unsafe { self.as_ref() }
    }
}

impl<T: 'static> Pointer for *mut T {
    type Value = &'static mut T;

    #[inline(always)]
    fn taken(self) -> Option<&'static mut T> {
        // SAFETY: it is null, or points to a value that outlives the run of the program, as the
        // verifier makes sure of. Who calls the function has given it the only reference, and uses
        // it no more until the function returns.
        unsafe { self.as_mut() }
    }
}
