//! One kind of packet with one policy, as rows.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use fastrand::Rng;
use filter_core::{Counter, DnsAction, Reason};
use filter_user::kernel::{Feed, Filter, KernelError};
use indicatif::ProgressBar;

use crate::{
    plan::Plan,
    rows::{Row, Rows},
    statistics::Summary,
    traffic::Traffic,
};

/// Nanoseconds that an answer may take more than a drop.
const ANSWER_GOAL: f64 = 120.0;

/// One kind of packet with one policy.
pub struct Measurement<'m> {
    pub plan: &'m Plan,
    pub traffic: Traffic,
    /// What is in force, as rows name it.
    pub policy: String,
    /// Names to ask for; the first of them in the warm row.
    pub asked: Vec<&'m str>,
    /// What is done with what is blocked, in the rows about that.
    pub treated: Option<&'static str>,
    /// Whether goals are set for this policy.
    pub has_goals: bool,
    pub bar: &'m ProgressBar,
}

/// Whether what a packet needs is what the packet before needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One packet, again and again.
    Warm,
    /// Different packets in turn.
    Varied,
}

/// The no-op program and, in turn with it, the filter: nanoseconds a packet.
struct Batch {
    noop: f64,
    filter: f64,
}

impl Way {
    /// In the order of the table.
    pub const BOTH: [Self; 2] = [Self::Warm, Self::Varied];

    fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Varied => "varied",
        }
    }
}

/// How the row of this measurement is named.
pub fn row_name(traffic: Traffic, treated: Option<&str>, policy: &str, way: Way) -> String {
    let treated = treated
        .map(|treated| format!(" -> {treated}"))
        .unwrap_or_default();
    format!("{}{treated}, {policy}, {}", traffic.name(), way.as_str())
}

