//! Where the texts of the names lie.

use super::Names;

/// Records of a line number (4 bytes), a length (1 byte) and a name, one after another, list after list.
#[derive(Default)]
pub(super) struct Store {
    records: Vec<u8>,
    lists: Vec<List>,
    len: u32,
}

/// Where a record lies.
pub(super) type Place = u32;

/// Bytes of a record in front of its name.
const HEAD: usize = 5;

struct List {
    name: Box<str>,
    start: usize,
    rules: u32,
}

impl Store {
    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn begin_list(&mut self, name: &str) {
        self.lists.push(List { name: name.into(), start: self.records.len(), rules: 0 });
    }

    /// Adds a name to the list that was begun last; `None` if there is no room for it.
    pub fn push(&mut self, name: &str, line: u32) -> Option<Place> {
        let place = Place::try_from(self.records.len()).ok().filter(|_| self.len < Names::MOST)?;
        let len = u8::try_from(name.len()).ok()?;
        self.records.extend_from_slice(&line.to_le_bytes());
        self.records.push(len);
        self.records.extend_from_slice(name.as_bytes());
        self.len += 1;
        self.lists.last_mut()?.rules += 1;
        Some(place)
    }

    /// Counts the record out. Its bytes stay where they are, so that no other place changes.
    pub fn retire(&mut self, place: Place) {
        self.len -= 1;
        let list = self.list_index(place);
        self.lists[list].rules -= 1;
    }

    pub fn name(&self, place: Place) -> &str {
        str::from_utf8(self.bytes(place)).unwrap_or_default()
    }

    pub fn bytes(&self, place: Place) -> &[u8] {
        let start = place as usize + HEAD;
        let len = usize::from(self.records[start - 1]);
        &self.records[start..start + len]
    }

    pub fn line(&self, place: Place) -> u32 {
        let start = place as usize;
        self.records[start..].first_chunk().copied().map_or(0, u32::from_le_bytes)
    }

    pub fn list(&self, place: Place) -> &str {
        &self.lists[self.list_index(place)].name
    }

    /// All records from this place on, retired ones included.
    pub fn places_from(&self, place: Place) -> impl Iterator<Item = Place> {
        let next = |place: &Place| self.existing(*place as usize + HEAD + self.bytes(*place).len());
        std::iter::successors(self.existing(place as usize), next)
    }

    /// The lists with the number of rules that each still gives.
    pub fn lists(&self) -> impl Iterator<Item = (&str, u32)> {
        self.lists.iter().map(|list| (&*list.name, list.rules))
    }

    pub fn shrink(&mut self) {
        self.records.shrink_to_fit();
    }

    pub fn memory_bytes(&self) -> usize {
        self.records.capacity()
    }

    fn existing(&self, start: usize) -> Option<Place> {
        if start < self.records.len() { Place::try_from(start).ok() } else { None }
    }

    fn list_index(&self, place: Place) -> usize {
        self.lists.partition_point(|list| list.start <= place as usize).saturating_sub(1)
    }
}
