//! The controller as people run it, in network namespaces of its own.

mod answers;
mod bad_input;
mod bounds;
mod cache;
mod configuration;
mod document;
mod errors;
mod home;
mod interfaces;
mod keeping;
mod policy;
mod privileges;
mod rules;
mod state;
mod stopped;
mod waiting;

use std::process::{Command, Stdio};

use lab::wait_until;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::home::{Home, LIMIT, NAMEGATE};

lab::fail_on_kernel_damage!();

#[test]
fn it_filters_from_its_start_until_sigterm() {
    ends_by(
        Signal::TERM,
        "told to end: detached from lan, nothing is filtered any more\n",
    );
}

#[test]
fn it_filters_from_its_start_until_ctrl_c() {
    ends_by(
        Signal::INT,
        "interrupted: detached from lan, nothing is filtered any more\n",
    );
}

fn ends_by(signal: Signal, words: &str) {
    let home = Home::new(&["ads.example.com"]);
    let mut controller = home.start(&["--iface", "lan"]);
    assert!(home.is_attached("lan") && !home.is_attached("wan"));
    assert_eq!(controller.signal(signal), Some(0));
    assert!(controller.said().ends_with(words), "{}", controller.said());
    assert!(!home.is_attached("lan") && !home.socket().exists());
}

#[test]
fn it_ends_also_while_it_still_reads_a_list() {
    let home = Home::new(&[]);
    let fifo = home.path("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let mut controller = home.spawn(&["--iface", "lan", "--list", &fifo]);
    wait_until("the socket", LIMIT, || Ok(home.socket().exists())).unwrap();
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    assert_eq!(
        controller.said(),
        "told to end: stopped before anything was attached\n"
    );
    assert!(!home.is_attached("lan") && !home.socket().exists());
}

#[test]
fn a_killed_controller_leaves_nothing_attached_and_the_next_takes_its_socket() {
    let home = Home::new(&["ads.example.com"]);
    let controller = home.start(&["--iface", "lan"]);
    controller.process.kill().unwrap();
    wait_until("the kernel to detach", LIMIT, || {
        Ok(!home.is_attached("lan"))
    })
    .unwrap();
    assert!(home.socket().exists());
    let _next = home.start(&["--iface", "lan"]);
    assert!(home.is_attached("lan"));
}

#[test]
fn status_tells_interfaces_rules_and_memory() {
    let home = Home::new(&["ads.example.com", "ADS.example.com", "192.0.2.1"]);
    let _controller = home.start(&[
        "--iface",
        "lan",
        "wan",
        "--mode",
        "generic",
        "--max-rules",
        "100",
    ]);
    let status = home.json(&["status"]);
    let interfaces = status["interfaces"].as_array().unwrap();
    assert_eq!(
        interfaces.iter().map(|it| &it["name"]).collect::<Vec<_>>(),
        ["lan", "wan"]
    );
    assert!(interfaces.iter().all(|it| it["mode"] == "generic"));
    assert_eq!(
        (&status["rules"]["total"], &status["rules"]["capacity"]),
        (&json!(1), &json!(100))
    );
    let list = &status["rules"]["lists"][0];
    assert_eq!((&list["rules"], &list["repeated"]), (&json!(1), &json!(1)));
    assert_eq!(list["unusable"], json!({"address": 1}));
    assert!(status["memory"]["kernel_bytes"].as_u64().unwrap() > 0);
    assert!(status["memory"]["controller_bytes"].as_u64().unwrap() > 0);
    assert_eq!(status["state"], Value::Null);
}

#[test]
fn somebody_who_reads_events_does_not_keep_it_from_ending() {
    let home = Home::new(&["a.example"]);
    let mut controller = home.start(&["--iface", "lan"]);
    let mut events = home.tail("events");
    assert_eq!(controller.signal(Signal::TERM), Some(0));
    wait_until("the reader to end", LIMIT, || {
        Ok(events.process.ended()?.is_some())
    })
    .unwrap();
    assert_eq!(events.process.ended().unwrap().unwrap().code(), Some(1));
}

#[test]
fn what_people_read_has_no_colours_in_a_pipe_and_the_rules_in_it() {
    let home = Home::new(&["a.example"]);
    let controller = home.start(&["--iface", "lan"]);
    let socket = home.socket();
    assert_eq!(
        controller.said(),
        format!(
            "filtering lan (generic) with 1 rule; the API is on {}\n",
            socket.display()
        )
    );
    home.json(&["block", "add", "b.example"]);
    home.json(&["allow", "c.example"]);
    for (verb, words) in [
        (&["status"][..], "3 of 16,385"),
        (
            &["status"],
            "lan (generic; clients: nxdomain, TCP reset, QUIC close)",
        ),
        (&["stats", "--all"], "dns_not_listed"),
        (
            &["test", "x.a.example"],
            "x.a.example  nxdomain, TLS reset, QUIC close  rule a.example (",
        ),
        (
            &["block", "list"],
            "b.example  manual\nc.example  (allow)  manual\na.example  ",
        ),
    ] {
        let output = home.verb(verb);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(words), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let names: Vec<String> = (0..10_000)
        .map(|i| format!("host-{i}.example.com"))
        .collect();
    let home = Home::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let _controller = home.start(&["--iface", "lan"]);
    let mut list = Command::new(NAMEGATE);
    list.args(["block", "list", "--socket"])
        .arg(home.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut list = list.spawn().unwrap();
    drop(list.stdout.take());
    let output = list.wait_with_output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        (Some(0), "")
    );
}
