//! Events out of the ring buffer.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use aya::maps::{MapData, RingBuf};
use filter_core::{Reason, RuleKey};
use rustix::time::{ClockId, clock_gettime};

use super::pod;

/// A packet that was blocked.
#[derive(Clone, Debug)]
pub struct BlockEvent {
    /// When.
    pub time: SystemTime,
    /// Index of the interface that it came in by.
    pub interface: u32,
    /// Who sent it.
    pub client: SocketAddr,
    /// Whom it was for.
    pub server: SocketAddr,
    /// Why, which also tells the protocol.
    pub reason: Reason,
    /// The name that was asked for, in lower case; odd bytes as `\xHH`.
    pub name: String,
    /// The rule that blocks it.
    pub rule: RuleKey,
}

pub(super) fn drain(ring: &mut RingBuf<MapData>, mut each: impl FnMut(BlockEvent)) {
    let now = (SystemTime::now(), monotonic());
    while let Some(item) = ring.next() {
        if let Some(event) = pod::event(&item).and_then(|event| readable(&event, now)) {
            each(event);
        }
    }
}

fn readable(event: &filter_core::Event, (now, monotonic): (SystemTime, Duration)) -> Option<BlockEvent> {
    let ago = monotonic.saturating_sub(Duration::from_nanos(event.time()));
    Some(BlockEvent {
        time: now.checked_sub(ago).unwrap_or(now),
        interface: event.interface(),
        client: event.source(),
        server: event.destination(),
        reason: event.reason()?,
        name: event.name().to_string(),
        rule: event.rule(),
    })
}

/// The clock that the kernel stamps events with.
fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
