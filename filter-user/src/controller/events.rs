//! Events on their way from the kernel to those who read them.

use filter_api::events::{BlockedPacket, EventLine};
use filter_core::{Message, TunnelKind};
use filter_policy::compiled::CompiledPolicy;
use jiff::Timestamp;

use super::{Controller, NamedInterface};
use crate::{answers, kernel::NameEvent, replay::record_type};

impl Controller {
    /// Passes on what the kernel reported since the last call. Who reads too slowly misses some.
    pub(super) fn forward_events(&mut self) {
        let Self {
            filter,
            policy,
            events,
            interfaces,
            reported,
            ..
        } = self;
        let policy = super::reading(policy);
        let compiled = &policy.compiled;
        let interfaces = interfaces.read();
        let wanted = events.receiver_count() > 0;
        filter.drain_events(|event| {
            *reported += 1;
            if wanted {
                let mut line = Vec::new();
                answers::push_line(
                    &EventLine::Blocked(Box::new(blocked_packet(event, compiled, &interfaces))),
                    &mut line,
                );
                // An error says that the last reader left just now.
                let _ = events.send(line.into());
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
