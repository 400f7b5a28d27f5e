//! What it costs to decide about a frame, counted where the kernel takes time for it.

use std::{cell::Cell, sync::LazyLock};

use filter_core::{
    ActivePolicy, Effect, Frame, Generation, HashKey, LoopBody, LoopState, MessageBuffer,
    NAME_BYTES, Name, NameEnd, Offline, Options, Packet, Part, Patterns, Precedence, RuleKey,
    Rules, Settings, Subprograms,
};

/// Automata of as many patterns as a large policy has.
const AUTOMATA: u32 = 7;

/// How often something was done for a frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    reads: u64,
    copies: u64,
    copied: u64,
    buffered: u64,
    turns: u64,
    names: u64,
    labels: u64,
    steps: u64,
}

impl Costs {
    /// In tenths of a nanosecond; with it, a plain query takes the 159 ns of the bench.
    pub fn total(&self) -> u64 {
        let Self {
            reads,
            copies,
            copied,
            buffered,
            turns,
            names,
            labels,
            steps,
        } = *self;
        720 + reads * 20
            + copies * 100
            + copied
            + buffered * 250
            + turns * 40
            + names * 200
            + labels * 200
            + steps * 44
    }
}

thread_local! {
    static COSTS: Cell<Costs> = const { Cell::new(Costs {
        reads: 0, copies: 0, copied: 0, buffered: 0, turns: 0, names: 0, labels: 0, steps: 0,
    }) };
}

fn add(change: impl FnOnce(&mut Costs)) {
    COSTS.with(|costs| {
        let mut now = costs.get();
        change(&mut now);
        costs.set(now);
    });
}

/// Decides about frames, and counts what that costs.
pub struct Counter(Offline<Counted>);

impl Counter {
    /// With patterns or without.
    pub fn new(patterns: bool) -> Self {
        let words =
            std::array::from_fn(|word| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * word as u64 + 1));
        let settings = Settings::new(
            HashKey::from_words(words),
            &Options {
                flows: 1,
                ..Options::default()
            },
        );
        Self(Offline::new(settings, Counted { patterns }))
    }

    /// The highest cost of one of the frames, each of which comes behind the ones before.
    pub fn cost(&mut self, frames: &[Vec<u8>]) -> Costs {
        self.0.forget_flows();
        let each = frames.iter().map(|frame| {
            COSTS.set(Costs::default());
            self.0.decide_over(&Counting(frame));
            COSTS.get()
        });
        each.max_by_key(Costs::total).unwrap_or_default()
    }
}

/// No rule, and patterns of which each automaton goes on to the start of any name.
struct Counted {
    patterns: bool,
}

static PART: LazyLock<Box<Part>> = LazyLock::new(|| {
    let mut part = Part::empty();
    part.start = 1;
    // Of a row, the first column is for octets and dots, the last for the end of the name.
    part.columns = 2;
    part.cells[0] = 1;
    part
});

impl Patterns for Counted {
    fn part(&self, _: u32, index: u32) -> Option<&Part> {
        (index < AUTOMATA).then(|| &**PART)
    }

    fn step_to_best(&self, part: &Part, name: &mut Name) -> bool {
        add(|costs| costs.steps += 1);
        part.step_to_best(name)
    }
}

impl Rules for Counted {
    fn in_force(&self) -> ActivePolicy {
        let in_force = ActivePolicy::new(Generation::default(), Precedence::Block);
        if self.patterns {
            in_force.with_patterns()
        } else {
            in_force
        }
    }

    fn effect(&self, _: RuleKey, _: Generation) -> Option<&Effect> {
        add(|costs| costs.labels += 1);
        None
    }
}

/// A frame whose reads are counted.
struct Counting<'f>(&'f [u8]);

impl Packet for Counting<'_> {
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        add(|costs| costs.reads += 1);
        self.0.read(at)
    }

    fn copy<const ROOM: usize>(
        &self,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        add(|costs| {
            if ROOM == NAME_BYTES {
                costs.copies += 1;
                costs.copied += u64::from(len);
            } else {
                costs.buffered += 1;
            }
        });
        self.0.copy(at, len, into, to)
    }

    fn len(&self) -> u32 {
        Packet::len(self.0)
    }

    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        for _ in 0..limit {
            add(|costs| costs.turns += 1);
            if body.turn(state).is_break() {
                break;
            }
        }
    }

    fn copy_buffered<const ROOM: usize>(
        from: &MessageBuffer,
        at: u32,
        len: u32,
        into: &mut [u8; ROOM],
        to: u32,
    ) -> Option<()> {
        add(|costs| costs.buffered += 1);
        from.as_slice().copy(at, len, into, to)
    }
}

impl Subprograms for Counting<'_> {
    fn find_labels(name: &mut Name) -> NameEnd {
        add(|costs| costs.names += 1);
        name.find_labels()
    }
}

impl Frame for Counting<'_> {}
