//! The loaded program, one frame at a time (`BPF_PROG_TEST_RUN`).

mod attaching;
mod audiences;
mod banks;
mod buffers;
#[path = "../../../filter-core/tests/claims/mod.rs"]
mod claims;
mod effects;
mod events;
mod faults;
mod feed;
mod growing;
mod kept;
mod object;
mod policy;
mod requirements;
mod rules;
mod settings;
mod unsettled;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{LazyLock, Mutex, PoisonError},
    thread,
    time::Duration,
};

use filter_core::{Counter, Directions, Interface, ProgramSet, Reason, RuleKey, Sent, Verdict};
use filter_user::kernel::{Filter, Judged, LoadOptions, NameEvent, TestBed};

use claims::{Became, Decided, Reported};

lab::fail_on_kernel_damage!();

/// The filter that all claims share: loading one for each would take the verifier minutes.
static SHARED: LazyLock<Mutex<Filter>> =
    LazyLock::new(|| Mutex::new(filter(&claims::RULES, u32::MAX)));

/// Time goes by so many times slower: while other tests run, the next frame of a burst may come a
/// tenth of a second later.
const SLOWLY: u32 = 5;

fn filter(rules: &[&str], events_per_second: u32) -> Filter {
    let mut filter = Filter::load(&LoadOptions {
        interfaces: [(LOOPBACK, UNANSWERED)].into(),
        max_rules: 100,
        flows: 1,
        quic_per_source: 0,
        quic_per_second: 0,
        events_per_second,
        reset_again_after: SLOWLY * LoadOptions::default().reset_again_after,
        ..LoadOptions::default()
    })
    .unwrap();
    for rule in rules {
        let key = key(&filter, rule);
        filter.insert(key).unwrap();
    }
    filter
}

fn key(filter: &Filter, rule: &str) -> RuleKey {
    filter.hash_key().rule_key(rule).unwrap()
}

/// What claims are held to: the shared filter's decision, after making sure that nothing else came
/// of the frame.
fn judge(frame: &[u8]) -> Decided {
    let mut filter = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    judge_with(&mut filter, frame)
}

/// What the programs for any frames give, and those for frames in one buffer if all of these are
/// such frames: the same.
fn by_each_set<'f, T: PartialEq + fmt::Debug>(
    frames: impl IntoIterator<Item = &'f [u8]>,
    mut of_set: impl FnMut(ProgramSet) -> T,
) -> T {
    let by_frags = of_set(ProgramSet::FRAGS);
    if frames
        .into_iter()
        .all(|frame| frame.len() <= TestBed::first_buffer())
    {
        assert_eq!(of_set(ProgramSet::LINEAR), by_frags);
    }
    by_frags
}

/// What claims of sequences are held to: the shared filter's decisions over one frame after the
/// other.
fn judge_all(frames: &[Vec<u8>]) -> Vec<Decided> {
    let mut filter = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    filter.test_bed().unwrap().forget_flows().unwrap();
    frames
        .iter()
        .map(|frame| judge_next(&mut filter, frame))
        .collect()
}

/// What claims of answers are held to: what becomes of frames that come in by this interface, each
/// so long after the one before, and nothing came before the first; and which counters moved,
/// besides those of their reasons.
fn send_reporting(frames: &[(Duration, Vec<u8>)], interface: Interface) -> Vec<Became> {
    let mut filter = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    drained(&mut filter);
    filter.set_interface(LOOPBACK, interface).unwrap();
    let became = by_each_set(frames.iter().map(|(_, frame)| frame.as_slice()), |set| {
        filter.test_bed().unwrap().forget_flows().unwrap();
        let send = |(pause, frame): &(Duration, Vec<u8>)| {
            thread::sleep(SLOWLY * *pause);
            let before = filter.counters().unwrap();
            let Judged {
                reason,
                sent,
                frame,
                ..
            } = filter.test_bed().unwrap().with(set).judge(frame).unwrap();
            let moved = moved(&before, &filter.counters().unwrap());
            let others = moved
                .into_iter()
                .map(|(counter, _)| counter)
                .filter(|it| !matches!(it, Counter::Packets(_)));
            let (sent, counters) = (sent.expect("a place to send it to"), others.collect());
            let reported = drained(&mut filter).iter().map(reported).collect();
            Became {
                reason,
                sent,
                frame,
                counters,
                reported,
            }
        };
        frames.iter().map(send).collect::<Vec<_>>()
    });
    filter.set_interface(LOOPBACK, UNANSWERED).unwrap();
    became
}

