//! What stands behind a backslash.

use super::Dialect;

/// What an escape means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape<'a> {
    Character(char),
    /// `\d` and the like, as `regex-syntax` has it.
    Class(&'a str),
    /// `\b` and the like, as `regex-syntax` has it.
    Assertion(&'a str),
    /// `\Q`, behind which all stands for itself up to `\E`.
    Quotation,
}

/// Reads the escape that the text begins with; gives what is behind it.
pub(super) fn read(text: &str, dialect: Dialect) -> Result<(Escape<'_>, &str), String> {
    let Some(escaped) = text[1..].chars().next() else {
        return Err("a backslash at the end".into());
    };
    let (whole, rest) = text.split_at(1 + escaped.len_utf8());
    let read = match escaped {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => Escape::Class(whole),
        'b' | 'B' => Escape::Assertion(whole),
        't' => Escape::Character('\t'),
        'n' => Escape::Character('\n'),
        'r' => Escape::Character('\r'),
        'f' => Escape::Character('\x0c'),
        '1'..='9' => return Err(format!("a back-reference (\\{escaped})")),
        'x' => return Ok(hexadecimal(rest, dialect)),
        _ => return of_dialect(escaped, text, dialect),
    };
    Ok((read, rest))
}

fn of_dialect(escaped: char, text: &str, dialect: Dialect) -> Result<(Escape<'_>, &str), String> {
    let (whole, rest) = text.split_at(1 + escaped.len_utf8());
    let unknown = || Err(format!("an escape that is not known (\\{escaped})"));
    let read = match (dialect, escaped) {
        (Dialect::Posix, '<' | '>') | (Dialect::Re2, 'A' | 'z') => Escape::Assertion(whole),
        (Dialect::Posix | Dialect::Re2, 'Q') => Escape::Quotation,
        (Dialect::Posix | Dialect::Re2, 'a') => Escape::Character('\x07'),
        (Dialect::Posix, 'e') => Escape::Character('\x1b'),
        (Dialect::JavaScript | Dialect::Re2, 'v') => Escape::Character('\x0b'),
        (Dialect::JavaScript, '0') => return Ok(octal(&text[1..])),
        (Dialect::Posix, 'y') | (Dialect::JavaScript, 'k') => return unknown(),
        (Dialect::JavaScript, 'u') => {
            return Ok(digits(rest, 4).unwrap_or((Escape::Character('u'), rest)));
        }
        (Dialect::JavaScript, 'c') => return Ok(control(&text[1..])),
        (Dialect::Re2, _) if !escaped.is_ascii_punctuation() => return unknown(),
        // Any other character stands for itself.
        _ => Escape::Character(escaped),
    };
    Ok((read, rest))
}

/// `\x41`, and `\x{41}` where that is known. TRE takes one digit or none for a whole number.
fn hexadecimal(rest: &str, dialect: Dialect) -> (Escape<'_>, &str) {
    if let Some((number, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        && dialect != Dialect::JavaScript
        && let Some(character) = u32::from_str_radix(number, 16)
            .ok()
            .and_then(char::from_u32)
    {
        return (Escape::Character(character), behind);
    }
    let of = |count| digits(rest, count);
    match dialect {
        Dialect::Posix => of(2)
            .or_else(|| of(1))
            .unwrap_or((Escape::Character('\0'), rest)),
        Dialect::JavaScript | Dialect::Re2 => of(2).unwrap_or((Escape::Character('x'), rest)),
    }
}

/// `0`, and up to two more octal digits of the same number (ECMA-262, B.1.2,
/// `LegacyOctalEscapeSequence`).
fn octal(text: &str) -> (Escape<'_>, &str) {
    let is_octal = |byte: &&u8| (b'0'..=b'7').contains(*byte);
    let (number, rest) = text.split_at(text.as_bytes().iter().take(3).take_while(is_octal).count());
    let number = number
        .bytes()
        .fold(0, |number, digit| 8 * number + (digit - b'0'));
    (Escape::Character(char::from(number)), rest)
}

/// So many hexadecimal digits.
fn digits(text: &str, count: usize) -> Option<(Escape<'_>, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_hexdigit());
    let character = u32::from_str_radix(number, 16)
        .ok()
        .filter(|_| is_number)
        .and_then(char::from_u32)?;
    Some((Escape::Character(character), rest))
}

/// `cA` behind a backslash, which stands for itself where there is no letter.
fn control(text: &str) -> (Escape<'_>, &str) {
    match text
        .as_bytes()
        .get(1)
        .filter(|letter| letter.is_ascii_alphabetic())
    {
        Some(letter) => (Escape::Character(char::from(letter & 0x1f)), &text[2..]),
        None => (Escape::Character('\\'), text),
    }
}
