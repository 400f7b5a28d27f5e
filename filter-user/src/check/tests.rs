use std::fs;

use filter_lists::Format;
use tempfile::TempDir;

use super::*;

#[test]
fn a_rule_that_is_there_already_is_shown_with_its_place() {
    let Checked { lists, .. } = check(&["a.example\nb.example\na.example\n", "b.example\n"]);
    assert_eq!(counts(&lists), [(2, 1, 0), (0, 1, 0)]);
    assert_eq!(
        shown(&lists[0].repeated),
        ["3: a.example is a.example in 0:1"]
    );
    assert_eq!(
        shown(&lists[1].repeated),
        ["1: b.example is b.example in 0:2"]
    );
}

#[test]
fn a_rule_below_a_wider_one_of_the_same_action_is_redundant() {
    let Checked { lists, .. } =
        check(&["||a.example^\n||x.a.example^\n|y.x.a.example^\n|a.example^\n@@||z.a.example^\n"]);
    assert_eq!(counts(&lists), [(4, 1, 2)]);
    assert_eq!(
        shown(&lists[0].redundant_examples),
        [
            "2: x.a.example and below is a.example and below in 0:1",
            "3: y.x.a.example is x.a.example and below in 0:2",
        ]
    );
    assert_eq!(
        shown(&lists[0].repeated),
        ["4: a.example is a.example and below in 0:1"]
    );
}

#[test]
fn a_rule_whose_wider_one_comes_later_or_in_another_list_is_redundant_once() {
    let Checked { lists, .. } = check(&[
        "|a.example^\n@@||a.example^\n|x.a.example^\n",
        "||a.example^\n|a.example^\n",
    ]);
    assert_eq!(counts(&lists), [(3, 0, 2), (1, 1, 0)]);
    assert_eq!(
        shown(&lists[0].redundant_examples),
        [
            "1: a.example is a.example and below in 1:1",
            "3: x.a.example is a.example and below in 1:1"
        ]
    );
}

#[test]
fn rules_that_together_say_as_much_are_shown_by_the_first_of_them() {
    let Checked { lists, .. } = check(&["a.example\n.a.example^\n", "||a.example^\n"]);
    assert_eq!(counts(&lists), [(2, 0, 0), (0, 1, 0)]);
    assert_eq!(
        shown(&lists[1].repeated),
        ["1: a.example and below is a.example in 0:1"]
    );
}

#[test]
fn a_pattern_without_room_is_named_and_decides_nothing() {
    let far_too_large = "/a.{30}b/\n";
    let Checked { compiled, .. } = check(&[&format!("{far_too_large}||b.example^\n/^ad[0-9]/\n")]);
    let refused: Vec<_> = compiled
        .refused_patterns()
        .map(|(pattern, _)| pattern)
        .collect();
    assert_eq!(refused, ["a.{30}b"]);
    let blocked = |name: &str| {
        compiled
            .deciding(&name.parse().unwrap(), EVERYBODY)
            .is_some()
    };
    assert!(blocked("b.example") && blocked("ad1.c.example"));
    assert!(!blocked(&format!("a{}b.example", "x".repeat(30))));
}

#[test]
fn neighbours_and_names_that_are_blocked_alone_make_nothing_redundant() {
    let Checked { lists, .. } =
        check(&["|a.example^\n|x.a.example^\n||b.example^\n||xb.example^\n"]);
    assert_eq!(counts(&lists), [(4, 0, 0)]);
    let Checked { lists, .. } =
        check(&[".a.example^\n|a.example^\n|x.a.example^\n||.y.a.example^"]);
    assert_eq!(
        counts(&lists),
        [(3, 0, 1)],
        "below, and not the name itself"
    );
}

#[test]
fn a_name_is_blocked_by_the_strongest_rule_about_it() {
    let list = "||a.example^\n@@||ok.a.example^\n||bad.ok.a.example^$important\n/^ad[0-9]/\n@@|ad1.b.example^\n";
    for (name, rule) in [
        ("a.example", Some("a.example and below 0:1")),
        ("x.a.example", Some("a.example and below 0:1")),
        ("ok.a.example", None),
        ("bad.ok.a.example", Some("bad.ok.a.example and below 0:3")),
        ("ad2.b.example", Some("/^ad[0-9]/ 0:4")),
        ("ad1.b.example", None),
        ("b.example", None),
    ] {
        assert_eq!(blocked(&[list], name).as_deref(), rule, "{name}");
    }
}

#[test]
fn rules_for_names_below_are_not_about_the_name() {
    assert_eq!(blocked(&[".a.example^\n"], "a.example"), None);
    assert_eq!(
        blocked(&[".a.example^\n"], "x.a.example").as_deref(),
        Some("*.a.example 0:1")
    );
}

#[test]
fn a_rule_that_is_cancelled_by_any_list_blocks_nothing() {
    assert_eq!(
        blocked(&["||a.example^\n", "||a.example^$badfilter\n"], "a.example"),
        None
    );
    assert_eq!(
        blocked(&["||-ad-\n", "||-ad-$badfilter\n"], "-ad-.example"),
        None
    );
    assert_eq!(
        blocked(&["|a.example^\n", "||a.example^$badfilter\n"], "a.example").as_deref(),
        Some("a.example 0:1"),
        "another rule"
    );
}

#[test]
fn a_list_without_rules_has_a_report() {
    let Checked { lists, .. } = check(&["192.0.2.1\n"]);
    assert_eq!(counts(&lists), [(0, 0, 0)]);
    assert_eq!(
        (lists[0].report.format, lists[0].report.unusable_entries()),
        (Format::Domains, 1)
    );
}

#[test]
fn a_list_that_is_not_there_is_an_error() {
    let error = Check::default()
        .read(Path::new("/none"), &ListOptions::default(), &mut |_| {})
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no list `/none`: check the path"
    );
}

fn check(texts: &[&str]) -> Checked {
    let dir = TempDir::new().unwrap();
    let mut check = Check::default();
    for (number, text) in texts.iter().enumerate() {
        let path = dir.path().join(number.to_string());
        fs::write(&path, text).unwrap();
        check
            .read(&path, &ListOptions::default(), &mut |_| {})
            .unwrap();
    }
    check.finish().unwrap()
}

fn blocked(texts: &[&str], name: &str) -> Option<String> {
    let blocked = check(texts).blocked(&[name.parse().unwrap()]);
    blocked
        .first()
        .map(|blocked| format!("{} {}", blocked.rule, place(&blocked.at)))
}

/// The lists of a test have numbers for names, in a directory that is another one each time.
fn place(Place { list, line }: &Place) -> String {
    format!("{}:{line}", list.rsplit('/').next().unwrap_or_default())
}

fn counts(lists: &[CheckedList]) -> Vec<(u64, u64, u64)> {
    lists
        .iter()
        .map(|list| (list.report.rules, list.report.repeated, list.redundant))
        .collect()
}

fn shown(findings: &[Finding]) -> Vec<String> {
    let show = |it: &Finding| format!("{}: {} is {} in {}", it.line, it.rule, it.by, place(&it.at));
    findings.iter().map(show).collect()
}