impl Measurement<'_> {
    /// Measures both rows, where there are both and they are wanted.
    pub fn run(&self, filter: &mut Filter, rows: &mut Rows) -> anyhow::Result<()> {
        if Way::BOTH.iter().any(|way| rows.want(&self.name(*way))) {
            let mut random = Rng::with_seed(1);
            let packets: Vec<_> = self
                .asked
                .iter()
                .map(|name| self.traffic.frames(name, &mut random))
                .collect();
            self.check(filter, &packets)?;
            for way in Way::BOTH {
                if rows.want(&self.name(way))
                    && let Some(row) = self.row(way, filter, &packets)?
                {
                    rows.push(match self.goal(way, rows) {
                        Some(goal) => row.at_most(goal),
                        None => row,
                    });
                }
            }
        }
        self.bar.inc(1);
        Ok(())
    }

    fn name(&self, way: Way) -> String {
        row_name(self.traffic, self.treated, &self.policy, way)
    }

    /// Nanoseconds that the filter should take at most, over those of the no-op program.
    fn goal(&self, way: Way, rows: &Rows) -> Option<f64> {
        if self.treated == Some(DnsAction::NxDomain.as_str()) {
            let dropped = row_name(
                self.traffic,
                Some(DnsAction::Drop.as_str()),
                &self.policy,
                way,
            );
            return rows.find(&dropped).map(|dropped| dropped + ANSWER_GOAL);
        }
        let is_dropped = self
            .treated
            .is_none_or(|treated| treated == DnsAction::Drop.as_str());
        match (self.traffic, way) {
            _ if !self.has_goals => None,
            (Traffic::TcpOther | Traffic::TcpMidStream | Traffic::UdpOther, _) => Some(12.0),
            (Traffic::DnsNotListed, Way::Warm) | (Traffic::QuicBeyondBudget, Way::Varied) => {
                Some(60.0)
            }
            (Traffic::DnsNotListed, Way::Varied) => Some(150.0),
            (Traffic::HelloNotListed, Way::Warm) => Some(200.0),
            (Traffic::DnsListed, Way::Varied) if is_dropped => Some(200.0),
            (Traffic::QuicOther, _) => Some(16.0),
            // Of each of two datagrams, half of what the hello may take.
            (Traffic::QuicNotListed | Traffic::QuicSplit, Way::Varied) => Some(15_000.0),
            (Traffic::QuicJudged, Way::Warm) => Some(100.0),
            _ => None,
        }
    }

    /// What is measured is what the rows say.
    fn check(&self, filter: &mut Filter, packets: &[Vec<Vec<u8>>]) -> anyhow::Result<()> {
        let mut bed = filter.test_bed()?;
        for (frames, name) in packets.iter().zip(&self.asked) {
            let mut reason = None;
            for frame in frames {
                reason = Some(bed.judge(frame)?.reason);
            }
            ensure!(
                reason == Some(self.traffic.reason()) || self.traffic.is_limited_by_time(),
                "the packet \"{}\" with the name {name} was judged {}: the measurement would be of something else",
                self.traffic.name(),
                reason.map_or("nothing", Reason::as_str),
            );
        }
        drop(bed);
        self.check_fed(filter, packets)
    }

    /// Packets that are fed are judged as those that come alone.
    fn check_fed(&self, filter: &mut Filter, packets: &[Vec<Vec<u8>>]) -> anyhow::Result<()> {
        let counter = Counter::Packets(self.traffic.reason());
        let count = |filter: &Filter| -> Result<u64, KernelError> {
            Ok(filter
                .counters()?
                .get(&counter)
                .copied()
                .unwrap_or_default())
        };
        let before = count(filter)?;
        let frames = packets.concat();
        Feed::new(filter, &frames)?.time(frames.len() as u32)?;
        let judged = count(filter)? - before;
        // A few streams are held from before still: those of buckets that few others fell into.
        ensure!(
            judged * 10 >= packets.len() as u64 * 9,
            "of {} packets \"{}\" one after another, {judged} were judged {}: the measurement would be of something else",
            packets.len(),
            self.traffic.name(),
            self.traffic.reason().as_str(),
        );
        Ok(())
    }

    /// `None` if there is no such row.
    fn row(
        &self,
        way: Way,
        filter: &mut Filter,
        packets: &[Vec<Vec<u8>>],
    ) -> anyhow::Result<Option<Row>> {
        let first = packets.first().context("there is no name to ask for")?;
        match (way, &first[..]) {
            (Way::Warm, _) if !self.traffic.is_judged_again() => Ok(None),
            (Way::Varied, _) if !self.traffic.is_judged_among_others() => Ok(None),
            // The kernel repeats a frame by itself. An answer would be what comes next; that takes
            // a feed.
            (Way::Warm, [one]) if self.treated.is_none() => {
                self.repeated(way, filter, one).map(Some)
            }
            (Way::Warm, frames) => self.fed(way, filter, frames).map(Some),
            (Way::Varied, _) => self.fed(way, filter, &packets.concat()).map(Some),
        }
    }

    fn repeated(&self, way: Way, filter: &mut Filter, frame: &[u8]) -> anyhow::Result<Row> {
        let runs = self.plan.warm_runs;
        let mut bed = filter.test_bed()?;
        self.row_of(way, || {
            // Somebody reads the events, as the controller does.
            bed.drain_events(|_| ());
            Ok(Batch {
                noop: nanoseconds(bed.time_noop(frame, runs)?),
                filter: nanoseconds(bed.time(frame, runs)?),
            })
        })
    }

    fn fed(&self, way: Way, filter: &mut Filter, frames: &[Vec<u8>]) -> anyhow::Result<Row> {
        let runs = (self.plan.packets.div_ceil(frames.len()) * frames.len()) as u32;
        let mut feed = Feed::new(filter, frames)?;
        self.row_of(way, || {
            let passes = (0..Plan::PASSES).map(|_| {
                feed.drain_events(|_| ());
                Ok(Batch {
                    noop: nanoseconds(feed.time_noop(runs)?),
                    filter: nanoseconds(feed.time(runs)?),
                })
            });
            middle(&passes.collect::<anyhow::Result<Vec<_>>>()?)
        })
    }

    fn row_of(
        &self,
        way: Way,
        mut batch: impl FnMut() -> anyhow::Result<Batch>,
    ) -> anyhow::Result<Row> {
        let name = self.name(way);
        self.bar.set_message(name.clone());
        // The first one warms up.
        batch()?;
        let batches = (0..self.plan.batches)
            .map(|_| batch())
            .collect::<anyhow::Result<Vec<_>>>()?;
        let none = "a row needs a batch";
        let noop = Summary::of(batches.iter().map(|batch| batch.noop)).context(none)?;
        let measured = Summary::of(batches.iter().map(|batch| batch.filter)).context(none)?;
        let over_noop =
            Summary::of(batches.iter().map(|batch| batch.filter - batch.noop)).context(none)?;
        Ok(Row::beside_noop(name, measured, noop, over_noop, "ns"))
    }
}

/// Of several passes: what else the machine does falls into some of them only.
fn middle(passes: &[Batch]) -> anyhow::Result<Batch> {
    let median =
        |of: fn(&Batch) -> f64| Summary::of(passes.iter().map(of)).map(|summary| summary.median);
    let none = "a batch needs a pass";
    Ok(Batch {
        noop: median(|it| it.noop).context(none)?,
        filter: median(|it| it.filter).context(none)?,
    })
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}
