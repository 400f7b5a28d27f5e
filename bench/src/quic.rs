//! What QUIC takes: nanoseconds a packet in the kernel, and packets a second in user space.
//!
//! A packet that is measured as one that is opened is of a connection that no other is of, between
//! other addresses and with another connection ID. There are twice as many of them as connections
//! are remembered at least: when a packet comes again, its connection is forgotten.

use std::{hint::black_box, time::Instant};

use anyhow::{Context as _, ensure};
use fastrand::Rng;
use filter_core::{
    Effect, Generation, Offline, Options, Patterns, Reason, RuleKey, Rules, Settings,
};
use filter_user::kernel::draw_hash_key;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    kernel::{self, NO_LIMIT, hosts},
    measurement::Measurement,
    names::{self, RealNames},
    plan::Plan,
    rows::{Row, Rows},
    statistics::Summary,
    traffic::Traffic,
};

/// Packets that a filter opens in a second that shall open none.
const NEXT_TO_NONE: u32 = 1;
/// Packets that user space should open in a second at least.
const USER_GOAL: f64 = 100_000.0;
const IN_USER_SPACE: &str = "quic hello not listed in user space";

/// Measures each kind of packet, without rules.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let bar = ProgressBar::new(Traffic::QUIC.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:50} {wide_bar} {pos}/{len}",
    )?);
    let popular = names::some(&names.popular, names.popular.len());
    let asked = hosts(&popular, plan.packets);
    for traffic in Traffic::QUIC {
        let per_second = if traffic == Traffic::QuicBeyondBudget {
            NEXT_TO_NONE
        } else {
            NO_LIMIT
        };
        let mut filter = kernel::load_filter_for_quic(per_second)?;
        let (policy, asked) = ("0 rules".to_owned(), asked.clone());
        Measurement {
            plan,
            traffic,
            policy,
            asked,
            treated: None,
            has_goals: true,
            bar: &bar,
        }
        .run(&mut filter, rows)?;
    }
    bar.finish_and_clear();
    if rows.want(IN_USER_SPACE) {
        rows.push(in_user_space(plan, &asked)?);
    }
    Ok(())
}

/// No rules.
struct Nothing;

impl Patterns for Nothing {}

impl Rules for Nothing {
    fn effect(&self, _: RuleKey, _: Generation) -> Option<&Effect> {
        None
    }
}

/// Packets of connections that no other is of, one after another.
fn in_user_space(plan: &Plan, asked: &[&str]) -> anyhow::Result<Row> {
    let mut random = Rng::with_seed(1);
    let frames: Vec<_> = asked
        .iter()
        .flat_map(|name| Traffic::QuicNotListed.frames(name, &mut random))
        .collect();
    let mut offline = Offline::new(
        Settings::new(draw_hash_key()?, &Options::default()),
        Nothing,
    );
    let mut rates = Vec::new();
    for _ in 0..plan.batches {
        offline.forget_flows();
        let start = Instant::now();
        for frame in &frames {
            let reason = black_box(offline.decide(frame));
            ensure!(
                reason == Reason::QuicNotListed,
                "a packet of the measurement was judged {}",
                reason.as_str()
            );
        }
        rates.push(frames.len() as f64 / start.elapsed().as_secs_f64());
    }
    let summary = Summary::of(rates).context("a row needs a batch")?;
    Ok(Row::median(IN_USER_SPACE, summary, "packets/s").at_least(USER_GOAL))
}
