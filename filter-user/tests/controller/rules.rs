//! Rules that are added and removed while it runs.

use lab::GATEWAY_LAN;
use rustix::process::Signal;
use serde_json::json;

use crate::home::Home;

#[test]
fn a_name_that_is_added_is_blocked_at_once_counted_and_reported_until_it_is_removed() {
    let home = Home::new(&["listed.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let events = home.tail("events");
    assert!(home.asks("ads.example.com"), "it passes before");
    home.json(&["block", "add", "ads.example.com"]);
    assert!(!home.asks("x.ads.example.com"));
    assert!(home.asks("www.example.com"), "its neighbour passes");

    let stats = home.json(&["stats"]);
    assert_eq!(stats["counters"]["dns_blocked"], 1);
    assert_eq!(
        stats["rules"],
        json!([{"rule": "ads.example.com", "scope": "subtree", "action": "block", "list": "manual", "line": null, "hits": 1}])
    );
    let event = events.first_line();
    for (field, value) in [
        ("name", "x.ads.example.com"),
        ("rule", "ads.example.com"),
        ("list", "manual"),
        ("protocol", "dns"),
        ("verdict", "nxdomain"),
        ("reason", "dns_blocked"),
        ("interface", "lan"),
        ("client", &lab::CLIENT.v4.to_string()),
        ("server", &GATEWAY_LAN.v4.to_string()),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    assert_eq!(event["server_port"], 53);

    home.json(&["block", "remove", "ads.example.com"]);
    assert!(home.asks("ads.example.com"));
}

#[test]
fn of_several_names_all_are_added_or_none() {
    let home = Home::new(&["a.example", "b.example"]);
    let _controller = home.start(&["--iface", "lan", "--max-rules", "3"]);
    let (code, words) = home.fails(&["block", "add", "c.example", "d.example"]);
    assert_eq!((code, &*words), (1, "namegate: the rule map is full at 3 rules; start with a larger --max-rules\n"));
    let (_, words) = home.fails(&["block", "add", "c.example", "1.2.3.4"]);
    assert_eq!(words, "namegate: `1.2.3.4` cannot be a rule: it is an address, not a name; nothing was changed\n");
    assert_eq!(home.rules(), ["a.example", "b.example"]);
    home.json(&["block", "add", "c.example"]);
    assert_eq!(home.rules(), ["c.example", "a.example", "b.example"]);
}

#[test]
fn names_that_were_added_come_back_from_the_state_file_and_without_one_do_not() {
    let home = Home::new(&["a.example"]);
    let state = home.path("state");
    let with_state = ["--iface", "lan", "--state", &state];
    let mut controller = home.start(&with_state);
    assert_eq!(home.json(&["block", "add", "b.example", "c.example"])["kept"], true);
    home.json(&["block", "remove", "c.example"]);
    controller.signal(Signal::TERM);

    let mut controller = home.start(&with_state);
    assert_eq!(home.rules(), ["b.example", "a.example"]);
    controller.signal(Signal::TERM);

    let _controller = home.start(&["--iface", "lan"]);
    assert_eq!(home.rules(), ["a.example"]);
    assert_eq!(home.json(&["block", "add", "b.example"])["kept"], false);
}

#[test]
fn a_rule_of_a_list_that_is_removed_says_that_it_comes_back() {
    let home = Home::new(&["a.example", "b.a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let removed = home.json(&["block", "remove", "b.a.example"]);
    let result = &removed["results"][0];
    assert_eq!((&result["removed"], &result["until_restart"]["line"]), (&json!(true), &json!(2)));
    assert_eq!(result["still_blocked_by"]["rule"], "a.example");
    assert_eq!(home.verb(&["block", "remove", "b.a.example"]).status.code(), Some(1), "it is no rule any more");
}

#[test]
fn test_tells_the_verdict_in_its_exit_code_only_if_asked_to() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let code = |args: &[&str]| home.verb(args).status.code();
    assert_eq!(code(&["test", "a.example"]), Some(0));
    assert_eq!(code(&["test", "--exit-code", "b.example", "a.example"]), Some(3));
    assert_eq!(code(&["test", "--exit-code", "b.example"]), Some(0));
}
