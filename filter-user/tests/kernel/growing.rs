//! Policies that the maps have no room for: they get maps of their own, or nothing changes.

use std::{
    net::UdpSocket,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use filter_core::{Counter, HASH_KEY_WORDS, HashKey, Reason};
use filter_policy::{compiled::CompiledPolicy, groups::Groups};
use filter_user::kernel::{Filter, Installed, KernelError, LoadOptions, Mode, interface_index};
use frames::Wrap;
use lab::{GATEWAY_LAN, Lab, Options, wait_until};

use super::{
    UNANSWERED, drained,
    faults::{Call, with_failing},
    key, moved,
};

/// Rules that there may be.
const MAX: u32 = 100_000;

#[test]
fn a_policy_without_room_gets_larger_maps_and_all_that_is_no_policy_goes_on() {
    let mut filter = with_room(8);
    let [first, second] = [names(&filter, 0..5), names(&filter, 3..5_000)];
    filter
        .install(&empty(&filter), &first, &Groups::default(), |_| {})
        .unwrap();
    assert_eq!(ask(&mut filter, "n0.example"), Reason::DnsBlocked);
    assert_eq!(ask(&mut filter, "n4.example"), Reason::DnsBlocked);
    let halves = hello_in_halves("n4.example");
    assert_eq!(
        filter.test_bed().unwrap().judge(&halves[0]).unwrap().reason,
        Reason::TlsHelloSplit
    );
    let (program, before) = (filter.program().unwrap().id, filter.counters().unwrap());

    let installed = filter
        .install(&first, &second, &Groups::default(), |_| {})
        .unwrap();
    assert_eq!(
        installed,
        Installed {
            added: 4_995,
            changed: 0,
            removed: 3
        }
    );
    assert_ne!(filter.program().unwrap().id, program);
    assert_eq!(
        (filter.capacity(), filter.max_rules()),
        (4_997 + 4_997 / 4 + 16_384, MAX)
    );
    assert_eq!(moved(&before, &filter.counters().unwrap()), []);
    let events: Vec<_> = drained(&mut filter)
        .into_iter()
        .map(|event| event.name)
        .collect();
    assert_eq!(
        events,
        ["n0.example", "n4.example"],
        "what was reported before is still there"
    );
    assert_eq!(
        filter.test_bed().unwrap().judge(&halves[1]).unwrap().reason,
        Reason::TlsBlocked
    );

    let asked = [
        "n0.example",
        "n3.example",
        "n4.example",
        "n4999.example",
        "n5000.example",
    ];
    let reasons = asked.map(|name| ask(&mut filter, name));
    let [blocked, passed] = [Reason::DnsBlocked, Reason::DnsNotListed];
    assert_eq!(reasons, [passed, blocked, blocked, blocked, passed]);
    let hits = ["n0.example", "n3.example", "n4.example"]
        .map(|name| filter.hits(key(&filter, name)).unwrap());
    assert_eq!(hits, [0, 1, 3], "those of rules that stay are kept");
    let again = filter
        .install(&second, &first, &Groups::default(), |_| {})
        .unwrap();
    assert_eq!(
        again,
        Installed {
            added: 3,
            changed: 0,
            removed: 4_995
        },
        "from here on in place"
    );
    assert_eq!(filter.capacity(), 4_997 + 4_997 / 4 + 16_384);
}

#[test]
fn a_policy_beyond_the_bound_is_refused_and_the_old_one_holds() {
    let mut filter = with_room(8);
    let [first, large] = [names(&filter, 0..5), names(&filter, 3..MAX + 4)];
    filter
        .install(&empty(&filter), &first, &Groups::default(), |_| {})
        .unwrap();
    let refused = filter
        .install(&first, &large, &Groups::default(), |_| {})
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the policy takes 100001 entries in the kernel, and there may be 100000: take lists out, or start namegate with \
         --max-rules 100001 or more"
    );
    assert_eq!(
        blocked(&mut filter, 0..8),
        [true, true, true, true, true, false, false, false]
    );
    let most = names(&filter, 3..MAX + 3);
    filter
        .install(&first, &most, &Groups::default(), |_| {})
        .unwrap();
    assert_eq!(
        blocked(&mut filter, 0..6),
        [false, false, false, true, true, true]
    );
    assert_eq!(ask(&mut filter, "n100002.example"), Reason::DnsBlocked);
}

