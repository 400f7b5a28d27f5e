//! Nanoseconds a packet in the kernel (`BPF_PROG_TEST_RUN`).
//!
//! *Warm* runs one packet many times in one call. *Varied* runs each of many packets once, a call each, so that what
//! the name decides (branches, cache lines of the rules) is not what the packet before has just decided; the call
//! between two packets puts the program's code and data out of the nearest caches, too. In both, the kernel's clock
//! runs around the program alone. Each batch runs the no-op program over the same packets just before, since what
//! else the machine does changes from second to second.

use anyhow::{Context as _, ensure};
use fastrand::Rng;
use filter_core::{
    Bucket, DnsAction, Flow, HashKey, Interface, Options, Reason, RuleKey, Settings, Sides, TcpAction, Treatment, WAYS,
};
use filter_user::{
    kernel::{Filter, Groups, LoadOptions, ProgramInfo, TestBed, draw_hash_key},
    lists::{Action, Domain, ListRule, Scope, Sink as _, Subject},
    policy::{Builder, RuleBook},
};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::{
    collection::{self, Pattern},
    names::{self, RealNames},
    plan::Plan,
    rows::{Row, Rows},
    statistics::{Summary, mean_without_outliers},
    traffic::Traffic,
};

/// What the verifier goes through at most (`BPF_COMPLEXITY_LIMIT_INSNS` in linux/bpf.h).
const VERIFIER_LIMIT: f64 = 1_000_000.0;

/// As `namegate run` has it.
const EVENTS_PER_SECOND: u32 = 1000;

/// The kernel has frames from memory come in by the loopback interface.
const LOOPBACK: u32 = 1;

/// Of answers: with one there would be more drops than answers.
const NO_LIMIT: u32 = 0;

/// Nanoseconds that an answer may take more than a drop.
const ANSWER_GOAL: f64 = 120.0;

/// A name like those that people ask for, for the warm rows.
const ONE_NAME: &str = "www.example.com";

