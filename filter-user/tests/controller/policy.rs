//! Reading the policy again, groups, and explanations, with a controller at work.

use std::{fs, thread, time::Duration};

use serde_json::json;

use super::home::Home;

/// The client of the lab, and a group for it.
const CONFIG: &str = "[[list]]
file = \"all\"

[[list]]
file = \"children\"
subtrees = true
groups = [\"children\"]

[[rules]]
allow = [\"||good.example^\"]

[[group]]
name = \"children\"
clients = [\"203.0.113.0/24\"]
";

#[test]
fn a_reload_puts_the_new_lists_in_force_and_keeps_what_was_added_by_hand() {
    let home = Home::new(&["a.example", "b.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    home.json(&["block", "add", "hand.example"]);
    home.json(&["allow", "www.b.example"]);
    fs::write(home.path("list"), "b.example\nc.example\n").unwrap();
    let reloaded = home.json(&["reload"]);
    assert_eq!(
        (&reloaded["added"], &reloaded["removed"]),
        (&json!(1), &json!(1)),
        "{reloaded}"
    );
    let passes = [
        "a.example",
        "b.example",
        "x.c.example",
        "hand.example",
        "www.b.example",
    ]
    .map(|name| home.asks(name));
    assert_eq!(passes, [true, false, false, false, true]);
}

#[test]
fn a_reload_that_fails_says_why_and_leaves_the_old_policy_in_force() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    fs::remove_file(home.path("list")).unwrap();
    let failed = home.verb(&["reload"]);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(
        !failed.status.success() && said.contains("there is no list"),
        "{said}"
    );
    assert!(
        said.contains("the policy that was in force is in force still"),
        "{said}"
    );
    assert!(!home.asks("a.example") && home.asks("b.example"));
}

#[test]
fn names_that_old_and_new_policy_block_are_blocked_all_the_while() {
    let home = Home::new(&["a.example", "x.b.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    thread::scope(|scope| {
        let reloads = scope.spawn(|| {
            for round in 0..12 {
                // A subtree in place of the name below it, and the other way round.
                let list = if round % 2 == 0 {
                    "b.example\na.example\n"
                } else {
                    "a.example\nx.b.example\n"
                };
                fs::write(home.path("list"), list).unwrap();
                home.json(&["reload"]);
            }
        });
        while !reloads.is_finished() {
            assert!(!home.asks("x.b.example"), "it passed");
            thread::sleep(Duration::from_millis(1));
        }
    });
}

#[test]
fn while_reloads_make_the_maps_larger_what_all_policies_block_is_blocked_all_the_while() {
    let home = Home::new(&["a.example"]);
    let _controller = home.start(&["--iface", "lan"]);
    let program = || home.json(&["status"])["program"]["id"].clone();
    thread::scope(|scope| {
        let reloads = scope.spawn(|| {
            let mut programs = vec![program()];
            for count in [20_000, 60_000, 120_000] {
                let names = (0..count).map(|number| format!("n{number}.example\n"));
                fs::write(
                    home.path("list"),
                    names.chain(["a.example\n".into()]).collect::<String>(),
                )
                .unwrap();
                home.json(&["reload"]);
                programs.push(program());
            }
            programs.dedup();
            programs.len()
        });
        while !reloads.is_finished() {
            assert!(!home.asks("a.example"), "it passed");
        }
        assert_eq!(reloads.join().unwrap(), 4, "each made them larger");
    });
    assert!(!home.asks("n119999.example") && home.asks("free.example"));
    let rules = home.json(&["status"])["rules"].clone();
    assert_eq!(rules["capacity"], 120_001 + 120_001 / 4 + 16_384, "{rules}");
}

#[test]
fn an_explanation_has_each_rule_with_its_list_line_and_text_for_whom_it_is_and_which_prevails() {
    let home = Home::new(&[]);
    fs::write(home.path("config"), CONFIG).unwrap();
    fs::write(home.path("all"), "# a list\n0.0.0.0 ads.good.example\n").unwrap();
    fs::write(home.path("children"), "games.example\nads.good.example\n").unwrap();
    fs::write(home.path("list"), "other.example\n").unwrap();
    let config = home.path("config");
    let _controller = home.start(&["--iface", "lan", "--config", &config]);

    let explained = home.json(&["explain", "ads.good.example"]);
    assert_eq!(
        (&explained["verdict"], &explained["outcome"]),
        (&json!("pass"), &json!("allowed"))
    );
    let rules = explained["rules"].as_array().unwrap();
    let said: Vec<_> = rules
        .iter()
        .map(|it| (&it["rule"], &it["action"], &it["prevails"], &it["applies"]))
        .collect();
    let [yes, no] = [json!(true), json!(false)];
    let [good, ads, allow, block] =
        ["good.example", "ads.good.example", "allow", "block"].map(|text| json!(text));
    assert_eq!(
        said,
        [
            (&good, &allow, &yes, &yes),
            (&ads, &block, &no, &yes),
            (&ads, &block, &no, &no)
        ]
    );
    assert_eq!(
        (&rules[1]["text"], &rules[1]["line"]),
        (&json!("0.0.0.0 ads.good.example"), &json!(2))
    );
    assert_eq!(rules[2]["groups"], json!(["children"]));

    for verb in ["explain", "test"] {
        let verdict = |args: &[&str]| {
            home.json(&[&[verb, "x.games.example"], args].concat())["verdict"].clone()
        };
        assert_eq!(verdict(&[]), "pass");
        assert_eq!(verdict(&["--client", "203.0.113.7"]), "drop");
        assert_eq!(verdict(&["--client", "192.0.2.7"]), "pass");
    }
    let people = home.verb(&["explain", "ads.good.example"]);
    let text = String::from_utf8_lossy(&people.stdout);
    assert!(
        text.starts_with("ads.good.example  allowed\n=> allow good.example (subtree)"),
        "{text}"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_test_is_for_a_client_at_a_time_as_an_explanation_is() {
    const CONFIG: &str = r#"
[[list]]
file = "children"
groups = ["children"]
schedule = "evening"
action = "refused"

[[list]]
file = "all"

[[group]]
name = "children"
clients = ["02:00:5e:10:00:01", "203.0.113.0/24"]

[[group]]
name = "free"
exempt = true
clients = ["203.0.113.9"]

[[schedule]]
name = "evening"
time-zone = "UTC"
times = ["daily 20:00-22:00"]
"#;
    const EVENING: [&str; 2] = ["--at", "2026-11-25T21:00:00Z"];
    const NOON: [&str; 2] = ["--at", "2026-11-25T12:00:00Z"];
    const BY_MAC: [&str; 4] = ["--client", "192.0.2.7", "--mac", "02:00:5e:10:00:01"];
    const EXEMPT: [&str; 2] = ["--client", "203.0.113.9"];

    let home = Home::new(&[]);
    fs::write(home.path("config"), CONFIG).unwrap();
    fs::write(home.path("children"), "games.example\n").unwrap();
    fs::write(home.path("all"), "ads.example\n").unwrap();
    fs::write(home.path("list"), "other.example\n").unwrap();
    let config = home.path("config");
    let _controller = home.start(&["--iface", "lan", "--clients", "lan", "--config", &config]);
    for (name, args, verdict, dns, group) in [
        (
            "games.example",
            &[&BY_MAC[..], &EVENING].concat()[..],
            "drop",
            "refused",
            json!("children"),
        ),
        (
            "games.example",
            &[&BY_MAC[..], &NOON].concat(),
            "pass",
            "",
            json!("children"),
        ),
        ("games.example", &EVENING, "pass", "", json!(null)),
        (
            "games.example",
            &[&EXEMPT[..], &EVENING].concat(),
            "pass",
            "",
            json!("free"),
        ),
        (
            "ads.example",
            &[&BY_MAC[..], &NOON].concat(),
            "drop",
            "nxdomain",
            json!("children"),
        ),
        ("ads.example", &EXEMPT, "pass", "", json!("free")),
        ("ads.example", &[], "drop", "nxdomain", json!(null)),
    ] {
        let [test, explained] =
            ["test", "explain"].map(|verb| home.json(&[&[verb, name], args].concat()));
        assert_eq!(
            (&test["verdict"], &test["group"]),
            (&json!(verdict), &group),
            "{name} {args:?}"
        );
        for field in ["name", "verdict", "actions", "client", "group", "exempt"] {
            assert_eq!(test[field], explained[field], "{name} {args:?}: {field}");
        }
        assert_eq!(
            test["actions"][0]["dns"].as_str().unwrap_or_default(),
            dns,
            "{name} {args:?}"
        );
        let code = home
            .verb(&[&["test", "--exit-code", name], args].concat())
            .status
            .code();
        assert_eq!(
            code,
            Some(if verdict == "drop" { 3 } else { 0 }),
            "{name} {args:?}"
        );
    }
    let text = home
        .verb(&["test", "ads.example", "--client", "203.0.113.9"])
        .stdout;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(
        text,
        "ads.example  pass  the client's group free is exempt\n"
    );
    let refused = home.verb(&["test", "ads.example", "--mac", "02:00"]);
    assert!(
        !refused.status.success()
            && String::from_utf8_lossy(&refused.stderr).contains("write a MAC address")
    );
}

#[test]
fn a_reload_names_rules_that_undo_those_of_another_list_and_trust_leaves_them_out() {
    let home = Home::new(&["a.example"]);
    let theirs = home.path("theirs");
    fs::write(&theirs, "||b.example^\n").unwrap();
    let (list, theirs) = (home.path("list"), format!("adblock:{theirs}"));
    let lists = ["--iface", "lan", "--list", &list, &theirs];
    let controller = home.start(&lists);
    fs::write(
        home.path("theirs"),
        "||b.example^\n@@||a.example^$important\n",
    )
    .unwrap();
    let undoing = home.json(&["reload"])["undoing"].clone();
    assert_eq!(undoing["count"], 1, "{undoing}");
    let expected = format!(
        "{}:2 allows a.example and below, which {list}:1 blocks",
        home.path("theirs")
    );
    assert_eq!(undoing["examples"][0]["message"], expected);
    assert!(home.asks("a.example") && !home.asks("b.example"));
    drop(controller);

    let _controller = home.start(&[&lists[..], &["--trust", "block"]].concat());
    assert_eq!(home.json(&["reload"])["undoing"]["count"], 0);
    assert!(!home.asks("a.example") && !home.asks("b.example"));
}
