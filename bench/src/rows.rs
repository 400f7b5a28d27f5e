//! What was measured, as a table and as JSON.

use std::io::{Read, Write};

use anyhow::Context as _;
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde::{Deserialize, Serialize};

use crate::{
    against::Earlier,
    statistics::{Summary, decimal},
};

/// The rows that were asked for, in the order in which they were measured.
#[derive(Deserialize, Serialize)]
pub struct Rows {
    rows: Vec<Row>,
    #[serde(skip)]
    filter: String,
}

/// One figure. Less is better, unless it is a number of lists or rules, or of something a second.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    name: String,
    value: f64,
    unit: String,
    /// What a tenth of the measurements lie below, and above; there are none of a figure that is
    /// the same each time.
    p10: Option<f64>,
    p90: Option<f64>,
    /// How much more than the no-op program's value this is.
    over_noop: Option<Summary>,
    /// How many times the no-op program's value this is.
    noop_ratio: Option<f64>,
    /// What it should be at most, or at least; beside the no-op program, over its value.
    goal: Option<f64>,
    met: Option<bool>,
    #[serde(skip)]
    noop: Option<f64>,
}

impl Row {
    /// A figure that is the same each time.
    pub fn exact(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let name = name.into();
        Self {
            name,
            value: rounded(value),
            unit: unit.into(),
            p10: None,
            p90: None,
            over_noop: None,
            noop_ratio: None,
            goal: None,
            met: None,
            noop: None,
        }
    }

    /// The median of several measurements.
    pub fn median(name: impl Into<String>, measured: Summary, unit: &'static str) -> Self {
        let [p10, p90] = [measured.low, measured.high].map(|value| Some(rounded(value)));
        Self {
            p10,
            p90,
            ..Self::exact(name, measured.median, unit)
        }
    }

    /// The same beside the no-op program's, and by how much it is more.
    pub fn beside_noop(
        name: impl Into<String>,
        measured: Summary,
        noop: Summary,
        over_noop: Summary,
        unit: &'static str,
    ) -> Self {
        let noop_ratio =
            Some(rounded(measured.median / noop.median)).filter(|ratio| ratio.is_finite());
        let (noop, over_noop) = (Some(noop.median), Some(over_noop.map(rounded)));
        Self {
            over_noop,
            noop_ratio,
            noop,
            ..Self::median(name, measured, unit)
        }
    }

    /// A rate beside the no-op program's, of which it cannot be more.
    pub fn rate_beside_noop(
        name: impl Into<String>,
        measured: Summary,
        noop: Summary,
        unit: &'static str,
    ) -> Self {
        Self {
            over_noop: None,
            ..Self::beside_noop(name, measured, noop, measured, unit)
        }
    }

    /// The same with a goal.
    pub fn at_most(self, goal: f64) -> Self {
        Self {
            goal: Some(rounded(goal)),
            met: Some(self.own() <= goal),
            ..self
        }
    }

    /// What goals are about: the value, or what it is over the no-op program's.
    fn own(&self) -> f64 {
        self.over_noop.map_or(self.value, |over| over.median)
    }

    /// What it is of.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its value is counted in.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// True if more is better.
    pub fn is_rate(&self) -> bool {
        self.unit.ends_with("/s")
    }

    /// True if it may be another figure each time.
    pub fn is_measured(&self) -> bool {
        self.p10.is_some()
    }

    /// The value with its noise.
    pub fn spread(&self) -> Summary {
        let or_value = |noise: Option<f64>| noise.unwrap_or(self.value);
        Summary {
            median: self.value,
            low: or_value(self.p10),
            high: or_value(self.p90),
        }
    }

    /// How much more than the no-op program's value it is.
    pub fn over_noop(&self) -> Option<Summary> {
        self.over_noop
    }

    /// The same with a goal for what should be much.
    pub fn at_least(self, goal: f64) -> Self {
        Self {
            goal: Some(goal),
            met: Some(self.value >= goal),
            ..self
        }
    }

    fn cells(&self) -> [String; 9] {
        let number = |value: Option<f64>| value.map(decimal).unwrap_or_default();
        let met = self
            .met
            .map(|met| if met { "yes" } else { "no" })
            .unwrap_or_default();
        let spread = if self.is_measured() {
            self.spread().to_string()
        } else {
            String::new()
        };
        [
            self.name.clone(),
            decimal(self.value),
            self.unit.clone(),
            spread,
            number(self.noop),
            number(self.over_noop.map(|over| over.median)),
            number(self.noop_ratio),
            number(self.goal),
            met.into(),
        ]
    }
}

impl Rows {
    const HEADINGS: [&str; 9] = [
        "",
        "median",
        "",
        "p10 .. p90",
        "no-op",
        "over no-op",
        "ratio",
        "goal",
        "met",
    ];

    /// No rows yet; those whose names have this text in them are wanted.
    pub fn matching(filter: &str) -> Self {
        Self {
            rows: Vec::new(),
            filter: filter.into(),
        }
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

    /// What goals are about in the row with this name.
    pub fn find(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name).map(Row::own)
    }

    /// All of them.
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// The rows in columns, the last of them how many times the earlier figures they are.
    pub fn table(&self, earlier: Option<&Earlier>) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(
            Self::HEADINGS
                .into_iter()
                .chain(earlier.map(|_| "to earlier")),
        );
        for row in &self.rows {
            let ratio = earlier.map(|earlier| earlier.ratio(row).map(decimal).unwrap_or_default());
            table.add_row(row.cells().into_iter().chain(ratio));
        }
        for index in [1, 3, 4, 5, 6, 7, 9] {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// The rows that [`Rows::write_json`] wrote.
    pub fn read_json(file: impl Read) -> anyhow::Result<Vec<Row>> {
        Ok(serde_json::from_reader::<_, Self>(file)?.rows)
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
        Summary {
            median: value,
            low: value,
            high: value,
        }
    }

    #[test]
    fn the_json_has_these_keys_and_no_others() {
        let mut rows = Rows::matching("");
        rows.push(
            Row::beside_noop("a packet", always(30.0), always(12.0), always(18.0), "ns")
                .at_most(15.0),
        );
        rows.push(Row::exact("size", 5000.0, "bytes"));
        let mut json = Vec::new();
        rows.write_json(&mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let over_noop = serde_json::json!({"median": 18.0, "p10": 18.0, "p90": 18.0});
        let expected = serde_json::json!({"rows": [
            {
                "name": "a packet", "value": 30.0, "unit": "ns", "p10": 30.0, "p90": 30.0, "over_noop": over_noop,
                "noop_ratio": 2.5, "goal": 15.0, "met": false,
            },
            {
                "name": "size", "value": 5000.0, "unit": "bytes", "p10": null, "p90": null, "over_noop": null,
                "noop_ratio": null, "goal": null, "met": null,
            },
        ]});
        assert_eq!(json, expected);
    }

    #[test]
    fn a_goal_is_met_at_its_value_and_not_above() {
        assert_eq!(Row::exact("", 20.0, "ns").at_most(20.0).met, Some(true));
        assert_eq!(Row::exact("", 20.1, "ns").at_most(20.0).met, Some(false));
    }

    #[test]
    fn a_goal_beside_the_no_op_is_about_what_is_over_it() {
        let row = || Row::beside_noop("", always(30.0), always(12.0), always(18.0), "ns");
        assert_eq!(row().at_most(18.0).met, Some(true));
        assert_eq!(row().at_most(17.9).met, Some(false));
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
        assert_eq!(
            Row::beside_noop("", always(30.0), always(0.0), always(30.0), "ns").noop_ratio,
            None
        );
    }
}
