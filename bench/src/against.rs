//! What an earlier run measured, beside this one.

use std::{collections::BTreeMap, fmt::Write as _, fs::File, io::BufReader, path::Path};

use anyhow::Context as _;

use crate::{
    rows::{Row, Rows},
    statistics::{Summary, decimal},
};

/// The rows of an earlier run, by their names.
#[derive(Default)]
pub struct Earlier {
    rows: BTreeMap<String, Row>,
}

/// What a row and the earlier one of its name are compared by.
struct Compared {
    now: Summary,
    earlier: Summary,
}

impl Earlier {
    /// Of a file that `--json` wrote.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let place = path.display();
        let file = File::open(path).with_context(|| {
            format!("{place} cannot be read: name a file that an earlier run wrote with --json")
        })?;
        let rows = Rows::read_json(BufReader::new(file)).with_context(|| {
            format!("{place} is not what `bench --json` writes: name a file of an earlier run")
        })?;
        Ok(Self {
            rows: rows
                .into_iter()
                .map(|row| (row.name().to_owned(), row))
                .collect(),
        })
    }

    /// How many times the earlier figure a row's is; `None` where there is nothing to compare with.
    pub fn ratio(&self, row: &Row) -> Option<f64> {
        let Compared { now, earlier } = self.compare(row)?;
        Some(now.median / earlier.median).filter(|ratio| ratio.is_finite())
    }

    /// The rows that are slower than they were, in words.
    pub fn describe(&self, rows: &[Row]) -> String {
        let compared = rows
            .iter()
            .filter(|row| self.compare(row).is_some())
            .count();
        let slower: Vec<_> = rows.iter().filter(|row| self.is_slower(row)).collect();
        if slower.is_empty() {
            return format!(
                "Of {compared} rows of the earlier run, none is slower by more than its noise."
            );
        }
        let mut text =
            format!("Of {compared} rows of the earlier run, slower by more than their noise:");
        for row in slower {
            if let Some(Compared { now, earlier }) = self.compare(row) {
                let (median, before) = (decimal(now.median), decimal(earlier.median));
                let _ = write!(
                    text,
                    "\n  {}: {median} {} ({now}), before {before} ({earlier})",
                    row.name(),
                    row.unit()
                );
            }
        }
        text
    }

    /// True if all but a tenth of a row's measurements are slower than all but a tenth of the
    /// earlier ones. What is the same each time has no noise, and is never slower.
    fn is_slower(&self, row: &Row) -> bool {
        let Some(Compared { now, earlier }) = self.compare(row) else {
            return false;
        };
        row.is_measured()
            && if row.is_rate() {
                now.high < earlier.low
            } else {
                now.low > earlier.high
            }
    }

    /// What is over the no-op program, where both have that.
    fn compare(&self, row: &Row) -> Option<Compared> {
        let earlier = self
            .rows
            .get(row.name())
            .filter(|earlier| earlier.unit() == row.unit())?;
        let (now, earlier) = match (row.over_noop(), earlier.over_noop()) {
            (Some(now), Some(earlier)) => (now, earlier),
            _ => (row.spread(), earlier.spread()),
        };
        Some(Compared { now, earlier })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn summary(low: f64, median: f64, high: f64) -> Summary {
        Summary { median, low, high }
    }

    fn over_noop(low: f64, median: f64, high: f64) -> Row {
        Row::beside_noop(
            "a packet",
            summary(500.0, 500.0, 500.0),
            summary(9.0, 9.0, 9.0),
            summary(low, median, high),
            "ns",
        )
    }

    fn earlier(rows: impl IntoIterator<Item = Row>) -> Earlier {
        let mut saved = Rows::matching("");
        rows.into_iter().for_each(|row| saved.push(row));
        let file = tempfile::NamedTempFile::new().unwrap();
        saved.write_json(&file).unwrap();
        Earlier::read(file.path()).unwrap()
    }

    #[test]
    fn a_packet_is_compared_by_what_is_over_the_no_op() {
        let earlier = earlier([over_noop(90.0, 100.0, 110.0)]);
        assert_eq!(earlier.ratio(&over_noop(140.0, 150.0, 160.0)), Some(1.5));
    }

    #[test]
    fn a_row_is_slower_when_its_spread_lies_above_the_earlier_one() {
        let earlier = earlier([over_noop(90.0, 100.0, 110.0)]);
        assert!(earlier.is_slower(&over_noop(110.1, 120.0, 130.0)));
        assert!(!earlier.is_slower(&over_noop(110.0, 120.0, 130.0)));
        assert!(!earlier.is_slower(&over_noop(10.0, 20.0, 30.0)));
    }

    #[test]
    fn of_a_rate_less_is_slower() {
        let rate = |low, median, high| Row::median("packets", summary(low, median, high), "1/s");
        let earlier = earlier([rate(90.0, 100.0, 110.0)]);
        assert!(earlier.is_slower(&rate(70.0, 80.0, 89.0)));
        assert!(!earlier.is_slower(&rate(120.0, 130.0, 140.0)));
    }

    #[test]
    fn rows_of_other_names_or_units_are_not_compared() {
        let row = |name: &str, unit| Row::median(name, summary(1.0, 2.0, 3.0), unit);
        let earlier = earlier([row("a", "s"), row("b", "bytes")]);
        for row in [row("other", "s"), row("b", "s")] {
            assert_eq!(earlier.ratio(&row), None, "{row:?}");
        }
    }

    #[test]
    fn what_is_the_same_each_time_has_a_ratio_and_is_never_slower() {
        let earlier = earlier([Row::exact("size", 100.0, "bytes")]);
        let larger = Row::exact("size", 200.0, "bytes");
        assert_eq!(earlier.ratio(&larger), Some(2.0));
        assert!(!earlier.is_slower(&larger));
    }

    #[test]
    fn the_rows_that_are_slower_are_named_with_both_figures() {
        let earlier = earlier([over_noop(90.0, 100.0, 110.0)]);
        assert_eq!(
            earlier.describe(&[over_noop(140.0, 150.0, 160.0)]),
            "Of 1 rows of the earlier run, slower by more than their noise:\n  \
             a packet: 150 ns (140 .. 160), before 100 (90.0 .. 110)"
        );
        assert_eq!(
            earlier.describe(&[over_noop(90.0, 100.0, 110.0)]),
            "Of 1 rows of the earlier run, none is slower by more than its noise."
        );
    }

    #[test]
    fn a_file_that_is_missing_or_something_else_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rows.json");
        let message = || Earlier::read(&path).err().unwrap().to_string();
        assert!(message().contains("rows.json cannot be read"));
        for foreign in ["", "[]", "{}", r#"{"rows": [{"value": 3}]}"#] {
            fs::write(&path, foreign).unwrap();
            assert!(message().contains("rows.json is not what"), "{foreign}");
        }
    }
}
