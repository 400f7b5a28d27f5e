//! What a guest printed, and what follows from it.

use std::collections::BTreeMap;

use guest::plan::Group;
use guest::report::{Line, Outcome};
use serde::Serialize;

/// What is checked of a kernel: a group of the guest's checks, its log, or the budgets.
pub type Name = String;

/// How a check of a kernel ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// How.
    pub outcome: CellOutcome,
    /// What was wrong or is missing; what was seen where all is right.
    pub sentences: Vec<String>,
}

/// The outcomes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CellOutcome {
    /// All is as it should be.
    Passed,
    /// The kernel that was booted lacks what is needed, and is known to.
    NotPossible,
    /// The guest died, or did not say.
    NoResult,
    /// Something is not as it should be.
    Failed,
}

/// The lines of a guest.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    /// `uname -r`.
    pub release: Option<String>,
    /// Bytes of a page.
    pub page_size: Option<usize>,
    /// Verified instructions of each program.
    pub programs: BTreeMap<String, u32>,
    checks: Vec<(String, Outcome, String)>,
    damage: Vec<String>,
    modules: Vec<String>,
    broken: usize,
    /// True if it came to its end.
    ended: bool,
    out_of_memory: bool,
}

impl Report {
    /// Reads a console.
    pub fn read(console: &str) -> Self {
        let mut report = Self::default();
        for line in console.lines() {
            match Line::parse(line) {
                Some(Ok(line)) => report.add(line),
                Some(Err(_)) => report.broken += 1,
                None => {
                    let signs = [
                        "Out of memory:",
                        "System is deadlocked on memory",
                        "Initramfs unpacking failed: write error",
                    ];
                    report.out_of_memory |= signs.iter().any(|sign| line.contains(sign));
                }
            }
        }
        report
    }

    fn add(&mut self, line: Line) {
        match line {
            Line::Booted {
                release, page_size, ..
            } => {
                (self.release, self.page_size) = (Some(release), Some(page_size));
            }
            Line::Module { ok: true, .. } => {}
            Line::Module { name, error, .. } => {
                self.modules.push(format!(
                    "the module {name} did not load: {}",
                    error.unwrap_or_default()
                ));
            }
            Line::Program {
                name,
                verified_instructions,
            } => {
                let count = self.programs.entry(name).or_default();
                *count = (*count).max(verified_instructions);
            }
            Line::Check {
                name,
                outcome,
                detail,
                ..
            } => self.checks.push((name, outcome, detail)),
            Line::Log { line } => self.damage.push(line),
            Line::End {} => self.ended = true,
        }
    }

    /// Why there is no result; `None` if there is one.
    pub fn no_result(&self, memory_mib: u32, late: bool) -> Option<String> {
        if self.ended && self.broken == 0 {
            return None;
        }
        Some(if self.out_of_memory {
            format!("the guest ran out of its {memory_mib} MiB of memory")
        } else if self.ended {
            "lines of the guest's report came broken over its console".to_owned()
        } else if self.release.is_none() {
            "the guest did not boot".to_owned()
        } else if late {
            "the guest did not come to its end in time".to_owned()
        } else {
            "the guest died before its end".to_owned()
        })
    }

    /// The cells of the groups that were planned, and that of the log. `lacks_modules` allows for
    /// checks that are not possible.
    pub fn cells(&self, planned: &[Group], lacks_modules: bool) -> BTreeMap<Name, Cell> {
        let mut cells: BTreeMap<_, _> = planned
            .iter()
            .map(|group| (word(*group), self.cell(*group, lacks_modules)))
            .collect();
        cells.insert(guest::report::LOG.to_owned(), self.log());
        cells
    }

    fn cell(&self, group: Group, lacks_modules: bool) -> Cell {
        let word = word(group);
        let may_lack = lacks_modules && needs_interface(group);
        let (mut outcome, mut sentences) = (None, Vec::new());
        for (name, how, detail) in self
            .checks
            .iter()
            .filter(|(name, ..)| group_of(name) == word)
        {
            let this = match how {
                Outcome::Passed => CellOutcome::Passed,
                Outcome::NotPossible if may_lack => CellOutcome::NotPossible,
                Outcome::NotPossible | Outcome::Failed => CellOutcome::Failed,
            };
            outcome = Some(outcome.map_or(this, |before: CellOutcome| before.max(this)));
            if this != CellOutcome::Passed {
                sentences.push(format!("{name}: {detail}"));
            }
        }
        if outcome == Some(CellOutcome::Failed) {
            sentences.extend(self.modules.iter().cloned());
            if self.out_of_memory {
                sentences.push("the guest ran out of memory".to_owned());
            }
        }
        match outcome {
            Some(outcome) => Cell { outcome, sentences },
            None => Cell::no_result(format!("the guest reported nothing about `{word}`")),
        }
    }

    fn log(&self) -> Cell {
        let checks: Vec<_> = self
            .checks
            .iter()
            .filter(|(name, ..)| name == guest::report::LOG)
            .collect();
        if checks.is_empty() {
            return Cell::no_result("the guest did not read the kernel log");
        }
        let failed =
            !self.damage.is_empty() || checks.iter().any(|(_, how, _)| *how != Outcome::Passed);
        let mut sentences: Vec<_> = checks.iter().map(|(_, _, detail)| detail.clone()).collect();
        sentences.extend(self.damage.iter().take(SHOWN).cloned());
        if failed {
            Cell {
                outcome: CellOutcome::Failed,
                sentences,
            }
        } else {
            Cell::passed()
        }
    }
}

