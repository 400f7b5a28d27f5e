//! The decision without a kernel, for tests, fuzzers and captures.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    abi::{Event, Generation, InForce, Scratch, Settings, Sides, Terms},
    clients::Client,
    decide::decide,
    flows::{Bucket, Flow, Flows, HeldBytes, WAYS},
    maps::Maps,
    name::Name,
    packet::Frame,
    patterns::{Part, Patterns},
    reason::{Counter, Reason},
    rules::{RuleKey, Rules},
};

/// What the kernel has in its maps, in user space: one CPU's.
pub struct Offline<R> {
    settings: Settings,
    maps: Tables<R>,
    flows: Table,
    scratch: Box<Scratch>,
}

impl<R: Rules> Offline<R> {
    /// No flows, nothing counted, all DNS messages judged.
    pub fn new(settings: Settings, rules: R) -> Self {
        let buckets = settings.bucket_mask() as usize + 1;
        Self {
            maps: Tables { rules, sides: Sides::Both, counters: RefCell::default(), events: RefCell::default() },
            flows: Table {
                buckets: vec![Bucket::default(); buckets],
                flows: vec![Flow::EMPTY; buckets * WAYS as usize],
                spare: Box::new(HeldBytes::EMPTY),
            },
            settings,
            scratch: Box::default(),
        }
    }

    /// The same with these DNS messages judged.
    #[must_use]
    pub fn with_sides(mut self, sides: Sides) -> Self {
        self.maps.sides = sides;
        self
    }

    /// Decides over the next frame, counts it, and keeps what it reports.
    pub fn decide(&mut self, frame: &[u8]) -> Reason {
        self.decide_over(frame)
    }

    /// The same for other frames than slices.
    pub fn decide_over<P: Frame + ?Sized>(&mut self, frame: &P) -> Reason {
        let Self { settings, maps, flows, scratch } = self;
        let earlier = maps.events.borrow().len();
        let reason = decide(frame, settings, maps, flows, scratch);
        if let Some(ends) = scratch.transport.endpoints(frame) {
            maps.events.borrow_mut().iter_mut().skip(earlier).for_each(|event| event.set_ends(&ends));
        }
        maps.count(Counter::Packets(reason));
        reason
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
    }
}

struct Tables<R> {
    rules: R,
    sides: Sides,
    counters: RefCell<BTreeMap<Counter, u64>>,
    events: RefCell<Vec<Event>>,
}

impl<R: Rules> Patterns for Tables<R> {
    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.rules.part(slot, index)
    }
}

impl<R: Rules> Rules for Tables<R> {
    fn in_force(&self) -> InForce {
        self.rules.in_force()
    }

    fn terms(&self, key: RuleKey, generation: Generation) -> Option<&Terms> {
        self.rules.terms(key, generation)
    }

    fn group(&self, client: &Client, generation: Generation) -> u32 {
        self.rules.group(client, generation)
    }

    fn classes(&self, group: u32, generation: Generation) -> u32 {
        self.rules.classes(group, generation)
    }
}

impl<R: Rules> Maps for Tables<R> {
    fn count(&self, counter: Counter) {
        *self.counters.borrow_mut().entry(counter).or_default() += 1;
    }

    fn count_hit(&self, _: RuleKey) {}

    fn sides(&self) -> Sides {
        self.sides
    }

    fn report(&self, _: &Settings, scratch: &Scratch, reason: Reason) {
        let mut event = Event::EMPTY;
        event.fill::<[u8]>(0, 0, reason, scratch);
        self.events.borrow_mut().push(event);
    }
}

struct Table {
    buckets: Vec<Bucket>,
    flows: Vec<Flow>,
    spare: Box<HeldBytes>,
}

impl Flows for Table {
    fn bucket(&mut self, index: u32) -> Option<&mut Bucket> {
        self.buckets.get_mut(index as usize)
    }

    fn flow(&mut self, place: u32) -> Option<(&mut Flow, &mut HeldBytes)> {
        Some((self.flows.get_mut(place as usize)?, &mut self.spare))
    }

    fn lock(_: &mut Bucket) -> bool {
        true
    }

    fn unlock(_: &mut Bucket) {}
}
