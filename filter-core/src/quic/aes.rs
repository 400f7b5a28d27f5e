//! AES-128 (FIPS 197), encrypting only: counter mode and header protection need nothing else
//! (RFC 9001 §5.3, §5.4.3).
//!
//! The tables give `SubBytes`, `ShiftRows` and `MixColumns` of a byte at once. Nothing that is
//! encrypted here is a secret: the keys of Initial packets follow from what the packet itself says
//! (RFC 9001 §5.2). So the time that a look-up takes betrays nothing.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::bounds::{opaque, within};

/// A block, as four words of four octets each, the first in the upper bits.
pub(crate) type Block = [u32; 4];

/// Rounds of AES-128 (FIPS 197 §5).
const ROUNDS: usize = 10;
const WORDS: usize = 4 * (ROUNDS + 1);

/// The round keys.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct AesKey([u32; WORDS]);

impl AesKey {
    /// Expands a key (FIPS 197 §5.2).
    #[inline(always)]
    pub(crate) fn expand(&mut self, key: Block) {
        /// The round constants.
        const RCON: [u32; ROUNDS] = [1, 2, 4, 8, 16, 32, 64, 128, 27, 54];

        let mut words = key;
        if let Some(first) = self.0.first_chunk_mut() {
            *first = words;
        }
        for round in 0..ROUNDS {
            let at = opaque(round);
            let Some(constant) = within(at, 0, ROUNDS - 1).and_then(|round| RCON.get(round)) else {
                return;
            };
            let [w0, w1, w2, w3] = words;
            let w0 = w0 ^ sub_word(w3.rotate_left(8)) ^ (constant << 24);
            let w1 = w1 ^ w0;
            let w2 = w2 ^ w1;
            let w3 = w3 ^ w2;
            words = [w0, w1, w2, w3];
            let place = within(4 * at + 4, 0, WORDS - 4).unwrap_or_default();
            let Some(next) = self.0.get_mut(place..).and_then(<[u32]>::first_chunk_mut) else {
                return;
            };
            *next = words;
        }
    }

    /// Encrypts a block (FIPS 197 §5.1).
    #[inline(always)]
    pub(crate) fn encrypt(&self, block: Block) -> Block {
        let mut state = xor(block, self.round_key(0));
        for round in 1..ROUNDS {
            let [a, b, c, d] = state;
            let mixed = [
                mix(a, b, c, d),
                mix(b, c, d, a),
                mix(c, d, a, b),
                mix(d, a, b, c),
            ];
            state = xor(mixed, self.round_key(opaque(round)));
        }
        let [a, b, c, d] = state;
        let last = [
            shift(a, b, c, d),
            shift(b, c, d, a),
            shift(c, d, a, b),
            shift(d, a, b, c),
        ];
        xor(last, self.round_key(ROUNDS))
    }

    #[inline(always)]
    fn round_key(&self, round: usize) -> Block {
        let key = within(4 * round, 0, WORDS - 4).and_then(|at| self.0.get(at..)?.first_chunk());
        key.copied().unwrap_or_default()
    }
}

#[inline(always)]
pub(crate) fn xor([a, b, c, d]: Block, [e, f, g, h]: Block) -> Block {
    [a ^ e, b ^ f, c ^ g, d ^ h]
}

/// A word of the state behind a round: one octet of each word.
#[inline(always)]
fn mix(a: u32, b: u32, c: u32, d: u32) -> u32 {
    look_up(&TABLES[0], a >> 24)
        ^ look_up(&TABLES[1], b >> 16)
        ^ look_up(&TABLES[2], c >> 8)
        ^ look_up(&TABLES[3], d)
}

/// The same behind the last round, which does not mix columns.
#[inline(always)]
fn shift(a: u32, b: u32, c: u32, d: u32) -> u32 {
    (sub_byte(a >> 24) << 24) | (sub_byte(b >> 16) << 16) | (sub_byte(c >> 8) << 8) | sub_byte(d)
}

#[inline(always)]
fn sub_word(word: u32) -> u32 {
    shift(word, word, word, word)
}

/// The S-box for the lowest octet.
#[inline(always)]
fn sub_byte(octet: u32) -> u32 {
    (look_up(&TABLES[0], octet) >> 8) & 0xff
}

/// The entry for the lowest octet.
#[inline(always)]
fn look_up(table: &[u32; 256], octet: u32) -> u32 {
    let [octet, ..] = octet.to_le_bytes();
    table.get(usize::from(octet)).copied().unwrap_or_default()
}

/// For an octet of each row: its entry of the S-box times the column of `MixColumns`.
static TABLES: [[u32; 256]; 4] = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "the compiler runs it, and stops where an index is wrong"
)]
const fn tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut at = 0;
    while at < 256 {
        let once = s_box(at as u8);
        let twice = double(once);
        let column = u32::from_be_bytes([twice, once, once, twice ^ once]);
        let mut row = 0;
        while row < 4 {
            tables[row][at] = column.rotate_right(8 * row as u32);
            row += 1;
        }
        at += 1;
    }
    tables
}

/// The S-box (FIPS 197 §5.1.1): the inverse in GF(2^8), which is the 254th power, and an affine
/// transformation.
const fn s_box(octet: u8) -> u8 {
    let mut power = 1;
    let mut at = 0;
    while at < 254 {
        power = multiply(power, octet);
        at += 1;
    }
    power
        ^ power.rotate_left(1)
        ^ power.rotate_left(2)
        ^ power.rotate_left(3)
        ^ power.rotate_left(4)
        ^ 0x63
}

/// The product in GF(2^8) (FIPS 197 §4.2).
const fn multiply(one: u8, other: u8) -> u8 {
    let (mut one, mut other, mut product) = (one, other, 0);
    while other != 0 {
        if other & 1 != 0 {
            product ^= one;
        }
        one = double(one);
        other >>= 1;
    }
    product
}

const fn double(octet: u8) -> u8 {
    (octet << 1) ^ (if octet & 0x80 != 0 { 0x1b } else { 0 })
}
