//! Regular expressions of other programs in the syntax of `regex-syntax`.
//!
//! Each dialect is read by its own rules. What means something else to `regex-syntax` is written as
//! what the dialect means by it; what has no counterpart is refused by name.

mod brackets;
mod escape;

use escape::Escape;

/// Whose regular expression it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// POSIX extended, as TRE reads it.
    Posix,
    /// JavaScript's, without its flags `u` and `v`.
    JavaScript,
    /// Go's.
    Re2,
}

/// The same expression for `regex-syntax`, or what in it has no counterpart.
pub(crate) fn translate(regex: &str, dialect: Dialect) -> Result<String, String> {
    let out = String::with_capacity(regex.len() + 8);
    let mut translation = Translation {
        dialect,
        rest: regex,
        out,
        before: Before::Nothing,
        open: 0,
    };
    while let Some(next) = translation.rest.chars().next() {
        translation.step(next)?;
    }
    Ok(translation.out)
}

/// An expression, read from left to right.
struct Translation<'a> {
    dialect: Dialect,
    rest: &'a str,
    out: String,
    before: Before,
    /// Groups that are not closed yet.
    open: u32,
}

/// What a repetition would repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The expression or an alternative begins here.
    Nothing,
    /// `^`, `$` or another place in the name.
    Assertion,
    Atom,
    /// A repetition, which `?` makes lazy.
    Repetition,
    /// A repetition that is lazy already.
    Lazy,
}

