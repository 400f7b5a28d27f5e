//! Deriving the keys of Initial packets (RFC 9001 §5.2), a hash a function.

use super::Inspection;
use crate::{
    bounds::within,
    decide::calls::Frame,
    maps::Maps,
    quic::{Block, ConnectionId, INITIAL, Label, QuicRoom, State, VERSIONS},
};

/// Hashes of HMAC: the padding of the second block, which has a hash value of 32 octets behind a
/// key of a block.
const HASHED: [u32; 8] = [1 << 31, 0, 0, 0, 0, 0, 0, (64 + 32) * 8];

impl<P: Frame + ?Sized, M: Maps> Inspection<'_, P, M> {
    /// Derives the keys for this version, by its place among the rows, from the connection ID in
    /// `room`: those of the side with this label.
    #[inline(always)]
    pub fn derive_keys(&mut self, room: &mut QuicRoom, version: u32, side: u32) -> bool {
        let Some(row) =
            within(version as usize, 0, VERSIONS.len() - 1).and_then(|row| VERSIONS.get(row))
        else {
            return false;
        };
        let [inner, outer] = row.salted;
        // HKDF-Extract (RFC 5869 §2.2): HMAC with the salt as its key.
        let ConnectionId {
            words: [w0, w1, w2],
            ..
        } = room.derive_from.terminated();
        let bits = (64 + room.derive_from.len()) * 8;
        room.hash.state = inner;
        set_block(room, [w0, w1, w2].map(halves), bits);
        P::hash_quic_block(self, room);
        self.hash_again(room, outer);
        self.key_by_hash(room);
        P::hash_quic_label(self, room, side);
        let outer = room.hmac.outer;
        self.hash_again(room, outer);
        self.key_by_hash(room);
        self.expand_label(room, row.labels.key);
        room.keys.key = first_four(&room.hash.state);
        self.expand_label(room, row.labels.iv);
        let [i0, i1, i2, ..] = room.hash.state;
        room.keys.iv = [i0, i1, i2];
        self.expand_label(room, row.labels.header_key);
        room.keys.header_key = first_four(&room.hash.state);
        true
    }

    /// Hashes the block in `room`.
    #[inline(always)]
    pub fn hash_quic_block(&mut self, room: &mut QuicRoom) {
        room.hash.compress();
    }

    /// Makes the hash value in `room` the key of HMAC.
    #[inline(always)]
    pub fn key_by_hash(&mut self, room: &mut QuicRoom) {
        let key = room.hash.state;
        room.hmac.inner = self.keyed(room, &key, 0x3636_3636);
        room.hmac.outer = self.keyed(room, &key, 0x5c5c_5c5c);
    }

    #[inline(always)]
    fn keyed(&mut self, room: &mut QuicRoom, key: &State, pad: u32) -> State {
        if let Some([a, b, c, d, e, f, g, h, rest @ ..]) = room.hash.block() {
            let padded = key.map(|word| word ^ pad);
            [*a, *b, *c, *d, *e, *f, *g, *h] = padded;
            *rest = [pad; 8];
        }
        room.hash.state = INITIAL;
        P::hash_quic_block(self, room);
        room.hash.state
    }

    /// HKDF-Expand-Label (RFC 8446 §7.1), of which one block is enough: the hash value in `room`
    /// becomes HMAC of the label.
    #[inline(always)]
    fn expand_label(&mut self, room: &mut QuicRoom, label: Label) {
        P::hash_quic_label(self, room, label.index());
        let outer = room.hmac.outer;
        self.hash_again(room, outer);
    }

    /// Hashes the label with this number behind the key of HMAC.
    #[inline(always)]
    pub fn hash_quic_label(&mut self, room: &mut QuicRoom, label: u32) {
        room.hash.state = room.hmac.inner;
        if let Some(schedule) = Label::schedule(label) {
            room.hash.compress_scheduled(schedule);
        }
    }

    /// The outer hash of HMAC, over the inner one.
    #[inline(always)]
    fn hash_again(&mut self, room: &mut QuicRoom, outer: State) {
        let inner = room.hash.state;
        if let Some([a, b, c, d, e, f, g, h, rest @ ..]) = room.hash.block() {
            [*a, *b, *c, *d, *e, *f, *g, *h] = inner;
            *rest = HASHED;
        }
        room.hash.state = outer;
        P::hash_quic_block(self, room);
    }
}

/// Makes the block that is hashed next: three words, zeros, and the number of bits.
#[inline(always)]
fn set_block(room: &mut QuicRoom, words: [[u32; 2]; 3], bits: u32) {
    if let Some([block @ .., last]) = room.hash.block() {
        let [[w0, w1], [w2, w3], [w4, w5]] = words;
        *block = [w0, w1, w2, w3, w4, w5, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        *last = bits;
    }
}

#[inline(always)]
fn halves(word: u64) -> [u32; 2] {
    [(word >> 32) as u32, word as u32]
}

#[inline(always)]
fn first_four(state: &State) -> Block {
    let [a, b, c, d, ..] = *state;
    [a, b, c, d]
}
