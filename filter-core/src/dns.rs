//! DNS messages (RFC 1035 §4).

use crate::{decide::Judge, name::NameError, packet::Packet, reason::Reason, rules::Rules};

/// RFC 1035 §4.1.1.
const HEADER_BYTES: u32 = 12;
/// QTYPE and QCLASS (RFC 1035 §4.1.2).
const QUESTION_TAIL_BYTES: u32 = 4;
/// The QR bit: set in responses.
const RESPONSE: u8 = 0x80;

/// Judges the question of the message from `at` to `end`.
#[inline(always)]
pub(crate) fn message<P: Packet + ?Sized, R: Rules>(
    judge: &mut Judge<'_, P, R>,
    at: u32,
    end: u32,
) -> Result<Reason, Reason> {
    if at + HEADER_BYTES > end {
        return Err(Reason::DnsCut);
    }
    let [_, _, flags, _, questions @ ..] = judge.packet.read::<6>(at).ok_or(Reason::DnsCut)?;
    if flags & RESPONSE != 0 {
        return Err(Reason::DnsResponse);
    }
    match u16::from_be_bytes(questions) {
        0 => return Err(Reason::DnsNoQuestion),
        1 => {}
        2.. => return Err(Reason::DnsSeveralQuestions),
    }
    let name_end = judge.name.read_wire(judge.packet, at + HEADER_BYTES, end, &judge.settings.hash_key)?;
    if name_end + QUESTION_TAIL_BYTES > end {
        return Err(Reason::DnsCut);
    }
    Ok(if judge.is_blocked() { Reason::DnsBlocked } else { Reason::DnsNotListed })
}

impl From<NameError> for Reason {
    #[inline(always)]
    fn from(error: NameError) -> Self {
        match error {
            NameError::Cut => Self::DnsCut,
            NameError::LabelType | NameError::Label => Self::DnsLabelType,
            NameError::TooLong => Self::DnsNameTooLong,
        }
    }
}
