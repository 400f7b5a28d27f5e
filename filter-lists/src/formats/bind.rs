//! BIND's configuration: a `zone "x" { ... };` of which it is the primary server answers for x and
//! all below it.

use crate::{
    Scope, Unusable,
    reading::{Guard, Meaning, Reading, Taken},
};

/// Types of zones that another server answers for.
const OTHER_TYPES: [&str; 9] = [
    "forward",
    "hint",
    "in-view",
    "mirror",
    "redirect",
    "secondary",
    "slave",
    "static-stub",
    "stub",
];

const SETTINGS: [&str; 10] = [
    "acl",
    "controls",
    "include",
    "key",
    "logging",
    "options",
    "server",
    "trust-anchors",
    "view",
    "zone",
];

/// Bytes of a word that are kept, which is more than any name has.
const MAX_WORD: usize = 300;

/// The statement that is being read, which may go over several lines.
#[derive(Default)]
pub(super) struct Statements {
    /// Its first words, as many as say something.
    head: Vec<Vec<u8>>,
    depth: u32,
    in_comment: bool,
    /// The word behind `type`.
    kind: Option<Vec<u8>>,
    awaits_kind: bool,
}

impl super::FormatReader for Statements {
    fn line(&mut self, line: &[u8], reading: &mut Reading<'_>) -> Taken {
        let mut rest = line;
        while let Some((token, after)) = self.token(rest) {
            rest = after;
            match token {
                b"{" => self.depth += 1,
                b"}" => self.depth = self.depth.saturating_sub(1),
                b";" if self.depth == 0 => self.statement(reading)?,
                word => self.word(word),
            }
        }
        Ok(())
    }

    fn is_within_entry(&self) -> bool {
        self.in_comment || !self.head.is_empty() || self.depth > 0
    }

    fn end(&mut self, reading: &mut Reading<'_>) -> Taken {
        self.statement(reading)
    }
}

impl Statements {
    fn word(&mut self, word: &[u8]) {
        let word = &word[..word.len().min(MAX_WORD)];
        if self.depth == 0 && self.head.len() < 2 {
            self.head.push(word.to_vec());
        } else if self.depth == 1 && std::mem::take(&mut self.awaits_kind) {
            self.kind = Some(word.to_vec());
        } else {
            self.awaits_kind = self.depth == 1 && word == b"type";
        }
    }

    fn statement(&mut self, reading: &mut Reading<'_>) -> Taken {
        let Self { head, kind, .. } = std::mem::take(self);
        let (keyword, name) = match &head[..] {
            [] => return Ok(()),
            [keyword] => (keyword, None),
            [keyword, name, ..] => (keyword, Some(name)),
        };
        let Some(name) = name.filter(|_| keyword == b"zone") else {
            let known = SETTINGS
                .into_iter()
                .find(|setting| setting.as_bytes() == keyword);
            return reading.without_rule(
                Unusable::Setting(known.unwrap_or("another setting")),
                keyword,
            );
        };
        let other = OTHER_TYPES
            .into_iter()
            .find(|other| kind.as_deref() == Some(other.as_bytes()));
        match (&name[..], other) {
            (name, Some(other)) => reading.without_rule(Unusable::Setting(other), name),
            (b".", None) => reading.without_rule(Unusable::TooGeneral, name),
            (name, None) => reading.name(
                name,
                Meaning::new(Scope::Subtree, reading.action(), Guard::Open),
            ),
        }
    }

    /// The next token of the line, and what is behind it.
    fn token<'a>(&mut self, line: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut text = line.trim_ascii_start();
        loop {
            if self.in_comment {
                let end = memchr::memmem::find(text, b"*/")?;
                text = text[end + 2..].trim_ascii_start();
                self.in_comment = false;
            }
            match text {
                [] | [b'#', ..] | [b'/', b'/', ..] => return None,
                [b'/', b'*', rest @ ..] => {
                    self.in_comment = true;
                    text = rest;
                }
                [b'{' | b'}' | b';', ..] => return Some(text.split_at(1)),
                [b'"', rest @ ..] => {
                    let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
                    return Some((&rest[..end], rest.get(end + 1..).unwrap_or_default()));
                }
                _ => {
                    let ends = |byte: &u8| {
                        byte.is_ascii_whitespace() || matches!(byte, b'{' | b'}' | b';' | b'"')
                    };
                    return Some(text.split_at(text.iter().position(ends).unwrap_or(text.len())));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, ListOptions, tests::lines_of};

    #[test]
    fn a_zone_of_its_own_is_blocked_with_all_below_it() {
        for text in [
            r#"zone "a.example" { type master; notify no; file "null.zone.file"; };"#,
            "zone a.example IN {\n  type primary; // why\n  file \"/etc/null\";\n};",
            "/* a list\n of zones */ zone \"A.example.\" {type master;};# end",
            "zone \"a.example\" { file \"type\"; };",
        ] {
            assert_eq!(bind(text), ["block subtree a.example"], "{text}");
        }
    }

    #[test]
    fn zones_of_other_servers_and_other_statements_are_counted() {
        assert_eq!(
            bind(r#"zone "a.example" { type forward; forwarders { 192.0.2.1; }; };"#),
            ["- setting forward"]
        );
        assert_eq!(
            bind(r#"zone "." { type hint; file "root"; };"#),
            ["- setting hint"]
        );
        assert_eq!(bind(r#"zone "." { type master; };"#), ["- too_general"]);
        assert_eq!(
            bind("options { directory \"/x\"; };\ninclude \"more\";\nfoo;"),
            [
                "- setting options",
                "- setting include",
                "- setting another setting"
            ]
        );
    }

    #[test]
    fn a_file_may_end_within_a_statement() {
        assert_eq!(
            bind("zone \"a.example\" { type forward;"),
            ["- setting forward"]
        );
        assert_eq!(bind("/* zone \"a.example\" {};"), [""; 0]);
    }

    fn bind(text: &str) -> Vec<String> {
        lines_of(Format::Bind, text, ListOptions::default())
    }
}
