//! How well a reader understands a line.

use crate::{
    Format, NameError, Unusable,
    formats::{is_adblock, is_directive},
    reading::Reading,
    suffixes::is_top_level_domain,
};

/// How well a reader understands a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// Not at all.
    Foreign,
    /// It can be read, as nearly anything can.
    Hardly,
    /// It can be read, and would mostly be written otherwise.
    Partly,
    /// It is a line of the format.
    Whole,
    /// It says nothing on purpose.
    Comment,
    /// It is a part of an entry that goes on.
    Open,
}

impl Grade {
    pub const fn weight(self) -> u64 {
        match self {
            Self::Foreign | Self::Comment | Self::Open => 0,
            Self::Hardly => 1,
            Self::Partly => 2,
            Self::Whole => 4,
        }
    }

    pub fn is_understood(self) -> bool {
        matches!(self, Self::Hardly | Self::Partly | Self::Whole)
    }

    /// By how much this is better than the other, and by how much worse. What one takes for a
    /// comment and the other cannot read speaks for the first; nothing else does that concerns a
    /// comment.
    pub fn compared_with(self, other: Self) -> (u64, u64) {
        let whole = Self::Whole.weight();
        match (self, other) {
            (Self::Comment, Self::Foreign) => (whole, 0),
            (Self::Foreign, Self::Comment) => (0, whole),
            (Self::Comment, _) | (_, Self::Comment) => (0, 0),
            _ => (
                self.weight().saturating_sub(other.weight()),
                other.weight().saturating_sub(self.weight()),
            ),
        }
    }

    /// The grade for what a reader made of the line.
    pub fn of(format: Format, line: &[u8], read: &Read) -> Self {
        match read {
            Read { open: true, .. } => Self::Open,
            Read { stopped: true, .. } => Self::Whole,
            Read {
                names: 0,
                patterns: 0,
                others: 0,
                left_out: None,
                ..
            } => silent(format, line),
            Read {
                names: 0,
                patterns: 0,
                others: 0,
                left_out: Some(reason),
                ..
            } => left_out(format, line, *reason),
            Read {
                names: 0,
                others: 0,
                ..
            } => pattern(format, line),
            _ if format == Format::Dnscrypt && line.starts_with(b".") => Self::Partly,
            _ if format == Format::V2fly => v2fly(line),
            _ => Self::Whole,
        }
    }
}

/// What a reader made of a line, or of all lines so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    names: u64,
    patterns: u64,
    /// Local names.
    others: u64,
    /// Why the last entry that was left out was.
    left_out: Option<Unusable>,
    stopped: bool,
    open: bool,
}

impl Read {
    /// What was taken up to here; what is left out from here on can be told from what was before.
    pub fn so_far(reading: &mut Reading<'_>) -> Self {
        reading.left_out = None;
        let patterns = reading.report.kinds.patterns();
        let names = reading.report.rules + reading.report.repeated - patterns;
        Self {
            names,
            patterns,
            others: reading.report.local,
            ..Self::default()
        }
    }

    pub fn until_now(&self, reading: &Reading<'_>, stopped: bool, open: bool) -> Self {
        let patterns = reading.report.kinds.patterns();
        let names = reading.report.rules + reading.report.repeated - patterns;
        Self {
            names: names - self.names,
            patterns: patterns - self.patterns,
            others: reading.report.local - self.others,
            left_out: reading.left_out,
            stopped,
            open,
        }
    }
}

/// A line of which the reader says nothing.
fn silent(format: Format, line: &[u8]) -> Grade {
    let is_of_the_format = match format {
        // The zone's own records, and directives.
        Format::Rpz => !line.starts_with(b";"),
        Format::Unbound => is_directive(line),
        Format::Privoxy => line.starts_with(b"{+") || line.starts_with(b"{-"),
        _ => false,
    };
    if is_of_the_format {
        Grade::Whole
    } else {
        Grade::Comment
    }
}

