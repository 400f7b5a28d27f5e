//! Interfaces that come and go while the controller runs.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use filter_user::kernel::{AttachedMode, Does, Noop, detach_links_of};
use lab::{Address, CLIENT, GATEWAY_LAN, GATEWAY_WAN, Namespace, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{
    answers::is_answered,
    home::{Home, LIMIT, Running},
};

/// Within this time, an interface that is there is filtered.
const SECOND: Duration = Duration::from_secs(1);

/// As that, for what the kernel does not report and is looked at each second, and with what `dig` and
/// the verbs take on a machine that is busy.
const SOON: Duration = Duration::from_secs(3);

/// The exit code of `status --exit-code` where something is not filtered.
const NOT_FILTERED: Option<i32> = Some(3);

/// Joins the client to the gateway's `lan` again, whose index is another one then.
fn rewire(home: &Home) {
    rewire_with(home, "lan");
}

/// The same with these words about the gateway's interface.
pub fn rewire_with(home: &Home, lan: &str) {
    let (client, gateway) = (home.lab.client(), home.lab.gateway());
    let name = client.name();
    gateway
        .ip(&format!(
            "link add {lan} type veth peer name eth0 netns {name}"
        ))
        .unwrap();
    for (namespace, interface, own) in [(client, "eth0", CLIENT), (gateway, "lan", GATEWAY_LAN)] {
        let address = format!("address add {}/24 dev {interface}", own.v4);
        namespace.ip(&address).unwrap();
        namespace.ip(&format!("link set {interface} up")).unwrap();
    }
}

fn delete_lan(home: &Home) {
    home.lab.gateway().ip("link delete lan").unwrap();
}

/// What status says of the first interface.
fn status(home: &Home) -> Value {
    home.json(&["status"])["interfaces"][0].clone()
}

/// Waits until status says that the first interface is in this state.
fn wait_for(home: &Home, state: &str, limit: Duration) -> Value {
    let mut seen = Value::Null;
    let reached = wait_until(state, limit, || {
        seen = status(home);
        Ok(seen["state"] == state)
    });
    assert!(reached.is_ok(), "not {state}: {seen}");
    seen
}

fn exit_code(home: &Home) -> Option<i32> {
    home.verb(&["status", "--exit-code"]).status.code()
}

fn wait_for_words(running: &Running, words: &str) {
    let said = wait_until(words, SOON, || Ok(running.said().contains(words)));
    assert!(said.is_ok(), "{words}: {}", running.said());
}

fn has_program(home: &Home, interface: &str) -> bool {
    let shown = home
        .lab
        .gateway()
        .output("ip", &["link", "show", "dev", interface]);
    shown.is_ok_and(|shown| shown.contains("xdp"))
}

#[test]
fn an_interface_that_is_deleted_and_made_again_is_filtered_within_a_second() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&[
        "--iface", "lan", "--action", "refused", "--judge", "queries",
    ]);
    let before = status(&home);
    assert_eq!(
        (&before["state"], &before["problem"]),
        (&json!("filtered"), &Value::Null)
    );
    assert_eq!(exit_code(&home), Some(0));
    delete_lan(&home);
    let missing = wait_for(&home, "missing", SECOND);
    assert_eq!(
        (&missing["index"], &missing["mode"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        missing["problem"]
            .as_str()
            .unwrap()
            .contains("no such interface")
    );
    assert_eq!(exit_code(&home), NOT_FILTERED);
    let text = String::from_utf8(home.verb(&["status"]).stdout).unwrap();
    assert!(text.contains("lan (missing: not filtered)\n"), "{text}");
    wait_for_words(
        &running,
        "`lan` was deleted; it is filtered again as soon as it appears",
    );

    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut passed = Vec::new();
            let since = Instant::now();
            while !stop.load(Ordering::Relaxed) && since.elapsed() < LIMIT {
                let at = Instant::now();
                if home.asks("a.example") {
                    passed.push(at);
                }
            }
            passed
        });
        let made = Instant::now();
        rewire(&home);
        let attached = wait_until("the program", SECOND, || Ok(has_program(&home, "lan")));
        println!("attached {:?} after the interface was made", made.elapsed());
        let asked_for = wait_until("a refusal", SOON, || Ok(is_refused(&home, "a.example")));
        stop.store(true, Ordering::Relaxed);
        let passed = asking.join().unwrap();
        attached.unwrap();
        asked_for.unwrap();
        assert!(
            passed.iter().all(|at| *at < made + SECOND),
            "it was not blocked"
        );
    });
    let after = wait_for(&home, "filtered", SECOND);
    assert_ne!(after["index"], before["index"]);
    let same = |status: &Value| {
        let fields = ["mode", "judged", "faces_clients", "action", "tcp", "quic"];
        fields.map(|field| status[field].clone())
    };
    assert_eq!(same(&after), same(&before));
    assert_eq!(exit_code(&home), Some(0));
    assert!(home.asks("b.example"));
    wait_for_words(&running, "`lan` is there, and filtered (generic)");
}

