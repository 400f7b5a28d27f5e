//! Messages over TCP from real clients, in one segment and in several.

use lab::{Family, Options};

use crate::network::{LISTED, Network, OTHER, Program};

/// Segments of so many octets that the server name of a ClientHello is not in the first.
const SMALL: &str = "advmss 130";

const TLS: [Program; 2] = [Program::Curl, Program::OpenSsl];

#[test]
fn dns_over_tcp_is_answered_unless_a_rule_blocks_the_name() {
    let mut network = Network::new(&Options::default());
    network.filter("native");
    assert_judged(&network, &[Program::DigTcp], "dns_blocked");
}

#[test]
fn a_hello_in_several_segments_is_judged_as_one_in_one() {
    // Segmentation offload would carry them in one frame.
    let mut network = Network::new(&Options {
        off: vec!["tso", "gso"],
        ..Options::default()
    });
    ask_for_small_segments(&network);
    network.filter("native");
    assert_judged(&network, &TLS, "tls_blocked");
    let counters = network.counters();
    assert!(
        counters["tls_hello_split"] >= 8,
        "the hellos were not split: {counters:?}"
    );
}

#[test]
fn with_offload_which_carries_segments_in_one_frame_hellos_are_judged_in_both_modes() {
    for mode in ["native", "generic"] {
        let mut network = Network::new(&Options::default());
        ask_for_small_segments(&network);
        network.filter(mode);
        assert_judged(&network, &TLS, "tls_blocked");
    }
}

#[test]
fn on_a_port_of_a_bridge_names_are_judged() {
    let mut network = Network::new(&Options::default());
    let gateway = network.lab.gateway();
    let addresses = gateway
        .output(
            "ip",
            &["-o", "address", "show", "dev", "lan", "scope", "global"],
        )
        .unwrap();
    gateway.ip("link add br0 type bridge").unwrap();
    gateway.ip("link set br0 up").unwrap();
    gateway.ip("link set lan master br0").unwrap();
    for address in addresses
        .lines()
        .filter_map(|line| line.split_whitespace().nth(3))
    {
        gateway
            .ip(&format!("address del {address} dev lan"))
            .unwrap();
        gateway
            .ip(&format!("address add {address} dev br0 nodad"))
            .unwrap();
    }
    network.filter("native");
    assert_judged(&network, &[Program::Dig, Program::DigTcp], "dns_blocked");
    assert_judged(&network, &TLS, "tls_blocked");
}

/// First all that passes: a server that has the start of a blocked hello waits for the rest, and
/// lets others wait.
fn assert_judged(network: &Network, programs: &[Program], counter: &str) {
    assert_passes(network, programs);
    for (program, family) in each(programs) {
        let blocked = || network.counters().get(counter).copied().unwrap_or_default();
        let before = blocked();
        assert!(
            network.is_silent(program, family, LISTED),
            "{program:?} over {family} for {LISTED}"
        );
        assert!(
            blocked() > before,
            "{program:?} over {family} had no answer, but not by the filter"
        );
    }
}

fn assert_passes(network: &Network, programs: &[Program]) {
    for (program, family) in each(programs) {
        assert!(
            network.answers(program, family, OTHER),
            "{program:?} over {family} for {OTHER}"
        );
    }
}

fn each(programs: &[Program]) -> impl Iterator<Item = (Program, Family)> {
    programs
        .iter()
        .flat_map(|program| Family::ALL.map(|family| (*program, family)))
}

/// The server tells its clients to send small segments (RFC 9293 §3.7.1).
pub fn ask_for_small_segments(network: &Network) {
    ask_for_segments(network, SMALL);
}

/// The server tells its clients to send segments of this size, which is said as a route has it.
pub fn ask_for_segments(network: &Network, size: &str) {
    let server = network.lab.server();
    for family in ["-4", "-6"] {
        let routes = server
            .output("ip", &[family, "route", "show", "default"])
            .unwrap();
        let route = routes
            .lines()
            .next()
            .expect("a default route")
            .trim()
            .to_owned();
        server
            .ip(&format!("{family} route replace {route} {size}"))
            .unwrap();
    }
}
