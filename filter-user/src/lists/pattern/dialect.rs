//! Regular expressions of other programs in the syntax of `regex-syntax`.
//!
//! Outside of brackets the dialects agree as far as names go, but for what is refused here; within brackets they do not.

/// Whose regular expression it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lists) enum Dialect {
    /// POSIX extended, as TRE reads it: a backslash in brackets stands for itself.
    Posix,
    /// JavaScript's.
    JavaScript,
    /// Go's.
    Re2,
}

/// The same expression for `regex-syntax`, or what in it has no counterpart.
pub(in crate::lists) fn translate(regex: &str, dialect: Dialect) -> Result<String, String> {
    let mut out = String::with_capacity(regex.len() + 8);
    let mut rest = regex;
    while let Some(next) = rest.chars().next() {
        rest = match next {
            '[' => brackets(rest, dialect, &mut out)?,
            '\\' => escape(rest, dialect, &mut out)?,
            _ => {
                out.push(next);
                &rest[next.len_utf8()..]
            }
        };
    }
    Ok(out)
}

fn escape<'a>(text: &'a str, dialect: Dialect, out: &mut String) -> Result<&'a str, String> {
    let Some(escaped) = text[1..].chars().next() else {
        return Err("a backslash at the end".into());
    };
    let rest = &text[1 + escaped.len_utf8()..];
    match escaped {
        '1'..='9' => return Err(format!("a back-reference (\\{escaped})")),
        'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'b' | 'B' | 't' | 'n' | 'r' | 'f' | 'v' | 'x' => {}
        '<' | '>' if dialect == Dialect::Posix => {}
        'A' | 'z' | 'a' | 'p' | 'P' if dialect == Dialect::Re2 => {}
        'u' if dialect == Dialect::JavaScript => {}
        _ if escaped.is_ascii_alphanumeric() && dialect != Dialect::Posix => {
            return Err(format!("an escape that is not known (\\{escaped})"));
        }
        // Any other character stands for itself; a `<` would begin a word here.
        _ => {
            literal(escaped, out);
            return Ok(rest);
        }
    }
    out.push('\\');
    out.push(escaped);
    Ok(rest)
}

/// A bracket expression, with all that would mean something else escaped.
fn brackets<'a>(text: &'a str, dialect: Dialect, out: &mut String) -> Result<&'a str, String> {
    let mut rest = &text[1..];
    out.push('[');
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    let mut first = true;
    loop {
        let Some(next) = rest.chars().next() else {
            return Err("a bracket that is not closed".into());
        };
        let after = &rest[next.len_utf8()..];
        rest = match next {
            ']' if !first || dialect == Dialect::JavaScript => {
                out.push(']');
                return Ok(after);
            }
            '[' if rest.starts_with("[:") && dialect != Dialect::JavaScript => named_class(rest, out)?,
            '[' if matches!(after.chars().next(), Some('.' | '=')) && dialect == Dialect::Posix => {
                return Err("a collating element".into());
            }
            '\\' if dialect != Dialect::Posix => escape_in_brackets(rest, dialect, out)?,
            '-' if !is_range(first, after) => {
                out.push_str(r"\-");
                after
            }
            '-' => {
                out.push('-');
                after
            }
            _ => {
                literal(next, out);
                after
            }
        };
        first = false;
    }
}

/// True if a hyphen stands between two ends of a range.
fn is_range(first: bool, after: &str) -> bool {
    !first && !after.starts_with(']')
}

fn escape_in_brackets<'a>(text: &'a str, dialect: Dialect, out: &mut String) -> Result<&'a str, String> {
    match text[1..].chars().next() {
        // A backspace, which no name has.
        Some('b') if dialect == Dialect::JavaScript => Ok(&text[2..]),
        _ => escape(text, dialect, out),
    }
}

/// `[:alnum:]` and the like, which `regex-syntax` knows by the same names.
fn named_class<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let Some(end) = text.find(":]") else {
        return Err("a character class that is not closed".into());
    };
    let (class, rest) = text.split_at(end + 2);
    out.push_str(class);
    Ok(rest)
}

fn literal(character: char, out: &mut String) {
    if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
        out.push('\\');
    }
    out.push(character);
}
