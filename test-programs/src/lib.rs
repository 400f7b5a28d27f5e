//! What user space shares with the program that feeds frames to another. The programs of this
//! package are objects of their own: nothing of them is in the product.
#![cfg_attr(target_arch = "bpf", no_std)]
#![expect(
    clippy::inline_always,
    reason = "what is not inlined is a function that the verifier goes through by itself"
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        reason = "tests may panic"
    )
)]

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Room for some of the frames, in their order.
///
/// Each begins with its length, in eight octets, and ends with as many octets as let the next one
/// begin at a multiple of eight. Where a length would be 0, no more follow. Frames that lie close
/// together are in the CPU's caches by the time that their turn comes; in a room of 2 KiB each,
/// reaching the next one took longer than all the rest.
#[repr(C, align(8))]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Frames {
    bytes: [u8; Self::BYTES],
}

impl Frames {
    /// Octets of the longest frame.
    pub const MOST: usize = 2040;

    /// Octets of the room.
    const BYTES: usize = 1 << 14;

    /// The last place where a length may be: behind it is room for the longest frame, or for
    /// another 0.
    pub const LAST: usize = Self::BYTES - Self::MOST - Self::LENGTH;

    /// Octets of a length.
    const LENGTH: usize = size_of::<u64>();

    /// An empty room.
    #[cfg(not(target_arch = "bpf"))]
    pub const EMPTY: Self = Self {
        bytes: [0; Self::BYTES],
    };

    /// Puts a frame at this place, and gives the place of the next one; `None` if there is no room
    /// for it, or it is empty or too long.
    #[cfg(not(target_arch = "bpf"))]
    pub fn put(&mut self, at: usize, frame: &[u8]) -> Option<usize> {
        let room = self
            .bytes
            .get_mut(at..)
            .filter(|_| at <= Self::LAST && (1..=Self::MOST).contains(&frame.len()))?;
        let (length, room) = room.split_first_chunk_mut::<{ Self::LENGTH }>()?;
        *length = (frame.len() as u64).to_ne_bytes();
        room.get_mut(..frame.len())?.copy_from_slice(frame);
        Some(Self::behind(at, frame.len()))
    }

    /// The place behind a frame of this length.
    #[inline(always)]
    pub const fn behind(at: usize, len: usize) -> usize {
        at + Self::LENGTH + len.next_multiple_of(Self::LENGTH)
    }

    /// Where the length is, and the frame.
    ///
    /// # Safety
    /// `at` is [`Frames::LAST`] at most.
    #[inline(always)]
    pub unsafe fn at(&self, at: usize) -> (*const u64, *const u8) {
        // SAFETY: that much lies behind the last place.
        unsafe {
            (
                self.bytes.as_ptr().add(at).cast(),
                self.bytes.as_ptr().add(at + Self::LENGTH),
            )
        }
    }
}

/// Whose turn it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub struct Turns {
    /// How many rooms there are.
    pub rooms: u32,
    /// The room of the next frame.
    pub room: u32,
    /// Its place there.
    pub at: u64,
    /// How many frames have been fed.
    pub fed: u64,
    /// Where the packet begins that the kernel came with; 0 before the first turn.
    pub home: u64,
    /// Where it began at this turn.
    pub start: u64,
}

impl Turns {
    /// All turns are to come.
    pub const fn of(rooms: u32) -> Self {
        Self {
            rooms,
            room: 0,
            at: 0,
            fed: 0,
            home: 0,
            start: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_each_other_and_a_zero_follows_them() {
        let mut room = Frames::EMPTY;
        let second = room.put(0, &[7; 5]).unwrap();
        let end = room.put(second, &[8; 16]).unwrap();
        assert_eq!((second, end), (16, 40));
        assert_eq!(room.bytes[..8], 5_u64.to_ne_bytes());
        assert_eq!(room.bytes[8..13], [7; 5]);
        assert_eq!(room.bytes[16..24], 16_u64.to_ne_bytes());
        assert_eq!(room.bytes[24..40], [8; 16]);
        assert_eq!(room.bytes[40..48], [0; 8]);
    }

    #[test]
    fn the_longest_frame_fits_at_the_last_place_and_not_behind_it() {
        let mut room = Frames::EMPTY;
        assert!(room.put(Frames::LAST, &[0; Frames::MOST]).is_some());
        assert!(room.put(Frames::LAST + 8, &[0; 1]).is_none());
    }

    #[test]
    fn a_frame_that_is_empty_or_too_long_is_not_put() {
        let mut room = Frames::EMPTY;
        assert!(room.put(0, &[]).is_none());
        assert!(room.put(0, &[0; Frames::MOST + 1]).is_none());
    }
}
