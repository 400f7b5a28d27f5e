//! The keyed hash of names.
//!
//! A name's hash is built label by label from the root, so that one pass over a name gives the hash of every parent.
//! Both steps (a label, and a label under its parent) are multilinear hashes, which are strongly universal: over a
//! random key, two different inputs give the same 32 bits with probability 2^-32, and two of them with independent
//! keys make 64 bits (Lemire and Kaser, "Strongly universal string hashing is fast", 2014). Two different names thus
//! collide with a probability of at most 2^-63 a label, and nobody who does not know the key can find a pair.

use crate::{flows::FlowKey, name::LABEL_OCTETS};

/// 64-bit words that make a [`HashKey`].
pub const HASH_KEY_WORDS: usize = 48;

const LABEL_WORDS: usize = LABEL_OCTETS.div_ceil(8);

/// Two independent 64-bit keys, one for each half of the hash.
type Pair = [u64; 2];

/// The random key of the hash.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HashKey {
    label_start: Pair,
    label_length: Pair,
    /// For each eight octets of a label, the keys of its low and of its high half.
    label_words: [[Pair; 2]; LABEL_WORDS],
    node_start: Pair,
    /// For the low and high halves of the parent's hash, then of the label's.
    node_words: [Pair; 4],
    reserved: Pair,
}

const _: () = assert!(size_of::<HashKey>() == HASH_KEY_WORDS * 8);

impl HashKey {
    /// The key made of these random words.
    pub fn from_words(words: [u64; HASH_KEY_WORDS]) -> Self {
        let mut words = words.into_iter();
        let mut pair = || [words.next().unwrap_or_default(), words.next().unwrap_or_default()];
        Self {
            label_start: pair(),
            label_length: pair(),
            label_words: core::array::from_fn(|_| [pair(), pair()]),
            node_start: pair(),
            node_words: core::array::from_fn(|_| pair()),
            reserved: pair(),
        }
    }

    /// Hash of the label of `len` octets (1 to 63) that `word` gives in groups of eight, in lower or upper case.
    #[inline(always)]
    pub(crate) fn label(&self, len: u32, word: impl Fn(u32) -> u64) -> u64 {
        let mut sums = add(self.label_start, self.label_length, len);
        let mut left = len;
        let mut place = 0;
        // A label has at most seven whole groups.
        while left >= 8 && place < LABEL_WORDS as u32 - 1 {
            sums = add_word(sums, self.keys(place), lower_case(word(place * 8)));
            place += 1;
            left -= 8;
        }
        if left > 0 {
            let tail = word(place * 8) & (u64::MAX >> (64 - 8 * (left & 7)));
            sums = add_word(sums, self.keys(place), lower_case(tail));
        }
        high_halves(sums)
    }

    #[inline(always)]
    fn keys(&self, place: u32) -> [Pair; 2] {
        // Eight places: the mask keeps every index inside.
        self.label_words.get((place & 7) as usize).copied().unwrap_or_default()
    }

    /// What flows are hashed under.
    pub(crate) fn of_flows(&self) -> FlowHashKey {
        let [w0, w1, w2, w3, ports, ..] = self.label_words.map(|[[_, low], [_, high]]| [low, high]);
        FlowHashKey { start: self.label_start[1], ports, addresses: [w0, w1, w2, w3] }
    }

    /// Hash of the name that has this label below the parent.
    #[inline(always)]
    pub(crate) fn child(&self, parent: u64, label: u64) -> u64 {
        let [parent_low, parent_high, label_low, label_high] = self.node_words;
        let sums = add_word(self.node_start, [parent_low, parent_high], parent);
        high_halves(add_word(sums, [label_low, label_high], label))
    }
}

/// The part of a [`HashKey`] for flows, close together: of the whole key, most packets need nothing else.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FlowHashKey {
    start: u64,
    ports: Pair,
    addresses: [Pair; 4],
}

impl FlowHashKey {
    /// Hash of a flow.
    #[inline(always)]
    pub(crate) fn hash(&self, key: &FlowKey) -> u32 {
        let [w0, w1, w2, w3, ports] = key.0;
        let [k0, k1, k2, k3] = self.addresses;
        let sum = self.start.wrapping_add(product(self.ports, ports)).wrapping_add(product(k0, w0));
        let others = || product(k1, w1).wrapping_add(product(k2, w2)).wrapping_add(product(k3, w3));
        let sum = if key.is_v6() { sum.wrapping_add(others()) } else { sum };
        (sum >> 32) as u32
    }
}

#[inline(always)]
fn add(sums: Pair, keys: Pair, half: u32) -> Pair {
    let ([s0, s1], [k0, k1], half) = (sums, keys, u64::from(half));
    [s0.wrapping_add(k0.wrapping_mul(half)), s1.wrapping_add(k1.wrapping_mul(half))]
}

/// One multiplication for two halves: MULTILINEAR-HM of the same paper, as strongly universal.
#[inline(always)]
fn add_word([s0, s1]: Pair, [[l0, l1], [h0, h1]]: [Pair; 2], word: u64) -> Pair {
    [s0.wrapping_add(product([l0, h0], word)), s1.wrapping_add(product([l1, h1], word))]
}

#[inline(always)]
fn product([low, high]: Pair, word: u64) -> u64 {
    low.wrapping_add(word & 0xffff_ffff).wrapping_mul(high.wrapping_add(word >> 32))
}

/// The upper halves are those that are strongly universal.
#[inline(always)]
fn high_halves([low, high]: Pair) -> u64 {
    (low >> 32) | (high & 0xffff_ffff_0000_0000)
}

/// Eight octets with `A` to `Z` made `a` to `z` (RFC 4343 §3), all others as they are.
#[inline(always)]
pub(crate) fn lower_case(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * EACH);
    let from_a = low + (0x80 - u64::from(b'A')) * EACH;
    let past_z = low + (0x7f - u64::from(b'Z')) * EACH;
    let ascii = !word & (0x80 * EACH);
    word | ((from_a & !past_z & ascii) >> 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lower_case_is_that_of_ascii_for_each_octet(octets: [u8; 8]) {
            let lowered = lower_case(u64::from_le_bytes(octets)).to_le_bytes();
            prop_assert_eq!(lowered, octets.map(|octet| octet.to_ascii_lowercase()));
        }

        #[test]
        fn a_label_differs_from_itself_with_a_zero_octet_more(label in proptest::collection::vec(any::<u8>(), 1..63)) {
            let key = HashKey::from_words(core::array::from_fn(|i| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(i as u64 + 1)));
            let mut longer = label.clone();
            longer.push(0);
            prop_assert_ne!(hash(&key, &label), hash(&key, &longer));
        }
    }

    fn hash(key: &HashKey, label: &[u8]) -> u64 {
        key.label(label.len() as u32, |at| {
            let mut octets = [0; 8];
            for (to, from) in octets.iter_mut().zip(label.iter().skip(at as usize)) {
                *to = *from;
            }
            u64::from_le_bytes(octets)
        })
    }
}
