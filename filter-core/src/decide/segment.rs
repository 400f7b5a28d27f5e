//! What is done with a segment of a message that comes in several.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{Inspection, calls::Frame};
use crate::{
    bounds::{Span, opaque},
    buffer::MessageBuffer,
    dns,
    flows::{Bucket, Buffered, Flow, Flows, WAYS, Way},
    maps::Maps,
    packet::{LoopBody, Step},
    reason::{Counter, Reason},
    scratch::Segment,
    tls::{self, HandshakeBytes},
};

/// DNS messages that are judged of what is held: all, if each has a question (19 octets at least,
/// with its length).
const BUFFERED_MESSAGES: u32 = MessageBuffer::LEN / dns::LEAST_BYTES;
/// Rounds of so many: enough for messages without any octet.
const HELD_ROUNDS: u32 = (MessageBuffer::LEN / dns::PREFIX_BYTES).div_ceil(BUFFERED_MESSAGES);

/// What becomes of a flow's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Kept,
    GivenUp,
}

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Adds the segment at hand to its flow, and judges what can be judged now.
    #[inline(always)]
    pub(crate) fn buffered_segment<F: Flows>(&mut self, flows: &mut F) -> Reason {
        let index = self.scratch.segment.hash & self.settings.bucket_mask();
        if !flows.bucket(index).is_some_and(Bucket::lock) {
            // Otherwise what follows would pass unread, and the message would be whole at its
            // receiver when this segment comes again.
            if let (Some(place), Some(bucket)) =
                (self.scratch.segment.awaited_at(), flows.bucket(index))
            {
                bucket.await_again(self.scratch.segment.hash, place);
            }
            return Reason::FlowBusy;
        }
        let reason = self.in_bucket(flows, index);
        if let Some(bucket) = flows.bucket(index) {
            bucket.unlock();
        }
        reason
    }

    #[inline(always)]
    fn in_bucket<F: Flows>(&mut self, flows: &mut F, index: u32) -> Reason {
        let mut way = P::find_flow(self, flows);
        if way.index().is_none() {
            if self.scratch.segment.begins == 0 {
                return Reason::TcpOther;
            }
            way = P::begin_flow(self, flows);
        }
        let Some(way) = way.index() else {
            return Reason::InternalFailure;
        };
        let place = index * WAYS + way;
        self.scratch.segment.place = place + 1;
        let Some((flow, spare)) = flows.flow(place) else {
            return Reason::TcpOther;
        };
        let (reason, place) = self.of_flow(flow, spare);
        // What comes behind its last answer has nowhere to go.
        let has_ended = flow.ended.is_there() && !reason.is_refused();
        let (reason, place) = if has_ended {
            (Reason::TcpEnded, Place::Kept)
        } else {
            (reason, place)
        };
        if let Some(bucket) = flows.bucket(index) {
            match place {
                Place::Kept => bucket.touch(way),
                Place::GivenUp => bucket.clear(way),
            }
        }
        reason
    }

    /// Judges the segment at hand, which carries nothing: it matters if its connection has ended
    /// for its client.
    #[inline(always)]
    pub fn empty_segment<F: Flows>(&mut self, flows: &mut F) -> Reason {
        let index = self.scratch.segment.hash & self.settings.bucket_mask();
        let Some(way) = P::find_flow(self, flows).index() else {
            return Reason::TcpOther;
        };
        let place = index * WAYS + way;
        let Some((flow, _)) = flows.flow(place) else {
            return Reason::TcpOther;
        };
        if !flow.ended.is_of(self.scratch.segment.acknowledged) {
            return Reason::TcpOther;
        }
        self.scratch.segment.place = place + 1;
        Reason::TcpEnded
    }

    /// Holds the whole message at hand, which is blocked: parts of it that are sent again are
    /// blocked with it.
    #[inline(always)]
    pub(crate) fn hold_blocked<F: Flows>(&mut self, flows: &mut F) {
        let index = self.scratch.segment.hash & self.settings.bucket_mask();
        let Some(source) = self.source() else { return };
        self.scratch.segment.source = source;
        if !flows.bucket(index).is_some_and(Bucket::lock) {
            return;
        }
        if let Some(way) = P::begin_flow(self, flows).index() {
            let place = index * WAYS + way;
            self.scratch.segment.place = place + 1;
            if let Some((flow, _)) = flows.flow(place) {
                flow.blocked = 1;
                P::buffer_segment(self, flow, 0);
            }
        }
        if let Some(bucket) = flows.bucket(index) {
            bucket.unlock();
        }
    }

    /// The place that the flow of the segment at hand has in its bucket.
    #[inline(always)]
    pub fn find_flow<F: Flows>(&mut self, flows: &mut F) -> Way {
        let segment = &self.scratch.segment;
        let index = segment.hash & self.settings.bucket_mask();
        for way in 0..WAYS {
            let tagged = flows
                .bucket(index)
                .is_some_and(|bucket| bucket.tagged(way, segment.hash));
            if tagged
                && flows
                    .flow(index * WAYS + way)
                    .is_some_and(|(flow, _)| flow.key == segment.key)
            {
                return Way(way);
            }
        }
        Way::NONE
    }

    /// Takes a place for the flow of the segment at hand in its bucket.
    #[inline(always)]
    pub fn begin_flow<F: Flows>(&mut self, flows: &mut F) -> Way {
        let segment = &self.scratch.segment;
        let index = segment.hash & self.settings.bucket_mask();
        let Some((way, evicted)) = flows
            .bucket(index)
            .map(|bucket| bucket.take_place(segment.hash, segment.source))
        else {
            return Way::NONE;
        };
        if evicted {
            self.maps.count(Counter::FlowsEvicted);
        }
        if let Some((flow, _)) = flows.flow(index * WAYS + way) {
            flow.begin(segment);
        }
        Way(way)
    }

    #[inline(always)]
    fn of_flow(&mut self, flow: &mut Flow, spare: &mut MessageBuffer) -> (Reason, Place) {
        let segment = &mut self.scratch.segment;
        if flow.is_left_by(segment) {
            flow.begin(segment);
        }
        let ahead = segment.sequence.wrapping_sub(flow.start);
        // A signed distance: what starts before the message may still reach into it.
        let offset = if ahead.cast_signed() < 0 {
            segment.trim(ahead.wrapping_neg());
            0
        } else {
            ahead
        };
        if segment.is_empty() || offset >= MessageBuffer::LEN {
            return (Reason::TcpOther, Place::Kept);
        }
        self.scratch.sequence = flow.start;
        if flow.dns != 0 {
            return self.of_dns_flow(flow, spare, offset);
        }
        self.hold(flow, offset);
        self.held_tls(flow, spare)
    }

    /// A flow of DNS keeps its place between messages: it knows where the next one starts.
    #[inline(always)]
    fn of_dns_flow(
        &mut self,
        flow: &mut Flow,
        spare: &mut MessageBuffer,
        offset: u32,
    ) -> (Reason, Place) {
        let mut last = Reason::DnsSplit;
        if offset == 0 && flow.is_empty() {
            last = P::whole_messages(self);
            flow.certainty |= self.scratch.segment.dns_confirmed;
            flow.start_at(self.scratch.segment.sequence);
            if last.ends_judging() || self.scratch.segment.is_empty() {
                flow.blocked = u32::from(last.is_refused());
                return (last, Place::Kept);
            }
        }
        let Segment { at, end, .. } = self.scratch.segment;
        self.hold(flow, offset);
        if flow.certainty & (Flow::SPOKEN | Flow::BEGUN) == 0 && is_hello(self.packet, flow) {
            flow.dns = 0;
            return self.held_tls(flow, spare);
        }
        last = self.held_dns(flow, spare, last);
        if !last.ends_judging() && offset + (end - at) > MessageBuffer::LEN {
            last = self.beyond_held(flow, spare, last);
        }
        (last, Place::Kept)
    }

    #[inline(always)]
    fn held_dns(&mut self, flow: &mut Flow, spare: &mut MessageBuffer, so_far: Reason) -> Reason {
        let last = P::all_buffered_messages(self, flow, so_far);
        if !last.is_refused() && flow.judged > 0 {
            P::forget_judged(self, flow, spare);
        }
        last
    }

    /// Goes on in a segment that is larger than what is held, behind the messages that are judged.
    #[inline(always)]
    fn beyond_held(
        &mut self,
        flow: &mut Flow,
        spare: &mut MessageBuffer,
        so_far: Reason,
    ) -> Reason {
        let segment = &mut self.scratch.segment;
        let behind = flow.start.wrapping_sub(segment.sequence);
        if behind >= segment.end - segment.at {
            // The rest of a long message goes by in further segments.
            return so_far;
        }
        segment.skip(behind);
        let last = match P::whole_messages(self) {
            Reason::DnsSplit => so_far,
            last => last,
        };
        flow.start_at(self.scratch.segment.sequence);
        if last.ends_judging() || self.scratch.segment.is_empty() {
            flow.blocked = u32::from(last.is_refused());
            return last;
        }
        self.hold(flow, 0);
        self.held_dns(flow, spare, last)
    }

    #[inline(always)]
    fn hold(&mut self, flow: &mut Flow, offset: u32) {
        if !P::buffer_segment(self, flow, offset) {
            self.maps.count(Counter::FlowGaps);
        }
    }

    /// Holds the bytes of the segment at hand, at this offset of its flow; false if they are beyond
    /// more gaps than are followed.
    #[inline(always)]
    pub fn buffer_segment(&mut self, flow: &mut Flow, offset: u32) -> bool {
        let Segment { at, end, .. } = self.scratch.segment;
        flow.hold(self.packet, (at, end), offset, &mut self.scratch.copying)
    }

    /// Moves what is behind the judged bytes of a flow to its start.
    #[inline(always)]
    pub fn forget_judged(&mut self, flow: &mut Flow, spare: &mut MessageBuffer) {
        flow.forget_judged::<P>(spare, &mut self.scratch.copying);
    }

    #[inline(always)]
    fn held_tls(&mut self, flow: &mut Flow, spare: &mut MessageBuffer) -> (Reason, Place) {
        let have = flow.have;
        if have == 0 {
            return (Reason::TlsHelloSplit, Place::Kept);
        }
        self.scratch.sequence = flow.start;
        let Some(octets) = P::join_records(self, flow, spare).octets() else {
            return (Reason::TcpOther, Place::GivenUp);
        };
        let buffered = Buffered {
            frame: self.packet,
            bytes: spare,
            len: octets,
        };
        let mut inspection = Inspection {
            packet: &buffered,
            settings: self.settings,
            maps: self.maps,
            scratch: self.scratch,
        };
        let end = P::buffered_hello(&mut inspection, Span { at: 0, end: octets });
        match end.reason {
            Reason::TlsBlocked => {
                flow.blocked = 1;
                (Reason::TlsBlocked, Place::Kept)
            }
            reason if !end.goes_on => (reason, Place::GivenUp),
            Reason::TlsHelloSplit if have >= MessageBuffer::LEN => {
                (Reason::TlsHelloTooLong, Place::GivenUp)
            }
            reason if have >= MessageBuffer::LEN => (reason, Place::GivenUp),
            reason => (reason, Place::Kept),
        }
    }

    /// Copies the handshake message that a flow starts with to `spare`, without record headers.
    #[inline(always)]
    pub fn join_records(&mut self, flow: &mut Flow, spare: &mut MessageBuffer) -> HandshakeBytes {
        self.scratch.take_held();
        tls::join_records::<P>(&flow.bytes, flow.have, spare, &mut self.scratch.copying)
    }

    /// Judges the DNS messages that the segment at hand has as a whole, up to one that is blocked;
    /// leaves it with what is behind them.
    #[inline(always)]
    pub fn whole_messages(&mut self) -> Reason {
        self.scratch.segment.outcome = Reason::DnsSplit.index();
        P::repeat(dns::MESSAGES, &WholeMessages, self);
        Reason::from_index(self.scratch.segment.outcome).unwrap_or(Reason::DnsSplit)
    }

    /// Judges the DNS messages that are held as a whole, up to one that is blocked.
    #[inline(always)]
    pub fn all_buffered_messages(&mut self, flow: &mut Flow, so_far: Reason) -> Reason {
        let mut last = so_far;
        // What would be unrolled does not fit on the kernel's stack.
        for _ in 0..opaque(HELD_ROUNDS as usize) {
            let before = flow.judged;
            last = P::buffered_messages(self, flow, last);
            if last.ends_judging() || flow.judged == before {
                break;
            }
        }
        flow.blocked = u32::from(last.is_refused());
        last
    }

    /// Judges so many of the DNS messages that are held as a whole, up to one that is blocked.
    #[inline(always)]
    pub fn buffered_messages(&mut self, flow: &mut Flow, so_far: Reason) -> Reason {
        let mut messages = BufferedMessages {
            inspection: self,
            flow,
            last: so_far,
        };
        // A plain loop: `bpf_loop` would take more of the kernel's stack than there is.
        for _ in 0..BUFFERED_MESSAGES {
            if messages.step().is_break() {
                break;
            }
        }
        let last = messages.last;
        flow.certainty |= self.scratch.segment.dns_confirmed;
        last
    }
}

