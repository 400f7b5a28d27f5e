//! Packets a second over a veth, of one CPU that sends them and runs the program at the far end.
//!
//! The kernel makes real frames of what a program puts there, and sends them out of the client's
//! interface (`BPF_F_TEST_XDP_LIVE_FRAMES`); at the gateway's end runs the filter, or a program
//! that does the same with all that comes. What is answered comes back to the client's end, and is
//! dropped there.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use fastrand::Rng;
use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, TcpAction};
use filter_user::kernel::{
    AttachedMode, Does, Filter, KernelError, Mode, Noop, Sender, interface_index,
};
use lab::{Lab, Namespace, Options};

use crate::{
    kernel,
    names::RealNames,
    plan::Plan,
    rows::{Row, Rows},
    statistics::Summary,
    traffic::Traffic,
};

/// The client's end, and the gateway's.
const NEAR: &str = "eth0";
const FAR: &str = "lan";

/// What runs at the far end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Noop(Does),
    NotListed,
    Listed(DnsAction),
}

impl Case {
    /// Those that others stand beside come before them.
    const ALL: [Self; 5] = [
        Self::Noop(Does::Drop),
        Self::Noop(Does::Pass),
        Self::NotListed,
        Self::Listed(DnsAction::Drop),
        Self::Listed(DnsAction::NxDomain),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Noop(Does::Drop) => "live: no-op drop",
            Self::Noop(Does::Pass) => "live: no-op pass",
            Self::NotListed => "live: filter, dns query not listed: pass",
            Self::Listed(DnsAction::Drop) => "live: filter, dns query listed: drop",
            Self::Listed(_) => "live: filter, dns query listed: nxdomain",
        }
    }

    /// What does as much with a packet as this does, besides judging it.
    fn beside(self) -> Option<Self> {
        match self {
            Self::Noop(_) => None,
            Self::NotListed => Some(Self::Noop(Does::Pass)),
            Self::Listed(_) => Some(Self::Noop(Does::Drop)),
        }
    }

    fn traffic(self) -> Traffic {
        if let Self::Listed(_) = self {
            Traffic::DnsListed
        } else {
            Traffic::DnsNotListed
        }
    }
}

/// Measures each case in turn, so many rounds.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    if !Case::ALL.iter().any(|case| rows.want(case.name())) {
        return Ok(());
    }
    let mut wire = Wire::new(plan, names)?;
    let mut rates = Case::ALL.map(|_| Vec::new());
    for _ in 0..plan.loads {
        for (case, rates) in Case::ALL.into_iter().zip(&mut rates) {
            rates.push(wire.rate(case, plan.live_frames)?);
        }
    }
    let mut medians = Vec::new();
    for (case, rates) in Case::ALL.into_iter().zip(rates) {
        let rate = Summary::of(rates).context("no rounds")?;
        let noop = case
            .beside()
            .and_then(|beside| medians.iter().find(|(case, _)| *case == beside));
        rows.push(match noop {
            Some((_, noop)) => Row::rate_beside_noop(case.name(), rate, *noop, "packets/s"),
            None => Row::median(case.name(), rate, "packets/s"),
        });
        medians.push((case, rate));
    }
    Ok(())
}

/// A lab, a filter, and frames to send.
struct Wire {
    lab: Lab,
    filter: Filter,
    not_listed: Sender,
    listed: Sender,
    near: u32,
    far: u32,
    /// Lets answers arrive at the near end.
    _near_end: Noop,
}

