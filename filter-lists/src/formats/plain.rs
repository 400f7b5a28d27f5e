//! Hosts files, and lists of one name or one wildcard a line.
//!
//! A line's own shape tells which it is, so the three may stand in one file: an address before
//! other words makes it a hosts line, and a word alone should be a name. `*.x` is about x and the
//! names below it, as their publishers and other programs that read them have it; `||x^` is too,
//! and `@@||x^` allows them, as Pi-hole reads both among names. A `*` anywhere else stands for any
//! number of characters of the whole name.

use super::{Words, is_address};
use crate::{
    Action, NameError, Scope, Unusable,
    pattern::{Anchor, glob},
    reading::{Guard, Meaning, Reading, Taken},
};

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    if reading.plain_line(line)? {
        return Ok(());
    }
    let line = line.trim_ascii();
    if let [] | [b'#' | b'!', ..] = line {
        return Ok(());
    }
    let Some(entry) = before_comment(line) else {
        return reading.without_rule(Unusable::Cosmetic, line);
    };
    let mut words = Words(entry);
    let Some(first) = words.next() else {
        return Ok(());
    };
    if words.is_empty() {
        return alone(first, reading);
    }
    if !is_address(first) {
        return reading.without_rule(Unusable::SeveralWords, entry);
    }
    words.try_for_each(|name| word(name, reading))
}

fn alone(text: &[u8], reading: &mut Reading<'_>) -> Taken {
    let (rule, action) = match text.strip_prefix(b"@@") {
        Some(rule) => (rule, Action::Allow),
        None => (text, reading.action()),
    };
    match rule {
        [b'|', b'|', name @ .., b'^'] => {
            match reading.try_name(name, Meaning::new(Scope::Subtree, action, Guard::Open))? {
                Ok(()) => Ok(()),
                Err(error) => reading.without_rule(super::unusable_word(text, error), text),
            }
        }
        _ => word(text, reading),
    }
}

fn word(word: &[u8], reading: &mut Reading<'_>) -> Taken {
    match reading.try_name(word, reading.alone())? {
        Ok(()) => Ok(()),
        // What hosts files have as the name for their own address.
        Err(NameError::Address) if word == b"0.0.0.0" => {
            reading.report.local += 1;
            Ok(())
        }
        Err(NameError::BadCharacter) if word.contains(&b'*') => wildcard(word, reading),
        Err(error) => reading.without_rule(super::unusable_word(word, error), word),
    }
}

fn wildcard(word: &[u8], reading: &mut Reading<'_>) -> Taken {
    if let Some(parent) = word
        .strip_prefix(b"*.")
        .filter(|parent| !parent.contains(&b'*'))
    {
        return reading.name(
            parent,
            Meaning::new(Scope::Subtree, reading.action(), Guard::Open),
        );
    }
    let is_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"*.-_".contains(byte);
    match str::from_utf8(word) {
        Ok(text) if text.bytes().all(|byte| is_of_a_name(&byte)) => {
            let regex = glob(&text.to_ascii_lowercase(), Anchor::Start, true);
            reading.pattern(&regex, reading.action(), false, word)
        }
        _ => reading.without_rule(super::unusable_word(word, NameError::BadCharacter), word),
    }
}

/// The part before a comment, which a `#` begins; `None` for a cosmetic rule
/// (`a.example##.banner`), whose `#` must not be taken for one: the rule would block all of
/// a.example.
fn before_comment(line: &[u8]) -> Option<&[u8]> {
    let Some(mark) = memchr::memchr(b'#', line) else {
        return Some(line);
    };
    let (entry, comment) = line.split_at(mark);
    let after_blank = entry.last().is_some_and(u8::is_ascii_whitespace);
    match comment {
        [b'#', b'#' | b'@' | b'?' | b'$' | b'%', ..] if !after_blank => None,
        _ => Some(entry),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn blank_lines_and_comments_hold_nothing() {
        for line in [
            "",
            "  \t",
            "\r",
            "# a.example",
            "  # a.example",
            "! a.example",
            "##",
        ] {
            assert_eq!(domains(line), [""; 0], "{line:?}");
        }
    }

    #[test]
    fn a_word_alone_is_a_name() {
        for line in [
            "a.example",
            " a.example\t\r",
            "a.example # why",
            "a.example#why",
            "a.example\t## why",
        ] {
            assert_eq!(domains(line), ["block name a.example"], "{line:?}");
        }
    }

    #[test]
    fn all_words_after_an_address_are_names() {
        for line in [
            "0.0.0.0 a.example b.example",
            "127.0.0.1\ta.example\t\tb.example\r",
            "::1 a.example b.example # c.example",
            "fe80::1%lo0 a.example b.example#c",
        ] {
            assert_eq!(
                domains(line),
                ["block name a.example", "block name b.example"],
                "{line:?}"
            );
        }
    }

    #[test]
    fn what_is_no_name_is_left_out() {
        for (line, reason) in [
            ("192.0.2.1 # scanner", "address"),
            ("a.example b.example", "several_words"),
            ("a.example CNAME .", "several_words"),
            ("999.0.0.1 a.example", "several_words"),
            ("[Adblock Plus 2.0]", "several_words"),
            ("||a.example", "foreign"),
            ("||a.example^$third-party", "foreign"),
            ("||a*.example^", "foreign"),
            ("@@a.example", "bad_character"),
            ("com", "single_label"),
            ("co.uk", "public_suffix"),
            ("*", "too_general"),
        ] {
            assert_eq!(domains(line), [format!("- {reason}")], "{line}");
        }
    }

    #[test]
    fn a_cosmetic_rule_is_never_read_as_the_name_before_it() {
        for line in [
            "a.example##.ad",
            "a.example#@#.ad",
            "a.example#?#div:has(.ad)",
            "a.example#$#body {}",
            "a.example#%#x",
        ] {
            assert_eq!(domains(line), ["- cosmetic"], "{line}");
        }
    }

    #[test]
    fn a_wildcard_is_about_a_name_and_those_below_and_inside_a_name_about_its_parts() {
        assert_eq!(domains("*.a.example"), ["block subtree a.example"]);
        assert_eq!(domains("*.zip"), ["block subtree zip"]);
        assert_eq!(
            domains("s3-*-w.A.example"),
            [r"block pattern ^s3\-.*\-w\.a\.example$"]
        );
        assert_eq!(domains("*a.*.example"), [r"block pattern a\..*\.example$"]);
        assert_eq!(domains("*.a.*"), [r"block pattern \.a\."]);
    }

    #[test]
    fn rules_for_a_name_and_all_below_it_may_stand_among_names() {
        assert_eq!(
            domains("a.example\n||b.example^\n"),
            ["block name a.example", "block subtree b.example"]
        );
        assert_eq!(
            domains("||zip^\n@@||a.zip^ # why\n"),
            ["block subtree zip", "allow subtree a.zip"]
        );
    }

    #[test]
    fn widened_names_are_subtrees_and_suffixes_of_companies_no_names() {
        let widened = ListOptions {
            widen: true,
            ..ListOptions::default()
        };
        let text = "0.0.0.0 a.example\nb.example\n*.c.example\ngithub.io\nuser.github.io\n";
        assert_eq!(
            lines_of(Format::Hosts, text, widened),
            [
                "block subtree a.example",
                "block subtree b.example",
                "block subtree c.example",
                "- public_suffix",
                "block subtree user.github.io"
            ]
        );
        assert_eq!(domains("github.io"), ["block name github.io"]);
    }

    fn domains(text: &str) -> Vec<String> {
        lines_of(Format::Domains, text, ListOptions::default())
    }
}
