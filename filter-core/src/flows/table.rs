//! The table of flows: where a flow is, and which one goes when there is no room.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    bounds::{opaque, within},
    buffer::MessageBuffer,
    flows::Flow,
    intrinsics,
    quic::{QuicFlow, QuicRoom},
};

pub use crate::abi::WAYS;
/// Places of a bucket that the flows of one source may have: an eighth, and thus no more of the
/// whole table.
const WAYS_OF_SOURCE: u32 = WAYS / 8;
/// Connections of a bucket of which it is remembered where their first octet is; one of them may be
/// of one source.
const OPENINGS: u32 = 8;

/// The place of a flow in its bucket, or none.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way(pub(crate) u32);

impl Way {
    /// No place.
    pub(crate) const NONE: Self = Self(WAYS);

    /// Which one of the places of a bucket.
    #[inline(always)]
    pub(crate) fn index(self) -> Option<u32> {
        within(self.0 as usize, 0, WAYS as usize - 1).map(|way| way as u32)
    }
}

/// The storage of the table: array maps in the kernel.
pub trait Flows {
    /// The bucket with this index.
    fn bucket(&mut self, index: u32) -> Option<&mut Bucket>;

    /// The flow at this place, and room for the bytes of one more.
    fn flow(&mut self, place: u32) -> Option<(&mut Flow, &mut MessageBuffer)>;

    /// The bucket of QUIC connections with this index.
    fn quic_bucket(&mut self, index: u32) -> Option<&mut Bucket>;

    /// The QUIC connection at this place, and what this CPU works with on QUIC.
    fn quic_flow(&mut self, place: u32) -> Option<(&mut QuicFlow, &mut QuicRoom)>;
}

/// Some places of the table. A flow is in the bucket that its hash names, or nowhere.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub struct Bucket {
    // First what a segment looks at that is of no interest: 64 bytes.
    /// Part of the hash of the flow in each place, or 0 if nobody is there.
    tags: Tags<4>,
    /// The same of each of `openings`.
    opening_tags: Tags<2>,
    /// 1 while a CPU works on a flow of the bucket.
    pub lock: u64,
    /// Counts the uses of places.
    clock: u32,
    /// Counts the openings that took a place.
    opened: u32,
    /// Part of the hash of the source of each flow, and of each opening.
    sources: Tags<4>,
    opening_sources: Tags<2>,
    /// The hash of a flow and the sequence number of its first octet, from its SYN until that octet
    /// comes.
    openings: [u64; OPENINGS as usize],
    /// When each place was used last, by the bucket's own clock.
    used: [u32; WAYS as usize],
    reserved: [u64; 2],
}

const _: () = assert!(size_of::<Bucket>() == 256);

impl Bucket {
    /// Takes the bucket for this CPU, waiting for another that has it; false if that one keeps it.
    #[inline(always)]
    pub(crate) fn lock(&mut self) -> bool {
        /// About 150 microseconds on the machine of the tests. Who has the lock needs less than
        /// one, but may be interrupted.
        const TURNS: u32 = 1 << 14;

        intrinsics::take_lock(&mut self.lock, TURNS)
    }

    /// Gives the bucket back.
    #[inline(always)]
    pub(crate) fn unlock(&mut self) {
        intrinsics::unlock(&mut self.lock);
    }

    /// False if the flow has no place here. True mostly means that it has one: different flows may
    /// have the same tag.
    #[inline(always)]
    pub(crate) fn may_hold(&self, hash: u32) -> bool {
        self.tags.may_have(hash)
    }

    /// True if a flow with this tag is at this place.
    #[inline(always)]
    pub(crate) fn tagged(&self, way: u32, hash: u32) -> bool {
        self.tags.get(way) == tag(hash)
    }

    /// The place for a new flow of this source, and whether another had to go for it: of a source
    /// that has as many places as it may, its own that was used least recently, and else that of
    /// all.
    #[inline(always)]
    pub(crate) fn take_place(&mut self, hash: u32, source: u32) -> (u32, bool) {
        let (mut oldest, mut oldest_own, mut own) = (0, 0, 0);
        for way in 0..WAYS {
            // What is to go first is the largest. There are no branches, of which the verifier
            // would follow all ways.
            let is_free = one_if_zero(self.tags.get(way));
            let is_own = one_if_zero(self.sources.get(way) ^ tag(source)) & !is_free;
            let unused = u64::from(self.clock.wrapping_sub(self.used_at(way)));
            let place = (is_free << 40) | (unused << 4) | u64::from(way);
            oldest = larger(place, oldest);
            oldest_own = larger(place & is_own.wrapping_neg(), oldest_own);
            own += is_own;
        }
        let place = if own >= u64::from(WAYS_OF_SOURCE) {
            oldest_own
        } else {
            oldest
        };
        let way = place as u32 % WAYS;
        self.tags.set(way, tag(hash));
        self.sources.set(way, tag(source));
        self.touch(way);
        (way, place >> 40 == 0)
    }

    /// Notes that the flow at this place was used.
    #[inline(always)]
    pub(crate) fn touch(&mut self, way: u32) {
        self.clock = self.clock.wrapping_add(1);
        if let Some(used) = self.used.get_mut((way % WAYS) as usize) {
            *used = self.clock;
        }
    }

    /// Gives the place up.
    #[inline(always)]
    pub(crate) fn clear(&mut self, way: u32) {
        self.tags.set(way, 0);
    }

