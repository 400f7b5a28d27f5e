//! Passing over names.

use core::ops::ControlFlow::{self, Break, Continue};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    name::{LABELS, POINTER_BYTES},
    packet::{LoopBody, LoopState, Packet},
    reason::Reason,
};

/// Where the walk over the name that owns a record is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub(crate) struct OwnerWalk {
    /// The next label.
    at: u32,
    /// The offset behind the name; 0 while its end was not met.
    behind: u32,
    /// 1 if a label has a type that nobody knows.
    malformed: u32,
}

impl LoopState for OwnerWalk {}

/// The offset behind the name at `at`, up to its root or to a pointer, of a message that ends at
/// `end`.
#[inline(always)]
pub(crate) fn skip_owner<P: Packet + ?Sized>(
    packet: &P,
    walk: &mut OwnerWalk,
    at: u32,
    end: u32,
) -> Result<u32, Reason> {
    *walk = OwnerWalk {
        at,
        behind: 0,
        malformed: 0,
    };
    P::repeat(LABELS + 1, &Owner { packet, end }, walk);
    match *walk {
        OwnerWalk { malformed: 1, .. } => Err(Reason::DnsLabelType),
        OwnerWalk { behind: 0, .. } => Err(Reason::DnsCut),
        OwnerWalk { behind, .. } => Ok(behind),
    }
}

/// Walks over the name that owns a record.
struct Owner<'p, P: ?Sized> {
    packet: &'p P,
    end: u32,
}

impl<P: Packet + ?Sized> LoopBody<OwnerWalk> for Owner<'_, P> {
    #[inline(always)]
    fn turn(&self, walk: &mut OwnerWalk) -> ControlFlow<()> {
        if walk.at >= self.end {
            return Break(());
        }
        let Some([len]) = self.packet.read(walk.at) else {
            return Break(());
        };
        match len {
            0 => walk.behind = walk.at + 1,
            192.. => walk.behind = walk.at + POINTER_BYTES,
            64.. => walk.malformed = 1,
            _ => {
                walk.at += 1 + u32::from(len);
                return Continue(());
            }
        }
        Break(())
    }
}