impl Translation<'_> {
    fn step(&mut self, next: char) -> Result<(), String> {
        match next {
            '[' => {
                self.rest = brackets::read(self.rest, self.dialect, &mut self.out)?;
                self.before = Before::Atom;
            }
            '\\' => self.escape()?,
            '(' => self.group()?,
            // POSIX leaves open what it is; TRE takes it for itself.
            ')' if self.dialect == Dialect::Posix && self.open == 0 => {
                self.out.push('\\');
                self.copy(next, Before::Atom);
            }
            ')' => {
                self.open = self.open.saturating_sub(1);
                self.copy(next, Before::Atom);
            }
            '|' => self.copy(next, Before::Nothing),
            '^' | '$' => self.copy(next, Before::Assertion),
            '*' | '+' | '?' => self.repetition(next)?,
            '{' => self.counted_repetition()?,
            _ => self.copy(next, Before::Atom),
        }
        Ok(())
    }

    fn copy(&mut self, next: char, before: Before) {
        self.out.push(next);
        self.rest = &self.rest[next.len_utf8()..];
        self.before = before;
    }

    fn escape(&mut self) -> Result<(), String> {
        let (escape, rest) = escape::read(self.rest, self.dialect)?;
        self.rest = rest;
        self.before = match escape {
            // TRE minds the case of what is escaped.
            Escape::Character(character)
                if self.dialect == Dialect::Posix && character.is_ascii_uppercase() =>
            {
                self.out
                    .extend(["(?-i:", character.encode_utf8(&mut [0; 4]), ")"]);
                Before::Atom
            }
            Escape::Character(character) => {
                literal(character, &mut self.out);
                Before::Atom
            }
            Escape::Class(class) => {
                self.out.push_str(class);
                Before::Atom
            }
            Escape::Assertion(assertion) => {
                self.out.push_str(assertion);
                Before::Assertion
            }
            Escape::Quotation => {
                self.quotation();
                return Ok(());
            }
        };
        Ok(())
    }

    /// Takes what stands for itself up to `\E`.
    fn quotation(&mut self) {
        let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
        for character in quoted.chars() {
            literal(character, &mut self.out);
            self.before = Before::Atom;
        }
        self.rest = rest;
    }

    fn group(&mut self) -> Result<(), String> {
        let inner = &self.rest[1..];
        self.before = Before::Nothing;
        let Some(kind) = inner.strip_prefix('?') else {
            self.open += 1;
            self.copy('(', Before::Nothing);
            return Ok(());
        };
        if let Some(rest) = kind.strip_prefix(':') {
            self.opened("(?:", rest);
            return Ok(());
        }
        // Messages of `regex-syntax` name these.
        if kind.starts_with(['=', '!']) || kind.starts_with("<=") || kind.starts_with("<!") {
            self.opened("(?", kind);
            return Ok(());
        }
        let name = match self.dialect {
            Dialect::Posix => None,
            Dialect::JavaScript => kind.strip_prefix('<'),
            Dialect::Re2 => kind.strip_prefix("P<").or_else(|| kind.strip_prefix('<')),
        };
        if let Some((_, rest)) = name.and_then(|name| name.split_once('>')) {
            self.opened("(", rest);
            return Ok(());
        }
        self.flags(kind)
    }

    fn opened(&mut self, written: &str, rest: &str) {
        self.open += 1;
        self.out.push_str(written);
        self.rest = &self.rest[self.rest.len() - rest.len()..];
    }

    /// Takes `(?i)`, `(?i:` and the like. Flags about lines, captures and the length of a match
    /// change nothing in names.
    fn flags(&mut self, kind: &str) -> Result<(), String> {
        let known: &[char] = match self.dialect {
            Dialect::Posix => &['i', 'n', 'r', 'U', '-'],
            Dialect::JavaScript => &[],
            Dialect::Re2 => &['i', 'm', 's', 'U', '-'],
        };
        let rest = kind.trim_start_matches(known);
        let flags = &kind[..kind.len() - rest.len()];
        let end = rest
            .chars()
            .next()
            .filter(|end| matches!(end, ':' | ')') && !known.is_empty());
        let Some(end) = end else {
            let shown: String = kind.chars().next().into_iter().collect();
            return Err(format!("a group that is not known ((?{shown})"));
        };
        let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
        let case = match (on.contains('i'), off.contains('i')) {
            (_, true) => "-i",
            (true, false) => "i",
            (false, false) => "",
        };
        self.open += u32::from(end == ':');
        if end == ':' || !case.is_empty() {
            self.out.push_str("(?");
            self.out.push_str(case);
            self.out.push(end);
        }
        self.rest = &self.rest[self.rest.len() - rest.len() + 1..];
        Ok(())
    }

    fn repetition(&mut self, sign: char) -> Result<(), String> {
        if sign == '?' && self.before == Before::Repetition {
            self.copy(sign, Before::Lazy);
            return Ok(());
        }
        // TRE keeps `+` and `*` behind these for later.
        if self.dialect == Dialect::Posix && self.before == Before::Repetition {
            return Err(format!("a repetition of a repetition ({sign})"));
        }
        self.repeat()?;
        self.copy(sign, Before::Repetition);
        Ok(())
    }

    /// Takes `{2}`, `{2,}` or `{2,4}`; any other `{` stands for itself or is an error.
    fn counted_repetition(&mut self) -> Result<(), String> {
        let count = self.rest[1..]
            .split_once('}')
            .and_then(|(count, rest)| Some((counted(count)?, rest)));
        let Some(((min, max), rest)) = count else {
            if self.dialect == Dialect::Posix {
                return Err("a `{` without the numbers of a repetition".into());
            }
            self.out.push('\\');
            self.copy('{', Before::Atom);
            return Ok(());
        };
        self.repeat()?;
        let most = match self.dialect {
            Dialect::Posix => 255,
            Dialect::JavaScript => u32::MAX,
            Dialect::Re2 => 1000,
        };
        if min.max(max.unwrap_or_default()) > most {
            return Err(format!("a repetition of more than {most} times"));
        }
        self.out
            .push_str(&self.rest[..self.rest.len() - rest.len()]);
        self.rest = rest;
        self.before = Before::Repetition;
        Ok(())
    }

    /// Looks at what would be repeated.
    fn repeat(&mut self) -> Result<(), String> {
        match (self.dialect, self.before) {
            (_, Before::Atom)
            | (Dialect::Posix, Before::Repetition | Before::Lazy)
            | (Dialect::Re2, Before::Assertion) => Ok(()),
            // TRE repeats the nothing between the two.
            (Dialect::Posix, Before::Nothing | Before::Assertion) => {
                self.out.push_str("(?:)");
                Ok(())
            }
            (_, Before::Repetition | Before::Lazy) => Err("a repetition of a repetition".into()),
            (_, Before::Nothing | Before::Assertion) => Err("a repetition of nothing".into()),
        }
    }
}

/// The least and the most times.
fn counted(text: &str) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    match text.split_once(',') {
        None => number(text).map(|times| (times, Some(times))),
        Some((min, "")) => number(min).map(|min| (min, None)),
        Some((min, max)) => Some((number(min)?, Some(number(max)?))),
    }
}

/// Writes a character that stands for itself, within brackets and outside of them.
fn literal(character: char, out: &mut String) {
    if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
        out.push('\\');
    }
    out.push(character);
}

#[cfg(test)]
mod tests;
