//! What the pattern of a rule is about, where only names are asked.
//!
//! AdGuard matches a pattern against `http://NAME/` if it begins with `||` or `://` or has no
//! special characters, and against the name otherwise. `^` is the end of a name: it stands for the
//! slash behind it, or for nothing. A slash in front (`/banner.js`) begins a path here, though
//! AdGuard would take it for the last one of `http://`.

use std::borrow::Cow;

use super::address;
use crate::{
    NameError, Scope, Unusable, canonical_into,
    pattern::{Anchor, glob},
};

/// What a pattern is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// What should be a name.
    Name(&'a [u8], Scope),
    /// What a regular expression says.
    Regex(String),
    /// Nothing that a name can be.
    None(Unusable),
}

/// A pattern, taken apart.
struct Parts<'a> {
    begins: Anchor,
    body: &'a [u8],
    ends: bool,
}

/// What the pattern is about, if it is no name alone.
pub(super) fn subject(pattern: &[u8]) -> Subject<'_> {
    let Some(Parts { begins, body, ends }) = parts(pattern) else {
        return Subject::None(Unusable::NoName);
    };
    if let Some(reason) = address(body) {
        return Subject::None(reason);
    }
    if body.iter().all(|byte| *byte == b'*') {
        return Subject::None(Unusable::TooGeneral);
    }
    if let Some(reason) = foreign(body) {
        return Subject::None(reason);
    }
    match (begins, body) {
        _ if body.contains(&b'*') || !ends => regex(begins, body, ends),
        (Anchor::Label, name) => named(name, Scope::Subtree),
        (Anchor::Start, name) => named(name, Scope::Name),
        (Anchor::None, [b'.', name @ ..]) => named(name, Scope::Subdomains),
        (Anchor::None, _) => regex(begins, body, ends),
    }
}

fn named(name: &[u8], scope: Scope) -> Subject<'_> {
    match name {
        // Behind the dot of a top-level domain nothing can follow, and before another dot a label
        // has to be.
        [.., b'.'] | [b'.', ..] => Subject::None(Unusable::NoName),
        name => Subject::Name(name, scope),
    }
}

fn parts(pattern: &[u8]) -> Option<Parts<'_>> {
    let special = |byte: &u8| matches!(byte, b'*' | b'^' | b'|');
    let is_text = !pattern
        .strip_suffix(b"*")
        .unwrap_or(pattern)
        .iter()
        .any(special);
    let (begins, body, of_url) = match pattern {
        [b'|', b'|', body @ ..] => (Anchor::Label, body, true),
        [b':', b'/', b'/', body @ ..] => (Anchor::Start, body, true),
        [b'|', body @ ..] => (Anchor::Start, body, false),
        body => (Anchor::None, body, is_text),
    };
    let (body, ends) = end(body, of_url)?;
    let after_star = body
        .iter()
        .position(|byte| *byte != b'*')
        .filter(|stars| *stars > 0);
    Some(match after_star {
        Some(stars) => Parts {
            begins: Anchor::None,
            body: &body[stars..],
            ends,
        },
        None => Parts { begins, body, ends },
    })
}

/// The body without what only says that the name ends there, and whether it does. `None` where a
/// bar would have to be the end of a URL, which is a slash.
fn end(pattern: &[u8], of_url: bool) -> Option<(&[u8], bool)> {
    let stars = pattern
        .iter()
        .rev()
        .take_while(|byte| **byte == b'*')
        .count();
    let body = &pattern[..pattern.len() - stars];
    match body {
        [rest @ .., b'^', b'|'] if stars == 0 => Some((rest, true)),
        [_, .., b'|'] if of_url => None,
        [rest @ .., b'|'] if stars == 0 => Some((rest, true)),
        // The slash behind the name, and the end of the URL.
        [rest @ .., b'/', b'^'] if of_url => Some((rest, true)),
        [rest @ .., b'^'] => Some((rest, true)),
        [rest @ .., b'/'] if of_url => Some((rest, true)),
        body => Some((body, false)),
    }
}

fn regex(begins: Anchor, body: &[u8], ends: bool) -> Subject<'_> {
    let Ok(text) = str::from_utf8(body) else {
        return Subject::None(Unusable::Name(NameError::NotUtf8));
    };
    let text: Cow<'_, str> = if text.is_ascii() {
        text.to_ascii_lowercase().into()
    } else {
        let mut ascii = Vec::new();
        match canonical_into(body, &mut ascii) {
            Ok(()) => String::from_utf8_lossy(&ascii).into_owned().into(),
            Err(_) => return Subject::None(Unusable::Name(NameError::NoAsciiForm)),
        }
    };
    Subject::Regex(glob(&text, begins, ends))
}

/// Why a pattern can match no name.
fn foreign(body: &[u8]) -> Option<Unusable> {
    let is_of_a_name =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte) || !byte.is_ascii();
    let byte = body.iter().find(|byte| !is_of_a_name(**byte))?;
    Some(match byte {
        b'/' | b':' | b'?' | b'=' | b'&' | b'%' | b'^' => Unusable::Url,
        _ => Unusable::NoName,
    })
}

/// True for a word that is a name by itself: in a rule of nothing else it is about that name alone.
pub(super) fn is_name_alone(pattern: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
    };
    let dots = pattern.contains(&b'.');
    dots && ends(pattern.first())
        && ends(pattern.last())
        && canonical_into(pattern, &mut Vec::new()) != Err(NameError::BadCharacter)
}
