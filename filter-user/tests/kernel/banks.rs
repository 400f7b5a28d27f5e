//! More classes than a mask has bits: what the kernel judges is what user space does, for each of them.

use std::{net::Ipv4Addr, time::Instant};

use filter_core::{AllTerms, DnsAction, Interface, Message, Protocol, Rank, Sides, TcpAction, Treatment};
use filter_user::{
    kernel::{ClientId, Filter, Groups, KernelError, LoadOptions},
    lists::{Action, Domain, ListRule, Scope, Sink as _, Subject},
    policy::{Builder, Classes, RuleBook},
    policy_at::PolicyAt,
};
use frames::Wrap;

use super::{LOOPBACK, drained};

/// As many as there may be.
const CLASSES: u16 = 1_024;

fn interface() -> Interface {
    Interface::new(Sides::Both).facing_clients(Treatment::new(DnsAction::NxDomain, TcpAction::Reset))
}

fn filter() -> Filter {
    let interfaces = [(LOOPBACK, interface())].into();
    let options =
        LoadOptions { interfaces, max_rules: 10_000, flows: 1, events_per_second: u32::MAX, ..LoadOptions::default() };
    Filter::load(&LoadOptions { answers_per_second: 0, ..options }).unwrap()
}

/// Lists of so many classes. Each has a name of its own, and says something of names that all have; each fortieth has patterns.
fn book(filter: &Filter, classes: u16) -> RuleBook {
    const ACTIONS: [Action; 5] =
        [Action::Audit, Action::Block, Action::Allow, Action::BlockImportant, Action::AllowImportant];

    let mut builder = Builder::new(*filter.hash_key());
    for class in 0..classes {
        let mut list = builder.list(&format!("list {class}"), class);
        let own = format!("own{class}.example");
        let turns = ACTIONS[usize::from(class) % ACTIONS.len()];
        let mut rules = vec![
            (Subject::Name(&own, Scope::Subtree), Action::Block),
            (Subject::Name("shared.example", Scope::Subtree), Action::Block),
            (Subject::Name("turns.example", Scope::Name), turns),
            (Subject::Name("below.example", Scope::Subdomains), turns),
        ];
        let pattern = format!("^p{class}[a-z]");
        if class % 40 == 0 {
            rules.push((Subject::Pattern(&pattern), Action::Block));
            rules.push((Subject::Pattern("^all[0-9]"), turns));
        }
        for (line, (subject, action)) in (1..).zip(rules) {
            list.rule(ListRule { subject, action, answer: None, cancels: false }, line).unwrap();
        }
    }
    builder.finish().unwrap()
}

/// As many groups as classes: each has its own class and two others. Treatments take turns.
fn groups(classes: u16) -> Groups {
    let count = u32::from(classes);
    let of = |group: u32| [group, group * 7 % count, (group * 13 + 5) % count].into_iter().collect();
    let treatments = [
        Treatment::new(DnsAction::NoData, TcpAction::Drop),
        Treatment::new(DnsAction::Refused, TcpAction::AsInterface),
        Treatment::default(),
    ];
    Groups {
        classes: (0..count).map(of).collect(),
        members: (1..count).map(|group| (ClientId::Subnet(address(group).into(), 32), group)).collect(),
        treatments: treatments.into_iter().cycle().take(classes.into()).collect(),
    }
}

fn address(group: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + group)
}

/// Holds the kernel to what user space says of these names, for this group.
fn compare(filter: &mut Filter, book: &RuleBook, groups: &Groups, group: u32, names: &[String]) {
    let in_user_space = PolicyAt::of(book, groups.clone());
    for name in names {
        let found = book.judge(&Domain::parse(name).unwrap(), &groups.classes[group as usize]);
        let action = in_user_space.effect(&found, &interface(), Message::Query, Protocol::Udp).as_str();
        let mut frame = Wrap::v4(53).udp(&frames::query(name));
        frame[26..30].copy_from_slice(&address(group).octets());
        let judged = filter.test_bed().unwrap().judge(&frame).unwrap();
        assert_eq!(judged.reason, Message::Query.reason(found.rank), "{name} for group {group}");
        let events = drained(filter);
        if matches!(found.rank, Rank::Block | Rank::BlockImportant) {
            let [event] = &events[..] else { panic!("{name} for group {group}: {events:?}") };
            assert_eq!((event.rule, event.action.as_str()), (Some(found.key), action), "{name} for group {group}");
        }
    }
}

