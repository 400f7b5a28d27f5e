//! DNS messages (RFC 1035 §4).
//!
//! Most are queries with one question, which [`message`] judges in a straight line. Messages with
//! more than that are gone through section by section.

mod joined;
mod owner;
mod sections;

use crate::{
    abi::Directions,
    bounds::Span,
    calls::Subprograms,
    decide::Inspection,
    maps::Maps,
    name::{Name, NameError},
    packet::Packet,
    reason::{Message, Reason},
    rules::precedence_of,
};

pub(crate) use crate::name::DNS_HEADER_BYTES as HEADER_BYTES;
pub(crate) use joined::{BlockedMessage, Joined, MESSAGES as JOINED_MESSAGES};
pub(crate) use owner::{OwnerWalk, skip_owner};
pub(crate) use sections::{RECORD_HEAD_BYTES, Sections, is_service, sections};

/// Length before each message over TCP (RFC 1035 §4.2.2).
pub(crate) const PREFIX_BYTES: u32 = 2;
/// The shortest message with a question, and its length: it asks for the root.
pub(crate) const LEAST_BYTES: u32 = PREFIX_BYTES + HEADER_BYTES + 1 + QUESTION_TAIL_BYTES;
/// Messages that are judged in a segment: all that the largest has, if each has a question.
pub(crate) const MESSAGES: u32 = 65_535 / LEAST_BYTES;
/// QTYPE and QCLASS (RFC 1035 §4.1.2).
pub(crate) const QUESTION_TAIL_BYTES: u32 = 4;

/// A message's header, as far as it matters here.
struct Header {
    is_response: bool,
    questions: u32,
    answers: u32,
}

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
    Ok(Some(inspection.find_precedence(
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

#[inline(always)]
fn header<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> Result<Header, Reason> {
    /// The QR bit.
    const RESPONSE: u8 = 0x80;

    if at + HEADER_BYTES > end {
        return Err(Reason::DnsCut);
    }
    let [_, _, flags, _, q0, q1, a0, a1] = packet.read::<8>(at).ok_or(Reason::DnsCut)?;
    Ok(Header {
        is_response: flags & RESPONSE != 0,
        questions: u32::from(u16::from_be_bytes([q0, q1])),
        answers: u32::from(u16::from_be_bytes([a0, a1])),
    })
}

/// True if a message, behind its length over TCP, seems to start at `at` of a segment that ends at
/// `end`: it has one question, and no more records than others have. Of 65,536 places within
/// something else, fewer than one does.
#[inline(always)]
pub(crate) fn may_start<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> bool {
    const OPCODE: u8 = 0x78;

    if at + PREFIX_BYTES + HEADER_BYTES > end {
        return false;
    }
    let (Some([l0, l1, _, _, flags, _]), Some([q0, q1, a0, _, n0, _, r0, _])) =
        (packet.read(at), packet.read(at + 6))
    else {
        return false;
    };
    let length = u32::from(u16::from_be_bytes([l0, l1]));
    length >= LEAST_BYTES - PREFIX_BYTES
        && flags & OPCODE == 0
        && [q0, q1, a0, n0, r0] == [0, 1, 0, 0, 0]
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

impl From<NameError> for Reason {
    #[inline(always)]
    fn from(error: NameError) -> Self {
        match error {
            NameError::Cut => Self::DnsCut,
            NameError::LabelType | NameError::Label => Self::DnsLabelType,
            NameError::Pointer => Self::DnsPointer,
            NameError::TooLong => Self::DnsNameTooLong,
            NameError::NotRead => Self::InternalFailure,
        }
    }
}
