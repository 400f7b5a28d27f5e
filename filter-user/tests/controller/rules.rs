//! Rules that are added and removed while it runs.

use std::process::Command;

use lab::GATEWAY_LAN;
use rustix::process::Signal;
use serde_json::json;

use crate::home::{Home, NAMEGATE};

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
    let full = "namegate: the policy takes 4 entries in the kernel, and there may be 3: take lists out, or start namegate with \
                --max-rules 4 or more; nothing was changed\n";
    assert_eq!((code, &*words), (1, full));
    let (_, words) = home.fails(&["block", "add", "c.example", "1.2.3.4"]);
    assert_eq!(
        words,
        "namegate: `1.2.3.4` cannot be a rule: it is an address, not a name; nothing was changed\n"
    );
    assert_eq!(home.rules(), ["a.example", "b.example"]);
    home.json(&["block", "add", "c.example"]);
    assert_eq!(home.rules(), ["c.example", "a.example", "b.example"]);
}

#[test]
fn names_for_which_the_map_has_no_room_make_it_larger() {
    /// More than the room that there is beside the rules of a start.
    const NAMES: usize = 16_400;

    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let names: Vec<_> = (0..NAMES)
        .map(|number| format!("n{number}.example"))
        .collect();
    home.json(
        &[
            &["block", "add"],
            &*names.iter().map(|name| &**name).collect::<Vec<_>>(),
        ]
        .concat(),
    );
    let passes = [
        "a.example",
        "n0.example",
        "n16399.example",
        "n16400.example",
    ]
    .map(|name| home.asks(name));
    assert_eq!(passes, [false, false, false, true]);
    let rules = home.json(&["status"])["rules"].clone();
    assert_eq!(
        (&rules["in_kernel"], &rules["manual"]),
        (&(NAMES + 1).into(), &NAMES.into())
    );
    assert!(rules["capacity"].as_u64() > Some(30_000), "{rules}");
    home.json(&["block", "remove", "n0.example"]);
    assert!(home.asks("n0.example") && !home.asks("n1.example"));
}

#[test]
fn names_that_were_added_come_back_from_the_state_file_and_without_one_do_not() {
    let home = Home::new(&["a.example"]);
    let state = home.path("state");
    let with_state = ["--iface", "lan", "--state", &state];
    let mut controller = home.start(&with_state);
    assert_eq!(
        home.json(&["block", "add", "b.example", "c.example"])["kept"],
        true
    );
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
    assert_eq!(
        (&result["removed"], &result["until_restart"]["line"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(result["still_blocked_by"]["rule"], "a.example");
    assert_eq!(
        home.verb(&["block", "remove", "b.a.example"]).status.code(),
        Some(1),
        "it is no rule any more"
    );
}

#[test]
fn test_tells_the_verdict_in_its_exit_code_only_if_asked_to() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let code = |args: &[&str]| home.verb(args).status.code();
    assert_eq!(code(&["test", "a.example"]), Some(0));
    assert_eq!(
        code(&["test", "--exit-code", "b.example", "a.example"]),
        Some(3)
    );
    assert_eq!(code(&["test", "--exit-code", "b.example"]), Some(0));
}

#[test]
fn what_is_removed_is_what_was_done_by_hand_and_never_a_rule_of_a_list_beside_it() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    for verb in [&["allow", "a.example"][..], &["block", "add", "a.example"]] {
        home.json(verb);
        assert_eq!(home.asks("a.example"), verb[0] == "allow");
        let removed = home.json(&["block", "remove", "a.example"])["results"][0].clone();
        assert_eq!(
            (&removed["removed"], &removed["until_restart"]),
            (&json!(true), &json!(null))
        );
        assert_eq!(removed["still_blocked_by"]["line"], 1);
        assert!(!home.asks("a.example"), "the list's rule is in force");
    }
    assert_eq!(home.rules(), ["a.example"]);
}

#[test]
fn names_may_come_on_standard_input() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    for (verb, blocked) in [("add", true), ("remove", false)] {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "printf 'b.example\\n# none\\n\\n c.example \\n' | \"$0\" block \"$1\" d.example -",
            NAMEGATE,
            verb,
        ]);
        let done = command.env("NAMEGATE_SOCKET", home.socket()).status();
        assert!(done.unwrap().success());
        let asked = ["b.example", "c.example", "d.example"];
        assert_eq!(asked.map(|name| !home.asks(name)), [blocked; 3]);
    }
}
