//! Where the parts of a table lie in its bytes.

use std::ops::Range;

/// A part of the table: one array.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// For each [`bucket`](super::BUCKETS), the index of its first key, and behind them the number
    /// of names: 4 bytes each.
    Starts,
    /// The keys in their order, without the bits that their bucket tells: 6 bytes each, the most
    /// significant first.
    Keys,
    /// The number of the effect, with [`REDUNDANT`](crate::compiled::redundancy::REDUNDANT) for what
    /// another name does as well: 2 bytes each.
    Effect,
    /// What the codes in the texts of records stand for: 9 bytes each.
    Symbols,
    /// Where each [`group`](super::GROUP) of records begins: 4 bytes each.
    Groups,
    /// A record for each name.
    Records,
    /// Which list a record is of, and the kind of its rule, each once: 3 bytes each.
    Origins,
    /// Rules beyond the first for a name, by index: [`Part::REPEAT`] bytes each.
    Repeats,
    /// Rules that another one takes out, by index: [`Part::CANCELLED`] bytes each.
    Cancelled,
}

impl Part {
    pub const ALL: [Self; 9] = [
        Self::Starts,
        Self::Keys,
        Self::Effect,
        Self::Symbols,
        Self::Groups,
        Self::Records,
        Self::Origins,
        Self::Repeats,
        Self::Cancelled,
    ];

    /// Bytes of a further rule.
    pub const REPEAT: usize = 11;
    /// Bytes of a rule that is taken out.
    pub const CANCELLED: usize = 7;
}

/// The place of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::compiled) struct Layout([Range<usize>; Part::ALL.len()]);

impl Layout {
    /// Bytes that a layout takes in a file.
    pub const BYTES: usize = Part::ALL.len() * 8;

    pub(super) fn part(&self, part: Part) -> Range<usize> {
        self.0[part as usize].clone()
    }

    pub(super) fn set(&mut self, part: Part, place: Range<usize>) {
        self.0[part as usize] = place;
    }

    /// The lengths of all parts, which lie one behind the other.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (to, place) in bytes.as_chunks_mut().0.iter_mut().zip(&self.0) {
            *to = (place.len() as u64).to_le_bytes();
        }
        bytes
    }

    /// The layout with these lengths, from this place on; `None` if no memory has so many bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES], mut start: usize) -> Option<Self> {
        let mut layout = Self::default();
        for (place, len) in layout.0.iter_mut().zip(bytes.as_chunks().0) {
            let end = start.checked_add(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
            *place = start..end;
            start = end;
        }
        Some(layout)
    }

    /// Where the last part ends.
    pub fn end(&self) -> usize {
        self.0.last().map_or(0, |place| place.end)
    }
}
