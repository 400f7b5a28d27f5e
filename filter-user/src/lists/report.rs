//! What became of the lines of a list.

use std::{collections::BTreeMap, fmt};

use super::NameError;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// An address and names, as in `/etc/hosts`.
    Hosts,
    /// One name a line.
    Domains,
}

impl Format {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Domains => "domains",
        }
    }
}

/// Why an entry of a list is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unusable {
    /// It should be a name and is none.
    Name(NameError),
    /// A rule in the syntax of ad blockers.
    AdBlock,
    /// A wildcard or a regular expression.
    Pattern,
    /// A URL, or a name with a path or a port.
    Url,
    /// A line for dnsmasq, Unbound or a zone file.
    OtherProgram,
    /// Several words, and the first is no address.
    SeveralWords,
    /// A line longer than is read.
    LineTooLong,
}

impl Unusable {
    /// The word for it in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name(error) => error.as_str(),
            Self::AdBlock => "adblock",
            Self::Pattern => "pattern",
            Self::Url => "url",
            Self::OtherProgram => "other_program",
            Self::SeveralWords => "several_words",
            Self::LineTooLong => "line_too_long",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(error) => return error.fmt(f),
            Self::AdBlock => "it is a rule for ad blockers",
            Self::Pattern => "it is a pattern, not a name",
            Self::Url => "it is a URL, or has a path or a port",
            Self::OtherProgram => "it is a setting of another program",
            Self::SeveralWords => "it has several words and no address before them",
            Self::LineTooLong => "it is longer than 65,536 bytes",
        })
    }
}

/// An entry that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its line, from 1.
    pub line: u32,
    /// Why not.
    pub reason: Unusable,
    /// What it says, cut to [`Example::TEXT`] characters, with control characters escaped.
    pub text: String,
}

impl Example {
    /// Characters of an example that are kept.
    pub const TEXT: usize = 60;
}

/// What became of the entries of a list.
#[derive(Clone, Debug, Default)]
pub struct ListReport {
    /// The list's name: its path as it was given.
    pub list: String,
    /// Its lines.
    pub lines: u32,
    /// Names that no earlier list and no earlier line has.
    pub names: u64,
    /// Names that an earlier list or line has.
    pub repeated: u64,
    /// Local names (`localhost` and the like) that were left out.
    pub local: u64,
    /// Entries by format, local and unusable ones included.
    pub formats: BTreeMap<Format, u64>,
    /// Entries that could not be used, by reason.
    pub unusable: BTreeMap<Unusable, u64>,
    /// The first few of them for each reason, in the order of their lines.
    pub examples: Vec<Example>,
}

impl ListReport {
    /// Examples that are kept for each reason.
    const EXAMPLES: u64 = 3;

    /// The format that most entries have.
    pub fn format(&self) -> Format {
        self.formats.iter().max_by_key(|(_, entries)| **entries).map_or(Format::Domains, |(format, _)| *format)
    }

    /// Number of entries that could not be used.
    pub fn unusable_entries(&self) -> u64 {
        self.unusable.values().sum()
    }

    pub(super) fn count_unusable(&mut self, line: u32, reason: Unusable, text: &[u8]) {
        let count = self.unusable.entry(reason).or_default();
        *count += 1;
        if *count <= Self::EXAMPLES {
            self.examples.push(Example { line, reason, text: shown(text) });
        }
    }
}

/// Text from a list as it can be shown: nobody's terminal obeys it.
fn shown(text: &[u8]) -> String {
    let start = text.get(..4 * Example::TEXT).unwrap_or(text);
    let text = String::from_utf8_lossy(start);
    let shown: String = text.chars().take(Example::TEXT).flat_map(char::escape_debug).collect();
    if text.chars().count() > Example::TEXT { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_list_is_cut_and_cannot_steer_a_terminal() {
        assert_eq!(shown(b"plain.text"), "plain.text");
        assert_eq!(shown(b"\x1b[2J\x07"), "\\u{1b}[2J\\u{7}");
        assert_eq!(shown("\u{202e}gro".as_bytes()), "\\u{202e}gro");
        assert_eq!(shown(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(shown("ü".repeat(60).as_bytes()), "ü".repeat(60));
        assert_eq!(shown("ü".repeat(61).as_bytes()), "ü".repeat(60) + "…");
        assert_eq!(shown(&b"a".repeat(100_000)).chars().count(), 61);
    }

    #[test]
    fn the_first_few_examples_of_each_reason_are_kept_and_all_are_counted() {
        let mut report = ListReport::default();
        for line in 1..=10 {
            report.count_unusable(line, Unusable::Url, b"u");
            report.count_unusable(line, Unusable::AdBlock, b"a");
        }
        assert_eq!(report.unusable_entries(), 20);
        let lines: Vec<u32> = report.examples.iter().map(|example| example.line).collect();
        assert_eq!(lines, [1, 1, 2, 2, 3, 3]);
    }
}
