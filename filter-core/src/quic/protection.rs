//! Packet protection (RFC 9001 §5): header protection, the tag of AES-128-GCM, and its counter
//! mode. Removing and applying it differ in their order and in what becomes of the tag.

use core::ops::ControlFlow::{self, Break, Continue};

use super::{
    aes::{Block, xor},
    ghash::Element,
    room::{Opening, QuicRoom},
};
use crate::{
    buffer::MessageBuffer,
    packet::{LoopBody, Packet},
};

/// Octets of a block, of a tag (RFC 9001 §5.3), and of what header protection samples
/// (RFC 9001 §5.4.2).
const BLOCK_BYTES: u32 = 16;
/// Where the sample starts, from the packet number on (RFC 9001 §5.4.2).
const SAMPLE_AT: u32 = 4;
/// Blocks of what is held of a packet, and the two that are not full.
const BLOCKS: u32 = MessageBuffer::LEN / BLOCK_BYTES + 2;
/// Bits of the first octet that are zero in each packet (RFC 9000 §17.2).
const RESERVED_BITS: u32 = 0x0c;

impl QuicRoom {
    /// Removes or applies header protection (RFC 9001 §5.4.1); false if the keys are not those of
    /// the packet.
    #[inline(always)]
    pub(crate) fn change_header_protection(&mut self) -> bool {
        self.header_cipher.expand(self.keys.header_key);
        self.mask_header().is_some()
    }

    /// Prepares counter mode and the hash of GCM.
    #[inline(always)]
    pub(crate) fn prepare_cipher(&mut self) {
        self.cipher.expand(self.keys.key);
        let [a, b, c, d] = self.cipher.encrypt([0; 4]);
        self.table.fill([words(a, b), words(c, d)]);
    }

    /// True if the tag is that of the packet (NIST SP 800-38D §7.2), or if it was written behind a
    /// packet that is made here (§7.1).
    #[inline(always)]
    pub(crate) fn check_or_write_tag<P: Packet + ?Sized>(&mut self) -> bool {
        let Opening {
            payload_at,
            payload_end,
            ..
        } = self.opening;
        self.opening.hashed = [0; 2];
        self.begin_hashing(0, payload_at);
        P::repeat(BLOCKS, &HashBlocks, self);
        self.begin_hashing(payload_at, payload_end);
        P::repeat(BLOCKS, &HashBlocks, self);
        let bits = |bytes: u32| u64::from(bytes) * 8;
        let [first, last] = self.opening.hashed;
        let hash = self.table.times([
            first ^ bits(payload_at),
            last ^ bits(payload_end - payload_at),
        ]);
        let tag = xor(blocks(hash), self.cipher.encrypt(self.counter_block(1)));
        if self.opening.is_sealed != 0 {
            return self.write_block(payload_end, tag).is_some();
        }
        self.packet
            .load::<16>(payload_end)
            .is_some_and(|expected| block(expected) == tag)
    }

    /// Decrypts the payload up to where it is wanted. Encrypting is the same.
    #[inline(always)]
    pub(crate) fn decrypt<P: Packet + ?Sized>(&mut self) {
        P::repeat(BLOCKS, &DecryptBlocks, self);
    }

    /// Removes or applies the mask of the first octet and of the packet number; `None` if that gives
    /// no header.
    #[inline(always)]
    fn mask_header(&mut self) -> Option<()> {
        let number_at = self.opening.number_at;
        let sample = self.packet.load::<16>(number_at + SAMPLE_AT)?;
        let [m0, m1, ..] = self.header_cipher.encrypt(block(sample));
        let [first] = self.packet.read(0)?;
        let masked = u32::from(first) ^ ((m0 >> 24) & 0x0f);
        if self.opening.is_sealed != 0 {
            // Its packet number has four octets.
            let number = self.opening.number ^ ((m0 << 8) | (m1 >> 24));
            self.packet.write::<1>(0, [masked as u8])?;
            return self.packet.write::<4>(number_at, number.to_be_bytes());
        }
        let unmasked = masked;
        if unmasked & RESERVED_BITS != 0 {
            return None;
        }
        let protected = u32::from_be_bytes(self.packet.load::<4>(number_at)?);
        let bytes = (unmasked & 3) + 1;
        let unused = 32 - 8 * bytes;
        let mask = ((m0 << 8) | (m1 >> 24)) >> unused << unused;
        let number = protected ^ mask;
        self.opening.number = number >> unused;
        self.opening.payload_at = number_at + bytes;
        self.opening.decrypted = number_at + bytes;
        self.packet.write::<1>(0, [unmasked as u8])?;
        self.packet.write::<4>(number_at, number.to_be_bytes())
    }

