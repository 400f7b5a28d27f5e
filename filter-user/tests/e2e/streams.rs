//! DNS over TCP through the filter, by the resolvers and clients that people use: each is told what
//! is blocked, nobody else's question suffers, and no server is left with connections that nobody
//! ends.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use lab::{Family, Options, Process, SERVER, wait_until};

use crate::{
    answers::far_end,
    asking::words,
    network::{LISTED, Network, OTHER},
    software::{AT, by_way, dnsmasq, forwarder, unbound},
};

/// Within this a client knows, the start of its program included.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Blocked names that are asked for in a row.
const IN_A_ROW: usize = 100;

/// TCP connections to the DNS port that the server takes for open.
fn open_at_server(network: &Network) -> usize {
    let filter = "( sport = :53 )";
    network
        .lab
        .server()
        .output("ss", &["-Htn", "state", "established", filter])
        .unwrap()
        .lines()
        .count()
}

#[track_caller]
fn assert_server_is_rid_of_them(network: &Network) {
    wait_until("the server's halves to end", AT_ONCE, || {
        Ok(open_at_server(network) == 0)
    })
    .unwrap();
}

/// The server's half is there to be found: a reset of the client alone leaves it open.
#[test]
fn where_the_client_is_reset_the_servers_half_stays() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &["--action", "drop"]);
    let at = format!("@{}", SERVER.v4);
    let mut dig = network.lab.client().command("dig");
    let reset = words(
        &dig.args(["+tcp", "+tries=1", "+time=3", &at, LISTED])
            .output()
            .unwrap(),
    );
    assert!(reset.contains("connection reset"), "{reset}");
    assert_eq!(open_at_server(&network), 1);
}

#[test]
fn clients_are_answered_over_tcp_and_the_servers_half_ends() {
    let mut network = Network::new(&Options::default());
    for mode in ["generic", "native"] {
        network.filter_on("lan", mode, &[]);
        let _far_end = (mode == "native").then(|| far_end(&network));
        for family in Family::ALL {
            let server = SERVER.of(family).to_string();
            let at = format!("@{server}");
            let ways: [&[&str]; 5] = [
                &["dig", "+tcp", "+tries=1", "+time=3", &at, LISTED],
                &[
                    "dig", "+tcp", "+noedns", "+tries=1", "+time=3", &at, LISTED, "AAAA",
                ],
                &["drill", "-t", LISTED, &at],
                &["host", "-T", LISTED, &server],
                &["kdig", "+tcp", "+retry=0", "+timeout=3", &at, LISTED],
            ];
            for way in ways {
                let started = Instant::now();
                let output = network
                    .lab
                    .client()
                    .command("timeout")
                    .arg("10")
                    .args(way)
                    .output()
                    .unwrap();
                let text = words(&output);
                assert!(text.contains("NXDOMAIN"), "{mode} {way:?}: {text}");
                assert!(
                    started.elapsed() < AT_ONCE,
                    "{mode} {way:?}: {:?}",
                    started.elapsed()
                );
            }
        }
        assert_server_is_rid_of_them(&network);
        let stats = network.verb("stats").unwrap();
        assert!(
            stats["counters"]["server_reset"].as_u64().unwrap() > 0,
            "{stats}"
        );
    }
}

#[test]
fn the_c_library_over_tcp_alone_is_told_that_there_is_no_such_name() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let ask = |name: &str| {
        let mut command = network.lab.client().command("getent");
        let started = Instant::now();
        let output = command
            .args(["ahosts", name])
            .env("RES_OPTIONS", "use-vc timeout:2 attempts:1")
            .output()
            .unwrap();
        (output.status.code(), started.elapsed())
    };
    for _ in 0..20 {
        let (code, took) = ask(LISTED);
        assert!(code == Some(2) && took < AT_ONCE, "{code:?}, {took:?}");
        assert_eq!(ask(OTHER).0, Some(0));
    }
    assert_server_is_rid_of_them(&network);
}

