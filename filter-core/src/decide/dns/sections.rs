//! Going through the questions and answers of a message.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{Inspection, Subprograms, question};
use crate::{
    bounds::Span,
    dns::{HEADER_BYTES, RECORD_HEAD_BYTES, header, is_service, kind, skip_owner},
    maps::Maps,
    packet::LoopBody,
    reason::{Counter, Message, Reason},
    scratch::Sections,
};

/// Questions and answers that are gone through. The shortest record takes eleven bytes; what is
/// behind is not judged.
const ENTRIES: u32 = 1024;
/// `SvcPriority` (RFC 9460 §2.2).
const PRIORITY_BYTES: u32 = 2;

/// Questions of a query that are judged: it has no more than one (RFC 9619 §4), and is refused if
/// it has.
const QUESTIONS: u32 = 4;
/// Multicast DNS, of which a query may have many questions (RFC 6762 §5.3).
const MULTICAST_DNS: u16 = 5353;

/// Judges each question of any message from `at` to `end`, and if it is a response the targets of
/// its answers, up to the first name that is blocked. Where all names are reported, it goes on
/// behind that.
#[inline(always)]
pub(crate) fn sections<P: Subprograms + ?Sized, M: Maps>(
    inspection: &mut Inspection<'_, P, M>,
    at: u32,
    end: u32,
) -> Result<Reason, Reason> {
    let header = header(inspection.packet, at, end)?;
    header.is_judged(inspection.interface().directions())?;
    inspection.scratch.sections = Sections {
        message_at: at,
        at: at + HEADER_BYTES,
        end,
        questions: header.questions,
        answers: if header.is_response {
            header.answers
        } else {
            0
        },
        is_response: u32::from(header.is_response),
        is_exempt: 0,
        is_to_be_refused: 0,
        outcome: Reason::DnsNoQuestion.index(),
    };
    if header.questions > 1 {
        several_questions(inspection);
    }
    if !inspection.scratch.take_message() {
        return Err(inspection.beyond(inspection.scratch.sections.message()));
    }
    P::repeat(ENTRIES, &Entries, inspection);
    let outcome = inspection.scratch.sections.outcome();
    // What cannot be read as questions is no query: other protocols use the port as well.
    let are_questions = outcome.message().is_some() && !outcome.is_blocked();
    let is_refused = inspection.scratch.sections.is_to_be_refused != 0 && are_questions;
    Ok(if is_refused {
        Reason::DnsQuestionsRefused
    } else {
        outcome
    })
}

/// Notes that the message has more than one question, and whether it is refused for that.
#[inline(always)]
fn several_questions<P: Subprograms + ?Sized, M: Maps>(inspection: &mut Inspection<'_, P, M>) {
    inspection.maps.count(Counter::DnsSeveralQuestions);
    if inspection.scratch.sections.is_response == 0
        && !is_multicast(inspection)
        && !inspection.interface().audits()
    {
        inspection.scratch.sections.is_to_be_refused = 1;
        inspection.scratch.sections.questions =
            inspection.scratch.sections.questions.min(QUESTIONS);
    }
}

/// True if the packet at hand is for multicast DNS.
#[inline(always)]
fn is_multicast<P: Subprograms + ?Sized, M: Maps>(inspection: &Inspection<'_, P, M>) -> bool {
    let ports = inspection
        .packet
        .read_frame(inspection.scratch.transport.transport_at);
    ports.is_some_and(|[_, _, d0, d1]| u16::from_be_bytes([d0, d1]) == MULTICAST_DNS)
}

impl Sections {
    #[inline(always)]
    fn message(&self) -> Message {
        if self.is_response != 0 {
            Message::Response
        } else {
            Message::Query
        }
    }

    #[inline(always)]
    fn outcome(&self) -> Reason {
        Reason::from_index(self.outcome).unwrap_or(Reason::DnsNoQuestion)
    }
}

/// Judges one question or answer after the other.
struct Entries;

