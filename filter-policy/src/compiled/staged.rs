//! Rules for names as they come, until a table is made of them.
//!
//! They are divided by the first bits of their keys and otherwise stay in the order in which they
//! came: adding one writes a few bytes behind others, and looks for nothing. Which are for the same
//! name shows when a piece is brought in the order of its keys, which is done where all of it is in
//! the processor's cache, and its memory is given back before the next one is looked at. A rule
//! takes ten bytes beside its name.

use std::mem;

use filter_core::RuleKey;
use filter_lists::TooManyNames;

use super::{redundancy::AncestorFilter, repeated::Tally, varint};
use crate::memory;

/// Pieces that the range of all keys is divided into: one for each first octet of a key. A piece of
/// 1,000,000 names has 120 KB.
pub(super) const PIECES: usize = 1 << 8;

/// Memory that is asked for at once: it is the process's from the first time that it is written to.
/// As much lies by itself, so that the system has it back as soon as it is not needed any more.
const CHUNK: usize = memory::LARGE.unsigned_abs() as usize;

/// Bytes from which on rules that say what others do are looked for in a piece: those of a million
/// names stay below.
const SETTLE_FROM: usize = 1 << 20;

/// Most bytes of a rule: three numbers, the key without its first octet, and the name with its
/// length.
const MOST_BYTES: usize = 3 * 5 + 7 + 1 + u8::MAX as usize;

/// A rule for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival<'a> {
    pub key: RuleKey,
    pub name: &'a [u8],
    /// The number of its origin.
    pub origin: u32,
    pub line: u32,
}

/// All rules for names.
pub(super) struct StagedRules {
    pieces: Vec<Piece>,
    rules: u64,
    /// Of the rules that are not kept.
    tally: Tally,
    /// The names of the rules that are about names below; nothing if there are none.
    covering: Option<AncestorFilter>,
}

/// Rules whose keys begin with the same bits, in the order in which they came.
#[derive(Default)]
pub(super) struct Piece {
    /// The first octet of all keys.
    first: u8,
    chunks: Vec<Vec<u8>>,
    rules: usize,
    /// The origin and the line of the last rule of the last chunk: the next one is often of the
    /// same, and some lines behind.
    last: Option<(u32, u32)>,
    /// With as many bytes, rules that say what others do are taken out.
    settle_at: usize,
}

impl Default for StagedRules {
    fn default() -> Self {
        let pieces = (0..=u8::MAX).map(|first| Piece {
            first,
            settle_at: SETTLE_FROM,
            ..Piece::default()
        });
        Self {
            pieces: pieces.collect(),
            rules: 0,
            tally: Tally::default(),
            covering: None,
        }
    }
}

impl StagedRules {
    /// Bytes that are held.
    const MOST: usize = u32::MAX as usize;

    /// How many there are, those for one name each by itself.
    pub fn len(&self) -> u64 {
        self.rules
    }

    /// Adds a rule. Where there is much already, those that say what earlier ones say are counted
    /// and taken out.
    pub fn push(&mut self, arrival: Arrival<'_>) -> Result<(), TooManyNames> {
        let [first, ..] = arrival.key.0.to_be_bytes();
        let place = usize::from(first);
        if self.pieces[place].is_full() {
            self.rules -= self.pieces[place].make_room(&mut self.tally);
            if self.pieces.iter().map(Piece::bytes).sum::<usize>() > Self::MOST {
                return Err(TooManyNames);
            }
        }
        self.pieces[place].push(arrival).ok_or(TooManyNames)?;
        self.rules += 1;
        Ok(())
    }

    /// The same of a rule that is about names below.
    pub fn push_covering(&mut self, arrival: Arrival<'_>) -> Result<(), TooManyNames> {
        self.covering
            .get_or_insert_default()
            .insert(arrival.key, arrival.name);
        self.push(arrival)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Arrival<'_>> {
        self.pieces.iter().flat_map(Piece::iter)
    }

    /// About so many names from all over the lists: keys are random, so those of a few pieces are.
    pub fn sample(&self, most: usize) -> Vec<&[u8]> {
        let a_piece = usize::try_from(self.rules)
            .unwrap_or(usize::MAX)
            .div_ceil(PIECES)
            .max(1);
        let pieces = most.div_ceil(a_piece);
        let step = (pieces * a_piece).div_ceil(most).max(1);
        self.iter()
            .take(pieces * a_piece)
            .step_by(step)
            .map(|arrival| arrival.name)
            .collect()
    }

    /// The pieces, in the order of their keys, what was counted of rules that are in none, and the
    /// names that may cover others.
    pub fn into_parts(self) -> (Vec<Piece>, Tally, Option<AncestorFilter>) {
        (self.pieces, self.tally, self.covering)
    }
}

