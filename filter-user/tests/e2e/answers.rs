//! What real clients hear of what is blocked.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use lab::{ALIAS, Family, Options, Process, SERVER, wait_until};

use crate::{
    asking::{Events, answer, curl, dig, query_time, tcp_ways, words},
    network::{LISTED, NAMEGATE, Network, OTHER},
};

/// Within this a client has its answer.
const AT_ONCE: u64 = 200;

/// What asking takes, with starting the program that asks on a machine that is busy.
const SOON: Duration = Duration::from_secs(3);

/// An Extended DNS Error with the name of the list, as dig shows it.
const BY_LIST: &str = "; EDE: 15 (Blocked): (list)";

#[test]
fn in_generic_mode_a_blocked_query_has_its_answer_at_once_however_it_is_asked() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    assert!(!network.said().contains("veth"), "{}", network.said());
    assert_each_way_of_asking_is_answered(&network);
}

#[test]
fn in_native_mode_a_blocked_query_has_its_answer_where_the_other_end_has_a_program_too() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "native", &[]);
    assert!(
        network
            .said()
            .contains("`lan` is a veth, whose other end takes answers"),
        "{}",
        network.said()
    );
    let _far_end = far_end(&network);
    assert_each_way_of_asking_is_answered(&network);
    for family in Family::ALL {
        assert!(
            tcp_ways(&network, family)
                .iter()
                .any(|output| words(output).contains("reset"))
        );
    }
}

/// An XDP program on the client's interface.
pub fn far_end(network: &Network) -> Process {
    let [list, socket] = ["far-list", "far-socket"].map(|name| network.path(name));
    fs::write(&list, "unasked.example\n").unwrap();
    let mut command = network.lab.client().command(NAMEGATE);
    command.args([
        "run",
        "--iface",
        "eth0",
        "--mode",
        "native",
        "--judge",
        "responses",
        "--without-controller",
        "pass",
        "--list",
        &list,
    ]);
    let far_end = Process::spawn(
        command
            .args(["--socket", &socket])
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    )
    .unwrap();
    let attached = || {
        Ok(network
            .lab
            .client()
            .output("ip", &["link", "show", "dev", "eth0"])?
            .contains("xdp"))
    };
    wait_until(
        "a program at the other end",
        Duration::from_secs(20),
        attached,
    )
    .unwrap();
    far_end
}

fn assert_each_way_of_asking_is_answered(network: &Network) {
    let ways: [&[&str]; 5] = [
        &[],
        &["+noedns"],
        &["+bufsize=512"],
        &["+dnssec"],
        &["+norecurse", "+cdflag"],
    ];
    let types = ["A", "AAAA", "HTTPS", "ANY", "PTR", "TXT"];
    for family in Family::ALL {
        for (way, kind) in ways.iter().flat_map(|way| types.map(|kind| (way, kind))) {
            let what = format!("{way:?} {kind} over {family}");
            let text = dig(
                network,
                family,
                &[way, &["+notcp", "x.ads.example.com", kind][..]].concat(),
            );
            assert!(
                text.contains("status: NXDOMAIN") && text.contains("AUTHORITY: 1"),
                "{what}: {text}"
            );
            assert_eq!(
                text.contains(BY_LIST),
                *way != ["+noedns"],
                "{what}: {text}"
            );
            assert!(query_time(&text) < AT_ONCE, "{what}: {text}");
            let trouble = [
                "WARNING",
                "Warning",
                "bad packet",
                "mismatch",
                "extra bytes",
                "malformed",
            ];
            assert!(
                !trouble.iter().any(|word| text.contains(word)),
                "{what}: {text}"
            );
        }
        let text = dig(network, family, &[OTHER]);
        assert!(
            text.contains("status: NOERROR") && !text.contains("EDE"),
            "{text}"
        );
    }
}

