//! Blanks of other alphabets, and marks that nobody sees.

use std::borrow::Cow;

/// The text with a space for each blank that is not ASCII (no-break and ideographic spaces among
/// them), and without byte order marks, which stand in the middle where files were joined. Bytes
/// that are no UTF-8 stay as they are.
pub(super) fn in_ascii(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() || !has_any(text) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for letter in chunk.valid().chars().filter(|letter| *letter != '\u{feff}') {
            let letter = if letter.is_whitespace() && !letter.is_ascii() {
                ' '
            } else {
                letter
            };
            plain.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        plain.extend_from_slice(chunk.invalid());
    }
    Cow::Owned(plain)
}

fn has_any(text: &[u8]) -> bool {
    let is_one =
        |letter: char| letter == '\u{feff}' || letter.is_whitespace() && !letter.is_ascii();
    text.utf8_chunks()
        .any(|chunk| chunk.valid().contains(is_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_become_spaces_and_marks_nothing() {
        for (text, plain) in [
            ("a.example\u{a0}", "a.example "),
            ("\u{3000}0.0.0.0\u{2003}a.example", " 0.0.0.0 a.example"),
            (
                "\u{feff}a.example\n\u{feff}b.example",
                "a.example\nb.example",
            ),
            ("a\u{2028}b\u{85}c", "a b c"),
            ("b\u{fc}cher.example", "b\u{fc}cher.example"),
            ("a.example", "a.example"),
        ] {
            assert_eq!(&*in_ascii(text.as_bytes()), plain.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        assert_eq!(
            &*in_ascii(b"m\xfcller.example\xc2\xa0\xa0"),
            b"m\xfcller.example \xa0"
        );
    }
}
