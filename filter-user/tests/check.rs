//! `namegate check`, as it is called.

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const LIST: &str = "! title\n||ads.example^\n||x.ads.example^\n||ads.example^\n||b.example^$script\n@@||ok.ads.example^\n";

#[test]
fn a_list_is_shown_with_what_it_would_do() {
    let dir = dir();
    let output = check(&dir, &["list.txt", "--against", "top.txt"]);
    assert!(output.status.success());
    let expected = "\
list.txt  adblock, 6 lines, 4 rules
  3 block subtree
  1 allow subtree
  1 said before:         line 4 \"ads.example and below\" (list.txt:2)
  1 said by wider rules: line 3 \"x.ads.example and below\" by ads.example and below (list.txt:2)
1 entry left out
  1 the modifier $script is not supported: line 5 \"||b.example^$script\"

top.txt  1 of 3 names would be blocked
  www.ads.example ads.example and below list.txt:2
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn json_has_one_object_with_all_of_it() {
    let dir = dir();
    let output = check(&dir, &["list.txt", "--against", "top.txt", "--json"]);
    let object: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let list = &object["lists"][0];
    assert_eq!(list["format"], "adblock");
    assert_eq!(
        list["rules"],
        json!([{"action": "block", "kind": "subtree", "count": 3}, {"action": "allow", "kind": "subtree", "count": 1}])
    );
    assert_eq!(
        (&list["repeated"]["count"], &list["redundant"]["count"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(list["left_out"][0]["reason"], "modifier");
    assert_eq!(list["left_out"][0]["name"], "script");
    let rule = json!({"action": "block", "kind": "subtree", "text": "ads.example"});
    let blocked = json!([{"name": "www.ads.example", "rule": rule, "list": "list.txt", "line": 2}]);
    assert_eq!(
        object["against"],
        json!({"list": "top.txt", "names": 3, "blocked": blocked})
    );
}

#[test]
fn local_data_of_a_policy_zone_is_said_to_be_no_answer() {
    let dir = dir();
    fs::write(
        dir.path().join("zone"),
        "$TTL 300\n@ SOA ns. mail. 1 2 3 4 5\na.example CNAME .\nb.example A 192.0.2.7\n",
    )
    .unwrap();
    let text = check(&dir, &["rpz:zone"]).stdout;
    let text = String::from_utf8_lossy(&text);
    assert!(
        text.contains("  1 block, without the data of their own"),
        "{text}"
    );
    let object: Value =
        serde_json::from_slice(&check(&dir, &["rpz:zone", "--json"]).stdout).expect("JSON");
    assert_eq!(object["lists"][0]["with_data"], 1);
    let allowed: Value =
        serde_json::from_slice(&check(&dir, &["list.txt", "--allow", "rpz:zone", "--json"]).stdout)
            .expect("JSON");
    assert!(
        allowed["lists"]
            .as_array()
            .unwrap()
            .iter()
            .all(|list| list["with_data"] == 0),
        "{allowed}"
    );
}

#[test]
fn a_pattern_that_there_is_no_room_for_is_named() {
    let dir = dir();
    let refused = "this pattern alone would take too much memory: make what it repeats narrower";
    let output = check(&dir, &["patterns.txt"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.ends_with(&format!("\nnot in force /a.{{30}}b/: {refused}\n")),
        "{text}"
    );
    let output = check(&dir, &["patterns.txt", "--json"]);
    let object: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        object["refused_patterns"],
        json!([{"pattern": "a.{30}b", "message": refused}])
    );
}

#[test]
fn names_are_about_all_below_them_where_that_is_asked_for() {
    let dir = dir();
    let output = check(&dir, &["top.txt", "--subtrees"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("  3 block subtree\n"));
}

#[test]
fn a_list_with_nothing_to_use_makes_it_fail_after_all_are_shown() {
    let dir = dir();
    let output = check(&dir, &["addresses.txt", "top.txt"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("addresses.txt  domains, 1 line, nothing that can be used"),
        "{text}"
    );
    assert!(
        text.contains("top.txt  domains, 3 lines, 3 rules"),
        "{text}"
    );
}

#[test]
fn the_format_that_is_named_is_read_and_one_that_there_is_not_is_an_error() {
    let dir = dir();
    let output = check(&dir, &["dnscrypt:top.txt"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("  3 block subtree\n"));
    let output = check(&dir, &["dnscript:top.txt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("there is no list format `dnscript`: it is one of hosts,")
    );
}

#[test]
fn a_list_that_is_not_there_is_an_error() {
    let output = check(&dir(), &["none.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "namegate: there is no list `none.txt`: check the path\n"
    );
}

fn dir() -> TempDir {
    let dir = TempDir::new().expect("a directory");
    let file = |name, text| fs::write(dir.path().join(name), text).expect("a file");
    file("list.txt", LIST);
    file("top.txt", "www.example\nwww.ads.example\nok.ads.example\n");
    file("addresses.txt", "192.0.2.1\n");
    file("patterns.txt", "/a.{30}b/\n/^ad[0-9]/\n");
    dir
}

fn check(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut namegate = Command::new(env!("CARGO_BIN_EXE_namegate"));
    namegate
        .current_dir(dir)
        .arg("check")
        .args(arguments)
        .output()
        .expect("namegate runs")
}

#[test]
fn rules_that_undo_those_of_other_lists_are_named_and_left_out_where_lists_are_trusted_to_block_only()
 {
    let dir = dir();
    fs::write(dir.path().join("mine"), "||a.example^\n||b.example^\n").unwrap();
    fs::write(
        dir.path().join("theirs"),
        "||c.example^\n@@||x.a.example^\n||b.example^$badfilter\n",
    )
    .unwrap();
    let output = check(&dir, &["adblock:mine", "adblock:theirs"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = "
2 rules that undo rules of other lists  --trust block leaves such rules out
  theirs takes out b.example and below, which mine:2 blocks
  theirs:2 allows x.a.example and below, which mine:1 blocks by a.example and below
";
    assert!(said.ends_with(expected), "{said}");
    let object = |args: &[&str]| -> Value {
        let args = [args, &["adblock:mine", "adblock:theirs", "--json"]].concat();
        serde_json::from_slice(&check(&dir, &args).stdout).expect("JSON")
    };
    let undoing = object(&[])["undoing"].clone();
    assert_eq!(
        (&undoing["count"], &undoing["examples"][1]["undone_line"]),
        (&json!(2), &json!(1)),
        "{undoing}"
    );
    let trusted = object(&["--trust", "block"]);
    assert_eq!(trusted["undoing"], json!({"count": 0, "examples": []}));
    let left_out = &trusted["lists"][1]["left_out"][0];
    assert_eq!(
        (&left_out["reason"], &left_out["count"]),
        (&json!("untrusted"), &json!(2)),
        "{trusted}"
    );
}
