//! Making the table of names that came in whatever order.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use filter_core::HashKey;
use filter_lists::{MOST_NAMES, TooManyNames};

use super::{
    BUCKETS, Bytes, GROUP, Index, Layout, Part, Record, Table,
    shard::{Shard, Sharding},
    texts::{Packer, Texts},
};
use crate::{
    compiled::{
        CompileError,
        effect::EffectTable,
        merging::Merging,
        parallel,
        redundancy::{self, AncestorKey, REDUNDANT},
        repeated::Tally,
        sources::{Cancelled, Origins, Repeat},
        staged::{PIECES, Piece, StagedRules},
    },
    memory,
};

/// Parts that are worked on at the same time. The memory of one is given back as soon as it is in
/// the table.
const SHARDS: usize = 8;

/// A table that was made, and what was found on the way.
pub(in crate::compiled) struct Made {
    pub table: Table,
    pub effect: EffectTable,
    pub tally: Tally,
}

/// What is known of some names more than once, or taken out.
#[derive(Default)]
struct Sources {
    repeats: Vec<Repeat>,
    cancelled: Vec<Cancelled>,
}

impl Table {
    /// The table of these rules, whose memory is given back on the way: both take about as much.
    pub fn make(
        hash_key: &HashKey,
        staged: StagedRules,
        origins: &Origins,
    ) -> Result<Made, CompileError> {
        let effect = Mutex::default();
        let packer = Packer::new(staged.len(), |most| staged.sample(most));
        let (pieces, mut tally, covering) = staged.into_parts();
        let sharding = Sharding {
            hash_key,
            packer: &packer,
            covering: covering.as_ref(),
        };
        let (mut sources, mut shards, mut above) = (Sources::default(), Vec::new(), Vec::new());
        let shard = |pieces| {
            let mut merging = Merging::new(origins, &effect);
            sharding
                .shard(pieces, &mut merging)
                .map(|shard| (shard, merging.into_parts()))
        };
        let mut names: Index = 0;
        for shard in parallel::each(in_shards(pieces), shard) {
            let (mut shard, (of_shard, repeats, cancelled)) = shard?;
            shard
                .above
                .iter_mut()
                .for_each(|above| above.index += names);
            above.push(mem::take(&mut shard.above));
            tally.add(of_shard);
            sources
                .repeats
                .extend(repeats.into_iter().map(|repeat| Repeat {
                    index: names + repeat.index,
                    ..repeat
                }));
            sources
                .cancelled
                .extend(cancelled.into_iter().map(|it| Cancelled {
                    index: names + it.index,
                    ..it
                }));
            names += shard.len();
            shards.push(shard);
        }
        drop(covering);
        // What was sorted has left room behind it, and another copy of all comes next.
        memory::trim_heap();
        if names > MOST_NAMES {
            return Err(TooManyNames.into());
        }
        let effect = effect.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut table = Self::default();
        if names > 0 {
            table = assemble(shards, &packer, origins, &sources);
            table.mark_redundant(above, &effect);
        }
        Ok(Made {
            table,
            effect,
            tally,
        })
    }

    /// Marks the names that others above them cover.
    fn mark_redundant(&mut self, above: Vec<Vec<AncestorKey>>, effect: &EffectTable) {
        let table = &*self;
        let redundant = parallel::each(above, |above| redundancy::redundant(table, above, effect));
        let Bytes::Owned(bytes) = &mut self.bytes else {
            return;
        };
        let marks = bytes[self.layout.part(Part::Effect)].as_chunks_mut().0;
        for index in redundant.into_iter().flatten() {
            let effect = &mut marks[index as usize];
            *effect = (u16::from_le_bytes(*effect) | REDUNDANT).to_le_bytes();
        }
    }
}

/// The pieces of each shard.
fn in_shards(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut pieces = pieces.into_iter();
    (0..SHARDS)
        .map(|_| pieces.by_ref().take(PIECES / SHARDS).collect())
        .collect()
}

