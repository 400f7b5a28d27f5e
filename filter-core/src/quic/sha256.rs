//! SHA-256 (FIPS 180-4), block by block, in memory of a map.
//!
//! The loops stay loops, eight rounds a turn: unrolled, LLVM would compute the whole message
//! schedule first, which does not fit on the kernel's stack.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::bounds::{opaque, twice, within};

/// Words of a block.
pub(crate) const BLOCK_WORDS: usize = 16;
/// Rounds, and words of a message schedule (FIPS 180-4 §6.2.2).
pub(crate) const ROUNDS: usize = 64;
/// Rounds of one turn of a loop.
const TURN: usize = 8;

/// A hash value, or one under way.
pub(crate) type State = [u32; 8];

/// The initial hash value (FIPS 180-4 §5.3.3).
pub(crate) const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The constants (FIPS 180-4 §4.2.2).
static K: [u32; ROUNDS] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// A hash under way, and the message schedule of a block.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Sha256 {
    /// The hash value so far.
    pub state: State,
    /// Starts with the block to be hashed next.
    schedule: [u32; ROUNDS],
}

impl Sha256 {
    /// The block to be hashed next.
    #[inline(always)]
    pub(crate) fn block(&mut self) -> Option<&mut [u32; BLOCK_WORDS]> {
        self.schedule.first_chunk_mut()
    }

    /// Hashes the block.
    #[inline(always)]
    pub(crate) fn compress(&mut self) {
        self.schedule_block();
        let mut rounds = self.state;
        for turn in 0..ROUNDS / TURN {
            let at = opaque(turn * TURN);
            let words = eight(&self.schedule, at).zip(eight(&K, at));
            let Some((words, constants)) = words else {
                return;
            };
            for place in 0..TURN {
                let [Some(word), Some(constant)] = [words, constants].map(|eight| eight.get(place))
                else {
                    return;
                };
                rounds = round(rounds, word.wrapping_add(*constant));
            }
        }
        self.add(rounds);
    }

    /// Hashes a block of which this is the message schedule, with the constants added.
    #[inline(always)]
    pub(crate) fn compress_scheduled(&mut self, schedule: &[u32; ROUNDS]) {
        let mut rounds = self.state;
        for turn in 0..ROUNDS / TURN {
            let Some(words) = eight(schedule, opaque(turn * TURN)) else {
                return;
            };
            for word in words {
                rounds = round(rounds, *word);
            }
        }
        self.add(rounds);
    }

    #[inline(always)]
    fn schedule_block(&mut self) {
        for turn in 0..(ROUNDS - BLOCK_WORDS) / TURN {
            let at =
                within(opaque(turn * TURN), 0, ROUNDS - BLOCK_WORDS - TURN).unwrap_or_default();
            let Some(words) = self
                .schedule
                .get_mut(at..)
                .and_then(<[u32]>::first_chunk_mut)
            else {
                return;
            };
            schedule_eight(words);
        }
    }

    #[inline(always)]
    fn add(&mut self, rounds: State) {
        for (word, by) in self.state.iter_mut().zip(rounds) {
            *word = word.wrapping_add(by);
        }
    }
}

/// The eight words at this place.
#[inline(always)]
fn eight(words: &[u32; ROUNDS], at: usize) -> Option<&[u32; TURN]> {
    words.get(within(at, 0, ROUNDS - TURN)?..)?.first_chunk()
}

/// Fills in the last eight words by those before them.
#[inline(always)]
fn schedule_eight(words: &mut [u32; BLOCK_WORDS + TURN]) {
    for place in 0..TURN {
        let word = |at: usize| words.get(place + at).copied().unwrap_or_default();
        let [before, second, seventh, last] = [word(0), word(1), word(9), word(14)];
        let scheduled = small_sigma::<7, 18, 3>(second)
            .wrapping_add(small_sigma::<17, 19, 10>(last))
            .wrapping_add(before)
            .wrapping_add(seventh);
        if let Some(word) = words.get_mut(place + BLOCK_WORDS) {
            *word = scheduled;
        }
    }
}

/// One round, with the word of the schedule and the constant added (FIPS 180-4 §6.2.2, step 3).
#[inline(always)]
fn round([a, b, c, d, e, f, g, h]: State, word: u32) -> State {
    let first = h
        .wrapping_add(word)
        .wrapping_add(big_sigma::<6, 11, 25>(e))
        .wrapping_add(((f ^ g) & e) ^ g);
    let second = big_sigma::<2, 13, 22>(a).wrapping_add(((a | b) & c) | (a & b));
    [
        first.wrapping_add(second),
        a,
        b,
        c,
        d.wrapping_add(first),
        e,
        f,
        g,
    ]
}

/// Three rotations to the right. BPF has none: shifts of the number beside itself take fewer
/// instructions.
#[inline(always)]
fn big_sigma<const A: u32, const B: u32, const C: u32>(word: u32) -> u32 {
    let twice = twice(word);
    ((twice >> A) ^ (twice >> B) ^ (twice >> C)) as u32
}

/// Two rotations and a shift.
#[inline(always)]
fn small_sigma<const A: u32, const B: u32, const C: u32>(word: u32) -> u32 {
    let twice = twice(word);
    ((twice >> A) ^ (twice >> B)) as u32 ^ (word >> C)
}

/// Computed by the compiler, for blocks that are always the same.
pub(crate) mod constant {
    use super::{BLOCK_WORDS, INITIAL, K, ROUNDS, State};

    /// The message schedule of a block, with the constants added.
    #[expect(
        clippy::indexing_slicing,
        reason = "the compiler runs it, and stops where an index is wrong"
    )]
    pub(in super::super) const fn schedule(block: &[u8; 4 * BLOCK_WORDS]) -> [u32; ROUNDS] {
        let mut words = [0_u32; ROUNDS];
        let mut at = 0;
        while at < ROUNDS {
            words[at] = if at < BLOCK_WORDS {
                u32::from_be_bytes([
                    block[4 * at],
                    block[4 * at + 1],
                    block[4 * at + 2],
                    block[4 * at + 3],
                ])
            } else {
                let (second, last) = (words[at - 15], words[at - 2]);
                let first = second.rotate_right(7) ^ second.rotate_right(18) ^ (second >> 3);
                let other = last.rotate_right(17) ^ last.rotate_right(19) ^ (last >> 10);
                words[at - 16]
                    .wrapping_add(first)
                    .wrapping_add(words[at - 7])
                    .wrapping_add(other)
            };
            at += 1;
        }
        at = 0;
        while at < ROUNDS {
            words[at] = words[at].wrapping_add(K[at]);
            at += 1;
        }
        words
    }

    /// The hash value behind the first block of a message.
    #[expect(
        clippy::indexing_slicing,
        reason = "the compiler runs it, and stops where an index is wrong"
    )]
    pub(in super::super) const fn first_block(block: &[u8; 4 * BLOCK_WORDS]) -> State {
        let words = schedule(block);
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = INITIAL;
        let mut at = 0;
        while at < ROUNDS {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h
                .wrapping_add(words[at])
                .wrapping_add(s1)
                .wrapping_add((e & f) ^ (!e & g));
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            [h, g, f, e, d, c, b, a] = [
                g,
                f,
                e,
                d.wrapping_add(first),
                c,
                b,
                a,
                first.wrapping_add(second),
            ];
            at += 1;
        }
        let rounds = [a, b, c, d, e, f, g, h];
        let mut state = INITIAL;
        at = 0;
        while at < state.len() {
            state[at] = state[at].wrapping_add(rounds[at]);
            at += 1;
        }
        state
    }
}