fn is_refused(home: &Home, name: &str) -> bool {
    answer(home.lab.client(), GATEWAY_LAN, name).contains("status: REFUSED")
}

/// What `dig` says of a name that it asks for at this side of the gateway.
fn answer(from: &Namespace, gateway: Address, name: &str) -> String {
    let server = format!("@{}", gateway.v4);
    let args = ["+tries=1", "+time=1", &server, name];
    let output = from.command("dig").args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_interface_with_an_index_far_beyond_the_others_has_its_settings_and_they_keep_theirs() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan", "wan", "--action", "lan=refused"]);
    delete_lan(&home);
    wait_for(&home, "missing", SECOND);
    rewire_with(&home, "lan index 50000");
    // The kernel verifies the programs once more, which takes its time on a machine that is busy.
    assert_eq!(wait_for(&home, "filtered", LIMIT)["index"], 50_000);
    wait_until("a refusal", SOON, || Ok(is_refused(&home, "a.example"))).unwrap();
    assert!(home.asks("b.example"), "{}", running.said());
    let from_wan = answer(home.lab.server(), GATEWAY_WAN, "a.example");
    assert!(from_wan.contains("status: NXDOMAIN"), "{from_wan}");
    // Rules go to the maps of the programs that are attached now.
    home.json(&["block", "add", "b.example"]);
    assert!(is_refused(&home, "b.example"));
}

#[test]
fn fifty_interfaces_that_come_and_go_leave_one_that_is_filtered_and_nothing_else() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan"]);
    let process = running.process.id();
    let descriptors = || fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    let before = descriptors();
    delete_lan(&home);
    for _ in 0..50 {
        let name = home.lab.gateway().name();
        let add = format!("link add eth0 type veth peer name lan netns {name}");
        home.lab.client().ip(&add).unwrap();
        delete_lan(&home);
    }
    rewire(&home);
    wait_for(&home, "filtered", SECOND);
    wait_until("an answer", SOON, || Ok(is_answered(&home, "a.example"))).unwrap();
    assert!(home.asks("b.example"));
    wait_until("descriptors to be closed", SOON, || {
        Ok(descriptors() <= before)
    })
    .unwrap();
}

