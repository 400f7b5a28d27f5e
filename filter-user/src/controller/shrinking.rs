//! Lists that have lost many of their rules since they were read last.

use std::{collections::HashMap, fmt};

use filter_lists::ListReport;

/// Which share of its rules a list may lose in a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxShrink {
    /// In hundredths.
    pub percent: u8,
    /// Lists that may lose more this time, as they were named.
    pub accepted: Vec<String>,
}

impl Default for MaxShrink {
    /// Half of the rules, and no exceptions.
    fn default() -> Self {
        Self {
            percent: 50,
            accepted: Vec::new(),
        }
    }
}

/// A list that has lost too many rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// As it was named.
    pub list: String,
    /// Rules that it had.
    pub before: u64,
    /// Rules that it has.
    pub now: u64,
}

/// All lists that have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TooShort(pub Vec<Shrunk>);

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Shrunk { list, before, now }) in self.0.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(
                f,
                "{comma}the list `{list}` has {now} rules where it had {before}"
            )?;
        }
        f.write_str(": look at what it holds, and take it with `namegate reload --accept-shrink")?;
        self.0.iter().try_for_each(|it| write!(f, " {}", it.list))?;
        f.write_str("`")
    }
}

impl MaxShrink {
    /// Compares lists with what they were. One that is new or gone is no matter: who configures
    /// says so.
    pub fn check(&self, before: &[ListReport], now: &[ListReport]) -> Result<(), TooShort> {
        let mut rules_before: HashMap<&str, Vec<u64>> = HashMap::new();
        for report in before.iter().rev() {
            rules_before
                .entry(&report.list)
                .or_default()
                .push(report.kinds.total());
        }
        let shrunk = now.iter().filter_map(|report| {
            // A file may be named more than once.
            let before = rules_before.get_mut(&*report.list)?.pop()?;
            let now = report.kinds.total();
            (self.is_too_short(before, now) && !self.accepted.contains(&report.list)).then(|| {
                Shrunk {
                    list: report.list.clone(),
                    before,
                    now,
                }
            })
        });
        let shrunk: Vec<_> = shrunk.collect();
        if shrunk.is_empty() {
            Ok(())
        } else {
            Err(TooShort(shrunk))
        }
    }

    fn is_too_short(&self, before: u64, now: u64) -> bool {
        let lost = u128::from(before.saturating_sub(now)) * 100;
        lost > u128::from(before) * u128::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_lose_up_to_its_share_and_no_more() {
        let half = MaxShrink::default();
        assert!(!half.is_too_short(100, 50) && half.is_too_short(100, 49));
        assert!(!half.is_too_short(1, 1) && half.is_too_short(1, 0));
        assert!(!half.is_too_short(0, 0) && !half.is_too_short(10, 1000));
        let none = MaxShrink {
            percent: 0,
            ..half.clone()
        };
        assert!(none.is_too_short(1_000_000, 999_999) && !none.is_too_short(5, 5));
        let all = MaxShrink {
            percent: 100,
            ..half
        };
        assert!(!all.is_too_short(1_000_000, 0));
    }

    #[test]
    fn the_words_name_the_lists_and_what_takes_them() {
        let shrunk = |list: &str| Shrunk {
            list: list.into(),
            before: 1000,
            now: 1,
        };
        assert_eq!(
            TooShort(vec![shrunk("a.txt"), shrunk("b.txt")]).to_string(),
            "the list `a.txt` has 1 rules where it had 1000, the list `b.txt` has 1 rules where it had 1000: look at \
             what it holds, and take it with `namegate reload --accept-shrink a.txt b.txt`"
        );
    }
}
