//! Lines of a list, each in bounded memory.

use std::io::{self, BufRead, Read};

use super::MAX_LINE;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A list's lines.
pub(super) struct Lines<R> {
    text: R,
    line: Vec<u8>,
    number: u32,
}

/// What the next line is.
pub(super) enum Line<'a> {
    /// A line without its end.
    Whole(&'a [u8]),
    /// The start of one that is longer than is read.
    TooLong(&'a [u8]),
}

/// Why there is no next line.
pub(super) enum LineError {
    Io(io::Error),
    Binary,
}

impl<R: BufRead> Lines<R> {
    pub fn new(text: R) -> Self {
        Self { text, line: Vec::new(), number: 0 }
    }

    /// The number of the line that came last, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn next(&mut self) -> Result<Option<Line<'_>>, LineError> {
        self.line.clear();
        let mut bounded = self.text.by_ref().take(MAX_LINE as u64 + 1);
        let read = bounded.read_until(b'\n', &mut self.line).map_err(LineError::Io)?;
        if read == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        if memchr::memchr(0, &self.line).is_some() {
            return Err(LineError::Binary);
        }
        let bom: &[u8] = if self.number == 1 { BYTE_ORDER_MARK } else { b"" };
        let line = self.line.strip_prefix(bom).unwrap_or(&self.line);
        if read > MAX_LINE && line.last() != Some(&b'\n') {
            self.text.skip_until(b'\n').map_err(LineError::Io)?;
            return Ok(Some(Line::TooLong(line)));
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Ok(Some(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))))
    }
}
