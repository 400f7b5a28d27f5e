//! Messages that come in several TCP segments.
//!
//! The segments of a ClientHello, or of a DNS message over TCP, are held until the name in it is
//! known. A flow takes one of a fixed number of places, and a hello gives it back with the verdict.
//! Two keep theirs until newer flows need it: what is blocked, so that what is sent again meets the
//! same verdict, and a stream of DNS, to know where its next message starts. What fills the table
//! grows nothing: the flow that was used least recently of the same bucket goes, and is counted.
//! Buckets are chosen by a keyed hash, so that nobody can aim, and one source has an eighth of each
//! bucket at most, so that nobody pushes out what others send.

mod buffered;
mod ended;
mod pieces;
mod resets;
mod source;
mod table;

pub use buffered::Buffered;
pub(crate) use ended::Ended;
pub use pieces::Flow;
pub(crate) use pieces::copy_frame;
pub(crate) use resets::LastReset;
pub(crate) use source::{V4_PREFIX, source_hash};
pub use table::{Bucket, Flows, WAYS, Way};