/// Measures each kind of packet with each number of rules.
pub fn measure(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    let bar = ProgressBar::new((plan.rules.len() * Traffic::ALL.len() * 2 * plan.batches) as u64);
    bar.set_style(ProgressStyle::with_template("{msg:50} {wide_bar} {pos}/{len}")?);
    let not_listed = not_listed(plan, names)?;
    for count in plan.rules {
        let rules = names.some_rules(*count);
        let mut filter = filter_with(&rules)?;
        for traffic in Traffic::ALL {
            if traffic.is_listed() && rules.is_empty() {
                bar.inc(2 * plan.batches as u64);
                continue;
            }
            let asked =
                if traffic.is_listed() { hosts(&rules, plan.packets) } else { hosts(&not_listed, plan.packets) };
            let policy = format!("{} rules", HumanCount(*count as u64));
            Measurement { plan, traffic, policy, asked, bar: &bar, treated: "" }.run(&mut filter, rows)?;
        }
        if *count == plan.most_rules() {
            answer_rows(plan, &hosts(&rules, plan.packets), &mut filter, rows)?;
            program_rows(filter.program()?, rows);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Measures a DNS query that nothing matches, with more and more real patterns beside the same names; the same names are
/// asked for in all of them. Nothing where there are no real patterns.
pub fn measure_patterns(plan: &Plan, names: &RealNames, rows: &mut Rows) -> anyhow::Result<()> {
    const TRAFFIC: Traffic = Traffic::DnsNotListed;

    let policy = |count| format!("{} rules and {count} patterns", HumanCount(Plan::RULES_BESIDE_PATTERNS as u64));
    let about = format!("{}, {}", TRAFFIC.name(), policy(plan.most_patterns()));
    let automata = |count| format!("automata of {count} patterns");
    let wanted = |count| {
        let measured = format!("{}, {}", TRAFFIC.name(), policy(count));
        [format!("{measured}, warm"), format!("{measured}, varied"), automata(count)]
    };
    if !plan.patterns.iter().any(|count| wanted(*count).iter().any(|name| rows.want(name))) {
        return Ok(());
    }
    let patterns = collection::patterns()?;
    if patterns.is_empty() {
        return Ok(());
    }
    let bar = ProgressBar::new((plan.patterns.len() * 2 * plan.batches) as u64);
    bar.set_style(ProgressStyle::with_template("{msg:50} {wide_bar} {pos}/{len}")?);
    bar.set_message(about);
    let rules = names.some_rules(Plan::RULES_BESIDE_PATTERNS);
    let largest = book(&draw_hash_key()?, &rules, &patterns, plan.most_patterns())?;
    let asked = not_matched(&largest, names);
    let asked = hosts(&asked, plan.packets);
    for count in plan.patterns {
        let mut filter = load_filter(rules.len())?;
        let hash_key = *filter.hash_key();
        let book = book(&hash_key, &rules, &patterns, *count)?;
        filter.install(&RuleBook::empty(hash_key), &book, &Groups::default(), |_| ())?;
        if *count > 0 {
            rows.push(Row::exact(automata(*count), book.automata().parts.len() as f64, "automata"));
        }
        let (policy, asked) = (policy(*count), asked.clone());
        Measurement { plan, traffic: TRAFFIC, policy, asked, bar: &bar, treated: "" }.run(&mut filter, rows)?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// These names with all below them are blocked, and the first `count` of the patterns are in force.
fn book(hash_key: &HashKey, rules: &[&str], patterns: &[Pattern], count: usize) -> anyhow::Result<RuleBook> {
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
        sink.rule(ListRule { subject, action: Action::Block, answer: None, cancels: false }, 1)?;
    }
    for Pattern { text, action } in patterns {
        sink.rule(ListRule { subject: Subject::Pattern(text), action: *action, answer: None, cancels: false }, 1)?;
    }
    let book = builder.finish()?;
    let refused = book.refused_patterns().next().map(|(pattern, why)| format!("{pattern}: {why}"));
    ensure!(refused.is_none(), "a pattern of the measurement is not in force, {}", refused.unwrap_or_default());
    Ok(book)
}

/// A filter with room for these rules and no more.
pub fn load_filter(rules: usize) -> anyhow::Result<Filter> {
    let options = LoadOptions {
        max_rules: u32::try_from(rules)?,
        events_per_second: EVENTS_PER_SECOND,
        answers_per_second: NO_LIMIT,
        interfaces: [(LOOPBACK, Interface::new(Sides::Both))].into(),
        ..LoadOptions::default()
    };
    Ok(Filter::load(&options)?)
}

/// Measures what each action takes. (Only varied: a packet that is repeated would be its own answer from the second time on.)
fn answer_rows(plan: &Plan, listed: &[&str], filter: &mut Filter, rows: &mut Rows) -> anyhow::Result<()> {
    let addresses = (Some([192, 0, 2, 7].into()), Some([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into()));
    let bar = ProgressBar::hidden();
    for (traffic, dns, tcp) in [
        (Traffic::DnsListed, DnsAction::Drop, TcpAction::Drop),
        (Traffic::DnsListed, DnsAction::NxDomain, TcpAction::Drop),
        (Traffic::DnsListed, DnsAction::NoData, TcpAction::Drop),
        (Traffic::DnsListed, DnsAction::Refused, TcpAction::Drop),
        (Traffic::DnsListed, DnsAction::Null, TcpAction::Drop),
        (Traffic::DnsListed, DnsAction::Address, TcpAction::Drop),
        (Traffic::HelloListed, DnsAction::Drop, TcpAction::Drop),
        (Traffic::HelloListed, DnsAction::Drop, TcpAction::Reset),
        (Traffic::HelloListed, DnsAction::Drop, TcpAction::Alert),
    ] {
        let treatment = Treatment::new(dns, tcp).with_addresses(addresses.0, addresses.1);
        filter.set_interface(LOOPBACK, Interface::new(Sides::Both).facing_clients(treatment))?;
        let treated = if traffic == Traffic::DnsListed { dns.as_str() } else { tcp.as_str() };
        let (asked, policy) = (listed.to_vec(), format!("{} rules", HumanCount(plan.most_rules() as u64)));
        Measurement { plan, traffic, policy, asked, bar: &bar, treated }.run(filter, rows)?;
    }
    filter.set_interface(LOOPBACK, Interface::new(Sides::Both))?;
    Ok(())
}

fn filter_with(rules: &[&str]) -> anyhow::Result<Filter> {
    let mut filter = load_filter(rules.len())?;
    let keys: Option<Vec<RuleKey>> = rules.iter().map(|rule| filter.hash_key().rule_key(rule)).collect();
    filter.insert_many(&keys.context("a rule is no name")?, |_| ())?;
    Ok(filter)
}

/// The names that people visit and that not even the largest set of rules blocks.
fn not_listed<'n>(plan: &Plan, names: &'n RealNames) -> anyhow::Result<Vec<&'n str>> {
    let book = RuleBook::blocking_all(draw_hash_key()?, "rules", names.some_rules(plan.most_rules()))?;
    Ok(not_matched(&book, names))
}

/// The names that people visit and that this policy says nothing of.
fn not_matched<'n>(book: &RuleBook, names: &'n RealNames) -> Vec<&'n str> {
    let free = |name: &&str| Domain::parse(name).is_ok_and(|name| book.prevailing(&name).is_none());
    let popular = names::some(&names.popular, names.popular.len());
    std::iter::once(ONE_NAME).chain(popular).filter(free).collect()
}

/// The first names that a TLS hello can have: DNS and TLS rows ask for the same.
fn hosts<'n>(names: &[&'n str], count: usize) -> Vec<&'n str> {
    names.iter().copied().filter(|name| names::is_host_name(name)).take(count).collect()
}

fn program_rows(program: ProgramInfo, rows: &mut Rows) {
    let verified = f64::from(program.verified_instructions);
    rows.push(Row::exact("verifier instructions", verified, "instructions").at_most(VERIFIER_LIMIT));
    rows.push(Row::exact("program size", f64::from(program.bytes), "bytes"));
    let flows = Settings::buckets(Options::default().flows) * WAYS;
    rows.push(Row::exact("flows held at once", f64::from(flows), "flows"));
    let bytes = size_of::<Flow>() + size_of::<Bucket>() / WAYS as usize;
    rows.push(Row::exact("memory of a held flow", bytes as f64, "bytes"));
}

