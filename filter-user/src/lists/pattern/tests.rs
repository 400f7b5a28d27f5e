use proptest::prelude::*;
use regex::bytes::RegexBuilder;

use super::*;

#[test]
fn an_expression_that_says_no_more_than_a_name_is_that_name() {
    for (regex, name, scope) in [
        (r"(\.|^)x\.y$", "x.y", Scope::Subtree),
        (r"(^|\.)x\.y$", "x.y", Scope::Subtree),
        (r"(?:^|[.])x[.]y$", "x.y", Scope::Subtree),
        (r"^(.+\.)?x\.y$", "x.y", Scope::Subtree),
        (r"^(.*\.)?x\.y$", "x.y", Scope::Subtree),
        (r"^([^.]+\.)*x\.y$", "x.y", Scope::Subtree),
        (r"^x\.y$", "x.y", Scope::Name),
        (r"\Ax\.y\z", "x.y", Scope::Name),
        (r"^(X)\.(?:Y)$", "x.y", Scope::Name),
        (r"\.zip$", "zip", Scope::Subdomains),
        (r".*\.zip$", "zip", Scope::Subdomains),
        (r"^.+\.zip$", "zip", Scope::Subdomains),
        (r"^(.+\.)+x\.y$", "x.y", Scope::Subdomains),
        (r"^([^.]+\.)+x\.y$", "x.y", Scope::Subdomains),
        (r"(^|\.)zip$", "zip", Scope::Subtree),
    ] {
        assert_eq!(read(regex), Ok(Pattern::Name(name.into(), scope)), "{regex}");
    }
}

#[test]
fn an_expression_that_says_more_or_less_stays_one() {
    for regex in [
        r"x\.y$",
        r"^x\.y",
        r"(^|\.)x\.y",
        r"(^|\.)x.y$",
        r"(^|-)x\.y$",
        r"^(.+)?x\.y$",
        r"^([a-z]+\.)*x\.y$",
        r"^([^.]+\.){2}x\.y$",
        r"^([^.]+\.)?x\.y$",
        r"^ad[0-9]+\.",
        r"(^|\.)x\.y\.$",
        r"(^|\.)\.x\.y$",
        r"^.$",
    ] {
        assert_eq!(read(regex), Ok(Pattern::Regex(regex.into())), "{regex}");
    }
}

#[test]
fn an_expression_about_every_name_or_none_is_told() {
    for regex in ["", ".*", "^", "$", "^.*$", ".+", "(.*)", "^.*", "[a-z0-9._-]*"] {
        assert_eq!(read(regex), Ok(Pattern::Everything), "{regex}");
    }
    for regex in [r"x\.y/z", "ü", "a b", "^[^a-z0-9._-]", r"(a/|b:)c$"] {
        assert_eq!(read(regex), Ok(Pattern::Nothing), "{regex}");
    }
}

#[test]
fn capitals_in_an_expression_match_names_which_have_none() {
    assert_eq!(read("^AD[A-F]x"), Ok(Pattern::Regex("(?i-u)^AD[A-F]x".into())));
    assert!(matches("(?i-u)^AD[A-F]x", "adbx.example") && !matches("(?i-u)^AD[A-F]x", "adgx.example"));
}

#[test]
fn an_expression_is_read_up_to_its_bound() {
    for length in [MAX_PATTERN - 1, MAX_PATTERN] {
        assert_eq!(read(&"a".repeat(length)), Ok(Pattern::Regex("a".repeat(length))), "{length}");
    }
    assert_eq!(read(&"a".repeat(MAX_PATTERN + 1)), Err(PatternError::TooLong));
}

#[test]
fn what_cannot_be_read_says_why() {
    for (regex, error) in [
        ("(a", "unclosed group"),
        ("[a", "unclosed character class"),
        ("(?=a)b", "look-around, including look-ahead and look-behind, is not supported"),
        ("*a", "repetition operator missing expression"),
    ] {
        assert_eq!(read(regex), Err(PatternError::Syntax(error.into())), "{regex}");
    }
    assert!(read(&"(".repeat(400)).is_err());
}