impl Wire {
    fn new(plan: &Plan, names: &RealNames) -> anyhow::Result<Self> {
        let lab = Lab::new(&Options::default())?;
        let near = lab.client().inside(|| interface_index(NEAR))??;
        let far = lab.gateway().inside(|| interface_index(FAR))??;
        let near_end = lab
            .client()
            .inside(|| Noop::attach(Does::Drop, NEAR, AttachedMode::Native))??;
        let rules = names.some_rules(plan.most_rules());
        let filter = kernel::filter_on(far, &rules)?;
        let sender = |traffic: Traffic, names: Vec<&str>| {
            let mut random = Rng::with_seed(1);
            let frames: Vec<_> = names
                .iter()
                .flat_map(|name| traffic.frames(name, &mut random))
                .collect();
            Sender::new(&frames)
        };
        Ok(Self {
            not_listed: sender(
                Traffic::DnsNotListed,
                kernel::hosts(&kernel::not_listed(plan, names)?, plan.packets),
            )?,
            listed: sender(Traffic::DnsListed, kernel::hosts(&rules, plan.packets))?,
            _near_end: near_end,
            lab,
            filter,
            near,
            far,
        })
    }

    /// Packets that the far end took in a second.
    fn rate(&mut self, case: Case, frames: u32) -> anyhow::Result<f64> {
        let _noop = self.attach(case)?;
        let before = self.counts(case)?;
        let begun = Instant::now();
        let (client, near) = (self.lab.client(), self.near);
        let sender = if case.traffic().is_listed() {
            &mut self.listed
        } else {
            &mut self.not_listed
        };
        client.inside(|| sender.send(near, frames))??;
        let took = begun.elapsed();
        let counts = self.counts(case)?;
        self.filter.detach();
        self.filter.drain_events(|_| ());
        let arrived = counts.arrived - before.arrived;
        ensure!(
            arrived * 10 >= u64::from(frames) * 9,
            "of {frames} frames over a veth, {arrived} arrived: run it again"
        );
        if !matches!(case, Case::Noop(_)) {
            let judged = counts.judged - before.judged;
            ensure!(
                judged * 10 >= arrived * 9,
                "of {arrived} packets, {judged} were judged {}: the rate would be of something else",
                case.traffic().reason().as_str(),
            );
        }
        if case == Case::Listed(DnsAction::NxDomain) {
            let answers = counts.answers - before.answers;
            ensure!(
                answers * 10 >= arrived * 9,
                "of {arrived} queries, {answers} were answered"
            );
        }
        Ok(arrived as f64 / took.as_secs_f64())
    }

    fn attach(&mut self, case: Case) -> anyhow::Result<Option<Noop>> {
        let (gateway, filter, far) = (self.lab.gateway(), &mut self.filter, self.far);
        let action = match case {
            Case::Noop(does) => {
                return Ok(Some(
                    gateway.inside(|| Noop::attach(does, FAR, AttachedMode::Native))??,
                ));
            }
            Case::NotListed => DnsAction::Drop,
            Case::Listed(action) => action,
        };
        let actions = Actions::new(action, TcpAction::Drop);
        filter.set_interface(
            far,
            Interface::new(Directions::Both).facing_clients(actions),
        )?;
        gateway.inside(|| filter.attach(&[FAR.into()], Mode::Native))??;
        Ok(None)
    }

    fn counts(&self, case: Case) -> anyhow::Result<Counts> {
        Ok(Counts {
            arrived: received(self.lab.gateway(), FAR)?,
            judged: judged(&self.filter, case.traffic().reason())?,
            answers: received(self.lab.client(), NEAR)?,
        })
    }
}

/// What has been counted so far.
struct Counts {
    arrived: u64,
    judged: u64,
    answers: u64,
}

fn judged(filter: &Filter, reason: Reason) -> Result<u64, KernelError> {
    Ok(filter
        .counters()?
        .get(&Counter::Packets(reason))
        .copied()
        .unwrap_or_default())
}

fn received(namespace: &Namespace, interface: &str) -> anyhow::Result<u64> {
    let path = format!("/sys/class/net/{interface}/statistics/rx_packets");
    let count = namespace.output("cat", &[&path])?;
    count
        .trim()
        .parse()
        .with_context(|| format!("{path} is no number: {count}"))
}
