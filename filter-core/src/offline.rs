//! The decision without a kernel, for tests, fuzzers and captures.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use zerocopy::FromZeros;

use crate::{
    abi::{
        Actions, ActivePolicy, Allowance, Directions, Effect, Generation, Interface, ListName,
        Settings,
    },
    answer::{Sent, answer},
    buffer::MessageBuffer,
    clients::Client,
    decide::Frame,
    decide::decide,
    event::Event,
    flows::{Bucket, Flow, Flows, WAYS},
    maps::Maps,
    name::Name,
    packet::{Length, LoopBody, LoopState, Packet, Replace, Replaced},
    patterns::{Part, Patterns},
    quic::{QuicFlow, QuicRoom},
    reason::{Counter, Reason, Verdict},
    rules::{RuleKey, Rules},
    scratch::Scratch,
};

/// What the kernel has in its maps, in user space: one CPU's.
pub struct Offline<R> {
    settings: Settings,
    maps: Tables<R>,
    flows: Table,
    scratch: Box<Scratch>,
    /// Bytes that a frame may become longer.
    room: usize,
    /// Bytes of a frame's first buffer at most.
    first_buffer: usize,
}

impl<R: Rules> Offline<R> {
    /// No flows, nothing counted, all DNS messages judged.
    pub fn new(settings: Settings, rules: R) -> Self {
        let buckets = settings.bucket_mask() as usize + 1;
        let quic_buckets = settings.quic_bucket_mask() as usize + 1;
        Self {
            maps: Tables {
                rules,
                interface: Interface::new(Directions::Both),
                interface_index: 0,
                now: 0,
                counters: RefCell::default(),
                events: RefCell::default(),
                allowances: RefCell::default(),
            },
            flows: Table {
                buckets: vec![Bucket::default(); buckets],
                flows: vec![Flow::EMPTY; buckets * WAYS as usize],
                spare: Box::new(MessageBuffer::EMPTY),
                quic_buckets: vec![Bucket::default(); quic_buckets],
                quic_flows: vec![QuicFlow::new_zeroed(); quic_buckets * WAYS as usize],
                quic_room: Box::new(QuicRoom::new_zeroed()),
            },
            settings,
            scratch: Box::default(),
            room: usize::MAX,
            first_buffer: usize::MAX,
        }
    }

    /// The same on another interface.
    #[must_use]
    pub fn on(mut self, interface: Interface) -> Self {
        self.maps.interface = interface;
        self
    }

    /// The same where a frame may become so many bytes longer.
    #[must_use]
    pub fn with_room(mut self, bytes: usize) -> Self {
        self.room = bytes;
        self
    }

    /// Frames of more bytes than these lie in several buffers, as those of an interface with a
    /// large MTU. By default none does.
    #[must_use]
    pub fn with_first_buffer(mut self, bytes: usize) -> Self {
        self.first_buffer = bytes;
        self
    }

    /// From now on frames come in by the interface with this index.
    pub fn set_interface_index(&mut self, index: u32) {
        self.maps.interface_index = index;
    }

    /// From now on it is so long after the start; time passes by this alone. Answers are limited
    /// from then on.
    pub fn set_time(&mut self, since_start: Duration) {
        self.maps.now = u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX);
    }

    /// Decides over the next frame, counts it, and keeps what it reports.
    pub fn decide(&mut self, frame: &[u8]) -> Reason {
        self.decide_over(frame)
    }

    /// The same for other frames than slices.
    pub fn decide_over<P: Frame + ?Sized>(&mut self, frame: &P) -> Reason {
        let Self {
            settings,
            maps,
            flows,
            scratch,
            ..
        } = self;
        let earlier = maps.events.borrow().len();
        let reason = decide(frame, settings, maps, flows, scratch);
        if let Some(ends) = scratch.transport.endpoints(frame) {
            maps.events
                .borrow_mut()
                .iter_mut()
                .skip(earlier)
                .for_each(|event| event.set_ends(&ends));
        }
        maps.count(Counter::Packets(reason));
        scratch.reason = reason.index();
        reason
    }

    /// Decides over the next frame, as [`Offline::decide`], and gives where it goes and what it is
    /// then.
    pub fn send(&mut self, frame: &[u8]) -> (Reason, Sent, Vec<u8>) {
        let earlier = self.maps.events.borrow().len();
        let reason = self.decide(frame);
        let mut frame = Editable {
            bytes: frame.to_vec(),
            most: frame.len().saturating_add(self.room),
            first_buffer: self.first_buffer,
        };
        let Self {
            settings,
            maps,
            flows,
            scratch,
            ..
        } = self;
        let sent = match reason.verdict() {
            Verdict::Pass => Sent::Pass,
            Verdict::Drop if scratch.is_answered(reason) => {
                let flow = flows.flows.get_mut(scratch.segment.place() as usize);
                let room = Some(&*flows.quic_room);
                answer(
                    &mut frame,
                    settings,
                    maps,
                    flow,
                    room,
                    scratch,
                    &mut flows.spare,
                )
            }
            Verdict::Drop => {
                scratch.give_nothing();
                Sent::Drop
            }
        };
        maps.events
            .borrow_mut()
            .iter_mut()
            .skip(earlier)
            .for_each(|event| event.set_given(scratch, &flows.spare));
        (reason, sent, frame.bytes)
    }

    /// The name that was judged last.
    pub fn name(&self) -> &Name {
        &self.scratch.name
    }

    /// The names that were reported since the last call, in order. Time and interface are 0.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.maps.events.take()
    }

    /// What was counted so far; what never was is not in it.
    pub fn counters(&self) -> BTreeMap<Counter, u64> {
        self.maps.counters.borrow().clone()
    }

    /// Forgets the flows.
    pub fn forget_flows(&mut self) {
        self.flows.buckets.fill(Bucket::default());
        self.flows.quic_buckets.fill(Bucket::default());
    }
}

