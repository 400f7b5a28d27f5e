//! DNS queries that the kernel joins to one datagram on their way to the filter, and takes apart
//! again behind it.

use std::{
    collections::BTreeMap,
    io,
    net::UdpSocket,
    os::fd::AsRawFd as _,
    process::Command,
    time::{Duration, Instant},
};

use frames::answer;
use lab::{Family, GATEWAY_LAN, Options, SERVER};
use serde_json::json;

use crate::network::{LISTED, NAMEGATE, Network, OTHER, Program, SILENT};

/// Blocked names are answered at once; who hears nothing waits for five seconds.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long a client waits for what comes back.
const PATIENCE: Duration = Duration::from_millis(400);
/// NXDOMAIN (RFC 1035 §4.1.1).
const NX_DOMAIN: Option<u16> = Some(3);
const NO_ERROR: Option<u16> = Some(0);

/// The code of what comes back for each of these queries, which the client's stack is given as one
/// datagram to be cut behind the first (udp(7), `UDP_SEGMENT`). What comes back unanswered has
/// none.
fn ask(network: &Network, family: Family, names: &[&str]) -> BTreeMap<u16, Option<u16>> {
    let server = match family {
        Family::V4 => (SERVER.v4, 53).into(),
        Family::V6 => (SERVER.v6, 53).into(),
    };
    let any: std::net::IpAddr = match family {
        Family::V4 => [0; 4].into(),
        Family::V6 => [0; 16].into(),
    };
    let socket = network
        .lab
        .client()
        .socket(move || UdpSocket::bind((any, 0)))
        .unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let queries: Vec<_> = (1..)
        .zip(names)
        .map(|(id, name)| frames::query_numbered(id, name))
        .collect();
    cut_into(&socket, queries[0].len()).unwrap();
    let server: std::net::SocketAddr = server;
    socket.send_to(&queries.concat(), server).unwrap();
    let mut back = BTreeMap::new();
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        assert_eq!(from, server);
        let message = &buffer[..length];
        let id = u16::from_be_bytes([message[0], message[1]]);
        let is_query = queries.iter().any(|query| query == message);
        let code = (!is_query).then(|| answer(message).code);
        assert_eq!(back.insert(id, code), None, "{id} came twice");
    }
    back
}

fn cut_into(socket: &UdpSocket, octets: usize) -> io::Result<()> {
    let octets = libc::c_int::try_from(octets).unwrap();
    // SAFETY: the option's value is a number that lives as long as the call.
    let failed = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            (&raw const octets).cast(),
            size_of_val(&octets) as libc::socklen_t,
        )
    };
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[test]
fn of_queries_that_a_client_sends_in_one_each_blocked_one_is_answered() {
    let mut network = Network::new(&Options::default());
    // A driver is given each by itself, and the one that is not blocked has its answer from the
    // server.
    network.filter_on("lan", "native", &SILENT);
    assert_eq!(
        ask(&network, Family::V4, &[OTHER, LISTED, OTHER]),
        [(1, NO_ERROR), (3, NO_ERROR)].into()
    );
    assert!(!network.counters().contains_key("dns_joined"));
    network.filter_on("lan", "generic", &[]);
    for family in Family::ALL {
        let ask = |names: &[&str]| ask(&network, family, names);
        assert_eq!(
            ask(&[LISTED, LISTED]),
            [(1, NX_DOMAIN), (2, NX_DOMAIN)].into(),
            "{family}"
        );
        assert_eq!(
            ask(&[OTHER, OTHER, OTHER]),
            [(1, NO_ERROR), (2, NO_ERROR), (3, NO_ERROR)].into(),
            "{family}"
        );
        // The allowed one comes back as it was asked, which no client takes for an answer.
        assert_eq!(
            ask(&[OTHER, LISTED]),
            [(1, None), (2, NX_DOMAIN)].into(),
            "{family}"
        );
        assert_eq!(
            ask(&[LISTED, OTHER, LISTED]),
            [(1, NX_DOMAIN), (2, None), (3, NX_DOMAIN)].into(),
            "{family}"
        );
    }
    let joined = network.counters()["dns_joined"];
    assert_eq!(joined, 8, "{:?}", network.counters());
}

/// Both queries of `getaddrinfo`, joined where a port of a bridge waits for more packets of a flow.
#[test]
fn getaddrinfo_is_told_at_once_of_both_queries_that_a_bridge_has_joined() {
    for feature in ["rx-udp-gro-forwarding", "rx-gro-list"] {
        let mut network = Network::new(&Options::default());
        let gateway = network.lab.gateway();
        gateway.ip("link add br0 type bridge").unwrap();
        gateway.ip("addr flush dev lan").unwrap();
        gateway.ip("link set lan master br0").unwrap();
        gateway.ip("link set br0 up").unwrap();
        gateway
            .ip(&format!("addr add {}/24 dev br0", GATEWAY_LAN.v4))
            .unwrap();
        gateway
            .output("ethtool", &["-K", "lan", "gro", "on", feature, "on"])
            .unwrap();
        gateway
            .output(
                "sh",
                &["-c", "echo 20000000 > /sys/class/net/lan/gro_flush_timeout"],
            )
            .unwrap();
        // With a program on the port itself, the kernel joins nothing there.
        network.filter_on("br0", "generic", &[]);
        let resolve = |name: &str| {
            let started = Instant::now();
            let output = network
                .lab
                .client()
                .command("getent")
                .args(["ahosts", name])
                .output()
                .unwrap();
            (output.status.code(), started.elapsed())
        };
        assert!(network.answers(Program::Dig, Family::V4, OTHER));
        for round in 0..5 {
            let (code, took) = resolve(LISTED);
            assert!(
                code == Some(2) && took < AT_ONCE,
                "{feature}, {round}: {code:?} after {took:?}"
            );
            let (code, took) = resolve(OTHER);
            assert!(
                code == Some(0) && took < AT_ONCE,
                "{feature}, {round}: {code:?} after {took:?}"
            );
        }
        let status = network.verb("status").unwrap();
        assert_eq!(
            status["interfaces"][0]["joined_below"],
            json!({ "lan": [feature] })
        );
        let advice = format!("-K lan {feature} off");
        assert!(
            words(&network, "status").contains(&format!("`ethtool {advice}`")),
            "{}",
            words(&network, "status")
        );
        gateway_ethtool(&network, &advice);
        assert_eq!(
            network.verb("status").unwrap()["interfaces"][0]["joined_below"],
            json!({})
        );
        let counters = network.counters();
        assert!(
            counters
                .get("dns_joined")
                .is_some_and(|joined| *joined >= 3),
            "{feature}: {counters:?}"
        );
    }
}

fn gateway_ethtool(network: &Network, arguments: &str) {
    network
        .lab
        .gateway()
        .output("ethtool", &arguments.split(' ').collect::<Vec<_>>())
        .unwrap();
}

/// What a verb prints.
fn words(network: &Network, verb: &str) -> String {
    let output = Command::new(NAMEGATE)
        .args([verb, "--socket", &network.path("socket")])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