impl<P: Subprograms + ?Sized, M: Maps> LoopBody<Inspection<'_, P, M>> for Entries {
    #[inline(always)]
    fn turn(&self, inspection: &mut Inspection<'_, P, M>) -> ControlFlow<()> {
        let judged = if inspection.scratch.sections.questions > 0 {
            inspection.scratch.sections.questions -= 1;
            Entry { inspection }.question()
        } else if inspection.scratch.sections.answers > 0 {
            inspection.scratch.sections.answers -= 1;
            if inspection.scratch.take_record() {
                Entry { inspection }.answer()
            } else {
                Ok(Some(Reason::DnsBeyond))
            }
        } else {
            return Break(());
        };
        let outcome = inspection.scratch.sections.outcome();
        match judged {
            Ok(None) => return Continue(()),
            Ok(Some(reason)) if reason.ends_judging() && !outcome.is_blocked() => {
                inspection.scratch.sections.outcome = reason.index();
            }
            Ok(Some(reason)) if outcome.outranks(reason) => {}
            Ok(Some(reason)) => inspection.scratch.sections.outcome = reason.index(),
            // What came before is judged; a verdict stands.
            Err(reason) => {
                if !outcome.is_blocked() {
                    inspection.scratch.sections.outcome = reason.index();
                }
                return Break(());
            }
        }
        let outcome = inspection.scratch.sections.outcome();
        if outcome.ends_judging() && !(outcome.is_blocked() && inspection.settings.reports_passed())
        {
            return Break(());
        }
        Continue(())
    }
}

/// A question or an answer of a message.
struct Entry<'j, 'p, P: ?Sized, M> {
    inspection: &'j mut Inspection<'p, P, M>,
}

impl<P: Subprograms + ?Sized, M: Maps> Entry<'_, '_, P, M> {
    #[inline(always)]
    fn question(&mut self) -> Result<Option<Reason>, Reason> {
        let Sections {
            message_at,
            at,
            end,
            is_response,
            ..
        } = self.inspection.scratch.sections;
        let (reason, behind) = question(self.inspection, message_at, at, end, is_response != 0)?;
        self.inspection.scratch.sections.at = behind;
        self.inspection.scratch.sections.is_exempt =
            u32::from(reason == Reason::DnsResponseAllowed);
        Ok(Some(reason))
    }

    /// RFC 1035 §4.1.3. (What is read anew from the scratch takes no room on the stack, of which
    /// there is hardly enough.)
    #[inline(always)]
    fn answer(&mut self) -> Result<Option<Reason>, Reason> {
        let Sections { at, end, .. } = self.inspection.scratch.sections;
        let head_at = skip_owner(
            self.inspection.packet,
            &mut self.inspection.scratch.owner,
            at,
            end,
        )?;
        let data_at = head_at + RECORD_HEAD_BYTES;
        if data_at > self.inspection.scratch.sections.end {
            return Err(Reason::DnsCut);
        }
        let head = self
            .inspection
            .packet
            .read::<{ RECORD_HEAD_BYTES as usize }>(head_at);
        let [t0, t1, _, _, _, _, _, _, l0, l1] = head.ok_or(Reason::DnsCut)?;
        let record = u32::from(u16::from_be_bytes([t0, t1]));
        self.inspection.scratch.sections.at = data_at + u32::from(u16::from_be_bytes([l0, l1]));
        if self.inspection.scratch.sections.at > self.inspection.scratch.sections.end {
            return Err(Reason::DnsCut);
        }
        match record {
            kind::CNAME | kind::DNAME => Ok(self.target(record, data_at)),
            record if is_service(record) => Ok(self.target(record, data_at + PRIORITY_BYTES)),
            _ => Ok(None),
        }
    }

    /// Judges the target at `at` of a record that ends where the next one starts.
    #[inline(always)]
    fn target(&mut self, record: u32, at: u32) -> Option<Reason> {
        // The root: the owner itself, or none (RFC 9460 §2.5).
        if self.inspection.packet.read(at) == Some([0]) {
            return None;
        }
        let Sections {
            message_at,
            at: end,
            ..
        } = self.inspection.scratch.sections;
        if let Err(error) = P::read_name(self.inspection, message_at, Span { at, end }).result() {
            // Where the next record starts does not depend on it.
            let is_left = self.inspection.scratch.take_reading();
            return Some(if is_left {
                error.into()
            } else {
                Reason::DnsBeyond
            });
        }
        let is_exempt = self.inspection.scratch.sections.is_exempt != 0;
        Some(
            self.inspection
                .judge_name(record, Message::Response, is_exempt),
        )
    }
}
