//! Whole or not at all: each system call that puts a policy in force, or changes one, fails once,
//! and the kernel does what the compiled policy in force says all the same.

use std::{net::Ipv4Addr, time::Instant};

use filter_core::{HashKey, Reason};
use filter_lists::{Action, Domain, ListRule, Scope, Sink as _, Subject};
use filter_policy::{
    compiled::{Builder, CompiledPolicy, EVERYBODY},
    groups::{ClientId, Groups, Members},
};
use filter_user::kernel::{Filter, LoadOptions};
use frames::Wrap;

use super::faults::{Call, Failing, with_failing_as};

/// The audience of the second list, which is for the first group alone.
const SOME: u16 = 1;

const CLIENTS: [Ipv4Addr; 3] = [
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(10, 0, 0, 2),
    Ipv4Addr::new(10, 0, 1, 1),
];

/// Names that some policy says something of, and one that none does. Those of a policy fill
/// buckets of more than one page: there is one bucket for a dozen.
fn names() -> Vec<String> {
    let numbered = (0..10).map(|number| format!("n{}.example", number * 7));
    let others = [
        "ad7.example",
        "www.n7.example",
        "x.n14.example",
        "some.example",
        "free.example",
    ];
    numbered.chain(others.map(str::to_owned)).collect()
}

/// A policy, and the clients that it is for.
struct Wanted {
    compiled: CompiledPolicy,
    groups: Groups,
}

#[test]
fn whichever_call_of_an_install_fails_kernel_and_compiled_policy_agree() {
    let mut filter = filter();
    let policies = [0, 1, 2].map(|number| policy(filter.hash_key(), number));
    let none = CompiledPolicy::empty(*filter.hash_key());
    let first = &policies[0];
    filter
        .install(&none, &first.compiled, &first.groups, |_| {})
        .unwrap();
    agree(&mut filter, first, "at first");
    let start = Instant::now();
    let (mut in_force, mut tried, mut refused, mut left) = (0, 0, 0, 0);
    let mut random = fastrand::Rng::with_seed(11);
    for failing in [Failing::Once, Failing::Alike, Failing::All] {
        let (mut number, mut is_last) = (0, false);
        while !is_last {
            let next = (in_force + 1) % 3;
            let [before, after] = [in_force, next].map(|number| &policies[number]);
            let (installed, calls) = with_failing_as(failing, Some(number), || {
                filter.install(&before.compiled, &after.compiled, &after.groups, |_| {})
            });
            let what = format!("call {number} {:?} ({failing:?})", calls.get(number));
            in_force = if installed.is_ok() { next } else { in_force };
            (tried, refused) = (tried + 1, refused + u32::from(installed.is_err()));
            left += u32::from(filter.unsettled().is_some());
            agree(&mut filter, &policies[in_force], &what);
            for _ in 0..2 {
                let next = (in_force + 1) % 3;
                let [before, after] = [in_force, next].map(|number| &policies[number]);
                filter
                    .install(&before.compiled, &after.compiled, &after.groups, |_| {})
                    .unwrap_or_else(|error| panic!("{error}, after {what}"));
                in_force = next;
                agree(&mut filter, &policies[in_force], &format!("later, {what}"));
                assert!(filter.unsettled().is_none(), "{what}");
            }
            is_last = calls.len() <= number;
            let behind = alike_behind(&calls, number);
            // One or two with each series of calls that do the same, and of the others some.
            number += match failing {
                Failing::Once => 1 + behind / 2 + random.usize(0..=behind / 2),
                Failing::Alike | Failing::All => random.usize(6..18),
            };
        }
    }
    println!(
        "{tried} calls, {refused} refused, {left} left something: {:?}",
        start.elapsed()
    );
    assert!(
        tried > 40 && refused > 20 && left > 10,
        "{tried} {refused} {left}"
    );
}

#[test]
fn whichever_call_of_a_change_by_hand_fails_it_can_be_taken_back() {
    let mut filter = filter();
    let mut wanted = policy(filter.hash_key(), 0);
    let none = CompiledPolicy::empty(*filter.hash_key());
    filter
        .install(&none, &wanted.compiled, &wanted.groups, |_| {})
        .unwrap();
    let changed: Vec<_> = names()
        .iter()
        .filter(|name| *name != "free.example")
        .map(|name| domain(name))
        .collect();
    let keys: Vec<_> = changed
        .iter()
        .map(|name| wanted.compiled.key(name))
        .collect();
    let (mut tried, mut refused) = (0, 0);
    for failing in [Failing::Once, Failing::All] {
        let mut is_last = false;
        for number in (0..).step_by(3) {
            for action in [Action::Block, Action::Allow] {
                let before = wanted.compiled.by_hand_of(&changed);
                for name in &changed {
                    wanted.compiled.add(name.clone(), action).unwrap();
                }
                let what = format!("call {number} ({failing:?}, {action:?})");
                let (set, calls) = with_failing_as(failing, Some(number), || {
                    let set = filter.set_all(&wanted.compiled, &keys);
                    if set.is_err() {
                        wanted.compiled.restore(before);
                        let _ = filter.set_all(&wanted.compiled, &keys);
                    }
                    set
                });
                tried += 1;
                is_last = calls.len() <= number;
                refused += u32::from(set.is_err());
                // The controller tries that with each of its ticks.
                filter.settle_again(&wanted.compiled).unwrap();
                agree(&mut filter, &wanted, &what);
            }
            for name in &changed {
                wanted.compiled.remove(name);
            }
            filter.set_all(&wanted.compiled, &keys).unwrap();
            agree(&mut filter, &wanted, "taken out");
            if is_last {
                break;
            }
        }
    }
    assert!(tried > 20 && refused > 10, "{tried} {refused}");
}

