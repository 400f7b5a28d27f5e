//! A middle and a spread of few numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The median, and what a tenth of the values lie below and above.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Summary {
    pub median: f64,
    #[serde(rename = "p10")]
    pub low: f64,
    #[serde(rename = "p90")]
    pub high: f64,
}

impl Summary {
    /// Of these values; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&values, 0.5)?,
            low: quantile(&values, 0.1)?,
            high: quantile(&values, 0.9)?,
        })
    }

    /// Each of the three as this makes of it.
    pub fn map(self, each: impl Fn(f64) -> f64) -> Self {
        Self {
            median: each(self.median),
            low: each(self.low),
            high: each(self.high),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} .. {}", decimal(self.low), decimal(self.high))
    }
}

/// A number with as many decimals as tell something.
pub fn decimal(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// Between the two values that the place falls between, in proportion.
#[expect(clippy::cast_sign_loss, reason = "a place is never negative")]
fn quantile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let place = (sorted.len().checked_sub(1)?) as f64 * fraction;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value_or_between_the_two() {
        let median =
            |values: &[f64]| Summary::of(values.iter().copied()).map(|summary| summary.median);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(
            Summary::of([7.0]),
            Some(Summary {
                median: 7.0,
                low: 7.0,
                high: 7.0
            })
        );
    }

    #[test]
    fn no_values_have_no_middle() {
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn a_tenth_lies_below_and_above_the_spread() {
        let summary = Summary::of((0..=100).map(f64::from)).unwrap();
        assert_eq!((summary.low, summary.high), (10.0, 90.0));
    }

    #[test]
    fn numbers_have_the_decimals_that_tell_something() {
        assert_eq!(
            [0.0256, 9.876, 12.34, 256.7].map(decimal),
            ["0.026", "9.88", "12.3", "257"]
        );
    }
}
