//! What is claimed of single frames. filter-core's tests hold the source to it in user space, filter-user's the loaded
//! program in the kernel; each gives a `judge` at its crate's root.

mod dns;
mod ethernet;
mod ipv4;
mod ipv6;
mod tls;
mod tls_extensions;
mod tls_splits;
mod transport;

use filter_core::{Reason, Verdict};
use frames::Wrap;

use crate::judge;

/// The rules in force wherever frames are judged.
pub const RULES: [&str; 2] = ["ads.example.com", "tracker.example"];
/// A name that a rule blocks.
const LISTED: &str = "ads.example.com";
/// A name of the same length that none does.
const OTHER: &str = "web.example.com";

/// What became of a frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Decided {
    /// Why.
    pub reason: Reason,
    /// The name that was judged last, if one was.
    pub name: Option<String>,
}

impl Decided {
    /// The decision for this reason, over this name if the reason is about one.
    pub fn of(reason: Reason, name: &(impl ToString + ?Sized)) -> Self {
        Self { reason, name: reason.message().map(|_| name.to_string()) }
    }
}

#[track_caller]
fn assert_reason(frame: &[u8], reason: Reason, what: &str) {
    assert_eq!(judge(frame).reason, reason, "{what}");
}

/// Queries for a listed name and for its neighbour, in the frames that `wrap` makes.
#[track_caller]
fn assert_queries_are_judged(what: &str, wrap: impl Fn(&[u8]) -> Vec<u8>) {
    assert_reason(&wrap(&frames::query(LISTED)), Reason::DnsBlocked, what);
    assert_reason(&wrap(&frames::query(OTHER)), Reason::DnsNotListed, what);
}

/// The same for hellos.
#[track_caller]
fn assert_hellos_are_judged(what: &str, wrap: impl Fn(&[u8]) -> Vec<u8>) {
    assert_reason(&wrap(&frames::client_hello(LISTED)), Reason::TlsBlocked, what);
    assert_reason(&wrap(&frames::client_hello(OTHER)), Reason::TlsNotListed, what);
}

/// The frame that asks for the listed name in DNS, without tags or options.
fn listed_query(wrap: &Wrap) -> Vec<u8> {
    wrap.udp(&frames::query(LISTED))
}

/// A copy of the frame with these bytes at this offset.
fn with(frame: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = frame.to_vec();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    changed
}

fn passes(frame: &[u8]) -> bool {
    judge(frame).reason.verdict() == Verdict::Pass
}
