//! Floods of `ClientHello`s in two segments over a veth with the filter in generic mode: whether a
//! blocked one gets through while two processors want the same part of the table of flows, and what
//! one client that floods takes from the others.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use filter_core::{Actions, Counter, Directions, DnsAction, Interface, Reason, TcpAction};
use filter_policy::{compiled::CompiledPolicy, groups::Groups};
use filter_user::kernel::{Filter, LoadOptions, Mode, interface_index};
use frames::Wrap;
use indicatif::HumanCount;
use lab::{
    Lab, Options,
    floods::{HalfHellos, Others, Passed, SEGMENTS, Sources, SplitHello, whole_hellos},
};

use crate::{
    plan::Plan,
    rows::{Row, Rows},
};

const NAME: &str = "ads.example.com";
/// Sequence number of the first octet of each hello.
const FIRST: u32 = 5_000;
/// The client's end of the veth, and the gateway's.
const NEAR: &str = "eth0";
const FAR: &str = "lan";

/// Half hellos a second of a flood.
const HALF_HELLOS: u32 = 100_000;
/// Half hellos between both halves of somebody else's: five times as many as the table has places.
const BETWEEN: u32 = 5_000;
/// Other clients, each of which says hello one time after the other.
const CLIENTS: u8 = 20;
/// Others' hellos that may get lost, in percent.
const LOST: f64 = 1.0;

/// Sends all floods, one after the other.
pub fn measure(plan: &Plan, rows: &mut Rows) -> anyhow::Result<()> {
    let default = LoadOptions::default().flows;
    for (flows, table) in [(default, "the default table"), (1, "a table of one bucket")] {
        let name = |what: &str| {
            format!(
                "{} split hellos from two CPUs, {table}: {what}",
                HumanCount(plan.hellos.into())
            )
        };
        if rows.want(&name("")) {
            two_processors(plan.hellos, flows, name, rows)?;
        }
    }
    for (sources, whose) in [
        (Sources::One, "one client"),
        (Sources::Many, "a client for each"),
    ] {
        let name = |what: &str| format!("half hellos from {whose}: {what}");
        if rows.want(&name("")) {
            beside_others(plan, sources, name, rows)?;
        }
    }
    Ok(())
}

/// A hello that is blocked, and where it is cut.
struct Hello {
    octets: Vec<u8>,
    cut: usize,
}

impl Hello {
    /// The name ends in the second half.
    fn new() -> anyhow::Result<Self> {
        let octets = frames::client_hello(NAME);
        let at = frames::server_name_at(&octets, NAME).context("a hello without its name")?;
        Ok(Self {
            octets,
            cut: at + NAME.len() / 2,
        })
    }

    fn frames(&self) -> anyhow::Result<SplitHello> {
        let wrap = Wrap::v4(443);
        let halves = frames::in_segments(&wrap, FIRST, &self.octets, &[0, self.cut]);
        let [first, second]: [_; 2] = halves.try_into().ok().context("two halves")?;
        Ok(SplitHello::new([wrap.syn(FIRST - 1, &[]), first, second]))
    }
}

/// A filter at the gateway's end, which blocks the name.
fn attached(lab: &Lab, flows: u32, tcp: TcpAction) -> anyhow::Result<Filter> {
    let far = lab.gateway().inside(|| interface_index(FAR))??;
    let actions = Actions::new(DnsAction::Drop, tcp);
    let clients = Interface::new(Directions::Both).facing_clients(actions);
    let options = LoadOptions {
        flows,
        interfaces: [(far, clients)].into(),
        ..LoadOptions::default()
    };
    let mut filter = Filter::load(&options)?;
    let key = *filter.hash_key();
    let compiled = CompiledPolicy::blocking_all(key, "rules", [NAME])?;
    filter.install(
        &CompiledPolicy::empty(key),
        &compiled,
        &Groups::default(),
        |_| (),
    )?;
    lab.gateway()
        .inside(|| filter.attach(&[FAR.into()], Mode::Generic))??;
    Ok(filter)
}

