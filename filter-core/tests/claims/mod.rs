//! What is claimed of frames. filter-core's tests hold the source to it in user space,
//! filter-user's the loaded program in the kernel; each gives at its crate's root a `judge` for a
//! frame that nothing came before, a `judge_all` for frames that come one after the other, and a
//! `send_reporting` for what becomes of frames, each some time after the one before, and what is
//! reported of that.

mod answers;
mod dns;
mod dns_joined;
mod dns_long;
mod dns_responses;
mod dns_stream;
mod encapsulation;
mod ethernet;
mod ipv4;
mod ipv6;
mod pointers;
mod quic;
mod tls;
mod tls_connections;
mod tls_extensions;
mod tls_opening;
mod tls_segments;
mod tls_splits;
mod transport;
mod tunnels;

use std::time::Duration;

use filter_core::{Counter, Interface, Reason, ResponseAction, Sent, Verdict};
use frames::Wrap;

use crate::{judge, judge_all, send_reporting};

/// The rules in force wherever frames are judged.
pub const RULES: [&str; 2] = ["ads.example.com", "tracker.example"];
/// A name that a rule blocks.
const LISTED: &str = "ads.example.com";
/// A name of the same length that none does.
const OTHER: &str = "web.example.com";

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Why.
    pub reason: Reason,
    /// The name that was judged last, if one was.
    pub name: Option<String>,
}

impl Decided {
    /// The decision for this reason, over this name if the reason is about one.
    pub fn of(reason: Reason, name: &(impl ToString + ?Sized)) -> Self {
        Self {
            reason,
            name: reason.message().map(|_| name.to_string()),
        }
    }
}

#[track_caller]
fn assert_reason(frame: &[u8], reason: Reason, what: &str) {
    assert_eq!(judge(frame).reason, reason, "{what}");
}

/// What an event says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Why the name is blocked or not.
    pub reason: Reason,
    /// What the client was to get.
    pub action: ResponseAction,
    /// What it was given.
    pub given: ResponseAction,
    /// What stood against it.
    pub hindrance: Option<Counter>,
}

/// What became of a frame: why, where it went and what it was then, which counters moved besides
/// the reason's, and what was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Became {
    pub reason: Reason,
    pub sent: Sent,
    pub frame: Vec<u8>,
    pub counters: Vec<Counter>,
    pub reported: Vec<Reported>,
}

impl Became {
    /// Makes sure that what is reported of the frame is what its client got, as others read that
    /// off the wire.
    #[track_caller]
    fn assert_reported_as_given(&self) {
        let (blocked, others): (Vec<_>, Vec<_>) = self
            .reported
            .iter()
            .partition(|report| report.reason.is_blocked());
        let passes =
            |report: &&Reported| [report.action, report.given] == [ResponseAction::Pass; 2];
        assert!(others.iter().all(passes), "{self:?}");
        assert_eq!(self.reason.is_blocked(), !blocked.is_empty(), "{self:?}");
        let stands_against = |counter: &&Counter| {
            counter.as_str().starts_with("unanswered_") || **counter == Counter::ClosedAlready
        };
        let hindrance = self.counters.iter().find(stands_against).copied();
        let is_joined = self.counters.contains(&Counter::DnsJoined);
        for report in blocked {
            let Reported { action, given, .. } = *report;
            match self.sent {
                Sent::Drop => {
                    assert_eq!(
                        (given, report.hindrance),
                        (ResponseAction::Drop, hindrance),
                        "{self:?}"
                    );
                    assert!(
                        hindrance.is_some() || action == ResponseAction::Drop,
                        "{self:?}"
                    );
                }
                // A datagram with several messages has claims of its own.
                Sent::Tx | Sent::Pass if is_joined => {
                    assert!(report.hindrance.is_none() || given != action, "{self:?}");
                }
                Sent::Tx | Sent::Pass => {
                    assert_eq!(
                        (given.as_str(), report.hindrance),
                        (frames::heard(&self.frame), None),
                        "{self:?}"
                    );
                }
            }
        }
    }
}

/// What becomes of frames that come in by this interface, each so long after the one before, and
/// nothing came before the first.
#[track_caller]
pub fn become_of_all(frames: &[(Duration, Vec<u8>)], interface: Interface) -> Vec<Became> {
    let became = send_reporting(frames, interface);
    became.iter().for_each(Became::assert_reported_as_given);
    became
}

/// The same without what is reported.
#[track_caller]
pub fn send_all(
    frames: &[(Duration, Vec<u8>)],
    interface: Interface,
) -> Vec<(Reason, Sent, Vec<u8>, Vec<Counter>)> {
    let became = become_of_all(frames, interface).into_iter();
    became
        .map(
            |Became {
                 reason,
                 sent,
                 frame,
                 counters,
                 ..
             }| (reason, sent, frame, counters),
        )
        .collect()
}

/// What becomes of a frame that comes in by this interface, and nothing came before; and what is
/// counted besides its reason.
#[track_caller]
fn send(frame: &[u8], interface: Interface) -> (Reason, Sent, Vec<u8>, Vec<Counter>) {
    send_all(&[(Duration::ZERO, frame.to_vec())], interface).remove(0)
}

/// The reasons of frames that come one after the other.
fn reasons(frames: &[Vec<u8>]) -> Vec<Reason> {
    judge_all(frames)
        .into_iter()
        .map(|decided| decided.reason)
        .collect()
}

#[track_caller]
fn assert_reasons(frames: &[Vec<u8>], expected: &[Reason], what: &str) {
    assert_eq!(reasons(frames), expected, "{what}");
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
    assert_reason(
        &wrap(&frames::client_hello(LISTED)),
        Reason::TlsBlocked,
        what,
    );
    assert_reason(
        &wrap(&frames::client_hello(OTHER)),
        Reason::TlsNotListed,
        what,
    );
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

/// Octets of the hello up to the end of its server name.
fn name_end(hello: &[u8], name: &str) -> usize {
    frames::server_name_at(hello, name).unwrap() + name.len()
}

fn passes(frame: &[u8]) -> bool {
    judge(frame).reason.verdict() == Verdict::Pass
}
