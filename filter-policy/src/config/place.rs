//! Lines of the text.

use toml::Spanned;

use super::file::Text;

/// A text of the configuration and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The text.
    pub text: String,
    /// Its line, from 1.
    pub line: u32,
}

/// Where the lines of a text end.
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub fn new(text: &[u8]) -> Self {
        Self {
            ends: memchr::memchr_iter(b'\n', text).collect(),
        }
    }

    /// The line of this byte, from 1.
    pub fn at(&self, byte: usize) -> u32 {
        self.ends.partition_point(|end| *end < byte) as u32 + 1
    }

    /// The column of this byte in its line, in bytes, from 1.
    pub fn column(&self, byte: usize) -> u32 {
        let before = self.ends.partition_point(|end| *end < byte);
        let start = before
            .checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .map_or(0, |end| end + 1);
        (byte - start) as u32 + 1
    }

    /// The line that this starts in, from 1.
    pub fn of<T>(&self, place: &Spanned<T>) -> u32 {
        self.at(place.span().start)
    }

    pub fn entry(&self, text: Text) -> Entry {
        Entry {
            line: self.of(&text),
            text: text.into_inner(),
        }
    }
}
