//! The worst packet: a search for frames that cost more than any frame may.
//!
//! What a frame costs is counted in what the kernel takes time for: calls of helpers, turns of
//! loops, look-ups of labels, steps of automata. Times are those of docs/performance.md and of the
//! bench, in tenths of a nanosecond; they are near enough to find what is out of proportion. The
//! frames that this finds are rows of the bench, where they are measured.

mod counting;

use counting::{Costs, Counter};
use frames::{Drawn, Wrap, worst::Shape};

/// A frame that fits into an Ethernet of 1,500 octets.
const SMALL: usize = 1_514;
/// What such a frame may cost, as a multiple of a plain query that is not listed.
const TIMES: u64 = 50;
/// What any frame may cost, in tenths of a nanosecond.
const MOST: u64 = 2_000_000;
/// Steps of the search for each kind of frame, where it is small and where it is large.
const STEPS: [usize; 2] = [150, 24];

/// Climbs from the best of some shapes of each kind.
fn worst(room: usize, patterns: bool) -> Vec<(Shape, Costs)> {
    let mut drawn = Drawn(room as u64);
    let mut counter = Counter::new(patterns);
    let mut costs = |shape: &Shape| counter.cost(&shape.frames(room));
    let mut climb = |kind: usize| {
        let mut best = Shape {
            kind,
            numbers: [0; 8],
        };
        let mut most = costs(&best);
        for step in 0..STEPS[usize::from(room > SMALL)] {
            let mut next = best.clone();
            for number in &mut next.numbers {
                if drawn.below(3) == 0 {
                    *number = if step % 2 == 0 {
                        drawn.below(5_000)
                    } else {
                        *number + drawn.below(9)
                    };
                }
            }
            let found = costs(&next);
            if found.total() > most.total() {
                (best, most) = (next, found);
            }
        }
        (best, most)
    };
    (0..Shape::KINDS).map(&mut climb).collect()
}

fn plain(patterns: bool) -> u64 {
    Counter::new(patterns)
        .cost(&[Wrap::v4(53).udp(&frames::query("web.example.com"))])
        .total()
}

#[test]
fn no_frame_of_an_ethernet_costs_more_than_fifty_plain_queries() {
    for patterns in [false, true] {
        let most = TIMES * plain(patterns);
        for (shape, costs) in worst(SMALL, patterns) {
            println!(
                "{} of {most}, patterns: {patterns}: {shape:?} {costs:?}",
                costs.total()
            );
            assert!(
                costs.total() <= most,
                "{} of {most}: {shape:?}, {costs:?}",
                costs.total()
            );
        }
    }
}

#[test]
fn no_frame_of_64_kib_costs_more_than_it_may() {
    for (shape, costs) in worst(65_000, true) {
        println!("{} of {MOST}: {shape:?} {costs:?}", costs.total());
        assert!(
            costs.total() <= MOST,
            "{} of {MOST}: {shape:?}, {costs:?}",
            costs.total()
        );
    }
}