#[test]
fn a_wildcard_stands_for_any_number_of_characters() {
    for (text, begins, ends, regex) in [
        ("ads*.x.com", Anchor::Label, true, r"(?:^|\.)ads.*\.x\.com$"),
        ("*ads*", Anchor::Start, true, "ads"),
        ("ads.*", Anchor::Start, true, r"^ads\."),
        ("*.x", Anchor::Start, true, r"\.x$"),
        ("a**b", Anchor::None, false, "a.*b"),
    ] {
        assert_eq!(glob(text, begins, ends), regex, "{text}");
    }
}

#[test]
fn brackets_mean_what_their_program_reads() {
    for (regex, dialect, expected) in [
        (r"[a\.]", Dialect::Posix, r"[a\\\.]"),
        (r"[a\.]", Dialect::JavaScript, r"[a\.]"),
        (r"[]a]", Dialect::Posix, r"[\]a]"),
        (r"[a[b]", Dialect::Posix, r"[a\[b]"),
        (r"[[:alnum:]_-]", Dialect::Posix, r"[[:alnum:]\_\-]"),
        (r"[a-z0-9-]", Dialect::Posix, r"[a-z0-9\-]"),
        (r"[^-a&&b]", Dialect::JavaScript, r"[^\-a\&\&b]"),
        (r"[a[b]", Dialect::JavaScript, r"[a\[b]"),
        (r"\/a\.b\-c", Dialect::JavaScript, r"\/a\.b\-c"),
        (r"\a\_", Dialect::Posix, r"a\_"),
    ] {
        assert_eq!(translate(regex, dialect), Ok(expected.into()), "{regex}");
    }
}

#[test]
fn what_no_automaton_can_do_is_refused_by_name() {
    assert_eq!(translate(r"(a)\1", Dialect::Posix), Err(r"a back-reference (\1)".into()));
    assert_eq!(translate(r"a\", Dialect::Posix), Err("a backslash at the end".into()));
    assert_eq!(translate(r"[[.a.]]", Dialect::Posix), Err("a collating element".into()));
    assert_eq!(translate(r"\k", Dialect::JavaScript), Err(r"an escape that is not known (\k)".into()));
}

proptest! {
    #[test]
    fn a_rule_for_a_name_is_about_the_names_that_its_expression_matches(
        regex in prop::sample::select(vec![
            r"(\.|^)x\.y$", r"^(.+\.)?x\.y$", r"^([^.]+\.)*x\.y$", r"^x\.y$", r"\.y$", r".*\.x\.y$", r"^.+\.y$",
            r"^([^.]+\.)+y$", r"(^|\.)y$",
        ]),
        name in "([axy]\\.){0,3}[axy]",
    ) {
        let Ok(Pattern::Name(rule, scope)) = read(regex) else {
            panic!("{regex} is a name");
        };
        let below = name.strip_suffix(&rule).is_some_and(|rest| rest.ends_with('.'));
        let covered = match scope {
            Scope::Name => name == rule,
            Scope::Subdomains => below,
            Scope::Subtree => name == rule || below,
        };
        prop_assert_eq!(matches(regex, &name), covered, "{} and {}", regex, name);
    }

    #[test]
    fn a_translated_expression_can_be_read(regex in "[a-c\\[\\]().*^$|-]{0,12}") {
        for dialect in [Dialect::Posix, Dialect::JavaScript, Dialect::Re2] {
            if let Ok(regex) = translate(&regex, dialect) {
                let _ = read(&regex);
            }
        }
    }
}

fn matches(regex: &str, name: &str) -> bool {
    RegexBuilder::new(regex).unicode(false).build().unwrap().is_match(name.as_bytes())
}