/// How many damaged lines of a kernel log are shown.
const SHOWN: usize = 5;

impl Cell {
    /// All is right.
    pub fn passed() -> Self {
        Self {
            outcome: CellOutcome::Passed,
            sentences: Vec::new(),
        }
    }

    /// Nothing is known.
    pub fn no_result(why: impl Into<String>) -> Self {
        Self {
            outcome: CellOutcome::NoResult,
            sentences: vec![why.into()],
        }
    }

    /// True if nothing is wrong.
    pub fn is_right(&self) -> bool {
        matches!(self.outcome, CellOutcome::Passed | CellOutcome::NotPossible)
    }

    /// The worse of both, with what each says.
    pub fn and(mut self, other: Self) -> Self {
        self.outcome = self.outcome.max(other.outcome);
        self.sentences.extend(other.sentences);
        self
    }
}

/// What the group is called in a plan and in the names of checks.
pub fn word(group: Group) -> Name {
    let value = serde_json::to_value(group).ok();
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The `live` of `live native: TLS`.
fn group_of(check: &str) -> &str {
    check.split([' ', ':']).next().unwrap_or_default()
}

/// True for checks that a kernel without modules has no interface for.
fn needs_interface(group: Group) -> bool {
    !matches!(
        group,
        Group::Load | Group::Corpus | Group::Agreement | Group::Replay
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_report_has_a_cell_for_each_group() {
        let report = Report::read(&console(&[
            check("load", Outcome::Passed),
            check("live native: DNS", Outcome::Passed),
            check("live generic: DNS", Outcome::Failed),
            check("log", Outcome::Passed),
            Line::End {},
        ]));
        assert_eq!(report.no_result(1024, false), None);
        assert_eq!(report.release.as_deref(), Some("6.1.0"));
        assert_eq!(report.programs["namegate"], 9);
        let cells = report.cells(&[Group::Load, Group::Live, Group::Replay], false);
        let outcomes: Vec<_> = cells
            .iter()
            .map(|(name, cell)| (name.as_str(), cell.outcome))
            .collect();
        assert_eq!(
            outcomes,
            [
                ("live", CellOutcome::Failed),
                ("load", CellOutcome::Passed),
                ("log", CellOutcome::Passed),
                ("replay", CellOutcome::NoResult)
            ]
        );
        assert_eq!(cells["live"].sentences, ["live generic: DNS: as seen"]);
    }

    #[test]
    fn a_guest_without_end_is_no_result_and_says_how_far_it_came() {
        let why = |console: &str, late| Report::read(console).no_result(512, late);
        let booted = console(&[check("load", Outcome::Passed)]);
        assert_eq!(
            why("SeaBIOS", false).as_deref(),
            Some("the guest did not boot")
        );
        assert_eq!(
            why(&booted, false).as_deref(),
            Some("the guest died before its end")
        );
        assert_eq!(
            why(&booted, true).as_deref(),
            Some("the guest did not come to its end in time")
        );
        let starved = format!("{booted}[ 9.1] Out of memory: Killed process 1 (init)\n");
        assert_eq!(
            why(&starved, false).as_deref(),
            Some("the guest ran out of its 512 MiB of memory")
        );
        let broken = console(&[Line::End {}]) + "@@ {\"line\":\"che[ 3.4] ck\"}\n";
        assert!(why(&broken, false).is_some_and(|why| why.contains("broken")));
        assert_eq!(
            why(&console(&[Line::End {}]), true),
            None,
            "an end is an end, though QEMU did not go"
        );
    }

    #[test]
    fn what_is_not_possible_is_allowed_only_without_modules_and_only_where_an_interface_is_needed()
    {
        let not_possible = |name: &str| console(&[check(name, Outcome::NotPossible)]);
        let cell = |group: Group, lacks| {
            Report::read(&not_possible(&word(group)))
                .cell(group, lacks)
                .outcome
        };
        assert_eq!(cell(Group::Live, true), CellOutcome::NotPossible);
        assert_eq!(cell(Group::Live, false), CellOutcome::Failed);
        assert_eq!(cell(Group::Replay, true), CellOutcome::Failed);
    }

    #[test]
    fn a_damaged_line_fails_the_log_and_a_log_that_was_not_read_is_no_result() {
        let log = |lines: &[Line]| Report::read(&console(lines)).log().outcome;
        let damage = Line::Log {
            line: "[2.0] BUG: Bad page state".to_owned(),
        };
        assert_eq!(log(&[check("log", Outcome::Passed)]), CellOutcome::Passed);
        assert_eq!(
            log(&[damage.clone(), check("log", Outcome::Passed)]),
            CellOutcome::Failed
        );
        assert_eq!(log(&[damage]), CellOutcome::NoResult);
    }

    fn console(lines: &[Line]) -> String {
        let mut text = String::from("Booting\r\n");
        let booted = Line::Booted {
            release: "6.1.0".to_owned(),
            machine: "x86_64".to_owned(),
            page_size: 4096,
            memory_kib: 1,
        };
        let program = Line::Program {
            name: "namegate".to_owned(),
            verified_instructions: 9,
        };
        for line in [booted, program].iter().chain(lines) {
            text.push_str(&line.text());
            text.push_str("\r\n");
        }
        text
    }

    fn check(name: &str, outcome: Outcome) -> Line {
        Line::Check {
            name: name.to_owned(),
            outcome,
            detail: "as seen".to_owned(),
            seconds: 1.0,
        }
    }
}
