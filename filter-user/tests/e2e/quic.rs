//! What real clients make of a filter that reads QUIC, and what it does with theirs.

use std::{collections::BTreeMap, time::Duration};

use lab::{
    CLIENT, Family, Options, SERVER,
    quic::{Got, KeyExchange, QUIC_PAGE, QuicClient, QuicServer},
};

use crate::{
    answers::far_end,
    asking::Events,
    browser::{browse, error_in},
    network::{LISTED, Network, OTHER, SILENT},
};

/// A client goes on without an answer for so long; browsers do for ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);

fn network_and_server() -> (QuicServer, Network) {
    let network = Network::new(&Options::default());
    (
        QuicServer::start(network.lab.server(), &[LISTED, OTHER]).unwrap(),
        network,
    )
}

/// The filter with these arguments besides, in place of the one before.
fn filter(network: &mut Network, mode: &str, further: &[&str]) {
    network.filter_on("lan", mode, &[&SILENT[..], further].concat());
}

fn got(
    network: &Network,
    server: &QuicServer,
    family: Family,
    exchange: KeyExchange,
    name: &str,
) -> Got {
    let client = QuicClient::new(network.lab.client(), server, PATIENCE);
    client
        .get(family, exchange, name)
        .unwrap_or_else(|error| panic!("{name}, {family}, {exchange:?}: {error:#}"))
}

fn page() -> Got {
    Got::Page(QUIC_PAGE.into())
}

/// The counters of QUIC that are not zero.
fn counters(network: &Network) -> BTreeMap<String, u64> {
    let stats = network.verb("stats").unwrap();
    let counters = stats["counters"].as_object().unwrap().iter();
    let counters = counters.map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    counters
        .filter(|(name, count)| *count > 0 && name.starts_with("quic_"))
        .collect()
}

fn count(network: &Network, name: &str) -> u64 {
    counters(network).get(name).copied().unwrap_or_default()
}

#[test]
fn quinn_gets_a_page_unless_its_name_is_listed() {
    let (server, mut network) = network_and_server();
    for (mode, action) in [
        ("generic", "close"),
        ("native", "close"),
        ("native", "drop"),
    ] {
        filter(&mut network, mode, &["--quic-action", action]);
        let _far_end = (mode == "native").then(|| far_end(&network));
        let mut judged = (0, 0);
        for family in Family::ALL {
            for exchange in KeyExchange::ALL {
                let said = format!("{mode}, {action}, {family}, {exchange:?}");
                assert_eq!(
                    got(&network, &server, family, exchange, OTHER),
                    page(),
                    "{said}"
                );
                judged.0 += 1;
                assert_eq!(
                    count(&network, "quic_not_listed"),
                    judged.0,
                    "{said}: {:?}",
                    counters(&network)
                );
                assert_eq!(
                    count(&network, "quic_blocked"),
                    judged.1,
                    "{said}: {:?}",
                    counters(&network)
                );

                let events = Events::follow(&network);
                let refused = got(&network, &server, family, exchange, LISTED);
                match &refused {
                    Got::Closed(reason, after) if action == "close" => {
                        assert_eq!(reason, "blocked by a network policy", "{said}");
                        assert!(*after < PATIENCE, "{said}: {after:?}");
                    }
                    Got::TimedOut(after) if action == "drop" => {
                        assert!(*after >= PATIENCE, "{said}: {after:?}");
                    }
                    _ => panic!(
                        "{said}: {refused:?}, {}",
                        network.verb("stats").unwrap()["counters"]
                    ),
                }
                judged.1 += 1;
                assert_eq!(
                    count(&network, "quic_not_listed"),
                    judged.0,
                    "{said}: {:?}",
                    counters(&network)
                );
                assert_eq!(
                    count(&network, "quic_blocked"),
                    judged.1,
                    "{said}: {:?}",
                    counters(&network)
                );
                let event = events.of(LISTED, "quic");
                assert_eq!(event["client"], CLIENT.of(family).to_string(), "{event}");
                assert_eq!(event["server"], SERVER.of(family).to_string(), "{event}");
                assert_eq!(
                    (&event["verdict"], &event["action"]),
                    (&action.into(), &action.into()),
                    "{event}"
                );
            }
        }
        let counters = counters(&network);
        eprintln!("{mode}, {action}: {counters:?}");
        assert!(
            action == "close" || counters["quic_flow_blocked"] > 0,
            "a client that hears nothing sends its hello again: {counters:?}"
        );
        for never in [
            "quic_malformed",
            "quic_not_opened",
            "quic_hello_too_long",
            "quic_beyond_budget_dropped",
        ] {
            assert!(!counters.contains_key(never), "{never}: {counters:?}");
        }
    }
}

#[test]
fn chromium_gets_a_page_unless_its_name_is_listed() {
    let (server, mut network) = network_and_server();
    filter(&mut network, "generic", &[]);
    let trusted = format!(
        "--ignore-certificate-errors-spki-list={}",
        server.key_hash()
    );
    for family in Family::ALL {
        // It has the address already.
        let to = match family {
            Family::V4 => format!("--host-resolver-rules=MAP * {}", SERVER.v4),
            Family::V6 => format!("--host-resolver-rules=MAP * [{}]", SERVER.v6),
        };
        for (name, is_listed) in [(OTHER, false), (LISTED, true)] {
            let before = counters(&network);
            let forced = format!("--origin-to-force-quic-on={name}:443");
            let (took, text) = browse(
                &network,
                &format!("https://{name}/"),
                &[&trusted, &to, &forced],
            );
            let counters = counters(&network);
            eprintln!(
                "{family}, {name}: {took:.1?}, {:?}; {before:?} -> {counters:?}",
                error_in(&text)
            );
            assert_eq!(
                text.contains(QUIC_PAGE),
                !is_listed,
                "{name}, {family}: {text}"
            );
            assert_eq!(
                error_in(&text).is_some(),
                is_listed,
                "{name}, {family}: {text}"
            );
            let counter = if is_listed {
                "quic_blocked"
            } else {
                "quic_not_listed"
            };
            assert!(
                counters.get(counter) > before.get(counter),
                "{before:?}, then {counters:?}"
            );
            // Its key share of X25519MLKEM768 makes two datagrams of a hello. The name is in
            // either: Chromium shuffles the extensions, and the pieces of the hello.
            let of_several = ["quic_hello_split", "quic_judged", "quic_flow_blocked"];
            let more = |counter| counters.get(counter) > before.get(counter);
            assert!(
                of_several.into_iter().any(more),
                "{before:?}, then {counters:?}"
            );
        }
    }
}

#[test]
fn quic_is_refused_or_passes_as_a_whole() {
    let (server, mut network) = network_and_server();
    filter(&mut network, "generic", &["--quic", "pass"]);
    for family in Family::ALL {
        for name in [LISTED, OTHER] {
            assert_eq!(
                got(&network, &server, family, KeyExchange::PostQuantum, name),
                page(),
                "{name}, {family}"
            );
        }
    }
    assert_eq!(counters(&network), BTreeMap::new());

    filter(&mut network, "generic", &["--quic", "refuse"]);
    for family in Family::ALL {
        for name in [LISTED, OTHER] {
            let got = got(&network, &server, family, KeyExchange::Classical, name);
            assert!(matches!(got, Got::TimedOut(_)), "{name}, {family}: {got:?}");
        }
    }
    let counters = counters(&network);
    assert!(
        counters["quic_refused"] >= 4 && counters.len() == 1,
        "{counters:?}"
    );
}
