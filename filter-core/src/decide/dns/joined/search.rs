//! Looking for the messages of a datagram behind its first.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{Inspection, Joined, MESSAGE_BYTES};
use crate::{
    decide::calls::Subprograms,
    dns::{HEADER_BYTES, QUESTION_TAIL_BYTES, RECORD_HEAD_BYTES},
    headers::Ports,
    maps::Maps,
    name::POINTER_BYTES,
    packet::{LoopBody, repeat_by},
    reason::{Message, Reason},
};

/// Looks for further messages, at eight octets or a label each: all of the largest datagram, and
/// the labels of 64 queries.
const LOOKS: u32 = 65_536 / 8 + 1024;
/// Labels and records of a response that are gone through to its end.
const STEPS: u32 = 4096;
const STEPS_A_TURN: u32 = 4;
/// Looks in one call of a loop's body.
const LOOKS_A_TURN: u32 = 2;

impl<P: Subprograms + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Looks for a second message in the datagram that ends at `end`, of which the first met this
    /// reason. `Err` is the reason to settle with if there is none.
    #[inline(always)]
    pub fn second_message(&mut self, end: u32, first: Reason) -> Result<(), Reason> {
        let ports = self
            .packet
            .read(self.scratch.transport.transport_at)
            .map(u32::from_be_bytes);
        let is_scanned =
            ports.is_some_and(|ports| self.settings.is_dns_port(Ports(ports).destination()));
        let from = self.scratch.behind_question();
        let joined = &mut self.scratch.joined;
        (joined.from, joined.end, joined.is_scanned) = (from, end, is_scanned.into());
        (joined.outcome, joined.looks) = (first.index(), LOOKS);
        if first == Reason::DnsBeyond {
            // What is for a client cannot make it ask a server.
            return Err(if is_scanned {
                self.beyond(Message::Query)
            } else {
                first
            });
        }
        let first_at = joined.at;
        self.scratch.take_first_name();
        self.next_message();
        if self.scratch.joined.at >= end {
            let is_settled = first.is_blocked() || self.scratch.joined.is_done();
            return Err(if is_settled {
                first
            } else {
                self.beyond(Message::Query)
            });
        }
        self.scratch.note_blocked(first_at, first);
        Ok(())
    }

    /// Finds where the message behind the one at hand starts; leaves the end of the datagram if
    /// there is none.
    #[inline(always)]
    pub fn next_message(&mut self) {
        if self.scratch.joined.is_scanned != 0 {
            (self.scratch.joined.at, self.scratch.joined.candidate) = (self.scratch.joined.end, 0);
            let before = self.scratch.joined.looks;
            repeat_by::<LOOKS_A_TURN, P, _>(LOOKS, &Look, self);
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
        let [questions, records @ ..] = [[q0, q1], [a0, a1], [n0, n1], [r0, r1]]
            .map(u16::from_be_bytes)
            .map(u32::from);
        let joined = &mut self.scratch.joined;
        (joined.questions, joined.records) = (questions, records.iter().sum());
        joined.at = at + HEADER_BYTES;
        repeat_by::<STEPS_A_TURN, P, _>(STEPS, &PassOver, self);
        let Joined {
            at,
            questions,
            records,
            ..
        } = self.scratch.joined;
        if questions + records > 0 || !self.is_response_at(at) {
            self.scratch.joined.at = end;
        }
    }

    /// True if the header of a response seems to be at `at`: with a question, and with few of all
    /// else.
    #[inline(always)]
    fn is_response_at(&self, at: u32) -> bool {
        let end = self.scratch.joined.end;
        if at >= end || end - at < MESSAGE_BYTES {
            return false;
        }
        let (Some([flags]), Some(counts)) = (self.packet.read(at + 2), self.packet.read(at + 4))
        else {
            return false;
        };
        flags & (OPCODE | RESPONSE) == RESPONSE && has_question(u64::from_le_bytes(counts))
    }
}

