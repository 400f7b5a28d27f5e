//! What was measured, as a table and as JSON.

use std::io::Write;

use anyhow::Context as _;
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde::Serialize;

use crate::statistics::{Summary, decimal};

/// The rows that were asked for, in the order in which they were measured.
#[derive(Serialize)]
pub struct Rows {
    rows: Vec<Row>,
    #[serde(skip)]
    filter: String,
}

/// One figure. Less is better, unless it is a number of lists or rules, or of something a second.
#[derive(Debug, PartialEq, Serialize)]
pub struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    /// How many times the no-op program's value this is.
    noop_ratio: Option<f64>,
    /// What it should be at most, or at least.
    goal: Option<f64>,
    met: Option<bool>,
    #[serde(skip)]
    spread: Option<Summary>,
    #[serde(skip)]
    noop: Option<f64>,
}

impl Row {
    /// A figure that is the same each time.
    pub fn exact(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let name = name.into();
        Self { name, value: rounded(value), unit, noop_ratio: None, goal: None, met: None, spread: None, noop: None }
    }

    /// The median of several measurements.
    pub fn median(name: impl Into<String>, measured: Summary, unit: &'static str) -> Self {
        Self { spread: Some(measured), ..Self::exact(name, measured.median, unit) }
    }

    /// The same, beside the no-op program's.
    pub fn beside_noop(name: impl Into<String>, measured: Summary, noop: Summary, unit: &'static str) -> Self {
        let noop_ratio = Some(rounded(measured.median / noop.median)).filter(|ratio| ratio.is_finite());
        Self { noop_ratio, noop: Some(noop.median), ..Self::median(name, measured, unit) }
    }

    /// The same with a goal.
    pub fn at_most(self, goal: f64) -> Self {
        Self { goal: Some(goal), met: Some(self.value <= goal), ..self }
    }

    /// The same with a goal for what should be much.
    pub fn at_least(self, goal: f64) -> Self {
        Self { goal: Some(goal), met: Some(self.value >= goal), ..self }
    }

    fn cells(&self) -> [String; 9] {
        let number = |value: Option<f64>| value.map(decimal).unwrap_or_default();
        let over_noop = self.noop.map(|noop| self.value - noop);
        let met = self.met.map(|met| if met { "yes" } else { "no" }).unwrap_or_default();
        let spread = self.spread.map(|spread| spread.to_string()).unwrap_or_default();
        [
            self.name.clone(),
            decimal(self.value),
            self.unit.into(),
            spread,
            number(self.noop),
            number(over_noop),
            number(self.noop_ratio),
            number(self.goal),
            met.into(),
        ]
    }
}

impl Rows {
    const HEADINGS: [&str; 9] = ["", "median", "", "p10 .. p90", "no-op", "over no-op", "ratio", "goal", "met"];

    /// No rows yet; those whose names have this text in them are wanted.
    pub fn matching(filter: &str) -> Self {
        Self { rows: Vec::new(), filter: filter.into() }
    }

    /// True if the row with this name is to be measured.
    pub fn want(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// Adds a row if it is wanted.
    pub fn push(&mut self, row: Row) {
        if self.want(&row.name) {
            self.rows.push(row);
        }
    }

    /// The value of the row with this name.
    pub fn find(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name).map(|row| row.value)
    }

    /// The rows in columns.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(Self::HEADINGS);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        for index in [1, 3, 4, 5, 6, 7] {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// Writes the rows as one object.
    pub fn write_json(&self, mut file: impl Write) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut file, self).context("the rows cannot be written")?;
        writeln!(file).context("the rows cannot be written")
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn always(value: f64) -> Summary {
        Summary { median: value, low: value, high: value }
    }

    #[test]
    fn the_json_has_these_keys_and_no_others() {
        let mut rows = Rows::matching("");
        rows.push(Row::beside_noop("a packet", always(30.0), always(12.0), "ns").at_most(20.0));
        rows.push(Row::exact("size", 5000.0, "bytes"));
        let mut json = Vec::new();
        rows.write_json(&mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let expected = serde_json::json!({"rows": [
            {"name": "a packet", "value": 30.0, "unit": "ns", "noop_ratio": 2.5, "goal": 20.0, "met": false},
            {"name": "size", "value": 5000.0, "unit": "bytes", "noop_ratio": null, "goal": null, "met": null},
        ]});
        assert_eq!(json, expected);
    }

    #[test]
    fn a_goal_is_met_at_its_value_and_not_above() {
        assert_eq!(Row::exact("", 20.0, "ns").at_most(20.0).met, Some(true));
        assert_eq!(Row::exact("", 20.1, "ns").at_most(20.0).met, Some(false));
    }

    #[test]
    fn a_goal_for_what_should_be_much_is_met_at_its_value_and_not_below() {
        assert_eq!(Row::exact("", 20.0, "1/s").at_least(20.0).met, Some(true));
        assert_eq!(Row::exact("", 19.9, "1/s").at_least(20.0).met, Some(false));
    }

    #[test]
    fn rows_that_are_not_asked_for_are_left_out() {
        let mut rows = Rows::matching("dns");
        rows.push(Row::exact("dns query", 1.0, "ns"));
        rows.push(Row::exact("tcp data", 1.0, "ns"));
        assert_eq!(rows.rows.len(), 1);
    }

    #[test]
    fn a_no_op_of_no_time_has_no_ratio() {
        assert_eq!(Row::beside_noop("", always(30.0), always(0.0), "ns").noop_ratio, None);
    }
}
