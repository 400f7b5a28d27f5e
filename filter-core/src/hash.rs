//! The keyed hash of names.
//!
//! A name's hash is built from the root, label by label and in each label group by group of eight
//! octets, so that one pass over a name gives the hash of every parent. Each step (a group, under
//! the hash of all before it) is a multilinear hash, which is strongly universal: over a random
//! key, two different inputs give the same 32 bits with probability 2^-32, and two of them with
//! independent keys make 64 bits (Lemire and Kaser, "Strongly universal string hashing is fast",
//! 2014). Two different names thus collide with a probability of at most 2^-63 a group, and nobody
//! who does not know the key can find a pair.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::intrinsics::anew;

/// 64-bit words that make a [`HashKey`].
pub const HASH_KEY_WORDS: usize = 23;

/// Longest label (RFC 1035 §2.3.4).
pub(crate) const LABEL_OCTETS: usize = 63;

/// The keyed hash of a name, under which the rules hold it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleKey(pub u64);

/// Two independent 64-bit keys, one for each half of the hash.
type Pair = [u64; 2];

/// The random key of the hash.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct HashKey {
    start: Pair,
    /// For the low and high halves of the hash so far, then of the group.
    halves: [Pair; 4],
    flows: FlowHashKey,
}

const _: () = assert!(size_of::<HashKey>() == HASH_KEY_WORDS * 8);

impl HashKey {
    /// The key made of these random words.
    pub fn from_words(words: [u64; HASH_KEY_WORDS]) -> Self {
        let mut words = words.into_iter();
        let mut word = || words.next().unwrap_or_default();
        let (start, halves) = ([word(), word()], core::array::from_fn(|_| [word(), word()]));
        let flows = word();
        let (ports, addresses) = ([word(), word()], core::array::from_fn(|_| [word(), word()]));
        Self {
            start,
            halves,
            flows: FlowHashKey {
                start: flows,
                ports,
                addresses,
                path: [word(), word()],
            },
        }
    }

    /// Hash of the name that has, below the parent, the label of `len` octets (at most 63) that
    /// `word` gives in groups of eight, in lower or upper case.
    ///
    /// The last group has seven octets at most, and the label's length above them: read from the
    /// last group on, the groups of a name tell where each of its labels starts.
    #[inline(always)]
    pub(crate) fn label(&self, parent: u64, len: u32, word: impl Fn(u32) -> u64) -> u64 {
        const WHOLE_GROUPS: u32 = LABEL_OCTETS as u32 / 8;

        let (mut hash, mut at) = (parent, 0);
        for _ in 0..WHOLE_GROUPS {
            if len - at < 8 {
                break;
            }
            hash = self.group(hash, word(at));
            at += 8;
        }
        self.last_group(hash, len, word(at))
    }

    /// The same for a label of less than eight octets, all of them in this word.
    #[inline(always)]
    pub(crate) fn short_label(&self, parent: u64, len: u32, word: u64) -> u64 {
        self.last_group(parent, len, word)
    }

    #[inline(always)]
    fn last_group(&self, hash: u64, len: u32, word: u64) -> u64 {
        let octets = (1 << (8 * (len & 7))) - 1;
        self.group(hash, (word & octets) | (u64::from(len) << 56))
    }

    /// Hash of what has this group behind what has that hash.
    #[inline(always)]
    fn group(&self, hash: u64, group: u64) -> u64 {
        let Self {
            start,
            halves: [hash_low, hash_high, low, high],
            ..
        } = *anew(self);
        let sums = add_word(start, [low, high], lower_case(group));
        high_halves(add_word(sums, [hash_low, hash_high], hash))
    }

    /// What flows are hashed under.
    pub(crate) fn of_flows(&self) -> FlowHashKey {
        self.flows
    }
}

/// The part of a [`HashKey`] for flows, close together: of the whole key, most packets need nothing
/// else.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FlowHashKey {
    start: u64,
    ports: Pair,
    addresses: [Pair; 4],
    path: Pair,
}

impl FlowHashKey {
    /// Hash of the words of a flow's key. Those of IPv4 have its addresses in the first.
    #[inline(always)]
    pub(crate) fn hash(&self, words: &[u64; 6], is_v6: bool) -> u32 {
        let [w0, w1, w2, w3, ports, path] = *words;
        let [k0, k1, k2, k3] = self.addresses;
        let sum = self
            .start
            .wrapping_add(product(self.ports, ports))
            .wrapping_add(product(k0, w0));
        let others = || {
            product(k1, w1)
                .wrapping_add(product(k2, w2))
                .wrapping_add(product(k3, w3))
        };
        let sum = if is_v6 {
            sum.wrapping_add(others())
        } else {
            sum
        };
        // Most flows are in no VLAN and no tunnel.
        let sum = if path == 0 {
            sum
        } else {
            sum.wrapping_add(product(self.path, path))
        };
        (sum >> 32) as u32
    }

    /// The state of a hash of words of which this one comes next.
    #[inline(always)]
    pub(crate) fn mix(&self, state: u64, word: u64) -> u64 {
        let [low, high] = self.path;
        let mixed = (state ^ word ^ low).wrapping_mul(high | 1);
        mixed ^ (mixed >> 32)
    }
}

/// One multiplication for two halves: MULTILINEAR-HM of the same paper, as strongly universal.
#[inline(always)]
fn add_word([s0, s1]: Pair, [[l0, l1], [h0, h1]]: [Pair; 2], word: u64) -> Pair {
    [
        s0.wrapping_add(product([l0, h0], word)),
        s1.wrapping_add(product([l1, h1], word)),
    ]
}