/// One kind of packet with one number of rules.
struct Measurement<'m> {
    plan: &'m Plan,
    traffic: Traffic,
    /// What is in force, as rows name it.
    policy: String,
    /// Names to ask for; the first of them in the warm row.
    asked: Vec<&'m str>,
    bar: &'m ProgressBar,
    /// What is done with what is blocked, in the rows about that.
    treated: &'static str,
}

/// A batch of the no-op program and, just after, one of the filter: nanoseconds a packet.
struct Batch {
    noop: f64,
    filter: f64,
}

impl Measurement<'_> {
    fn run(&self, filter: &mut Filter, rows: &mut Rows) -> anyhow::Result<()> {
        let treated = if self.treated.is_empty() { String::new() } else { format!(" -> {}", self.treated) };
        let name = |way| format!("{}{treated}, {}, {way}", self.traffic.name(), self.policy);
        let (warm, varied) = (name("warm"), name("varied"));
        if !rows.want(&warm) && !rows.want(&varied) {
            self.bar.inc(2 * self.plan.batches as u64);
            return Ok(());
        }
        let mut random = Rng::with_seed(1);
        let packets: Vec<_> = self.asked.iter().map(|name| self.traffic.frames(name, &mut random)).collect();
        self.check(&mut filter.test_bed()?, &packets)?;
        match &packets.first().context("there is no name to ask for")?[..] {
            [_] if !self.traffic.is_judged_again() || !self.treated.is_empty() => {
                self.bar.inc(self.plan.batches as u64);
            }
            [one] => rows.push(self.row(warm, filter, |bed| self.warm(bed, one))?),
            // The kernel repeats one frame: those of a packet in turn take a call each.
            several => {
                let frames: Vec<_> = several.iter().cycle().take(several.len() * self.plan.packets).cloned().collect();
                rows.push(self.row(warm, filter, |bed| varied_batch(bed, &frames))?);
            }
        }
        let frames = packets.concat();
        let row = self.row(varied, filter, |bed| varied_batch(bed, &frames))?;
        let drop = rows.find(&name("varied").replace(&treated, " -> drop"));
        let goal = drop.filter(|_| self.treated == DnsAction::NxDomain.as_str()).map(|drop| drop + ANSWER_GOAL);
        rows.push(if let Some(goal) = goal { row.at_most(goal) } else { row });
        Ok(())
    }

    /// What is measured is what the row says.
    fn check(&self, bed: &mut TestBed<'_>, packets: &[Vec<Vec<u8>>]) -> anyhow::Result<()> {
        for (frames, name) in packets.iter().zip(&self.asked) {
            let mut reason = None;
            for frame in frames {
                reason = Some(bed.judge(frame)?.reason);
            }
            ensure!(
                reason == Some(self.traffic.reason()),
                "the packet \"{}\" with the name {name} was judged {}: the measurement would be of something else",
                self.traffic.name(),
                reason.map_or("nothing", Reason::as_str),
            );
        }
        Ok(())
    }

    fn row(
        &self,
        name: String,
        filter: &mut Filter,
        batch: impl Fn(&mut TestBed<'_>) -> anyhow::Result<Batch>,
    ) -> anyhow::Result<Row> {
        self.bar.set_message(name.clone());
        let mut batches = Vec::new();
        // The first one warms up.
        batch(&mut filter.test_bed()?)?;
        for _ in 0..self.plan.batches {
            batches.push(batch(&mut filter.test_bed()?)?);
            // Somebody reads the events, as the controller does.
            filter.drain_events(|_| ());
            self.bar.inc(1);
        }
        let none = "a row needs a batch";
        let noop = Summary::of(batches.iter().map(|batch| batch.noop)).context(none)?;
        let measured = Summary::of(batches.iter().map(|batch| batch.filter)).context(none)?;
        Ok(Row::beside_noop(name, measured, noop, "ns"))
    }

    fn warm(&self, bed: &mut TestBed<'_>, frame: &[u8]) -> anyhow::Result<Batch> {
        let runs = self.plan.warm_runs;
        Ok(Batch {
            noop: bed.time_noop(frame, runs)?.as_nanos() as f64,
            filter: bed.time(frame, runs)?.as_nanos() as f64,
        })
    }
}

fn varied_batch(bed: &mut TestBed<'_>, frames: &[Vec<u8>]) -> anyhow::Result<Batch> {
    let mut mean = |filter: bool| -> anyhow::Result<f64> {
        let mut times = Vec::with_capacity(frames.len());
        for frame in frames {
            let time = if filter { bed.time(frame, 1) } else { bed.time_noop(frame, 1) };
            times.push(time?.as_nanos() as f64);
        }
        mean_without_outliers(&mut times).context("there are no packets")
    };
    Ok(Batch { noop: mean(false)?, filter: mean(true)? })
}
