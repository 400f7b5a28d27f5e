use std::collections::BTreeMap;

use lab::{Family, Options};

use crate::network::{LISTED, Network, OTHER, Program};

#[test]
fn in_native_mode_clients_are_answered_unless_a_rule_blocks_the_name() {
    assert_only_listed_names_are_blocked(&Options::default(), "native");
}

#[test]
fn in_generic_mode_clients_are_answered_unless_a_rule_blocks_the_name() {
    assert_only_listed_names_are_blocked(&Options::default(), "generic");
}

#[test]
fn in_native_mode_on_jumbo_frames_clients_are_answered_unless_a_rule_blocks_the_name() {
    assert_only_listed_names_are_blocked(&Options { mtu: 9000, ..Options::default() }, "native");
}

#[test]
fn without_a_filter_clients_are_answered_for_every_name() {
    let network = Network::new(&Options::default());
    for program in Program::ALL {
        for family in Family::ALL {
            for name in [LISTED, OTHER] {
                assert!(network.answers(program, family, name), "{program:?} over {family} for {name}");
            }
        }
    }
}

fn assert_only_listed_names_are_blocked(options: &Options, mode: &str) {
    let mut network = Network::new(options);
    network.filter(mode);
    for program in Program::ALL {
        for family in Family::ALL {
            for name in [LISTED, OTHER, "x.ads.example.com", "example.com"] {
                let blocked = name.ends_with(LISTED);
                let what = format!("{program:?} over {family} for {name}");
                let before = network.counters();
                assert_eq!(network.answers(program, family, name), !blocked, "{what}");
                let moved = moved(&before, &network.counters());
                let names: Vec<_> = moved.keys().map(String::as_str).collect();
                assert_eq!(names, [counter(program, blocked)], "{what}: {moved:?}");
                // A client sends what got no answer again.
                assert!(blocked || moved.values().eq([&1]), "{what}: {moved:?}");
            }
        }
    }
}

fn counter(program: Program, blocked: bool) -> &'static str {
    match (program, blocked) {
        (Program::Dig, true) => "dns_blocked",
        (Program::Dig, false) => "dns_not_listed",
        (_, true) => "tls_blocked",
        (_, false) => "tls_not_listed",
    }
}

fn moved(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let by = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
    by.filter(|(_, by)| *by > 0).collect()
}