#[test]
fn each_action_gives_its_answer() {
    let mut network = Network::new(&Options::default());
    let page = ["address", "--address", "203.0.113.80", "2001:db8::80"];
    let expected: [(&[&str], [&str; 3]); 5] = [
        (&["nodata"], ["NOERROR", "NOERROR", "NOERROR"]),
        (&["refused"], ["REFUSED", "REFUSED", "REFUSED"]),
        (&["null"], ["NOERROR 0.0.0.0", "NOERROR ::", "NOERROR"]),
        (
            &page,
            ["NOERROR 203.0.113.80", "NOERROR 2001:db8::80", "NOERROR"],
        ),
        (
            &["address", "--address", "203.0.113.80"],
            ["NOERROR 203.0.113.80", "NOERROR", "NOERROR"],
        ),
    ];
    for (action, answers) in expected {
        let args = [
            &[
                "--answer-ttl",
                "7",
                "--code",
                "filtered",
                "--no-list-names",
                "--action",
            ][..],
            action,
        ]
        .concat();
        network.filter_on("lan", "generic", &args);
        for family in Family::ALL {
            let asked = ["A", "AAAA", "TXT"].map(|kind| {
                let text = dig(&network, family, &[LISTED, kind]);
                assert!(text.contains("; EDE: 17 (Filtered)\n"), "{text}");
                assert!(
                    text.contains("\t7\tIN\t") || text.contains("REFUSED"),
                    "{text}"
                );
                answer(&text)
            });
            assert_eq!(asked, answers, "{action:?} over {family}");
        }
    }
}

#[test]
fn with_the_action_drop_nobody_hears_of_it() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &["--action", "drop"]);
    for family in Family::ALL {
        let text = dig(&network, family, &["+tries=1", "+time=1", LISTED]);
        assert!(text.contains("no servers could be reached"), "{text}");
    }
}

