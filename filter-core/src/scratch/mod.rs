//! What a CPU works with.

mod work;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    abi::{Actions, Generation},
    answer::{Edns, Envelope, Given, Stream},
    buffer::Copying,
    dns::{Joined, OwnerWalk, Sections},
    flows::{Flow, FlowKey},
    headers::{Layers, Transport},
    name::Name,
    packet::LoopState,
    quic::LongHeader,
    reason::{Counter, Reason},
    tls::HelloWalk,
};
use work::Work;

/// What each CPU has for itself; one entry of a map, so that one look-up finds all of it.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct OfCpu {
    /// The counters, at their indices.
    pub counters: [u64; Counter::COUNT as usize],
    /// Room to work in.
    pub scratch: Scratch,
}

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
    /// [`Flow::SPOKEN`] if a DNS message of it has a name that was judged.
    pub(crate) dns_confirmed: u32,
    pub(crate) reserved: u32,
}

impl Segment {
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
            self.dns_confirmed = Flow::SPOKEN;
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

/// A CPU's room to work in; too large for the kernel's stack.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Scratch {
    /// The name that was judged last.
    pub name: Name,
    /// Where the parts of the packet are.
    pub transport: Transport,
    pub(crate) layers: Layers,
    /// The segment at hand, if the packet is one.
    pub segment: Segment,
    /// The long header that was read last, if the packet is one of QUIC.
    pub(crate) quic: LongHeader,
    pub(crate) copying: Copying,
    pub(crate) sections: Sections,
    pub(crate) joined: Joined,
    pub(crate) owner: OwnerWalk,
    pub(crate) hello: HelloWalk,
    /// Type of the resource record that has the name as its target (RFC 1035 §3.2.2); 0 for what
    /// was asked for.
    pub(crate) record: u32,
    /// Sequence number of the message that the name is in.
    pub(crate) sequence: u32,
    /// The reason of the last decision on this CPU.
    pub reason: u32,
    /// Events of the packet at hand that wait until it is known what becomes of it.
    pub reports: u32,
    /// What its client was given.
    pub(crate) given: Given,
    /// The generation of the policy that the name was judged by.
    pub(crate) generation: u32,
    /// Where the question that was read last ends, if its name stands there in full; else 0.
    pub(crate) question_end: u32,
    /// Where the QTYPE of the question that was read last is.
    pub(crate) type_at: u32,
    /// What it is, for a report.
    pub(crate) question_type: u32,
    reserved: u32,
    /// What becomes of the name, if it is blocked.
    pub(crate) actions: Actions,
    pub(crate) envelope: Envelope,
    pub(crate) edns: Edns,
    pub(crate) stream: Stream,
    /// What kind of answer is made.
    pub(crate) answer_kind: u32,
    reserved_behind: u32,
    pub(crate) work: Work,
}

impl LoopState for Scratch {}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            name: Name::default(),
            transport: Transport::NONE,
            layers: Layers::NONE,
            segment: Segment::default(),
            quic: LongHeader::default(),
            copying: Copying::default(),
            sections: Sections::default(),
            joined: Joined::NONE,
            owner: OwnerWalk::default(),
            hello: HelloWalk::default(),
            record: 0,
            sequence: 0,
            reason: 0,
            reports: 0,
            given: Given::DROPPED,
            generation: Generation::default().index(),
            question_end: 0,
            type_at: 0,
            question_type: 0,
            reserved: 0,
            actions: Actions::default(),
            envelope: Envelope::default(),
            edns: Edns::NONE,
            stream: Stream::default(),
            answer_kind: 0,
            reserved_behind: 0,
            work: Work::default(),
        }
    }
}