#[test]
fn with_wait_it_starts_without_an_interface_and_filters_it_when_it_appears() {
    let home = Home::new(&["a.example"]);
    let (code, said) = home.run_fails(&["--iface", "usb0", "lan"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("no interface `usb0`") && said.contains("`--wait`"),
        "{said}"
    );
    let args = [
        "--wait",
        "--iface",
        "usb0",
        "lan",
        "--action",
        "usb0=refused",
    ];
    let running = home.start(&args);
    let said = running.said();
    assert!(
        said.starts_with("filtering usb0 (missing), lan (generic) with 1 rule"),
        "{said}"
    );
    assert_eq!(
        (&status(&home)["state"], exit_code(&home)),
        (&json!("missing"), NOT_FILTERED)
    );
    assert!(is_answered(&home, "a.example"));
    let actions = home.json(&["test", "a.example"])["actions"].clone();
    assert_eq!(
        (&actions[0]["dns"], &actions[1]["dns"]),
        (&json!("refused"), &json!("nxdomain"))
    );

    home.lab
        .gateway()
        .ip("link add usb0 type veth peer name usb1")
        .unwrap();
    let usb0 = wait_for(&home, "filtered", SECOND);
    assert_eq!(
        (&usb0["action"], &usb0["faces_clients"]),
        (&json!("refused"), &json!(true))
    );
    assert!(has_program(&home, "usb0"));
    assert_eq!(exit_code(&home), Some(0));
    wait_for_words(&running, "`usb0` is there, and filtered (generic)");
    drop(running);
    let twice = home.run_fails(&["--wait", "--iface", "usb9", "usb9"]);
    assert!(twice.1.contains("`usb9` is named twice"), "{}", twice.1);
}

#[test]
fn an_interface_that_cannot_be_filtered_says_why_until_it_can() {
    let home = Home::new(&["a.example"]);
    let mut running = home.start(&["--wait", "--iface", "tun9", "lan"]);
    let gateway = home.lab.gateway();
    gateway.ip("tuntap add tun9 mode tun").unwrap();
    let failed = wait_for(&home, "failed", SECOND);
    let problem = failed["problem"].as_str().unwrap();
    assert!(problem.contains("carries no Ethernet frames"), "{problem}");
    assert_eq!(exit_code(&home), NOT_FILTERED);
    let text = String::from_utf8(home.verb(&["status"]).stdout).unwrap();
    assert!(
        text.contains("tun9 (failed: not filtered)") && text.contains(problem),
        "{text}"
    );
    wait_for_words(
        &running,
        "`tun9` is not filtered: `tun9` carries no Ethernet frames",
    );
    thread::sleep(2 * SECOND);
    assert_eq!(running.said().matches("`tun9` is not filtered").count(), 1);

    gateway.ip("link delete tun9").unwrap();
    wait_for(&home, "missing", SECOND);
    gateway
        .ip("link add tun9 type veth peer name tun8")
        .unwrap();
    wait_for(&home, "filtered", SECOND);
    assert!(is_answered(&home, "a.example"));
    assert_eq!(running.process.ended().unwrap(), None);
}

#[test]
fn an_interface_whose_driver_refuses_is_tried_again_when_it_changes() {
    let home = Home::new(&["a.example"]);
    delete_lan(&home);
    let running = home.start(&["--wait", "--iface", "lan", "--mode", "native"]);
    let (client, gateway) = (home.lab.client(), home.lab.gateway());
    let name = client.name();
    gateway
        .ip(&format!(
            "link add lan mtu 9000 type veth peer name eth0 mtu 9000 netns {name}"
        ))
        .unwrap();
    let failed = wait_for(&home, "failed", SECOND);
    let problem = failed["problem"].as_str().unwrap();
    assert!(
        problem.contains("`lan`") && problem.contains("9000"),
        "{problem}"
    );
    client.ip("link set eth0 mtu 1500").unwrap();
    gateway.ip("link set lan mtu 1500").unwrap();
    assert_eq!(wait_for(&home, "filtered", SECOND)["mode"], "native");
    wait_for_words(
        &running,
        "its other end takes answers only if it has an XDP program",
    );
}

#[test]
fn a_renamed_interface_is_filtered_until_another_has_its_name() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan"]);
    let index = status(&home)["index"].clone();
    let gateway = home.lab.gateway();
    gateway.ip("link set lan name lan9").unwrap();
    let renamed = wait_for(&home, "renamed", SECOND);
    assert_eq!(renamed["index"], index);
    assert!(renamed["problem"].as_str().unwrap().contains("`lan9`"));
    assert_eq!(exit_code(&home), NOT_FILTERED);
    wait_for_words(&running, "`lan` is called `lan9` now, and filtered still");
    assert!(has_program(&home, "lan9") && is_answered(&home, "a.example"));

    gateway.ip("link set lan9 name lan").unwrap();
    assert_eq!(wait_for(&home, "filtered", SECOND)["index"], index);
    wait_for_words(&running, "`lan9` is called `lan` again");

    gateway.ip("link set lan name lan9").unwrap();
    gateway.ip("link add lan type veth peer name far").unwrap();
    wait_until("the other one", SECOND, || Ok(has_program(&home, "lan"))).unwrap();
    assert_ne!(wait_for(&home, "filtered", SECOND)["index"], index);
    assert!(!has_program(&home, "lan9") && home.asks("a.example"));
    wait_for_words(
        &running,
        "another interface is called `lan` now; `lan` is filtered again",
    );
}

#[test]
fn an_interface_that_gets_another_name_to_filter_has_the_settings_of_that_one() {
    let home = Home::new(&["a.example"]);
    let args = [
        "--wait",
        "--iface",
        "lan",
        "lan9",
        "--action",
        "lan9=refused",
    ];
    let running = home.start(&args);
    let index = status(&home)["index"].clone();
    home.lab.gateway().ip("link set lan name lan9").unwrap();
    wait_for(&home, "missing", SECOND);
    let lan9 = home.json(&["status"])["interfaces"][1].clone();
    assert_eq!(
        (&lan9["state"], &lan9["index"]),
        (&json!("filtered"), &index)
    );
    assert!(is_refused(&home, "a.example"));
    wait_for_words(&running, "`lan9` is there, and filtered (generic)");
}

#[test]
fn interfaces_that_exchange_their_names_are_filtered_both() {
    let home = Home::new(&["a.example"]);
    let _running = home.start(&[
        "--iface",
        "lan",
        "wan",
        "--action",
        "wan=refused",
        "--clients",
        "lan",
        "wan",
    ]);
    let gateway = home.lab.gateway();
    for rename in ["lan name x", "wan name lan", "x name wan"] {
        gateway.ip(&format!("link set {rename}")).unwrap();
    }
    wait_until("both", SOON, || {
        let interfaces = home.json(&["status"])["interfaces"].clone();
        let both = [&interfaces[0], &interfaces[1]];
        Ok(both.iter().all(|it| it["state"] == "filtered") && is_refused(&home, "a.example"))
    })
    .unwrap();
    assert!(has_program(&home, "lan") && has_program(&home, "wan"));
}

