//! Lines of a list, each in bounded memory.

use std::io::{self, BufRead};

use super::MAX_LINE;

pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A list's lines.
pub(super) struct Lines<R> {
    text: R,
    /// Bytes of the buffer that the last line took, which go when the next one is asked for.
    taken: usize,
    /// Bytes of the buffer whose kind is known, and whether they are ASCII.
    known: usize,
    is_ascii: bool,
    /// A line that no buffer has whole.
    joined: Vec<u8>,
    number: u32,
}

/// What the next line is.
pub(super) enum Line<'a> {
    /// A line without its end, from a buffer that is ASCII as a whole.
    Ascii(&'a [u8]),
    /// Any other line without its end.
    Whole(&'a [u8]),
    /// The start of one that is longer than is read.
    TooLong(&'a [u8]),
}

/// Why there is no next line.
pub(super) enum LineError {
    Io(io::Error),
    Binary,
}

/// Where the next line is.
enum Next {
    /// In the buffer, of this length without its end.
    Buffered(usize),
    /// Joined from several buffers.
    Joined { too_long: bool },
}

impl<R: BufRead> Lines<R> {
    pub fn new(text: R) -> Self {
        Self {
            text,
            taken: 0,
            known: 0,
            is_ascii: true,
            joined: Vec::new(),
            number: 0,
        }
    }

    /// The number of the line that came last, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn next(&mut self) -> Result<Option<Line<'_>>, LineError> {
        self.text.consume(self.taken);
        self.known = self.known.saturating_sub(std::mem::take(&mut self.taken));
        let Some(next) = self.find()? else {
            return Ok(None);
        };
        self.number = self.number.saturating_add(1);
        let (line, too_long) = match next {
            Next::Buffered(length) => {
                let buffer = self.text.fill_buf().map_err(LineError::Io)?;
                (&buffer[..length], length > MAX_LINE)
            }
            Next::Joined { too_long } => (&self.joined[..], too_long),
        };
        let line = if self.number == 1 {
            line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
        } else {
            line
        };
        if too_long {
            return Ok(Some(Line::TooLong(line)));
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(if self.is_ascii {
            Line::Ascii(line)
        } else {
            Line::Whole(line)
        }))
    }

    fn find(&mut self) -> Result<Option<Next>, LineError> {
        let buffer = self.text.fill_buf().map_err(LineError::Io)?;
        if buffer.is_empty() {
            return Ok(None);
        }
        if buffer.len() > self.known {
            (self.known, self.is_ascii) = (buffer.len(), buffer.is_ascii());
        }
        match memchr::memchr2(b'\n', 0, buffer) {
            Some(end) if buffer[end] == 0 => Err(LineError::Binary),
            Some(end) => {
                self.taken = end + 1;
                Ok(Some(Next::Buffered(end)))
            }
            None => self.join().map(Some),
        }
    }

    /// Joins a line from several buffers, of which no more is kept than is needed to tell that it
    /// is too long.
    fn join(&mut self) -> Result<Next, LineError> {
        self.joined.clear();
        (self.known, self.is_ascii) = (0, false);
        let mut length = 0;
        loop {
            let buffer = self.text.fill_buf().map_err(LineError::Io)?;
            let end = memchr::memchr2(b'\n', 0, buffer);
            if end.is_some_and(|end| buffer[end] == 0) {
                return Err(LineError::Binary);
            }
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (MAX_LINE + 1).saturating_sub(self.joined.len());
            self.joined.extend_from_slice(&part[..part.len().min(room)]);
            length += part.len();
            let ended = end.is_some() || buffer.is_empty();
            let used = part.len() + usize::from(end.is_some());
            self.text.consume(used);
            if ended {
                return Ok(Next::Joined {
                    too_long: length > MAX_LINE,
                });
            }
        }
    }
}
