//! Rounds of asking, in which all contestants take turns: what else the machine does meets them
//! alike.

use std::time::Duration;

use anyhow::ensure;

use super::{
    contestant::Blocked,
    cpu,
    dnsperf::{self, Found},
    flood, lists, not_measured,
    running::{LISTED_QUERIES, Running},
};
use crate::{
    rows::{Row, Rows},
    statistics::Summary,
};

/// What was found of one contestant, a figure a round.
#[derive(Default)]
struct Figures {
    /// Queries a second that are blocked.
    rate: Vec<f64>,
    /// Microseconds until an answer, one at a time.
    latency: Vec<f64>,
    /// Microseconds of CPU a blocked query: of the process itself.
    own: Vec<f64>,
    /// The same of the process, of who asks, and of the kernel's packet threads.
    all: Vec<f64>,
}

type Figure = fn(&Figures) -> &Vec<f64>;

/// Asks all contestants so many times.
pub fn measure(
    contestants: &[Running],
    names: &[&str],
    rounds: usize,
    seconds: u32,
    rows: &mut Rows,
) {
    let mut figures: Vec<Figures> = contestants.iter().map(|_| Figures::default()).collect();
    for _ in 0..rounds {
        for (running, figures) in contestants.iter().zip(&mut figures) {
            if let Err(error) = figures.add(running, names, seconds) {
                not_measured(&format!("a round of {}", running.contestant.name), &error);
            }
        }
    }
    push_rates(contestants, &figures, rows);
    let rest: [(&str, Figure); 3] = [
        ("until an answer, one at a time", |figures| &figures.latency),
        ("CPU a blocked query, its own", |figures| &figures.own),
        (
            "CPU a blocked query, with the asker's and the kernel's",
            |figures| &figures.all,
        ),
    ];
    for (what, figure) in rest {
        for (running, figures) in contestants.iter().zip(&figures) {
            if let Some(summary) = Summary::of(figure(figures).iter().copied()) {
                rows.push(Row::median(
                    format!("{what}, {}", running.contestant.name),
                    summary,
                    "µs",
                ));
            }
        }
    }
}

/// Namegate's goal is the fastest peer of those that do the same.
fn push_rates(contestants: &[Running], figures: &[Figures], rows: &mut Rows) {
    let mut goals = [(Blocked::NxDomain, 0.0_f64), (Blocked::Silence, 0.0)];
    for (running, figures) in contestants.iter().zip(figures) {
        let Some(rate) = Summary::of(figures.rate.iter().copied()) else {
            continue;
        };
        let contestant = running.contestant;
        let row = Row::median(
            format!("blocked queries a second, {}", contestant.name),
            rate,
            "1/s",
        );
        let Some((_, goal)) = goals
            .iter_mut()
            .find(|(blocked, _)| *blocked == contestant.blocked)
        else {
            continue;
        };
        if contestant.is_namegate() {
            rows.push(row.at_least(*goal));
        } else {
            *goal = goal.max(rate.median);
            rows.push(row);
        }
    }
}

/// A round of one contestant.
struct Round {
    blocked: f64,
    seconds: f64,
    asker_cpu: f64,
}

impl Figures {
    fn add(&mut self, running: &Running, names: &[&str], seconds: u32) -> anyhow::Result<()> {
        let times = || anyhow::Ok((cpu::of_process(running.id())?, cpu::of_packet_threads()?));
        let before = times()?;
        let round = ask(running, names, seconds)?;
        let after = times()?;
        ensure!(round.blocked > 0.0, "nothing was blocked");
        let own = after.0 - before.0;
        self.rate.push(round.blocked / round.seconds);
        self.own.push(own / round.blocked * 1e6);
        self.all
            .push((own + after.1 - before.1 + round.asker_cpu) / round.blocked * 1e6);
        if running.contestant.blocked == Blocked::NxDomain {
            self.latency
                .extend(perf(running, 1, dnsperf::SINGLE)?.latency);
        }
        Ok(())
    }
}

fn ask(running: &Running, names: &[&str], seconds: u32) -> anyhow::Result<Round> {
    match running.contestant.blocked {
        Blocked::NxDomain => {
            let found = perf(running, seconds, dnsperf::MANY)?;
            Ok(Round {
                blocked: found.nxdomain,
                seconds: found.seconds,
                asker_cpu: found.cpu,
            })
        }
        Blocked::Silence => {
            let length = Duration::from_secs(seconds.into());
            let flood = flood::send(&running.connect()?, &lists::sample(names), length)?;
            Ok(Round {
                blocked: flood.sent,
                seconds: flood.seconds,
                asker_cpu: flood.cpu,
            })
        }
    }
}

fn perf(running: &Running, seconds: u32, how: &[&str]) -> anyhow::Result<Found> {
    dnsperf::ask(
        running.lab(),
        running.contestant.address(),
        LISTED_QUERIES,
        seconds,
        how,
    )
}
