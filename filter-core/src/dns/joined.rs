//! Datagrams with more than one DNS message.
//!
//! The kernel may join datagrams of one flow and of one size (GRO with `rx-udp-gro-forwarding` or `rx-gro-list`,
//! `UDP_SEGMENT`), and takes them apart again behind the program. What the program sees is one datagram, with the messages one
//! behind the other. Nothing in it says how long each was, and a client may put anything between them, or hide one in a record of
//! another. So in a datagram for a server, whatever looks like the header of a query is judged as one. Datagrams of a server are
//! gone through message by message.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{HEADER_BYTES, LEAST_BYTES, PREFIX_BYTES, QUESTION_TAIL_BYTES, RECORD_HEAD_BYTES};
use crate::{
    abi::{DnsAction, Scratch, Treatment},
    bounds::{opaque, within},
    decide::Judge,
    headers::Ports,
    maps::Maps,
    name::POINTER_BYTES,
    packet::{Frame, LoopBody, Packet},
    reason::{Counter, Message, Reason},
};

/// Messages behind the first that are judged, as many as the kernel joins (`UDP_GRO_CNT_MAX`).
pub(crate) const MESSAGES: u32 = 64;
/// The shortest message with a question.
const MESSAGE_BYTES: u32 = LEAST_BYTES - PREFIX_BYTES;
/// Looks for further messages, at eight octets or a label each: all of the largest datagram, and the labels of 64 queries.
const LOOKS: u32 = 65_536 / 8 + 1024;
/// Labels and records of a response that are gone through to its end.
const STEPS: u32 = 4096;
const STEPS_A_TURN: u32 = 4;
/// Looks in one call of a loop's body.
const LOOKS_A_TURN: u32 = 2;

/// A message that is blocked, of those of a datagram.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockedMessage {
    /// Where it starts in the frame.
    pub at: u32,
    /// Where its question ends; 0 if it has no single one with a name that stands there in full.
    pub question_end: u32,
    /// The record with the name that is blocked, as in [`Scratch`].
    pub record: u32,
    /// What is done with it, as [`Treatment::dns`] has it.
    pub action: u32,
}

/// The messages of a datagram with several.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    /// The message at hand.
    at: u32,
    /// Where the next is looked for.
    from: u32,
    end: u32,
    /// Where a header was found behind which a question is to be; 0 if none was.
    candidate: u32,
    /// The next label of that question.
    label_at: u32,
    /// Its labels so far.
    labels: u32,
    /// Looks that are left.
    looks: u32,
    /// 1 if messages are looked for, 0 if the end of one is the start of the next.
    is_scanned: u32,
    /// Questions and records of a message that are still to be gone over.
    questions: u32,
    records: u32,
    /// Index of the [`Reason`] so far.
    outcome: u32,
    /// What is done with the first message that is to be answered.
    treatment: Treatment,
    /// How many messages are to be answered.
    pub blocked: u32,
    pub messages: [BlockedMessage; MESSAGES as usize],
}

impl Joined {
    pub(crate) const NONE: Self = Self {
        at: 0,
        from: 0,
        end: 0,
        candidate: 0,
        label_at: 0,
        labels: 0,
        looks: 0,
        is_scanned: 0,
        questions: 0,
        records: 0,
        outcome: 0,
        treatment: Treatment::NONE,
        blocked: 0,
        messages: [BlockedMessage { at: 0, question_end: 0, record: 0, action: 0 }; MESSAGES as usize],
    };
}

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

    /// True if the datagram at hand may have another message behind the question that was read last.
    #[inline(always)]
    pub(crate) fn may_be_joined(&self, end: u32) -> bool {
        self.behind_question() + MESSAGE_BYTES <= end
    }

    /// Takes down the message at hand as one to be answered, if it is blocked and there is room.
    #[inline(always)]
    fn note_blocked(&mut self, at: u32, reason: Reason) {
        if !reason.is_blocked() || matches!(self.treatment.dns(), DnsAction::Drop) {
            return;
        }
        if self.joined.blocked == 0 {
            self.joined.treatment = self.treatment;
        }
        let action = self.treatment.dns() as u32;
        let message = BlockedMessage { at, question_end: self.question_end, record: self.record, action };
        let place = within(self.joined.blocked as usize, 0, MESSAGES as usize - 1);
        if let Some(place) = place.and_then(|place| self.joined.messages.get_mut(place)) {
            *place = message;
            self.joined.blocked += 1;
        }
    }
}

