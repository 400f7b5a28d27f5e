//! Making the table of names that came in whatever order.

use std::collections::HashMap;

use filter_core::RuleKey;

use super::{
    BUCKETS, Bytes, GROUP, Index, Layout, Part, Record, Table, split,
    texts::{Packer, Texts},
};
use crate::policy::{
    entries::{Entries, Kept},
    sources::Sources,
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
        let (keys, kept) = entries.into_parts();
        let mut making = Making::default();
        making.bytes.reserve_exact(keys.len() * BYTES_A_NAME);
        let mut order: Vec<_> = keys.into_iter().zip(0..).collect();
        order.sort_unstable();
        making.put(Part::Starts, |bytes| put_starts(&order, bytes));
        making.put(Part::Keys, |bytes| order.iter().for_each(|(key, _)| bytes.extend_from_slice(&split(*key).1)));
        let mut order: Vec<Index> = order.into_iter().map(|(_, index)| index).collect();
        order.shrink_to_fit();
        making.put(Part::Terms, |bytes| {
            order.iter().for_each(|index| bytes.extend_from_slice(&kept.terms_word(*index).to_le_bytes()));
        });
        making.put_records(&order, &kept);
        drop(kept);
        making.put_sources(&order, sources);
        making.bytes.shrink_to_fit();
        let texts = Texts::read(&making.bytes[making.layout.part(Part::Symbols)]).unwrap_or_default();
        Self { bytes: Bytes::Owned(making.bytes), layout: making.layout, texts }
    }
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

    fn put_records(&mut self, order: &[Index], kept: &Kept) {
        let packer = Packer::new(order.len(), |place| kept.text(order[place]));
        self.put(Part::Symbols, |bytes| bytes.extend(packer.symbols()));
        let groups = self.bytes.len();
        self.put(Part::Groups, |bytes| bytes.resize(groups + order.len().div_ceil(GROUP) * 4, 0));
        let records = self.bytes.len();
        let mut origins = Origins::default();
        let (mut packed, mut ends) = (Vec::new(), Vec::new());
        for (chunk, some) in order.chunks(Packer::AT_ONCE).enumerate() {
            let names: Vec<_> = some.iter().map(|index| kept.text(*index)).collect();
            packer.pack(&names, &mut packed, &mut ends);
            let mut from = 0;
            for (place, (index, end)) in (chunk * Packer::AT_ONCE..).zip(some.iter().zip(&ends)) {
                if place % GROUP == 0 {
                    let start = (self.bytes.len() - records) as u32;
                    self.bytes[groups + place / GROUP * 4..][..4].copy_from_slice(&start.to_le_bytes());
                }
                let (list, line, kind) = kept.source(*index);
                let text = &packed[from..*end as usize];
                Record { origin: origins.number(list, kind), line, text }.put(&mut self.bytes);
                from = *end as usize;
            }
        }
        self.layout.set(Part::Records, records..self.bytes.len());
        self.put(Part::Origins, |bytes| origins.put(bytes));
    }

    /// What is said of names more than once is under the numbers that these had as they came.
    fn put_sources(&mut self, order: &[Index], sources: Sources) {
        let (mut repeats, mut cancelled) = sources.into_parts();
        let mut places = Vec::new();
        if !repeats.is_empty() || !cancelled.is_empty() {
            places.resize(order.len(), 0);
            (0..).zip(order).for_each(|(place, index)| places[*index as usize] = place);
        }
        repeats.iter_mut().for_each(|repeat| repeat.index = places[repeat.index as usize]);
        repeats.sort_unstable();
        cancelled.iter_mut().for_each(|(index, _)| *index = places[*index as usize]);
        cancelled.sort_unstable();
        self.put(Part::Repeats, |bytes| {
            for repeat in repeats {
                bytes.extend(repeat.index.to_le_bytes());
                bytes.extend(repeat.list.to_le_bytes());
                bytes.push(repeat.kind.to_byte());
                bytes.extend(repeat.line.to_le_bytes());
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

fn put_starts(order: &[(RuleKey, Index)], bytes: &mut Vec<u8>) {
    let mut place = 0;
    for bucket in 0..BUCKETS {
        bytes.extend((place as u32).to_le_bytes());
        place += order[place..].iter().take_while(|(key, _)| split(*key).0 == bucket).count();
    }
    bytes.extend((place as u32).to_le_bytes());
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