fn two_processors(
    hellos: u32,
    flows: u32,
    name: impl Fn(&str) -> String,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let lab = Lab::new(&Options::default())?;
    let filter = attached(&lab, flows, TcpAction::Drop)?;
    let hello = Hello::new()?.frames()?;
    let passed = Passed::count(lab.gateway(), FAR, &hello)?;
    let took = whole_hellos(lab.client(), NEAR, &hello, hellos)?;

    let counters = Counters::of(&filter)?;
    let (busy, blocked) = (
        counters.of_reason(Reason::FlowBusy),
        counters.of_reason(Reason::TlsBlocked),
    );
    let (arrived, sent) = (counters.segments(), u64::from(SEGMENTS) * u64::from(hellos));
    ensure!(
        arrived == sent,
        "of {sent} segments, {arrived} came to the filter: the rows would be of something else"
    );
    ensure!(
        passed.first_halves()? + busy >= u64::from(hellos),
        "first halves are missing behind the filter"
    );
    rows.push(Row::exact(name("hellos that got through"), passed.whole()? as f64, "").at_most(0.0));
    rows.push(Row::exact(
        name("second halves behind the filter"),
        passed.second_halves()? as f64,
        "",
    ));
    rows.push(Row::exact(
        name("segments dropped for a busy bucket"),
        busy as f64,
        "",
    ));
    rows.push(Row::exact(name("segments blocked"), blocked as f64, ""));
    rows.push(Row::exact(
        name("segments"),
        arrived as f64 / took.as_secs_f64(),
        "packets/s",
    ));
    Ok(())
}

fn beside_others(
    plan: &Plan,
    sources: Sources,
    name: impl Fn(&str) -> String,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let lab = Lab::new(&Options::default())?;
    let filter = attached(&lab, LoadOptions::default().flows, TcpAction::Reset)?;
    let hello = Hello::new()?;
    let frames = hello.frames()?;
    let _passed = Passed::count(lab.gateway(), FAR, &frames)?;
    let others = Others::new(&lab, CLIENTS, hello.octets.len())?;
    let flood = HalfHellos::start(lab.client(), NEAR, &frames, sources, HALF_HELLOS)?;
    let outcomes = others.say(&hello.octets, hello.cut, plan.hellos_of_others, || {
        flood.await_more(BETWEEN)
    })?;
    let (sent, took) = flood.stop()?;

    let seen = Counters::of(&filter)?.of_reason(Reason::TlsHelloSplit);
    ensure!(
        seen >= u64::from(sent),
        "of {sent} half hellos, {seen} came to the table"
    );
    let all = f64::from(outcomes.blocked + outcomes.passed);
    let lost = Row::exact(
        name("others' hellos lost"),
        100.0 * outcomes.share_passed(),
        "%",
    );
    rows.push(if sources == Sources::One {
        lost.at_most(LOST)
    } else {
        lost
    });
    rows.push(Row::exact(name("others' hellos"), all, ""));
    rows.push(Row::exact(
        name("half hellos"),
        f64::from(sent) / took.as_secs_f64(),
        "packets/s",
    ));
    Ok(())
}

struct Counters(BTreeMap<Counter, u64>);

impl Counters {
    fn of(filter: &Filter) -> anyhow::Result<Self> {
        Ok(Self(filter.counters()?))
    }

    fn of_reason(&self, reason: Reason) -> u64 {
        self.0
            .get(&Counter::Packets(reason))
            .copied()
            .unwrap_or_default()
    }

    /// TCP segments that the filter has seen.
    fn segments(&self) -> u64 {
        [
            Reason::TcpOther,
            Reason::FlowBusy,
            Reason::TlsHelloSplit,
            Reason::TlsBlocked,
            Reason::TlsNotListed,
        ]
        .map(|reason| self.of_reason(reason))
        .iter()
        .sum()
    }
}