#[test]
fn an_interface_that_is_moved_to_another_namespace_is_let_go_and_filtered_again_once_it_is_back() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan"]);
    let (gateway, server) = (home.lab.gateway(), home.lab.server());
    gateway
        .ip(&format!("link set lan netns {}", server.name()))
        .unwrap();
    let moved = wait_for(&home, "moved", SECOND);
    assert_eq!(moved["index"], Value::Null);
    assert!(
        moved["problem"]
            .as_str()
            .unwrap()
            .contains("another network namespace")
    );
    assert_eq!(exit_code(&home), NOT_FILTERED);
    wait_for_words(&running, "`lan` was moved to another network namespace");
    assert!(!server.ip("link show dev lan").unwrap().contains("xdp"));
    server
        .ip(&format!("link set lan netns {}", gateway.name()))
        .unwrap();
    wait_for(&home, "filtered", SECOND);
    assert!(has_program(&home, "lan"));
}

#[test]
fn a_program_that_something_else_detaches_is_attached_again() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan"]);
    // Advice that people find: it does nothing for a link.
    home.lab
        .gateway()
        .ip("link set dev lan xdpgeneric off")
        .ok();
    assert!(has_program(&home, "lan"));
    detach_links_of(running.process.id()).unwrap();
    wait_for_words(
        &running,
        "something else detached the program from `lan`; `lan` is filtered again (generic)",
    );
    assert!(has_program(&home, "lan") && is_answered(&home, "a.example"));
    assert_eq!(status(&home)["state"], "filtered");
}

#[test]
fn another_program_in_the_place_of_ours_is_named_until_it_is_gone() {
    let home = Home::new(&["a.example"]);
    let running = home.start(&["--iface", "lan"]);
    let process = Pid::from_raw(running.process.id().cast_signed()).unwrap();
    kill_process(process, Signal::STOP).unwrap();
    detach_links_of(running.process.id()).unwrap();
    let other = home
        .lab
        .gateway()
        .inside(|| Noop::attach(Does::Pass, "lan", AttachedMode::Generic))
        .unwrap()
        .unwrap();
    kill_process(process, Signal::CONT).unwrap();
    let failed = wait_for(&home, "failed", SOON);
    let problem = failed["problem"].as_str().unwrap();
    assert!(
        problem.contains("already has an XDP program: id ") && problem.contains("`pass`"),
        "{problem}"
    );
    wait_for_words(&running, "something else put the program `pass`");
    assert!(home.asks("a.example"));
    drop(other);
    wait_for(&home, "filtered", SOON);
    assert!(is_answered(&home, "a.example"));
}

#[test]
fn answers_stop_while_a_default_route_leads_by_an_interface_and_come_back_after_it() {
    let home = Home::new(&["a.example"]);
    let gateway = home.lab.gateway();
    let route = |verb: &str| {
        let route = format!("route {verb} default via {} dev lan", CLIENT.v4);
        gateway.ip(&route).unwrap();
    };
    let dns = || home.json(&["test", "a.example"])["actions"][0]["dns"].clone();
    let faces_clients = |faces: bool, limit| {
        wait_until("who is answered", limit, || {
            Ok(status(&home)["faces_clients"] == faces)
        })
        .unwrap();
        assert_eq!(is_answered(&home, "a.example"), faces);
        assert_eq!(dns(), if faces { "nxdomain" } else { "drop" });
    };
    let running = home.start(&["--iface", "lan", "--mode", "generic"]);
    faces_clients(true, SECOND);
    route("add");
    faces_clients(false, SOON);
    wait_for_words(&running, "the default route leads by `lan` now");
    // One that is gone for a moment is the same.
    route("delete");
    thread::sleep(2 * SECOND);
    faces_clients(false, SOON);
    route("add");
    thread::sleep(2 * SECOND);
    let gone = Instant::now();
    route("delete");
    faces_clients(true, 15 * SECOND);
    assert!(gone.elapsed() > 9 * SECOND, "{:?}", gone.elapsed());
    wait_for_words(&running, "no default route leads by `lan` any more");
    drop(running);

    // Where one leads at the start, a veth is filtered in its driver, which may lose answers.
    route("add");
    let running = home.start(&["--iface", "lan"]);
    faces_clients(false, SECOND);
    assert_eq!(status(&home)["mode"], "native");
    // The kernel says nothing of an IPv4 route that goes with its link.
    gateway.ip("link set lan down").unwrap();
    gateway.ip("link set lan up").unwrap();
    wait_until("clients", 15 * SECOND, || {
        Ok(status(&home)["faces_clients"] == true)
    })
    .unwrap();
    assert_eq!(dns(), "nxdomain");
    wait_for_words(&running, "`lan` is a veth that is filtered in its driver");
}
