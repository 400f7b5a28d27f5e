use proptest::prelude::*;

use super::{super::read, *};

#[test]
fn brackets_mean_what_their_program_reads() {
    for (regex, dialect, expected) in [
        (r"[a\.]", Dialect::Posix, r"[a\\\.]"),
        (r"[a\.]", Dialect::JavaScript, r"[a\.]"),
        (r"[]a]", Dialect::Posix, r"[\]a]"),
        (r"[a[b]", Dialect::Posix, r"[a\[b]"),
        (r"[[:alnum:]_-]", Dialect::Posix, r"[[:alnum:]\_\-]"),
        (r"[[:^digit:]]", Dialect::Re2, "[[:^digit:]]"),
        (r"[a-z0-9-]", Dialect::Posix, r"[a-z0-9\-]"),
        (r"[%--]", Dialect::Posix, r"[\%-\-]"),
        (r"[^-a&&b]", Dialect::JavaScript, r"[^\-a\&\&b]"),
        (r"[a[b]", Dialect::JavaScript, r"[a\[b]"),
        (r"[a-c-e]", Dialect::JavaScript, r"[a-c\-e]"),
        (r"[\w-z]", Dialect::JavaScript, r"[\w\-z]"),
        (r"[a-\d]", Dialect::JavaScript, r"[a\-\d]"),
        (r"[\w-z]", Dialect::Re2, r"[\w\-z]"),
        (r"[\b]", Dialect::JavaScript, "[\x08]"),
        (r"[[:digit:]]", Dialect::JavaScript, r"[\[\:digit\:]]"),
        ("[]a", Dialect::JavaScript, r"[^\x00-\xff]a"),
        ("[^]a", Dialect::JavaScript, r"[\x00-\xff]a"),
        ("[ü]", Dialect::JavaScript, r"[^\x00-\xff]"),
        ("[aü-ÿ]", Dialect::Posix, "[a]"),
        ("[^b-ü]", Dialect::Posix, r"[^b-\x7f]"),
    ] {
        assert_eq!(translate(regex, dialect), Ok(expected.into()), "{regex}");
    }
}

#[test]
fn escapes_mean_what_their_program_reads() {
    for (regex, dialect, expected) in [
        (r"\/a\.b\-c", Dialect::JavaScript, r"\/a\.b\-c"),
        (r"\a\_\v", Dialect::Posix, "\x07\\_v"),
        (r"\a\e\p{L}", Dialect::JavaScript, r"aep\{L}"),
        (r"\x61\x6\u0061\u61", Dialect::JavaScript, "ax6au61"),
        (r"\x{61}", Dialect::JavaScript, "x{61}"),
        (r"\x61\x{62}\x6.", Dialect::Posix, "ab\x06."),
        (r"\x61\x{62}", Dialect::Re2, "ab"),
        (r"\Qa.b\Ec", Dialect::Posix, r"a\.bc"),
        (r"\Qa+", Dialect::Re2, r"a\+"),
        (r"\cJ\c1", Dialect::JavaScript, "\n\\\\c1"),
        (r"\<ad\b", Dialect::Posix, r"\<ad\b"),
        (r"\<", Dialect::JavaScript, "<"),
        (r"\Aad\z", Dialect::Re2, r"\Aad\z"),
        (r"\Aad\z", Dialect::Posix, "(?-i:A)adz"),
    ] {
        assert_eq!(translate(regex, dialect), Ok(expected.into()), "{regex}");
    }
}

#[test]
fn repetitions_and_groups_mean_what_their_program_reads() {
    for (regex, dialect, expected) in [
        ("*a|*b", Dialect::Posix, "(?:)*a|(?:)*b"),
        ("(*a)", Dialect::Posix, "((?:)*a)"),
        ("^*a", Dialect::Posix, "^(?:)*a"),
        ("a+?*", Dialect::Posix, "a+?*"),
        ("a{2}{3}", Dialect::Posix, "a{2}{3}"),
        ("a{,2}", Dialect::JavaScript, r"a\{,2}"),
        ("a{", Dialect::Re2, r"a\{"),
        ("a{2,}?", Dialect::JavaScript, "a{2,}?"),
        ("^*a", Dialect::Re2, "^*a"),
        ("(?i)a", Dialect::Posix, "(?i)a"),
        ("(?n)a(?U-i:b)", Dialect::Posix, "a(?-i:b)"),
        ("(?ms)a", Dialect::Re2, "a"),
        ("(?P<n>a)", Dialect::Re2, "(a)"),
        ("(a)b)+", Dialect::Posix, r"(a)b\)+"),
        ("(?i)a)", Dialect::Posix, r"(?i)a\)"),
        ("(?<n>a)", Dialect::JavaScript, "(a)"),
    ] {
        assert_eq!(translate(regex, dialect), Ok(expected.into()), "{regex}");
    }
}

#[test]
fn what_has_no_counterpart_is_refused_by_name() {
    for (regex, dialect, error) in [
        (r"(a)\1", Dialect::Posix, r"a back-reference (\1)"),
        (r"a\", Dialect::Posix, "a backslash at the end"),
        ("[[.a.]]", Dialect::Posix, "a collating element"),
        (
            "[[:foo:]]",
            Dialect::Posix,
            "a character class that is not known ([:foo:])",
        ),
        ("[a-c-e]", Dialect::Posix, "a range without its beginning"),
        (
            "[a-[:digit:]]",
            Dialect::Posix,
            "a range with a class at one end",
        ),
        (
            "[z-a]",
            Dialect::JavaScript,
            "a range that ends before it begins (z-a)",
        ),
        (
            r"\k",
            Dialect::JavaScript,
            r"an escape that is not known (\k)",
        ),
        (r"\h", Dialect::Re2, r"an escape that is not known (\h)"),
        (
            r"[\A]",
            Dialect::Re2,
            r"an escape that is not known between brackets (\A)",
        ),
        ("a**", Dialect::Posix, "a repetition of a repetition (*)"),
        ("a**", Dialect::JavaScript, "a repetition of a repetition"),
        ("a{2}{3}", Dialect::Re2, "a repetition of a repetition"),
        (
            "a{256}",
            Dialect::Posix,
            "a repetition of more than 255 times",
        ),
        (
            "a{,2}",
            Dialect::Posix,
            "a `{` without the numbers of a repetition",
        ),
        ("*a", Dialect::JavaScript, "a repetition of nothing"),
        ("^*a", Dialect::JavaScript, "a repetition of nothing"),
        (
            "(?i)a",
            Dialect::JavaScript,
            "a group that is not known ((?i)",
        ),
        ("(?x)a", Dialect::Re2, "a group that is not known ((?x)"),
    ] {
        assert_eq!(translate(regex, dialect), Err(error.into()), "{regex}");
    }
    assert!(read(&translate("(?=a)", Dialect::JavaScript).unwrap()).is_err());
}

proptest! {
    #[test]
    fn a_translated_expression_can_be_read(regex in r"[a-c\\\[\]().*+?{},1:=^$|-]{0,12}") {
        for dialect in [Dialect::Posix, Dialect::JavaScript, Dialect::Re2] {
            if let Ok(regex) = translate(&regex, dialect) {
                let _ = read(&regex);
            }
        }
    }
}
