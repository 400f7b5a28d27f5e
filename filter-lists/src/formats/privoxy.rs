//! Privoxy's action files: the patterns below `{+block}` block, those below `{-block}` allow.
//!
//! A pattern is about the labels of a name: `x` is x alone, `.x` x with all below it, `x.` what
//! begins so. A `*` or a `?` stays within its label. What has a path is about URLs.

use std::fmt::Write;

use crate::{
    Action, Scope, Unusable,
    pattern::{Dialect, translate},
    reading::{Guard, Meaning, Reading, Taken},
};

/// What becomes of the patterns that follow.
#[derive(Default)]
pub(super) struct Sections {
    action: Option<Section>,
}

#[derive(Clone, Copy)]
enum Section {
    Block,
    Unblock,
}

impl super::FormatReader for Sections {
    fn line(&mut self, line: &[u8], reading: &mut Reading<'_>) -> Taken {
        let line = line.trim_ascii();
        match line {
            [] | [b'#', ..] => Ok(()),
            [b'{', actions @ ..] => {
                self.action = section(actions);
                Ok(())
            }
            _ => match self.action {
                Some(Section::Block) => pattern(line, reading.action(), reading),
                Some(Section::Unblock) => pattern(line, Action::Allow, reading),
                None => reading.without_rule(Unusable::Setting("another action"), line),
            },
        }
    }
}

fn section(actions: &[u8]) -> Option<Section> {
    let has = |action: &[u8]| memchr::memmem::find(actions, action).is_some();
    match (has(b"+block"), has(b"-block")) {
        (true, _) => Some(Section::Block),
        (false, true) => Some(Section::Unblock),
        (false, false) => None,
    }
}

fn pattern(line: &[u8], action: Action, reading: &mut Reading<'_>) -> Taken {
    if line.starts_with(b"TAG:") || line.starts_with(b"CLIENT-TAG:") {
        return reading.without_rule(Unusable::Setting("TAG"), line);
    }
    let host = line.strip_suffix(b"/").unwrap_or(line);
    if host.is_empty() || host.iter().any(|byte| matches!(byte, b'/' | b':' | b'<')) {
        return reading.without_rule(
            super::unusable_word(host, crate::NameError::BadCharacter),
            line,
        );
    }
    let (scope, name, guard) = match host {
        [b'.', name @ ..] => (Scope::Subtree, name, Guard::Open),
        name => (Scope::Name, name, Guard::Registries),
    };
    if host.ends_with(b".") || host.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) {
        return match regex(scope, name) {
            Ok(regex) => reading.pattern(&regex, action, false, line),
            Err(error) => reading.unreadable(error, line),
        };
    }
    reading.name(name, Meaning::new(scope, action, guard))
}

fn regex(scope: Scope, name: &[u8]) -> Result<String, String> {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let (labels, end) = match name.strip_suffix('.') {
        Some(labels) => (labels, r"(?:\.|$)"),
        None => (&*name, "$"),
    };
    let mut regex = String::from(if scope == Scope::Name {
        "^"
    } else {
        r"(?:^|\.)"
    });
    let mut rest = labels;
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '*' => regex.push_str("[^.]*"),
            '?' => regex.push_str("[^.]"),
            '[' => {
                length = rest.find(']').map_or(rest.len(), |end| end + 1);
                regex.push_str(&translate(&rest[..length], Dialect::Posix)?);
            }
            _ => regex_syntax::escape_into(&rest[..length], &mut regex),
        }
        rest = &rest[length..];
    }
    let _ = write!(regex, "{end}");
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_dot_in_front_is_about_all_below_as_well() {
        assert_eq!(
            privoxy("{+block{ads}}\na.example\n.b.example\n"),
            ["block name a.example", "block subtree b.example"]
        );
        assert_eq!(
            privoxy("{-block}\n.a.example\n"),
            ["allow subtree a.example"]
        );
    }

    #[test]
    fn stars_stay_within_a_label() {
        assert_eq!(
            privoxy("{+block}\nad*.example"),
            [r"block pattern ^ad[^.]*\.example$"]
        );
        assert_eq!(
            privoxy("{+block}\n.ad[0-9].example"),
            [r"block pattern (?:^|\.)ad[0-9]\.example$"]
        );
        assert_eq!(privoxy("{+block}\nads."), [r"block pattern ^ads(?:\.|$)"]);
    }

    #[test]
    fn what_is_about_urls_or_does_something_else_is_counted() {
        let text = "a.example\n{+block}\n/ads/\n.a.example/x\n.a.example:80\nTAG:^x\n{+hide-referrer}\n.b.example\n";
        let other = "- setting another action";
        assert_eq!(
            privoxy(text),
            [other, "- url", "- url", "- url", "- setting TAG", other]
        );
    }

    fn privoxy(text: &str) -> Vec<String> {
        lines_of(Format::Privoxy, text, ListOptions::default())
    }
}
