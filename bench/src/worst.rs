//! The packets that cost most, of those that a search with a model of costs has found
//! (filter-core/tests/worst.rs).

use anyhow::Context as _;
use filter_user::kernel::Filter;
use frames::worst::Shape;

use crate::{
    plan::Plan,
    rows::{Row, Rows},
    statistics::Summary,
};

/// A frame that fits into an Ethernet of 1,500 octets, and about the largest that there is.
const ROOMS: [(usize, &str); 2] = [(1_514, "of 1,500 octets"), (65_000, "of 64 KiB")];
/// How many times as long as a query that is not listed the worst small packet may take.
const TIMES_GOAL: f64 = 50.0;
/// Nanoseconds that the worst large packet may take.
const LARGE_GOAL: f64 = 200_000.0;
/// Runs of a frame in a batch.
const RUNS: u32 = 200;

/// The worst that the search found of each family: without patterns and with them, and of large
/// frames.
const FOUND: [Shape; 16] = [
    Shape {
        kind: 0,
        numbers: [4679, 4164, 3952, 2903, 3309, 3155, 2860, 2028],
    },
    Shape {
        kind: 0,
        numbers: [1684, 354, 652, 506, 3456, 3, 3907, 3498],
    },
    Shape {
        kind: 1,
        numbers: [884, 4616, 0, 0, 4929, 0, 2775, 8],
    },
    Shape {
        kind: 1,
        numbers: [2456, 8, 0, 9, 3130, 4, 2775, 18],
    },
    Shape {
        kind: 1,
        numbers: [0; 8],
    },
    Shape {
        kind: 2,
        numbers: [677, 3206, 1, 2686, 4596, 7, 1234, 7],
    },
    Shape {
        kind: 2,
        numbers: [0; 8],
    },
    Shape {
        kind: 3,
        numbers: [0, 2265, 2, 1401, 0, 0, 611, 0],
    },
    Shape {
        kind: 4,
        numbers: [155, 1670, 4286, 0, 0, 783, 472, 0],
    },
    Shape {
        kind: 5,
        numbers: [2534, 4608, 3496, 2414, 346, 0, 3321, 49],
    },
    Shape {
        kind: 5,
        numbers: [618, 0, 2669, 0, 0, 4647, 2599, 354],
    },
    Shape {
        kind: 6,
        numbers: [0; 8],
    },
    Shape {
        kind: 7,
        numbers: [4831, 65, 2795, 405, 3400, 2236, 96, 655],
    },
    Shape {
        kind: 8,
        numbers: [4267, 3437, 8, 15, 1694, 2, 1925, 1],
    },
    Shape {
        kind: 8,
        numbers: [119, 0, 0, 3913, 3913, 0, 0, 0],
    },
    Shape {
        kind: 9,
        numbers: [0; 8],
    },
];

/// Measures the worst packet of each size with this policy. A query that is not listed takes so
/// long with it, if that is known.
pub fn measure(
    plan: &Plan,
    policy: &str,
    query: Option<f64>,
    filter: &mut Filter,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    for (room, size) in ROOMS {
        let name = format!("worst packet {size}, {policy}");
        if !rows.want(&name) {
            continue;
        }
        let mut worst: Option<(Summary, &Shape)> = None;
        for shape in &FOUND {
            let measured = time(plan, &shape.frames(room), filter)?;
            if worst.is_none_or(|(most, _)| measured.median > most.median) {
                worst = Some((measured, shape));
            }
        }
        let (measured, shape) = worst.context("no packet was measured")?;
        let row = Row::median(format!("{name} (family {})", shape.kind), measured, "ns");
        let goal = if room == ROOMS[1].0 {
            Some(LARGE_GOAL)
        } else {
            query.map(|query| TIMES_GOAL * query)
        };
        rows.push(match goal {
            Some(goal) => row.at_most(goal),
            None => row,
        });
    }
    Ok(())
}

/// Nanoseconds that the last of these frames takes behind the others.
fn time(plan: &Plan, frames: &[Vec<u8>], filter: &mut Filter) -> anyhow::Result<Summary> {
    let mut bed = filter.test_bed()?;
    let (last, before) = frames.split_last().context("there is no frame")?;
    bed.forget_flows()?;
    for frame in before {
        bed.judge(frame)?;
    }
    let mut batch = || -> anyhow::Result<f64> {
        bed.drain_events(|_| ());
        Ok(bed.time(last, RUNS)?.as_nanos() as f64)
    };
    // The first one warms up.
    batch()?;
    let batches = (0..plan.batches)
        .map(|_| batch())
        .collect::<anyhow::Result<Vec<_>>>()?;
    Summary::of(batches).context("a row needs a batch")
}
