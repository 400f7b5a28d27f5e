use filter_core::{ActivePolicy, Effect, Generation, RuleKey, Rules, run_parts};
use proptest::prelude::*;
use regex::bytes::{Regex, RegexBuilder};

use super::*;

fn name(text: &str) -> Name {
    Name::of_text(text).unwrap()
}

/// What matches is its own key, of precedence 1.
fn own_key(patterns: &[PatternId]) -> Vec<(u32, PatternMatch)> {
    vec![(
        0,
        PatternMatch {
            masks: [1, 0, 0, 0, 0],
            keys: [patterns[0].into(), 0, 0, 0, 0],
            lists: [0; 2],
        },
    )]
}

fn compiled(patterns: &[&str]) -> Compiled {
    let compiled = compile(patterns, 1, own_key);
    assert_eq!(compiled.refused, [], "{patterns:?}");
    compiled
}

fn matches(pattern: &str, text: &str) -> bool {
    !compiled(&[pattern]).matching(&name(text)).is_empty()
}

/// The same pattern for the crate `regex`.
fn regex(pattern: &str) -> Regex {
    let mut builder = RegexBuilder::new(pattern);
    builder
        .unicode(false)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .unwrap()
}

#[test]
fn patterns_match_anywhere_unless_they_are_bound() {
    for (pattern, matching, others) in [
        (
            r"ads",
            &["ads.com", "my-ads.com", "com.ads", "xadsx"][..],
            &["a.ds", "ad.com"][..],
        ),
        (
            r"^ad[0-9]+\.",
            &["ad1.foo.com", "ad22.com"],
            &["xad1.foo.com", "ad.com", "ad1"],
        ),
        (
            r"(^|\.)x\.com$",
            &["x.com", "a.x.com"],
            &["ax.com", "x.com.net", "x.comm"],
        ),
        (r"^a.*z$", &["az", "a.b.z"], &["xaz", "azx", "a"]),
        (
            r"^.+[_.-]ads\.",
            &["x.ads.com", "a-b.ads.com"],
            &["ads.com", ".ads.com".trim_start_matches('.')],
        ),
        (
            r"\bads\b",
            &["ads", "x.ads.com", "x-ads-y"],
            &["xads.com", "ads_x", "ads1"],
        ),
        (r"\Bds", &["ads"], &["ds", "a-ds"]),
        (
            r"^(?:a|bc){2,3}$",
            &["abc", "bcbcbc", "aa"],
            &["a", "aaaa", "b"],
        ),
        (r"", &["a"], &[]),
        (r"^$", &[], &["a"]),
        (r"ADS", &["ads", "ADS"], &["ad"]),
    ] {
        for text in matching {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for text in others {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}

#[test]
fn a_dot_inside_a_label_is_no_dot_and_no_letter() {
    let with_dot = Name::of_wire(b"\x07ads.foo\x03com\0").unwrap();
    let with_letter = Name::of_wire(b"\x07adsxfoo\x03com\0").unwrap();
    for (pattern, dot, letter) in [
        (r"ads\.foo", false, false),
        ("ads.foo", true, true),
        ("ads[^a-z]foo", true, false),
        (r"foo\.com$", true, true),
    ] {
        let compiled = compiled(&[pattern]);
        assert_eq!(compiled.matching(&with_dot).len() == 1, dot, "{pattern}");
        assert_eq!(
            compiled.matching(&with_letter).len() == 1,
            letter,
            "{pattern}"
        );
    }
}

#[test]
fn the_root_is_a_name_without_octets() {
    let root = Name::of_wire(b"\0").unwrap();
    assert_eq!(compiled(&["^$", "a", ".*", "."]).matching(&root), [0, 2]);
}

/// Patterns without rules.
struct Alone<'c>(&'c Compiled);

impl Patterns for Alone<'_> {
    /// To the client, one audience of each bank applies: that with the number of the bank.
    fn audiences(&self, word: u32, _: Generation) -> u32 {
        1 << word
    }

    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        self.0.part(slot, index)
    }
}

