//! Handshake messages that are in several records (RFC 8446 §5.1).

use core::{
    marker::PhantomData,
    ops::ControlFlow::{self, Break, Continue},
};

use super::{
    CHANGE_CIPHER_SPEC, CLIENT_HELLO, HANDSHAKE, HANDSHAKE_HEADER_BYTES, MAJOR_VERSION,
    RECORD_HEADER_BYTES,
};
use crate::{
    buffer::{CopyState, Copying, MessageBuffer},
    packet::{LoopBody, Packet},
};

/// Pieces that are copied, and records without any octet: as many as fit into what is held.
const STEPS: u32 = MessageBuffer::LEN / RECORD_HEADER_BYTES;

/// Octets that are copied without a call of a helper.
const WORD: u32 = 8;

/// How many bytes of handshake messages are in records, or that they are of no hello.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeBytes(pub(crate) u32);

impl HandshakeBytes {
    /// They are of no hello.
    pub(crate) const OTHER: Self = Self(MessageBuffer::LEN + 1);

    /// How many, if they may be of a hello.
    #[inline(always)]
    pub(crate) fn octets(self) -> Option<u32> {
        (self.0 <= MessageBuffer::LEN).then_some(self.0)
    }
}

/// Copies what is in the handshake records of the first `have` bytes, one record behind the other,
/// up to one of another type. Gives the number of bytes, of which there are none as long as nothing
/// tells whether it is a hello.
#[inline(always)]
pub(crate) fn join_records<P: Packet + ?Sized>(
    from: &MessageBuffer,
    have: u32,
    into: &mut MessageBuffer,
    copying: &mut Copying,
) -> HandshakeBytes {
    *copying = Copying {
        at: 0,
        to: 0,
        left: 0,
    };
    let mut state = CopyState { into, copying };
    P::repeat(
        STEPS,
        &Joining::<P> {
            from,
            have,
            frame: PhantomData,
        },
        &mut state,
    );
    let Copying { at, to, .. } = *state.copying;
    let is = |place: u32, octet: u8| place >= to || state.into.read(place) == Some([octet]);
    let is_hello = if to == 0 {
        starts_record(from, at, have)
    } else {
        is(0, CLIENT_HELLO) && is(HANDSHAKE_HEADER_BYTES, MAJOR_VERSION)
    };
    if is_hello {
        HandshakeBytes(to)
    } else {
        HandshakeBytes::OTHER
    }
}

/// True if what there is from `at` on may be the start of a record that stands before or within a
/// hello.
#[inline(always)]
fn starts_record(from: &MessageBuffer, at: u32, have: u32) -> bool {
    let is =
        |offset: u32, octet: u8| at + offset >= have || from.read(at + offset) == Some([octet]);
    let is_change = is(0, CHANGE_CIPHER_SPEC) && is(3, 0) && is(4, 1) && is(RECORD_HEADER_BYTES, 1);
    (is(0, HANDSHAKE) || is_change) && is(1, MAJOR_VERSION)
}

/// Copies piece by piece; what the copy has left is left of the record at hand.
struct Joining<'b, P: ?Sized> {
    from: &'b MessageBuffer,
    have: u32,
    frame: PhantomData<P>,
}

impl<P: Packet + ?Sized> LoopBody<CopyState<'_>> for Joining<'_, P> {
    #[inline(always)]
    fn turn(&self, CopyState { into, copying }: &mut CopyState<'_>) -> ControlFlow<()> {
        if copying.left == 0 && !self.next_record(copying) {
            return Break(());
        }
        let Copying { at, to, left } = **copying;
        if left == 0 {
            // An empty record.
            return Continue(());
        }
        let len = left
            .min(self.have.saturating_sub(at))
            .min(MessageBuffer::PIECE);
        let moved = match len {
            0 => None,
            // Of a record of few octets, a word is copied: what is behind it in that is overwritten
            // by the next, or not looked at.
            1..=WORD => self
                .from
                .load::<{ WORD as usize }>(at)
                .and_then(|word| into.write(to, word)),
            _ => P::copy_buffered(self.from, at, len, into.as_mut_array(), to),
        };
        if moved.is_none() {
            return Break(());
        }
        copying.advance(len);
        Continue(())
    }
}

impl<P: Packet + ?Sized> Joining<'_, P> {
    /// Goes to the content of the next record; false if there is none.
    #[inline(always)]
    fn next_record(&self, copying: &mut Copying) -> bool {
        let at = copying.at;
        let content_at = at + RECORD_HEADER_BYTES;
        if content_at > self.have {
            return false;
        }
        match self.from.read(at) {
            Some([HANDSHAKE, MAJOR_VERSION, _, l0, l1]) => {
                copying.left = u32::from(u16::from_be_bytes([l0, l1]));
                copying.at = content_at;
                true
            }
            Some([CHANGE_CIPHER_SPEC, MAJOR_VERSION, _, 0, 1])
                if copying.to == 0
                    && content_at < self.have
                    && self.from.read(content_at) == Some([1]) =>
            {
                copying.at = content_at + 1;
                true
            }
            _ => false,
        }
    }
}
