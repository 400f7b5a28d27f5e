//! Who is answered, and what is said of that.

use std::{fs, time::Duration};

use lab::{CLIENT, GATEWAY_LAN, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::home::Home;

const ZONE: &str = "$ORIGIN rpz.example.\n@ SOA ns. mail. 1 2 3 4 5\nmissing.example CNAME .\n";

/// True if the client hears that a name does not exist.
pub fn is_answered(home: &Home, name: &str) -> bool {
    let server = format!("@{}", GATEWAY_LAN.v4);
    let output = home
        .lab
        .client()
        .command("dig")
        .args(["+tries=1", "+time=1", &server, name])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).contains("status: NXDOMAIN")
}

#[test]
fn where_a_default_route_leads_nobody_is_answered_unless_clients_are_said_to_be_there() {
    for (family, gateway) in [("-4", CLIENT.v4.to_string()), ("-6", CLIENT.v6.to_string())] {
        let home = Home::new(&["a.example"]);
        home.lab
            .gateway()
            .ip(&format!("{family} route add default via {gateway} dev lan"))
            .unwrap();
        let running = home.start(&["--iface", "lan", "wan"]);
        let said = running.said();
        assert!(
            said.starts_with("the default route leads by `lan`, "),
            "{said}"
        );
        assert!(
            said.contains("write `--clients lan` if clients") && !said.contains("`wan`"),
            "{said}"
        );
        let interfaces = home.json(&["status"])["interfaces"].clone();
        assert_eq!(
            (&interfaces[0]["faces_clients"], &interfaces[0]["mode"]),
            (&json!(false), &json!("native"))
        );
        let [dns, tcp, quic] = ["action", "tcp", "quic"].map(|field| &interfaces[0][field]);
        assert_eq!([dns, tcp, quic], ["drop"; 3]);
        let text = home.verb(&["status"]).stdout;
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("lan (native; no clients: drop)"), "{text}");
        assert_eq!(
            (&interfaces[1]["faces_clients"], &interfaces[1]["mode"]),
            (&json!(true), &json!("generic"))
        );
        assert!(!is_answered(&home, "a.example"));
        assert_eq!(home.json(&["stats"])["counters"]["unanswered_side"], 1);
        drop(running);

        let running = home.start(&["--iface", "lan", "wan", "--clients", "lan"]);
        assert!(
            running
                .said()
                .starts_with("filtering lan (generic), wan (native)"),
            "{}",
            running.said()
        );
        assert!(is_answered(&home, "a.example") && home.asks("b.example"));
    }
}

#[test]
fn a_route_that_is_no_default_route_takes_no_clients_away() {
    let home = Home::new(&["a.example"]);
    home.lab
        .gateway()
        .ip(&format!(
            "route add 203.0.113.0/24 via {} dev lan",
            CLIENT.v4
        ))
        .unwrap();
    home.lab
        .gateway()
        .ip("route add unreachable default")
        .unwrap();
    let running = home.start(&["--iface", "lan"]);
    assert!(
        running.said().starts_with("filtering lan (generic)"),
        "{}",
        running.said()
    );
    assert!(is_answered(&home, "a.example"));
}

#[test]
fn where_a_default_route_comes_to_lead_nobody_is_answered_any_more() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan"]);
    assert!(is_answered(&home, "a.example"));
    home.lab
        .gateway()
        .ip(&format!("route add default via {} dev lan", CLIENT.v4))
        .unwrap();
    let said = || {
        running
            .said()
            .contains("the default route leads by `lan` now")
    };
    wait_until("the route is seen", Duration::from_secs(10), || Ok(said())).unwrap();
    assert!(!is_answered(&home, "a.example"));
    assert_eq!(
        home.json(&["status"])["interfaces"][0]["faces_clients"],
        json!(false)
    );
    drop(running);

    let running = home.start(&["--iface", "lan", "--clients", "lan"]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(is_answered(&home, "a.example") && !said_of_route(&running.said()));
}

fn said_of_route(said: &str) -> bool {
    said.contains("the default route leads")
}

#[test]
fn a_veth_that_answers_is_attached_where_its_other_end_takes_the_answers() {
    let home = Home::new(&["a.example"]);
    let mode = |args: &[&str]| {
        let running = home.start(&[&["--iface", "lan"], args].concat());
        let mode = home.json(&["status"])["interfaces"][0]["mode"].clone();
        (
            mode.as_str().unwrap().to_owned(),
            running
                .said()
                .contains("`lan` is a veth, whose other end takes answers"),
        )
    };
    let (native, generic) = ("native".to_owned(), "generic".to_owned());
    assert_eq!(mode(&[]), (generic.clone(), false));
    assert_eq!(mode(&["--tcp", "drop"]), (generic.clone(), false));
    assert_eq!(mode(&["--mode", "native"]), (native.clone(), true));
    assert_eq!(
        mode(&["--action", "drop", "--tcp", "drop", "--quic-action", "drop"]),
        (native.clone(), false)
    );
    assert_eq!(
        mode(&[
            "--action",
            "drop",
            "--tcp",
            "drop",
            "--quic-action",
            "drop",
            "--mode",
            "native"
        ]),
        (native.clone(), false)
    );
    assert_eq!(mode(&["--action", "audit"]), (native, false));
    // A list may answer where the interface would not.
    fs::write(
        home.path("config"),
        "[[rules]]\nblock = [\"x.example\"]\naction = \"refused\"\n",
    )
    .unwrap();
    let config = home.path("config");
    assert_eq!(
        mode(&[
            "--action",
            "drop",
            "--tcp",
            "drop",
            "--quic-action",
            "drop",
            "--config",
            &config
        ]),
        (generic.clone(), false)
    );
    // So may a rule.
    fs::write(home.path("zone"), ZONE).unwrap();
    let zone = format!("rpz:{}", home.path("zone"));
    assert_eq!(
        mode(&[
            "--action",
            "drop",
            "--tcp",
            "drop",
            "--quic-action",
            "drop",
            "--list",
            &zone
        ]),
        (generic, false)
    );
}

