//! Handshake messages that are in several records (RFC 8446 §5.1).

use core::{
    marker::PhantomData,
    ops::ControlFlow::{self, Break, Continue},
};

use super::{HANDSHAKE, MAJOR_VERSION, RECORD_HEADER_BYTES};
use crate::{
    flows::{Copying, HeldBytes},
    packet::{Frame, Step},
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
    let mut joining = Joining::<P> { from, have, into, copying, frame: PhantomData };
    P::repeat(STEPS, &mut joining);
    joining.copying.to
}

struct Joining<'b, P: ?Sized> {
    from: &'b HeldBytes,
    have: u32,
    into: &'b mut HeldBytes,
    /// In the record that is copied.
    copying: &'b mut Copying,
    frame: PhantomData<P>,
}

impl<P: Frame + ?Sized> Step for Joining<'_, P> {
    #[inline(always)]
    fn step(&mut self) -> ControlFlow<()> {
        if self.copying.left == 0 && !self.next_record() {
            return Break(());
        }
        let Copying { at, to, left } = *self.copying;
        let len = left.min(self.have.saturating_sub(at)).min(HeldBytes::PIECE);
        if len == 0 || P::move_held(self.from, at, len, self.into, to).is_none() {
            return Break(());
        }
        self.copying.advance(len);
        Continue(())
    }
}

impl<P: Frame + ?Sized> Joining<'_, P> {
    /// Goes to the content of the next record; false if there is none.
    #[inline(always)]
    fn next_record(&mut self) -> bool {
        let at = self.copying.at;
        if at + RECORD_HEADER_BYTES > self.have {
            return false;
        }
        let Some([HANDSHAKE, MAJOR_VERSION, _, l0, l1]) = self.from.read::<P, 5>(at) else { return false };
        self.copying.left = u32::from(u16::from_be_bytes([l0, l1]));
        self.copying.at = at + RECORD_HEADER_BYTES;
        true
    }
}
