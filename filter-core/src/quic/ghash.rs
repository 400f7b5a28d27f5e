//! GHASH (NIST SP 800-38D §6.4), by a table of the products of the hash key with each octet.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::bounds::opaque;

/// An element of GF(2^128): the first eight octets and the last eight. The highest bit of the first
/// octet is the coefficient of x^0 (NIST SP 800-38D §6.3).
pub(crate) type Element = [u64; 2];

/// The products of the hash key H with each octet, as the first of a block.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct HashTable([Element; 256]);

impl HashTable {
    /// Fills the table for a hash key.
    #[inline(always)]
    pub(crate) fn fill(&mut self, hash_key: Element) {
        let mut product = hash_key;
        self.set(0, [0; 2]);
        // The octet with the highest bit alone stands for 1, each lower bit for one more factor of
        // x.
        for bit in (0..8).rev() {
            self.set(1 << bit, product);
            product = times_x(product);
        }
        for octet in 3..256 {
            let octet = opaque(octet) as u32;
            let without_lowest = octet & octet.wrapping_sub(1);
            let [h0, h1] = self.get(without_lowest);
            let [l0, l1] = self.get(octet ^ without_lowest);
            // A power of two is 0 without its lowest bit, and stays what it is.
            self.set(octet, [h0 ^ l0, h1 ^ l1]);
        }
    }

    /// The product of an element with the hash key.
    #[inline(always)]
    pub(crate) fn times(&self, [first, last]: Element) -> Element {
        self.steps(self.steps([0; 2], last), first)
    }

    /// Eight steps, from the last octet on.
    #[inline(always)]
    fn steps(&self, product: Element, octets: u64) -> Element {
        let (mut product, mut octets) = (product, octets);
        // Unrolled, it would not fit on the kernel's stack.
        for _ in 0..opaque(8) {
            product = self.step(product, octets as u32);
            octets >>= 8;
        }
        product
    }

    /// Times x^8, and the product of one more octet added.
    #[inline(always)]
    fn step(&self, [first, last]: Element, octet: u32) -> Element {
        let [a, b] = self.get(octet);
        let [fallen, ..] = last.to_le_bytes();
        let reduced = REDUCTION
            .get(usize::from(fallen))
            .copied()
            .unwrap_or_default();
        [
            (first >> 8) ^ (u64::from(reduced) << 48) ^ a,
            ((last >> 8) | (first << 56)) ^ b,
        ]
    }

    #[inline(always)]
    fn get(&self, octet: u32) -> Element {
        let [octet, ..] = octet.to_le_bytes();
        self.0.get(usize::from(octet)).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn set(&mut self, octet: u32, element: Element) {
        let [octet, ..] = octet.to_le_bytes();
        if let Some(entry) = self.0.get_mut(usize::from(octet)) {
            *entry = element;
        }
    }
}

/// R, without x^128 (NIST SP 800-38D §6.3), in its first octet.
const R: u64 = 0xe1 << 56;

#[inline(always)]
fn times_x([first, last]: Element) -> Element {
    let reduced = (last & 1).wrapping_neg() & R;
    [(first >> 1) ^ reduced, (last >> 1) | (first << 63)]
}

/// What the last octet adds to the first two when it falls out at the end, times x^8.
static REDUCTION: [u16; 256] = reduction();

#[expect(
    clippy::indexing_slicing,
    reason = "the compiler runs it, and stops where an index is wrong"
)]
const fn reduction() -> [u16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let (mut first, mut last, mut times) = (0_u64, octet as u64, 0);
        while times < 8 {
            let reduced = if last & 1 != 0 { R } else { 0 };
            last = (last >> 1) | (first << 63);
            first = (first >> 1) ^ reduced;
            times += 1;
        }
        table[octet] = (first >> 48) as u16;
        octet += 1;
    }
    table
}
