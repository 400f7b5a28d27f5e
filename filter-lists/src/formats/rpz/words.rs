//! Words of an entry of a zone file (RFC 1035, section 5.1), and numbers of seconds in units, which
//! it does not have and BIND does.

/// The words of an entry, which may go over several lines: without comments and parentheses, and
/// with the quotes and backslashes that belong to them.
pub(super) struct Words<'a>(pub &'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let Self(text) = self;
            let (first, rest) = text.split_first()?;
            match first {
                b'(' | b')' => *text = rest,
                first if first.is_ascii_whitespace() => *text = rest,
                b';' => *text = &text[memchr::memchr(b'\n', text).unwrap_or(text.len())..],
                _ => {
                    let (word, rest) = text.split_at(end(text));
                    *text = rest;
                    return Some(word);
                }
            }
        }
    }
}

/// Where the word ends with which the text begins.
fn end(text: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let ends = |byte: &u8| {
        let outside = !quoted && !escaped;
        quoted ^= !escaped && *byte == b'"';
        escaped = !escaped && *byte == b'\\';
        outside && (byte.is_ascii_whitespace() || matches!(byte, b'(' | b')' | b';'))
    };
    text.iter().position(ends).unwrap_or(text.len())
}

/// How many parentheses are open behind the line.
pub(super) fn depth_after(line: &[u8], mut depth: u32) -> u32 {
    let (mut quoted, mut escaped) = (false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b';' => break,
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}

/// Seconds, as a number or in units of which each comes once or several times: `3600`, `1h`,
/// `1W2d`.
pub(super) fn seconds(word: &[u8]) -> Option<u32> {
    let (mut sum, mut number) = (0_u32, None::<u32>);
    for byte in word {
        if byte.is_ascii_digit() {
            number = Some(
                number
                    .unwrap_or(0)
                    .checked_mul(10)?
                    .checked_add(u32::from(byte - b'0'))?,
            );
            continue;
        }
        let unit = match byte.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 60 * 60,
            b'd' => 24 * 60 * 60,
            b'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        sum = sum.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    match number {
        // A number without a unit stands alone.
        Some(number) if word.iter().all(u8::is_ascii_digit) => Some(number),
        Some(_) => None,
        None => (!word.is_empty()).then_some(sum),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_parentheses_are_no_words_and_quotes_hold_a_word_together() {
        for (text, expected) in [
            (
                "a.example CNAME . ; why (not)",
                &["a.example", "CNAME", "."][..],
            ),
            (
                "@ SOA a. b. ( 1 ; serial\n 2(3)4 )",
                &["@", "SOA", "a.", "b.", "1", "2", "3", "4"],
            ),
            (
                "a TXT \"b ; (c)\" d\\;e\\ f",
                &["a", "TXT", "\"b ; (c)\"", "d\\;e\\ f"],
            ),
            ("a TXT \"b \\\" c\"", &["a", "TXT", "\"b \\\" c\""]),
            (" ; nothing", &[]),
        ] {
            let words: Vec<_> = Words(text.as_bytes())
                .map(|word| str::from_utf8(word).unwrap())
                .collect();
            assert_eq!(words, expected, "{text}");
        }
    }

    #[test]
    fn seconds_are_read_in_units_of_any_case() {
        for (word, expected) in [
            ("0", Some(0)),
            ("3600", Some(3600)),
            ("1h", Some(3600)),
            ("1W2d3H4m5S", Some(788_645)),
            ("30D", Some(2_592_000)),
            ("", None),
            ("h", None),
            ("1h30", None),
            ("1x", None),
            ("4294967296", None),
            ("9999999w", None),
            ("CNAME", None),
        ] {
            assert_eq!(seconds(word.as_bytes()), expected, "{word}");
        }
    }
}
