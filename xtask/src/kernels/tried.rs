//! A kernel that was tried, and all that is known of it then.

use std::collections::BTreeMap;
use std::path::PathBuf;

use guest::plan::Group;
use serde::Serialize;

use super::results::{Cell, CellOutcome, Name, word};
use crate::archive::{Architecture, Versions};

/// The name of the cell of the budgets.
pub const BUDGET: &str = "budget";

/// What became of a kernel.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Its label.
    pub kernel: String,
    /// Its architecture.
    pub architecture: Architecture,
    /// Its packages.
    pub packages: Versions,
    /// Said if these are not those of the lock.
    pub successor: Option<String>,
    /// `uname -r` of the guest.
    pub release: Option<String>,
    /// Bytes of a page.
    pub page_size: Option<usize>,
    /// Verified instructions of each program.
    pub programs: BTreeMap<String, u32>,
    /// How each check ended.
    pub cells: BTreeMap<Name, Cell>,
    /// From the start of its first guest to the end of its last.
    pub seconds: f64,
    /// The guests' consoles.
    pub consoles: Vec<PathBuf>,
}

impl Tried {
    /// A kernel that no guest was started with yet.
    pub fn new(kernel: &str, architecture: Architecture) -> Self {
        Self {
            kernel: kernel.to_owned(),
            architecture,
            packages: Versions::new(),
            successor: None,
            release: None,
            page_size: None,
            programs: BTreeMap::new(),
            cells: BTreeMap::new(),
            seconds: 0.0,
            consoles: Vec::new(),
        }
    }

    /// A kernel that cannot be tried: each group has no result, for this reason.
    pub fn without_result(mut self, groups: &[Group], why: &str) -> Self {
        self.add(
            groups
                .iter()
                .map(|group| (word(*group), Cell::no_result(why)))
                .collect(),
        );
        self
    }

    /// Adds cells; of two for one check the worse holds.
    pub fn add(&mut self, cells: BTreeMap<Name, Cell>) {
        for (name, cell) in cells {
            let cell = match self.cells.remove(&name) {
                Some(before) => before.and(cell),
                None => cell,
            };
            self.cells.insert(name, cell);
        }
    }

    /// The worst of these groups; `None` if none of them was planned.
    pub fn worst(&self, names: &[&str]) -> Option<CellOutcome> {
        names
            .iter()
            .filter_map(|name| self.cells.get(*name))
            .map(|cell| cell.outcome)
            .max()
    }

    /// True if no cell failed or has no result.
    pub fn is_right(&self) -> bool {
        !self.cells.is_empty() && self.rights().all(|right| right)
    }

    /// Whether each cell is as it should be.
    pub fn rights(&self) -> impl Iterator<Item = bool> {
        self.cells.values().map(Cell::is_right)
    }
}
