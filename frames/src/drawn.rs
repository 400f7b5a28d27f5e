//! Numbers for tests that choose at random.

/// Numbers that look drawn, and are the same in each run with the same start (Steele, Lea, Flood:
/// splitmix64).
#[derive(Clone, Debug)]
pub struct Drawn(pub u64);

impl Drawn {
    /// A number below `bound`.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = self.next().expect("they have no end") % bound as u64;
        usize::try_from(number).expect("it is below the bound")
    }
}

impl Iterator for Drawn {
    type Item = u64;

    /// Any number; there is always a next one.
    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(mixed ^ (mixed >> 31))
    }
}
