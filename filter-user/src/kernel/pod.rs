//! Types of filter-core as values of maps and of the ring buffer.

use filter_core::Event;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A value of a map, as aya takes it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value<T>(pub T);

// SAFETY: any bytes are a value (`FromBytes`) and all of a value are bytes, without padding
// (`IntoBytes`), of which none changes behind a shared reference (`Immutable`); the wrapper adds
// nothing.
unsafe impl<T: FromBytes + IntoBytes + Immutable + Copy + 'static> aya::Pod for Value<T> {}

impl<T> Value<T> {
    /// A value that is too large to be moved.
    pub(super) fn from_ref(value: &T) -> &Self {
        // SAFETY: the wrapper has the layout of what it wraps.
        unsafe { &*std::ptr::from_ref(value).cast() }
    }
}

/// The event with these bytes; `None` if they are too few.
pub(super) fn event(bytes: &[u8]) -> Option<Event> {
    Event::read_from_prefix(bytes).ok().map(|(event, _)| event)
}
