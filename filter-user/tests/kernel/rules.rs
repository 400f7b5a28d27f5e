use std::collections::BTreeMap;

use filter_core::Reason;
use filter_user::kernel::{Filter, KernelError, LoadOptions};
use frames::Wrap;

use super::{filter, judge_with, key, reason};

fn query(name: &str) -> Vec<u8> {
    Wrap::v4(53).udp(&frames::query(name))
}

#[test]
fn without_rules_nothing_is_blocked() {
    let mut filter = filter(&[], 1);
    assert_eq!(
        reason(&mut filter, &query("ads.example.com")),
        Reason::DnsNotListed
    );
    assert_eq!(
        reason(
            &mut filter,
            &Wrap::v4(443).tcp(&frames::client_hello("ads.example.com"))
        ),
        Reason::TlsNotListed
    );
}

#[test]
fn a_rule_blocks_from_when_it_is_added_until_it_is_removed() {
    let mut filter = filter(&[], u32::MAX);
    let rule = key(&filter, "ads.example.com");
    filter.insert(rule).unwrap();
    assert_eq!(
        judge_with(&mut filter, &query("ads.example.com")).reason,
        Reason::DnsBlocked
    );
    assert!(filter.remove(rule).unwrap());
    assert_eq!(
        judge_with(&mut filter, &query("ads.example.com")).reason,
        Reason::DnsNotListed
    );
    assert!(!filter.remove(rule).unwrap(), "it is gone already");
}

#[test]
fn hits_are_counted_for_the_rule_that_blocks_and_for_no_other() {
    let mut filter = filter(
        &["ads.example.com", "example.net", "quiet.example"],
        u32::MAX,
    );
    let [ads, net, quiet] =
        ["ads.example.com", "example.net", "quiet.example"].map(|rule| key(&filter, rule));
    for name in [
        "ads.example.com",
        "x.ads.example.com",
        "www.example.net",
        "example.com",
    ] {
        judge_with(&mut filter, &query(name));
    }
    assert_eq!(
        [ads, net, quiet].map(|rule| filter.hits(rule).unwrap()),
        [2, 1, 0]
    );
    assert_eq!(
        filter.all_hits().unwrap(),
        BTreeMap::from([(ads, 2), (net, 1)])
    );
}

#[test]
fn of_two_rules_for_a_name_the_one_nearest_to_the_root_counts() {
    let mut filter = filter(&["example.com", "ads.example.com"], u32::MAX);
    judge_with(&mut filter, &query("ads.example.com"));
    let [parent, child] =
        ["example.com", "ads.example.com"].map(|rule| filter.hits(key(&filter, rule)).unwrap());
    assert_eq!((parent, child), (1, 0));
}

#[test]
fn adding_a_rule_again_keeps_its_hits() {
    let mut filter = filter(&["ads.example.com"], u32::MAX);
    let rule = key(&filter, "ads.example.com");
    judge_with(&mut filter, &query("ads.example.com"));
    filter.insert(rule).unwrap();
    filter.insert(rule).unwrap();
    assert_eq!(filter.hits(rule).unwrap(), 1);
    filter.remove(rule).unwrap();
    filter.insert(rule).unwrap();
    assert_eq!(
        filter.hits(rule).unwrap(),
        0,
        "a rule that was away starts anew"
    );
}

#[test]
fn a_map_that_is_full_takes_no_more_rules_and_says_its_size() {
    let mut filter = Filter::load(&LoadOptions {
        max_rules: 3,
        ..LoadOptions::default()
    })
    .unwrap();
    let keys = ["a.example", "b.example", "c.example", "d.example"].map(|rule| key(&filter, rule));
    for key in &keys[..3] {
        filter.insert(*key).unwrap();
    }
    assert!(matches!(
        filter.insert(keys[3]),
        Err(KernelError::RulesFull { capacity: 3 })
    ));
    filter
        .insert(keys[0])
        .expect("one that is there needs no room");
    for name in ["a.example", "b.example", "c.example"] {
        assert_eq!(
            reason(&mut filter, &query(name)),
            Reason::DnsBlocked,
            "{name}"
        );
    }
    assert_eq!(
        reason(&mut filter, &query("d.example")),
        Reason::DnsNotListed
    );
    filter.remove(keys[1]).unwrap();
    filter.insert(keys[3]).expect("there is room again");
}

#[test]
fn many_rules_at_once_are_all_in_and_more_than_the_map_holds_are_refused() {
    const RULES: u32 = 10_000;
    let mut filter = Filter::load(&LoadOptions {
        max_rules: RULES,
        ..LoadOptions::default()
    })
    .unwrap();
    let keys: Vec<_> = (0..=RULES)
        .map(|number| key(&filter, &format!("n{number}.example")))
        .collect();
    let (fitting, beyond) = keys.split_at(RULES as usize);
    let mut progress = Vec::new();
    filter
        .insert_many(fitting, |done| progress.push(done))
        .unwrap();
    assert!(
        progress.is_sorted() && progress.len() > 1 && progress.last() == Some(&10_000),
        "{progress:?}"
    );
    assert!(matches!(
        filter.insert_many(beyond, |_| {}),
        Err(KernelError::RulesFull { capacity: RULES })
    ));
    for number in [0, 4095, 4096, RULES - 1] {
        assert_eq!(
            reason(&mut filter, &query(&format!("n{number}.example"))),
            Reason::DnsBlocked,
            "{number}"
        );
    }
    assert_eq!(
        reason(&mut filter, &query(&format!("n{RULES}.example"))),
        Reason::DnsNotListed
    );
}

#[test]
fn dns_is_judged_on_the_ports_of_the_settings_and_on_no_other() {
    let options = LoadOptions {
        dns_ports: vec![53, 5300, 65_535],
        ..LoadOptions::default()
    };
    let mut filter = Filter::load(&options).unwrap();
    let rule = key(&filter, "ads.example.com");
    filter.insert(rule).unwrap();
    for (port, expected) in [
        (53, Reason::DnsBlocked),
        (5300, Reason::DnsBlocked),
        (65_535, Reason::DnsBlocked),
    ]
    .into_iter()
    .chain([0, 52, 54, 5299, 5301, 65_534].map(|port| (port, Reason::UdpOther)))
    {
        let frame = Wrap::v6(port).udp(&frames::query("ads.example.com"));
        assert_eq!(reason(&mut filter, &frame), expected, "port {port}");
    }
}

#[test]
fn no_two_filters_hash_with_the_same_key() {
    assert_ne!(
        key(&filter(&[], 1), "ads.example.com"),
        key(&filter(&[], 1), "ads.example.com")
    );
}
