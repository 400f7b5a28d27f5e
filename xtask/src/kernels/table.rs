//! The table of what was tried, in Markdown, and what was wrong.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::results::{Cell, CellOutcome};
use super::tried::{BUDGET, Tried};

/// The columns, and the cells that each puts together.
const CHECKS: [(&str, &[&str]); 7] = [
    ("loads", &["load"]),
    ("budget", &[BUDGET]),
    (
        "verdicts equal",
        &["corpus", "agreement", "kernel", "replay"],
    ),
    ("modes", &["live"]),
    ("large frames", &["operations", "stress"]),
    ("requirements", &["requirements"]),
    ("log clean", &["log"]),
];
/// Letters of a sentence that are shown.
const SHOWN: usize = 300;
const ABOVE: [&str; 5] = ["kernel", "release", "architecture", "page", "instructions"];

/// The table.
pub fn table(tried: &[Tried]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(
        ABOVE
            .into_iter()
            .chain(CHECKS.map(|(name, _)| name))
            .chain(["seconds"]),
    );
    for kernel in tried {
        table.add_row(row(kernel));
    }
    for column in [3, 4, ABOVE.len() + CHECKS.len()] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn row(kernel: &Tried) -> Vec<String> {
    let unknown = || "?".to_owned();
    let largest = kernel.programs.values().max();
    let mut row = vec![
        kernel.kernel.clone(),
        kernel.release.clone().unwrap_or_else(unknown),
        kernel.architecture.to_string(),
        kernel
            .page_size
            .map_or_else(unknown, |bytes| format!("{} KiB", bytes / 1024)),
        largest.map_or_else(unknown, |count| with_commas(*count)),
    ];
    row.extend(
        CHECKS
            .iter()
            .map(|(_, names)| kernel.worst(names).map_or("", symbol).to_owned()),
    );
    row.push(format!("{:.0}", kernel.seconds));
    row
}

fn symbol(outcome: CellOutcome) -> &'static str {
    match outcome {
        CellOutcome::Passed => "yes",
        CellOutcome::NotPossible => "-",
        CellOutcome::NoResult => "no result",
        CellOutcome::Failed => "FAILED",
    }
}

/// What was wrong, a line each, with where to read more. What is wrong with several checks is said
/// once.
pub fn faults(tried: &[Tried]) -> Vec<String> {
    let mut faults = Vec::new();
    for kernel in tried.iter().filter(|kernel| !kernel.is_right()) {
        let mut wrong: Vec<(&Cell, Vec<&str>)> = Vec::new();
        for (name, cell) in kernel.cells.iter().filter(|(_, cell)| !cell.is_right()) {
            match wrong.iter_mut().find(|(other, _)| *other == cell) {
                Some((_, names)) => names.push(name),
                None => wrong.push((cell, vec![name])),
            }
        }
        for (cell, names) in wrong {
            let sentences: Vec<_> = cell
                .sentences
                .iter()
                .map(|sentence| beginning(sentence))
                .collect();
            let (names, how) = (names.join(", "), symbol(cell.outcome));
            faults.push(format!(
                "{}: {names}: {how}: {}",
                kernel.kernel,
                sentences.join("; ")
            ));
        }
        let consoles: Vec<_> = kernel
            .consoles
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if !consoles.is_empty() {
            faults.push(format!(
                "{}: console: {}",
                kernel.kernel,
                consoles.join(", ")
            ));
        }
    }
    faults
}

/// The first line of a sentence, or as much of it as is shown: the console has the rest.
fn beginning(sentence: &str) -> String {
    let line = sentence.lines().next().unwrap_or_default();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line.to_owned(),
    }
}

fn with_commas(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use guest::plan::Group;

    use super::*;
    use crate::archive::Architecture;

    #[test]
    fn a_row_has_the_worst_of_its_checks_and_only_the_largest_program() {
        let mut kernel = Tried::new("6.1", Architecture::Amd64);
        kernel.programs = BTreeMap::from([("a".to_owned(), 9), ("b".to_owned(), 1_234_567)]);
        kernel.page_size = Some(16_384);
        kernel.seconds = 12.6;
        let failed = Cell {
            outcome: CellOutcome::Failed,
            sentences: vec!["17 frames differ".to_owned()],
        };
        let not_possible = Cell {
            outcome: CellOutcome::NotPossible,
            sentences: Vec::new(),
        };
        kernel.add(BTreeMap::from([
            ("corpus".to_owned(), Cell::passed()),
            ("replay".to_owned(), failed),
            ("live".to_owned(), not_possible),
            ("load".to_owned(), Cell::passed()),
        ]));
        let row = row(&kernel);
        assert_eq!(
            row,
            [
                "6.1",
                "?",
                "amd64",
                "16 KiB",
                "1,234,567",
                "yes",
                "",
                "FAILED",
                "-",
                "",
                "",
                "",
                "13"
            ]
        );
        assert_eq!(
            faults(&[kernel.clone()]),
            ["6.1: replay: FAILED: 17 frames differ"]
        );
        let table = table(&[kernel]);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.lines().all(|line| line.starts_with('|')), "{table}");
    }

    #[test]
    fn a_long_sentence_is_shown_in_part() {
        assert_eq!(
            beginning("the kernel refuses it\n0: R1=ctx()"),
            "the kernel refuses it"
        );
        assert_eq!(
            beginning(&"ä".repeat(SHOWN + 1)),
            "ä".repeat(SHOWN) + " ..."
        );
    }

    #[test]
    fn numbers_have_commas_between_thousands() {
        assert_eq!(
            [0, 999, 1_000, 355_000].map(with_commas),
            ["0", "999", "1,000", "355,000"]
        );
    }

    #[test]
    fn a_kernel_without_any_cell_is_not_right() {
        let kernel = Tried::new("6.1", Architecture::Amd64);
        assert!(!kernel.is_right());
        let kernel = kernel.without_result(&[Group::Load, Group::Live], "the package is gone");
        assert!(!kernel.is_right());
        assert_eq!(
            faults(&[kernel]),
            ["6.1: live, load: no result: the package is gone"]
        );
    }
}