    #[inline(always)]
    fn write_block(&mut self, at: u32, block: Block) -> Option<()> {
        let [w0, w1] = element(block).map(u64::to_be_bytes);
        self.packet.write::<8>(at, w0)?;
        self.packet.write::<8>(at + 8, w1)
    }

    #[inline(always)]
    fn begin_hashing(&mut self, at: u32, end: u32) {
        self.opening.hash_at = at;
        self.opening.hash_end = end;
    }

    /// The block that is encrypted as the one with this number: the nonce (RFC 9001 §5.3) and the
    /// number (NIST SP 800-38D §7.1).
    #[inline(always)]
    fn counter_block(&self, number: u32) -> Block {
        let [a, b, c] = self.keys.iv;
        [a, b, c ^ self.opening.number, number]
    }
}

/// Adds blocks of a part to the hash of GCM, the last one filled up with zeros.
struct HashBlocks;

impl LoopBody<QuicRoom> for HashBlocks {
    #[inline(always)]
    fn turn(&self, room: &mut QuicRoom) -> ControlFlow<()> {
        let Opening {
            hash_at,
            hash_end,
            hashed: [h0, h1],
            ..
        } = room.opening;
        let left = hash_end.saturating_sub(hash_at);
        if left == 0 {
            return Break(());
        }
        let Some(bytes) = room.packet.load::<16>(hash_at) else {
            return Break(());
        };
        let [first, last] = element(block(bytes));
        let first = first & upper_octets(left);
        let last = last & upper_octets(left.saturating_sub(8));
        room.opening.hashed = room.table.times([h0 ^ first, h1 ^ last]);
        room.opening.hash_at = hash_at + left.min(BLOCK_BYTES);
        Continue(())
    }
}

/// Decrypts block after block in place.
struct DecryptBlocks;

impl LoopBody<QuicRoom> for DecryptBlocks {
    #[inline(always)]
    fn turn(&self, room: &mut QuicRoom) -> ControlFlow<()> {
        /// The number of the first block of the payload (NIST SP 800-38D §7.1).
        const FIRST: u32 = 2;

        let Opening {
            payload_at,
            decrypted,
            wanted,
            ..
        } = room.opening;
        if decrypted >= wanted {
            return Break(());
        }
        let number = FIRST + (decrypted - payload_at) / BLOCK_BYTES;
        let stream = room.cipher.encrypt(room.counter_block(number));
        let Some(bytes) = room.packet.load::<16>(decrypted) else {
            return Break(());
        };
        if room
            .write_block(decrypted, xor(block(bytes), stream))
            .is_none()
        {
            return Break(());
        }
        room.opening.decrypted = decrypted + BLOCK_BYTES;
        Continue(())
    }
}

/// A word whose upper so many octets are all ones; eight at most.
#[inline(always)]
fn upper_octets(octets: u32) -> u64 {
    // Two shifts: by 64 bits at once there is none.
    let unused = 4 * (8 - octets.min(8));
    u64::MAX << unused << unused
}

#[inline(always)]
fn block(bytes: [u8; 16]) -> Block {
    let [w0, w1] = [0, 8].map(|at| {
        bytes
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .copied()
            .unwrap_or_default()
    });
    let [a, b] = halves(w0);
    let [c, d] = halves(w1);
    [a, b, c, d]
}

#[inline(always)]
fn halves(bytes: [u8; 8]) -> [u32; 2] {
    let word = u64::from_be_bytes(bytes);
    [(word >> 32) as u32, word as u32]
}

#[inline(always)]
fn words(a: u32, b: u32) -> u64 {
    (u64::from(a) << 32) | u64::from(b)
}

#[inline(always)]
fn element([a, b, c, d]: Block) -> Element {
    [words(a, b), words(c, d)]
}

#[inline(always)]
fn blocks([first, last]: Element) -> Block {
    [
        (first >> 32) as u32,
        first as u32,
        (last >> 32) as u32,
        last as u32,
    ]
}
