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
        (r"^(ü|x)\.y$", "x.y", Scope::Name),
        (r"^(X|x)\.(y|y)$", "x.y", Scope::Name),
    ] {
        assert_eq!(
            read(regex),
            Ok(Pattern::Name(name.into(), scope)),
            "{regex}"
        );
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
        r"^ad(s|x)[0-9]\.",
        r"(-|_)track\.",
        r"^(x|y)?ads\.example$",
        r"^s(1|2|3)\.cdn\.example$",
        r"(^|(-|_))ads\.example$",
    ] {
        assert_eq!(read(regex), Ok(Pattern::Regex(regex.into())), "{regex}");
    }
}

#[test]
fn an_expression_about_every_name_or_none_is_told() {
    for regex in [
        "",
        ".*",
        "^",
        "$",
        "^.*$",
        ".+",
        "(.*)",
        "^.*",
        "[a-z0-9._-]*",
        ".",
        r"\w",
        "[a-z]",
        "a*",
        "[a-m]",
        "^.{3,}$",
        r"\.",
        r"\b",
        "^[a-z]",
        r"\.[a-z]{2,}$",
        "(a|b|[c-z])",
        "x?",
        "[^0-9]",
    ] {
        assert_eq!(read(regex), Ok(Pattern::TooGeneral), "{regex}");
    }
    for regex in [
        "e",
        "ads?",
        r"\d",
        "^.{40,}$",
        "-",
        r"\.(com|net)$",
        r"^[a-z]+\.[a-z]+$",
    ] {
        assert_eq!(read(regex), Ok(Pattern::Regex(regex.into())), "{regex}");
    }
    for regex in [r"x\.y/z", "ü", "a b", "^[^a-z0-9._-]", r"(a/|b:)c$"] {
        assert_eq!(read(regex), Ok(Pattern::Nothing), "{regex}");
    }
}

#[test]
fn capitals_in_an_expression_match_names_which_have_none() {
    assert_eq!(
        read("^AD[A-F]x"),
        Ok(Pattern::Regex("(?i-u)^AD[A-F]x".into()))
    );
    assert!(
        matches("(?i-u)^AD[A-F]x", "adbx.example") && !matches("(?i-u)^AD[A-F]x", "adgx.example")
    );
}

#[test]
fn an_expression_is_read_up_to_its_bound() {
    for length in [MAX_PATTERN - 1, MAX_PATTERN] {
        assert_eq!(
            read(&"a".repeat(length)),
            Ok(Pattern::Regex("a".repeat(length))),
            "{length}"
        );
    }
    assert_eq!(
        read(&"a".repeat(MAX_PATTERN + 1)),
        Err(PatternError::TooLong)
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    for (regex, error) in [
        ("(a", "unclosed group"),
        ("[a", "unclosed character class"),
        (
            "(?=a)b",
            "look-around, including look-ahead and look-behind, is not supported",
        ),
        ("*a", "repetition operator missing expression"),
    ] {
        assert_eq!(
            read(regex),
            Err(PatternError::Syntax(error.into())),
            "{regex}"
        );
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

}

fn matches(regex: &str, name: &str) -> bool {
    RegexBuilder::new(regex)
        .unicode(false)
        .build()
        .unwrap()
        .is_match(name.as_bytes())
}
