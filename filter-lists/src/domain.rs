//! Names as the rules hold them: a [`Domain`] is canonical or does not exist.

use std::{fmt, str::FromStr};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

/// RFC 1035, section 2.3.4: 255 octets on the wire, which leaves 253 for the text without its
/// trailing dot.
pub const MAX_NAME: usize = 253;

/// RFC 1035, section 2.3.4: "labels: 63 octets or less".
pub const MAX_LABEL: usize = 63;

/// A name in its one canonical form: lower case, ASCII (international labels as `xn--…`), no
/// trailing dot, labels of 1 to 63 octets, 253 octets in all, and not an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// Reads a name as people write it: any case, one trailing dot, international characters.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut name = Vec::new();
        canonical_into(text.trim().as_bytes(), &mut name)?;
        let name = String::from_utf8(name).map_err(|_| NameError::BadCharacter)?;
        Ok(Self(name.into_boxed_str()))
    }

    /// Reads the name of a rule, which has two labels or more: a rule for `com` would block most of
    /// the web.
    pub fn parse_rule(text: &str) -> Result<Self, NameError> {
        let domain = Self::parse(text)?;
        if is_single_label(&domain.0) {
            Err(NameError::SingleLabel)
        } else {
            Ok(domain)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// Why a text is not a name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, thiserror::Error,
)]
pub enum NameError {
    /// Nothing is left of it.
    #[error("it is empty")]
    Empty,
    /// Two dots in a row, or a dot in front.
    #[error("it has an empty label (a dot in front, or two in a row)")]
    EmptyLabel,
    /// More than [`MAX_LABEL`] octets between two dots.
    #[error("a label is longer than 63 characters")]
    LabelTooLong,
    /// More than [`MAX_NAME`] octets.
    #[error("it is longer than 253 characters")]
    TooLong,
    /// Something other than letters, digits, `-`, `_` and dots.
    #[error("it has a character that no name has")]
    BadCharacter,
    /// UTS-46 has no ASCII form for it.
    #[error("its international characters have no ASCII form")]
    NoAsciiForm,
    /// It ends in a number, as IPv4 addresses do.
    #[error("it is an address, not a name")]
    Address,
    /// One label: a top-level domain or a local name.
    #[error("it is a single label, which would block a whole top-level domain")]
    SingleLabel,
    /// Bytes that are not text.
    #[error("it is not UTF-8")]
    NotUtf8,
}

impl NameError {
    /// The word for it in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::EmptyLabel => "empty_label",
            Self::LabelTooLong => "label_too_long",
            Self::TooLong => "name_too_long",
            Self::BadCharacter => "bad_character",
            Self::NoAsciiForm => "no_ascii_form",
            Self::Address => "address",
            Self::SingleLabel => "single_label",
            Self::NotUtf8 => "not_utf8",
        }
    }
}

/// Appends the canonical form of `text` to `out`; after an error `out` is as it was.
///
/// ASCII, which is nearly all that lists hold, is folded while it is copied; only other texts go
/// through UTS-46.
pub fn canonical_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    let result = if text.is_ascii() {
        ascii_into(text, out)
    } else {
        international_into(text, out)
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// True for a canonical name without a parent but the root. The last label is short, so it is
/// looked for from there.
pub fn is_single_label(name: &str) -> bool {
    !name.bytes().rev().any(|octet| octet == b'.')
}

/// The text, if it is a name in its canonical form that has at most 63 octets; whether any other is
/// a name, [`canonical_into`] says. Nearly all lines of most lists are such names, so they are
/// looked at eight octets at a time.
pub(super) fn plainly_canonical(text: &[u8]) -> Option<&str> {
    // SAFETY: what is plainly canonical is ASCII.
    is_plainly_canonical(text).then(|| unsafe { str::from_utf8_unchecked(text) })
}

fn is_plainly_canonical(text: &[u8]) -> bool {
    let ends_like_a_name = text.last().is_some_and(u8::is_ascii_lowercase);
    if !ends_like_a_name || text.len() > MAX_LABEL {
        return false;
    }
    let (words, rest) = text.as_chunks();
    // What is behind the text is like a letter.
    let mut last = [b'a'; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut dots = 0_u64;
    for (place, word) in (0..).step_by(8).zip(words.iter().chain([&last])) {
        let word = u64::from_le_bytes(*word);
        if !has_octets_of_names_alone(word) {
            return false;
        }
        dots |= one_bit_each(octets_within(word, b'.', b'.')) << place;
    }
    // No label is empty: the first octet is no dot, and none follows another.
    dots & (dots << 1 | 1) == 0
}

/// True if each of these eight octets is a lower-case letter, a digit, `-`, `_` or a dot.
fn has_octets_of_names_alone(word: u64) -> bool {
    let ranges = [(b'a', b'z'), (b'-', b'.'), (b'0', b'9'), (b'_', b'_')];
    ranges
        .into_iter()
        .fold(0, |found, (from, to)| found | octets_within(word, from, to))
        == HIGHEST_BITS
}

/// The highest bit of each octet.
const HIGHEST_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The highest bits of the octets that are in this range, which is one of ASCII.
const fn octets_within(word: u64, from: u8, to: u8) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);

    let low = word & !HIGHEST_BITS;
    let at_least = low + (0x80 - from as u64) * EACH;
    let beyond = low + (0x7f - to as u64) * EACH;
    at_least & !beyond & !word & HIGHEST_BITS
}

