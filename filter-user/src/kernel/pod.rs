//! Types of filter-core as values of maps and of the ring buffer.

use std::ptr;

use filter_core::{
    Bucket, Event, Group, InForce, Interface, ListName, Member, OfCpu, Page, Part, Settings, TermsOfBoth, Treatment,
};

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodPage(pub Page);

// SAFETY: integers of one size: no padding, and any bytes are a value.
unsafe impl aya::Pod for PodPage {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodTerms(pub TermsOfBoth);

// SAFETY: `repr(C)` of integers that leave no padding, and any bytes are a value.
unsafe impl aya::Pod for PodTerms {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodInForce(pub InForce);

// SAFETY: one integer: no padding, and any bytes are a value.
unsafe impl aya::Pod for PodInForce {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub(super) struct PodGroups(pub [Group; Group::MOST as usize]);

// SAFETY: `repr(C)` of integers of one size: no padding, and any bytes are a value.
unsafe impl aya::Pod for PodGroups {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodMember(pub Member);

// SAFETY: `repr(C)` of integers of one size: no padding, and any bytes are a value.
unsafe impl aya::Pod for PodMember {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodInterface(pub Interface);

// SAFETY: `repr(C)` of integers that leave no padding.
unsafe impl aya::Pod for PodInterface {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodTreatment(pub Treatment);

// SAFETY: `repr(C)` of integers that leave no padding.
unsafe impl aya::Pod for PodTreatment {}

#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub(super) struct PodListName(pub ListName);

// SAFETY: `repr(C)` of integers and octets that leave no padding.
unsafe impl aya::Pod for PodListName {}

#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct PodSettings(pub Settings);

// SAFETY: `repr(C)` of integers; filter-core asserts at compile time that they leave no padding.
unsafe impl aya::Pod for PodSettings {}

#[repr(transparent)]
#[derive(Clone, Copy, Default)]
pub(super) struct PodBucket(pub Bucket);

// SAFETY: `repr(C)` of integers that leave no padding.
unsafe impl aya::Pod for PodBucket {}

#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct PodOfCpu(pub OfCpu);

// SAFETY: `repr(C)` of integers that leave no padding.
unsafe impl aya::Pod for PodOfCpu {}

#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct PodPart(Part);

// SAFETY: `repr(C)` of integers; filter-core asserts at compile time that they leave no padding.
unsafe impl aya::Pod for PodPart {}

impl PodPart {
    /// A part is too large to be moved.
    pub(super) fn of(part: &Part) -> &Self {
        // SAFETY: it is a part and nothing else.
        unsafe { &*ptr::from_ref(part).cast() }
    }
}

#[cfg(feature = "feed")]
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct PodFrames(pub filter_core::Frames);

// SAFETY: `repr(C)` of octets, as many as are a multiple of its alignment: no padding.
#[cfg(feature = "feed")]
unsafe impl aya::Pod for PodFrames {}

#[cfg(feature = "feed")]
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct PodTurns(pub filter_core::Turns);

// SAFETY: `repr(C)` of integers that leave no padding.
#[cfg(feature = "feed")]
unsafe impl aya::Pod for PodTurns {}

/// The event with these bytes; `None` if they are too few.
pub(super) fn event(bytes: &[u8]) -> Option<Event> {
    if bytes.len() < size_of::<Event>() {
        return None;
    }
    // SAFETY: there are enough bytes, the read needs no alignment, and any bytes are an event: it is made of integers.
    Some(unsafe { bytes.as_ptr().cast::<Event>().read_unaligned() })
}
