//! Floods of `ClientHello`s in two segments, from packet sockets on one or two processors, and real
//! clients beside them.
//!
//! What a filter lets through is counted by the kernel behind it ([`Passed`]), so that nothing
//! rests on the filter's own counters.

mod others;
mod passed;
mod sending;
mod split_hello;

pub use others::{Others, Outcomes};
pub use passed::Passed;
pub use sending::{HalfHellos, SEGMENTS, Sources, whole_hellos};
pub use split_hello::{Connection, SplitHello};
