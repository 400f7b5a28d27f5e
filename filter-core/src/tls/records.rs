//! Handshake messages that are in several records (RFC 8446 §5.1).

use core::{
    marker::PhantomData,
    ops::ControlFlow::{self, Break, Continue},
};

use super::{HANDSHAKE, MAJOR_VERSION, RECORD_HEADER_BYTES};
use crate::{
    flows::{CopyState, Copying, HeldBytes},
    packet::{Frame, LoopBody},
};

/// Pieces that are copied: as many as records of one octet fit into what is held.
const STEPS: u32 = HeldBytes::LEN / (RECORD_HEADER_BYTES + 1);

/// Copies what is in the handshake records of the first `have` bytes, one record behind the other, up to one of another
/// type. Gives the number of bytes.
#[inline(always)]
pub(crate) fn join_records<P: Frame + ?Sized>(
    from: &HeldBytes,
    have: u32,
    into: &mut HeldBytes,
    copying: &mut Copying,
) -> u32 {
    *copying = Copying { at: 0, to: 0, left: 0 };
    let mut state = CopyState { into, copying };
    P::repeat(STEPS, &Joining::<P> { from, have, frame: PhantomData }, &mut state);
    state.copying.to
}

/// Copies piece by piece; what the copy has left is left of the record at hand.
struct Joining<'b, P: ?Sized> {
    from: &'b HeldBytes,
    have: u32,
    frame: PhantomData<P>,
}

impl<P: Frame + ?Sized> LoopBody<CopyState<'_>> for Joining<'_, P> {
    #[inline(always)]
    fn turn(&self, CopyState { into, copying }: &mut CopyState<'_>) -> ControlFlow<()> {
        if copying.left == 0 && !self.next_record(copying) {
            return Break(());
        }
        let Copying { at, to, left } = **copying;
        let len = left.min(self.have.saturating_sub(at)).min(HeldBytes::PIECE);
        if len == 0 || P::move_held(self.from, at, len, into, to).is_none() {
            return Break(());
        }
        copying.advance(len);
        Continue(())
    }
}

impl<P: Frame + ?Sized> Joining<'_, P> {
    /// Goes to the content of the next record; false if there is none.
    #[inline(always)]
    fn next_record(&self, copying: &mut Copying) -> bool {
        let at = copying.at;
        if at + RECORD_HEADER_BYTES > self.have {
            return false;
        }
        let Some([HANDSHAKE, MAJOR_VERSION, _, l0, l1]) = self.from.read(at) else { return false };
        copying.left = u32::from(u16::from_be_bytes([l0, l1]));
        copying.at = at + RECORD_HEADER_BYTES;
        true
    }
}
