//! The bytes of a capture, one after another, with their place.

use std::io::{self, BufRead, Cursor, Read as _};

/// Bytes by which a format is told.
const START: u64 = 16;

/// Why the reading of a capture ended before its end.
pub(super) enum Stop {
    /// The file ends in the middle of something.
    Truncated,
    /// The file contradicts itself.
    Damaged(String),
    /// The system or an unpacker says so.
    Read(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // An unpacker that ran out of bytes.
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Read(error),
        }
    }
}

/// The unpacked content of a file, read once and in order.
pub(super) struct Bytes<'a> {
    content: Box<dyn BufRead + 'a>,
    offset: u64,
}

impl<'a> Bytes<'a> {
    /// Nothing is taken yet; the first bytes, as many as there are up to [`START`], come besides.
    pub fn new(mut content: Box<dyn BufRead + 'a>) -> Result<(Self, Vec<u8>), Stop> {
        let mut start = Vec::new();
        content.by_ref().take(START).read_to_end(&mut start)?;
        let content = Box::new(Cursor::new(start.clone()).chain(content));
        Ok((Self { content, offset: 0 }, start))
    }

    /// Bytes that were taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends the next `len` bytes; `false` if there is not a single one more.
    pub fn append(&mut self, len: u64, to: &mut Vec<u8>) -> Result<bool, Stop> {
        // The room grows with what is there: a length that is a lie costs nothing.
        let read = self.content.by_ref().take(len).read_to_end(to)? as u64;
        self.offset += read;
        if read == 0 && len > 0 {
            return Ok(false);
        }
        if read < len {
            Err(Stop::Truncated)
        } else {
            Ok(true)
        }
    }

    /// As [`Bytes::append`], where the capture must not end.
    pub fn append_all(&mut self, len: u64, to: &mut Vec<u8>) -> Result<(), Stop> {
        if self.append(len, to)? {
            Ok(())
        } else {
            Err(Stop::Truncated)
        }
    }

    /// Leaves out the next `len` bytes.
    pub fn skip(&mut self, len: u64) -> Result<(), Stop> {
        let skipped = io::copy(&mut self.content.by_ref().take(len), &mut io::sink())?;
        self.offset += skipped;
        if skipped < len {
            Err(Stop::Truncated)
        } else {
            Ok(())
        }
    }
}
