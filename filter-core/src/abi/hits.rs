//! Hits of rules, for those that were hit.
//!
//! An open table of lines, each a cache line of the kernel's memory: a hit mostly reads one, where
//! a hash map reads the head of a chain and then an entry. A rule's hits are in the first line from
//! its own on that had room when it was first hit. Where hits of other rules were forgotten since,
//! they may be in two lines, and both count.

use crate::hash::RuleKey;

/// A rule and the packets that it decided about.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleHits {
    /// The rule's key; 0 if this place is empty.
    pub rule: u64,
    /// Packets.
    pub packets: u64,
}

/// A cache line of them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HitLine(pub [RuleHits; Self::RULES as usize]);

impl HitLine {
    /// Rules in a line.
    pub const RULES: u32 = 4;
    /// Lines of the table, a power of two: hits of 65,536 rules.
    pub const LINES: u32 = 1 << 14;
    /// Lines where a rule's hits may be. When 40,000 rules were hit, about one in 10,000 has found
    /// all of them full.
    pub const TRIES: u32 = 8;

    /// The line where a rule's hits may be, of several.
    #[inline(always)]
    pub const fn of(rule: RuleKey, attempt: u32) -> u32 {
        (rule.0 as u32).wrapping_add(attempt) & (Self::LINES - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_rule_follow_each_other_and_the_first_follows_the_last() {
        for rule in [
            0,
            1,
            77,
            (1 << 40) + 77,
            u64::from(HitLine::LINES) - 2,
            u64::MAX,
        ] {
            let first = (rule % u64::from(HitLine::LINES)) as u32;
            for attempt in 0..HitLine::TRIES {
                assert_eq!(
                    HitLine::of(RuleKey(rule), attempt),
                    (first + attempt) % HitLine::LINES,
                    "{rule}"
                );
            }
        }
    }
}
