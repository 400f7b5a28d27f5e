use super::*;
use crate::{Format, ListOptions, tests::lines_of};

#[test]
fn a_zone_that_unbound_answers_for_is_blocked_with_all_below_it() {
    for kind in BLOCKING {
        assert_eq!(
            unbound(&format!("local-zone: \"a.example.\" {kind}")),
            ["block subtree a.example"],
            "{kind}"
        );
    }
    for line in [
        "local-zone: a.example static",
        "local-zone: 'a.example'  \"static\" # why",
        "local-zone:\"a.example\"static",
        "local-zone:\n  \"a.example\" # why\n\n  static",
    ] {
        assert_eq!(unbound(line), ["block subtree a.example"], "{line}");
    }
    assert_eq!(unbound("local-zone: \"zip\" refuse"), ["block subtree zip"]);
}

#[test]
fn a_transparent_zone_blocks_nothing() {
    for kind in TRANSPARENT {
        let line = format!("local-zone: \"a.example.\" {kind}");
        assert_eq!(unbound(&line), [format!("- setting {kind}")]);
    }
}

#[test]
fn several_statements_may_stand_in_a_line() {
    assert_eq!(
        unbound(
            "server: local-zone: \"a.example\" static local-data: 'b.example A 0.0.0.0' local-zone: c.example deny"
        ),
        [
            "block subtree a.example",
            "block name b.example",
            "block subtree c.example"
        ]
    );
}

#[test]
fn data_that_leads_nowhere_blocks_its_name_alone() {
    assert_eq!(
        unbound("local-data: \"a.example A 0.0.0.0\""),
        ["block name a.example"]
    );
    assert_eq!(
        unbound("local-data: \"a.example. 60 IN AAAA ::\""),
        ["block name a.example"]
    );
    assert_eq!(
        unbound("local-data: \"a.example A 192.0.2.1\""),
        ["- answer"]
    );
    assert_eq!(
        unbound("local-data: \"a.example TXT x\""),
        ["- setting local-data"]
    );
}

#[test]
fn what_is_in_a_view_is_for_its_clients_and_counted() {
    assert_eq!(
        unbound(
            "server:\nlocal-zone: a.example static\nview:\n name: kids\n local-zone: b.example static\n \
             local-data: \"c.example A 0.0.0.0\"\nserver:\nlocal-zone: d.example static\n"
        ),
        [
            "block subtree a.example",
            "- setting name",
            "- setting view",
            "- setting view",
            "block subtree d.example"
        ]
    );
}

#[test]
fn other_lines_are_counted_by_what_they_are() {
    assert_eq!(unbound("server:\n  # a comment\n"), [""; 0]);
    assert_eq!(unbound("verbosity: 1"), ["- setting another setting"]);
    assert_eq!(
        unbound("forward-zone:\n name: \".\"\n"),
        ["- setting forward-zone", "- setting name"]
    );
    assert_eq!(
        unbound("local-zone: \"a.example\" allways_nxdomain"),
        ["- foreign"]
    );
    assert_eq!(
        unbound("local-zone: \"a.example\" static#why"),
        ["- foreign"]
    );
    assert_eq!(unbound("local-zone: \"a.example\""), ["- foreign"]);
    assert_eq!(
        unbound("local-zone: \"a.example\"\nlocal-zone: b.example static"),
        ["block subtree b.example", "- foreign"]
    );
    assert_eq!(unbound("local-zone: \"a.example static"), ["- foreign"]);
    assert_eq!(unbound("local-zone: \".\" refuse"), ["- too_general"]);
    assert_eq!(unbound("a.example"), ["- foreign"]);
}

fn unbound(text: &str) -> Vec<String> {
    lines_of(Format::Unbound, text, ListOptions::default())
}
