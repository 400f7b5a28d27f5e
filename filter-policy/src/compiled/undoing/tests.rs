use std::fmt::Write as _;

use filter_lists::{Format, ListOptions};

use super::*;
use crate::compiled::{Builder, hash_key};

#[test]
fn an_exception_is_told_of_what_another_list_blocks() {
    for (blocking, exception, undone) in [
        (
            "||a.example^",
            "@@||a.example^",
            "block a.example subtree one:1",
        ),
        (
            "||a.example^",
            "@@||x.a.example^",
            "block a.example subtree one:1",
        ),
        (
            "||x.a.example^",
            "@@||a.example^",
            "block x.a.example subtree one:1",
        ),
        ("|a.example^", "@@|a.example^", "block a.example name one:1"),
        (
            "/^ad[0-9]/",
            "@@||ad1.example^",
            "block ^ad[0-9] pattern one:1",
        ),
        (
            "||ad1.example^",
            "@@/^ad[0-9]/",
            "block ad1.example subtree one:1",
        ),
        (
            "||a.example^$important",
            "@@||a.example^$important",
            "block_important a.example subtree one:1",
        ),
    ] {
        let told = undoing(&[("one", blocking), ("two", exception)]);
        assert_eq!(
            told,
            format!("1 two:1 undoes {undone}; "),
            "{blocking} and {exception}"
        );
    }
}

#[test]
fn an_exception_that_undoes_nothing_of_another_list_is_not_told() {
    for lists in [
        &[("one", "||a.example^\n@@||a.example^")][..],
        &[("one", "||a.example^"), ("two", "@@||b.example^")],
        &[("one", "||a.example^$important"), ("two", "@@||a.example^")],
        &[("one", "|a.example^"), ("two", "@@|x.a.example^")],
        &[
            ("one", "||a.example^"),
            ("two", "@@||notexample^\n||b.example^"),
        ],
        &[("one", "/^ad[0-9]/"), ("two", "@@||ads.example^")],
    ] {
        assert_eq!(undoing(lists), "0 ", "{lists:?}");
    }
}

#[test]
fn a_rule_that_takes_one_of_another_list_out_is_told() {
    let out = "||a.example^$badfilter";
    assert_eq!(
        undoing(&[
            ("one", "||a.example^\n/^ad[0-9]/"),
            ("two", &format!("{out}\n/^ad[0-9]/$badfilter"))
        ]),
        "2 two takes out block a.example subtree one:1; two takes out block ^ad[0-9] pattern one:2; "
    );
    assert_eq!(undoing(&[("one", &format!("||a.example^\n{out}"))]), "0 ");
}

#[test]
fn a_list_that_is_there_to_allow_is_meant_to_undo() {
    let told = undoing(&[("one", "||a.example^"), ("allow", "a.example")]);
    assert_eq!(told, "0 ");
}

#[test]
fn the_first_few_are_told_in_the_order_of_their_lines_and_all_are_counted() {
    let names: Vec<_> = (0..30).map(|number| format!("n{number}.example")).collect();
    let lines = |before: &str| {
        names
            .iter()
            .map(|name| format!("{before}||{name}^"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let told = undoing(&[("one", &lines("")), ("two", &lines("@@"))]);
    assert!(
        told.starts_with("30 two:1 undoes block n0.example subtree one:1; two:2 undoes"),
        "{told}"
    );
    assert_eq!(told.matches(';').count(), 3);
}

/// What is told of these lists; one that is called `allow` allows.
fn undoing(texts: &[(&str, &str)]) -> String {
    let mut builder = Builder::new(hash_key());
    for (name, text) in texts {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let allow = *name == "allow";
        let options = ListOptions {
            format: Some(Format::AdBlock),
            allow,
            ..ListOptions::default()
        };
        let sink = builder.list(name, 0);
        let mut sink = if allow { sink.allowing() } else { sink };
        filter_lists::load(file.path(), &options, &mut sink, &mut |_| {}).unwrap();
    }
    let compiled = builder.finish().unwrap();
    let Undoing { count, first } = compiled.undoing(3);
    let mut told = format!("{count} ");
    for Undo {
        list, line, undone, ..
    } in first
    {
        let by = line.map_or(format!("{list} takes out"), |line| {
            format!("{list}:{line} undoes")
        });
        let kind = undone.scope.map_or("pattern", Scope::as_str);
        write!(
            told,
            "{by} {} {} {kind} {}:{}; ",
            undone.action,
            undone.rule,
            undone.list,
            undone.line.unwrap()
        )
        .unwrap();
    }
    told
}
