//! Lists of names to block: hosts files and one name a line, as their publishers write them.
//!
//! [`load`] puts every name that a list holds into [`Names`] and leaves out the rest, counted by reason. Whatever a
//! file holds, a line takes no more than [`MAX_LINE`] bytes and a list no more than its names.

mod domain;
mod error;
mod line;
mod report;
mod rule;
mod source;

use std::{
    io::{self, BufRead, Read},
    path::Path,
};

use line::{Line, unusable_word};
use source::Source;

pub use domain::{Domain, MAX_LABEL, MAX_NAME, NameError, canonical_into};
pub use error::{Holds, ListError};
pub use report::{Example, Format, ListReport, Unusable};
pub use rule::{Action, ListRule, Scope, Subject};

use crate::{packed, policy::TooManyNames};

/// Bytes of a line that are read; a longer line is left out.
pub const MAX_LINE: usize = 64 * 1024;

/// Bytes that a list has for each name: of real lists with 10,000 names or more, 12 to 43.
const BYTES_A_NAME: u64 = 20;

/// What takes the rules of a list.
pub trait Sink {
    /// About so many rules will come.
    fn expect(&mut self, rules: u64);

    /// Takes a rule from this line; false if the same rule is there already, from whatever list.
    fn rule(&mut self, rule: ListRule<'_>, line: u32) -> Result<bool, TooManyNames>;
}

/// Reads the list at `path` (`-` for standard input) into `names`. `progress` is told how many bytes of the file
/// were taken by each step.
pub fn load(path: &Path, sink: &mut dyn Sink, progress: &mut dyn FnMut(u64)) -> Result<ListReport, ListError> {
    let list = packed::display_name(path);
    let Source { text, bytes } = source::open(path, progress)?;
    sink.expect(bytes / BYTES_A_NAME);
    let mut reader = Reader { sink, name: Vec::new(), report: ListReport::default() };
    reader.report.list = list;
    reader.read(text).map_err(|error| match error {
        ReadError::Io(error) => ListError::read(path, error),
        ReadError::Binary { line } => ListError::Binary { list: path.into(), line },
        ReadError::TooMany(error) => ListError::TooMany { list: path.into(), line: reader.report.lines, error },
    })?;
    let report = reader.report;
    if report.names + report.repeated == 0 {
        return Err(ListError::Empty { list: path.into(), holds: Holds(Box::new(report)) });
    }
    Ok(report)
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

struct Reader<'a> {
    sink: &'a mut dyn Sink,
    name: Vec<u8>,
    report: ListReport,
}

enum ReadError {
    Io(io::Error),
    Binary { line: u32 },
    TooMany(TooManyNames),
}

impl Reader<'_> {
    fn read(&mut self, mut text: impl BufRead) -> Result<(), ReadError> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = text.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line).map_err(ReadError::Io)?;
            if read == 0 {
                return Ok(());
            }
            self.report.lines = self.report.lines.saturating_add(1);
            if memchr::memchr(0, &line).is_some() {
                return Err(ReadError::Binary { line: self.report.lines });
            }
            if read > MAX_LINE && line.last() != Some(&b'\n') {
                text.skip_until(b'\n').map_err(ReadError::Io)?;
                self.long_line(&line);
                continue;
            }
            let bom: &[u8] = if self.report.lines == 1 { BYTE_ORDER_MARK } else { b"" };
            self.line(line.strip_prefix(bom).unwrap_or(&line))?;
        }
    }

    fn long_line(&mut self, start: &[u8]) {
        if !matches!(start.trim_ascii_start(), [b'#' | b'!', ..]) {
            self.left_out(Unusable::LineTooLong, start);
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ReadError> {
        match Line::of(line) {
            Line::Nothing => {}
            Line::Unusable(reason, text) => self.left_out(reason, text),
            Line::Names(format, words) => {
                for word in words {
                    *self.report.formats.entry(format).or_default() += 1;
                    self.word(word)?;
                }
            }
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), ReadError> {
        self.name.clear();
        let parsed = canonical_into(word, &mut self.name);
        if is_local(&self.name) || word == b"0.0.0.0" {
            self.report.local += 1;
            return Ok(());
        }
        let name = match parsed.and_then(|()| rule_name(&self.name)) {
            Ok(name) => name,
            Err(error) => {
                self.left_out(unusable_word(word, error), word);
                return Ok(());
            }
        };
        let subject = Subject::Name(name, Scope::Subtree);
        let rule = ListRule { subject, action: Action::Block, cancels: false };
        if self.sink.rule(rule, self.report.lines).map_err(ReadError::TooMany)? {
            self.report.names += 1;
        } else {
            self.report.repeated += 1;
        }
        Ok(())
    }

    fn left_out(&mut self, reason: Unusable, text: &[u8]) {
        self.report.count_unusable(self.report.lines, reason, text);
    }
}

fn rule_name(name: &[u8]) -> Result<&str, NameError> {
    let name = str::from_utf8(name).map_err(|_| NameError::NotUtf8)?;
    if name.contains('.') { Ok(name) } else { Err(NameError::SingleLabel) }
}

/// The names for the machine and its network that hosts files begin with.
fn is_local(name: &[u8]) -> bool {
    matches!(
        name,
        b"localhost"
            | b"localhost.localdomain"
            | b"localhost4"
            | b"localhost4.localdomain4"
            | b"localhost6"
            | b"localhost6.localdomain6"
            | b"local"
            | b"localdomain"
            | b"broadcasthost"
            | b"ip6-localhost"
            | b"ip6-loopback"
            | b"ip6-localnet"
            | b"ip6-mcastprefix"
            | b"ip6-allnodes"
            | b"ip6-allrouters"
            | b"ip6-allhosts"
    )
}

#[cfg(test)]
mod tests;