fn left_out(format: Format, line: &[u8], reason: Unusable) -> Grade {
    let has_keywords = matches!(
        format,
        Format::Dnsmasq | Format::Unbound | Format::Rpz | Format::Bind | Format::Tpl
    ) || format == Format::AdBlock && is_adblock(line);
    match reason {
        Unusable::Setting(word) | Unusable::Modifier(word) if word.starts_with("another ") => {
            Grade::Foreign
        }
        Unusable::Setting(_) if format == Format::Dnscrypt => Grade::Partly,
        Unusable::Pattern if format == Format::AdBlock && line.starts_with(b"/") => Grade::Partly,
        Unusable::Name(NameError::Address) | Unusable::PublicSuffix if format != Format::Regex => {
            Grade::Whole
        }
        Unusable::TooGeneral | Unusable::NoName | Unusable::Url if has_keywords => Grade::Whole,
        Unusable::Url if is_path(line) => Grade::Hardly,
        Unusable::Setting(_)
        | Unusable::Modifier(_)
        | Unusable::Cosmetic
        | Unusable::Forwarding
        | Unusable::Answer
        | Unusable::OutsideZone
        | Unusable::Untrusted
        | Unusable::PatternTooLong => Grade::Whole,
        _ => Grade::Foreign,
    }
}

/// True for an address of a page, without what only rules have.
fn is_path(line: &[u8]) -> bool {
    line.contains(&b'/') && !line.iter().any(|byte| b"$^|".contains(byte))
}

fn pattern(format: Format, line: &[u8]) -> Grade {
    let has = |bytes: &[u8]| line.iter().any(|byte| bytes.contains(byte));
    match format {
        Format::Domains => Grade::Partly,
        Format::AdBlock if is_adblock(line) || has(b"$") || matches!(line, [b'/', .., b'/']) => {
            Grade::Whole
        }
        Format::AdBlock if is_word(line) => Grade::Foreign,
        Format::AdBlock => Grade::Hardly,
        // A header of another kind of file.
        Format::Dnscrypt | Format::Regex if matches!(line, [b'[', .., b']']) => Grade::Foreign,
        Format::Regex if has(b"\\^$[|") => Grade::Whole,
        Format::Regex if has(b".*") && !has(b"()") => Grade::Partly,
        Format::Regex => Grade::Foreign,
        Format::Dnscrypt if !line.iter().any(u8::is_ascii_alphanumeric) => Grade::Foreign,
        _ => Grade::Whole,
    }
}

/// What a line is in a list of expressions, where that is known without parsing it. With blanks or
/// bars it is none; in slashes it would rather be of AdBlock's syntax.
pub(super) fn expression_at_a_glance(line: &[u8]) -> Option<Grade> {
    match line {
        [b'|' | b'@', ..] => Some(Grade::Foreign),
        _ if line.iter().any(u8::is_ascii_whitespace) => Some(Grade::Foreign),
        [b'/', .., b'/'] => Some(Grade::Partly),
        _ => None,
    }
}

/// True for a word of any text: `word`, `some_word`, `some-word`.
fn is_word(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let has_letters_at_its_ends =
        text.first().is_some_and(is_letter) && text.last().is_some_and(is_letter);
    has_letters_at_its_ends
        && text
            .iter()
            .all(|byte| is_letter(byte) || matches!(byte, b'-' | b'_'))
}

/// A name, with attributes or not. A single label is one only as the top-level domain that it is
/// about.
fn v2fly(line: &[u8]) -> Grade {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    let is_attribute = |word: &[u8]| {
        let [b'@' | b'&', rest @ ..] = word else {
            return word.starts_with(b"#");
        };
        !rest.is_empty()
            && rest
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'!'))
    };
    let is_single = !name.contains(&b'.') && !name.contains(&b':');
    match words
        .take_while(|word| !word.starts_with(b"#"))
        .all(is_attribute)
    {
        true if !is_single => Grade::Whole,
        true if is_top_level_domain(name) => Grade::Partly,
        _ => Grade::Foreign,
    }
}
