//! How much there is of something a second: of answers, and of QUIC packets that are opened.

use zerocopy::FromBytes;

/// What some clients may still have: a token bucket.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes)]
pub struct Allowance {
    /// When it was last filled up, in nanoseconds of the monotonic clock.
    filled_at: u64,
    /// What is left, in billionths.
    left: u64,
}

impl Allowance {
    /// Buckets for the answers of all prefixes, and for the QUIC packets of all sources behind
    /// these. Several may share one.
    pub const BUCKETS: u32 = Self::ANSWERS + Self::SOURCES;
    /// Those of answers.
    pub(crate) const ANSWERS: u32 = 1 << 12;
    const SOURCES: u32 = 1 << 12;

    const SECOND: u64 = 1_000_000_000;

    /// The bucket for the QUIC packets of the source with this hash.
    #[inline(always)]
    pub(crate) fn of_source(source: u32) -> u32 {
        Self::ANSWERS + source % Self::SOURCES
    }

    /// Takes one off; false if there is none left. It fills up in a second, and holds no more than
    /// that.
    #[inline(always)]
    pub fn take(&mut self, now: u64, per_second: u64) -> bool {
        // Another CPU may have filled it up at a later time than this one has.
        let passed = now.saturating_sub(self.filled_at);
        self.filled_at += passed;
        let most = per_second * Self::SECOND;
        let left = if passed >= Self::SECOND {
            most
        } else {
            (self.left + passed * per_second).min(most)
        };
        let allowed = left >= Self::SECOND;
        self.left = if allowed { left - Self::SECOND } else { left };
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_fills_up_in_a_second_and_holds_no_more() {
        let (mut allowance, second) = (Allowance::default(), Allowance::SECOND);
        let mut taken = |now| (0..100).filter(|_| allowance.take(now, 10)).count();
        assert_eq!(taken(5 * second), 10);
        assert_eq!(taken(5 * second + second / 2), 5);
        assert_eq!(taken(5 * second + second / 2 + 1), 0);
        assert_eq!(taken(60 * second), 10);
        assert_eq!(
            taken(60 * second - 1),
            0,
            "a CPU whose clock was read before"
        );
    }
}