impl Rules for Alone<'_> {
    fn effect(&self, _: RuleKey, _: Generation) -> Option<&Effect> {
        None
    }
}

/// What matches mean of banks behind the first counts like that of the first, up to the last of
/// them, also at the end of the walk.
#[test]
fn a_match_means_something_in_each_bank() {
    let blocks = |bank: u32, audience: u32| {
        let masks = [0, 1 << audience, 0, 0, 0];
        (
            bank,
            PatternMatch {
                masks,
                keys: [u64::from(bank) + 1; 5],
                lists: [u16::try_from(bank).unwrap(), 0],
            },
        )
    };
    for banks in [
        vec![0],
        vec![1],
        vec![0, 1],
        vec![5, 31],
        (0..32).collect(),
        (1..32).collect(),
    ] {
        for applies in banks.iter().copied().map(Some).chain([None]) {
            let of = |bank: u32| {
                blocks(
                    bank,
                    if applies == Some(bank) {
                        bank
                    } else {
                        bank ^ 1
                    },
                )
            };
            let meaning = |_: &[PatternId]| banks.iter().map(|bank| of(*bank)).collect();
            for pattern in ["^ads$", "ads$", "ads"] {
                let compiled = compile(&[pattern], 32, meaning);
                let mut name = name("ads");
                name.begin_judging(1, 0);
                run_parts(
                    &mut name,
                    &Alone(&compiled),
                    ActivePolicy::default().with_banks(32),
                );
                let found = name.found();
                let expected = applies.map(|bank| (bank, 1 << bank, u64::from(bank) + 1, bank));
                let found = (found.audiences != 0).then_some((
                    found.bank,
                    found.audiences,
                    found.key.0,
                    found.list,
                ));
                assert_eq!(found, expected, "{pattern} of {banks:?}");
            }
        }
    }
}

#[test]
fn of_several_matches_the_highest_precedence_for_the_audience_counts() {
    let masks = [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 2, 0, 0],
        [0, 0, 0, 4, 0],
    ];
    let meaning = |patterns: &[PatternId]| {
        let mut meaning = PatternMatch::default();
        for pattern in patterns {
            for (mask, more) in meaning.masks.iter_mut().zip(masks[*pattern as usize]) {
                *mask |= more;
            }
            meaning.keys = [u64::from(*pattern) + 100; 5];
        }
        vec![(0, meaning)]
    };
    let compiled = compile(&["^a", "b", r"\.c", "d$"], 1, meaning);
    for (text, audiences, expected) in [
        ("ab.c.d", 1, 2),
        ("ab.c.d", 2, 3),
        ("ab.c.d", 4, 4),
        ("ab.c.d", 7, 4),
        ("ab.c.d", 8, 0),
        ("a", 1, 1),
        ("x", 7, 0),
    ] {
        let mut name = name(text);
        name.begin_judging(audiences, 0);
        run_parts(&mut name, &Alone(&compiled), ActivePolicy::default());
        let (precedence, key) = (name.found().precedence as u64, name.found().key.0);
        assert_eq!(precedence, expected, "{text} for {audiences}");
        assert_eq!(key, if precedence == 0 { 0 } else { precedence + 99 });
    }
}

#[test]
fn a_pattern_that_explodes_is_refused_and_the_others_stay() {
    let patterns = [
        "^ads[0-9]*\\.",
        "a.{30}b",
        "x$",
        "(?m)^a",
        "a(",
        "((a{1,100}){1,100}){1,100}",
        "a.{14}b.{14}c",
    ];
    let compiled = compile(&patterns, 1, own_key);
    let refused: Vec<_> = compiled
        .refused
        .iter()
        .map(|refused| (refused.pattern, refused.refusal.clone()))
        .collect();
    let unclosed = Refusal::Syntax("unclosed group".into());
    let expected = [
        (1, Refusal::TooLarge),
        (3, Refusal::Lines),
        (4, unclosed),
        (5, Refusal::TooLong),
        (6, Refusal::TooLarge),
    ];
    assert_eq!(refused, expected);
    assert_eq!(compiled.matching(&name("ads1.x")), [0, 2]);
}

