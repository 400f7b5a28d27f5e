//! The server name in QUIC (RFC 9000, RFC 9001, RFC 9369).
//!
//! The ClientHello of a connection is in CRYPTO frames of the client's Initial packets, which are
//! encrypted by keys that anybody on the path can derive: they follow from the destination
//! connection ID of the first packet. A packet is read only if its tag is right: what was damaged,
//! forged without these keys, or is a server's changes nothing.
//!
//! ```text
//! datagram -> long header -> flow with a verdict? -> keys -> tag -> CRYPTO frames -> bytes of the hello -> tls::handshake
//! ```
//!
//! A connection is remembered for some time behind its verdict, so that its further packets meet
//! the same one without being read. It is known by its addresses and ports, and its Initial packets
//! by their connection IDs too: another connection from the same port has others.

mod close;
mod keys;
mod protection;

use core::ops::ControlFlow::{self, Break, Continue};

use super::{
    Inspection,
    calls::{Frame, Subprograms},
};
use crate::{
    abi::Allowance,
    bounds::{Span, opaque},
    buffer::MessageBuffer,
    flow_key::FlowKey,
    flows::{Buffered, Flows, WAYS, Way, copy_frame},
    headers,
    maps::Maps,
    packet::{LoopBody, Packet},
    quic::{
        CLIENT_IN, FramesOf, FramesWalk, LongHeader, Opening, PacketType, QuicFlow, QuicRoom, Step,
        is_start, may_start,
    },
    reason::{Counter, Reason},
    scratch::Segment,
};