/// Brings all parts together, and drops each part of a shard as soon as it is where it belongs.
fn assemble(
    mut shards: Vec<Shard>,
    packer: &Packer,
    origins: &Origins,
    sources: &Sources,
) -> Table {
    let mut making = Making::with_room_for(&shards, packer, origins, sources);
    making.put(Part::Starts, |bytes| put_starts(&shards, bytes));
    making.put(Part::Keys, |bytes| {
        for shard in &mut shards {
            bytes.extend_from_slice(&mem::take(&mut shard.keys));
        }
    });
    making.put(Part::Effect, |bytes| {
        for shard in &mut shards {
            bytes.extend_from_slice(&mem::take(&mut shard.effect));
        }
    });
    making.put(Part::Symbols, |bytes| bytes.extend(packer.symbols()));
    making.put_records(shards.into_iter().map(|shard| shard.records));
    making.put(Part::Origins, |bytes| {
        for origin in origins.iter() {
            bytes.extend(origin.list_number().to_le_bytes());
            bytes.push(origin.kind.to_byte());
        }
    });
    making.put_sources(sources);
    let texts = Texts::read(&making.bytes[making.layout.part(Part::Symbols)]).unwrap_or_default();
    Table {
        bytes: Bytes::Owned(making.bytes),
        layout: making.layout,
        texts,
    }
}

struct Making {
    bytes: Vec<u8>,
    layout: Layout,
    names: usize,
}

impl Making {
    fn with_room_for(
        shards: &[Shard],
        packer: &Packer,
        origins: &Origins,
        sources: &Sources,
    ) -> Self {
        let bytes_of = |shard: &Shard| shard.keys.len() + shard.effect.len() + shard.records.len();
        let names: usize = shards.iter().map(|shard| shard.len() as usize).sum();
        let Sources { repeats, cancelled } = sources;
        let beside = (BUCKETS + 1 + names.div_ceil(GROUP)) * 4
            + packer.symbols().len()
            + origins.iter().count() * 3;
        let of_sources = repeats.len() * Part::REPEAT + cancelled.len() * Part::CANCELLED;
        let bytes = shards.iter().map(bytes_of).sum::<usize>() + beside + of_sources;
        Self {
            bytes: Vec::with_capacity(bytes),
            layout: Layout::default(),
            names,
        }
    }

    /// Adds the next part.
    fn put(&mut self, part: Part, put: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        put(&mut self.bytes);
        self.layout.set(part, start..self.bytes.len());
    }

    fn put_records(&mut self, of_shards: impl Iterator<Item = Vec<u8>>) {
        let groups = self.bytes.len();
        let groups_end = groups + self.names.div_ceil(GROUP) * 4;
        self.put(Part::Groups, |bytes| bytes.resize(groups_end, 0));
        let (start, mut number) = (self.bytes.len(), 0);
        for records in of_shards {
            let mut rest = &*records;
            while !rest.is_empty() {
                if number % GROUP == 0 {
                    let place = (self.bytes.len() - start + records.len() - rest.len()) as u32;
                    self.bytes[groups + number / GROUP * 4..][..4]
                        .copy_from_slice(&place.to_le_bytes());
                }
                number += 1;
                if Record::skip(&mut rest).is_none() {
                    break;
                }
            }
            self.bytes.extend_from_slice(&records);
        }
        self.layout.set(Part::Records, start..self.bytes.len());
    }

    fn put_sources(&mut self, Sources { repeats, cancelled }: &Sources) {
        self.put(Part::Repeats, |bytes| {
            for Repeat {
                index,
                list,
                kind,
                line,
            } in repeats
            {
                bytes.extend(index.to_le_bytes());
                bytes.extend(list.to_le_bytes());
                bytes.push(kind.to_byte());
                bytes.extend(line.to_le_bytes());
            }
        });
        self.put(Part::Cancelled, |bytes| {
            for Cancelled { index, kind, by } in cancelled {
                bytes.extend(index.to_le_bytes());
                bytes.push(kind.to_byte());
                bytes.extend(by.to_le_bytes());
            }
        });
    }
}

fn put_starts(shards: &[Shard], bytes: &mut Vec<u8>) {
    let mut start = 0_u32;
    for count in shards.iter().flat_map(|shard| &shard.buckets) {
        bytes.extend(start.to_le_bytes());
        start += count;
    }
    bytes.extend(start.to_le_bytes());
}