#[test]
fn a_thousand_patterns_that_explode_leave_time_for_the_others() {
    let evil: Vec<_> = (0..1000)
        .map(|number| format!("x{number}.{{20}}y"))
        .collect();
    let patterns: Vec<_> = evil.iter().map(String::as_str).chain(["ads"]).collect();
    let compiled = compile(&patterns, 1, own_key);
    assert_eq!(compiled.refused.len(), 1000);
    assert!(
        compiled
            .refused
            .iter()
            .any(|refused| refused.refusal == Refusal::OutOfTime)
    );
    assert_eq!(compiled.matching(&name("ads.com")), [1000]);
}

/// Patterns with one tail, each of about the same size.
fn alike() -> Vec<String> {
    (10..19)
        .map(|number| format!("(^|\\.)ad{number}\\.example$"))
        .collect()
}

fn within(limits: Limits, patterns: &[String]) -> Compiled {
    compile_within(
        &limits,
        &patterns.iter().map(String::as_str).collect::<Vec<_>>(),
        own_key,
    )
}

/// Patterns that are refused for this reason, which leave the others in force.
fn without_room(compiled: &Compiled, patterns: &[String]) -> usize {
    let is_refused = |pattern| {
        compiled
            .refused
            .iter()
            .any(|refused| refused.pattern == pattern)
    };
    for (pattern, text) in (0..).zip(patterns) {
        let name = name(
            &text
                .replace(r"(^|\.)", "x.")
                .replace(r"\.", ".")
                .replace('$', ""),
        );
        let expected = if is_refused(pattern) {
            vec![]
        } else {
            vec![pattern]
        };
        assert_eq!(compiled.matching(&name), expected, "{name}");
    }
    assert!(
        compiled
            .refused
            .iter()
            .all(|refused| matches!(refused.refusal, Refusal::NoRoom { bytes: 1.. }))
    );
    compiled.refused.len()
}

#[test]
fn transitions_at_the_bound_fit_into_a_part_and_one_more_does_not() {
    let patterns = alike();
    let all = within(Limits::default(), &patterns);
    let [CompiledPart { table, rows, .. }] = &all.parts[..] else {
        panic!("{all:?}")
    };
    let cells = rows * table.columns as usize;
    let limits = Limits {
        parts: 1,
        cells,
        ..Limits::default()
    };
    assert_eq!(without_room(&within(limits, &patterns), &patterns), 0);
    let limits = Limits {
        cells: cells - 1,
        ..limits
    };
    assert_ne!(without_room(&within(limits, &patterns), &patterns), 0);
    assert_eq!(
        without_room(&within(Limits { parts: 9, ..limits }, &patterns), &patterns),
        0
    );
}

#[test]
fn matches_at_the_bound_fit_into_a_part_and_one_more_does_not() {
    let patterns = alike();
    let limits = Limits {
        parts: 1,
        matches: patterns.len(),
        ..Limits::default()
    };
    assert_eq!(without_room(&within(limits, &patterns), &patterns), 0);
    let limits = Limits {
        matches: patterns.len() - 1,
        ..limits
    };
    assert_ne!(without_room(&within(limits, &patterns), &patterns), 0);
    assert_eq!(
        without_room(&within(Limits { parts: 2, ..limits }, &patterns), &patterns),
        0
    );
}

#[test]
fn of_patterns_without_room_those_that_cost_most_are_refused() {
    let costly =
        (0..4).map(|number| format!("^{number}.*a{number}.*b{number}.*c{number}.*\\.com$"));
    let patterns: Vec<_> = alike().into_iter().chain(costly).collect();
    let one = Limits {
        parts: 1,
        cells: 20_000,
        ..Limits::default()
    };
    let compiled = within(one, &patterns);
    let refused: Vec<_> = compiled
        .refused
        .iter()
        .map(|refused| refused.pattern)
        .collect();
    assert_eq!(refused, [9, 10, 11, 12]);
    assert!(
        compiled.refused[0].to_string().contains("this one about"),
        "{}",
        compiled.refused[0]
    );
    assert_eq!(compiled.matching(&name("ad12.example")), [2]);
}

