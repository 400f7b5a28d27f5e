//! Unbound's configuration: `local-zone: "x" TYPE`, and `local-data: "x A 0.0.0.0"`.
//!
//! A zone is about its name and all below it. The types that answer instead of the name's owner
//! block; the transparent ones do not. Data that leads nowhere is the answer for its name alone.
//! What stands in a `view:` is for some clients, so it is left out.
//!
//! Statements are divided as Unbound's own lexer (util/configlexer.lex, 1.22) does it: by words,
//! and not by lines.

mod data;
mod lexer;

use std::borrow::Cow;

use crate::{
    Scope, Unusable,
    reading::{Guard, Meaning, Reading, Taken},
};
use data::{Data, data};
use lexer::{Word, keyword, next_word};

/// Types of unbound.conf(5), 1.22, under which a name is answered or dropped. `always_null` is in
/// no release's manual as such but in published lists.
const BLOCKING: [&str; 11] = [
    "deny",
    "refuse",
    "static",
    "redirect",
    "inform_deny",
    "inform_redirect",
    "always_refuse",
    "always_nxdomain",
    "always_nodata",
    "always_deny",
    "always_null",
];

const TRANSPARENT: [&str; 8] = [
    "transparent",
    "typetransparent",
    "always_transparent",
    "inform",
    "block_a",
    "noview",
    "nodefault",
    "ipset",
];

/// Clauses, which have statements below them.
const CLAUSES: [&str; 12] = [
    "auth-zone",
    "cachedb",
    "dnscrypt",
    "dnstap",
    "dynlib",
    "forward-zone",
    "python",
    "remote-control",
    "rpz",
    "server",
    "stub-zone",
    "view",
];

const SETTINGS: [&str; 12] = [
    "access-control",
    "access-control-view",
    "domain-insecure",
    "forward-addr",
    "include",
    "include-toplevel",
    "local-data-ptr",
    "local-zone-override",
    "local-zone-tag",
    "name",
    "view-first",
    "zonefile",
];

/// Statements, of which one may go over several lines.
#[derive(Default)]
pub(super) struct Statements {
    in_view: bool,
    /// The statement whose words come next.
    open: Option<Statement>,
    /// The name of a zone whose type comes in another line.
    zone: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Statement {
    Zone,
    Data,
    /// Any other, with as many words as there are.
    Other,
}

impl super::FormatReader for Statements {
    fn line(&mut self, line: &[u8], reading: &mut Reading<'_>) -> Taken {
        if self.open.is_none()
            && let Some((name, kind)) = plain_zone(line)
        {
            return self.zone(name, kind, reading);
        }
        let mut zone = self.zone.take().map(Cow::Owned);
        let mut rest = line;
        while let Some((word, after)) = next_word(rest) {
            rest = after;
            if let Some(keyword) = keyword(word) {
                self.not_closed(zone.take().as_deref(), reading)?;
                self.begin(keyword, word, reading)?;
                continue;
            }
            let text = match word {
                Word::Plain(text) | Word::Quoted(text) => text,
                Word::Unclosed(text) => {
                    self.open = None;
                    return reading.without_rule(Unusable::Foreign, text);
                }
            };
            match (self.open, zone.take()) {
                (Some(Statement::Zone), None) => zone = Some(Cow::Borrowed(text)),
                (Some(Statement::Zone), Some(name)) => self.zone(&name, text, reading)?,
                (Some(Statement::Data), _) => self.data(text, reading)?,
                (Some(Statement::Other), _) => {}
                // Nothing is known of what stands behind a word that is none.
                (None, _) => return reading.without_rule(Unusable::Foreign, line.trim_ascii()),
            }
        }
        if self.open == Some(Statement::Other) {
            self.open = None;
        }
        self.zone = zone.map(Cow::into_owned);
        Ok(())
    }

    fn is_within_entry(&self) -> bool {
        self.open.is_some()
    }

    fn end(&mut self, reading: &mut Reading<'_>) -> Taken {
        let zone = self.zone.take();
        self.not_closed(zone.as_deref(), reading)
    }
}

impl Statements {
    fn begin(&mut self, keyword: &str, word: Word<'_>, reading: &mut Reading<'_>) -> Taken {
        self.open = match keyword {
            "local-zone" => Some(Statement::Zone),
            "local-data" => Some(Statement::Data),
            _ => Some(Statement::Other),
        };
        if let Some(clause) = CLAUSES.into_iter().find(|clause| *clause == keyword) {
            (self.open, self.in_view) = (None, clause == "view");
            let is_foreign = !matches!(clause, "server" | "view");
            return if is_foreign {
                reading.without_rule(Unusable::Setting(clause), word.text())
            } else {
                Ok(())
            };
        }
        if self.open != Some(Statement::Other) {
            return Ok(());
        }
        let known = SETTINGS.into_iter().find(|setting| *setting == keyword);
        reading.without_rule(
            Unusable::Setting(known.unwrap_or("another setting")),
            word.text(),
        )
    }

    /// Leaves out a statement of which a part is missing.
    fn not_closed(&mut self, zone: Option<&[u8]>, reading: &mut Reading<'_>) -> Taken {
        match self.open.take() {
            Some(Statement::Zone) => {
                reading.without_rule(Unusable::Foreign, zone.unwrap_or(b"local-zone:"))
            }
            Some(Statement::Data) => reading.without_rule(Unusable::Foreign, b"local-data:"),
            Some(Statement::Other) | None => Ok(()),
        }
    }

    fn zone(&mut self, name: &[u8], kind: &[u8], reading: &mut Reading<'_>) -> Taken {
        self.open = None;
        if self.in_view {
            return reading.without_rule(Unusable::Setting("view"), name);
        }
        let is = |known: &&str| known.as_bytes() == kind;
        if let Some(kind) = TRANSPARENT.into_iter().find(is) {
            return reading.without_rule(Unusable::Setting(kind), name);
        }
        match (name, BLOCKING.into_iter().any(|known| is(&known))) {
            (_, false) => reading.without_rule(Unusable::Foreign, kind),
            (b".", true) => reading.without_rule(Unusable::TooGeneral, name),
            (name, true) => reading.name(
                name,
                Meaning::new(Scope::Subtree, reading.action(), Guard::Open),
            ),
        }
    }

    fn data(&mut self, text: &[u8], reading: &mut Reading<'_>) -> Taken {
        self.open = None;
        if self.in_view {
            return reading.without_rule(Unusable::Setting("view"), text);
        }
        match data(text) {
            Data::Nowhere(name) => reading.name(
                name,
                Meaning::new(Scope::Name, reading.action(), Guard::Registries),
            ),
            Data::Address => reading.without_rule(Unusable::Answer, text),
            Data::Other => reading.without_rule(Unusable::Setting("local-data"), text),
        }
    }
}

/// Name and type of a zone in a line of its own, as most lines are.
fn plain_zone(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.trim_ascii_start().strip_prefix(b"local-zone: \"")?;
    let end = memchr::memchr(b'"', rest)?;
    let (name, kind) = (&rest[..end], rest[end + 1..].trim_ascii());
    let is_plain = !name.contains(&b'\\')
        && kind
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    (is_plain && !kind.is_empty()).then_some((name, kind))
}

/// True for a line that begins with a clause that is about names.
pub(crate) fn is_directive(line: &[u8]) -> bool {
    matches!(
        next_word(line).and_then(|(word, _)| keyword(word)),
        Some("server" | "view")
    )
}

#[cfg(test)]
mod tests;
