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

/// Record headers that are taken out and pieces that are copied. A hello of 4 KiB in 100 records takes 216.
const STEPS: u32 = 256;

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
        let Copying { at, to, left } = *self.copying;
        if left == 0 {
            if at + RECORD_HEADER_BYTES > self.have {
                return Break(());
            }
            let Some([HANDSHAKE, MAJOR_VERSION, _, l0, l1]) = self.from.read::<P, 5>(at) else { return Break(()) };
            self.copying.left = u32::from(u16::from_be_bytes([l0, l1]));
            self.copying.at = at + RECORD_HEADER_BYTES;
            return Continue(());
        }
        let len = left.min(self.have.saturating_sub(at)).min(HeldBytes::PIECE);
        if len == 0 || P::move_held(self.from, at, len, self.into, to).is_none() {
            return Break(());
        }
        self.copying.advance(len);
        Continue(())
    }
}
