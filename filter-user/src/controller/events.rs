//! Events on their way from the kernel to those who read them.

use std::sync::{Arc, atomic::Ordering};

use filter_api::events::{BlockedPacket, EventLine};
use filter_core::{Message, TunnelKind};
use filter_policy::compiled::CompiledPolicy;
use jiff::Timestamp;

use tokio::{
    task::spawn_blocking,
    time::{Duration, MissedTickBehavior, interval},
};

use super::{NamedInterface, View};
use crate::{
    answers,
    kernel::{Events, NameEvent},
    replay::record_type,
};

/// How often events are taken from the kernel, which wakes nobody for them.
const POLL: Duration = Duration::from_millis(100);

/// How often the kernel's table of hits is looked at.
const LOOKS_AT_HITS: u32 = 10;

/// Passes events on, whatever else the controller does meanwhile, and keeps room for hits.
pub(super) async fn forward(view: Arc<View>, mut events: Events) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = LookAtHits::default();
    loop {
        ticks.tick().await;
        let (view, mut look) = (view.clone(), looks);
        let forwarded = spawn_blocking(move || {
            view.forward_events(&mut events);
            look.tick(&view);
            (events, look)
        });
        // It ends with the runtime alone.
        let Ok(done) = forwarded.await else { return };
        (events, looks) = done;
    }
}

/// When the table of hits is looked at again.
#[derive(Clone, Copy, Default)]
struct LookAtHits {
    in_ticks: u32,
}

impl LookAtHits {
    /// Places of the table that are free, one in so many: with fewer, some rules find none.
    const FREE: usize = 2;
    /// With so many rules, the table may be full within a second.
    const MANY: usize = 8_192;

    fn tick(&mut self, view: &View) {
        if self.in_ticks > 0 {
            self.in_ticks -= 1;
            return;
        }
        // What fails now is tried again with the next look.
        let rules = view
            .readings
            .make_room_for_hits(Self::FREE)
            .unwrap_or_default();
        self.in_ticks = if rules < Self::MANY {
            LOOKS_AT_HITS - 1
        } else {
            0
        };
    }
}

impl View {
    /// Passes on what the kernel reported since the last call. Who reads too slowly misses some.
    fn forward_events(&self, events: &mut Events) {
        let policy = super::reading(&self.policy);
        let interfaces = self.interfaces.read();
        let wanted = self.events.receiver_count() > 0;
        events.drain(|event| {
            self.reported.fetch_add(1, Ordering::Relaxed);
            if wanted {
                let packet = blocked_packet(event, &policy.compiled, &interfaces);
                let mut line = Vec::new();
                answers::push_line(&EventLine::Blocked(Box::new(packet)), &mut line);
                // An error says that the last reader left just now.
                let _ = self.events.send(line.into());
            }
        });
    }
}

fn blocked_packet(
    event: NameEvent,
    compiled: &CompiledPolicy,
    interfaces: &[NamedInterface],
) -> BlockedPacket {
    let interface = interfaces
        .iter()
        .find(|interface| interface.had_index(event.interface));
    let source = event
        .rule
        .and_then(|rule| compiled.find(rule))
        .map(answers::rule_source);
    let (rule, list, line) = source.map_or((None, None, None), |it| {
        (Some(it.rule), Some(it.list), it.line)
    });
    BlockedPacket {
        time: Timestamp::try_from(event.time)
            .map(|time| format!("{time:.6}"))
            .unwrap_or_default(),
        interface: interface.map_or_else(|| event.interface.to_string(), |it| it.name().to_owned()),
        client: event.client().ip().to_string(),
        client_port: event.client().port(),
        server: event.server().ip().to_string(),
        server_port: event.server().port(),
        protocol: event.reason.message().map_or("", Message::protocol).into(),
        question_type: event
            .question_type
            .map(|number| record_type(number).to_string()),
        vlans: event.vlans,
        tunnel: event.tunnel.map(|(kind, number)| match kind {
            TunnelKind::Ip => kind.as_str().into(),
            _ => format!("{} {number}", kind.as_str()),
        }),
        name: event.name,
        rule,
        list,
        line,
        verdict: event.given.as_str().into(),
        action: event.action.as_str().into(),
        unanswered: event.hindrance.map(|counter| counter.as_str().into()),
        reason: event.reason.as_str().into(),
    }
}
