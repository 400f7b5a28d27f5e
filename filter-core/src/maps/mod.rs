//! What the decision looks up and leaves behind, apart from the flows.

mod client;

use crate::{
    abi::{Generation, Interface, Precedence, Settings},
    packet::Packet,
    reason::{Counter, Reason},
    rules::{RuleKey, Rules},
    scratch::Scratch,
    subprograms,
};

pub use client::{group_of, precedence_of};

/// Makes a method of each subprogram over any frame and the maps.
macro_rules! maps_methods {
    ([]) => {};
    ([] client { $($function:ident($($argument:ident: $kind:ty),*) -> $result:ty;)* } $($rest:tt)*) => {
        $(
            #[doc = concat!("Calls [`", stringify!($function), "`].")]
            #[inline(always)]
            fn $function<P: Packet + ?Sized>(&self, packet: &P, $($argument: $kind),*) -> $result
            where
                Self: Sized,
            {
                $function(packet, self, $($argument),*)
            }
        )*
        maps_methods! { [] $($rest)* }
    };
    ([] $other:ident $lines:tt $($rest:tt)*) => { maps_methods! { [] $($rest)* } };
}

/// The maps: BPF maps in the kernel, collections in user space.
pub trait Maps: Rules {
    /// Counts one more; for what is not the reason of a packet.
    fn count(&self, counter: Counter);

    /// Counts a packet that this rule decided about.
    fn count_hit(&self, key: RuleKey);

    /// The index of the interface that the packet came in by, and what is done with packets that
    /// come in there.
    fn interface(&self) -> (u32, &Interface);

    /// The time in nanoseconds, by a clock that never goes back; it may be some milliseconds old.
    fn now(&self) -> u64;

    /// Takes one off what the clients of this bucket of [`Allowance`](crate::Allowance) may have in
    /// a second; false if there is none left.
    fn take_from(&self, bucket: u32, per_second: u64) -> bool;

    /// Reports the name that was judged last, for this reason: at once, or if it is blocked when it
    /// is known what its client was given. Nothing here changes a verdict.
    fn report(&self, settings: &Settings, scratch: &mut Scratch, reason: Reason);

    subprograms! { maps_methods }
}