/// The highest bits of the octets, the first octet's as the lowest bit.
const fn one_bit_each(highest_bits: u64) -> u64 {
    // Each bit comes to the highest octet once, in the order of the octets, and no two sums meet.
    (highest_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

fn international_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), NameError> {
    let text = str::from_utf8(text).map_err(|_| NameError::NotUtf8)?;
    // Lists hold underscores and hyphens in any place, so neither is UTS-46's to refuse.
    let name = Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::Allow,
            DnsLength::Ignore,
        )
        .map_err(|_| NameError::NoAsciiForm)?;
    ascii_into(name.as_bytes(), out)
}

fn ascii_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), NameError> {
    let text = text.strip_suffix(b".").unwrap_or(text);
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let start = out.len();
    out.extend(text.iter().map(|byte| FOLD[usize::from(*byte)]));
    let (mut label, mut numeric) = (0, true);
    for byte in &out[start..] {
        match byte {
            0 => return Err(NameError::BadCharacter),
            b'.' if label == 0 => return Err(NameError::EmptyLabel),
            b'.' if label > MAX_LABEL => return Err(NameError::LabelTooLong),
            b'.' => (label, numeric) = (0, true),
            _ => {
                label += 1;
                numeric &= byte.is_ascii_digit();
            }
        }
    }
    match label {
        0 => Err(NameError::EmptyLabel),
        _ if label > MAX_LABEL => Err(NameError::LabelTooLong),
        _ if text.len() > MAX_NAME => Err(NameError::TooLong),
        _ if numeric => Err(NameError::Address),
        _ => Ok(()),
    }
}