impl<P: Frame + ?Sized, M: Maps> Judge<'_, P, M> {
    /// Judges the message that was found, and those behind it.
    #[inline(always)]
    pub fn further_messages(&mut self) -> Reason {
        self.maps.count(Counter::DnsJoined);
        // What would be unrolled does not fit on the kernel's stack.
        for _ in 0..opaque(MESSAGES as usize) {
            let Joined { at, end, .. } = self.scratch.joined;
            if at >= end {
                break;
            }
            let is_affordable = self.scratch.may_take_name(self.scratch.joined.labels);
            let reason = if is_affordable { P::dns_sections(self, at, end) } else { self.beyond(Message::Query) };
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
        if outcome.is_blocked() || is_done { self.joined_outcome(outcome) } else { self.beyond(Message::Query) }
    }

    /// The outcome, with the treatment of the first message that is to be answered.
    #[inline(always)]
    fn joined_outcome(&mut self, outcome: Reason) -> Reason {
        if self.scratch.joined.blocked > 0 {
            self.scratch.treatment = self.scratch.joined.treatment;
        }
        outcome
    }
}

impl<P: Packet + ?Sized, M: Maps> Judge<'_, P, M> {
    /// Looks for a second message in the datagram that ends at `end`, of which the first met this reason. `Err` is the reason to
    /// settle with if there is none.
    #[inline(always)]
    pub fn second_message(&mut self, end: u32, first: Reason) -> Result<(), Reason> {
        let ports = self.packet.read(self.scratch.transport.transport_at).map(u32::from_be_bytes);
        let is_scanned = ports.is_some_and(|ports| self.settings.is_dns_port(Ports(ports).destination()));
        let from = self.scratch.behind_question();
        let joined = &mut self.scratch.joined;
        (joined.from, joined.end, joined.is_scanned) = (from, end, is_scanned.into());
        (joined.outcome, joined.looks) = (first.index(), LOOKS);
        if first == Reason::DnsBeyond {
            // What is for a client cannot make it ask a server.
            return Err(if is_scanned { self.beyond(Message::Query) } else { first });
        }
        let first_at = joined.at;
        self.scratch.take_first_name();
        self.next_message();
        if self.scratch.joined.at >= end {
            let is_settled = first.is_blocked() || self.scratch.joined.is_done();
            return Err(if is_settled { first } else { self.beyond(Message::Query) });
        }
        self.scratch.note_blocked(first_at, first);
        Ok(())
    }

    /// Finds where the message behind the one at hand starts; leaves the end of the datagram if there is none.
    #[inline(always)]
    pub fn next_message(&mut self) {
        if self.scratch.joined.is_scanned != 0 {
            (self.scratch.joined.at, self.scratch.joined.candidate) = (self.scratch.joined.end, 0);
            let before = self.scratch.joined.looks;
            P::repeat_by::<LOOKS_A_TURN, _, _>(LOOKS, &Look, self);
            let used = before - self.scratch.joined.looks;
            if !self.scratch.take_looks(used) {
                self.scratch.joined.looks = 0;
            }
        } else {
            self.pass_over_message();
        }
    }

    /// The next message starts where the one at hand ends.
    #[inline(always)]
    fn pass_over_message(&mut self) {
        let Joined { at, end, .. } = self.scratch.joined;
        let [q0, q1, a0, a1, n0, n1, r0, r1] = self.packet.read(at + 4).unwrap_or_default();
        let [questions, records @ ..] = [[q0, q1], [a0, a1], [n0, n1], [r0, r1]].map(u16::from_be_bytes).map(u32::from);
        let joined = &mut self.scratch.joined;
        (joined.questions, joined.records) = (questions, records.iter().sum());
        joined.at = at + HEADER_BYTES;
        P::repeat_by::<STEPS_A_TURN, _, _>(STEPS, &PassOver, self);
        let Joined { at, questions, records, .. } = self.scratch.joined;
        if questions + records > 0 || !self.is_response_at(at) {
            self.scratch.joined.at = end;
        }
    }

    /// True if the header of a response seems to be at `at`: with a question, and with few of all else.
    #[inline(always)]
    fn is_response_at(&self, at: u32) -> bool {
        let end = self.scratch.joined.end;
        if at >= end || end - at < MESSAGE_BYTES {
            return false;
        }
        let (Some([flags]), Some(counts)) = (self.packet.read(at + 2), self.packet.read(at + 4)) else { return false };
        flags & (OPCODE | RESPONSE) == RESPONSE && has_question(u64::from_le_bytes(counts))
    }
}

/// True for the counts of a header with one to three questions, and with few of all else. They are read as a number whose first octet is
/// the lowest. (Servers answer no query with more than one; what looks like more is mostly the length of EDNS.)
#[inline(always)]
fn has_question(counts: u64) -> bool {
    const HIGH_OCTETS: u64 = 0x00ff_00ff_00ff_00ff;
    const MORE_QUESTIONS: u64 = 0xfc00;
    const QUESTIONS: u64 = 0x0300;

    counts & (HIGH_OCTETS | MORE_QUESTIONS) == 0 && counts & QUESTIONS != 0
}

/// Of a header's flags (RFC 1035 §4.1.1).
const OPCODE: u8 = 0x78;
const RESPONSE: u8 = 0x80;
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

    /// Notes what a message behind the first met. What looks like a message may be something else: it matters if it is blocked.
    #[inline(always)]
    fn note(&mut self, reason: Reason) {
        let matters = reason.is_blocked() || reason.is_audited() || reason.ends_judging();
        let outcome = self.outcome();
        if matters && !outcome.is_blocked() && !(reason.is_audited() && outcome.is_refused()) {
            self.outcome = reason.index();
        }
    }
}