/// Judges one DNS message after the other of those that are in the frame as a whole, up to one that
/// is blocked.
struct WholeMessages;

impl<P: Frame + ?Sized, M: Maps> LoopBody<Inspection<'_, P, M>> for WholeMessages {
    #[inline(always)]
    fn turn(&self, inspection: &mut Inspection<'_, P, M>) -> ControlFlow<()> {
        let Segment {
            at, end, sequence, ..
        } = inspection.scratch.segment;
        let message_at = at + dns::PREFIX_BYTES;
        let Some(bytes) = inspection.packet.read(at).filter(|_| message_at <= end) else {
            return Break(());
        };
        let message_end = message_at + u32::from(u16::from_be_bytes(bytes));
        if message_end > end {
            return Break(());
        }
        inspection.scratch.sequence = sequence;
        // What is too short for a header, and what is not to be judged any more, is passed over in
        // few instructions.
        if message_end - message_at < dns::HEADER_BYTES {
            inspection.scratch.segment.outcome = Reason::DnsCut.index();
        } else if inspection.scratch.segment.outcome != Reason::DnsBeyond.index() {
            inspection.scratch.segment.message_at = message_at;
            inspection.scratch.segment.message_bytes = message_end - message_at;
            inspection.scratch.segment.is_held = 0;
            let last = P::dns_sections(inspection, message_at, message_end);
            inspection.scratch.segment.note(last);
            if last.is_refused() || last == Reason::DnsBeyondDropped {
                return Break(());
            }
        }
        inspection.scratch.segment.skip(message_end - at);
        Continue(())
    }
}