impl Piece {
    /// All rules, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = Arrival<'_>> {
        self.chunks.iter().flat_map(move |chunk| {
            let (mut rest, mut last) = (&**chunk, (0, 0));
            std::iter::from_fn(move || Arrival::take(self.first, &mut rest, &mut last))
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    fn is_full(&self) -> bool {
        self.chunks
            .last()
            .is_none_or(|chunk| chunk.len() + MOST_BYTES > CHUNK)
    }

    /// `None` if its name is too long for one.
    fn push(&mut self, arrival: Arrival<'_>) -> Option<()> {
        let chunk = self.chunks.last_mut()?;
        arrival.put(self.last, chunk)?;
        self.last = Some((arrival.origin, arrival.line));
        self.rules += 1;
        Some(())
    }

    /// Makes room for another rule; gives the number of those that were taken out.
    fn make_room(&mut self, tally: &mut Tally) -> u64 {
        let taken_out = if self.bytes() < self.settle_at {
            0
        } else {
            self.settle(tally)
        };
        if self.is_full() {
            self.begin_chunk();
        }
        taken_out
    }

    fn begin_chunk(&mut self) {
        self.chunks.push(Vec::with_capacity(CHUNK));
        self.last = None;
    }

    /// Takes out what an earlier rule of the same origin says of the same name, and gives the
    /// number of such rules: what is repeated without end takes no memory without end.
    fn settle(&mut self, tally: &mut Tally) -> u64 {
        let before = mem::take(self);
        self.first = before.first;
        let sorted = Sorted::of(before.iter());
        let mut taken_out = 0;
        for (arrival, repeats) in sorted.staged.iter().zip(sorted.repeats()) {
            if repeats {
                taken_out += 1;
                tally.repeated(arrival.origin, arrival.line, arrival.name);
                continue;
            }
            if self.is_full() {
                self.begin_chunk();
            }
            self.push(*arrival);
        }
        self.settle_at = SETTLE_FROM.max(2 * self.bytes());
        taken_out
    }
}

/// The rules of a piece in the order of their keys, those for one name in the order in which they
/// came.
pub(super) struct Sorted<'a> {
    staged: Vec<Arrival<'a>>,
    /// A part of each key, and its place among the arrivals.
    order: Vec<u64>,
}

impl<'a> Sorted<'a> {
    /// Sorts these. Of most keys, 32 bits behind those that all have tell their order; these and a
    /// place are 8 bytes, which are sorted in half of the time that whole keys with their places
    /// take.
    pub fn of(staged: impl Iterator<Item = Arrival<'a>>) -> Self {
        let part = |key: RuleKey| key.0 << 8 >> 32 << 32;
        let staged: Vec<_> = staged.collect();
        let mut order: Vec<_> = (0..)
            .zip(&staged)
            .map(|(place, arrival)| part(arrival.key) | place)
            .collect();
        order.sort_unstable();
        for same in order.chunk_by_mut(|one, other| one >> 32 == other >> 32) {
            if same.len() > 1 {
                same.sort_unstable_by_key(|place| (staged[*place as u32 as usize].key, *place));
            }
        }
        Self { staged, order }
    }

    /// For each key, the first rule with it, and the others in the order in which they came.
    pub fn names(
        &self,
    ) -> impl Iterator<Item = (&Arrival<'a>, impl ExactSizeIterator<Item = &Arrival<'a>>)> {
        self.keys().filter_map(|places| {
            let (first, further) = places.split_first()?;
            Some((self.at(*first), further.iter().map(|place| self.at(*place))))
        })
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.staged.len()
    }

    /// For each key, the places of the rules with it.
    fn keys(&self) -> impl Iterator<Item = &[u64]> {
        self.order
            .chunk_by(|one, other| self.at(*one).key == self.at(*other).key)
    }

    fn at(&self, place: u64) -> &Arrival<'a> {
        &self.staged[place as u32 as usize]
    }

    /// For each of the rules as they came, whether an earlier one of the same origin is for the
    /// same name.
    fn repeats(&self) -> Vec<bool> {
        let mut repeats = vec![false; self.staged.len()];
        for same in self.keys() {
            let mut places: Vec<_> = same.iter().map(|place| *place as u32 as usize).collect();
            places.sort_by_key(|place| self.staged[*place].origin);
            for (place, next) in places.iter().zip(places.iter().skip(1)) {
                let [one, other] = [place, next].map(|place| &self.staged[*place]);
                repeats[*next] = (one.origin, one.name) == (other.origin, other.name);
            }
        }
        repeats
    }
}

impl<'a> Arrival<'a> {
    /// In place of the lines behind the one before: another origin, and the line follow.
    const OTHER_ORIGIN: u32 = 0;

    /// Adds it to others, the last of which was of this origin and line.
    fn put(&self, last: Option<(u32, u32)>, bytes: &mut Vec<u8>) -> Option<()> {
        let Self {
            key,
            name,
            origin,
            line,
        } = *self;
        let len = u8::try_from(name.len()).ok()?;
        let behind = last
            .filter(|(last, _)| *last == origin)
            .and_then(|(_, last)| line.checked_sub(last)?.checked_add(1));
        match behind {
            Some(behind) => varint::put(behind, bytes),
            None => [Self::OTHER_ORIGIN, origin, line]
                .into_iter()
                .for_each(|number| varint::put(number, bytes)),
        }
        let [_, key @ ..] = key.0.to_be_bytes();
        bytes.extend_from_slice(&key);
        bytes.push(len);
        bytes.extend_from_slice(name);
        Some(())
    }

    /// The next one, which is taken off; its key begins with this octet.
    fn take(first: u8, bytes: &mut &'a [u8], (origin, line): &mut (u32, u32)) -> Option<Self> {
        match varint::take(bytes)? {
            Self::OTHER_ORIGIN => (*origin, *line) = (varint::take(bytes)?, varint::take(bytes)?),
            behind => *line += behind - 1,
        }
        let (key, len, name);
        (key, *bytes) = bytes.split_first_chunk()?;
        let [k0, k1, k2, k3, k4, k5, k6] = *key;
        (len, *bytes) = bytes.split_first()?;
        (name, *bytes) = bytes.split_at_checked(usize::from(*len))?;
        let key = RuleKey(u64::from_be_bytes([first, k0, k1, k2, k3, k4, k5, k6]));
        Some(Self {
            key,
            name,
            origin: *origin,
            line: *line,
        })
    }
}
