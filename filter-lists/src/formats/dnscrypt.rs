//! dnscrypt-proxy's list of blocked names: `x`, `.x` and `*.x` are x with all below, `=x` is x
//! alone, `x*` is about how names begin, `*x*` about what they have in them, and `?`, `[..]` or a
//! `*` in the middle about the whole name.

use std::borrow::Cow;

use super::words::without_comment;
use crate::{
    Scope, Unusable,
    pattern::{Anchor, Dialect, glob, translate},
    reading::{Guard, Meaning, Reading, Taken},
};

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let entry = without_comment(line).trim_ascii();
    let mut words = super::Words(entry);
    let Some(word) = words.next() else {
        return Ok(());
    };
    match words.next() {
        None => name(word, reading),
        Some([b'@', ..]) => reading.without_rule(Unusable::Setting("schedule"), entry),
        Some(_) => reading.without_rule(Unusable::SeveralWords, entry),
    }
}

fn name(word: &[u8], reading: &mut Reading<'_>) -> Taken {
    let subtree = |guard| Meaning::new(Scope::Subtree, reading.action(), guard);
    match word {
        word if is_glob(word) => whole(word, reading),
        [b'*', middle @ .., b'*'] => pattern(middle, Anchor::None, false, word, reading),
        [start @ .., b'*'] => pattern(start, Anchor::Start, false, word, reading),
        [b'=', name @ ..] => reading.name(
            name,
            Meaning::new(Scope::Name, reading.action(), Guard::Open),
        ),
        [b'*', b'.', name @ ..] | [b'.' | b'*', name @ ..] => {
            reading.name(name, subtree(Guard::Open))
        }
        name => reading.name(name, subtree(Guard::Registries)),
    }
}

fn pattern(
    text: &[u8],
    begins: Anchor,
    ends: bool,
    word: &[u8],
    reading: &mut Reading<'_>,
) -> Taken {
    let text = lower_case(text);
    reading.pattern(&glob(&text, begins, ends), reading.action(), false, word)
}

/// A pattern of Go's `filepath.Match`.
fn whole(word: &[u8], reading: &mut Reading<'_>) -> Taken {
    let text = lower_case(word);
    let mut regex = String::from("^");
    let mut rest = &*text;
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                length = rest.find(']').map_or(rest.len(), |end| end + 1);
                match translate(&rest[..length], Dialect::Re2) {
                    Ok(class) => regex.push_str(&class),
                    Err(error) => return reading.unreadable(error, word),
                }
            }
            _ => regex_syntax::escape_into(&rest[..length], &mut regex),
        }
        rest = &rest[length..];
    }
    regex.push('$');
    reading.pattern(&regex, reading.action(), false, word)
}

fn lower_case(text: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(text) {
        text if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            text.to_ascii_lowercase().into()
        }
        text => text,
    }
}

/// True for what is matched against the whole name.
fn is_glob(word: &[u8]) -> bool {
    let inner = word
        .get(1..word.len().saturating_sub(1))
        .unwrap_or_default();
    word.iter().any(|byte| matches!(byte, b'?' | b'[')) || inner.contains(&b'*')
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_name_is_blocked_with_all_below_it_unless_it_is_said_to_be_meant_alone() {
        for line in ["a.example", ".a.example", "*.a.example", "A.Example # why"] {
            assert_eq!(dnscrypt(line), ["block subtree a.example"], "{line}");
        }
        assert_eq!(dnscrypt("=a.example"), ["block name a.example"]);
        assert_eq!(dnscrypt("*.zip"), ["block subtree zip"]);
        assert_eq!(dnscrypt("zip"), ["- single_label"]);
    }

    #[test]
    fn stars_at_the_ends_are_about_how_names_begin_and_what_they_have_in_them() {
        assert_eq!(dnscrypt("ads.*"), [r"block pattern ^ads\."]);
        assert_eq!(dnscrypt("*-ad-*"), [r"block pattern \-ad\-"]);
        assert_eq!(dnscrypt("*"), ["- too_general"]);
    }

    #[test]
    fn other_patterns_are_about_the_whole_name() {
        assert_eq!(
            dnscrypt("ad[0-9]*.a.example"),
            [r"block pattern ^ad[0-9].*\.a\.example$"]
        );
        assert_eq!(dnscrypt("ad?.example"), [r"block pattern ^ad.\.example$"]);
        assert_eq!(dnscrypt("ad[.example"), ["- pattern"]);
    }

    #[test]
    fn a_name_with_a_schedule_is_counted() {
        assert_eq!(dnscrypt("a.example @time-to-sleep"), ["- setting schedule"]);
        assert_eq!(dnscrypt("a.example b.example"), ["- several_words"]);
        assert_eq!(dnscrypt("192.0.2.1"), ["- address"]);
    }

    fn dnscrypt(text: &str) -> Vec<String> {
        lines_of(Format::Dnscrypt, text, ListOptions::default())
    }
}
