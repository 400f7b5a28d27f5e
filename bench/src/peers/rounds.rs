//! Rounds of asking, in which all contestants take turns: what else the machine does meets them alike.

use anyhow::ensure;

use super::{
    contestant::Blocked,
    cpu,
    dnsperf::{self, Found},
    not_measured,
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

/// Asks all contestants so many times.
pub fn measure(contestants: &[Running], rounds: usize, seconds: u32, rows: &mut Rows) {
    let mut figures: Vec<Figures> = contestants.iter().map(|_| Figures::default()).collect();
    for _ in 0..rounds {
        for (running, figures) in contestants.iter().zip(&mut figures) {
            if let Err(error) = figures.add(running, seconds) {
                not_measured(&format!("a round of {}", running.contestant.name), &error);
            }
        }
    }
    push_rates(contestants, &figures, rows);
    let rest: [(&str, fn(&Figures) -> &Vec<f64>); 3] = [
        ("until an answer, one at a time", |figures| &figures.latency),
        ("CPU a blocked query, its own", |figures| &figures.own),
        ("CPU a blocked query, with the asker's and the kernel's", |figures| &figures.all),
    ];
    for (what, figure) in rest {
        for (running, figures) in contestants.iter().zip(&figures) {
            if let Some(summary) = Summary::of(figure(figures).iter().copied()) {
                rows.push(Row::median(format!("{what}, {}", running.contestant.name), summary, "µs"));
            }
        }
    }
}

/// Namegate's goal is the fastest peer of those that do the same.
fn push_rates(contestants: &[Running], figures: &[Figures], rows: &mut Rows) {
    let mut goals = [(Blocked::NxDomain, 0.0_f64), (Blocked::Silence, 0.0)];
    for (running, figures) in contestants.iter().zip(figures) {
        let Some(rate) = Summary::of(figures.rate.iter().copied()) else { continue };
        let contestant = running.contestant;
        let row = Row::median(format!("blocked queries a second, {}", contestant.name), rate, "1/s");
        let Some((_, goal)) = goals.iter_mut().find(|(blocked, _)| *blocked == contestant.blocked) else { continue };
        if contestant.is_namegate() {
            rows.push(row.at_least(*goal));
        } else {
            *goal = goal.max(rate.median);
            rows.push(row);
        }
    }
}

impl Figures {
    fn add(&mut self, running: &Running, seconds: u32) -> anyhow::Result<()> {
        let blocked = running.contestant.blocked;
        let many = if blocked == Blocked::Silence { dnsperf::IN_VAIN } else { dnsperf::MANY };
        let ask =
            |seconds, how| dnsperf::ask(running.lab(), running.contestant.address(), LISTED_QUERIES, seconds, how);
        let times = || anyhow::Ok((cpu::of_process(running.id())?, cpu::of_packet_threads()?));
        let before = times()?;
        let found = ask(seconds, many)?;
        let after = times()?;
        let right = right(blocked, &found);
        ensure!(right > 0.0, "nothing was blocked: {found:?}");
        let own = after.0 - before.0;
        self.rate.push(right / found.seconds);
        self.own.push(own / right * 1e6);
        self.all.push((own + after.1 - before.1 + found.cpu) / right * 1e6);
        if blocked == Blocked::NxDomain {
            self.latency.extend(ask(1, dnsperf::SINGLE)?.latency);
        }
        Ok(())
    }
}

/// How many queries were blocked as they should be.
fn right(blocked: Blocked, found: &Found) -> f64 {
    match blocked {
        Blocked::NxDomain => found.nxdomain,
        Blocked::Silence => found.sent - found.completed,
    }
}
