//! The TCP segment or the QUIC packet at hand.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{flow_key::FlowKey, reason::Reason};

/// The TCP segment at hand, as far as it is not judged yet.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub struct Segment {
    pub(crate) key: FlowKey,
    /// The keyed hash of the flow.
    pub(crate) hash: u32,
    /// The keyed hash of who sent it.
    pub(crate) source: u32,
    /// Sequence number of the first octet of the payload (RFC 9293 §3.1).
    pub(crate) sequence: u32,
    /// Where the payload starts in the frame.
    pub(crate) at: u32,
    /// Where the payload ends in the frame.
    pub(crate) end: u32,
    /// Sequence number of the octet that the message starts with: before `sequence` if that is
    /// still under way.
    pub(crate) first: u32,
    /// Acknowledgement number, of a segment that carries nothing.
    pub(crate) acknowledged: u32,
    /// 1 if a message may start here, 0 if this can only go on with one.
    pub(crate) begins: u32,
    /// 1 if a port is one of the DNS ports.
    pub(crate) dns: u32,
    /// If this is near the first octet of a connection whose SYN was seen: one more than the place
    /// where that is remembered.
    pub(crate) opens: u32,
    /// One more than the flow's place in the table of flows; 0 if it has none.
    pub(crate) place: u32,
    /// Index of the [`Reason`] of its DNS message that was judged last.
    pub(crate) outcome: u32,
    /// Where that message is, in the frame or in what is held of the flow, and how long it is.
    pub(crate) message_at: u32,
    pub(crate) message_bytes: u32,
    /// 1 if it is in what is held.
    pub(crate) is_held: u32,
    /// 1 if a DNS message seems to start here.
    pub(crate) is_message: u32,
    /// [`Segment::CONFIRMED`] if a DNS message of it has a name that was judged.
    pub(crate) dns_confirmed: u32,
    pub(crate) reserved: u32,
}

impl Segment {
    /// Of [`Segment::dns_confirmed`]; what is known of a flow has the same bit.
    pub(crate) const CONFIRMED: u32 = 1;

    /// Where the flow is in the table of flows; beyond it if it has no place.
    #[inline(always)]
    pub fn place(&self) -> u32 {
        self.place.wrapping_sub(1)
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    /// The place where it is remembered that the octet is awaited which this starts with.
    #[inline(always)]
    pub(crate) fn awaited_at(&self) -> Option<u32> {
        (self.opens != 0 && self.first == self.sequence).then(|| self.opens - 1)
    }

    /// Notes what a DNS message of it met.
    #[inline(always)]
    pub(crate) fn note(&mut self, reason: Reason) {
        self.outcome = reason.index();
        if reason.message().is_some()
            || matches!(
                reason,
                Reason::DnsQueryNotJudged | Reason::DnsResponseNotJudged
            )
        {
            self.dns_confirmed = Self::CONFIRMED;
        }
    }

    /// Leaves the first octets behind, which are of no interest.
    #[inline(always)]
    pub(crate) fn trim(&mut self, octets: u32) {
        self.at = self.at.saturating_add(octets);
        self.sequence = self.sequence.wrapping_add(octets);
    }

    /// Leaves the first octets behind, which are judged: another message starts.
    #[inline(always)]
    pub(crate) fn skip(&mut self, octets: u32) {
        self.trim(octets);
        self.first = self.sequence;
    }
}
