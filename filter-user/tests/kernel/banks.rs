//! More audiences than a mask has bits: what the kernel judges is what user space does, for each of
//! them.

use std::{net::Ipv4Addr, time::Instant};

use filter_core::{
    Actions, AllEffects, Directions, DnsAction, Interface, Message, Precedence, Protocol, TcpAction,
};
use filter_lists::{Action, Domain, ListRule, Scope, Sink as _, Subject};
use filter_policy::{
    at::PolicyAt,
    audiences::Audiences,
    compiled::{Builder, CompiledPolicy},
    groups::{ClientId, Groups},
};
use filter_user::kernel::{Filter, KernelError, LoadOptions};
use frames::Wrap;

use super::{LOOPBACK, drained};

/// As many as there may be.
const AUDIENCES: u16 = 1_024;

fn interface() -> Interface {
    Interface::new(Directions::Both)
        .facing_clients(Actions::new(DnsAction::NxDomain, TcpAction::Reset))
}

fn filter() -> Filter {
    let interfaces = [(LOOPBACK, interface())].into();
    let options = LoadOptions {
        interfaces,
        max_rules: 10_000,
        flows: 1,
        events_per_second: u32::MAX,
        ..LoadOptions::default()
    };
    Filter::load(&LoadOptions {
        answers_per_second: 0,
        ..options
    })
    .unwrap()
}

/// Lists of so many audiences. Each has a name of its own, and says something of names that all
/// have; each fortieth has patterns.
fn compile(filter: &Filter, audiences: u16) -> CompiledPolicy {
    const ACTIONS: [Action; 5] = [
        Action::Audit,
        Action::Block,
        Action::Allow,
        Action::BlockImportant,
        Action::AllowImportant,
    ];

    let mut builder = Builder::new(*filter.hash_key());
    for audience in 0..audiences {
        let mut list = builder.list(&format!("list {audience}"), audience);
        let own = format!("own{audience}.example");
        let turns = ACTIONS[usize::from(audience) % ACTIONS.len()];
        let mut rules = vec![
            (Subject::Name(&own, Scope::Subtree), Action::Block),
            (
                Subject::Name("shared.example", Scope::Subtree),
                Action::Block,
            ),
            (Subject::Name("turns.example", Scope::Name), turns),
            (Subject::Name("below.example", Scope::Subdomains), turns),
        ];
        let pattern = format!("^p{audience}[a-z]");
        if audience % 40 == 0 {
            rules.push((Subject::Pattern(&pattern), Action::Block));
            rules.push((Subject::Pattern("^all[0-9]"), turns));
        }
        for (line, (subject, action)) in (1..).zip(rules) {
            list.rule(
                ListRule {
                    subject,
                    action,
                    answer: None,
                    cancels: false,
                },
                line,
            )
            .unwrap();
        }
    }
    builder.finish().unwrap()
}

/// As many groups as audiences: each has its own audience and two others. `ActionsOfAudiences` take
/// turns.
fn groups(audiences: u16) -> Groups {
    let count = u32::from(audiences);
    let of = |group: u32| {
        [group, group * 7 % count, (group * 13 + 5) % count]
            .into_iter()
            .collect()
    };
    let actions = [
        Actions::new(DnsAction::NoData, TcpAction::Drop),
        Actions::new(DnsAction::Refused, TcpAction::AsInterface),
        Actions::default(),
    ];
    Groups {
        audiences: (0..count).map(of).collect(),
        members: (1..count)
            .map(|group| (ClientId::Subnet(address(group).into(), 32), group))
            .collect(),
        actions: actions.into_iter().cycle().take(audiences.into()).collect(),
    }
}

fn address(group: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + group)
}

/// Holds the kernel to what user space says of these names, for this group.
fn compare(
    filter: &mut Filter,
    compiled: &CompiledPolicy,
    groups: &Groups,
    group: u32,
    names: &[String],
) {
    let in_user_space = PolicyAt::of(compiled, groups.clone());
    for name in names {
        let found = compiled.judge(
            &Domain::parse(name).unwrap(),
            &groups.audiences[group as usize],
        );
        let action = in_user_space
            .effect(&found, &interface(), Message::Query, Protocol::Udp)
            .as_str();
        let mut frame = Wrap::v4(53).udp(&frames::query(name));
        frame[26..30].copy_from_slice(&address(group).octets());
        let judged = filter.test_bed().unwrap().judge(&frame).unwrap();
        assert_eq!(
            judged.reason,
            Message::Query.reason(found.precedence),
            "{name} for group {group}"
        );
        let events = drained(filter);
        if matches!(
            found.precedence,
            Precedence::Block | Precedence::BlockImportant
        ) {
            let [event] = &events[..] else {
                panic!("{name} for group {group}: {events:?}")
            };
            assert_eq!(
                (event.rule, event.action.as_str()),
                (Some(found.key), action),
                "{name} for group {group}"
            );
        }
    }
}