#[test]
fn whichever_call_of_a_schedules_switch_fails_the_next_try_makes_up_for_it() {
    let mut filter = filter();
    let mut wanted = policy(filter.hash_key(), 1);
    let none = CompiledPolicy::empty(*filter.hash_key());
    filter
        .install(&none, &wanted.compiled, &wanted.groups, |_| {})
        .unwrap();
    let on = wanted.groups.audiences.clone();
    let mut off = on.clone();
    off[1] = EVERYBODY.into();
    for audiences in [&off, &on, &off] {
        let (switched, calls) =
            with_failing_as(Failing::Once, Some(0), || filter.set_audiences(audiences));
        assert_eq!(calls.len(), 1, "{calls:?}");
        switched.unwrap_err();
        agree(&mut filter, &wanted, "refused");
        filter.set_audiences(audiences).unwrap();
        wanted.groups.audiences.clone_from(audiences);
        agree(&mut filter, &wanted, "switched");
    }
    let next = policy(filter.hash_key(), 2);
    filter
        .install(&wanted.compiled, &next.compiled, &next.groups, |_| {})
        .unwrap();
    agree(&mut filter, &next, "the next policy");
}

/// How many calls behind this one do the same, one behind the other.
fn alike_behind(calls: &[Call], number: usize) -> usize {
    let behind = calls.get(number + 1..).unwrap_or_default();
    behind
        .iter()
        .take_while(|call| calls.get(number) == Some(call))
        .count()
}

/// The kernel judges each name as the compiled policy says, for each client.
fn agree(filter: &mut Filter, wanted: &Wanted, what: &str) {
    let mut bed = filter.test_bed().unwrap();
    bed.forget_flows().unwrap();
    let names: Vec<_> = names()
        .into_iter()
        .map(|name| (frames::query(&name), domain(&name)))
        .collect();
    for client in CLIENTS {
        let group = wanted.groups.group_of(None, Some(client.into())) as usize;
        let audiences = &wanted.groups.audiences[group];
        for (query, name) in &names {
            let mut frame = Wrap::v4(53).udp(query);
            frame[26..30].copy_from_slice(&client.octets());
            let judged = bed.judge(&frame).unwrap().reason;
            let found = wanted.compiled.judge(name, audiences);
            assert_eq!(
                judged.is_blocked(),
                found.precedence.blocks(),
                "{what}: {name} of {client} is {judged:?}"
            );
        }
    }
    let free = Wrap::v4(53).udp(&frames::query("free.example"));
    assert_eq!(bed.judge(&free).unwrap().reason, Reason::DnsNotListed);
}

/// One of three policies that differ in all that policies are made of: rules that come, go and
/// turn, patterns, lists for some, and clients in groups.
fn policy(hash_key: &HashKey, number: u32) -> Wanted {
    let mut builder = Builder::new(*hash_key);
    let mut list = builder.list(&format!("list {number}"), 0);
    let names: Vec<_> = (0..90)
        .filter(|name| name % 3 != number)
        .map(|name| (name, format!("n{name}.example")))
        .collect();
    let mut line = 0;
    let mut rule = |subject, action| {
        line += 1;
        let rule = ListRule {
            subject,
            action,
            answer: None,
            cancels: false,
        };
        (rule, line)
    };
    for (name, text) in &names {
        let action = match (name + number) % 5 {
            0 => Action::Allow,
            1 => Action::BlockImportant,
            _ => Action::Block,
        };
        let scope = if name % 2 == 0 {
            Scope::Subtree
        } else {
            Scope::Name
        };
        let (rule, line) = rule(Subject::Name(text, scope), action);
        list.rule(rule, line).unwrap();
    }
    if number > 0 {
        let text = if number == 1 {
            r"^ad[0-9]+\."
        } else {
            r"^www\."
        };
        let (rule, line) = rule(Subject::Pattern(text), Action::Block);
        list.rule(rule, line).unwrap();
    }
    let (rule, line) = rule(Subject::Name("some.example", Scope::Subtree), Action::Block);
    builder.list("some", SOME).rule(rule, line).unwrap();
    let in_group = |place: usize| (ClientId::Subnet(CLIENTS[place].into(), 32), 1);
    let members: Members = match number {
        0 => Members::default(),
        1 => [in_group(0), in_group(1), in_group(2)]
            .into_iter()
            .collect(),
        _ => [in_group(1), (ClientId::Subnet(CLIENTS[2].into(), 32), 2)]
            .into_iter()
            .collect(),
    };
    Wanted {
        compiled: builder.finish().unwrap(),
        groups: Groups {
            audiences: [EVERYBODY, EVERYBODY | 1 << SOME, EVERYBODY]
                .map(Into::into)
                .into(),
            members,
            ..Groups::default()
        },
    }
}

fn filter() -> Filter {
    Filter::load(&LoadOptions {
        max_rules: 130,
        flows: 1,
        events_per_second: 0,
        ..LoadOptions::default()
    })
    .unwrap()
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}