#[inline(always)]
fn product([low, high]: Pair, word: u64) -> u64 {
    low.wrapping_add(word & 0xffff_ffff)
        .wrapping_mul(high.wrapping_add(word >> 32))
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
    use proptest::{collection, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn lower_case_is_that_of_ascii_for_each_octet(octets: [u8; 8]) {
            let lowered = lower_case(u64::from_le_bytes(octets)).to_le_bytes();
            prop_assert_eq!(lowered, octets.map(|octet| octet.to_ascii_lowercase()));
        }

        #[test]
        fn a_label_differs_from_itself_with_a_zero_octet_more(label in collection::vec(any::<u8>(), 1..63)) {
            let mut longer = label.clone();
            longer.push(0);
            prop_assert_ne!(hash(&[&label]), hash(&[&longer]));
        }

        #[test]
        fn octets_in_other_labels_are_another_name(octets in collection::vec(any::<u8>(), 2..63), at in 1_usize..62) {
            let (first, second) = octets.split_at(at.min(octets.len() - 1));
            prop_assert_ne!(hash(&[first, second]), hash(&[&octets]));
        }
    }

    fn hash(labels: &[&[u8]]) -> u64 {
        let key = HashKey::from_words(core::array::from_fn(|i| {
            0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(i as u64 + 1)
        }));
        labels.iter().fold(0, |parent, label| {
            key.label(parent, label.len() as u32, |at| {
                let mut octets = [0; 8];
                for (to, from) in octets.iter_mut().zip(label.iter().skip(at as usize)) {
                    *to = *from;
                }
                u64::from_le_bytes(octets)
            })
        })
    }

    /// A word of the key by its place, as the paper numbers them.
    fn word(place: u64) -> u64 {
        0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * place + 1)
    }

    /// MULTILINEAR-HM (Lemire and Kaser, 2014, section 4) of halves of 32 bits: all of 64 bits, of
    /// which the upper 32 are the hash.
    fn multilinear(start: u64, pairs: &[([u64; 2], u64)]) -> u64 {
        let term = |([low, high], value): &([u64; 2], u64)| {
            let (even, odd) = (u128::from(value % (1 << 32)), u128::from(value / (1 << 32)));
            ((even + u128::from(*low)) % (1 << 64)) * ((odd + u128::from(*high)) % (1 << 64))
                % (1 << 64)
        };
        ((u128::from(start) + pairs.iter().map(term).sum::<u128>()) % (1 << 64)) as u64
    }

    #[test]
    fn the_hash_of_a_name_is_that_of_the_paper_group_by_group() {
        let key = HashKey::from_words(core::array::from_fn(|place| word(place as u64)));
        // Groups of eight octets; the last has the length of the label in its highest one.
        let reference = |groups: &[u64]| {
            groups.iter().fold(0_u64, |hash, group| {
                let half = |half: u64| {
                    let keys = [[2, 4], [6, 8]].map(|pair| pair.map(|place| word(place + half)));
                    multilinear(word(half), &[(keys[0], hash), (keys[1], *group)]) >> 32
                };
                half(0) | (half(1) << 32)
            })
        };
        let group = |octets: &[u8; 8]| u64::from_le_bytes(*octets);
        for (name, groups) in [
            ("com", vec![group(b"com\0\0\0\0\x03")]),
            (
                "ExAmPlE.com",
                vec![group(b"com\0\0\0\0\x03"), group(b"example\x07")],
            ),
            (
                "12345678",
                vec![group(b"12345678"), group(b"\0\0\0\0\0\0\0\x08")],
            ),
            (
                "123456789.a",
                vec![
                    group(b"a\0\0\0\0\0\0\x01"),
                    group(b"12345678"),
                    group(b"9\0\0\0\0\0\0\x09"),
                ],
            ),
            (
                &"z".repeat(63),
                [vec![group(b"zzzzzzzz"); 7], vec![group(b"zzzzzzz\x3f")]].concat(),
            ),
        ] {
            assert_eq!(key.rule_key(name).unwrap().0, reference(&groups), "{name}");
        }
    }

    #[test]
    fn the_hash_of_a_flow_is_that_of_the_paper() {
        let key = HashKey::from_words(core::array::from_fn(|place| word(place as u64))).of_flows();
        let pair = |place| [word(place), word(place + 1)];
        let values: [u64; 6] =
            core::array::from_fn(|place| 0xd134_2543_de82_ef95_u64.wrapping_mul(place as u64 + 3));
        let (v4, v6) = (values[4] & !(1 << 32), values[4] | (1 << 32));
        let of = |ports, path| [values[0], values[1], values[2], values[3], ports, path];
        let addresses: Vec<_> = (0..4)
            .map(|place| (pair(13 + 2 * place), values[place as usize]))
            .collect();
        for (ports, path) in [(v4, 0), (v6, 0), (v4, values[5]), (v6, values[5])] {
            let mut effect = vec![(pair(11), ports), addresses[0]];
            effect.extend(addresses[1..].iter().filter(|_| ports == v6));
            effect.extend((path != 0).then_some((pair(21), path)));
            assert_eq!(
                key.hash(&of(ports, path), ports == v6),
                (multilinear(word(10), &effect) >> 32) as u32
            );
        }
    }

    #[test]
    fn each_bit_of_a_path_and_of_what_comes_next_changes_the_lower_half_of_the_state() {
        for factor in [1, 2] {
            let key = HashKey::from_words(core::array::from_fn(|place| {
                word(place as u64).wrapping_mul(factor)
            }))
            .of_flows();
            let (state, next) = (word(30), word(40));
            for bit in (0..64).map(|bit| 1_u64 << bit) {
                for changed in [key.mix(state ^ bit, next), key.mix(state, next ^ bit)] {
                    assert_ne!(changed as u32, key.mix(state, next) as u32, "{bit:#x}");
                }
            }
        }
    }
}
