//! Results as numbers: functions of the program give nothing else back.

use filter_core::{HelloEnd, Reason, Scratch, Taken, Transport, bounds::opaque};

/// The reason that a function of the program gave back, or was given, as a number.
#[inline(always)]
pub fn reason(index: u32) -> Reason {
    Reason::ALL.get(opaque(index as usize)).copied().unwrap_or(Reason::TlsMalformed)
}

/// What a function gives back in place of a reason, if a message is to be gone through by its sections.
const BY_SECTIONS: u32 = u32::MAX;

/// The number of a reason, or [`BY_SECTIONS`].
#[inline(always)]
pub fn dns_number(reason: Option<Reason>) -> u32 {
    reason.map_or(BY_SECTIONS, Reason::index)
}

#[inline(always)]
pub fn dns_reason(number: u32) -> Option<Reason> {
    if number == BY_SECTIONS { None } else { Some(reason(number)) }
}

/// What a function gives back in place of a reason, if it found what it looked for and left it in the scratch.
pub const FOUND: u32 = u32::MAX;

/// The number of a reason, or [`FOUND`] if there is none.
#[inline(always)]
pub fn found(found: Result<(), Reason>) -> u32 {
    match found {
        Ok(()) => FOUND,
        Err(reason) => reason.index(),
    }
}

/// The number of a reason, or [`FOUND`].
#[inline(always)]
pub fn found_number(found: Result<Transport, Reason>, scratch: &mut Scratch) -> u32 {
    match found {
        Ok(transport) => {
            scratch.transport = transport;
            FOUND
        }
        Err(reason) => reason.index(),
    }
}

/// What a function gives back in place of a reason, for the variants of [`Taken`].
pub const WHOLE_HELLO: u32 = u32::MAX;
pub const TO_HOLD: u32 = u32::MAX - 1;
pub const EMPTY: u32 = u32::MAX - 2;

/// The number of a reason, or of what is to be done with a segment.
#[inline(always)]
pub fn taken_number(taken: Result<Taken, Reason>) -> u32 {
    match taken {
        Ok(Taken::WholeHello) => WHOLE_HELLO,
        Ok(Taken::ToHold) => TO_HOLD,
        Ok(Taken::Empty) => EMPTY,
        Err(reason) => reason.index(),
    }
}

/// The bit of a [`HelloEnd`] that a function of the program gave back as a number.
const GOES_ON: u32 = 1 << 16;

/// A [`HelloEnd`] as a number: functions of the program give nothing else back.
#[inline(always)]
pub fn hello_number(end: HelloEnd) -> u32 {
    end.reason.index() | if end.goes_on { GOES_ON } else { 0 }
}

#[inline(always)]
pub fn hello_end(number: u32) -> HelloEnd {
    HelloEnd { reason: reason(number & !GOES_ON), goes_on: number & GOES_ON != 0 }
}
