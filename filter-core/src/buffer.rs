//! Bytes that are buffered, and copying them piece by piece.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{bounds::within, intrinsics, loops::LoopState};

/// Bytes that are copied at once, at most.
pub const PIECE: u32 = 256;
/// Room for a name: 256 octets, of which the last may be where a piece starts, and one more label,
/// so that reading a label in groups of eight stays inside.
pub const NAME_BYTES: usize = 576;

/// Bytes of a stream. The room behind [`MessageBuffer::LEN`] lets a piece start anywhere before it.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
pub struct MessageBuffer([u8; Self::ROOM]);

impl MessageBuffer {
    /// Bytes that are held at most. The hellos of the captures that this was measured on have up to
    /// 2,269 bytes, with post-quantum key shares; a hello of 4 KiB in 100 records fits.
    pub const LEN: u32 = 4608;
    /// Bytes that are copied at once, at most.
    pub const PIECE: u32 = PIECE;
    /// No bytes.
    pub const EMPTY: Self = Self([0; Self::ROOM]);
    const ROOM: usize = (Self::LEN + Self::PIECE) as usize;

    /// All of the room.
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// All of the room.
    #[inline(always)]
    pub fn as_mut_array(&mut self) -> &mut [u8; Self::ROOM] {
        &mut self.0
    }

    #[inline(always)]
    pub(crate) fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let at = within(at as usize, 0, Self::LEN as usize)?;
        self.0.get(at..)?.first_chunk().copied()
    }
}

impl MessageBuffer {
    /// The same in few instructions, for which the kernel needs more of its stack.
    #[inline(always)]
    pub(crate) fn load<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let at = within(at as usize, 0, Self::LEN as usize)?;
        self.0.get(at..)?.first_chunk().map(intrinsics::load)
    }

    /// Writes bytes at `at`; `None` if that is beyond [`MessageBuffer::LEN`].
    #[inline(always)]
    pub(crate) fn write<const N: usize>(&mut self, at: u32, bytes: [u8; N]) -> Option<()> {
        const { assert!(N <= Self::PIECE as usize) };
        let at = within(at as usize, 0, Self::LEN as usize)?;
        intrinsics::store(self.0.get_mut(at..)?.first_chunk_mut()?, bytes);
        Some(())
    }

    /// [`intrinsics::sum`] of them.
    #[inline(always)]
    pub(crate) fn sum(&self, at: u32, len: u32) -> u32 {
        intrinsics::sum(&self.0, at, len)
    }
}

/// How far a copy is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Copying {
    /// Where the next byte comes from.
    pub at: u32,
    /// Where it goes to.
    pub to: u32,
    /// Bytes that are still to be copied.
    pub left: u32,
}

impl LoopState for Copying {}

impl Copying {
    #[inline(always)]
    pub(crate) fn advance(&mut self, bytes: u32) {
        self.at += bytes;
        self.to += bytes;
        self.left -= bytes;
    }
}

/// Bytes that are written, and how far.
pub(crate) struct CopyState<'c> {
    /// What is written.
    pub into: &'c mut MessageBuffer,
    /// How far.
    pub copying: &'c mut Copying,
}

impl LoopState for CopyState<'_> {}
