//! Queries and responses, each where it is judged.

use lab::{ALIAS, ALIASED, Family, Options};

use crate::network::{LISTED, Network, OTHER, Program, SILENT};

#[test]
fn on_the_side_of_the_server_a_response_is_blocked_by_the_name_behind_an_alias() {
    assert_eq!(ALIASED, LISTED);
    let mut network = Network::new(&Options::default());
    for family in Family::ALL {
        assert!(
            network.answers(Program::Dig, family, ALIAS),
            "without a filter, over {family}"
        );
    }
    network.filter_on(
        "wan",
        "native",
        &[&["--judge", "wan=responses"][..], &SILENT].concat(),
    );
    assert_eq!(
        network.verb("status").unwrap()["interfaces"][0]["judged"],
        "responses"
    );
    for program in [Program::Dig, Program::DigTcp] {
        for family in Family::ALL {
            assert!(
                network.answers(program, family, OTHER),
                "{program:?} over {family} for {OTHER}"
            );
            assert!(
                network.is_silent(program, family, ALIAS),
                "{program:?} over {family} for {ALIAS}"
            );
            assert!(
                network.is_silent(program, family, LISTED),
                "{program:?} over {family} for {LISTED}"
            );
        }
    }
    let counters = network.counters();
    assert!(
        counters["dns_response_blocked"] >= 8 && counters["dns_response_not_listed"] >= 4,
        "{counters:?}"
    );
    assert!(!counters.contains_key("dns_blocked"), "{counters:?}");
}

#[test]
fn what_is_not_to_be_judged_on_an_interface_passes_and_is_counted() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "native", &["--judge", "responses"]);
    assert!(network.answers(Program::Dig, Family::V4, LISTED));
    let counters = network.counters();
    assert_eq!(
        counters.keys().collect::<Vec<_>>(),
        ["dns_query_not_judged"]
    );
}
