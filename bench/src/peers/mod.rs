//! Namegate beside its peers, with the same names in the same run: how many blocked queries each
//! deals with and what that takes, the time and memory of the list, and what clients see of a
//! reload.
//!
//! Each contestant runs in a lab of its own, where clients are one hop away: peers as servers on
//! the gateway, Namegate on the gateway's interface. Where one cannot be measured, that is said and
//! the others go on.

mod contestant;
mod contestants;
mod cpu;
mod dnsperf;
mod flood;
mod lists;
mod passing;
mod reload;
mod rounds;
mod running;

use std::path::Path;

use fastrand::Rng;

use crate::{
    names::{RealNames, SEED},
    plan::Plan,
    rows::{Row, Rows},
};
use running::{LISTED_QUERIES, Running};

/// Rounds at least: one has no median.
const ROUNDS: usize = 3;
/// Rounds of unblocked traffic for each of the others: their differences are small, and they are
/// short.
const PASSING: usize = 3;
/// Seconds of a round of many queries.
const SECONDS: u32 = 2;

/// Measures everybody, with as many names as the plan has rules.
pub fn measure(plan: &Plan, namegate: &Path, rows: &mut Rows) -> anyhow::Result<RealNames> {
    lab::clean_up_on_signals()?;
    // Some of them are names that not everybody can have in a list.
    let gathered = RealNames::gather(plan.most_rules() + plan.most_rules() / 8)?;
    let mut names: Vec<&str> = gathered
        .rules
        .iter()
        .map(String::as_str)
        .filter(|name| lists::usable(name))
        .take(plan.most_rules())
        .collect();
    Rng::with_seed(SEED).shuffle(&mut names);
    let rounds = plan.loads.max(ROUNDS);

    let mut running = start(namegate, &names, rows);
    rounds::measure(&running, &names, rounds, SECONDS, rows);
    reload::measure(&running, &names, rounds, rows);
    let unlisted = lists::unlisted(&gathered.popular, &names);
    if let Err(error) = passing::measure(&mut running, &unlisted, rounds * PASSING, rows) {
        not_measured("what unblocked traffic loses", &error);
    }
    Ok(gathered)
}

/// Starts one after the other, and says what that took.
fn start(namegate: &Path, names: &[&str], rows: &mut Rows) -> Vec<Running> {
    let mut all = Vec::new();
    for contestant in &contestants::ALL {
        match Running::start(contestant, namegate, names)
            .and_then(|running| loaded(running, names, rows))
        {
            Ok(running) => all.push(running),
            Err(error) => not_measured(contestant.name, &error),
        }
    }
    all
}

fn loaded(running: Running, names: &[&str], rows: &mut Rows) -> anyhow::Result<Running> {
    lists::write_queries(
        &running.lab().directory().join(LISTED_QUERIES),
        &lists::sample(names),
    )?;
    let name = running.contestant.name;
    let count = indicatif::HumanCount(names.len() as u64);
    rows.push(Row::exact(
        format!("load {count} names, CPU, {name}"),
        running.load.cpu,
        "s",
    ));
    rows.push(Row::exact(
        format!("load {count} names, until the first right answer, {name}"),
        running.load.wall,
        "s",
    ));
    rows.push(Row::exact(
        format!("memory with {count} names, {name}"),
        running.memory()?,
        "MiB",
    ));
    Ok(running)
}

/// Says why there is no row.
fn not_measured(what: &str, error: &anyhow::Error) {
    anstream::eprintln!("not measured: {what}: {error:#}");
}