/// Packets of a datagram, or of datagrams that the kernel has joined, that are looked at.
const PACKETS: u32 = 8;
/// Times that the hello is looked at while the frames of one packet come; then once more, behind
/// its last frame.
const LOOKS: u32 = 24;
/// Looks for the next packet behind what a datagram is filled up with: eight zeros, or an octet of
/// anything else, each. All of a datagram of 1,500 bytes; more would let one frame keep a CPU busy.
const LOOKS_FOR_HEADER: u32 = 1536;
/// The walk over frames stops so often at most: once for each look, and where more is to be
/// decrypted.
const STOPS: u32 = LOOKS + MessageBuffer::LEN / 192 + 2;

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Judges the QUIC packets of the datagram at hand, which starts with a long header of a
    /// version that is read.
    #[inline(always)]
    pub fn quic_datagram<F: Flows>(&mut self, flows: &mut F) -> Reason {
        if let Err(reason) = P::take_quic_datagram(self) {
            return reason;
        }
        let mut reason = Reason::QuicOther;
        for _ in 0..opaque(PACKETS as usize) {
            if self.scratch.segment.is_empty() {
                break;
            }
            let (at, end) = (self.scratch.segment.at, self.scratch.segment.end);
            let found = match P::quic_header(self, at, end) {
                Ok(()) => self.one_quic_packet(flows),
                // Behind a packet, a datagram may be filled up; the next is another one that the
                // kernel has joined with it.
                Err(Reason::QuicOther | Reason::QuicMalformed) if reason != Reason::QuicOther => {
                    if P::find_quic_packet(self, at, end) {
                        continue;
                    }
                    break;
                }
                Err(malformed) => return malformed,
            };
            // What was read says more than what was not.
            if reason == Reason::QuicOther || found.message().is_some() || found.is_drop() {
                reason = found;
            }
            if found.is_drop() {
                if self.scratch.quic.is_to_be_closed() && self.interface().faces_clients() {
                    P::seal_quic_close(self, flows);
                }
                break;
            }
        }
        reason
    }

    /// Goes to the next long header from `at` on; false if there is none, or it is too far away.
    #[inline(always)]
    pub fn find_quic_packet(&mut self, at: u32, end: u32) -> bool {
        self.scratch.segment.at = at + 1;
        let search = HeaderSearch {
            packet: self.packet,
        };
        P::repeat(LOOKS_FOR_HEADER, &search, &mut self.scratch.segment);
        let at = self.scratch.segment.at;
        may_start(self.packet, at, end)
    }

    /// Takes down whose datagram is at hand, and where its payload is.
    #[inline(always)]
    pub fn take_quic_datagram(&mut self) -> Result<(), Reason> {
        self.scratch.begin_work();
        let udp = headers::udp(self.packet, &self.scratch.transport)?;
        let (interface, _) = self.maps.interface();
        let key = FlowKey::of(self.packet, &self.scratch.transport, udp.ports, interface)
            .ok_or(Reason::HeadersCut)?;
        let hash = key.hash(self.settings);
        let source = self.source().ok_or(Reason::HeadersCut)?;
        self.scratch.sequence = 0;
        self.scratch.segment = Segment {
            key,
            hash,
            source,
            at: udp.at,
            end: udp.end,
            ..Segment::default()
        };
        Ok(())
    }

    /// Judges the packet whose header was read last.
    #[inline(always)]
    fn one_quic_packet<F: Flows>(&mut self, flows: &mut F) -> Reason {
        if let Err(reason) = P::begin_quic_packet(self, flows) {
            return reason;
        }
        for _ in 0..opaque(STOPS as usize) {
            if !P::look_at_quic_hello(self, flows) {
                break;
            }
        }
        P::end_quic_packet(self, flows)
    }

    /// Opens the packet whose header was read last and finds its flow, unless it need not be
    /// opened. Its bucket is locked then.
    #[inline(always)]
    pub fn begin_quic_packet<F: Flows>(&mut self, flows: &mut F) -> Result<(), Reason> {
        let index = self.scratch.segment.hash & self.settings.quic_bucket_mask();
        let bucket = flows.quic_bucket(index).ok_or(Reason::QuicOther)?;
        if !self.scratch.quic.is(PacketType::Initial) && !bucket.may_hold(self.scratch.segment.hash)
        {
            return Err(Reason::QuicOther);
        }
        if !bucket.lock() {
            return Err(Reason::FlowBusy);
        }
        let opened = self.open_in_bucket(flows, index);
        if opened.is_err()
            && let Some(bucket) = flows.quic_bucket(index)
        {
            bucket.unlock();
        }
        opened
    }

    #[inline(always)]
    fn open_in_bucket<F: Flows>(&mut self, flows: &mut F, index: u32) -> Result<(), Reason> {
        let mut way = P::find_quic_flow(self, flows);
        let is_initial = self.scratch.quic.is(PacketType::Initial);
        let is_known = way.index().is_some();
        if is_known && let Some(reason) = P::of_known_quic_flow(self, flows, way.0) {
            return Err(reason);
        }
        if !is_initial {
            return Err(Reason::QuicOther);
        }
        if !self.scratch.quic.may_be_opened() {
            return Err(Reason::QuicMalformed);
        }
        if !P::may_open_quic(self, flows) {
            // On trial, nothing is dropped.
            let is_dropped = self.settings.drops_quic_beyond() && !self.interface().audits();
            return Err(if is_dropped {
                Reason::QuicBeyondBudgetDropped
            } else {
                Reason::QuicBeyondBudget
            });
        }
        let is_of_flow = is_known && P::open_by_flow(self, flows, way.0);
        if !is_of_flow && !P::open_by_header(self, flows) {
            return Err(Reason::QuicNotOpened);
        }
        if !is_known {
            way = P::begin_quic_flow(self, flows);
        }
        let way = way.index().ok_or(Reason::InternalFailure)?;
        let place = index * WAYS + way;
        self.scratch.segment.place = place + 1;
        if let Some(bucket) = flows.quic_bucket(index) {
            bucket.touch(way);
        }
        let (flow, room) = flows.quic_flow(place).ok_or(Reason::InternalFailure)?;
        if !is_of_flow {
            flow.begin(&self.scratch.segment.key, &self.scratch.quic, &room.keys);
        }
        flow.seen = self.maps.now();
        flow.largest = flow.largest.max(room.opening.number);
        if flow.original != self.scratch.quic.destination {
            flow.of_server = self.scratch.quic.destination;
        }
        room.frames = FramesWalk::begin(room.opening.payload_at);
        match flow.verdict() {
            Some(verdict) => {
                flow.prepare_closing(&mut self.scratch.quic, room);
                Err(again(verdict))
            }
            None => Ok(()),
        }
    }

    /// Takes one packet off what the source and this CPU may have opened in a second; false if
    /// there is none left.
    #[inline(always)]
    pub fn may_open_quic<F: Flows>(&mut self, flows: &mut F) -> bool {
        let (of_source, of_cpu, now) = (
            self.settings.quic_per_source(),
            self.settings.quic_per_second(),
            self.maps.now(),
        );
        let bucket = Allowance::of_source(self.scratch.segment.source);
        // Where no time is set, nothing would ever fill up again.
        if now == 0 || (of_source != 0 && !self.maps.take_from(bucket, of_source)) {
            return now == 0;
        }
        of_cpu == 0
            || flows
                .quic_flow(0)
                .is_some_and(|(_, room)| room.budget.take(now, of_cpu))
    }

    /// What a packet meets whose connection, at this place of its bucket, has a verdict, if it need
    /// not be opened to be known as one of it.
    #[inline(always)]
    pub fn of_known_quic_flow<F: Flows>(&mut self, flows: &mut F, way: u32) -> Option<Reason> {
        let index = self.scratch.segment.hash & self.settings.quic_bucket_mask();
        let (flow, room) = flows.quic_flow(index * WAYS + way)?;
        let verdict = flow.verdict()?;
        let is_initial = self.scratch.quic.is(PacketType::Initial);
        if is_initial && !flow.is_to(&self.scratch.quic.destination) {
            return None;
        }
        flow.seen = self.maps.now();
        flow.prepare_closing(&mut self.scratch.quic, room);
        if let Some(bucket) = flows.quic_bucket(index) {
            bucket.touch(way);
        }
        Some(again(verdict))
    }

    /// Goes on with the frames of the packet at hand, and judges the hello as far as it has come
    /// then. False if there is no more to be done with the packet.
    #[inline(always)]
    pub fn look_at_quic_hello<F: Flows>(&mut self, flows: &mut F) -> bool {
        let Some((flow, room)) = flows.quic_flow(self.scratch.segment.place()) else {
            return false;
        };
        P::decrypt(self, room);
        P::walk_frames(self, flow, room);
        if room.frames.is(Step::Encrypted) {
            return true;
        }
        // The same for each packet that carries this hello.
        self.scratch.sequence = flow.original.start();
        room.frames.outcome = self.quic_hello(flow).index();
        room.frames.note_look(LOOKS);
        flow.verdict().is_none() && room.frames.is(Step::Grown)
    }

    /// What the packet at hand met; gives its bucket back.
    #[inline(always)]
    pub fn end_quic_packet<F: Flows>(&mut self, flows: &mut F) -> Reason {
        let index = self.scratch.segment.hash & self.settings.quic_bucket_mask();
        let outcome = flows
            .quic_flow(self.scratch.segment.place())
            .map(|(flow, room)| {
                flow.prepare_closing(&mut self.scratch.quic, room);
                room.frames.outcome()
            });
        if let Some(bucket) = flows.quic_bucket(index) {
            bucket.unlock();
        }
        outcome.unwrap_or(Reason::InternalFailure)
    }

    /// Copies the packet whose header was read last to `room`; false if the frame does not have it.
    #[inline(always)]
    fn copy_quic_packet(&mut self, room: &mut QuicRoom) -> bool {
        const TAG_BYTES: u32 = 16;

        let LongHeader {
            at, number_at, end, ..
        } = self.scratch.quic;
        let (bytes, number_at) = (end.saturating_sub(at), number_at.saturating_sub(at));
        room.opening = Opening {
            number_at,
            payload_end: bytes.saturating_sub(TAG_BYTES),
            ..Opening::default()
        };
        let copying = &mut self.scratch.copying;
        copy_frame(self.packet, at, &mut room.packet, bytes, copying)
    }

    /// Opens the packet at hand by the keys of the flow at this place of its bucket, also if it is
    /// of another version that the server has chosen (RFC 9369 §4).
    #[inline(always)]
    pub fn open_by_flow<F: Flows>(&mut self, flows: &mut F, way: u32) -> bool {
        let index = self.scratch.segment.hash & self.settings.quic_bucket_mask();
        let Some((flow, room)) = flows.quic_flow(index * WAYS + way) else {
            return false;
        };
        if !self.copy_quic_packet(room) {
            return false;
        }
        let version = self.scratch.quic.version;
        room.opening.expected = flow.largest.wrapping_add(1);
        room.keys = flow.keys;
        if flow.version != version {
            room.derive_from = flow.original;
            if !P::derive_keys(self, room, version, CLIENT_IN.index()) {
                return false;
            }
        }
        let is_opened = P::open_packet(self, room);
        if is_opened {
            flow.keys = room.keys;
            flow.version = version;
        }
        is_opened
    }

    /// Opens the packet at hand as the first of a connection: by keys that follow from its
    /// destination connection ID.
    #[inline(always)]
    pub fn open_by_header<F: Flows>(&mut self, flows: &mut F) -> bool {
        let Some((_, room)) = flows.quic_flow(0) else {
            return false;
        };
        if !self.copy_quic_packet(room) {
            return false;
        }
        room.derive_from = self.scratch.quic.destination;
        P::derive_keys(self, room, self.scratch.quic.version, CLIENT_IN.index())
            && P::open_packet(self, room)
    }

    /// Goes on from frame to frame of the packet in `room`.
    #[inline(always)]
    pub fn walk_frames(&mut self, flow: &mut QuicFlow, room: &mut QuicRoom) {
        FramesOf { flow, room }.walk::<P>();
    }

    #[inline(always)]
    fn quic_hello(&mut self, flow: &mut QuicFlow) -> Reason {
        flow.close_gaps::<P>();
        let have = flow.have;
        let buffered = Buffered {
            frame: self.packet,
            bytes: &flow.bytes,
            len: have,
        };
        let mut inspection = Inspection {
            packet: &buffered,
            settings: self.settings,
            maps: self.maps,
            scratch: self.scratch,
        };
        let end = P::buffered_hello(&mut inspection, Span { at: 0, end: have });
        let is_known = !end.goes_on || end.reason.message().is_some() || end.reason.ends_judging();
        let reason = match end.reason.of_quic() {
            Reason::QuicHelloSplit if have >= MessageBuffer::LEN => Reason::QuicHelloTooLong,
            reason => reason,
        };
        if is_known || reason == Reason::QuicHelloTooLong {
            flow.set_verdict(reason, self.scratch.actions.answers_quic());
        }
        reason
    }

    /// The place that the flow of the datagram at hand has in its bucket.
    #[inline(always)]
    pub fn find_quic_flow<F: Flows>(&mut self, flows: &mut F) -> Way {
        let segment = &self.scratch.segment;
        let index = segment.hash & self.settings.quic_bucket_mask();
        let now = self.maps.now();
        for way in 0..WAYS {
            let tagged = flows
                .quic_bucket(index)
                .is_some_and(|bucket| bucket.tagged(way, segment.hash));
            if tagged
                && flows
                    .quic_flow(index * WAYS + way)
                    .is_some_and(|(flow, _)| flow.is_of(&segment.key, now))
            {
                return Way(way);
            }
        }
        Way::NONE
    }

    /// Takes a place for the flow of the datagram at hand in its bucket.
    #[inline(always)]
    pub fn begin_quic_flow<F: Flows>(&mut self, flows: &mut F) -> Way {
        let segment = &self.scratch.segment;
        let index = segment.hash & self.settings.quic_bucket_mask();
        let taken = flows
            .quic_bucket(index)
            .map(|bucket| bucket.take_place(segment.hash, segment.source));
        let Some((way, evicted)) = taken else {
            return Way::NONE;
        };
        if evicted {
            self.maps.count(Counter::FlowsEvicted);
        }
        Way(way)
    }
}

