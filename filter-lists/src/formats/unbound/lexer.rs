//! Words of Unbound's configuration.

/// A word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'a> {
    Plain(&'a [u8]),
    /// In double or single quotes, which are not of it.
    Quoted(&'a [u8]),
    /// From a quote that is not closed in its line.
    Unclosed(&'a [u8]),
}

impl<'a> Word<'a> {
    pub const fn text(self) -> &'a [u8] {
        match self {
            Self::Plain(text) | Self::Quoted(text) | Self::Unclosed(text) => text,
        }
    }
}

/// The next word of a line, and what is behind it; `None` at the end of the line or of what stands
/// before a comment. A `#` begins a comment where a word would begin.
pub(super) fn next_word(line: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let text = line.trim_ascii_start();
    match text {
        [] | [b'#', ..] => None,
        [quote @ (b'"' | b'\''), rest @ ..] => Some(match end(rest, |byte| byte == *quote) {
            end if end < rest.len() => (Word::Quoted(&rest[..end]), &rest[end + 1..]),
            _ => (Word::Unclosed(rest), &[]),
        }),
        _ => {
            let (word, rest) = text.split_at(end(text, |byte| {
                byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'')
            }));
            // A keyword ends with its colon.
            match memchr::memchr(b':', word).filter(|colon| is_keyword(&word[..*colon])) {
                Some(colon) => Some((Word::Plain(&text[..=colon]), &text[colon + 1..])),
                None => Some((Word::Plain(word), rest)),
            }
        }
    }
}

/// The keyword that the word is, without its colon.
pub(super) fn keyword(word: Word<'_>) -> Option<&str> {
    let Word::Plain([keyword @ .., b':']) = word else {
        return None;
    };
    str::from_utf8(keyword).ok().filter(|_| is_keyword(keyword))
}

fn is_keyword(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b'-')
}

/// Where the word ends, but for a byte with a backslash before it.
fn end(text: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    let mut escaped = false;
    let at = text.iter().position(|byte| {
        let is_end = !escaped && ends(*byte);
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    at.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_blanks_and_quotes_and_keywords_at_their_colon() {
        for (line, expected) in [
            (
                "local-zone: \"a.example\" static",
                &["local-zone:", "a.example", "static"][..],
            ),
            (
                "local-zone:\"a.example\"static # why",
                &["local-zone:", "a.example", "static"],
            ),
            (
                "local-zone:a.example static#why",
                &["local-zone:", "a.example", "static#why"],
            ),
            ("  # why", &[]),
            (r#"'a "b"' c\ d"#, &["a \"b\"", r"c\ d"]),
            (
                "forward-addr: 192.0.2.1@853#x",
                &["forward-addr:", "192.0.2.1@853#x"],
            ),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
        assert_eq!(
            next_word(b"\"a b"),
            Some((Word::Unclosed(b"a b"), &b""[..]))
        );
    }

    fn words(line: &str) -> Vec<&str> {
        let mut rest = line.as_bytes();
        let next = || {
            let (word, after) = next_word(rest)?;
            rest = after;
            str::from_utf8(word.text()).ok()
        };
        std::iter::from_fn(next).collect()
    }
}