/// The hash spreads names that differ by a number alone less evenly under some keys, of which this
/// is one: 180,000 of them need more pages than are made for 200,000 rules.
#[test]
fn names_that_the_hash_spreads_unevenly_get_the_pages_that_they_need() {
    let mut random = fastrand::Rng::with_seed(52);
    let hash_key = HashKey::from_words([0; HASH_KEY_WORDS].map(|_| random.u64(..)));
    let options = LoadOptions {
        hash_key: Some(hash_key),
        max_rules: 200_000,
        flows: 1,
        ..LoadOptions::default()
    };
    let mut filter = Filter::load(&options).unwrap();
    let program = filter.program().unwrap().id;
    let all = names(&filter, 0..180_000);
    filter
        .install(&empty(&filter), &all, &Groups::default(), |_| {})
        .unwrap();
    assert_ne!(
        filter.program().unwrap().id,
        program,
        "under this key they had room at once, so that this tests nothing"
    );
    assert_eq!(filter.capacity(), 200_000);
    assert!(
        (0..180_000)
            .step_by(1_000)
            .all(|number| ask(&mut filter, &format!("n{number}.example")).is_blocked())
    );
    assert_eq!(ask(&mut filter, "n180000.example"), Reason::DnsNotListed);
}

#[test]
fn rules_that_are_added_one_by_one_get_room_as_well() {
    let mut filter = with_room(2);
    let [first, second] = [names(&filter, 0..2), names(&filter, 0..3)];
    filter
        .install(&empty(&filter), &first, &Groups::default(), |_| {})
        .unwrap();
    let added = key(&filter, "n2.example");
    assert!(matches!(
        filter.insert(added),
        Err(KernelError::RulesFull { capacity: 2 })
    ));
    filter.make_room(&second).unwrap();
    assert_eq!(blocked(&mut filter, 0..4), [true, true, true, false]);
    assert_eq!(filter.capacity(), 3 + 16_384);
}

#[test]
fn whichever_system_call_fails_the_old_policy_holds() {
    let lab = Lab::new(&Options::default()).unwrap();
    let (mut filter, first, second) = about_to_grow(&lab);
    let (installed, calls) = grow(&mut filter, None, &first, &second);
    installed.unwrap();
    drop(filter);
    // Of calls that do the same, the first before the programs are loaded and the first behind
    // that: each growth that gets so far has the verifier work. Without types (BTF) the programs
    // load as well.
    let loaded = calls
        .iter()
        .rposition(|call| *call == Call::PROG_LOAD)
        .unwrap();
    let (before, behind) = calls.split_at(loaded + 1);
    let is_first = |calls: &[Call], number: usize| !calls[..number].contains(&calls[number]);
    let first_before = (0..before.len()).filter(|number| is_first(before, *number));
    let first_behind = (0..behind.len())
        .filter(|number| is_first(behind, *number))
        .map(|number| before.len() + number);
    let numbers: Vec<_> = first_before
        .chain(first_behind)
        .filter(|number| calls[*number] != Call::BTF_LOAD)
        .collect();
    assert!(
        calls.contains(&Call::LINK_UPDATE) && numbers.len() > 7,
        "{calls:?}"
    );

    let (mut filter, first, second) = about_to_grow(&lab);
    let program = filter.program().unwrap().id;
    for number in numbers {
        let (installed, calls) = grow(&mut filter, Some(number), &first, &second);
        installed.expect_err(&format!(
            "call {number} failed, {:?}, and nobody noticed",
            calls[number]
        ));
        assert_eq!(
            blocked(&mut filter, 0..6),
            [true, true, true, true, true, false],
            "{:?}",
            calls[number]
        );
        assert_eq!(
            (filter.program().unwrap().id, filter.capacity()),
            (program, 8),
            "{:?}",
            calls[number]
        );
    }
    grow(&mut filter, None, &first, &second).0.unwrap();
    assert_eq!(
        blocked(&mut filter, 0..6),
        [false, false, false, true, true, true]
    );
}

/// A filter on the gateway, the policy that it has in force, and one that it has no room for.
fn about_to_grow(lab: &Lab) -> (Filter, CompiledPolicy, CompiledPolicy) {
    let mut filter = attached(lab, Mode::Generic);
    let [first, second] = [names(&filter, 0..5), names(&filter, 3..40)];
    filter
        .install(&empty(&filter), &first, &Groups::default(), |_| {})
        .unwrap();
    (filter, first, second)
}

fn grow(
    filter: &mut Filter,
    fails: Option<usize>,
    first: &CompiledPolicy,
    second: &CompiledPolicy,
) -> (Result<Installed, KernelError>, Vec<Call>) {
    with_failing(fails, || {
        filter.install(first, second, &Groups::default(), |_| {})
    })
}

