//! A part of the range of all keys on its way into a table.

use filter_core::HashKey;

use super::{BUCKETS, Index, Record, Rest, split, texts::Packer};
use crate::compiled::{
    CompileError,
    merging::Merging,
    redundancy::{AncestorFilter, AncestorKey},
    staged::{Arrival, PIECES, Piece, Sorted},
};

/// Buckets that the keys of a piece may lie in.
const BUCKETS_A_PIECE: usize = BUCKETS / PIECES;

/// What the names of some pieces become in the table.
#[derive(Default)]
pub(super) struct Shard {
    /// How many keys there are in each of its buckets.
    pub buckets: Vec<u32>,
    pub keys: Vec<u8>,
    pub effect: Vec<u8>,
    pub records: Vec<u8>,
    /// For names that others may cover, what is above them: whether it does is not known before
    /// there are all.
    pub above: Vec<AncestorKey>,
}

/// What is asked while shards are made.
pub(super) struct Sharding<'a> {
    pub hash_key: &'a HashKey,
    pub packer: &'a Packer,
    /// Nothing where no name covers another.
    pub covering: Option<&'a AncestorFilter>,
}

impl Sharding<'_> {
    /// The shard of pieces that follow each other; each is dropped before the next one is looked
    /// at. Names are numbered from 0.
    pub fn shard(
        &self,
        pieces: Vec<Piece>,
        merging: &mut Merging<'_>,
    ) -> Result<Shard, CompileError> {
        let mut shard = Shard::with_room_for(&pieces);
        for piece in pieces {
            self.add(&piece, &mut shard, merging)?;
        }
        Ok(shard)
    }

    fn add(
        &self,
        piece: &Piece,
        shard: &mut Shard,
        merging: &mut Merging<'_>,
    ) -> Result<(), CompileError> {
        let sorted = Sorted::of(piece.iter());
        let buckets = shard.buckets.len();
        shard.buckets.resize(buckets + BUCKETS_A_PIECE, 0);
        let mut firsts = Vec::with_capacity(sorted.len());
        for (first, further) in sorted.names() {
            let index = shard.len();
            let number = merging.merge(index, first, further)?;
            if let Some(covering) = self.covering {
                covering.add_above(self.hash_key, index, first.name, &mut shard.above);
            }
            let (bucket, rest) = split(first.key);
            shard.buckets[buckets + bucket % BUCKETS_A_PIECE] += 1;
            shard.keys.extend_from_slice(&rest);
            shard.effect.extend_from_slice(&number.to_le_bytes());
            firsts.push(first);
        }
        self.put_records(&firsts, &mut shard.records);
        Ok(())
    }

    fn put_records(&self, names: &[&Arrival<'_>], records: &mut Vec<u8>) {
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        for names in names.chunks(Packer::AT_ONCE) {
            let texts: Vec<_> = names.iter().map(|name| name.name).collect();
            self.packer.pack(&texts, &mut codes, &mut ends);
            let mut from = 0;
            for (Arrival { origin, line, .. }, end) in names.iter().zip(&ends) {
                Record {
                    origin: *origin,
                    line: *line,
                    text: &codes[from..*end as usize],
                }
                .put(records);
                from = *end as usize;
            }
        }
    }
}

impl Shard {
    /// None yet of these names. What is not needed of this memory is never asked of the system, and
    /// it has not to be moved while it fills.
    fn with_room_for(pieces: &[Piece]) -> Self {
        let rules = pieces.iter().map(Piece::len).sum::<usize>();
        let bytes = pieces.iter().map(Piece::bytes).sum();
        Self {
            keys: Vec::with_capacity(rules * size_of::<Rest>()),
            effect: Vec::with_capacity(rules * 2),
            records: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Names that it has.
    pub fn len(&self) -> Index {
        (self.effect.len() / 2) as Index
    }
}
