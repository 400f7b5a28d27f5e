//! Bracket expressions.

use super::{
    Dialect,
    escape::{self, Escape},
    literal,
};

/// What stands between brackets by itself or at the end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item<'a> {
    Character(char),
    /// `\d` or `[:digit:]`, which `regex-syntax` writes the same way.
    Class(&'a str),
}

/// Names of classes that POSIX has.
const POSIX_CLASSES: [&str; 12] = [
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "xdigit",
];

/// Those that Go has besides.
const FURTHER_CLASSES: [&str; 2] = ["ascii", "word"];

/// No octet, and any.
const NONE: &str = r"[^\x00-\xff]";
const ANY: &str = r"[\x00-\xff]";

/// Reads the bracket expression that the text begins with, and writes it; gives what is behind it.
pub(super) fn read<'a>(
    text: &'a str,
    dialect: Dialect,
    out: &mut String,
) -> Result<&'a str, String> {
    let mut rest = &text[1..];
    let negated = rest.strip_prefix('^');
    rest = negated.unwrap_or(rest);
    let mut inner = String::new();
    let mut first = true;
    loop {
        match rest.chars().next() {
            None => return Err("a bracket that is not closed".into()),
            Some(']') if !first || dialect == Dialect::JavaScript => break,
            Some(_) => rest = part(rest, first, dialect, &mut inner)?,
        }
        first = false;
    }
    match (inner.is_empty(), negated.is_some()) {
        (true, false) => out.push_str(NONE),
        (true, true) => out.push_str(ANY),
        (false, negated) => out.extend([if negated { "[^" } else { "[" }, &inner, "]"]),
    }
    Ok(&rest[1..])
}

/// An item or a range of two.
fn part<'a>(
    text: &'a str,
    first: bool,
    dialect: Dialect,
    inner: &mut String,
) -> Result<&'a str, String> {
    let (from, rest) = item(text, dialect)?;
    let behind = rest
        .strip_prefix('-')
        .filter(|behind| !behind.starts_with(']') && !behind.is_empty());
    // POSIX leaves a hyphen that is neither first nor last undefined, and TRE refuses it.
    if dialect == Dialect::Posix && !first && text.starts_with('-') && !text[1..].starts_with(']') {
        return Err("a range without its beginning".into());
    }
    let Some(behind) = behind else {
        write(from, inner);
        return Ok(rest);
    };
    let (to, rest) = item(behind, dialect)?;
    match (from, to) {
        (Item::Character(from), Item::Character(to)) if from > to => {
            Err(format!("a range that ends before it begins ({from}-{to})"))
        }
        (Item::Character(from), Item::Character(to)) => {
            range(from, to, inner);
            Ok(rest)
        }
        _ if dialect == Dialect::JavaScript => {
            write(from, inner);
            write(Item::Character('-'), inner);
            write(to, inner);
            Ok(rest)
        }
        // Go takes a hyphen behind a class for itself.
        (Item::Class(_), _) if dialect == Dialect::Re2 => {
            write(from, inner);
            Ok(&text[text.len() - behind.len() - 1..])
        }
        _ => Err("a range with a class at one end".into()),
    }
}

fn item(text: &str, dialect: Dialect) -> Result<(Item<'_>, &str), String> {
    let next = text.chars().next().unwrap_or_default();
    let after = &text[next.len_utf8()..];
    match next {
        '[' if after.starts_with(':') && dialect != Dialect::JavaScript => {
            named_class(text, dialect)
        }
        '[' if after.starts_with(['.', '=']) && dialect == Dialect::Posix => {
            Err("a collating element".into())
        }
        '\\' if dialect != Dialect::Posix => escaped(text, dialect),
        _ => Ok((Item::Character(next), after)),
    }
}

fn escaped(text: &str, dialect: Dialect) -> Result<(Item<'_>, &str), String> {
    match text[1..].chars().next() {
        Some('b') if dialect == Dialect::JavaScript => {
            return Ok((Item::Character('\x08'), &text[2..]));
        }
        Some('B') if dialect == Dialect::JavaScript => {
            return Ok((Item::Character('B'), &text[2..]));
        }
        _ => {}
    }
    let (escape, rest) = escape::read(text, dialect)?;
    match escape {
        Escape::Character(character) => Ok((Item::Character(character), rest)),
        Escape::Class(class) => Ok((Item::Class(class), rest)),
        Escape::Assertion(_) | Escape::Quotation => Err(format!(
            "an escape that is not known between brackets ({})",
            &text[..text.len() - rest.len()]
        )),
    }
}

/// `[:alnum:]` and the like; Go negates them as well.
fn named_class(text: &str, dialect: Dialect) -> Result<(Item<'_>, &str), String> {
    let Some(end) = text.find(":]") else {
        return Err("a character class that is not closed".into());
    };
    let (class, rest) = text.split_at(end + 2);
    let name = &class[2..end];
    let known = match dialect {
        Dialect::Re2 => {
            let name = name.strip_prefix('^').unwrap_or(name);
            POSIX_CLASSES.contains(&name) || FURTHER_CLASSES.contains(&name)
        }
        _ => POSIX_CLASSES.contains(&name),
    };
    if known {
        Ok((Item::Class(class), rest))
    } else {
        Err(format!("a character class that is not known ({class})"))
    }
}

fn write(item: Item<'_>, inner: &mut String) {
    match item {
        Item::Character(character) => range(character, character, inner),
        Item::Class(class) => inner.push_str(class),
    }
}

/// Writes a range. Names are ASCII, so what is beyond that is left out.
fn range(from: char, to: char, inner: &mut String) {
    if !from.is_ascii() {
        return;
    }
    literal(from, inner);
    if from == to {
        return;
    }
    inner.push('-');
    if to.is_ascii() {
        literal(to, inner);
    } else {
        inner.push_str(r"\x7f");
    }
}
