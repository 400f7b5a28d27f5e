//! Checksums of the internet (RFC 1071). Sums are of words as they are in memory, whatever the
//! order of its bytes.

/// A sum that has not been folded to 16 bits.
#[derive(Clone, Copy, Default)]
pub struct Sum(u64);

impl Sum {
    /// With a word of 32 bits, as it is in memory.
    #[inline(always)]
    pub fn add(self, word: u32) -> Self {
        Self(self.0 + u64::from(word))
    }

    /// With all four bytes.
    #[inline(always)]
    pub fn add_bytes(self, bytes: [u8; 4]) -> Self {
        self.add(u32::from_ne_bytes(bytes))
    }

    /// With both halves of a word of 64 bits.
    #[inline(always)]
    pub fn add_long(self, word: u64) -> Self {
        self.add(word as u32).add((word >> 32) as u32)
    }

    /// The checksum, as it goes into a header.
    #[inline(always)]
    pub fn checksum(self) -> [u8; 2] {
        (!self.folded()).to_ne_bytes()
    }

    /// The sum, as it is in a header whose checksum is left to a device.
    #[inline(always)]
    pub fn folded(self) -> u16 {
        let once = (self.0 & 0xffff_ffff) + (self.0 >> 32);
        let twice = (once & 0xffff) + (once >> 16);
        let thrice = (twice & 0xffff) + (twice >> 16);
        let folded = (thrice & 0xffff) + (thrice >> 16);
        folded as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        // RFC 1071 §3: the sum of 0001 f203 f4f5 f6f7 is ddf2.
        let sum = Sum::default()
            .add_bytes([0x00, 0x01, 0xf2, 0x03])
            .add_bytes([0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.checksum(), (!0xddf2_u16).to_be_bytes());
        assert_eq!(sum.add_long(0).checksum(), sum.checksum());
    }

    #[test]
    fn carries_are_added_however_many_there_are() {
        let full = (0..9).fold(Sum::default(), |sum, _| sum.add(u32::MAX));
        assert_eq!(full.checksum(), [0, 0]);
    }
}
