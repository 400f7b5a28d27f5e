//! AdBlock syntax as AdGuard's DNS filters have it.
//!
//! | rule | is about |
//! | --- | --- |
//! | `\|\|x^` | x and all below it |
//! | `\|x^`, `x` alone, `0.0.0.0 x` | x |
//! | `\|\|x` | names with a label that begins so: x, a.x, and for example.com also example.community |
//! | `.x^` | the names below x |
//! | `x*`, `-ad-`, `\|\|ads*.x^`, `/regex/` | names in which that is found |
//!
//! `@@` allows, `$important` goes before what is not important, and `$badfilter` takes an equal
//! rule out. `$document` says nothing more about a name. Rules with any other modifier are left
//! out, counted by its name; so are rules for the looks of pages, and rules with a path, which no
//! name has.

mod modifiers;
mod subject;

use modifiers::Modifiers;
use subject::{Subject, subject};

use super::{Words, is_address};
use crate::{
    Action, NameError, Scope, Unusable,
    pattern::{Dialect, translate},
    reading::{Guard, Meaning, Reading, Stop, Taken},
};

/// Characters of a pattern below which AdGuard takes it for too general, if it has no modifiers.
const MIN_PATTERN: usize = 4;

pub(super) fn line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let line = line.trim_ascii();
    if is_comment(line) || plain(line, reading)? {
        return Ok(());
    }
    if is_cosmetic(line) {
        return reading.without_rule(Unusable::Cosmetic, line);
    }
    // What stands in a comment is no modifier.
    let without_comment = super::words::without_comment(line).trim_ascii_end();
    let has_blanks = line.iter().any(u8::is_ascii_whitespace);
    if has_blanks && !without_comment.contains(&b'$') && !line.starts_with(b"/") {
        return hosts_line(line, reading);
    }
    let (rule, allows) = line
        .strip_prefix(b"@@")
        .map_or((line, false), |rule| (rule, true));
    let (pattern, options) = split_options(rule);
    let modifiers = match modifiers::read(options, allows) {
        Ok(modifiers) => modifiers,
        Err(name) => return reading.without_rule(Unusable::Modifier(name), line),
    };
    if options.is_none() && pattern.len() < MIN_PATTERN {
        return reading.without_rule(Unusable::TooGeneral, line);
    }
    let rule = Rule {
        line,
        pattern,
        allows,
        has_options: options.is_some(),
        modifiers,
    };
    rule.take(reading)
}

/// Takes `||x^`, which most rules are; true if it was one.
fn plain(line: &[u8], reading: &mut Reading<'_>) -> Result<bool, Stop> {
    match line {
        [b'|', b'|', name @ .., b'^'] if !name.ends_with(b".") => {
            let meaning = Meaning::new(Scope::Subtree, reading.action(), Guard::Open);
            reading.try_name(name, meaning).map(|taken| taken.is_ok())
        }
        _ => Ok(false),
    }
}

/// True for a line that hardly any other format has.
pub(crate) fn is_rule(line: &[u8]) -> bool {
    matches!(line, [b'|', ..] | [b'@', b'@', b'|' | b'/', ..])
        || line.ends_with(b"^")
        || is_cosmetic(line)
}

struct Rule<'a> {
    line: &'a [u8],
    pattern: &'a [u8],
    allows: bool,
    has_options: bool,
    modifiers: Modifiers,
}