    /// Remembers where the first octet of a flow of this source will be, in place of what is
    /// remembered of the source, or of what came first.
    #[inline(always)]
    pub(crate) fn open(&mut self, hash: u32, first: u32, source: u32) {
        let mut found = 0;
        for place in 0..OPENINGS {
            let is_free = one_if_zero(self.opening_tags.get(place));
            let is_own = one_if_zero(self.opening_sources.get(place) ^ tag(source)) & !is_free;
            found = larger((is_own << 5) | (is_free << 4) | u64::from(place), found);
        }
        let place = if found >> 4 != 0 {
            found as u32
        } else {
            self.opened
        } % OPENINGS;
        self.opened = self.opened.wrapping_add(1);
        self.opening_tags.set(place, tag(hash));
        self.opening_sources.set(place, tag(source));
        if let Some(opening) = self.openings.get_mut((place % OPENINGS) as usize) {
            *opening = (u64::from(hash) << 32) | u64::from(first);
        }
    }

    /// False if the first octet of the flow has come, or its SYN was not seen. True mostly means
    /// that it is awaited.
    #[inline(always)]
    pub(crate) fn awaits_first(&self, hash: u32) -> bool {
        self.opening_tags.may_have(hash)
    }

    /// Sequence number of the first octet of the flow, and the place where that is remembered, if
    /// that octet is still under way or comes with this segment, and the segment is not far behind
    /// it. The octet is not awaited any longer if it has come.
    #[inline(always)]
    pub(crate) fn first_octet(&mut self, hash: u32, sequence: u32) -> Option<(u32, u32)> {
        // Nothing of most flows is awaited, and all places take longer to look at.
        if !self.awaits_first(hash) {
            return None;
        }
        let mut found = 0;
        for place in 0..OPENINGS {
            let opening = self
                .openings
                .get((place % OPENINGS) as usize)
                .copied()
                .unwrap_or_default();
            let is_of_flow = one_if_zero(self.opening_tags.get(place) ^ tag(hash))
                & one_if_zero(((opening >> 48) as u16) ^ (hash >> 16) as u16)
                & one_if_zero(((opening >> 32) as u16) ^ hash as u16);
            found = larger(
                ((1 << 3) | u64::from(place)) & is_of_flow.wrapping_neg(),
                found,
            );
        }
        if found == 0 {
            return None;
        }
        let place = found as u32 % OPENINGS;
        let first = self
            .openings
            .get((place % OPENINGS) as usize)
            .copied()
            .unwrap_or_default() as u32;
        let offset = sequence.wrapping_sub(first);
        if offset >= MessageBuffer::LEN {
            return None;
        }
        if offset == 0 {
            self.opening_tags.set(place, 0);
        }
        Some((first, place))
    }

    /// Awaits the first octet of the flow again that was remembered at this place: its segment has
    /// been dropped.
    #[inline(always)]
    pub(crate) fn await_again(&mut self, hash: u32, place: u32) {
        self.opening_tags.set(place % OPENINGS, tag(hash));
    }

    #[inline(always)]
    fn used_at(&self, way: u32) -> u32 {
        self.used
            .get((way % WAYS) as usize)
            .copied()
            .unwrap_or_default()
    }
}

/// Numbers of 16 bits, four a word, which are all compared at once.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
struct Tags<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Tags<WORDS> {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> Tags<WORDS> {
    /// False if nothing with this hash is here.
    #[inline(always)]
    fn may_have(&self, hash: u32) -> bool {
        /// One in each 16 bits.
        const EACH: u64 = 0x0001_0001_0001_0001;

        let tag = EACH * u64::from(tag(hash));
        // The highest bit of 16 is set where they are all zero; others may be set as well, above
        // such a one.
        let zero = |word: u64| word.wrapping_sub(EACH) & !word & (EACH << 15);
        self.0
            .iter()
            .fold(0, |found, word| found | zero(word ^ tag))
            != 0
    }

    #[inline(always)]
    fn get(&self, place: u32) -> u16 {
        let word = self
            .0
            .get(word_at::<WORDS>(place))
            .copied()
            .unwrap_or_default();
        (word >> (16 * (place % 4))) as u16
    }

    #[inline(always)]
    fn set(&mut self, place: u32, tag: u16) {
        let shift = 16 * (place % 4);
        if let Some(word) = self.0.get_mut(word_at::<WORDS>(place)) {
            *word = (*word & !(0xffff << shift)) | (u64::from(tag) << shift);
        }
    }
}

/// The larger of two numbers below 2^63, without a branch.
#[inline(always)]
fn larger(one: u64, other: u64) -> u64 {
    // All bits, if it is less: of a number that is 0 or 1, LLVM would make a branch.
    let is_less = one.wrapping_sub(other) >> 63;
    let mask = opaque(is_less.wrapping_neg() as usize) as u64;
    one ^ ((one ^ other) & mask)
}

/// The word of this place, in a way that the verifier follows as well.
#[inline(always)]
fn word_at<const WORDS: usize>(place: u32) -> usize {
    const { assert!(WORDS.is_power_of_two()) };
    place as usize / 4 % WORDS
}

/// 1 for 0, and 0 for all others, without a branch.
#[inline(always)]
fn one_if_zero(value: u16) -> u64 {
    opaque(((value as usize).wrapping_sub(1) as u64 >> 63) as usize) as u64
}

/// The lower bits of a hash choose the bucket. Never 0.
#[inline(always)]
fn tag(hash: u32) -> u16 {
    (hash >> 16) as u16 | 1
}