#[test]
fn while_maps_grow_each_packet_is_judged_once_and_rightly_in_both_modes() {
    let lab = Lab::new(&Options::default()).unwrap();
    for mode in [Mode::Native, Mode::Generic] {
        let mut filter = attached(&lab, mode);
        let compiled = [1_000, 20_000, 50_000, 90_000].map(|count| names(&filter, 0..count));
        filter
            .install(&empty(&filter), &compiled[0], &Groups::default(), |_| {})
            .unwrap();
        let asker = Asker::new(&lab);
        asker.ask();
        let counted = |filter: &Filter| {
            let counters = filter.counters().unwrap();
            [Reason::DnsBlocked, Reason::DnsNotListed]
                .map(|reason| counters[&Counter::Packets(reason)])
        };
        wait_until(
            "the first queries",
            LIMIT,
            || Ok(counted(&filter) == [1, 1]),
        )
        .unwrap();
        let done = AtomicBool::new(false);
        let count = thread::scope(|scope| {
            let asking = scope.spawn(|| asker.ask_until(&done));
            let programs = compiled.windows(2).map(|compiled| {
                filter
                    .install(&compiled[0], &compiled[1], &Groups::default(), |_| {})
                    .unwrap();
                filter.program().unwrap().id
            });
            let mut programs: Vec<_> = programs.collect();
            done.store(true, Ordering::Relaxed);
            programs.dedup();
            assert_eq!(
                programs.len(),
                compiled.len() - 1,
                "the maps grew each time"
            );
            asking.join().unwrap()
        });
        assert!(count > 1_000, "{count}");
        let wanted = [count + 1; 2];
        wait_until("all queries", LIMIT, || Ok(counted(&filter) == wanted)).unwrap_or_else(|_| {
            panic!("{mode:?}: {:?} of {wanted:?} were judged", counted(&filter))
        });
    }
}

const LIMIT: Duration = Duration::from_secs(10);

/// Somebody who asks for a name that each policy blocks and for one that none does.
struct Asker {
    socket: UdpSocket,
    queries: [Vec<u8>; 2],
}

impl Asker {
    fn new(lab: &Lab) -> Self {
        let socket = lab
            .client()
            .socket(|| UdpSocket::bind("0.0.0.0:0"))
            .unwrap();
        Self {
            socket,
            queries: ["n7.example", "free.example"].map(frames::query),
        }
    }

    fn ask(&self) {
        for query in &self.queries {
            assert_eq!(
                self.socket.send_to(query, (GATEWAY_LAN.v4, 53)).unwrap(),
                query.len()
            );
        }
    }

    /// How often it asked.
    fn ask_until(&self, done: &AtomicBool) -> u64 {
        let mut asked = 0;
        while !done.load(Ordering::Relaxed) {
            self.ask();
            asked += 1;
            // A veth in generic mode drops what is beyond a thousand packets in its queue.
            thread::sleep(Duration::from_micros(200));
        }
        asked
    }
}

fn with_room(room: u32) -> Filter {
    Filter::load(&options(room)).unwrap()
}

pub fn options(room: u32) -> LoadOptions {
    LoadOptions {
        max_rules: MAX,
        room: Some(room),
        flows: 1,
        events_per_second: 1_000,
        ..LoadOptions::default()
    }
}

/// A filter on the gateway of a lab.
fn attached(lab: &Lab, mode: Mode) -> Filter {
    let index = lab
        .gateway()
        .inside(|| interface_index("lan"))
        .unwrap()
        .unwrap();
    let interfaces = [(index, UNANSWERED)].into();
    let mut filter = Filter::load(&LoadOptions {
        interfaces,
        ..options(8)
    })
    .unwrap();
    lab.gateway()
        .inside(|| filter.attach(&["lan".to_owned()], mode))
        .unwrap()
        .unwrap();
    filter
}

pub fn empty(filter: &Filter) -> CompiledPolicy {
    CompiledPolicy::empty(*filter.hash_key())
}

/// A policy that blocks the names with these numbers.
pub fn names(filter: &Filter, numbers: std::ops::Range<u32>) -> CompiledPolicy {
    let names: Vec<_> = numbers.map(|number| format!("n{number}.example")).collect();
    CompiledPolicy::blocking_all(*filter.hash_key(), "list", names.iter().map(|name| &**name))
        .unwrap()
}

pub fn blocked<const N: usize>(filter: &mut Filter, numbers: std::ops::Range<u32>) -> [bool; N] {
    let blocked: Vec<_> = numbers
        .map(|number| ask(filter, &format!("n{number}.example")).is_blocked())
        .collect();
    blocked.try_into().unwrap()
}

fn ask(filter: &mut Filter, name: &str) -> Reason {
    filter
        .test_bed()
        .unwrap()
        .judge(&Wrap::v4(53).udp(&frames::query(name)))
        .unwrap()
        .reason
}

fn hello_in_halves(name: &str) -> [Vec<u8>; 2] {
    let hello = frames::client_hello(name);
    let halves = frames::in_segments(&Wrap::v4(443), 1, &hello, &[0, 60]);
    halves.try_into().unwrap()
}