fn names_for(group: u32) -> Vec<String> {
    let own = [group, group * 7 % u32::from(CLASSES), (group + 1) % u32::from(CLASSES)];
    let mut names: Vec<_> = own.iter().map(|class| format!("x.own{class}.example")).collect();
    names.extend(own.iter().map(|class| format!("p{}a.example", class / 40 * 40)));
    names.extend(
        ["shared.example", "turns.example", "below.example", "x.below.example", "all1.example"].map(Into::into),
    );
    names
}

/// Classes and groups at the edges of banks, and some between.
fn some_groups() -> impl Iterator<Item = u32> {
    let edges = (0..u32::from(CLASSES)).step_by(32).flat_map(|first| [first.saturating_sub(1), first, first + 1]);
    edges.chain([40, 80, 520, 999, 1_022, 1_023]).filter(|group| *group > 0 && *group < u32::from(CLASSES))
}

#[test]
fn as_many_classes_as_there_may_be_are_judged_as_user_space_judges_them() {
    let mut filter = filter();
    let before = filter.program().unwrap();
    let (book, groups) = (book(&filter, CLASSES), groups(CLASSES));
    let none = RuleBook::empty(*filter.hash_key());
    let start = Instant::now();
    filter.install(&none, &book, &groups, |_| {}).unwrap();
    let memory = filter.program().unwrap().map_memory - before.map_memory;
    println!("in the kernel: {:?}, {memory} bytes more", start.elapsed());
    assert!(memory < 16 << 20, "{memory}");
    for group in some_groups() {
        compare(&mut filter, &book, &groups, group, &names_for(group));
    }
    // A schedule switches classes of one group in different banks.
    let mut switched = groups.clone();
    switched.classes[999] = [3, 999].into_iter().collect();
    let start = Instant::now();
    filter.set_classes(&switched.classes).unwrap();
    println!("switched: {:?}", start.elapsed());
    compare(&mut filter, &book, &switched, 999, &names_for(999));
    switched.classes[999] = Classes::default();
    filter.set_classes(&switched.classes).unwrap();
    compare(&mut filter, &book, &switched, 999, &names_for(999));
    compare(&mut filter, &book, &switched, 998, &names_for(998));
}

/// A policy with fewer banks, or with one, takes the place of one with many, and the other way round.
#[test]
fn policies_with_many_classes_and_few_take_turns() {
    let mut filter = filter();
    let mut before = RuleBook::empty(*filter.hash_key());
    for classes in [20, 1_024, 33, 1_000, 10, 64, 500] {
        let (after, groups) = (book(&filter, classes), groups(classes));
        filter.install(&before, &after, &groups, |_| {}).unwrap();
        for group in [1, 5, u32::from(classes) / 2, u32::from(classes) - 1] {
            compare(&mut filter, &after, &groups, group, &names_for(group));
        }
        before = after;
    }
}

/// What is changed by hand may ask for something in all banks, of which the table has entries for some: then it is made anew.
#[test]
fn terms_that_the_table_has_no_entries_for_get_a_larger_one() {
    let mut filter = filter();
    let (book, groups) = (book(&filter, CLASSES), groups(CLASSES));
    filter.install(&RuleBook::empty(*filter.hash_key()), &book, &groups, |_| {}).unwrap();
    let key = filter.hash_key().rule_key("hand.example").unwrap();
    let terms = |number: u32| {
        let mut terms = AllTerms::default();
        (1..32).for_each(|bank| terms.add(Rank::Block, bank * 32 + number % 32, (number / 32) as u16, true, true));
        terms
    };
    let full = (0..10_000).find(|number| filter.set(key, Some(&terms(*number))).is_err()).unwrap();
    assert!(matches!(filter.set(key, Some(&terms(full))), Err(KernelError::TermsFull)), "{full}");
    filter.make_room(&book).unwrap();
    filter.set(key, Some(&terms(7))).unwrap();
    for (group, blocked) in [(39, true), (40, false), (1_023 - 24, true)] {
        let mut frame = Wrap::v4(53).udp(&frames::query("x.hand.example"));
        frame[26..30].copy_from_slice(&address(group).octets());
        let judged = filter.test_bed().unwrap().judge(&frame).unwrap();
        assert_eq!(judged.reason.is_blocked(), blocked, "group {group}");
    }
    drained(&mut filter);
    compare(&mut filter, &book, &groups, 999, &names_for(999));
}
