//! Bytes that are held of a flow, and reading names from them.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    bounds::{Span, within},
    decide::Judge,
    intrinsics,
    maps::Maps,
    name::{Name, NameEnd},
    packet::{Frame, LoopBody, LoopState, PIECE, Packet},
};

/// Bytes of a stream. The room behind [`HeldBytes::LEN`] lets a piece start anywhere before it.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
pub struct HeldBytes([u8; Self::ROOM]);

impl HeldBytes {
    /// Bytes that are held at most. The hellos of the captures that this was measured on have up to 2,269 bytes, with
    /// post-quantum key shares; a hello of 4 KiB in 100 records fits.
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

impl HeldBytes {
    /// The same in few instructions, for which the kernel needs more of its stack.
    #[inline(always)]
    pub(crate) fn load<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let at = within(at as usize, 0, Self::LEN as usize)?;
        self.0.get(at..)?.first_chunk().map(intrinsics::load)
    }

    /// Writes bytes at `at`; `None` if that is beyond [`HeldBytes::LEN`].
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
    pub into: &'c mut HeldBytes,
    /// How far.
    pub copying: &'c mut Copying,
}

impl LoopState for CopyState<'_> {}

/// Held bytes as a packet.
pub struct Held<'b, F: ?Sized> {
    /// The frame that brought the last of them.
    pub frame: &'b F,
    /// The bytes.
    pub bytes: &'b HeldBytes,
    /// How many there are.
    pub len: u32,
}

impl<F: Frame + ?Sized> Packet for Held<'_, F> {
    #[inline(always)]
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.bytes.read(at)
    }

    #[inline(always)]
    fn read_frame<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        self.frame.read(at)
    }

    #[inline(always)]
    fn copy<const ROOM: usize>(&self, at: u32, len: u32, into: &mut [u8; ROOM], to: u32) -> Option<()> {
        F::copy_held(self.bytes, at, len, into, to)
    }

    #[inline(always)]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline(always)]
    fn repeat<S: LoopState, B: LoopBody<S>>(limit: u32, body: &B, state: &mut S) {
        F::repeat(limit, body, state);
    }

    #[inline(always)]
    fn find_labels(name: &mut Name) -> NameEnd {
        F::find_labels(name)
    }

    #[inline(always)]
    fn read_name<M: Maps>(judge: &mut Judge<'_, Self, M>, message_at: u32, span: Span) -> NameEnd {
        F::read_held_name(judge, message_at, span)
    }
}
