//! The reset that a connection's end had last.

/// When it was sent, and in answer to what.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastReset {
    /// In nanoseconds of the monotonic clock.
    at: u64,
    /// Acknowledgement number of the segment that it answered.
    acknowledged: u32,
    /// 1 if there was one.
    is_there: u32,
}

impl LastReset {
    pub(crate) const NONE: Self = Self {
        at: 0,
        acknowledged: 0,
        is_there: 0,
    };

    #[inline(always)]
    pub(crate) const fn new(at: u64, acknowledged: u32) -> Self {
        Self {
            at,
            acknowledged,
            is_there: 1,
        }
    }

    /// True if a segment that comes now was sent before the reset can have arrived. One that comes
    /// so much later, or acknowledges more, is of a sender that goes on: the reset was lost, or
    /// fell before its window.
    #[inline(always)]
    pub(crate) fn is_under_way(&self, now: u64, acknowledged: u32, again_after: u64) -> bool {
        // Another CPU may have sent it at a later time than this one has.
        self.is_there != 0
            && self.acknowledged == acknowledged
            && now.saturating_sub(self.at) < again_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_under_way_until_time_has_passed_or_more_is_acknowledged() {
        let reset = LastReset::new(1_000, 7);
        assert!(
            reset.is_under_way(1_000, 7, 100)
                && reset.is_under_way(1_099, 7, 100)
                && reset.is_under_way(0, 7, 100)
        );
        assert!(!reset.is_under_way(1_100, 7, 100));
        assert!(!reset.is_under_way(1_000, 8, 100));
        assert!(!reset.is_under_way(1_000, 7, 0));
        assert!(!LastReset::NONE.is_under_way(0, 0, u64::MAX));
    }
}
