//! Random expressions of a dialect, and random names.

use filter_lists::Domain;
use proptest::{collection::vec, prelude::*, sample::select};

/// Whose expressions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Posix,
    JavaScript,
    Re2,
}

/// Names of a few characters, so that expressions of the same characters match some of them.
///
/// For TRE there is the bound of a word (`\b`) at both ends of any text. It is not asked for names
/// that begin with a hyphen.
pub fn names(dialect: Dialect, count: usize) -> impl Strategy<Value = Vec<String>> {
    let canonical = move |name: &String| {
        let is_asked = dialect != Dialect::Posix || !name.starts_with('-');
        is_asked
            && name
                .parse::<Domain>()
                .is_ok_and(|parsed| parsed.as_str() == name)
    };
    vec(
        "([ab1x_-]{1,4}\\.){0,3}[abx]{1,3}".prop_filter("a canonical name", canonical),
        count,
    )
    .no_shrink()
}

/// Expressions.
pub fn expression(dialect: Dialect) -> BoxedStrategy<String> {
    let leaf =
        prop_oneof![3 => anchor(dialect), 6 => repeatable(dialect), 1 => Just(String::new())];
    let nested = leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            3 => alternatives(dialect, inner),
        ]
    });
    // Without something that has to be there, nearly all expressions are about every name.
    let way = (nested.clone(), needed(), nested)
        .prop_map(|(before, needed, behind)| format!("{before}{needed}{behind}"));
    let top = vec(way, 1..3).prop_map(|ways| ways.join("|"));
    // Behind a `$$`, AdGuard has rules for the looks of pages.
    top.prop_filter("an expression that can be a rule", |text| {
        !text.contains("$$")
    })
    .boxed()
}

/// Alternatives, among them anchors.
///
/// TRE is wrong about two alternatives that may both be nothing, and about repetitions of one: for
/// it, `(^|)a` and `(^|x)?a` find nothing in `ba`. It is asked for neither.
fn alternatives(dialect: Dialect, inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let opens = select(vec!["(", "(?:"]);
    if dialect == Dialect::Posix {
        let other =
            (needed(), inner.clone()).prop_map(|(needed, inner)| format!("{needed}{inner}"));
        let ways = (inner, vec(other, 0..3));
        return (opens, ways)
            .prop_map(|(opens, (first, others))| {
                format!("{opens}{})", [vec![first], others].concat().join("|"))
            })
            .boxed();
    }
    let times = select(vec!["", "", "?", "{2}", "{0,1}", "{1,2}"]);
    (opens, vec(inner, 1..4), times)
        .prop_map(|(opens, ways, times)| format!("{opens}{}){times}", ways.join("|")))
        .boxed()
}

fn needed() -> impl Strategy<Value = &'static str> + Clone {
    select(vec!["a", "b", "x", "1", "ab", r"\.a", "-", "_b", "aa", "A"])
}

/// What can be repeated: something without anchors.
fn repeatable(dialect: Dialect) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        8 => select(vec!["a", "b", "1", "x", "-", "_", "A", "X"]).prop_map(str::to_owned),
        2 => Just(".".to_owned()),
        2 => Just(r"\.".to_owned()),
        1 => Just("ü".to_owned()),
        4 => escape(dialect),
        5 => brackets(dialect),
        5 => vec("[abx1-]", 2..4).prop_map(|characters| format!("({})", characters.join("|"))),
    ];
    // A repetition of what is repeated without end would take the engines that try all ways as
    // long.
    let bounded = select(vec!["", "", "?", "{2}", "{0,1}", "{0}"]);
    let group = (vec(leaf.boxed(), 1..3), bounded).prop_map(move |(parts, times)| match times {
        "" => parts.concat(),
        times => repeated(dialect, &parts.concat(), times),
    });
    let group = group.boxed();
    prop_oneof![
        3 => vec(group.clone(), 1..4).prop_map(|parts| parts.concat()),
        2 => vec(group.clone(), 1..3).prop_map(|ways| format!("({})", ways.join("|"))),
        3 => (vec(group, 1..3), repetition(dialect)).prop_map(move |(ways, times)| repeated(dialect, &ways.join("|"), &times)),
    ]
    .boxed()
}