/// The canonical byte for each byte that a name may hold, and 0 for all others.
const FOLD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_one_trailing_dot_do_not_matter() {
        assert_eq!(parse("WWW.Example.COM."), Ok("www.example.com".into()));
        assert_eq!(parse("www.example.com"), Ok("www.example.com".into()));
        assert_eq!(parse("www.example.com.."), Err(NameError::EmptyLabel));
    }

    #[test]
    fn underscores_and_hyphens_stand_anywhere_and_other_characters_nowhere() {
        assert_eq!(
            parse("_dmarc.-a-.ex_ample.com"),
            Ok("_dmarc.-a-.ex_ample.com".into())
        );
        for text in [
            "a b.com", "a/b.com", "*.com", "a:b.com", "a@b.com", "a\0b.com", "||a.com^", "a%b.com",
        ] {
            assert_eq!(parse(text), Err(NameError::BadCharacter), "{text}");
        }
    }

    #[test]
    fn labels_have_1_to_63_characters() {
        let label = |length| format!("{}.com", "a".repeat(length));
        assert_eq!(parse(&label(0)), Err(NameError::EmptyLabel));
        assert!(parse(&label(1)).is_ok());
        assert!(parse(&label(62)).is_ok());
        assert!(parse(&label(63)).is_ok());
        assert_eq!(parse(&label(64)), Err(NameError::LabelTooLong));
        assert_eq!(
            parse(&format!("com.{}", "a".repeat(64))),
            Err(NameError::LabelTooLong)
        );
    }

    #[test]
    fn names_have_up_to_253_characters() {
        let name = |length: usize| {
            let full = ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join(".");
            format!("{full}.{}", "d".repeat(length - full.len() - 1))
        };
        assert!(parse(&name(252)).is_ok());
        assert!(parse(&name(253)).is_ok());
        assert!(
            parse(&format!("{}.", name(253))).is_ok(),
            "the trailing dot does not count"
        );
        assert_eq!(parse(&name(254)), Err(NameError::TooLong));
    }

    #[test]
    fn what_is_plainly_canonical_is_told_by_each_of_its_octets() {
        for octet in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = *b"abcdefghijklmnop.com";
                text[place] = octet;
                let mut canonical = Vec::new();
                let is = canonical_into(&text, &mut canonical).is_ok() && canonical == text;
                let may_be_missed =
                    place == 19 && (octet.is_ascii_digit() || b"-_".contains(&octet));
                assert_eq!(
                    is_plainly_canonical(&text),
                    is && !may_be_missed,
                    "{octet} at {place}"
                );
            }
        }
        for (length, is) in [(0, false), (1, true), (63, true), (64, false)] {
            assert_eq!(is_plainly_canonical(&vec![b'a'; length]), is);
        }
    }

    #[test]
    fn addresses_are_not_names_and_names_that_begin_like_one_are() {
        for text in [
            "0.0.0.0",
            "192.0.2.1",
            "010.1.1.1",
            "1.2.3",
            "7",
            "example.123",
        ] {
            assert_eq!(parse(text), Err(NameError::Address), "{text}");
        }
        for text in ["1.2.3.4.example", "0xf20b415.ru", "123.com", "1.1.1.one"] {
            assert_eq!(parse(text), Ok(text.into()), "{text}");
        }
    }

    #[test]
    fn nothing_is_not_a_name() {
        for text in ["", ".", " "] {
            assert_eq!(parse(text), Err(NameError::Empty), "{text:?}");
        }
    }

    #[test]
    fn a_rule_has_two_labels_and_a_name_that_is_asked_for_may_have_one() {
        assert_eq!(Domain::parse_rule("com"), Err(NameError::SingleLabel));
        assert_eq!(Domain::parse_rule("com."), Err(NameError::SingleLabel));
        assert_eq!(parse("com"), Ok("com".into()));
        assert_eq!(
            Domain::parse_rule("a.com").map(|name| name.to_string()),
            Ok("a.com".into())
        );
    }

    // The expected forms are those of the UTS-46 conformance data (IdnaTestV2.txt) and of
    // RFC 5891's registries.
    #[test]
    fn international_names_become_punycode() {
        for (text, ascii) in [
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example.", "xn--bcher-kva.example"),
            ("faß.de", "xn--fa-hia.de"),
            ("☕.example", "xn--53h.example"),
            ("президент.рф", "xn--d1abbgf6aiiy.xn--p1ai"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("ab_cd.bücher.example", "ab_cd.xn--bcher-kva.example"),
        ] {
            assert_eq!(parse(text), Ok(ascii.into()), "{text}");
        }
    }

    #[test]
    fn international_texts_without_an_ascii_form_are_refused() {
        assert_eq!(parse("a\u{fffd}.example"), Err(NameError::NoAsciiForm));
        assert_eq!(parse("bü cher.example"), Err(NameError::BadCharacter));
        assert_eq!(
            parse(&format!("{}.example", "ü".repeat(64))),
            Err(NameError::LabelTooLong)
        );
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        let mut out = b"kept".to_vec();
        assert_eq!(
            canonical_into(b"m\xfcller.example", &mut out),
            Err(NameError::NotUtf8)
        );
        assert_eq!(out, b"kept");
    }

    proptest! {
        #[test]
        fn a_canonical_name_is_its_own_canonical_form(text in ".{0,300}") {
            if let Ok(name) = Domain::parse(&text) {
                prop_assert_eq!(Domain::parse(name.as_str()), Ok(name));
            }
        }

        #[test]
        fn a_plainly_canonical_text_is_its_own_canonical_form(text in "[a-c0.][a-zA-C0-9._-]{0,70}") {
            let mut canonical = Vec::new();
            let is = canonical_into(text.as_bytes(), &mut canonical).is_ok() && canonical == text.as_bytes();
            prop_assert!(is || !is_plainly_canonical(text.as_bytes()));
            prop_assert_eq!(is && text.len() <= MAX_LABEL && text.ends_with(char::is_alphabetic), is_plainly_canonical(text.as_bytes()));
        }

        #[test]
        fn every_name_keeps_the_bounds(text in "[a-zA-Z0-9_.äß。-]{0,300}") {
            if let Ok(name) = Domain::parse(&text) {
                prop_assert!(name.as_str().len() <= MAX_NAME);
                prop_assert!(name.as_str().split('.').all(|label| (1..=MAX_LABEL).contains(&label.len())));
                prop_assert!(name.as_str().bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()));
            }
        }

        #[test]
        fn every_host_name_is_a_name(text in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,20}[a-z0-9])?){1,4}") {
            prop_assert_eq!(Domain::parse(&text).map(|name| name.to_string()), Ok(text));
        }
    }

    fn parse(text: &str) -> Result<String, NameError> {
        Domain::parse(text).map(|name| name.to_string())
    }
}