#[test]
fn the_same_patterns_give_the_same_tables() {
    let patterns: Vec<_> = (0..200)
        .map(|number| format!("(^|\\.)ad{number}.*\\.(com|net)$"))
        .collect();
    let patterns: Vec<_> = patterns.iter().map(String::as_str).collect();
    let [first, second] = [(); 2].map(|()| compiled(&patterns));
    for (first, second) in first.parts.iter().zip(&second.parts) {
        assert_eq!(first.table.cells, second.table.cells);
        assert_eq!(
            (first.table.octets, first.table.start),
            (second.table.octets, second.table.start)
        );
    }
}

/// Regular expressions over few letters, so that they match now and then.
fn any_pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "[a-c1]",
        2 => Just(r"\.".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just("-".to_owned()),
        1 => Just("[ab]".to_owned()),
        1 => Just("[^a.]".to_owned()),
        1 => Just(r"\w".to_owned()),
        1 => Just("^".to_owned()),
        1 => Just("$".to_owned()),
        1 => Just(r"\b".to_owned()),
        1 => Just(r"\B".to_owned()),
        1 => Just(".*".to_owned()),
    ];
    atom.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|ways| format!("({})", ways.join("|"))),
            1 => (inner, "[*+?]|\\{0,2\\}|\\{2\\}|\\{1,\\}").prop_map(|(part, times)| format!("({part}){times}")),
        ]
    })
}

/// Labels of octets that patterns name, dots inside them and others.
fn any_labels() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let octet = prop_oneof![8 => 0_usize..5, 1 => Just(5), 1 => Just(6), 1 => Just(7)]
        .prop_map(|place| b"abc1-.A\xe4"[place]);
    proptest::collection::vec(proptest::collection::vec(octet, 1..8), 0..5)
}

/// The name as patterns see it.
fn seen(labels: &[Vec<u8>]) -> Vec<u8> {
    let octet = |octet: &u8| {
        if *octet == b'.' {
            0xff
        } else {
            octet.to_ascii_lowercase()
        }
    };
    let labels: Vec<_> = labels
        .iter()
        .map(|label| label.iter().map(octet).collect::<Vec<_>>())
        .collect();
    labels.join(&b'.')
}

fn wire(labels: &[Vec<u8>]) -> Name {
    let mut octets: Vec<_> = labels
        .iter()
        .flat_map(|label| [&[label.len() as u8], &label[..]].concat())
        .collect();
    octets.push(0);
    Name::of_wire(&octets).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_matches_is_what_the_crate_regex_finds(
        patterns in proptest::collection::vec(any_pattern(), 1..6),
        names in proptest::collection::vec(any_labels(), 1..12),
    ) {
        let patterns: Vec<_> = patterns.iter().map(String::as_str).collect();
        let compiled = compile(&patterns, 1, own_key);
        prop_assert_eq!(&compiled.refused, &[]);
        let regexes: Vec<_> = patterns.iter().map(|pattern| regex(pattern)).collect();
        for labels in names {
            let seen = seen(&labels);
            let expected: Vec<_> = (0..).zip(&regexes).filter(|(_, regex)| regex.is_match(&seen)).map(|(id, _)| id).collect();
            let name = wire(&labels);
            prop_assert_eq!(compiled.matching(&name), &expected[..], "{:?} {}", patterns, name);
            if let Some(text) = as_text(&labels) {
                prop_assert_eq!(compiled.matching(&text), expected, "{:?} {}", patterns, text);
            }
        }
    }
}

/// The same name as text, if it has no dots inside its labels.
fn as_text(labels: &[Vec<u8>]) -> Option<Name> {
    if labels.is_empty() || labels.concat().contains(&b'.') {
        return None;
    }
    Name::of_text(&String::from_utf8(labels.join(&b'.')).ok()?)
}
