//! Telling a list's format by its content.
//!
//! Readers of all formats are given the entries of the list's first 64 KiB, and the format whose
//! reader understands most of them is the list's. What several readers understand alike (names
//! alone) is a list of names. That changes by a line which the reader of names cannot read and
//! another one reads fully: a list in v2fly's format has hundreds of names and few lines of its
//! own. It changes as well if wildcards within names, as dnscrypt-proxy has them, are a good part
//! of it.
//!
//! Where another reader takes many lines that the best one leaves out, and the rules would differ,
//! nobody knows: that is an error, and so is a text of which no reader understands a quarter. What
//! is only ever a header settles the question: `msFilterList`, `[Adblock Plus]`, Maltrail's name in
//! a comment.
//!
//! A list that is in another format and has nothing but names in its head (as dnscrypt-proxy's may)
//! is taken for a list of names, unless its format is said.

mod candidate;
mod entry;
mod grade;

use std::fmt;

use super::{
    Format, blanks,
    formats::{Words, is_address},
};
use candidate::Candidate;
use entry::{Entry, Shape, entries};
use grade::Grade;

/// Bytes that are looked at.
pub(super) const HEAD: u64 = 64 * 1024;

/// Readers that are asked, in the order in which they stand where they understand the same: the
/// first one reads hosts files, names and wildcards. Maltrail's format is known by its header
/// alone, since its lines are those of lists of names.
const READERS: [Format; 11] = [
    Format::Domains,
    Format::AdBlock,
    Format::Dnsmasq,
    Format::Unbound,
    Format::Rpz,
    Format::Bind,
    Format::Tpl,
    Format::Privoxy,
    Format::Dnscrypt,
    Format::V2fly,
    Format::Regex,
];

/// One reader has to be ahead of another by so many times what the other is ahead of it.
const SURE: u64 = 3;

/// dnscrypt-proxy's reader, without a line of its own, has to understand one entry in so many more
/// than the reader of names.
const MORE_THAN_NAMES: u64 = 10;

/// Why a list's format cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// The readers understand next to nothing; these numbers are of the one that understands most.
    NoFormat {
        /// Its format.
        format: Format,
        /// The entries that it understands.
        understood: usize,
        /// All that were looked at.
        entries: usize,
    },
    /// Both understand most of it, and would block differently.
    Between(Format, Format),
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFormat {
                format,
                understood,
                entries,
            } => write!(
                f,
                "is in no known format: of its first {entries} entries {understood} can be read as {format}, and fewer as \
                 any other. If it is a list, name its format before the path (`{format}:FILE`)"
            ),
            Self::Between(one, other) => write!(
                f,
                "can be read as {one} and as {other}, which would block different names: name its format before the path \
                 (`{one}:FILE` or `{other}:FILE`)"
            ),
        }
    }
}

