//! DNS messages (RFC 1035 §4): their parts, which know no policy. What is asked for in them is
//! inspected in `decide`.

mod owner;

use crate::{name::NameError, packet::Packet, reason::Reason};

pub(crate) use crate::name::DNS_HEADER_BYTES as HEADER_BYTES;
pub(crate) use owner::{OwnerWalk, skip_owner};

/// Length before each message over TCP (RFC 1035 §4.2.2).
pub(crate) const PREFIX_BYTES: u32 = 2;
/// The shortest message with a question, and its length: it asks for the root.
pub(crate) const LEAST_BYTES: u32 = PREFIX_BYTES + HEADER_BYTES + 1 + QUESTION_TAIL_BYTES;
/// Messages that are judged in a segment: all that the largest has, if each has a question.
pub(crate) const MESSAGES: u32 = 65_535 / LEAST_BYTES;
/// QTYPE and QCLASS (RFC 1035 §4.1.2).
pub(crate) const QUESTION_TAIL_BYTES: u32 = 4;

/// TYPE, CLASS, TTL and RDLENGTH (RFC 1035 §4.1.3).
pub(crate) const RECORD_HEAD_BYTES: u32 = 10;

/// Types of records with another name as their target.
pub(crate) mod kind {
    /// RFC 1035 §3.3.1.
    pub const CNAME: u32 = 5;
    /// RFC 6672 §2.1.
    pub const DNAME: u32 = 39;
    /// RFC 9460 §14.1.
    pub const SVCB: u32 = 64;
    pub const HTTPS: u32 = 65;
}

/// True for the types of records that say where a service is, of a name that may have other records
/// besides.
#[inline(always)]
pub(crate) fn is_service(record: u32) -> bool {
    matches!(record, kind::SVCB | kind::HTTPS)
}

/// A message's header, as far as it matters here.
pub(crate) struct Header {
    pub is_response: bool,
    pub questions: u32,
    pub answers: u32,
}

/// Reads the header of the message from `at` to `end`.
#[inline(always)]
pub(crate) fn header<P: Packet + ?Sized>(packet: &P, at: u32, end: u32) -> Result<Header, Reason> {
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
