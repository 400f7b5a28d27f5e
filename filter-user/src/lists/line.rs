//! What one line of a list says.

use std::net::{IpAddr, SocketAddr};

use super::{Format, NameError, Unusable};

/// A line, divided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A blank line or a comment.
    Nothing,
    /// Words that should each be a name.
    Names(Format, Words<'a>),
    /// Something of neither format.
    Unusable(Unusable, &'a [u8]),
}

impl<'a> Line<'a> {
    /// Divides a line. Its own shape tells the format: an address before other words makes it a hosts line, and a
    /// word alone should be a name.
    pub fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii();
        if let [] | [b'#' | b'!', ..] = line {
            return Self::Nothing;
        }
        let Some(entry) = before_comment(line) else {
            return Self::Unusable(Unusable::AdBlock, line);
        };
        let mut words = Words(entry);
        let Some(first) = words.next() else {
            return Self::Nothing;
        };
        if words.is_empty() {
            Self::Names(Format::Domains, Words(entry))
        } else if is_address(first) {
            Self::Names(Format::Hosts, words)
        } else {
            Self::Unusable(several_words(first), entry)
        }
    }
}

/// Words between blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn is_empty(&self) -> bool {
        self.0.trim_ascii_start().is_empty()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

/// Names what a word is that cannot be a name for the reason given.
pub(super) fn unusable_word(word: &[u8], error: NameError) -> Unusable {
    match error {
        NameError::BadCharacter => foreign_word(word),
        other => Unusable::Name(other),
    }
}

/// The part before a comment, which a `#` begins; `None` for a cosmetic rule (`a.example##.banner`), whose `#` must
/// not be taken for one: the rule would block all of a.example.
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

/// True for what hosts files have in their first column, an interface's name after `%` included.
fn is_address(word: &[u8]) -> bool {
    let address = word.split(|byte| *byte == b'%').next().unwrap_or(word);
    str::from_utf8(address).is_ok_and(|address| address.parse::<IpAddr>().is_ok())
}

/// What a line of several words is that begins with no address.
fn several_words(first: &[u8]) -> Unusable {
    match first {
        [b'[' | b'|', ..] | [b'@', b'@', ..] => Unusable::AdBlock,
        [.., b':'] | [b'$', ..] => Unusable::OtherProgram,
        _ => Unusable::SeveralWords,
    }
}

/// What a word is that has a character which no name has.
fn foreign_word(word: &[u8]) -> Unusable {
    let has = |bytes: &[u8]| word.iter().any(|byte| bytes.contains(byte));
    match word {
        _ if is_bracketed_address(word) => Unusable::Name(NameError::Address),
        [b'|', ..] | [b'@', b'@', ..] | [.., b'^'] => Unusable::AdBlock,
        [b'/', .., b'/'] => Unusable::Pattern,
        _ if memchr::memmem::find(word, b"://").is_some() => Unusable::Url,
        _ if has(b"=") => Unusable::OtherProgram,
        _ if has(b"*\\()[]+?^$") => Unusable::Pattern,
        _ if has(b"/:") => Unusable::Url,
        _ => Unusable::Name(NameError::BadCharacter),
    }
}

/// True for an IPv6 address, in brackets or not, and for any address with a port or a prefix length.
fn is_bracketed_address(word: &[u8]) -> bool {
    let word = word.split(|byte| *byte == b'/').next().unwrap_or(word);
    let bare = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")).unwrap_or(word);
    is_address(bare) || str::from_utf8(word).is_ok_and(|word| word.parse::<SocketAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_hold_nothing() {
        for line in ["", "  \t", "\r", "# a.example", "  # a.example", "! a.example", "##"] {
            assert_eq!(Line::of(line.as_bytes()), Line::Nothing, "{line:?}");
        }
    }

    #[test]
    fn a_word_alone_is_a_name() {
        for line in ["a.example", " a.example\t\r", "a.example # why", "a.example#why", "a.example\t## why"] {
            assert_eq!(names(line), (Format::Domains, vec!["a.example"]), "{line:?}");
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
            assert_eq!(names(line), (Format::Hosts, vec!["a.example", "b.example"]), "{line:?}");
        }
    }

    #[test]
    fn an_address_alone_is_a_word_that_is_no_name() {
        assert_eq!(names("192.0.2.1 # scanner"), (Format::Domains, vec!["192.0.2.1"]));
    }

    #[test]
    fn several_words_without_an_address_before_them_are_no_names() {
        for (line, reason) in [
            ("a.example b.example", Unusable::SeveralWords),
            ("a.example CNAME .", Unusable::SeveralWords),
            ("999.0.0.1 a.example", Unusable::SeveralWords),
            ("local-zone: \"a.example\" always_nxdomain", Unusable::OtherProgram),
            ("$TTL 300", Unusable::OtherProgram),
            ("[Adblock Plus 2.0]", Unusable::AdBlock),
        ] {
            assert_eq!(Line::of(line.as_bytes()), Line::Unusable(reason, line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_cosmetic_rule_is_never_read_as_the_name_before_it() {
        for line in
            ["a.example##.ad", "a.example#@#.ad", "a.example#?#div:has(.ad)", "a.example#$#body {}", "a.example#%#x"]
        {
            assert_eq!(Line::of(line.as_bytes()), Line::Unusable(Unusable::AdBlock, line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn words_of_other_formats_are_told_by_what_they_are() {
        for (word, reason) in [
            ("||a.example^", Unusable::AdBlock),
            ("@@||a.example^$important", Unusable::AdBlock),
            ("|a.example^", Unusable::AdBlock),
            ("https://a.example/b?c=d", Unusable::Url),
            ("a.example/path", Unusable::Url),
            ("a.example:8080", Unusable::Url),
            ("*.a.example", Unusable::Pattern),
            ("/^ad[0-9]+\\./", Unusable::Pattern),
            ("(^|\\.)a\\.example$", Unusable::Pattern),
            ("address=/a.example/", Unusable::OtherProgram),
            ("[2001:db8::1]", Unusable::Name(NameError::Address)),
            ("2001:db8::1", Unusable::Name(NameError::Address)),
            ("192.0.2.1:80", Unusable::Name(NameError::Address)),
            ("[2001:db8::1]:80", Unusable::Name(NameError::Address)),
            ("192.0.2.0/24", Unusable::Name(NameError::Address)),
            ("a,example", Unusable::Name(NameError::BadCharacter)),
        ] {
            assert_eq!(unusable_word(word.as_bytes(), NameError::BadCharacter), reason, "{word}");
        }
    }

    fn names(line: &str) -> (Format, Vec<&str>) {
        match Line::of(line.as_bytes()) {
            Line::Names(format, words) => (format, words.map(|word| str::from_utf8(word).unwrap()).collect()),
            other => panic!("{line:?} is {other:?}"),
        }
    }
}