/// Judges one DNS message after the other of those that are held as a whole, up to one that is
/// blocked.
struct BufferedMessages<'j, 'p, 'f, P: ?Sized, M> {
    inspection: &'j mut Inspection<'p, P, M>,
    flow: &'f mut Flow,
    last: Reason,
}

impl<P: Frame + ?Sized, M: Maps> Step for BufferedMessages<'_, '_, '_, P, M> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        let Flow {
            have,
            judged,
            start,
            ..
        } = *self.flow;
        let at = judged + dns::PREFIX_BYTES;
        let Some(bytes) = self.flow.bytes.read(judged).filter(|_| at <= have) else {
            return Break(());
        };
        let end = at + u32::from(u16::from_be_bytes(bytes));
        let too_long = end > MessageBuffer::LEN && have >= MessageBuffer::LEN && judged == 0;
        if end > have && !too_long {
            return Break(());
        }
        if self.last != Reason::DnsBeyond {
            self.last = self.message(start.wrapping_add(judged), at, end.min(have));
        }
        if self.last.is_refused() || self.last == Reason::DnsBeyondDropped {
            return Break(());
        }
        if too_long {
            // The rest of it goes by; the next message starts behind.
            self.flow.start_at(start.wrapping_add(end));
            return Break(());
        }
        self.flow.judged = end;
        Continue(())
    }
}

