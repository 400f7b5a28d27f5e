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
fn in_generic_mode_on_jumbo_frames_clients_are_answered_unless_a_rule_blocks_the_name() {
    assert_only_listed_names_are_blocked(
        &Options {
            mtu: 9000,
            ..Options::default()
        },
        "generic",
    );
}

#[test]
fn without_a_filter_clients_are_answered_for_every_name() {
    let network = Network::new(&Options::default());
    for program in Program::ALL {
        for family in Family::ALL {
            for name in [LISTED, OTHER] {
                assert!(
                    network.answers(program, family, name),
                    "{program:?} over {family} for {name}"
                );
            }
        }
    }
}

fn assert_only_listed_names_are_blocked(options: &Options, mode: &str) {
    let mut network = Network::new(options);
    network.filter(mode);
    // A hello without an answer is sent again, and is counted again, even after its client has
    // gone: these come last.
    for (names, blocked) in [
        ([OTHER, "example.com"], false),
        ([LISTED, "x.ads.example.com"], true),
    ] {
        for program in Program::ALL {
            for family in Family::ALL {
                for name in names {
                    assert_judged(&network, program, family, name, blocked);
                }
            }
        }
    }
}

fn assert_judged(network: &Network, program: Program, family: Family, name: &str, blocked: bool) {
    let what = format!("{program:?} over {family} for {name}, blocked: {blocked}");
    let before = network.counters();
    if blocked {
        assert!(network.is_silent(program, family, name), "{what}");
    } else {
        assert!(network.answers(program, family, name), "{what}");
    }
    let moved = moved(&before, &network.counters());
    let names: Vec<_> = moved.keys().map(String::as_str).collect();
    assert_eq!(names, [counter(program, blocked)], "{what}: {moved:?}");
    assert!(blocked || moved.values().eq([&1]), "{what}: {moved:?}");
}

fn counter(program: Program, blocked: bool) -> &'static str {
    match (program, blocked) {
        (Program::Dig | Program::DigTcp, true) => "dns_blocked",
        (Program::Dig | Program::DigTcp, false) => "dns_not_listed",
        (_, true) => "tls_blocked",
        (_, false) => "tls_not_listed",
    }
}

fn moved(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let by = after
        .iter()
        .map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
    by.filter(|(_, by)| *by > 0).collect()
}
