//! Floods of hellos in two segments, and real clients beside them.

use frames::Wrap;
use lab::{
    Options,
    floods::{HalfHellos, Others, Outcomes, Passed, Sources, SplitHello, whole_hellos},
};

use crate::network::{LISTED, Network};

/// Sequence number of the first octet of a hello.
const FIRST: u32 = 5_000;
/// Half hellos a second.
const RATE: u32 = 100_000;
/// Half hellos between both halves of somebody else's: five times as many as the table has places.
const BETWEEN: u32 = 5_000;
/// Other clients, and hellos of each.
const CLIENTS: u8 = 20;
const HELLOS: u32 = 10;

/// A hello that is blocked, and where it is cut: within the name.
fn hello() -> (Vec<u8>, usize) {
    let hello = frames::client_hello(LISTED);
    let cut = frames::server_name_at(&hello, LISTED).unwrap() + LISTED.len() / 2;
    (hello, cut)
}

fn frames_of((hello, cut): &(Vec<u8>, usize)) -> SplitHello {
    let wrap = Wrap::v4(443);
    let halves = frames::in_segments(&wrap, FIRST, hello, &[0, *cut]);
    let [first, second] = halves.try_into().unwrap();
    SplitHello::new([wrap.syn(FIRST - 1, &[]), first, second])
}

#[test]
fn of_blocked_hellos_that_two_processors_see_at_once_none_gets_through() {
    const EACH: u32 = 50_000;

    // In the smallest table, both processors want the same bucket all the time.
    for flows in ["1024", "1"] {
        let mut network = Network::without_servers(&Options::default());
        network.filter_on("lan", "generic", &["--tcp", "drop", "--flows", flows]);
        let hello = frames_of(&hello());
        let passed = Passed::count(network.lab.gateway(), "lan", &hello).unwrap();
        whole_hellos(network.lab.client(), "eth0", &hello, EACH).unwrap();
        let counters = network.verb("stats").unwrap()["counters"].clone();
        let of = |name: &str| counters[name].as_u64().unwrap();
        let (halves, busy) = (passed.second_halves().unwrap(), of("flow_busy"));
        eprintln!("{flows} flows: {busy} segments dropped, {halves} second halves passed");
        assert_eq!(passed.whole().unwrap(), 0, "{flows} flows: {counters}");
        assert!(halves <= busy, "{flows} flows: {halves} passed, {counters}");
        assert!(
            of("tls_blocked") + busy >= 2 * u64::from(EACH),
            "{flows} flows: {counters}"
        );
        assert!(
            passed.first_halves().unwrap() + busy >= u64::from(EACH),
            "{flows} flows: {counters}"
        );
    }
}

/// What becomes of others' blocked hellos while half hellos come at a high rate.
fn beside(sources: Sources) -> Outcomes {
    let mut network = Network::without_servers(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let hello = hello();
    let frames = frames_of(&hello);
    let _dropped = Passed::count(network.lab.gateway(), "lan", &frames).unwrap();
    let others = Others::new(&network.lab, CLIENTS, hello.0.len()).unwrap();
    let flood = HalfHellos::start(network.lab.client(), "eth0", &frames, sources, RATE).unwrap();
    let outcomes = others
        .say(&hello.0, hello.1, HELLOS, || flood.await_more(BETWEEN))
        .unwrap();
    let (sent, took) = flood.stop().unwrap();
    let outcomes_and_flood = format!("{outcomes:?} beside {sent} half hellos in {took:?}");
    eprintln!("{sources:?}: {outcomes_and_flood}");
    assert_eq!(
        outcomes.blocked + outcomes.passed,
        u32::from(CLIENTS) * HELLOS,
        "{outcomes_and_flood}"
    );
    assert!(
        network.counters()["tls_hello_split"] > u64::from(sent),
        "{outcomes_and_flood}"
    );
    outcomes
}

#[test]
fn one_client_that_floods_the_table_of_flows_loses_no_hello_of_others() {
    let outcomes = beside(Sources::One);
    assert!(outcomes.share_passed() <= 0.01, "{outcomes:?}");
}

/// The flood is one that pushes out what others send: a client for each of its hellos does.
#[test]
fn a_flood_from_many_clients_would_push_out_hellos_of_others() {
    let outcomes = beside(Sources::Many);
    assert!(outcomes.share_passed() > 0.9, "{outcomes:?}");
}
