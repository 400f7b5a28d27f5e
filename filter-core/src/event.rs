//! Reports of judged names.

use core::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    abi::Interface,
    bounds::opaque,
    buffer::MessageBuffer,
    effect::{self, ResponseAction},
    hash::RuleKey,
    headers::{Endpoints, Family, Protocol, Tunnel, TunnelKind, VLAN_BITS},
    name::{self, Form},
    reason::{Counter, Message, Reason},
    scratch::Scratch,
    scratch::{Given, JOINED_MESSAGES},
};

/// What a CPU may still report.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct EventBudget {
    /// When `left` was last filled up, in nanoseconds of the monotonic clock.
    filled_at: u64,
    left: u64,
}

impl EventBudget {
    const SECOND: u64 = 1_000_000_000;

    /// Takes one event off the budget, which is filled up each second; false if there is none left.
    #[inline(always)]
    pub fn take(&mut self, now: u64, per_second: u64) -> bool {
        if now.wrapping_sub(self.filled_at) >= Self::SECOND {
            self.filled_at = now;
            self.left = per_second;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

/// Room for a name in an event, in groups of eight octets.
const EVENT_NAME_WORDS: usize = 256 / 8;

/// A name that was judged, as the ring buffer carries it: one that is blocked, or any if the
/// settings ask for it.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Event {
    time: u64,
    rule: u64,
    source: [u64; 2],
    destination: [u64; 2],
    interface: u32,
    reason: u32,
    sequence: u32,
    record: u16,
    question_type: u16,
    source_port: u16,
    destination_port: u16,
    family: u8,
    protocol: u8,
    form: u8,
    name_octets: u8,
    vlan_tags: u32,
    tunnel: Tunnel,
    /// The [`ResponseAction`] that is meant.
    action: u8,
    /// The one that the client was given.
    given: u8,
    /// One more than the index of the [`Counter`] of what stood against `action`; 0 if nothing did.
    hindrance: u8,
    /// The place of the message among those of its datagram that are to be answered, if there are
    /// several.
    place: u8,
    /// The first octet in the lowest place: eight are copied at once.
    name: [u64; EVENT_NAME_WORDS],
}

const _: () = assert!(Counter::COUNT < u8::MAX as u32);
const _: () = assert!(Event::WAITING <= u8::MAX as u32);
const _: () = assert!(size_of::<Event>() == 88 + 8 * EVENT_NAME_WORDS && align_of::<Event>() == 8);

impl Event {
    /// Nothing.
    #[cfg(not(target_arch = "bpf"))]
    pub(crate) const EMPTY: Self = Self {
        time: 0,
        rule: 0,
        source: [0; 2],
        destination: [0; 2],
        interface: 0,
        reason: 0,
        sequence: 0,
        record: 0,
        question_type: 0,
        source_port: 0,
        destination_port: 0,
        family: 0,
        protocol: 0,
        form: 0,
        name_octets: 0,
        vlan_tags: 0,
        tunnel: Tunnel::NONE,
        action: 0,
        given: 0,
        hindrance: 0,
        place: 0,
        name: [0; EVENT_NAME_WORDS],
    };

    /// Events of one packet that may wait until it is known what becomes of it: one for each
    /// message that the kernel joins to a datagram. A message has one name that is blocked, and
    /// ends with it.
    pub const WAITING: u32 = JOINED_MESSAGES + 1;

    /// Fills in all but the ends and what the client was given: the name that was judged last, for
    /// this reason, in a packet that came in by the interface with this index and these settings.
    /// `time` is in nanoseconds of the monotonic clock.
    #[inline(always)]
    pub fn fill(
        &mut self,
        time: u64,
        (index, interface): (u32, &Interface),
        reason: Reason,
        scratch: &Scratch,
    ) {
        let Scratch {
            name, transport, ..
        } = scratch;
        self.time = time;
        self.rule = if reason.is_of_rule() {
            name.matched().0
        } else {
            0
        };
        self.interface = index;
        let action = effect::response(reason, &scratch.actions, transport.protocol(), interface);
        self.action = action as u8;
        self.given = if reason.is_blocked() {
            ResponseAction::Drop
        } else {
            ResponseAction::Pass
        } as u8;
        self.hindrance = 0;
        self.place = scratch.joined.blocked as u8;
        self.reason = reason.index();
        self.sequence = scratch.sequence;
        self.record = scratch.record as u16;
        self.question_type = match reason.message() {
            Some(Message::Query | Message::Response) => scratch.question_type as u16,
            _ => 0,
        };
        let layers = &scratch.layers;
        (self.vlan_tags, self.tunnel) = match transport.path.outer_tags() {
            Some(tags) => (tags, Tunnel::NONE),
            None => (layers.outer_tags, layers.tunnel),
        };
        self.family = if matches!(transport.family(), Family::V4) {
            4
        } else {
            6
        };
        self.protocol = transport.protocol().number();
        self.form = name.form() as u8;
        self.name_octets = name.len() as u8;
        // One word after the other: read all at once, they would fill half of the kernel's stack.
        let mut place = 0;
        while let Some(word) = self.name.get_mut(opaque(place)) {
            *word = name.word(8 * place as u32);
            place += 1;
        }
    }

    /// Fills in who sent the packet, and to whom.
    #[inline(always)]
    pub fn set_ends(&mut self, ends: &Endpoints) {
        self.source = ends.source;
        self.destination = ends.destination;
        self.source_port = ends.source_port;
        self.destination_port = ends.destination_port;
    }

    /// Fills in what the client was given, once that is known; an answer is in this draft.
    #[inline(always)]
    pub fn set_given(&mut self, scratch: &Scratch, draft: &MessageBuffer) {
        if self.action == ResponseAction::Pass as u8 {
            return;
        }
        let given = scratch.given_for(u32::from(self.place), draft);
        // Where the message is to be dropped, the answer was one to other messages of its datagram.
        let (action, hindrance) = if self.action != ResponseAction::Drop as u8 {
            // Whoever makes an answer notes what it became.
            let given = if given == Given::DROPPED {
                Given::nothing_because(Counter::ProgramNotRun)
            } else {
                given
            };
            (given.action, given.hindrance)
        } else if given.is_of_side() {
            (self.action.into(), given.hindrance)
        } else {
            (self.action.into(), 0)
        };
        self.given = action as u8;
        self.hindrance = hindrance as u8;
    }

    /// What the client was to get, by the rule, its list and the interface; `None` if the bytes are
    /// no event of this version.
    pub fn action(&self) -> Option<ResponseAction> {
        ResponseAction::from_index(self.action)
    }

    /// What the client was given. Where all names are reported, packets are not followed that far:
    /// what is blocked is dropped.
    pub fn given(&self) -> Option<ResponseAction> {
        ResponseAction::from_index(self.given)
    }

    /// The counter of what stood against what the client was to get, if something did.
    pub fn hindrance(&self) -> Option<Counter> {
        Counter::all().nth(usize::from(self.hindrance).checked_sub(1)?)
    }

    /// When, in nanoseconds of the monotonic clock.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The rule that blocks the name or allows it; `None` if none does.
    pub fn rule(&self) -> Option<RuleKey> {
        self.reason()
            .is_some_and(Reason::is_of_rule)
            .then_some(RuleKey(self.rule))
    }

    /// Type of the resource record whose target the name is (RFC 1035 §3.2.2); `None` for what was
    /// asked for.
    pub fn record(&self) -> Option<u16> {
        (self.record != 0).then_some(self.record)
    }

    /// Type of the records that were asked for (RFC 1035 §3.2.3); `None` if it is no DNS message.
    pub fn question_type(&self) -> Option<u16> {
        let message = self.reason().and_then(Reason::message);
        matches!(message, Some(Message::Query | Message::Response)).then_some(self.question_type)
    }

    /// The VLANs that the frame was in, from the outermost on, as far as its tags were in front of
    /// everything else.
    pub fn vlans(&self) -> impl Iterator<Item = u16> {
        [self.vlan_tags >> 16, self.vlan_tags]
            .map(|tag| tag as u16 & VLAN_BITS)
            .into_iter()
            .filter(|vlan| *vlan != 0)
    }

    /// The tunnel that the message was in, with its number: the network identifier of VXLAN and
    /// Geneve, the key of GRE, tunnel and session of L2TP, the call of PPTP; else 0.
    pub fn tunnel(&self) -> Option<(TunnelKind, u32)> {
        let kind = TunnelKind::ALL
            .into_iter()
            .find(|kind| *kind as u32 == self.tunnel.kind)?;
        Some((kind, self.tunnel.number))
    }

    /// True if the message came over TCP.
    pub fn over_tcp(&self) -> bool {
        self.protocol == Protocol::Tcp.number()
    }

    /// TCP sequence number of the message that the name is in; octets of the connection ID in QUIC;
    /// 0 in other datagrams.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Index of the interface that the packet came in by.
    pub fn interface(&self) -> u32 {
        self.interface
    }

    /// Why it was blocked or not; `None` if the bytes are no event of this version.
    pub fn reason(&self) -> Option<Reason> {
        Reason::from_index(self.reason)
    }

    /// Who sent the packet.
    pub fn source(&self) -> SocketAddr {
        SocketAddr::new(self.address(self.source), self.source_port)
    }

    /// Whom it was sent to.
    pub fn destination(&self) -> SocketAddr {
        SocketAddr::new(self.address(self.destination), self.destination_port)
    }

    /// The name, written as [`Name`](crate::Name) writes it.
    pub fn name(&self) -> impl fmt::Display {
        let form = if self.form == Form::Wire as u8 {
            Form::Wire
        } else {
            Form::Text
        };
        let mut octets = [0; 8 * EVENT_NAME_WORDS];
        for (to, word) in octets.chunks_exact_mut(8).zip(self.name) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        let len = usize::from(self.name_octets);
        fmt::from_fn(move |f| name::write_name(f, form, octets.get(..len).unwrap_or_default()))
    }

    fn address(&self, [start, rest]: [u64; 2]) -> IpAddr {
        let mut octets = [0; 16];
        for (to, word) in octets.chunks_exact_mut(8).zip([start, rest]) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        match octets {
            [a, b, c, d, ..] if self.family == 4 => [a, b, c, d].into(),
            _ => octets.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_filled_up_each_second_and_holds_no_more() {
        let (mut budget, second) = (EventBudget::default(), EventBudget::SECOND);
        let mut taken = |now| (0..100).filter(|_| budget.take(now, 7)).count();
        assert_eq!(taken(5 * second), 7);
        assert_eq!(taken(6 * second - 1), 0);
        assert_eq!(taken(6 * second), 7);
        assert_eq!(taken(60 * second), 7);
    }

    #[test]
    fn where_no_program_made_the_answer_that_was_meant_the_event_says_so() {
        let scratch = Scratch::default();
        let said = |action: ResponseAction| {
            let mut event = Event {
                action: action as u8,
                given: ResponseAction::Pass as u8,
                ..Event::EMPTY
            };
            event.set_given(&scratch, &MessageBuffer::EMPTY);
            (event.given(), event.hindrance())
        };
        let dropped = Some(ResponseAction::Drop);
        assert_eq!(
            said(ResponseAction::NxDomain),
            (dropped, Some(Counter::ProgramNotRun))
        );
        assert_eq!(
            said(ResponseAction::Reset),
            (dropped, Some(Counter::ProgramNotRun))
        );
        assert_eq!(said(ResponseAction::Drop), (dropped, None));
        assert_eq!(
            said(ResponseAction::Pass),
            (Some(ResponseAction::Pass), None)
        );
    }
}
