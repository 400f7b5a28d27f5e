//! Making the table of names that came in whatever order.

use std::collections::HashMap;

use filter_core::RuleKey;

use super::{
    BUCKETS, Bytes, GROUP, Index, Layout, Part, Record, Table, split,
    texts::{Packer, Texts},
};
use crate::policy::{
    entries::{Entries, Kept},
    sources::{Repeat, Sources},
    store::Kind,
};

impl Table {
    /// The table of these names. Their memory is given back on the way, as far as it can be: both take about as much.
    pub fn make(entries: Entries, sources: Sources) -> Self {
        /// What a name takes in lists of many, and some more.
        const BYTES_A_NAME: usize = 26;

        if entries.len() == 0 {
            return Self::default();
        }
        let (keys, mut kept) = entries.into_parts();
        let order = order_of(&keys);
        let (repeats, cancelled) = in_order(sources, &order);
        let mut making = Making::default();
        making.bytes.reserve_exact(keys.len() * BYTES_A_NAME);
        let in_order = || order.iter().map(|index| keys[*index as usize]);
        making.put(Part::Starts, |bytes| put_starts(in_order(), bytes));
        making.put(Part::Keys, |bytes| in_order().for_each(|key| bytes.extend_from_slice(&split(key).1)));
        drop(keys);
        making.put(Part::Terms, |bytes| {
            for index in &order {
                bytes.extend_from_slice(&kept.terms_word(*index).to_le_bytes());
            }
        });
        kept.bring_in_order(order);
        making.put_records(&kept);
        drop(kept);
        making.put_sources(repeats, cancelled);
        making.bytes.shrink_to_fit();
        let texts = Texts::read(&making.bytes[making.layout.part(Part::Symbols)]).unwrap_or_default();
        Self { bytes: Bytes::Owned(making.bytes), layout: making.layout, texts }
    }
}

/// The places of the keys in their order. Of most keys, the first half tells it; this and a place are 8 bytes, which are
/// sorted in half of the memory and of the time that whole keys with their places take.
fn order_of(keys: &[RuleKey]) -> Vec<Index> {
    let first_half = |half: u64| half >> 32;
    let mut halves: Vec<u64> = (0..).zip(keys).map(|(index, key)| (key.0 >> 32 << 32) | index).collect();
    halves.sort_unstable();
    for same in halves.chunk_by_mut(|one, other| first_half(*one) == first_half(*other)) {
        if same.len() > 1 {
            same.sort_unstable_by_key(|half| keys[*half as Index as usize]);
        }
    }
    halves.iter().map(|half| *half as Index).collect()
}

/// What is said of names more than once, which is under the numbers that these had as they came.
fn in_order(sources: Sources, order: &[Index]) -> (Vec<Repeat>, Vec<(Index, Kind)>) {
    let (mut repeats, mut cancelled) = sources.into_parts();
    if repeats.is_empty() && cancelled.is_empty() {
        return (repeats, cancelled);
    }
    let mut places = vec![0; order.len()];
    (0..).zip(order).for_each(|(place, index)| places[*index as usize] = place);
    for repeat in &mut repeats {
        repeat.index = places[repeat.index as usize];
    }
    repeats.sort_unstable();
    for (index, _) in &mut cancelled {
        *index = places[*index as usize];
    }
    cancelled.sort_unstable();
    (repeats, cancelled)
}

#[derive(Default)]
struct Making {
    bytes: Vec<u8>,
    layout: Layout,
}

impl Making {
    /// Adds the next part.
    fn put(&mut self, part: Part, put: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        put(&mut self.bytes);
        self.layout.set(part, start..self.bytes.len());
    }

    fn put_records(&mut self, kept: &Kept) {
        let places = kept.places();
        let packer = Packer::new(places.len(), |at| kept.text(places[at]));
        self.put(Part::Symbols, |bytes| bytes.extend(packer.symbols()));
        let groups = self.bytes.len();
        self.put(Part::Groups, |bytes| bytes.resize(groups + places.len().div_ceil(GROUP) * 4, 0));
        let records = self.bytes.len();
        let mut origins = Origins::default();
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        for (chunk, some) in places.chunks(Packer::AT_ONCE).enumerate() {
            let names: Vec<_> = some.iter().map(|place| kept.text(*place)).collect();
            packer.pack(&names, &mut codes, &mut ends);
            let mut from = 0;
            for (number, (place, end)) in (chunk * Packer::AT_ONCE..).zip(some.iter().zip(&ends)) {
                if number % GROUP == 0 {
                    let start = (self.bytes.len() - records) as u32;
                    self.bytes[groups + number / GROUP * 4..][..4].copy_from_slice(&start.to_le_bytes());
                }
                let (list, line, kind) = kept.source(*place);
                let text = &codes[from..*end as usize];
                Record { origin: origins.number(list, kind), line, text }.put(&mut self.bytes);
                from = *end as usize;
            }
        }
        self.layout.set(Part::Records, records..self.bytes.len());
        self.put(Part::Origins, |bytes| origins.put(bytes));
    }

    fn put_sources(&mut self, repeats: Vec<Repeat>, cancelled: Vec<(Index, Kind)>) {
        self.put(Part::Repeats, |bytes| {
            for Repeat { index, list, kind, line } in repeats {
                bytes.extend(index.to_le_bytes());
                bytes.extend(list.to_le_bytes());
                bytes.push(kind.to_byte());
                bytes.extend(line.to_le_bytes());
            }
        });
        self.put(Part::Cancelled, |bytes| {
            for (index, kind) in cancelled {
                bytes.extend(index.to_le_bytes());
                bytes.push(kind.to_byte());
            }
        });
    }
}

fn put_starts(keys: impl Iterator<Item = RuleKey>, bytes: &mut Vec<u8>) {
    let (mut keys, mut place) = (keys.peekable(), 0_u32);
    for bucket in 0..BUCKETS {
        bytes.extend(place.to_le_bytes());
        while keys.next_if(|key| split(*key).0 == bucket).is_some() {
            place += 1;
        }
    }
    bytes.extend(place.to_le_bytes());
}

/// Which list and kind records are of, each pair once.
#[derive(Default)]
struct Origins {
    all: Vec<(u16, Kind)>,
    numbers: HashMap<(u16, Kind), u32>,
}

impl Origins {
    fn number(&mut self, list: usize, kind: Kind) -> u32 {
        // Lists beyond these are told apart no more.
        let origin = (u16::try_from(list).unwrap_or(u16::MAX), kind);
        // Few lists have most of the names.
        if let Some(first) = self.all.iter().take(4).position(|known| *known == origin) {
            return first as u32;
        }
        *self.numbers.entry(origin).or_insert_with(|| {
            self.all.push(origin);
            self.all.len() as u32 - 1
        })
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        for (list, kind) in &self.all {
            bytes.extend(list.to_le_bytes());
            bytes.push(kind.to_byte());
        }
    }
}
