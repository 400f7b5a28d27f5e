//! Events out of the ring buffer.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use aya::maps::{MapData, RingBuf};
use filter_core::{Counter, Message, Reason, ResponseAction, RuleKey, TunnelKind};
use rustix::time::{ClockId, clock_gettime};

use super::pod;

/// A name that was judged: one that is blocked, or any if the filter was loaded so.
#[derive(Clone, Debug)]
pub struct NameEvent {
    /// When.
    pub time: SystemTime,
    /// Index of the interface that the packet came in by.
    pub interface: u32,
    /// Who sent the packet.
    pub source: SocketAddr,
    /// Whom it was for.
    pub destination: SocketAddr,
    /// Why the name is blocked or passes, which also tells the protocol.
    pub reason: Reason,
    /// What the client was to get, by the rule, its list and the interface.
    pub action: ResponseAction,
    /// What the client was given. Where all names are reported, packets are not followed that far:
    /// what is blocked is dropped.
    pub given: ResponseAction,
    /// The counter of what stood against `action`, if something did.
    pub hindrance: Option<Counter>,
    /// The name, in lower case; odd bytes as `\xHH`.
    pub name: String,
    /// The rule that blocks it, if one does.
    pub rule: Option<RuleKey>,
    /// Type of the resource record whose target the name is; `None` for what was asked for.
    pub record: Option<u16>,
    /// Type of the records that were asked for; `None` if it is no DNS message.
    pub question_type: Option<u16>,
    /// The VLANs that the frame was in, from the outermost on.
    pub vlans: Vec<u16>,
    /// The tunnel that the message was in, with its number (as [`filter_core::Event::tunnel`] has
    /// it).
    pub tunnel: Option<(TunnelKind, u32)>,
    /// True if the message came over TCP.
    pub over_tcp: bool,
    /// TCP sequence number of the message that the name is in; octets of the connection ID in QUIC;
    /// 0 in other datagrams.
    pub sequence: u32,
}

impl NameEvent {
    /// Who asked.
    pub fn client(&self) -> SocketAddr {
        if self.is_response() {
            self.destination
        } else {
            self.source
        }
    }

    /// Who was asked.
    pub fn server(&self) -> SocketAddr {
        if self.is_response() {
            self.source
        } else {
            self.destination
        }
    }

    fn is_response(&self) -> bool {
        self.reason.message() == Some(Message::Response)
    }
}

pub(super) fn drain(ring: &mut RingBuf<MapData>, mut each: impl FnMut(NameEvent)) {
    let mut clock = None;
    while let Some(item) = ring.next() {
        let now = *clock.get_or_insert_with(|| (SystemTime::now(), monotonic()));
        if let Some(event) = pod::event(&item).and_then(|event| readable(&event, now)) {
            each(event);
        }
    }
}

fn readable(
    event: &filter_core::Event,
    (now, monotonic): (SystemTime, Duration),
) -> Option<NameEvent> {
    let ago = monotonic.saturating_sub(Duration::from_nanos(event.time()));
    Some(NameEvent {
        time: now.checked_sub(ago).unwrap_or(now),
        interface: event.interface(),
        source: event.source(),
        destination: event.destination(),
        reason: event.reason()?,
        action: event.action()?,
        given: event.given()?,
        hindrance: event.hindrance(),
        name: event.name().to_string(),
        rule: event.rule(),
        record: event.record(),
        question_type: event.question_type(),
        vlans: event.vlans().collect(),
        tunnel: event.tunnel(),
        over_tcp: event.over_tcp(),
        sequence: event.sequence(),
    })
}

/// The clock that the kernel stamps events with.
fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