impl<P: Subprograms + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Reads the long header at `at`, and goes to the next packet of the datagram.
    #[inline(always)]
    pub fn quic_header(&mut self, at: u32, end: u32) -> Result<(), Reason> {
        self.scratch.quic = LongHeader::read(self.packet, at, end)?;
        self.scratch.segment.at = self.scratch.quic.end;
        Ok(())
    }
}

/// Looks for a long header, from where the segment at hand starts.
struct HeaderSearch<'p, P: ?Sized> {
    packet: &'p P,
}

impl<P: Packet + ?Sized> LoopBody<Segment> for HeaderSearch<'_, P> {
    #[inline(always)]
    fn turn(&self, segment: &mut Segment) -> ControlFlow<()> {
        // One read: of two, the verifier would not see that both are within bounds. No packet is
        // shorter.
        let word: Option<[u8; 8]> = self.packet.read(segment.at);
        let Some([start @ .., a, b, c]) = word.filter(|_| segment.at < segment.end) else {
            return Break(());
        };
        if is_start(start) {
            return Break(());
        }
        let is_zero = start == [0; 5] && [a, b, c] == [0; 3];
        segment.at += if is_zero { 8 } else { 1 };
        Continue(())
    }
}

/// What a further packet of a connection with this verdict meets.
#[inline(always)]
fn again(verdict: Reason) -> Reason {
    if verdict.is_blocked() {
        Reason::QuicFlowBlocked
    } else {
        Reason::QuicJudged
    }
}
