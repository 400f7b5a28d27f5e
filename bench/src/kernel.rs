//! Nanoseconds a packet in the kernel (`BPF_PROG_TEST_RUN`).
//!
//! *Warm* runs one packet again and again. *Varied* runs many different packets in turn, so that
//! what the name decides (branches, cache lines of the rules) is not what the packet before has
//! just decided. In both, one call runs tens of thousands of packets, and nothing comes between two
//! of them: where they differ, or come back as answers, a program in the kernel makes each the next
//! packet ([`filter_user::kernel::Feed`]). The no-op program runs over the same packets, fed by the
//! same program, in turn with the filter, since what else the machine does changes from second to
//! second; what the filter takes over it is the filter's own.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use filter_core::{
    Actions, Bucket, Directions, DnsAction, Flow, HashKey, Interface, Options, Settings, TcpAction,
    WAYS,
};
use filter_lists::{Action, Domain, ListRule, Scope, Sink as _, Subject};
use filter_policy::{
    compiled::{Builder, CompiledPolicy},
    groups::Groups,
};
use filter_user::kernel::{Filter, LoadOptions, ProgramInfo, draw_hash_key};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::{
    collection::{self, Pattern},
    measurement::{Measurement, Way, row_name},
    names::{self, RealNames},
    plan::Plan,
    rows::{Row, Rows},
    traffic::Traffic,
    worst,
};

/// What the verifier goes through at most (`BPF_COMPLEXITY_LIMIT_INSNS` in linux/bpf.h).
const VERIFIER_LIMIT: f64 = 1_000_000.0;

/// As `namegate run` has it.
const EVENTS_PER_SECOND: u32 = 1000;

/// The kernel has frames from memory come in by the loopback interface.
const LOOPBACK: u32 = 1;

/// Of answers and of QUIC packets that are opened: with one, most of what is measured would be
/// something else.
pub const NO_LIMIT: u32 = 0;

/// How many times as long as with a thousand rules a packet may take with the most.
const RULES_GOAL: f64 = 1.3;

/// A name like those that people ask for, for the warm rows.
const ONE_NAME: &str = "www.example.com";

/// Measures each kind of packet with each number of rules.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let bar = ProgressBar::new((plan.rules.len() * Traffic::ALL.len() + ANSWERS.len()) as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:50} {wide_bar} {pos}/{len}",
    )?);
    let not_listed = not_listed(plan, names)?;
    for count in plan.rules {
        let rules = names.some_rules(*count);
        let mut filter = filter_with(&rules)?;
        for traffic in Traffic::ALL {
            if traffic.is_listed() && rules.is_empty() {
                bar.inc(1);
                continue;
            }
            let asked = if traffic.is_listed() {
                hosts(&rules, plan.packets)
            } else {
                hosts(&not_listed, plan.packets)
            };
            let policy = policy_of(*count);
            let measurement = Measurement {
                plan,
                traffic,
                policy,
                asked,
                treated: None,
                has_goals: true,
                bar: &bar,
            };
            measurement.run(&mut filter, rows)?;
        }
        if *count == plan.most_rules() {
            answer_rows(plan, &hosts(&rules, plan.packets), &bar, &mut filter, rows)?;
            program_rows(filter.program()?, rows);
        }
    }
    bar.finish_and_clear();
    rules_row(plan, rows);
    Ok(())
}

/// How rows name a policy of so many rules.
fn policy_of(rules: usize) -> String {
    format!("{} rules", HumanCount(rules as u64))
}

/// How much longer a query takes with the most rules than with few, from the rows of both.
fn rules_row(plan: &Plan, rows: &mut Rows) {
    let name = |policy: &str| row_name(Traffic::DnsNotListed, None, policy, Way::Varied);
    let [most, few] = [plan.most_rules(), Plan::FEW_RULES].map(policy_of);
    if let (Some(with_most), Some(with_few)) = (rows.find(&name(&most)), rows.find(&name(&few))) {
        let about = format!("{} over {few}", name(&most));
        rows.push(Row::exact(about, with_most / with_few, "times").at_most(RULES_GOAL));
    }
}