#[test]
fn the_lists_of_a_configuration_have_their_own_actions_and_names() {
    const CONFIG: &str = "
[[list]]
file = \"refused\"
name = \"Büro\"
action = \"refused\"
tcp = \"alert\"
code = \"censored\"

[[list]]
file = \"new\"
action = \"audit\"

[[rules]]
block = [\"||page.example^\", \"||both.example^\"]
action = \"address\"
address = [\"203.0.113.80\"]
";
    let mut network = Network::new(&Options::default());
    fs::write(network.path("config"), CONFIG).unwrap();
    fs::write(network.path("refused"), "refused.example\nboth.example\n").unwrap();
    fs::write(network.path("new"), "new.example\n").unwrap();
    network.filter_on("lan", "generic", &["--config", &network.path("config")]);
    let events = Events::follow(&network);

    let text = dig(&network, Family::V4, &["refused.example"]);
    assert!(text.contains("status: REFUSED"), "{text}");
    // dig shows octets beyond ASCII as numbers.
    assert!(text.contains("; EDE: 16 (Censored): (B"), "{text}");
    assert_eq!(
        answer(&dig(&network, Family::V6, &["x.page.example"])),
        "NOERROR 203.0.113.80"
    );
    assert_eq!(
        answer(&dig(&network, Family::V4, &["both.example"])),
        "REFUSED",
        "the first one that stands there"
    );
    assert_eq!(
        answer(&dig(&network, Family::V4, &["new.example"])),
        format!("NOERROR {}", SERVER.v4)
    );
    assert_eq!(answer(&dig(&network, Family::V4, &[LISTED])), "NXDOMAIN");
    assert!(words(&curl(&network, Family::V4, "refused.example")).contains("unrecognized name"));
    assert!(words(&curl(&network, Family::V4, LISTED)).contains("reset"));

    for (name, protocol, verdict, reason) in [
        ("refused.example", "dns", "refused", "dns_blocked"),
        ("x.page.example", "dns", "address", "dns_blocked"),
        ("both.example", "dns", "refused", "dns_blocked"),
        ("new.example", "dns", "pass", "dns_audited"),
        (LISTED, "dns", "nxdomain", "dns_blocked"),
        ("refused.example", "tls", "alert", "tls_blocked"),
        (LISTED, "tls", "reset", "tls_blocked"),
    ] {
        let event = events.of(name, protocol);
        assert_eq!(
            (&event["verdict"], &event["reason"]),
            (&verdict.into(), &reason.into()),
            "{event}"
        );
    }
    let lists = &network.verb("status").unwrap()["rules"]["lists"];
    assert_eq!(
        (&lists[1]["label"], &lists[1]["action"], &lists[1]["tcp"]),
        (&"Büro".into(), &"refused".into(), &"alert".into())
    );
    assert_eq!(lists[2]["action"], "audit");
}

#[test]
fn a_policy_zone_says_itself_what_the_answer_is_but_for_its_local_data() {
    const ZONE: &str = "$ORIGIN rpz.example.
@ SOA ns. mail. 1 2 3 4 5
missing.example CNAME .
empty.example CNAME *.
silent.example CNAME rpz-drop.
data.example A 203.0.113.80
data.example AAAA 2001:db8::80
";
    let mut network = Network::new(&Options::default());
    let zone = network.path("zone");
    fs::write(&zone, ZONE).unwrap();
    network.filter_on(
        "lan",
        "generic",
        &["--action", "refused", "--list", &format!("rpz:{zone}")],
    );
    let said = network.said();
    assert!(
        said.contains("2 rules with data of the list's own")
            && said.contains("nobody is answered with"),
        "{said}"
    );
    for family in Family::ALL {
        let asked = |name| answer(&dig(&network, family, &["+time=1", name]));
        let names = [
            "missing.example",
            "empty.example",
            "silent.example",
            "data.example",
            LISTED,
        ];
        assert_eq!(
            names.map(asked),
            ["NXDOMAIN", "NOERROR", "none", "REFUSED", "REFUSED"],
            "{family}"
        );
    }
    let config = format!(
        "[[list]]\nfile = \"{zone}\"\nformat = \"rpz\"\naction = \"address\"\naddress = [\"203.0.113.7\"]\n"
    );
    fs::write(network.path("config"), config).unwrap();
    network.filter_on(
        "lan",
        "generic",
        &["--action", "refused", "--config", &network.path("config")],
    );
    for name in ["missing.example", "data.example"] {
        let heard = answer(&dig(&network, Family::V4, &[name]));
        assert_eq!(
            heard, "NOERROR 203.0.113.7",
            "{name}: its list says otherwise"
        );
    }
}

#[test]
fn an_answer_says_that_a_name_was_blocked_by_hand_unless_a_list_has_it() {
    const BY_HAND: &str = "; EDE: 15 (Blocked): (manual)";

    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let block = |names: &[&str]| {
        let mut command = network.lab.gateway().command(NAMEGATE);
        command
            .args(["block", "add", "--socket", &network.path("socket")])
            .args(names);
        assert!(command.output().unwrap().status.success());
    };
    let says = |name: &str, words: &str| {
        let text = dig(&network, Family::V4, &[name]);
        assert!(text.contains(words), "{name}: {text}");
    };
    block(&["by-hand.example", LISTED]);
    says("x.by-hand.example", BY_HAND);
    says(LISTED, BY_LIST);
    let reload = network.verb("reload").unwrap();
    assert_eq!(reload["rules"], 2, "{reload}");
    says("by-hand.example", BY_HAND);
    says(LISTED, BY_LIST);
}

#[test]
fn in_audit_mode_everything_passes_and_is_reported() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &["--action", "audit"]);
    let events = Events::follow(&network);
    for family in Family::ALL {
        assert_eq!(
            answer(&dig(&network, family, &[LISTED])),
            format!("NOERROR {}", SERVER.v4)
        );
        assert!(curl(&network, family, LISTED).status.success());
    }
    let dns = events.of(LISTED, "dns");
    assert_eq!(
        (&dns["verdict"], &dns["reason"]),
        (&"pass".into(), &"dns_audited".into())
    );
    let tls = events.of(LISTED, "tls");
    assert_eq!(
        (&tls["verdict"], &tls["reason"]),
        (&"pass".into(), &"tls_audited".into())
    );
    assert_eq!(
        network.verb("status").unwrap()["interfaces"][0]["action"],
        "audit"
    );
}

#[test]
fn a_blocked_connection_is_reset_at_once() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    for family in Family::ALL {
        let start = Instant::now();
        let [dig, curl, openssl] = tcp_ways(&network, family);
        assert!(start.elapsed() < 3 * SOON, "{:?}", start.elapsed());
        assert!(words(&dig).contains("status: NXDOMAIN"), "{}", words(&dig));
        assert!(matches!(curl.status.code(), Some(35 | 56)), "{curl:?}");
        assert!(
            words(&curl).to_lowercase().contains("reset"),
            "{}",
            words(&curl)
        );
        assert!(
            !openssl.status.success() && words(&openssl).contains("errno=104"),
            "{}",
            words(&openssl)
        );
        assert!(self::curl(&network, family, OTHER).status.success());
        assert!(self::dig(&network, family, &["+tcp", OTHER]).contains("status: NOERROR"));
    }
}

