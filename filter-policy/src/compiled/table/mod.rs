//! The names that rules are about, in one piece of memory, in the order of their keys.
//!
//! The keys are random, so the first 16 bits of one tell about where it is, and names that are
//! looked for in the order of their keys are found in memory that was just looked at: that makes
//! comparing two compiled policies fast. The memory may be a file (`cache`). Whatever bytes that
//! has, nothing here panics or reads beside them; what is out of bounds is not there.

mod bytes;
mod layout;
mod making;
mod record;
mod shard;
mod texts;

use std::borrow::Cow;

use filter_core::{HashKey, RuleKey};

use super::{kind::Kind, redundancy::REDUNDANT, sources::Source};
use layout::Part;
use record::Record;

pub(super) use bytes::Bytes;
pub(super) use layout::Layout;
pub(super) use making::Made;

/// Number of a name, in the order of the keys.
pub(super) type Index = u32;

/// Parts of the range of all keys, with a name in common: their first 16 bits.
pub(super) const BUCKETS: usize = 1 << 16;

/// Records behind each place that is known: the others are found by walking over those before them.
const GROUP: usize = 16;

/// A key without its first 16 bits.
type Rest = [u8; 6];

/// The table of names.
#[derive(Default)]
pub(super) struct Table {
    bytes: Bytes,
    layout: Layout,
    texts: texts::Texts,
}

/// The names in a part of the range of all keys, with the numbers of their effect.
#[derive(Clone, Copy)]
pub(super) struct Bucket<'t> {
    number: usize,
    first: Index,
    keys: &'t [Rest],
    effect: &'t [[u8; 2]],
}

impl<'t> Bucket<'t> {
    /// True if the other one has the same names with the same numbers.
    pub fn is_same(&self, other: &Self) -> bool {
        self.keys == other.keys && self.effect == other.effect
    }

    /// Its keys in their order, as [`Table::each`] gives them.
    pub fn iter(self) -> impl Iterator<Item = (Index, RuleKey, u16, bool)> + use<'t> {
        (self.first..)
            .zip(self.keys.iter().zip(self.effect))
            .map(move |(index, (rest, effect))| {
                let effect = u16::from_le_bytes(*effect);
                (
                    index,
                    joined(self.number, *rest),
                    effect & !REDUNDANT,
                    effect & REDUNDANT != 0,
                )
            })
    }
}

/// Why bytes are no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoTable;

impl Table {
    /// The table that lies in these bytes.
    pub fn open(bytes: Bytes, layout: Layout) -> Result<Self, NoTable> {
        let mut table = Self {
            bytes,
            layout,
            texts: texts::Texts::default(),
        };
        if !table.is_consistent() {
            return Err(NoTable);
        }
        table.texts = texts::Texts::read(table.part(Part::Symbols)).ok_or(NoTable)?;
        Ok(table)
    }

    /// Where its parts lie, and their bytes.
    pub fn image(&self) -> (&Layout, &[u8]) {
        (
            &self.layout,
            self.bytes
                .get(self.layout.part(Part::Starts).start..self.layout.end())
                .unwrap_or_default(),
        )
    }

    pub fn len(&self) -> Index {
        self.keys().len() as Index
    }

    pub fn find(&self, key: RuleKey) -> Option<Index> {
        let (bucket, rest) = split(key);
        let (from, to) = (self.start(bucket), self.start(bucket + 1));
        // Numbers are compared in one step, octets in many.
        let number =
            |[r0, r1, r2, r3, r4, r5]: Rest| u64::from_be_bytes([0, 0, r0, r1, r2, r3, r4, r5]);
        let place = self
            .keys()
            .get(from..to)?
            .binary_search_by_key(&number(rest), |rest| number(*rest))
            .ok()?;
        Some((from + place) as Index)
    }

    pub fn key(&self, index: Index) -> RuleKey {
        let starts = self.numbers(Part::Starts);
        let behind = starts.partition_point(|start| u32::from_le_bytes(*start) <= index);
        let rest = self.keys().get(index as usize).copied().unwrap_or_default();
        joined(behind.saturating_sub(1), rest)
    }

    /// All keys in their order, with the numbers of their effect and whether another name does as
    /// well.
    pub fn each(&self, mut each: impl FnMut(Index, RuleKey, u16, bool)) {
        self.iter()
            .for_each(|(index, key, effect, redundant)| each(index, key, effect, redundant));
    }

    /// The same one after the other.
    pub fn iter(&self) -> impl Iterator<Item = (Index, RuleKey, u16, bool)> {
        (0..BUCKETS).flat_map(|bucket| self.bucket(bucket).iter())
    }