/// Measures a DNS query that nothing matches, with more and more real patterns beside the same
/// names; the same names are asked for in all of them. Nothing where there are no real patterns.
pub fn measure_patterns(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    const TRAFFIC: Traffic = Traffic::DnsNotListed;

    let policy = |count| {
        format!(
            "{} and {count} patterns",
            policy_of(Plan::RULES_BESIDE_PATTERNS)
        )
    };
    let automata = |count| format!("automata of {count} patterns");
    let wanted = |count| {
        let [warm, varied] = Way::BOTH.map(|way| row_name(TRAFFIC, None, &policy(count), way));
        [warm, varied, automata(count)]
    };
    if !plan
        .patterns
        .iter()
        .any(|count| wanted(*count).iter().any(|name| rows.want(name)))
    {
        return Ok(());
    }
    let patterns = collection::patterns()?;
    if patterns.is_empty() {
        return Ok(());
    }
    let bar = ProgressBar::new(plan.patterns.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:50} {wide_bar} {pos}/{len}",
    )?);
    bar.set_message(row_name(
        TRAFFIC,
        None,
        &policy(plan.most_patterns()),
        Way::Warm,
    ));
    let rules = names.some_rules(Plan::RULES_BESIDE_PATTERNS);
    let largest = compile(&draw_hash_key()?, &rules, &patterns, plan.most_patterns())?;
    let asked = not_matched(&largest, names);
    let asked = hosts(&asked, plan.packets);
    for count in plan.patterns {
        let mut filter = load_filter(rules.len())?;
        let hash_key = *filter.hash_key();
        let compiled = compile(&hash_key, &rules, &patterns, *count)?;
        filter.install(
            &CompiledPolicy::empty(hash_key),
            &compiled,
            &Groups::default(),
            |_| (),
        )?;
        if *count > 0 {
            rows.push(Row::exact(
                automata(*count),
                compiled.automata().parts.len() as f64,
                "automata",
            ));
        }
        let (policy, asked) = (policy(*count), asked.clone());
        let (bar, has_goals) = (&bar, false);
        Measurement {
            plan,
            traffic: TRAFFIC,
            policy: policy.clone(),
            asked,
            treated: None,
            has_goals,
            bar,
        }
        .run(&mut filter, rows)?;
        worst::measure(
            plan,
            &policy,
            rows.find(&row_name(TRAFFIC, None, &policy, Way::Varied)),
            &mut filter,
            rows,
        )?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// These names with all below them are blocked, and the first `count` of the patterns are in force.
fn compile(
    hash_key: &HashKey,
    rules: &[&str],
    patterns: &[Pattern],
    count: usize,
) -> anyhow::Result<CompiledPolicy> {
    let patterns = patterns.get(..count).with_context(|| {
        format!(
            "the collection of lists has {} patterns, and {count} are to be measured: add lists to it",
            patterns.len()
        )
    })?;
    let mut builder = Builder::new(*hash_key);
    let mut sink = builder.list("rules", 0);
    for name in rules {
        let subject = Subject::Name(name, Scope::Subtree);
        sink.rule(
            ListRule {
                subject,
                action: Action::Block,
                answer: None,
                cancels: false,
            },
            1,
        )?;
    }
    for Pattern { text, action } in patterns {
        sink.rule(
            ListRule {
                subject: Subject::Pattern(text),
                action: *action,
                answer: None,
                cancels: false,
            },
            1,
        )?;
    }
    let compiled = builder.finish()?;
    let refused = compiled
        .refused_patterns()
        .next()
        .map(|(pattern, why)| format!("{pattern}: {why}"));
    ensure!(
        refused.is_none(),
        "a pattern of the measurement is not in force, {}",
        refused.unwrap_or_default()
    );
    Ok(compiled)
}

/// A filter with room for these rules and no more.
pub fn load_filter(rules: usize) -> anyhow::Result<Filter> {
    load_filter_on(LOOPBACK, rules)
}

fn load_filter_on(interface: u32, rules: usize) -> anyhow::Result<Filter> {
    Ok(Filter::load(&options(interface, rules)?)?)
}

fn options(interface: u32, rules: usize) -> anyhow::Result<LoadOptions> {
    Ok(LoadOptions {
        max_rules: u32::try_from(rules)?,
        events_per_second: EVENTS_PER_SECOND,
        answers_per_second: NO_LIMIT,
        quic_per_second: NO_LIMIT,
        quic_per_source: NO_LIMIT,
        // One packet again and again is a burst, of which the first alone would be answered.
        reset_again_after: Duration::ZERO,
        interfaces: [(interface, Interface::new(Directions::Both))].into(),
        ..LoadOptions::default()
    })
}

/// A filter without rules that opens so many QUIC packets in a second, and passes what is beyond.
pub fn load_filter_for_quic(per_second: u32) -> anyhow::Result<Filter> {
    let options = LoadOptions {
        quic_per_second: per_second,
        drops_quic_beyond: false,
        ..options(LOOPBACK, 1)?
    };
    Ok(Filter::load(&options)?)
}

/// What is done with what is blocked.
const ANSWERS: [(Traffic, DnsAction, TcpAction); 11] = [
    (Traffic::DnsListed, DnsAction::Drop, TcpAction::Drop),
    (Traffic::DnsListed, DnsAction::NxDomain, TcpAction::Drop),
    (Traffic::DnsListed, DnsAction::NoData, TcpAction::Drop),
    (Traffic::DnsListed, DnsAction::Refused, TcpAction::Drop),
    (Traffic::DnsListed, DnsAction::Null, TcpAction::Drop),
    (Traffic::DnsListed, DnsAction::Address, TcpAction::Drop),
    (Traffic::DnsOverTcpListed, DnsAction::Drop, TcpAction::Drop),
    (
        Traffic::DnsOverTcpListed,
        DnsAction::NxDomain,
        TcpAction::Drop,
    ),
    (Traffic::HelloListed, DnsAction::Drop, TcpAction::Drop),
    (Traffic::HelloListed, DnsAction::Drop, TcpAction::Reset),
    (Traffic::HelloListed, DnsAction::Drop, TcpAction::Alert),
];

/// Measures what each action takes.
fn answer_rows(
    plan: &Plan,
    listed: &[&str],
    bar: &ProgressBar,
    filter: &mut Filter,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let addresses = (
        Some([192, 0, 2, 7].into()),
        Some([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into()),
    );
    for (traffic, dns, tcp) in ANSWERS {
        let actions = Actions::new(dns, tcp).with_addresses(addresses.0, addresses.1);
        filter.set_interface(
            LOOPBACK,
            Interface::new(Directions::Both).facing_clients(actions),
        )?;
        let treated = Some(if traffic == Traffic::HelloListed {
            tcp.as_str()
        } else {
            dns.as_str()
        });
        let (asked, policy) = (listed.to_vec(), policy_of(plan.most_rules()));
        Measurement {
            plan,
            traffic,
            policy,
            asked,
            treated,
            has_goals: true,
            bar,
        }
        .run(filter, rows)?;
    }
    filter.set_interface(LOOPBACK, Interface::new(Directions::Both))?;
    Ok(())
}

fn filter_with(rules: &[&str]) -> anyhow::Result<Filter> {
    filter_on(LOOPBACK, rules)
}

/// A filter for the interface with this index, which blocks these names: each by itself, since many
/// are below others, and none is to be left out for that.
pub fn filter_on(interface: u32, rules: &[&str]) -> anyhow::Result<Filter> {
    let mut filter = load_filter_on(interface, rules.len())?;
    let hash_key = *filter.hash_key();
    let mut builder = Builder::new(hash_key);
    let mut list = builder.list("rules", 0);
    for name in rules {
        let subject = Subject::Name(name, Scope::Name);
        list.rule(
            ListRule {
                subject,
                action: Action::Block,
                answer: None,
                cancels: false,
            },
            1,
        )?;
    }
    let compiled = builder.finish()?;
    let (wanted, in_kernel) = (rules.len() as u64, compiled.entries_in_force());
    ensure!(
        in_kernel == wanted,
        "{wanted} rules are to be measured, and {in_kernel} of them come to the kernel"
    );
    filter.install(
        &CompiledPolicy::empty(hash_key),
        &compiled,
        &Groups::default(),
        |_| (),
    )?;
    Ok(filter)
}

/// The names that people visit and that not even the largest set of rules blocks.
pub fn not_listed<'n>(plan: &Plan, names: &'n RealNames) -> anyhow::Result<Vec<&'n str>> {
    let compiled = CompiledPolicy::blocking_all(
        draw_hash_key()?,
        "rules",
        names.some_rules(plan.most_rules()),
    )?;
    Ok(not_matched(&compiled, names))
}

