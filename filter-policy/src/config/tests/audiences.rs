use std::fmt::Write;

use jiff::Timestamp;

use super::{fault, good};
use crate::{
    audiences::Audiences,
    config::{Audience, Config, MOST_AUDIENCES},
};

const GROUPS: &str = r#"
[[group]]
name = "a"
[[group]]
name = "b"
[[group]]
name = "free"
exempt = true
[[schedule]]
name = "day"
time-zone = "UTC"
times = ["daily 08:00-20:00"]
[[schedule]]
name = "monday"
time-zone = "UTC"
times = ["mon 00:00-24:00"]
"#;

fn with(tables: &str) -> Config {
    good(&format!("{GROUPS}{tables}"))
}

fn list(scope: &str) -> String {
    format!("[[list]]\nfile = \"x\"\n{scope}\n")
}

/// Monday at noon.
fn noon() -> Timestamp {
    "2026-01-05T12:00Z".parse().unwrap()
}

/// Tuesday at midnight.
fn midnight() -> Timestamp {
    "2026-01-06T00:00Z".parse().unwrap()
}

#[test]
fn by_default_there_is_one_audience_and_no_group() {
    let config = Config::default();
    assert_eq!(config.audiences(), [Audience::default()]);
    assert_eq!(config.audiences_of(0, noon()), Audiences::from(1));
    assert_eq!(config.audiences_of(1, noon()), Audiences::from(0));
    assert_eq!(config.audiences_of(usize::MAX, noon()), Audiences::from(0));
}

#[test]
fn what_is_for_all_at_all_times_is_of_the_first_audience_wherever_it_stands() {
    let config =
        with(&(list("groups = [\"a\"]") + &list("") + "[[rules]]\nblock = [\"x.example\"]\n"));
    assert_eq!(
        config
            .lists
            .iter()
            .map(|list| list.audience)
            .collect::<Vec<_>>(),
        [1, 0]
    );
    assert_eq!(config.rules[0].audience, 0);
}

#[test]
fn equal_groups_and_schedules_are_one_audience() {
    let lists = [
        r#"groups = ["a", "b"]"#,
        r#"groups = ["b", "a", "b"]"#,
        r#"groups = ["b"]"#,
        r#"groups = ["b"]
schedule = "day""#,
        r#"schedule = "day""#,
    ];
    let tables = lists.map(list).concat() + "[[rules]]\nallow = []\nschedule = \"day\"\n";
    let config = with(&tables);
    assert_eq!(
        config
            .lists
            .iter()
            .map(|list| list.audience)
            .collect::<Vec<_>>(),
        [1, 1, 2, 3, 4]
    );
    assert_eq!(config.rules[0].audience, 4);
    let audience = |groups: Option<&[usize]>, schedule| Audience {
        groups: groups.map(Into::into),
        schedule,
        ..Audience::default()
    };
    let expected = [
        audience(None, None),
        audience(Some(&[1, 2]), None),
        audience(Some(&[2]), None),
        audience(Some(&[2]), Some(0)),
        audience(None, Some(0)),
    ];
    assert_eq!(config.audiences(), expected);
}

#[test]
fn an_audience_is_for_its_groups_and_no_other() {
    let config = with(&list("groups = [\"b\"]"));
    assert_eq!(config.audiences_of(0, noon()), Audiences::from(0b01));
    assert_eq!(config.audiences_of(1, noon()), Audiences::from(0b01));
    assert_eq!(config.audiences_of(2, noon()), Audiences::from(0b11));
}

#[test]
fn an_audience_is_there_while_its_schedule_is_on() {
    let tables = list("schedule = \"day\"") + &list("groups = [\"b\"]\nschedule = \"monday\"");
    let config = with(&tables);
    assert_eq!(
        (
            config.audiences_of(0, noon()),
            config.audiences_of(2, noon())
        ),
        (Audiences::from(0b011), Audiences::from(0b111))
    );
    assert_eq!(
        (
            config.audiences_of(0, midnight()),
            config.audiences_of(2, midnight())
        ),
        (Audiences::from(0b001), Audiences::from(0b001))
    );
    let monday_morning = "2026-01-05T07:59:59.999Z".parse().unwrap();
    assert_eq!(
        (
            config.audiences_of(0, monday_morning),
            config.audiences_of(2, monday_morning)
        ),
        (Audiences::from(0b001), Audiences::from(0b101))
    );
}

#[test]
fn an_exempt_group_has_no_audience_even_if_a_list_is_for_it() {
    let config = with(&list("groups = [\"free\", \"a\"]"));
    assert_eq!(config.audiences_of(3, noon()), Audiences::from(0));
    assert_eq!(config.audiences_of(1, noon()), Audiences::from(0b11));
}

#[test]
fn there_are_no_more_audiences_than_bits_in_all_banks() {
    let mut text = String::new();
    for number in 1..=MOST_AUDIENCES {
        writeln!(text, "[[group]]\nname = \"g{number}\"").unwrap();
    }
    for number in 1..MOST_AUDIENCES {
        writeln!(text, "[[list]]\nfile = \"x\"\ngroups = [\"g{number}\"]").unwrap();
    }
    // Audiences that are there already are no more of them.
    let full = text + "[[list]]\nfile = \"x\"\n[[list]]\nfile = \"x\"\ngroups = [\"g7\"]\n";
    let config = good(&full);
    assert_eq!(config.audiences().len(), MOST_AUDIENCES);
    assert_eq!(
        config.lists.iter().map(|list| list.audience).max(),
        Some(MOST_AUDIENCES - 1)
    );
    assert_eq!(
        config.audiences_of(31, noon()),
        [0, 31].into_iter().collect()
    );
    assert_eq!(
        fault(
            &(full
                + "\n[[rules]]\nblock = [\"x\"]\ngroups = [\"g1024\"]\n[[rules]]\nblock = [\"x\"]\ngroups = [\"g1\", \"g2\"]\n")
        ),
        "line 5124: with this there are more combinations of groups, schedule and action than the 1023 that lists and rules can have \
         besides that of all groups at all times, 1025 in all: use the same of these for several of them, or join groups"
    );
}