/// True for the counts of a header with one to three questions, and with few of all else. They are
/// read as a number whose first octet is the lowest. (Servers answer no query with more than one;
/// what looks like more is mostly the length of EDNS.)
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
/// Looks for a query: for a header, and then label by label for the question behind it.
struct Look;

impl<P: Subprograms + ?Sized, M: Maps> LoopBody<Inspection<'_, P, M>> for Look {
    #[inline(always)]
    fn turn(&self, inspection: &mut Inspection<'_, P, M>) -> ControlFlow<()> {
        let Joined {
            from,
            end,
            candidate,
            looks,
            ..
        } = inspection.scratch.joined;
        if looks == 0 || from + MESSAGE_BYTES > end {
            return Break(());
        }
        inspection.scratch.joined.looks = looks - 1;
        if candidate != 0 {
            return inspection.look_at_question();
        }
        let (octets, found) = inspection.look_for_header(from, end);
        inspection.scratch.joined.from = from + octets;
        if found {
            let joined = &mut inspection.scratch.joined;
            (joined.candidate, joined.label_at, joined.labels) =
                (from + octets, from + octets + HEADER_BYTES, 0);
        }
        Continue(())
    }
}

impl<P: Subprograms + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Octets that can be passed over from `from` on, and whether the counts of a header are behind
    /// them.
    #[inline(always)]
    fn look_for_header(&self, from: u32, end: u32) -> (u32, bool) {
        if from + 4 + 16 > end {
            // The last ones, one by one.
            let found = self
                .packet
                .read(from + 4)
                .map(u64::from_le_bytes)
                .is_some_and(has_question);
            return (u32::from(!found), found);
        }
        let Some(octets) = self.packet.read::<16>(from + 4) else {
            return (1, false);
        };
        let (Some(first), Some(rest)) = (octets.first_chunk(), octets.last_chunk()) else {
            return (1, false);
        };
        let (first, rest) = (u64::from_le_bytes(*first), u64::from_le_bytes(*rest));
        // All eight at once: most octets are of none.
        let mut found = 8;
        for place in (1..8).rev() {
            if has_question(first >> (8 * place) | rest << (64 - 8 * place)) {
                found = place;
            }
        }
        if has_question(first) {
            (0, true)
        } else {
            (found, found < 8)
        }
    }

    /// Looks at the next label of what may be the question of a query. It is one if it ends within
    /// the datagram, and has a class that there is.
    #[inline(always)]
    fn look_at_question(&mut self) -> ControlFlow<()> {
        let packet = self.packet;
        let joined = &mut self.scratch.joined;
        let behind = match packet
            .read(joined.label_at)
            .filter(|_| joined.label_at < joined.end)
        {
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
        let class = packet
            .read(behind + 2)
            .filter(|_| behind + QUESTION_TAIL_BYTES <= joined.end);
        // IN to HS, NONE and ANY (RFC 6895 §3.2).
        let is_class = class
            .map(u16::from_be_bytes)
            .is_some_and(|class| class <= 4 || class == 254 || class == 255);
        if is_class
            && packet
                .read(joined.candidate + 2)
                .is_some_and(|[flags]| flags & (OPCODE | RESPONSE) == 0)
        {
            joined.at = joined.candidate;
            return Break(());
        }
        (joined.from, joined.candidate) = (joined.from + 1, 0);
        Continue(())
    }
}

/// Goes over a label, or the end of a name and what is behind it.
struct PassOver;

impl<P: Subprograms + ?Sized, M: Maps> LoopBody<Inspection<'_, P, M>> for PassOver {
    #[inline(always)]
    fn turn(&self, inspection: &mut Inspection<'_, P, M>) -> ControlFlow<()> {
        let packet = inspection.packet;
        let joined = &mut inspection.scratch.joined;
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
        let Some(length) = packet.read(behind + RECORD_HEAD_BYTES - 2) else {
            return Break(());
        };
        joined.records -= 1;
        joined.at = behind + RECORD_HEAD_BYTES + u32::from(u16::from_be_bytes(length));
        Continue(())
    }
}
