//! The names of DNS messages.
//!
//! Most messages are queries with one question, which [`message`] judges in a straight line.
//! Messages with more than that are gone through section by section.

mod joined;
mod sections;

use super::{Inspection, calls::Subprograms};
use crate::{
    abi::Directions,
    bounds::Span,
    dns::{HEADER_BYTES, Header, QUESTION_TAIL_BYTES, header},
    maps::{Maps, precedence_of},
    name::Name,
    reason::{Message, Reason},
};

pub(crate) use sections::sections;

/// Judges the message from `at` to `end` if it is a query with one question at most.
#[inline(always)]
pub(crate) fn message<P: Subprograms + ?Sized, M: Maps>(
    inspection: &mut Inspection<'_, P, M>,
    at: u32,
    end: u32,
) -> Result<Option<Reason>, Reason> {
    let header = header(inspection.packet, at, end)?;
    if header.is_response || header.questions > 1 {
        return Ok(None);
    }
    header.is_judged(inspection.interface().directions())?;
    if header.questions == 0 {
        return Err(Reason::DnsNoQuestion);
    }
    // All of it in one function of the kernel program: its calls are dear.
    let name_end = inspection.scratch.name.read_wire(
        inspection.packet,
        at,
        (at + HEADER_BYTES, end),
        Name::find_wire_labels,
    )?;
    question_end(inspection, at + HEADER_BYTES, name_end, end)?;
    if is_refused_as_compressed(inspection) {
        return Ok(Some(Reason::DnsQuestionsRefused));
    }
    let precedence = precedence_of(
        inspection.packet,
        inspection.maps,
        inspection.settings,
        inspection.scratch,
        false,
    );
    Ok(Some(inspection.reason_of(
        precedence,
        0,
        Message::Query,
        false,
    )))
}

impl Header {
    /// An error if messages of this side are not judged.
    #[inline(always)]
    fn is_judged(&self, directions: Directions) -> Result<(), Reason> {
        match (self.is_response, directions) {
            (true, Directions::Queries) => Err(Reason::DnsResponseNotJudged),
            (false, Directions::Responses) => Err(Reason::DnsQueryNotJudged),
            _ => Ok(()),
        }
    }
}

/// Judges the question at `at` of the message from `message_at` to `end`; gives the offset behind
/// it as well.
#[inline(always)]
fn question<P: Subprograms + ?Sized, M: Maps>(
    inspection: &mut Inspection<'_, P, M>,
    message_at: u32,
    at: u32,
    end: u32,
    in_response: bool,
) -> Result<(Reason, u32), Reason> {
    let name_end = P::read_name(inspection, message_at, Span { at, end }).result()?;
    let question_end = question_end(inspection, at, name_end, end)?;
    let message = if in_response {
        Message::Response
    } else {
        Message::Query
    };
    let is_single = inspection.scratch.sections.questions == 0 && at == message_at + HEADER_BYTES;
    if !in_response && is_single && is_refused_as_compressed(inspection) {
        return Ok((Reason::DnsQuestionsRefused, question_end));
    }
    Ok((inspection.judge_name(0, message, false), question_end))
}

/// True if the single question of a query, which was read last, has a compression pointer. There is
/// no earlier name that it could lead to (RFC 1035 §4.1.4): BIND and Unbound refuse such a query,
/// and dnsmasq answers it.
#[inline(always)]
fn is_refused_as_compressed<P: Subprograms + ?Sized, M: Maps>(
    inspection: &Inspection<'_, P, M>,
) -> bool {
    inspection.scratch.question_end == 0 && !inspection.interface().audits()
}

/// Where the question at `at` ends, of which the name ends at `name_end`.
#[inline(always)]
fn question_end<P: Subprograms + ?Sized, M: Maps>(
    inspection: &mut Inspection<'_, P, M>,
    at: u32,
    name_end: u32,
    end: u32,
) -> Result<u32, Reason> {
    let question_end = name_end + QUESTION_TAIL_BYTES;
    if question_end > end {
        return Err(Reason::DnsCut);
    }
    inspection.scratch.type_at = name_end;
    let is_plain = name_end - at == inspection.scratch.name.len();
    inspection.scratch.question_end = if is_plain { question_end } else { 0 };
    Ok(question_end)
}
