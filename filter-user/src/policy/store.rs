//! Where the texts of the names lie while lists are read.

use filter_core::DnsAction;

use crate::lists::{Action, Scope};

/// Records of a line number (4 bytes), a kind (1 byte), a length (1 byte) and a name, one after another, list after list.
#[derive(Default)]
pub(super) struct Store {
    records: Vec<u8>,
    lists: Vec<usize>,
}

/// Where a record lies.
pub(super) type Place = u32;

/// Bytes of a record in front of its name.
const HEAD: usize = 6;

/// What a rule for a name says of it, in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

impl Kind {
    /// The kind of rules with this scope and action.
    pub const fn new(scope: Scope, action: Action) -> Self {
        Self(scope as u8 * 8 + action as u8)
    }

    /// The kind of which this is the byte.
    pub(super) const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// Its byte.
    pub(super) const fn to_byte(self) -> u8 {
        self.0
    }

    /// The same with what they say themselves of the answer to a DNS query.
    #[must_use]
    pub fn with_answer(self, answer: Option<DnsAction>) -> Self {
        Self(self.0 % 32 + answer.unwrap_or_default() as u8 * 32)
    }

    /// What they say themselves of the answer to a DNS query.
    pub fn answer(self) -> Option<DnsAction> {
        DnsAction::ALL.iter().copied().find(|action| *action as u8 == self.0 / 32)
    }

    /// Which names it is about.
    pub const fn scope(self) -> Scope {
        match self.0 / 8 % 4 {
            0 => Scope::Name,
            1 => Scope::Subdomains,
            _ => Scope::Subtree,
        }
    }

    /// What becomes of them.
    pub const fn action(self) -> Action {
        match self.0 % 8 {
            0 => Action::Audit,
            1 => Action::Block,
            2 => Action::Allow,
            3 => Action::BlockImportant,
            _ => Action::AllowImportant,
        }
    }
}

impl Store {
    /// Records from here on are of the next list.
    pub fn begin_list(&mut self) {
        self.lists.push(self.records.len());
    }

    /// Adds a name to the list that was begun last; `None` if there is no room for it.
    pub fn push(&mut self, name: &str, kind: Kind, line: u32) -> Option<Place> {
        let place = Place::try_from(self.records.len()).ok()?;
        let len = u8::try_from(name.len()).ok()?;
        self.records.extend_from_slice(&line.to_le_bytes());
        self.records.extend_from_slice(&[kind.0, len]);
        self.records.extend_from_slice(name.as_bytes());
        Some(place)
    }

    pub fn name(&self, place: Place) -> &str {
        str::from_utf8(self.text(place)).unwrap_or_default()
    }

    pub fn text(&self, place: Place) -> &[u8] {
        let start = place as usize + HEAD;
        let len = usize::from(self.records[start - 1]);
        &self.records[start..start + len]
    }

    pub fn kind(&self, place: Place) -> Kind {
        Kind(self.records[place as usize + 4])
    }

    pub fn line(&self, place: Place) -> u32 {
        self.records[place as usize..].first_chunk().copied().map_or(0, u32::from_le_bytes)
    }

    /// Number of the record's list, in the order in which they were begun.
    pub fn list(&self, place: Place) -> usize {
        self.lists.partition_point(|start| *start <= place as usize).saturating_sub(1)
    }
}