#[test]
fn with_an_alert_a_tls_client_says_that_the_name_is_not_recognized() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &["--tcp", "alert"]);
    for family in Family::ALL {
        let [dig, curl, openssl] = tcp_ways(&network, family);
        assert!(words(&dig).contains("status: NXDOMAIN"), "{}", words(&dig));
        assert_eq!(curl.status.code(), Some(35));
        for output in [curl, openssl] {
            assert!(
                words(&output).contains("unrecognized name"),
                "{}",
                words(&output)
            );
        }
        let gnutls = network
            .lab
            .client()
            .command("timeout")
            .args(["5", "gnutls-cli", "--insecure", "--sni-hostname"])
            .args([LISTED, &SERVER.of(family).to_string()])
            .stdin(Stdio::null())
            .output();
        if let Ok(output) = gnutls {
            assert!(!output.status.success(), "{}", words(&output));
        }
    }
}

#[test]
fn programs_that_resolve_names_by_the_c_library_are_told_at_once_that_there_is_none() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &[]);
    let ask = |name| {
        network
            .lab
            .client()
            .command("getent")
            .args(["ahosts", name])
            .output()
            .unwrap()
    };
    let start = Instant::now();
    let blocked = ask(LISTED);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_eq!((blocked.status.code(), blocked.stdout.len()), (Some(2), 0));
    assert!(ask(OTHER).status.success());
}

#[test]
fn on_the_side_of_the_server_a_response_with_a_blocked_name_becomes_a_negative_one() {
    let mut network = Network::new(&Options::default());
    network.filter_on("wan", "native", &["--judge", "wan=responses"]);
    for family in Family::ALL {
        for (name, way) in [(ALIAS, "+edns"), (ALIAS, "+noedns"), (LISTED, "+dnssec")] {
            let text = dig(&network, family, &[way, name]);
            assert!(
                text.contains("status: NXDOMAIN"),
                "{name} {way} over {family}: {text}"
            );
            assert!(query_time(&text) < AT_ONCE, "{text}");
            // dig warns where the server does not speak EDNS, and not of anything else.
            assert!(
                !text.contains("WARNING") && !text.contains("extra bytes"),
                "{text}"
            );
        }
        assert!(dig(&network, family, &[OTHER]).contains("status: NOERROR"));
        let over_tcp = dig(&network, family, &["+tcp", ALIAS]);
        assert!(over_tcp.contains("connection reset"), "{over_tcp}");
    }
    let stats = network.verb("stats").unwrap();
    assert_eq!(stats["counters"]["rewritten"], 6, "{stats}");
    let closed = stats["counters"]["closed"].as_u64().unwrap();
    assert!(closed >= 2, "{stats}");
}

/// Within a machine checksums are left to the device that a packet leaves by, which works them out
/// of what stands there.
#[test]
fn a_response_that_became_negative_goes_on_by_a_device_that_works_checksums_out() {
    let mut network = Network::new(&Options::default());
    network
        .lab
        .gateway()
        .output("ethtool", &["-K", "lan", "tx", "off"])
        .unwrap();
    for mode in ["generic", "native"] {
        network.filter_on("wan", mode, &["--judge", "wan=responses"]);
        for family in Family::ALL {
            for name in [
                ALIAS,
                LISTED,
                "a-name-that-is-somewhat-longer-than-others.ads.example.com",
            ] {
                let text = dig(&network, family, &[name]);
                assert!(
                    text.contains("status: NXDOMAIN"),
                    "{name} over {family}, {mode}: {text}"
                );
            }
            assert!(dig(&network, family, &[OTHER]).contains("status: NOERROR"));
            let over_tcp = dig(&network, family, &["+tcp", ALIAS]);
            assert!(over_tcp.contains("connection reset"), "{mode}: {over_tcp}");
        }
    }
}

#[test]
fn of_answers_there_are_as_many_a_second_as_are_asked_for() {
    let mut network = Network::new(&Options::default());
    network.filter_on("lan", "generic", &["--answers-per-second", "1"]);
    let asked = (0..8).map(|_| dig(&network, Family::V4, &["+tries=1", "+time=1", LISTED]));
    let answered = asked
        .filter(|text| text.contains("status: NXDOMAIN"))
        .count();
    let counters = network.verb("stats").unwrap()["counters"].clone();
    assert_eq!(counters["answered"], answered, "{counters}");
    assert_eq!(counters["unanswered_rate"], 8 - answered, "{counters}");
    assert!((1..8).contains(&answered), "{counters}");
}