/// A frame that may become another.
struct Editable {
    bytes: Vec<u8>,
    /// Bytes that it may have.
    most: usize,
    /// A longer frame lies in several buffers, and keeps its length.
    first_buffer: usize,
}

impl Packet for Editable {
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.bytes.read(at)
    }

    fn copy<const ROOM: usize>(
        &self,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        self.bytes.copy(at, len, into, to)
    }

    fn len(&self) -> u32 {
        Packet::len(&*self.bytes)
    }

    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        <[u8] as Packet>::repeat(limit, body, state);
    }
}

impl Replace for Editable {
    fn replace(&mut self, with: &MessageBuffer, len: u32, length: Length) -> Option<Replaced> {
        let bytes = with.as_slice().get(..len as usize)?;
        if length == Length::Kept || self.bytes.len() > self.first_buffer {
            self.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
            return Some(Replaced::Padded);
        }
        if bytes.len() > self.most {
            return None;
        }
        self.bytes = bytes.to_vec();
        Some(Replaced::Whole)
    }

    fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()> {
        *self.bytes.get_mut(at as usize..)?.first_chunk_mut()? = bytes;
        Some(())
    }
}

struct Tables<R> {
    rules: R,
    interface: Interface,
    interface_index: u32,
    now: u64,
    counters: RefCell<BTreeMap<Counter, u64>>,
    events: RefCell<Vec<Event>>,
    allowances: RefCell<BTreeMap<u32, Allowance>>,
}

impl<R: Rules> Patterns for Tables<R> {
    fn audiences(&self, group: u32, generation: Generation) -> u32 {
        self.rules.audiences(group, generation)
    }

    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.rules.part(slot, index)
    }

    fn step_to_best(&self, part: &Part, name: &mut Name) -> bool {
        self.rules.step_to_best(part, name)
    }
}

impl<R: Rules> Rules for Tables<R> {
    fn in_force(&self) -> ActivePolicy {
        self.rules.in_force()
    }

    fn effect(&self, key: RuleKey, generation: Generation) -> Option<&Effect> {
        self.rules.effect(key, generation)
    }

    fn group(&self, client: &Client, generation: Generation) -> u32 {
        self.rules.group(client, generation)
    }

    fn actions(&self, audience: u32, generation: Generation) -> Option<&Actions> {
        self.rules.actions(audience, generation)
    }

    fn list_name(&self, list: u32, generation: Generation) -> Option<&ListName> {
        self.rules.list_name(list, generation)
    }
}

impl<R: Rules> Maps for Tables<R> {
    fn count(&self, counter: Counter) {
        *self.counters.borrow_mut().entry(counter).or_default() += 1;
    }

    fn count_hit(&self, _: RuleKey) {}

    fn interface(&self) -> (u32, &Interface) {
        (self.interface_index, &self.interface)
    }

    fn now(&self) -> u64 {
        self.now
    }

    /// Before a time is set there is no limit: nothing would ever fill up again.
    fn take_from(&self, bucket: u32, per_second: u64) -> bool {
        self.now == 0
            || self
                .allowances
                .borrow_mut()
                .entry(bucket)
                .or_default()
                .take(self.now, per_second)
    }

    fn report(&self, _: &Settings, scratch: &mut Scratch, reason: Reason) {
        let mut event = Event::EMPTY;
        event.fill(0, (0, &self.interface), reason, scratch);
        self.events.borrow_mut().push(event);
    }
}

struct Table {
    buckets: Vec<Bucket>,
    flows: Vec<Flow>,
    spare: Box<MessageBuffer>,
    quic_buckets: Vec<Bucket>,
    quic_flows: Vec<QuicFlow>,
    quic_room: Box<QuicRoom>,
}

impl Flows for Table {
    fn bucket(&mut self, index: u32) -> Option<&mut Bucket> {
        self.buckets.get_mut(index as usize)
    }

    fn flow(&mut self, place: u32) -> Option<(&mut Flow, &mut MessageBuffer)> {
        Some((self.flows.get_mut(place as usize)?, &mut self.spare))
    }

    fn quic_bucket(&mut self, index: u32) -> Option<&mut Bucket> {
        self.quic_buckets.get_mut(index as usize)
    }

    fn quic_flow(&mut self, place: u32) -> Option<(&mut QuicFlow, &mut QuicRoom)> {
        Some((
            self.quic_flows.get_mut(place as usize)?,
            &mut self.quic_room,
        ))
    }
}
