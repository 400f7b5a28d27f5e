//! What a CPU works with.

mod answering;
mod dns;
mod segment;
mod work;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    abi::{Actions, Generation},
    buffer::Copying,
    dns::OwnerWalk,
    headers::{Layers, Transport},
    name::Name,
    packet::LoopState,
    quic::LongHeader,
    reason::Counter,
    tls::HelloWalk,
};
use work::Work;

pub(crate) use answering::{Edns, Envelope, Given, Stream};
pub(crate) use dns::{BlockedMessage, Joined, MESSAGES as JOINED_MESSAGES, Sections};
pub use segment::Segment;

/// What each CPU has for itself; one entry of a map, so that one look-up finds all of it.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct OfCpu {
    /// The counters, at their indices.
    pub counters: [u64; Counter::COUNT as usize],
    /// Room to work in.
    pub scratch: Scratch,
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