/// The names that people visit and that this policy says nothing of.
fn not_matched<'n>(compiled: &CompiledPolicy, names: &'n RealNames) -> Vec<&'n str> {
    let free =
        |name: &&str| Domain::parse(name).is_ok_and(|name| compiled.prevailing(&name).is_none());
    let popular = names::some(&names.popular, names.popular.len());
    std::iter::once(ONE_NAME)
        .chain(popular)
        .filter(free)
        .collect()
}

/// The first names that a TLS hello can have: DNS and TLS rows ask for the same.
pub fn hosts<'n>(names: &[&'n str], count: usize) -> Vec<&'n str> {
    names
        .iter()
        .copied()
        .filter(|name| names::is_host_name(name))
        .take(count)
        .collect()
}

fn program_rows(program: ProgramInfo, rows: &mut Rows) {
    let verified = f64::from(program.verified_instructions);
    rows.push(
        Row::exact("verifier instructions", verified, "instructions").at_most(VERIFIER_LIMIT),
    );
    rows.push(Row::exact(
        "program size",
        f64::from(program.bytes),
        "bytes",
    ));
    let flows = Settings::buckets(Options::default().flows) * WAYS;
    rows.push(Row::exact("flows held at once", f64::from(flows), "flows"));
    let bytes = size_of::<Flow>() + size_of::<Bucket>() / WAYS as usize;
    rows.push(Row::exact("memory of a held flow", bytes as f64, "bytes"));
}