impl Rule<'_> {
    fn take(&self, reading: &mut Reading<'_>) -> Taken {
        let action = self.action(reading);
        let cancels = self.modifiers.cancels;
        if let [b'/', regex @ .., b'/'] = self.pattern {
            return match translate(&String::from_utf8_lossy(regex), Dialect::JavaScript) {
                Ok(regex) => reading.pattern(&regex, action, cancels, self.line),
                Err(error) => reading.unreadable(error, self.line),
            };
        }
        let is_marked = self.has_options || self.allows;
        if !is_marked && subject::is_name_alone(self.pattern) {
            return match reading.try_name(self.pattern, reading.alone())? {
                Err(error) => {
                    reading.without_rule(super::unusable_word(self.pattern, error), self.line)
                }
                Ok(()) => Ok(()),
            };
        }
        match subject(self.pattern) {
            Subject::Name(name, scope) => {
                let guard = if scope == Scope::Name {
                    Guard::Registries
                } else {
                    Guard::Open
                };
                match reading.try_name(
                    name,
                    Meaning {
                        cancels,
                        ..Meaning::new(scope, action, guard)
                    },
                )? {
                    Err(error) => {
                        reading.without_rule(super::unusable_word(name, error), self.line)
                    }
                    Ok(()) => Ok(()),
                }
            }
            Subject::Regex(regex) => reading.pattern(&regex, action, cancels, self.line),
            Subject::None(reason) => reading.without_rule(reason, self.line),
        }
    }

    fn action(&self, reading: &Reading<'_>) -> Action {
        match (
            self.allows || reading.action() == Action::Allow,
            self.modifiers.important,
        ) {
            (false, false) => Action::Block,
            (true, false) => Action::Allow,
            (false, true) => Action::BlockImportant,
            (true, true) => Action::AllowImportant,
        }
    }
}

fn hosts_line(line: &[u8], reading: &mut Reading<'_>) -> Taken {
    let entry = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut words = Words(entry);
    let Some(first) = words.next() else {
        return Ok(());
    };
    if is_address(first) && !words.is_empty() {
        return words.try_for_each(|name| reading.name(name, reading.alone()));
    }
    if words.is_empty() && !first.starts_with(b"|") && !first.starts_with(b"@") {
        return reading.name(first, reading.alone());
    }
    reading.without_rule(Unusable::SeveralWords, line)
}

fn is_comment(line: &[u8]) -> bool {
    match line {
        [] | [b'!', ..] => true,
        [b'#', ..] => !is_cosmetic(line),
        [b'[', agent @ .., b']'] => agent.iter().any(u8::is_ascii_alphabetic) && !is_address(agent),
        _ => false,
    }
}

/// True for a rule for the looks or the scripts of pages, whatever its dialect.
fn is_cosmetic(line: &[u8]) -> bool {
    let by_hash = memchr::memchr_iter(b'#', line).any(|at| {
        let after_blank = at
            .checked_sub(1)
            .is_some_and(|before| line[before].is_ascii_whitespace());
        match &line[at + 1..] {
            [b'#', ..] | [b'@', b'#', ..] => !after_blank && line.len() > at + 2,
            [b'@', separator @ ..] | separator => {
                matches!(
                    separator,
                    [b'?' | b'%' | b'$', b'#', ..] | [b'$', b'?', b'#', ..]
                )
            }
        }
    });
    let by_dollar = memchr::memchr_iter(b'$', line)
        .any(|at| matches!(line[at + 1..], [b'$', ..] | [b'@', b'$', ..]));
    by_hash || by_dollar
}

/// The pattern, and what is behind the `$` after it. A regular expression may have a `$` of its
/// own.
fn split_options(rule: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let [b'/', rest @ ..] = rule {
        if let Some(end) =
            memchr::memmem::rfind(rest, b"/$").filter(|end| !rest[end + 2..].is_empty())
        {
            return (&rule[..end + 2], Some(&rest[end + 2..]));
        }
        if rest.ends_with(b"/") {
            return (rule, None);
        }
    }
    match memchr::memchr(b'$', rule) {
        Some(at) => (&rule[..at], Some(&rule[at + 1..])),
        None => (rule, None),
    }
}

/// A bracketed or bare address is no pattern.
fn address(pattern: &[u8]) -> Option<Unusable> {
    match super::unusable_word(pattern, NameError::BadCharacter) {
        reason @ Unusable::Name(NameError::Address) => Some(reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
