//! Datagrams with more than one DNS message.
//!
//! The kernel may join datagrams of one flow and of one size (GRO with `rx-udp-gro-forwarding` or
//! `rx-gro-list`, `UDP_SEGMENT`), and takes them apart again behind the program. What the program
//! sees is one datagram, with the messages one behind the other. Nothing in it says how long each
//! was, and a client may put anything between them, or hide one in a record of another. So in a
//! datagram for a server, whatever looks like the header of a query is judged as one. Datagrams of
//! a server are gone through message by message.

mod search;

use super::Inspection;
use crate::{
    abi::DnsAction,
    bounds::{opaque, within},
    decide::calls::Frame,
    dns::{HEADER_BYTES, LEAST_BYTES, PREFIX_BYTES, QUESTION_TAIL_BYTES},
    effect::ResponseAction,
    maps::Maps,
    reason::{Counter, Message, Reason},
    scratch::{BlockedMessage, JOINED_MESSAGES, Joined, Scratch},
};

/// The shortest message with a question.
const MESSAGE_BYTES: u32 = LEAST_BYTES - PREFIX_BYTES;

impl Scratch {
    /// Begins with the datagram whose payload starts at `at`.
    #[inline(always)]
    pub(crate) fn begin_datagram(&mut self, at: u32) {
        self.joined.blocked = 0;
        self.joined.at = at;
        // Nothing is known to be behind the header yet.
        self.type_at = at + HEADER_BYTES - QUESTION_TAIL_BYTES;
    }

    /// Where the question ends that was read last of the datagram at hand, or else its header.
    #[inline(always)]
    fn behind_question(&self) -> u32 {
        self.type_at + QUESTION_TAIL_BYTES
    }

    /// True if the datagram at hand may have another message behind the question that was read
    /// last.
    #[inline(always)]
    pub(crate) fn may_be_joined(&self, end: u32) -> bool {
        self.behind_question() + MESSAGE_BYTES <= end
    }

    /// Takes down the message at hand as one to be answered, if it is blocked and there is room.
    #[inline(always)]
    fn note_blocked(&mut self, at: u32, reason: Reason) {
        if !reason.is_blocked() || matches!(self.actions.dns(), DnsAction::Drop) {
            return;
        }
        if self.joined.blocked == 0 {
            self.joined.actions = self.actions;
        }
        let action = self.actions.dns() as u32;
        let (question_end, record) = (self.question_end, self.record);
        let message = BlockedMessage {
            at,
            question_end,
            record,
            action,
            given: ResponseAction::Drop as u32,
        };
        let place = within(
            self.joined.blocked as usize,
            0,
            JOINED_MESSAGES as usize - 1,
        );
        if let Some(place) = place.and_then(|place| self.joined.messages.get_mut(place)) {
            *place = message;
            self.joined.blocked += 1;
        }
    }
}

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Judges the message that was found, and those behind it.
    #[inline(always)]
    pub fn further_messages(&mut self) -> Reason {
        self.maps.count(Counter::DnsJoined);
        // What would be unrolled does not fit on the kernel's stack.
        for _ in 0..opaque(JOINED_MESSAGES as usize) {
            let Joined { at, end, .. } = self.scratch.joined;
            if at >= end {
                break;
            }
            let is_affordable = self.scratch.may_take_name(self.scratch.joined.labels);
            let reason = if is_affordable {
                P::dns_sections(self, at, end)
            } else {
                self.beyond(Message::Query)
            };
            self.scratch.note_blocked(at, reason);
            self.scratch.joined.note(reason);
            if matches!(reason, Reason::DnsBeyond | Reason::DnsBeyondDropped) {
                break;
            }
            self.scratch.joined.from = at + 1;
            P::next_message(self);
        }
        let outcome = self.scratch.joined.outcome();
        let is_done = self.scratch.joined.is_done();
        if outcome.is_blocked() || is_done {
            self.joined_outcome(outcome)
        } else {
            self.beyond(Message::Query)
        }
    }

    /// The outcome, with the actions of the first message that is to be answered.
    #[inline(always)]
    fn joined_outcome(&mut self, outcome: Reason) -> Reason {
        if self.scratch.joined.blocked > 0 {
            self.scratch.actions = self.scratch.joined.actions;
        }
        outcome
    }
}

impl Joined {
    /// True if nothing is left to be looked at.
    #[inline(always)]
    fn is_done(&self) -> bool {
        self.at >= self.end && self.looks > 0
    }

    #[inline(always)]
    fn outcome(&self) -> Reason {
        Reason::from_index(self.outcome).unwrap_or(Reason::DnsNoQuestion)
    }

    /// Notes what a message behind the first met. What looks like a message may be something else:
    /// it matters if it is blocked.
    #[inline(always)]
    fn note(&mut self, reason: Reason) {
        let matters = reason.is_blocked() || reason.is_audited() || reason.ends_judging();
        let outcome = self.outcome();
        if matters && !outcome.is_blocked() && !(reason.is_audited() && outcome.is_refused()) {
            self.outcome = reason.index();
        }
    }
}