/// TRE forgets which class it was where it writes a repetition out: for it, `a\\d{2}` finds
/// something in `abc`. It is not asked for that.
fn repeated(dialect: Dialect, inner: &str, times: &str) -> String {
    let has_class = ["[:", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S"]
        .iter()
        .any(|class| inner.contains(class));
    let written_out = ["{2}", "{1,2}"].iter().any(|copies| times.contains(copies));
    let times = if dialect == Dialect::Posix && has_class && written_out {
        "?"
    } else {
        times
    };
    format!("(?:{inner}){times}")
}

fn repetition(dialect: Dialect) -> BoxedStrategy<String> {
    let signs = select(vec!["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{1,}", "{0}"]);
    // Where a program reads these otherwise, and where all do.
    let strange = select(match dialect {
        Dialect::Posix => vec!["{2}{1,2}", "+?{2}", "**", "+*", "{", "{2,1}", "{1,a}"],
        Dialect::JavaScript => vec!["{,2}", "{", "{2}{2}", "**", "{2,1}", "}", "{a}", "]"],
        Dialect::Re2 => vec!["{2,1}", "}", "{a}", "]"],
    });
    let lazy = select(vec!["", "", "?"]);
    prop_oneof![
        12 => (signs, lazy).prop_map(|(sign, lazy)| format!("{sign}{lazy}")),
        1 => strange.prop_map(str::to_owned),
    ]
    .boxed()
}

fn anchor(dialect: Dialect) -> impl Strategy<Value = String> + Clone {
    select(match dialect {
        Dialect::Posix => vec!["^", "$", r"\b", r"\B", r"\<", r"\>", "^*", "^"],
        Dialect::JavaScript => vec!["^", "$", r"\b", r"\B", "(?:^|[.])", "(^|-)"],
        Dialect::Re2 => vec!["^", "$", r"\b", r"\B", r"\A", r"\z", r"(^|\.)"],
    })
    .prop_map(str::to_owned)
}

fn escape(dialect: Dialect) -> impl Strategy<Value = String> {
    let common = [
        r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\-", r"\_", r"\x61", r"\x2d", r"\t", r"\/",
    ];
    let own: &[&str] = match dialect {
        Dialect::Posix => &[
            r"\a", r"\e", r"\v", r"\x{61}", r"\x1", r"\Qa.b\E", r"\A", r"\p", r"\ü",
        ],
        Dialect::JavaScript => &[
            r"\a", r"\e", r"\v", r"\x1", r"\u0061", r"\u61", r"\cA", r"\0", r"\061", r"\08", r"\A",
            r"\p", r"\ü",
        ],
        Dialect::Re2 => &[r"\x{61}", r"\Qa.b\E", r"\a", r"\f"],
    };
    select(
        common
            .into_iter()
            .chain(own.iter().copied())
            .collect::<Vec<_>>(),
    )
    .prop_map(str::to_owned)
}

fn brackets(dialect: Dialect) -> impl Strategy<Value = String> {
    let common = [
        "a", "b", "1", "x", "_", "a-c", "0-9", "A-F", "A-z", "ü", "&", "&&", "~~", "^",
    ];
    let own: &[&str] = match dialect {
        Dialect::Posix => &[
            ".",
            "[:digit:]",
            "[:alnum:]",
            "[:upper:]",
            "[:foo:]",
            r"\",
            r"\d",
            "[",
            "a-c-e",
            "[:punct:]",
        ],
        Dialect::JavaScript => &[
            ".",
            r"\d",
            r"\w",
            r"\W",
            r"\.",
            r"\-",
            r"\b",
            "[",
            "[:alpha:]",
            "a-c-e",
            r"\w-b",
            r"\x61",
        ],
        Dialect::Re2 => &[
            r"\d",
            r"\w",
            r"\S",
            r"\.",
            r"\-",
            "[:alpha:]",
            "[:word:]",
            "[:^alnum:]",
            r"\x61",
        ],
    };
    let item = select(
        common
            .into_iter()
            .chain(own.iter().copied())
            .collect::<Vec<_>>(),
    );
    let least = usize::from(dialect != Dialect::JavaScript);
    let (begins, ends) = (
        select(vec!["", "^", "-", "^-", "^]"]),
        select(vec!["", "-"]),
    );
    (begins, vec(item, least..4), ends).prop_map(move |(begins, mut items, ends)| {
        // TRE is wrong about what ranges leave that overlap: for it, `[^a-cA-F]` finds a `d`.
        if dialect == Dialect::Posix && begins.starts_with('^') {
            items.truncate(1);
        }
        format!("[{begins}{}{ends}]", items.concat())
    })
}