/// The format of the list that begins so.
pub(super) fn format(head: &[u8]) -> Result<Format, Unclear> {
    // Where the head is cut, so is its last line.
    let is_cut = head.len() as u64 >= HEAD;
    let whole = match memchr::memrchr(b'\n', head) {
        Some(end) if is_cut => &head[..end],
        _ => head,
    };
    let text = blanks::in_ascii(whole);
    if let Some(format) = by_header(&text) {
        return Ok(format);
    }
    // In no format a line that begins with this sign is a rule for names.
    let is_entry = |line: &&[u8]| !matches!(line.trim_ascii_start(), [] | [b'#', ..]);
    by_entries(&entries(lines(&text).filter(is_entry)), is_cut)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// What stands in the comments and headers before the first entry.
fn by_header(text: &[u8]) -> Option<Format> {
    let is_comment = |line: &&[u8]| matches!(line, [] | [b'#' | b'!' | b';', ..]);
    for line in lines(text).map(<[u8]>::trim_ascii) {
        match line {
            b"msFilterList" => return Some(Format::Tpl),
            [b'[', agent @ .., b']'] => return is_agent(agent).then_some(Format::AdBlock),
            [b'#', ..] if memchr::memmem::find(line, b"Maltrail developers").is_some() => {
                return Some(Format::Maltrail);
            }
            line if is_comment(&line) => {}
            _ => return None,
        }
    }
    None
}

fn is_agent(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    [&b"adblock"[..], b"adguard", b"ublock"]
        .iter()
        .any(|agent| text.starts_with(agent))
}

fn by_entries(entries: &[Entry<'_>], is_cut: bool) -> Result<Format, Unclear> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for format in READERS {
        let candidate = Candidate::read(
            format,
            entries,
            is_cut,
            candidates.iter().map(Candidate::score_of_first).max(),
        );
        candidates.extend(candidate);
    }
    let Some((names, best)) = choose(&candidates) else {
        return Ok(Format::Domains);
    };
    let understood = best.understood();
    if understood == 0 && !is_cut {
        // The reader says line by line why nothing is a rule.
        return Ok(Format::Domains);
    }
    if best.understands_too_little() {
        let entries = best.entries();
        return Err(Unclear::NoFormat {
            format: best.format,
            understood,
            entries,
        });
    }
    if let Some(other) = candidates
        .iter()
        .find(|other| is_as_likely(other, best, names))
    {
        return Err(Unclear::Between(best.format, other.format));
    }
    Ok(if best.format == Format::Domains {
        shape(entries, names, &candidates)
    } else {
        best.format
    })
}

/// The reader of names, and the one to take.
fn choose(candidates: &[Candidate]) -> Option<(&Candidate, &Candidate)> {
    let names = candidates.first()?;
    // The last of several maxima is taken, which is to be the first one.
    let best = candidates
        .iter()
        .rev()
        .max_by_key(|candidate| candidate.score())?;
    let (ahead, _) = best.compared_with(names);
    let is_much_more = ahead * MORE_THAN_NAMES >= names.grades.len() as u64 * Grade::Whole.weight();
    let is_another =
        best.has_a_line_unlike(names) || best.format == Format::Dnscrypt && is_much_more;
    Some((names, if is_another { best } else { names }))
}

/// True if this reader would leave less out than the best one does in enough lines, and would block
/// otherwise.
fn is_as_likely(other: &Candidate, best: &Candidate, names: &Candidate) -> bool {
    let (ahead, behind) = best.compared_with(other);
    let by_convention = best.format == names.format && !other.has_a_line_unlike(names);
    behind > 0
        && ahead < SURE * behind
        && !by_convention
        && other.rules != best.rules
        && !other.understands_too_little()
}

/// Which of the formats that one reader reads most entries have.
fn shape(entries: &[Entry<'_>], names: &Candidate, candidates: &[Candidate]) -> Format {
    let mut shapes = [
        Format::Hosts,
        Format::Domains,
        Format::Wildcard,
        Format::AdBlock,
    ]
    .map(|format| (format, 0));
    // The reader for ad blockers has to read the list the same way.
    let adblock = candidates
        .iter()
        .find(|candidate| candidate.format == Format::AdBlock);
    let is_adblock =
        adblock.is_some_and(|it| it.rules == names.rules && it.score() == names.score());
    for (entry, grade) in entries.iter().zip(&names.grades) {
        let text = entry.text.trim_ascii();
        let index = match text {
            [b'|', ..] | [b'@', b'@', ..] if is_adblock => 3,
            [b'*', b'.', ..] => 2,
            _ if entry.shape == Some(Shape::Hosts) || starts_with_address(text) => 0,
            _ => 1,
        };
        shapes[index].1 += u32::from(grade.is_understood());
    }
    // The last of several maxima is taken, which is to be the first one.
    shapes
        .into_iter()
        .rev()
        .max_by_key(|(_, lines)| *lines)
        .map_or(Format::Domains, |(format, _)| format)
}

fn starts_with_address(text: &[u8]) -> bool {
    let mut words = Words(text);
    words.next().is_some_and(is_address) && !words.is_empty()
}

#[cfg(test)]
mod tests;