fn reported(event: &NameEvent) -> Reported {
    Reported {
        reason: event.reason,
        action: event.action,
        given: event.given,
        hindrance: event.hindrance,
    }
}

/// The kernel has frames from memory come in by the loopback interface.
const LOOPBACK: u32 = 1;
/// On it, what is blocked is dropped.
const UNANSWERED: Interface = Interface::new(Directions::Both);

/// The decision over a frame that nothing came before.
fn judge_with(filter: &mut Filter, frame: &[u8]) -> Decided {
    filter.test_bed().unwrap().forget_flows().unwrap();
    judge_next(filter, frame)
}

/// The decision over a frame. Asserts that its counter moved and no other, that a blocked frame
/// sent one event and its rule one hit, and that another frame sent and hit nothing.
fn judge_next(filter: &mut Filter, frame: &[u8]) -> Decided {
    let before = Effects::of(filter);
    let judged = filter.test_bed().unwrap().judge(frame).unwrap();
    let after = Effects::of(filter);

    let decided = Decided::of(judged.reason, &judged.name);
    let sent = if judged.reason.verdict() == Verdict::Drop {
        Sent::Drop
    } else {
        Sent::Pass
    };
    assert_eq!(
        (judged.sent, &*judged.frame),
        (Some(sent), frame),
        "{decided:?}"
    );
    let counted = moved(&before.counters, &after.counters);
    let (packets, others): (Vec<_>, Vec<_>) = counted
        .into_iter()
        .partition(|(counter, _)| matches!(counter, Counter::Packets(_)));
    let is_joined = others.contains(&(Counter::DnsJoined, 1));
    assert_eq!(packets, [(Counter::Packets(judged.reason), 1)]);
    let hits = moved(&before.hits, &after.hits);
    let events: Vec<_> = after
        .events
        .iter()
        .map(|event| (event.reason, event.name.clone()))
        .collect();
    if judged.reason.is_blocked() && is_joined {
        assert!(
            events.iter().all(|(reason, _)| *reason == judged.reason),
            "{events:?}"
        );
        assert_eq!(
            hits.iter().map(|(_, hits)| hits).sum::<u64>(),
            events.len() as u64
        );
        assert!(!events.is_empty());
    } else if judged.reason.is_blocked() {
        assert_eq!(events, [(judged.reason, judged.name)]);
        assert_eq!(hits, [(after.events[0].rule.unwrap(), 1)]);
    } else {
        assert!(
            events.is_empty() && hits.is_empty(),
            "{decided:?}: {events:?} {hits:?}"
        );
    }
    decided
}

/// The decision over a frame that nothing came before.
fn judge_alone(filter: &mut Filter, frame: &[u8]) -> Judged {
    let mut bed = filter.test_bed().unwrap();
    bed.forget_flows().unwrap();
    bed.judge(frame).unwrap()
}

/// All that a frame may leave behind, and the events since the last look.
struct Effects {
    counters: BTreeMap<Counter, u64>,
    hits: BTreeMap<RuleKey, u64>,
    events: Vec<NameEvent>,
}

impl Effects {
    fn of(filter: &mut Filter) -> Self {
        let events = drained(filter);
        Self {
            counters: filter.counters().unwrap(),
            hits: filter.all_hits().unwrap(),
            events,
        }
    }
}

/// What counts more than before, and by how much.
fn moved<K: Ord + Copy>(before: &BTreeMap<K, u64>, after: &BTreeMap<K, u64>) -> Vec<(K, u64)> {
    let by = |(key, count): (&K, &u64)| (*key, count - before.get(key).unwrap_or(&0));
    after.iter().map(by).filter(|(_, by)| *by > 0).collect()
}

fn drained(filter: &mut Filter) -> Vec<NameEvent> {
    let mut events = Vec::new();
    filter.drain_events(|event| events.push(event));
    events
}

/// The frame's decision and nothing around it.
fn reason(filter: &mut Filter, frame: &[u8]) -> Reason {
    judge_alone(filter, frame).reason
}
