//! Texts of others, for terminals.

use std::borrow::Cow;

/// This text with escapes for what a terminal may obey: control characters, and those that change
/// the direction of what is around them. Tabs are `\t`, all others as in `\u{1b}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\t' => escaped.push_str("\\t"),
            _ if is_obeyed(character) => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped.into()
}

/// The same of each line, for texts of several.
pub fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

/// Control characters (C0, DEL and C1 of ECMA-48), line separators, and marks of direction
/// (UAX #9).
pub fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_all_else_stays() {
        for (text, expected) in [
            ("a.example", "a.example"),
            ("bücher.example 名", "bücher.example 名"),
            ("\x1b[2J", r"\u{1b}[2J"),
            ("a\tb\r\n", r"a\tb\u{d}\u{a}"),
            ("\u{9b}2J\u{7f}", r"\u{9b}2J\u{7f}"),
            ("a\u{202e}b", r"a\u{202e}b"),
        ] {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(printable_lines("a\nb\x07\n"), "a\nb\\u{7}\n");
    }
}