#[test]
fn a_reload_that_is_the_first_to_answer_on_a_veth_in_its_driver_says_what_to_do() {
    const SILENT: &str = "[[rules]]\nblock = [\"x.example\"]\n";
    const ANSWERING: &str = "[[rules]]\nblock = [\"x.example\"]\naction = \"refused\"\n";

    let home = Home::new(&["a.example"]);
    let (config, zone) = (home.path("config"), home.path("zone"));
    let with = |text: &str| fs::write(&config, text).unwrap();
    with(SILENT);
    let drop = ["--action", "drop", "--tcp", "drop", "--quic-action", "drop"];
    let mut running = home.start(
        &[
            &[
                "--iface", "lan", "wan", "--mode", "auto", "--config", &config,
            ],
            &drop[..],
        ]
        .concat(),
    );
    assert!(
        running
            .said()
            .starts_with("filtering lan (native), wan (native)"),
        "{}",
        running.said()
    );
    let warnings = || home.json(&["reload"])["warnings"].clone();
    assert_eq!(warnings(), json!([]));
    with(ANSWERING);
    let said = warnings();
    let of = |interface: &str| format!("`{interface}` is a veth that is filtered in its driver");
    for (place, interface) in ["lan", "wan"].into_iter().enumerate() {
        let warning = said[place].as_str().unwrap();
        assert!(
            warning.contains(&of(interface)) && warning.contains("start namegate again"),
            "{said}"
        );
    }
    assert_eq!(warnings(), json!([]), "said once");
    with(SILENT);
    assert_eq!(warnings(), json!([]));
    fs::write(&zone, ZONE).unwrap();
    with(&format!("[[list]]\nfile = \"{zone}\"\nformat = \"rpz\"\n"));
    let text = String::from_utf8(home.verb(&["reload"]).stdout).unwrap();
    assert!(
        text.contains("warning: blocked clients are answered since this reload")
            && text.contains(&of("lan")),
        "{text}"
    );
    // What it said is done, and it is as it should be.
    running.signal(Signal::TERM);
    let running =
        home.start(&[&["--iface", "lan", "wan", "--config", &config], &drop[..]].concat());
    assert!(
        running
            .said()
            .starts_with("filtering lan (generic), wan (generic)"),
        "{}",
        running.said()
    );
    assert_eq!(warnings(), json!([]));
    assert!(is_answered(&home, "missing.example"));
}

#[test]
fn who_reloads_by_a_signal_finds_on_standard_error_that_answers_may_be_lost() {
    let home = Home::new(&["a.example"]);
    let config = home.path("config");
    fs::write(&config, "").unwrap();
    let drop = ["--action", "drop", "--tcp", "drop", "--quic-action", "drop"];
    let running = home.start(&[&["--iface", "lan", "--config", &config], &drop[..]].concat());
    fs::write(
        &config,
        "[[rules]]\nblock = [\"x.example\"]\naction = \"refused\"\n",
    )
    .unwrap();
    kill_process(
        Pid::from_raw(running.process.id().cast_signed()).unwrap(),
        Signal::HUP,
    )
    .unwrap();
    wait_until("the reload", Duration::from_secs(10), || {
        Ok(running.said().contains("read again"))
    })
    .unwrap();
    assert!(
        running
            .said()
            .contains("namegate: blocked clients are answered since this reload"),
        "{}",
        running.said()
    );
}

#[test]
fn an_explanation_has_the_action_of_the_prevailing_list_on_each_interface() {
    const CONFIG: &str = "
[[list]]
file = \"refused\"
action = \"refused\"
tcp = \"alert\"

[[list]]
file = \"new\"
action = \"audit\"
";
    let home = Home::new(&["a.example"]);
    fs::write(home.path("config"), CONFIG).unwrap();
    fs::write(home.path("refused"), "refused.example\na.example\n").unwrap();
    fs::write(home.path("new"), "new.example\n").unwrap();
    let config = home.path("config");
    let args = [
        "--iface",
        "lan",
        "wan",
        "--config",
        &config,
        "--action",
        "wan=nodata",
        "--clients",
        "lan",
        "wan",
    ];
    let _controller = home.start(&args);
    let on = |interface, dns, tls| json!({"interface": interface, "dns": dns, "tls": tls, "quic": "close"});
    for verb in ["explain", "test"] {
        let actions = |name| home.json(&[verb, name])["actions"].clone();
        assert_eq!(
            actions("refused.example"),
            json!([on("lan", "refused", "alert"), on("wan", "refused", "alert")])
        );
        assert_eq!(
            actions("a.example"),
            json!([on("lan", "nxdomain", "reset"), on("wan", "nodata", "reset")])
        );
        assert_eq!(actions("new.example"), json!([]));
        assert_eq!(actions("other.example"), json!([]));
    }
    let explained = home.json(&["explain", "new.example"]);
    assert_eq!(
        (&explained["outcome"], &explained["verdict"]),
        (&json!("audited"), &json!("pass"))
    );
    assert_eq!(
        (&explained["rules"][0]["dns"], &explained["rules"][0]["tcp"]),
        (&json!("audit"), &json!("default"))
    );
    let people = home.verb(&["explain", "refused.example"]);
    let text = String::from_utf8_lossy(&people.stdout);
    assert!(
        text.contains("refused, TLS alert, QUIC close\n")
            && text.contains("its list says: refused, TCP alert, QUIC default"),
        "{text}"
    );
}
