//! How far the caches of this machine reach, as rows beside those of different packets.

use std::{hint::black_box, time::Instant};

use fastrand::Rng;

use crate::{
    plan::Plan,
    rows::{Row, Rows},
    statistics::Summary,
};

/// A cache line that says which one is to be read next.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line {
    next: u32,
}

/// Reads of a batch.
const READS: u32 = 500_000;

/// Measures reads in random order, of which none can begin before the one before it has ended.
pub fn measure(plan: &Plan, rows: &mut Rows) {
    const LINES_A_MIB: usize = (1 << 20) / size_of::<Line>();

    for size in [1, 2, 4, 8, 16, 32] {
        let name = format!("a read that waits for the one before, over {size} MiB");
        if rows.want(&name)
            && let Some(summary) = Summary::of(nanoseconds(&ring(size * LINES_A_MIB), plan.batches))
        {
            rows.push(Row::median(name, summary, "ns"));
        }
    }
}

/// Lines of which each leads to another one, until all were read.
fn ring(count: usize) -> Vec<Line> {
    let mut order: Vec<u32> = (0..).take(count).collect();
    Rng::with_seed(1).shuffle(&mut order);
    let mut lines = vec![Line { next: 0 }; count];
    for (line, next) in order.iter().zip(order.iter().cycle().skip(1)) {
        lines[*line as usize].next = *next;
    }
    lines
}

/// What a read takes in each batch.
fn nanoseconds(lines: &[Line], batches: usize) -> Vec<f64> {
    let mut at = 0;
    let batch = || {
        let start = Instant::now();
        for _ in 0..READS {
            at = lines[at as usize].next;
        }
        black_box(at);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(READS)
    };
    std::iter::repeat_with(batch).take(batches).collect()
}