impl<P: Frame + ?Sized, M: Maps> BufferedMessages<'_, '_, '_, P, M> {
    #[inline(always)]
    fn message(&mut self, sequence: u32, at: u32, end: u32) -> Reason {
        let Inspection {
            packet,
            settings,
            maps,
            scratch,
        } = &mut *self.inspection;
        scratch.sequence = sequence;
        scratch.segment.message_at = at;
        scratch.segment.message_bytes = end - at;
        scratch.segment.is_held = 1;
        let buffered = Buffered {
            frame: *packet,
            bytes: &self.flow.bytes,
            len: end,
        };
        let last = P::buffered_dns_message(
            &mut Inspection {
                packet: &buffered,
                settings,
                maps: *maps,
                scratch,
            },
            Span { at, end },
        );
        scratch.segment.note(last);
        last
    }
}

/// True if what is held of a flow starts with a hello, as it may on a DNS port as well.
#[inline(always)]
fn is_hello<P: Frame + ?Sized>(packet: &P, flow: &Flow) -> bool {
    let buffered = Buffered {
        frame: packet,
        bytes: &flow.bytes,
        len: flow.have,
    };
    matches!(
        tls::start(&buffered, 0, flow.have),
        tls::Start::Hello | tls::Start::SplitHello
    )
}
