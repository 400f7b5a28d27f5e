//! The table of flows: where a flow is, and which one goes when there is no room.

use crate::{
    abi::Settings,
    flows::{Flow, HeldBytes},
    headers::{Family, Tcp, Transport},
    packet::Packet,
};

/// Places of a bucket.
pub const WAYS: u32 = 8;
/// Connections of a bucket of which it is remembered where their first octet is.
const OPENINGS: u32 = 4;

/// The storage of the table: array maps in the kernel.
pub trait Flows {
    /// The bucket with this index.
    fn bucket(&mut self, index: u32) -> Option<&mut Bucket>;

    /// The flow at this place, and room for the bytes of one more.
    fn flow(&mut self, place: u32) -> Option<(&mut Flow, &mut HeldBytes)>;

    /// Takes the bucket for this CPU; false if another has it.
    fn lock(bucket: &mut Bucket) -> bool;

    /// Gives the bucket back.
    fn unlock(bucket: &mut Bucket);
}

/// Who talks to whom: addresses and ports of one direction of a connection, and the version of IP.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowKey(pub(crate) [u64; 5]);

impl FlowKey {
    /// The flow's keyed hash.
    #[inline(always)]
    pub(crate) fn hash(&self, settings: &Settings) -> u32 {
        settings.flow_hash_key.hash(self)
    }

    /// True if all words of the addresses are in use.
    #[inline(always)]
    pub(crate) fn is_v6(&self) -> bool {
        self.0[4] >> 32 != 0
    }

    #[inline(always)]
    pub(crate) fn of<P: Packet + ?Sized>(packet: &P, transport: &Transport, tcp: &Tcp) -> Option<Self> {
        let ports = u64::from(tcp.ports.0);
        let addresses = transport.addresses_at();
        Some(match transport.family() {
            Family::V4 => Self([packet.read(addresses).map(u64::from_ne_bytes)?, 0, 0, 0, ports]),
            Family::V6 => {
                let word = |place: u32| packet.read(addresses + 8 * place).map(u64::from_ne_bytes);
                Self([word(0)?, word(1)?, word(2)?, word(3)?, ports | (1 << 32)])
            }
        })
    }
}

/// Some places of the table. A flow is in the bucket that its hash names, or nowhere.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// 16 bits for each place, four places a word: part of the flow's hash, or 0 if nobody is there.
    tags: [u64; 2],
    /// The hash of a flow and the sequence number of its first octet, from its SYN until that octet comes.
    openings: [u64; OPENINGS as usize],
    /// When each place was used last, by the bucket's own clock.
    used: [u32; WAYS as usize],
    clock: u32,
    reserved: u32,
    /// 1 while a CPU works on a flow of the bucket.
    pub lock: u64,
}

impl Bucket {
    /// False if the flow has no place here. True mostly means that it has one: different flows may have the same tag.
    #[inline(always)]
    pub(crate) fn may_hold(&self, hash: u32) -> bool {
        /// One in each 16 bits.
        const EACH: u64 = 0x0001_0001_0001_0001;

        let tag = EACH * u64::from(tag(hash));
        let [low, high] = self.tags;
        // The highest bit of 16 is set where they are all zero; others may be set as well, above such a one.
        let zero = |word: u64| word.wrapping_sub(EACH) & !word & (EACH << 15);
        (zero(low ^ tag) | zero(high ^ tag)) != 0
    }

    /// True if a flow with this tag is at this place.
    #[inline(always)]
    pub(crate) fn tagged(&self, way: u32, hash: u32) -> bool {
        self.tag(way) == tag(hash)
    }

    /// The place for a new flow, and whether another had to go for it.
    #[inline(always)]
    pub(crate) fn take_place(&mut self, hash: u32) -> (u32, bool) {
        let mut place = 0;
        let mut longest = 0;
        for way in 0..WAYS {
            let unused = if self.tag(way) == 0 { u32::MAX } else { self.clock.wrapping_sub(self.used_at(way)) };
            if unused > longest {
                longest = unused;
                place = way;
            }
        }
        self.set_tag(place, tag(hash));
        self.touch(place);
        (place, longest != u32::MAX)
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
        self.set_tag(way, 0);
    }

    /// Remembers where the first octet of a flow will be.
    #[inline(always)]
    pub(crate) fn open(&mut self, hash: u32, first: u32) {
        if let Some(opening) = self.openings.get_mut(opening_place(hash)) {
            *opening = (u64::from(hash) << 32) | u64::from(first);
        }
    }

    /// False if the first octet of the flow has come, or its SYN was not seen.
    #[inline(always)]
    pub(crate) fn awaits_first(&self, hash: u32) -> bool {
        let opening = self.openings.get(opening_place(hash)).copied().unwrap_or_default();
        opening != 0 && (opening >> 32) as u32 == hash
    }

    /// Sequence number of the first octet of the flow, if that is still under way or comes with this segment, and the
    /// segment is not far behind it. The octet is not awaited any longer if it has come.
    #[inline(always)]
    pub(crate) fn first_octet(&mut self, hash: u32, sequence: u32) -> Option<u32> {
        let opening = self.openings.get_mut(opening_place(hash))?;
        let first = *opening as u32;
        let offset = sequence.wrapping_sub(first);
        if *opening == 0 || (*opening >> 32) as u32 != hash || offset >= HeldBytes::LEN {
            return None;
        }
        if offset == 0 {
            *opening = 0;
        }
        Some(first)
    }

    #[inline(always)]
    fn tag(&self, way: u32) -> u16 {
        let word = self.tags.get((way / 4 % 2) as usize).copied().unwrap_or_default();
        (word >> (16 * (way % 4))) as u16
    }

    #[inline(always)]
    fn set_tag(&mut self, way: u32, tag: u16) {
        let shift = 16 * (way % 4);
        if let Some(word) = self.tags.get_mut((way / 4 % 2) as usize) {
            *word = (*word & !(0xffff << shift)) | (u64::from(tag) << shift);
        }
    }

    #[inline(always)]
    fn used_at(&self, way: u32) -> u32 {
        self.used.get((way % WAYS) as usize).copied().unwrap_or_default()
    }
}

/// The lower bits of a hash choose the bucket. Never 0.
#[inline(always)]
fn tag(hash: u32) -> u16 {
    (hash >> 16) as u16 | 1
}

#[inline(always)]
fn opening_place(hash: u32) -> usize {
    (hash >> 28 & (OPENINGS - 1)) as usize
}
