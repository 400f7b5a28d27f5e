//! Words of a line, and what a word is that is no name.

use std::net::{IpAddr, SocketAddr};

use crate::{NameError, Unusable};

/// Words between blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words<'a>(pub &'a [u8]);

impl Words<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.trim_ascii_start().is_empty()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        let end = text
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

/// A line without its comment, which a `#` begins at the start of the line or behind a blank.
pub(super) fn without_comment(line: &[u8]) -> &[u8] {
    let begins = |at: &usize| *at == 0 || line[*at - 1].is_ascii_whitespace();
    let comment = memchr::memchr_iter(b'#', line).find(begins);
    &line[..comment.unwrap_or(line.len())]
}

/// The first word of a line before any `#`, and the words behind it; nothing where there is none.
pub(super) fn head(line: &[u8]) -> Option<(&[u8], Words<'_>)> {
    let mut words = Words(line.split(|byte| *byte == b'#').next()?);
    Some((words.next()?, words))
}

/// Names what a word is that cannot be a name for the reason given.
pub(crate) fn unusable_word(word: &[u8], error: NameError) -> Unusable {
    match error {
        NameError::BadCharacter => foreign_word(word),
        other => Unusable::Name(other),
    }
}

/// True for what hosts files have in their first column, an interface's name after `%` included.
pub(crate) fn is_address(word: &[u8]) -> bool {
    // Cheaper than a look by the parser, which nearly every name would fail.
    if !word.iter().any(|byte| matches!(byte, b':' | b'.'))
        || word.first().is_some_and(|byte| *byte > b'f')
    {
        return false;
    }
    let address = word.split(|byte| *byte == b'%').next().unwrap_or(word);
    str::from_utf8(address).is_ok_and(|address| address.parse::<IpAddr>().is_ok())
}

/// What a word is that has a character which no name has.
fn foreign_word(word: &[u8]) -> Unusable {
    let has = |bytes: &[u8]| word.iter().any(|byte| bytes.contains(byte));
    match word {
        _ if is_bracketed_address(word) => Unusable::Name(NameError::Address),
        [b'/', .., b'/'] if has(b"^$()[]|\\") => Unusable::Foreign,
        [b'/', ..] => Unusable::Url,
        [b'|', ..] if has(b"/") => Unusable::Url,
        _ if memchr::memmem::find(word, b"://").is_some() => Unusable::Url,
        _ if has(b"|^$=\\()[]+*") => Unusable::Foreign,
        _ if has(b"/:?") => Unusable::Url,
        _ => Unusable::Name(NameError::BadCharacter),
    }
}

/// True for an IPv6 address, in brackets or not, and for any address with a port or a prefix
/// length.
fn is_bracketed_address(word: &[u8]) -> bool {
    let word = word.split(|byte| *byte == b'/').next().unwrap_or(word);
    let bare = word
        .strip_prefix(b"[")
        .and_then(|word| word.strip_suffix(b"]"))
        .unwrap_or(word);
    is_address(bare) || str::from_utf8(word).is_ok_and(|word| word.parse::<SocketAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_formats_are_told_by_what_they_are() {
        for (word, reason) in [
            ("||a.example^", Unusable::Foreign),
            ("/^ad[0-9]+\\./", Unusable::Foreign),
            ("(^|\\.)a\\.example$", Unusable::Foreign),
            ("address=/a.example/", Unusable::Foreign),
            ("https://a.example/b?c=d", Unusable::Url),
            ("a.example/path", Unusable::Url),
            ("a.example:8080", Unusable::Url),
            ("[2001:db8::1]", Unusable::Name(NameError::Address)),
            ("2001:db8::1", Unusable::Name(NameError::Address)),
            ("192.0.2.1:80", Unusable::Name(NameError::Address)),
            ("[2001:db8::1]:80", Unusable::Name(NameError::Address)),
            ("192.0.2.0/24", Unusable::Name(NameError::Address)),
            ("a,example", Unusable::Name(NameError::BadCharacter)),
        ] {
            assert_eq!(
                unusable_word(word.as_bytes(), NameError::BadCharacter),
                reason,
                "{word}"
            );
        }
    }

    #[test]
    fn a_comment_begins_at_the_start_or_behind_a_blank() {
        for (line, without) in [
            ("# a", ""),
            ("a # b", "a "),
            ("a#b", "a#b"),
            ("a#b #c", "a#b "),
            ("", ""),
        ] {
            assert_eq!(
                without_comment(line.as_bytes()),
                without.as_bytes(),
                "{line}"
            );
        }
    }

    #[test]
    fn the_head_of_a_line_ends_before_any_number_sign() {
        let of =
            |line: &'static str| head(line.as_bytes()).map(|(word, words)| (word, words.count()));
        assert_eq!(of(" a.example @b c#d e"), Some((&b"a.example"[..], 2)));
        assert_eq!(of("a.example"), Some((&b"a.example"[..], 0)));
        assert_eq!((of("# a"), of("  "), of("")), (None, None, None));
    }

    #[test]
    fn addresses_are_told_from_names() {
        for word in [
            "0.0.0.0",
            "::",
            "::1",
            "fe80::1%lo0",
            "FF02::1",
            "2001:db8::1",
        ] {
            assert!(is_address(word.as_bytes()), "{word}");
        }
        for word in [
            "a.example",
            "0.0.0",
            "face.example",
            "1.2.3.4.example",
            "dead",
            "",
        ] {
            assert!(!is_address(word.as_bytes()), "{word}");
        }
    }
}
