//! Events say what real clients hear, also of clients that are known by their MAC address alone.

use std::{fs, time::Duration};

use lab::{
    Family, Options,
    quic::{Got, KeyExchange, QuicClient, QuicServer},
};
use serde_json::{Value, json};

use crate::{
    asking::{Events, answer, curl, dig, words},
    network::{LISTED, NAMEGATE, Network},
};

/// A name that is blocked for the group of the client's MAC.
const FOR_MAC: &str = "mac.example";

/// Each action of DNS with what dig shows of it, asked for an address; an action of TCP, and one of
/// QUIC.
const HEARD: [(&str, &str, &str, &str); 6] = [
    ("nxdomain", "NXDOMAIN", "alert", "close"),
    ("nodata", "NOERROR", "reset", "drop"),
    ("refused", "REFUSED", "drop", "close"),
    ("null", "NOERROR 0.0.0.0", "alert", "close"),
    ("address", "NOERROR 203.0.113.7", "reset", "close"),
    ("drop", "none", "drop", "drop"),
];

#[test]
fn what_a_client_hears_that_is_known_by_its_mac_is_what_events_and_test_say() {
    let mut network = Network::new(&Options::default());
    let mac = mac(&network);
    let server = QuicServer::start(network.lab.server(), &[FOR_MAC]).unwrap();
    for (action, heard, tcp, quic) in HEARD {
        filter(&mut network, &mac, action, [tcp, quic]);
        let events = Events::follow(&network);
        assert_eq!(
            answer(&dig(&network, Family::V4, &["+time=1", FOR_MAC])),
            heard
        );
        assert!(is_heard(tcp, &network), "{tcp}");
        let client = QuicClient::new(network.lab.client(), &server, Duration::from_secs(2));
        let got = client.get(Family::V4, KeyExchange::Classical, FOR_MAC);
        match got.unwrap() {
            Got::Closed(..) => assert_eq!(quic, "close"),
            Got::TimedOut(_) => assert_eq!(quic, "drop"),
            Got::Page(page) => panic!("{page}"),
        }
        for (protocol, word) in [("dns", action), ("tls", tcp), ("quic", quic)] {
            let event = events.of(FOR_MAC, protocol);
            assert_eq!(
                (&event["verdict"], &event["action"]),
                (&json!(word), &json!(word)),
                "{event}"
            );
            assert_eq!(event["unanswered"], Value::Null, "{event}");
        }
        let tested = test(&network, &["--mac", &mac]);
        assert_eq!(
            tested["actions"],
            json!([{"interface": "lan", "dns": action, "tls": tcp, "quic": quic}])
        );
        assert_eq!(test(&network, &[])["verdict"], "pass", "for nobody else");
    }
}

#[test]
fn a_client_that_has_had_the_answers_of_a_second_is_told_nothing_and_events_say_why() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &["--answers-per-second", "1"]);
    let events = Events::follow(&network);
    let heard: Vec<_> = (0..8)
        .map(|_| answer(&dig(&network, Family::V4, &["+time=1", LISTED])))
        .collect();
    let verdict = |heard: &String| {
        if heard == "NXDOMAIN" {
            json!("nxdomain")
        } else {
            json!("drop")
        }
    };
    let said = events.all_of(LISTED, heard.len());
    let verdicts: Vec<_> = said.iter().map(|event| event["verdict"].clone()).collect();
    assert_eq!(verdicts, heard.iter().map(verdict).collect::<Vec<_>>());
    assert!(verdicts.contains(&json!("drop")), "{said:?}");
    for event in said {
        let against = if event["verdict"] == "drop" {
            json!("unanswered_rate")
        } else {
            Value::Null
        };
        assert_eq!(
            (&event["unanswered"], &event["action"]),
            (&against, &json!("nxdomain"))
        );
    }
}

/// The MAC address of the client.
fn mac(network: &Network) -> String {
    let link = network
        .lab
        .client()
        .output("ip", &["-o", "link", "show", "dev", "eth0"])
        .unwrap();
    let mac = link
        .split("link/ether ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    mac.unwrap_or_else(|| panic!("{link}")).to_owned()
}

/// A filter that refuses and resets, unless for this MAC.
fn filter(network: &mut Network, mac: &str, action: &str, [tcp, quic]: [&str; 2]) {
    let address = if action == "address" {
        "address = [\"203.0.113.7\"]\n"
    } else {
        ""
    };
    let config = format!(
        "[[rules]]\nblock = [\"{FOR_MAC}\"]\ngroups = [\"mac\"]\naction = \"{action}\"\n{address}tcp = \"{tcp}\"\n\
         quic = \"{quic}\"\n\
         [[group]]\nname = \"mac\"\nclients = [\"{mac}\"]\n"
    );
    fs::write(network.path("config"), config).unwrap();
    let config = network.path("config");
    network.filter_on(
        "lan",
        "generic",
        &["--config", &config, "--action", "refused", "--tcp", "reset"],
    );
}

/// True if a TLS client's connection ends like that.
fn is_heard(tcp: &str, network: &Network) -> bool {
    /// curl has waited for long enough.
    const TIMED_OUT: Option<i32> = Some(28);

    let output = curl(network, Family::V4, FOR_MAC);
    let said = words(&output).to_lowercase();
    match tcp {
        "reset" => said.contains("reset"),
        "alert" => said.contains("unrecognized name"),
        _ => output.status.code() == TIMED_OUT,
    }
}

fn test(network: &Network, client: &[&str]) -> Value {
    let mut command = network.lab.gateway().command(NAMEGATE);
    command
        .args([
            "test",
            FOR_MAC,
            "--json",
            "--socket",
            &network.path("socket"),
        ])
        .args(client);
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}