/// Behind the filter, the gateway has the clients' addresses translated: what ends the server's
/// half has to be a segment that the tracking of connections takes for one of the connection, whose
/// answer it never saw.
#[test]
fn behind_a_gateway_that_translates_addresses_the_servers_half_ends_as_well() {
    let mut network = Network::new(&Options::default());
    let rules = "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100 ; }; \
                 add rule ip nat out oifname wan masquerade; \
                 add table ip filter; add chain ip filter on { type filter hook forward priority 0 ; }; \
                 add rule ip filter on ct state invalid counter drop";
    network.lab.gateway().output("nft", &[rules]).unwrap();
    for mode in ["generic", "native"] {
        network.filter_on("lan", mode, &[]);
        let _far_end = (mode == "native").then(|| far_end(&network));
        let at = format!("@{}", SERVER.v4);
        for round in 0..20 {
            let started = Instant::now();
            let mut dig = network.lab.client().command("dig");
            let text = words(
                &dig.args(["+tcp", "+tries=1", "+time=3", &at, LISTED])
                    .output()
                    .unwrap(),
            );
            assert!(
                text.contains("NXDOMAIN") && started.elapsed() < AT_ONCE,
                "{mode} {round}: {text}"
            );
            let mut dig = network.lab.client().command("dig");
            let text = words(
                &dig.args(["+tcp", "+tries=1", "+time=3", &at, OTHER])
                    .output()
                    .unwrap(),
            );
            assert!(
                text.contains(&SERVER.v4.to_string()),
                "{mode} {round}: {text}"
            );
        }
        assert_server_is_rid_of_them(&network);
        // The server's clients have the gateway's address.
        let seen = network
            .lab
            .gateway()
            .output("nft", &["list", "ruleset"])
            .unwrap();
        assert!(seen.contains("masquerade"), "{seen}");
    }
}

/// Blocked names in a row, and among them names that are none.
fn assert_forwards_all(network: &Network, what: &str) {
    for number in 0..IN_A_ROW {
        let started = Instant::now();
        let text = by_way(network, AT, &[&format!("n{number}.{LISTED}")]);
        assert!(
            text.contains("status: NXDOMAIN"),
            "{what}, {number}: {text}"
        );
        assert!(
            started.elapsed() < AT_ONCE,
            "{what}, {number}: {:?}",
            started.elapsed()
        );
        if number % 10 == 0 {
            let text = by_way(network, AT, &[&format!("n{number}.example.com")]);
            assert!(text.contains("status: NOERROR"), "{what}, {number}: {text}");
        }
    }
    assert!(
        by_way(network, AT, &[OTHER]).contains(&SERVER.v4.to_string()),
        "{what}"
    );
}

#[test]
fn unbound_that_asks_over_tcp_alone_loses_no_other_name() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let _unbound = unbound(
        &network,
        Family::V4,
        "    tcp-upstream: yes\n    qname-minimisation: no\n",
    );
    assert_forwards_all(&network, "Unbound");
}

#[test]
fn bind_that_asks_over_tcp_alone_loses_no_other_name() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let configuration = network.path("named.conf");
    let text = format!(
        "options {{ directory \"{}\"; listen-on port {} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; pid-file none; \
         forwarders {{ {}; }}; forward only; dnssec-validation no; recursion yes; session-keyfile none; }};\n\
         server {} {{ tcp-only yes; }};\ncontrols {{ }};\n",
        network.lab.directory().display(),
        AT[2],
        SERVER.v4,
        SERVER.v4
    );
    fs::write(&configuration, text).unwrap();
    let mut command = network.lab.client().command("named");
    command.args(["-g", "-4", "-c", &configuration]);
    let _named = forwarder(&network, AT, &mut command);
    assert_forwards_all(&network, "BIND");
}

#[test]
fn dnsmasq_passes_on_what_its_clients_ask_over_tcp() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let _dnsmasq = dnsmasq(&network, Family::V4);
    for number in 0..40 {
        let text = by_way(&network, AT, &["+tcp", &format!("n{number}.{LISTED}")]);
        assert!(text.contains("status: NXDOMAIN"), "{number}: {text}");
    }
    assert!(by_way(&network, AT, &["+tcp", OTHER]).contains(&SERVER.v4.to_string()));
    assert_server_is_rid_of_them(&network);
}

/// It has twenty children for TCP, each of which waits for its connection to end.
#[test]
fn dnsmasq_behind_the_filter_is_not_out_of_children() {
    let mut network = Network::without_servers(&Options::default());
    let mut command = network.lab.server().command("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=nobody",
    ]);
    command.args([
        "--pid-file",
        "--log-facility=-",
        "--address",
        &format!("/example.com/{}", SERVER.v4),
    ]);
    let _server = Process::spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
    .unwrap();
    let at = format!("@{}", SERVER.v4);
    let ask = |network: &Network, name: &str| {
        let mut command = network.lab.client().command("dig");
        words(
            &command
                .args(["+tcp", "+tries=1", "+time=3", &at, name])
                .output()
                .unwrap(),
        )
    };
    wait_until("dnsmasq to answer", Duration::from_secs(20), || {
        Ok(ask(&network, OTHER).contains("NOERROR"))
    })
    .unwrap();
    network.filter_on("lan", "generic", &[]);
    for number in 0..60 {
        let text = ask(&network, &format!("n{number}.{LISTED}"));
        assert!(text.contains("status: NXDOMAIN"), "{number}: {text}");
    }
    let started = Instant::now();
    assert!(ask(&network, OTHER).contains(&SERVER.v4.to_string()));
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    assert_server_is_rid_of_them(&network);
}