    /// The names in a part of the range of all keys.
    pub fn bucket(&self, number: usize) -> Bucket<'_> {
        let (from, to) = (self.start(number), self.start(number + 1));
        let effect = self
            .part(Part::Effect)
            .as_chunks()
            .0
            .get(from..to)
            .unwrap_or_default();
        Bucket {
            number,
            first: from as Index,
            keys: self.keys().get(from..to).unwrap_or_default(),
            effect,
        }
    }

    pub fn name(&self, index: Index) -> Cow<'_, str> {
        self.record(index)
            .map(|record| self.texts.read_text(record.text))
            .unwrap_or_default()
    }

    /// The number of its effect, whether another name does as well or not.
    pub fn effect(&self, index: Index) -> u16 {
        self.effect_word(index) & !REDUNDANT
    }

    /// True if another name does what this one asks for, when all rules of lists are in force.
    pub fn is_redundant(&self, index: Index) -> bool {
        self.effect_word(index) & REDUNDANT != 0
    }

    /// The keys of the names above this one, without its own, the nearest to the root first.
    pub fn each_above(&self, hash_key: &HashKey, index: Index, each: impl FnMut(RuleKey)) {
        let name = self.name(index);
        if let Some((_, above)) = name.split_once('.') {
            hash_key.suffix_keys(above).for_each(each);
        }
    }

    /// All rules for a name, in the order of their lists. A line of 0 says that there is none: the
    /// rule that takes others out came first.
    pub fn sources(&self, index: Index) -> impl Iterator<Item = Source> + use<> {
        let first = self.record(index).and_then(|Record { origin, line, .. }| {
            let [list @ .., kind] = self
                .part(Part::Origins)
                .as_chunks::<3>()
                .0
                .get(origin as usize)?;
            Some((
                usize::from(u16::from_le_bytes(*list)),
                line,
                Kind::from_byte(*kind),
            ))
        });
        let repeats = self.part(Part::Repeats).as_chunks::<{ Part::REPEAT }>().0;
        let more = of_index(repeats, index)
            .iter()
            .map(|[_, _, _, _, l0, l1, kind, line @ ..]| {
                (
                    usize::from(u16::from_le_bytes([*l0, *l1])),
                    u32::from_le_bytes(*line),
                    Kind::from_byte(*kind),
                )
            });
        let cancelled = of_index(
            self.part(Part::Cancelled)
                .as_chunks::<{ Part::CANCELLED }>()
                .0,
            index,
        );
        let all = first
            .into_iter()
            .chain(more)
            .filter(|(_, line, _)| *line != 0);
        let all = all.map(|(list, line, kind)| {
            let by = cancelled
                .iter()
                .find(|[.., of, _, _]| Kind::from_byte(*of) == kind);
            let cancelled_by = by.map(|[.., l0, l1]| usize::from(u16::from_le_bytes([*l0, *l1])));
            Source {
                list,
                line,
                kind,
                cancelled: cancelled_by.is_some(),
                cancelled_by,
            }
        });
        // Most names have one.
        let all: Vec<_> = all.collect();
        all.into_iter()
    }

    /// The names of which another rule takes some rules out, each at least once.
    pub fn with_cancelled(&self) -> impl Iterator<Item = Index> {
        let entries = self
            .part(Part::Cancelled)
            .as_chunks::<{ Part::CANCELLED }>()
            .0;
        entries.iter().filter_map(|entry| {
            entry
                .first_chunk()
                .map(|index| Index::from_le_bytes(*index))
        })
    }

    /// Hands back what of a file lies in memory.
    pub fn rest(&self) {
        self.bytes.rest();
    }

    /// Bytes that it takes of this process's own memory.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.owned()
    }

    fn is_consistent(&self) -> bool {
        let (starts, groups) = (self.numbers(Part::Starts), self.numbers(Part::Groups));
        let is_rising = |numbers: &[[u8; 4]], last: usize| {
            numbers
                .iter()
                .map(|number| u32::from_le_bytes(*number) as usize)
                .chain([last])
                .is_sorted()
        };
        let names = self.keys().len();
        self.layout.end() <= self.bytes.len()
            && self
                .part(Part::Keys)
                .as_chunks::<{ size_of::<Rest>() }>()
                .1
                .is_empty()
            && self.part(Part::Effect).len() == names * 2
            && (names == 0 || starts.len() == BUCKETS + 1)
            && starts
                .last()
                .is_none_or(|last| u32::from_le_bytes(*last) as usize == names)
            && is_rising(starts, names)
            && groups.len() == names.div_ceil(GROUP)
            && is_rising(groups, self.part(Part::Records).len())
    }

    fn record(&self, index: Index) -> Option<Record<'_>> {
        let (group, place) = (index as usize / GROUP, index as usize % GROUP);
        let start = u32::from_le_bytes(*self.numbers(Part::Groups).get(group)?);
        let mut records = self.part(Part::Records).get(start as usize..)?;
        for _ in 0..place {
            Record::skip(&mut records)?;
        }
        Record::take(&mut records)
    }

    fn start(&self, bucket: usize) -> usize {
        self.numbers(Part::Starts)
            .get(bucket)
            .map_or(0, |start| u32::from_le_bytes(*start) as usize)
    }

    fn effect_word(&self, index: Index) -> u16 {
        self.part(Part::Effect)
            .as_chunks()
            .0
            .get(index as usize)
            .map_or(0, |effect| u16::from_le_bytes(*effect))
    }

    fn keys(&self) -> &[Rest] {
        self.part(Part::Keys).as_chunks().0
    }

    fn numbers(&self, part: Part) -> &[[u8; 4]] {
        self.part(part).as_chunks().0
    }

    fn part(&self, part: Part) -> &[u8] {
        self.bytes.get(self.layout.part(part)).unwrap_or_default()
    }
}

/// The entries that begin with this index, of some in the order of theirs.
fn of_index<const N: usize>(entries: &[[u8; N]], index: Index) -> &[[u8; N]] {
    let of = |entry: &[u8; N]| {
        entry
            .first_chunk()
            .map_or(0, |index| u32::from_le_bytes(*index))
    };
    let from = entries.partition_point(|entry| of(entry) < index);
    let rest = entries.get(from..).unwrap_or_default();
    rest.get(..rest.partition_point(|entry| of(entry) == index))
        .unwrap_or_default()
}

fn split(RuleKey(key): RuleKey) -> (usize, Rest) {
    let [b0, b1, rest @ ..] = key.to_be_bytes();
    (usize::from(u16::from_be_bytes([b0, b1])), rest)
}

fn joined(bucket: usize, [r0, r1, r2, r3, r4, r5]: Rest) -> RuleKey {
    let [.., b0, b1] = bucket.to_be_bytes();
    RuleKey(u64::from_be_bytes([b0, b1, r0, r1, r2, r3, r4, r5]))
}

#[cfg(test)]
mod tests;