/// Looks for a query: for a header, and then label by label for the question behind it.
struct Look;

impl<P: Packet + ?Sized, M: Maps> LoopBody<Judge<'_, P, M>> for Look {
    #[inline(always)]
    fn turn(&self, judge: &mut Judge<'_, P, M>) -> ControlFlow<()> {
        let Joined { from, end, candidate, looks, .. } = judge.scratch.joined;
        if looks == 0 || from + MESSAGE_BYTES > end {
            return Break(());
        }
        judge.scratch.joined.looks = looks - 1;
        if candidate != 0 {
            return judge.look_at_question();
        }
        let (octets, found) = judge.look_for_header(from, end);
        judge.scratch.joined.from = from + octets;
        if found {
            let joined = &mut judge.scratch.joined;
            (joined.candidate, joined.label_at, joined.labels) = (from + octets, from + octets + HEADER_BYTES, 0);
        }
        Continue(())
    }
}

impl<P: Packet + ?Sized, M: Maps> Judge<'_, P, M> {
    /// Octets that can be passed over from `from` on, and whether the counts of a header are behind them.
    #[inline(always)]
    fn look_for_header(&self, from: u32, end: u32) -> (u32, bool) {
        if from + 4 + 16 > end {
            // The last ones, one by one.
            let found = self.packet.read(from + 4).map(u64::from_le_bytes).is_some_and(has_question);
            return (u32::from(!found), found);
        }
        let Some(octets) = self.packet.read::<16>(from + 4) else { return (1, false) };
        let (Some(first), Some(rest)) = (octets.first_chunk(), octets.last_chunk()) else { return (1, false) };
        let (first, rest) = (u64::from_le_bytes(*first), u64::from_le_bytes(*rest));
        // All eight at once: most octets are of none.
        let mut found = 8;
        for place in (1..8).rev() {
            if has_question(first >> (8 * place) | rest << (64 - 8 * place)) {
                found = place;
            }
        }
        if has_question(first) { (0, true) } else { (found, found < 8) }
    }

    /// Looks at the next label of what may be the question of a query. It is one if it ends within the datagram, and has a class that
    /// there is.
    #[inline(always)]
    fn look_at_question(&mut self) -> ControlFlow<()> {
        let packet = self.packet;
        let joined = &mut self.scratch.joined;
        let behind = match packet.read(joined.label_at).filter(|_| joined.label_at < joined.end) {
            // The root alone is no name that anybody blocks.
            Some([0]) if joined.label_at > joined.candidate + HEADER_BYTES => joined.label_at + 1,
            Some([192..=255]) => joined.label_at + POINTER_BYTES,
            Some([len @ 1..=63]) => {
                joined.label_at += 1 + u32::from(len);
                joined.labels += 1;
                return Continue(());
            }
            _ => joined.end,
        };
        let class = packet.read(behind + 2).filter(|_| behind + QUESTION_TAIL_BYTES <= joined.end);
        // IN to HS, NONE and ANY (RFC 6895 §3.2).
        let is_class = class.map(u16::from_be_bytes).is_some_and(|class| class <= 4 || class == 254 || class == 255);
        if is_class && packet.read(joined.candidate + 2).is_some_and(|[flags]| flags & (OPCODE | RESPONSE) == 0) {
            joined.at = joined.candidate;
            return Break(());
        }
        (joined.from, joined.candidate) = (joined.from + 1, 0);
        Continue(())
    }
}

/// Goes over a label, or the end of a name and what is behind it.
struct PassOver;

impl<P: Packet + ?Sized, M: Maps> LoopBody<Judge<'_, P, M>> for PassOver {
    #[inline(always)]
    fn turn(&self, judge: &mut Judge<'_, P, M>) -> ControlFlow<()> {
        let packet = judge.packet;
        let joined = &mut judge.scratch.joined;
        if joined.questions + joined.records == 0 {
            return Break(());
        }
        let Some([len]) = packet.read(joined.at).filter(|_| joined.at < joined.end) else {
            return Break(());
        };
        let behind = match len {
            0 => joined.at + 1,
            192.. => joined.at + POINTER_BYTES,
            64.. => return Break(()),
            _ => {
                joined.at += 1 + u32::from(len);
                return Continue(());
            }
        };
        if joined.questions > 0 {
            joined.questions -= 1;
            joined.at = behind + QUESTION_TAIL_BYTES;
            return Continue(());
        }
        let Some(length) = packet.read(behind + RECORD_HEAD_BYTES - 2) else { return Break(()) };
        joined.records -= 1;
        joined.at = behind + RECORD_HEAD_BYTES + u32::from(u16::from_be_bytes(length));
        Continue(())
    }
}
