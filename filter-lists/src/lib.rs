//! Lists of rules, in the formats in which their publishers write them: names, formats, how a
//! format is detected, and patterns as text.
//!
//! [`load`] hands every rule that a list holds to a [`Sink`] and leaves out the rest, counted by
//! reason. A list is of one [`Format`]: the one that is asked for, or the one whose reader
//! understands most of its first 64 KiB. What is no list at all, a page or an archive, is refused
//! as such. Whatever a file holds, a line takes no more than [`MAX_LINE`] bytes, and an entry that
//! is said in several lines as much again.
//!
//! What a rule is about is what its publishers mean: a hosts line that name alone, `||x^` the whole
//! subtree. Top-level domains and public suffixes are refused, unless the format says on purpose
//! that all names below are meant.
//!
//! This crate knows no policy: no client, no schedule, no other list, and nothing of the kernel.
//! What becomes of a rule is the [`Sink`]'s; the crate `filter-policy` has one.

mod blanks;
mod bounds;
mod content;
mod detect;
mod domain;
mod error;
mod format;
mod formats;
mod lines;
mod memory;
mod names;
pub mod packed;
mod pattern;
mod reading;
mod report;
mod rule;
mod source;
mod suffixes;

use std::{
    io::{BufRead, Cursor, Read},
    path::Path,
    sync::Arc,
};

use lines::{Line, LineError, Lines};
use reading::{Reading, Stop};

pub use self::domain::{Domain, MAX_LABEL, MAX_NAME, NameError, canonical_into, is_single_label};
pub use bounds::{Beyond, Bounds, Files, Limits};
pub use content::Content;
pub use detect::Unclear;
pub use error::{Holds, ListError};
pub use format::{Format, ListFile, UnknownFormat};
pub use names::{MOST_NAMES, MOST_PATTERNS, Names, TooManyNames};
pub use pattern::MAX_PATTERN;
pub use report::{Example, Kind, ListReport, RuleKinds, Unusable};
pub use rule::{Action, ListRule, Scope, Subject, Trust, UnknownTrust};
pub use suffixes::is_registry_suffix;

/// Bytes of a line that are read; a longer line is left out.
pub const MAX_LINE: usize = 64 * 1024;

/// What takes the rules of a list.
pub trait Sink {
    /// Takes a rule from this line; false if the same rule is known to be there already, from
    /// whatever list. Where that is not known yet, [`ListReport::count_repeated`] is for what is
    /// found later.
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames>;
}

/// How a list is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Its format; without one its content tells.
    pub format: Option<Format>,
    /// Entries that say nothing else allow what they are about. dnsmasq's forwarding
    /// (`server=/x/1.2.3.4`) does so too.
    pub allow: bool,
    /// Entries of hosts files and of lists of names or wildcards are about all names below as well.
    pub widen: bool,
    /// What it may do to the rules of other lists; of a list that allows nothing else is asked.
    pub trust: Trust,
}

