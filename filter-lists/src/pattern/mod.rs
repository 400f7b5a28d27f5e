//! Patterns: regular expressions and wildcards over names.
//!
//! A pattern costs the kernel more than a name, so one that says no more than a name does becomes
//! that name's rule.

mod alphabet;
mod dialect;
mod general;
mod glob;
mod places;
mod reduce;

use regex_syntax::{Parser, ParserBuilder};

pub(super) use dialect::{Dialect, translate};
pub(super) use glob::{Anchor, glob};

use super::Scope;

/// Bytes of a pattern that are read.
pub const MAX_PATTERN: usize = 1000;

/// Groups in groups that are read.
const MAX_NESTING: u32 = 50;

/// What a regular expression says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// No more than this about a name.
    Name(String, Scope),
    /// Something that only a pattern can say, in the syntax of `regex-syntax`.
    Regex(String),
    /// It says nothing that tells one name from another ([`general::is_general`]).
    TooGeneral,
    /// It matches no name.
    Nothing,
}

/// Why a pattern cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PatternError {
    TooLong,
    Syntax(String),
}

/// Reads a regular expression in the syntax of `regex-syntax` that is about names in any case.
pub(super) fn read(regex: &str) -> Result<Pattern, PatternError> {
    if regex.len() > MAX_PATTERN {
        return Err(PatternError::TooLong);
    }
    let hir = parser()
        .parse(regex)
        .map_err(|error| PatternError::Syntax(first_line(&error)))?;
    Ok(match reduce::reduce(&hir) {
        Some(pattern) => pattern,
        None => Pattern::Regex(lower_case(regex)),
    })
}

fn parser() -> Parser {
    ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(true)
        .nest_limit(MAX_NESTING)
        .build()
}

/// The crate's messages draw the pattern with a mark below; what is wrong stands in their last
/// line.
fn first_line(error: &regex_syntax::Error) -> String {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The same for names in lower case, which are all that there are.
fn lower_case(regex: &str) -> String {
    let has_upper = regex.bytes().any(|byte| byte.is_ascii_uppercase());
    if has_upper {
        format!("(?i-u){regex}")
    } else {
        regex.to_owned()
    }
}

#[cfg(test)]
mod tests;