fn names_for(group: u32) -> Vec<String> {
    let own = [
        group,
        group * 7 % u32::from(AUDIENCES),
        (group + 1) % u32::from(AUDIENCES),
    ];
    let mut names: Vec<_> = own
        .iter()
        .map(|audience| format!("x.own{audience}.example"))
        .collect();
    names.extend(
        own.iter()
            .map(|audience| format!("p{}a.example", audience / 40 * 40)),
    );
    names.extend(
        [
            "shared.example",
            "turns.example",
            "below.example",
            "x.below.example",
            "all1.example",
        ]
        .map(Into::into),
    );
    names
}

/// Audiences and groups at the edges of banks, and some between.
fn some_groups() -> impl Iterator<Item = u32> {
    let edges = (0..u32::from(AUDIENCES))
        .step_by(32)
        .flat_map(|first| [first.saturating_sub(1), first, first + 1]);
    edges
        .chain([40, 80, 520, 999, 1_022, 1_023])
        .filter(|group| *group > 0 && *group < u32::from(AUDIENCES))
}

#[test]
fn as_many_audiences_as_there_may_be_are_judged_as_user_space_judges_them() {
    let mut filter = filter();
    let before = filter.program().unwrap();
    let (compiled, groups) = (compile(&filter, AUDIENCES), groups(AUDIENCES));
    let none = CompiledPolicy::empty(*filter.hash_key());
    let start = Instant::now();
    filter.install(&none, &compiled, &groups, |_| {}).unwrap();
    let memory = filter.program().unwrap().map_memory - before.map_memory;
    println!("in the kernel: {:?}, {memory} bytes more", start.elapsed());
    assert!(memory < 16 << 20, "{memory}");
    for group in some_groups() {
        compare(&mut filter, &compiled, &groups, group, &names_for(group));
    }
    // A schedule switches audiences of one group in different banks.
    let mut switched = groups.clone();
    switched.audiences[999] = [3, 999].into_iter().collect();
    let start = Instant::now();
    filter.set_audiences(&switched.audiences).unwrap();
    println!("switched: {:?}", start.elapsed());
    compare(&mut filter, &compiled, &switched, 999, &names_for(999));
    switched.audiences[999] = Audiences::default();
    filter.set_audiences(&switched.audiences).unwrap();
    compare(&mut filter, &compiled, &switched, 999, &names_for(999));
    compare(&mut filter, &compiled, &switched, 998, &names_for(998));
}

/// A policy with fewer banks, or with one, takes the place of one with many, and the other way
/// round.
#[test]
fn policies_with_many_audiences_and_few_take_turns() {
    let mut filter = filter();
    let mut before = CompiledPolicy::empty(*filter.hash_key());
    for audiences in [20, 1_024, 33, 1_000, 10, 64, 500] {
        let (after, groups) = (compile(&filter, audiences), groups(audiences));
        filter.install(&before, &after, &groups, |_| {}).unwrap();
        for group in [1, 5, u32::from(audiences) / 2, u32::from(audiences) - 1] {
            compare(&mut filter, &after, &groups, group, &names_for(group));
        }
        before = after;
    }
}

/// What is changed by hand may ask for something in all banks, of which the table has entries for
/// some: then it is made anew.
#[test]
fn effects_that_the_table_has_no_entries_for_get_a_larger_one() {
    let mut filter = filter();
    let (compiled, groups) = (compile(&filter, AUDIENCES), groups(AUDIENCES));
    filter
        .install(
            &CompiledPolicy::empty(*filter.hash_key()),
            &compiled,
            &groups,
            |_| {},
        )
        .unwrap();
    let key = filter.hash_key().rule_key("hand.example").unwrap();
    let effect = |number: u32| {
        let mut effect = AllEffects::default();
        (1..32).for_each(|bank| {
            effect.add(
                Precedence::Block,
                bank * 32 + number % 32,
                (number / 32) as u16,
                true,
                true,
            );
        });
        effect
    };
    let full = (0..10_000)
        .find(|number| filter.set(key, Some(&effect(*number))).is_err())
        .unwrap();
    assert!(
        matches!(
            filter.set(key, Some(&effect(full))),
            Err(KernelError::EffectsFull)
        ),
        "{full}"
    );
    filter.make_room(&compiled).unwrap();
    filter.set(key, Some(&effect(7))).unwrap();
    for (group, blocked) in [(39, true), (40, false), (1_023 - 24, true)] {
        let mut frame = Wrap::v4(53).udp(&frames::query("x.hand.example"));
        frame[26..30].copy_from_slice(&address(group).octets());
        let judged = filter.test_bed().unwrap().judge(&frame).unwrap();
        assert_eq!(judged.reason.is_blocked(), blocked, "group {group}");
    }
    drained(&mut filter);
    compare(&mut filter, &compiled, &groups, 999, &names_for(999));
}