/// Reads the list at `path` (`-` for standard input) into `sink`. `progress` is told how many bytes
/// of the file were taken by each step.
///
/// # Errors
/// Where the file cannot be read to its end, or holds no rule at all.
pub fn load(
    path: &Path,
    options: &ListOptions,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Result<ListReport, ListError> {
    load_within(&Bounds::none(), path, options, sink, progress)
}

/// [`load`] within bounds, which several lists may share.
///
/// # Errors
/// As [`load`], and where the bounds are reached.
pub fn load_within(
    bounds: &Bounds,
    path: &Path,
    options: &ListOptions,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Result<ListReport, ListError> {
    let mut text = source::open(path, bounds, progress)?;
    let mut head = Vec::new();
    text.by_ref()
        .take(detect::HEAD)
        .read_to_end(&mut head)
        .map_err(|error| ListError::read(path, error))?;
    let list = || path.to_owned();
    if let Some(content) = content::of(&head) {
        return Err(ListError::NoList {
            list: list(),
            content,
        });
    }
    let format = match options.format {
        Some(format) => format,
        None => detect::format(&head).map_err(|unclear| ListError::Unclear {
            list: list(),
            unclear,
        })?,
    };
    let report = ListReport::new(packed::display_name(path), format);
    let mut reading = Reading::new(sink, options, report);
    let read = read(Cursor::new(head).chain(text), &mut reading);
    let report = reading.report;
    if let Some(beyond) = bounds.ended() {
        return Err(ListError::Beyond {
            list: path.into(),
            line: report.lines,
            beyond,
        });
    }
    read.map_err(|error| match error {
        ReadError::Line(LineError::Io(error)) => ListError::read(path, error).in_line(report.lines),
        ReadError::Line(LineError::Binary) => ListError::Binary {
            list: path.into(),
            line: report.lines,
        },
        ReadError::Stop(Stop::TooMany(error)) => ListError::TooMany {
            list: path.into(),
            line: report.lines,
            error,
        },
        ReadError::Stop(Stop::Include) => ListError::Include {
            list: path.into(),
            line: report.lines,
        },
    })?;
    if report.kinds.total() == 0 {
        return Err(ListError::Empty {
            list: path.into(),
            holds: Holds(Box::new(report)),
        });
    }
    Ok(report)
}

/// Reads rules that stand by themselves in another file, each with its line there: names, and what
/// else AdBlock's syntax has.
///
/// # Errors
/// If one of them is no rule.
pub fn single_rules<'a>(
    file: &Path,
    rules: impl IntoIterator<Item = (&'a str, u32)>,
    allow: bool,
    sink: &mut dyn Sink,
) -> Result<ListReport, ListError> {
    let options = ListOptions {
        format: Some(Format::AdBlock),
        allow,
        ..ListOptions::default()
    };
    let mut format = formats::reader(Format::AdBlock);
    let report = ListReport::new(packed::display_name(file), Format::AdBlock);
    let mut reading = Reading::new(sink, &options, report);
    for (text, line) in rules {
        reading.report.lines = line;
        let before = reading.report.kinds.total();
        if let Err(Stop::TooMany(error)) = format.line(text.as_bytes(), &mut reading) {
            return Err(ListError::TooMany {
                list: file.into(),
                line,
                error,
            });
        }
        if reading.report.kinds.total() == before {
            let why = reading
                .report
                .examples
                .last()
                .map_or_else(|| "it says nothing".into(), |it| it.reason.to_string());
            return Err(ListError::NoRule {
                file: file.into(),
                line,
                text: text.into(),
                why,
            });
        }
    }
    Ok(reading.report)
}

/// A line of a list as it stands there, cut to what can be shown; `None` if it cannot be had.
pub fn line(path: &Path, number: u32) -> Option<String> {
    let mut progress = |_| {};
    let bounds = Bounds::new(Limits::default(), Files::Regular, Arc::default());
    let text = source::open(path, &bounds, &mut progress).ok()?;
    let mut lines = Lines::new(text);
    while let Ok(Some(line)) = lines.next() {
        let (Line::Ascii(text) | Line::Whole(text) | Line::TooLong(text)) = line;
        let text = report::shown(text);
        if lines.number() >= number {
            return Some(text);
        }
    }
    None
}

enum ReadError {
    Line(LineError),
    Stop(Stop),
}

fn read(text: impl BufRead, reading: &mut Reading<'_>) -> Result<(), ReadError> {
    let mut format = formats::reader(reading.report.format);
    let mut lines = Lines::new(text);
    loop {
        reading.report.lines = lines.number().saturating_add(1);
        match lines.next() {
            Ok(Some(Line::Ascii(line))) => format.line(line, reading).map_err(ReadError::Stop)?,
            Ok(Some(Line::Whole(line))) => format
                .line(&blanks::in_ascii(line), reading)
                .map_err(ReadError::Stop)?,
            Ok(Some(Line::TooLong(start))) => {
                formats::long_line(start, reading).map_err(ReadError::Stop)?;
            }
            Ok(None) => break,
            Err(error) => return Err(ReadError::Line(error)),
        }
    }
    reading.report.lines = lines.number();
    format.end(reading).map_err(ReadError::Stop)
}

#[cfg(test)]
mod tests;
