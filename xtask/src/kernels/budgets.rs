//! Budgets of verified instructions: `filter-ebpf/verifier-budgets.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::results::{Cell, CellOutcome};

/// Where the budgets are, from the repository's root.
pub const FILE: &str = "filter-ebpf/verifier-budgets.toml";
/// No budget is larger: the verifier of every kernel gives up at 1,000,000, and other versions of
/// it count up to twice as many.
const LARGEST: u32 = 500_000;
/// A budget is what was measured and one twentieth, up to the next multiple of this.
const STEP: u32 = 1_000;
const HEAD: &str = "# Instructions that the verifier may go through in each program on each kernel of xtask/kernels.toml: what was measured and
# about 5 % more, never above 500,000. Written by `cargo xtask kernels --write-budgets`; say in the commit why it changes.
";

/// The budget of each program, under the label of each kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets(BTreeMap<String, BTreeMap<String, u32>>);

impl Budgets {
    /// Reads the file; there need not be one.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{FILE} cannot be used"))
    }

    fn parse(text: &str) -> Result<Self> {
        let budgets = Self(toml::from_str(text)?);
        for (kernel, programs) in &budgets.0 {
            for (program, budget) in programs {
                ensure!(
                    *budget <= LARGEST,
                    "the budget of `{program}` on {kernel} is {budget}: none may be above {LARGEST}"
                );
            }
        }
        Ok(budgets)
    }

    /// Writes the file.
    pub fn write(&self, root: &Path) -> Result<()> {
        fs::write(root.join(FILE), self.text()).with_context(|| format!("cannot write {FILE}"))
    }

    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (kernel, programs) in &self.0 {
            let _ = writeln!(text, "\n[\"{kernel}\"]");
            for (program, budget) in programs {
                let _ = writeln!(text, "{program} = {budget}");
            }
        }
        text
    }

    /// Takes what was measured on a kernel, with room, in place of that kernel's budgets.
    pub fn set(&mut self, kernel: &str, measured: &BTreeMap<String, u32>) {
        let with_room = |count: u32| (count + count / 20).next_multiple_of(STEP).min(LARGEST);
        let budgets = measured
            .iter()
            .map(|(program, count)| (program.clone(), with_room(*count)));
        self.0.insert(kernel.to_owned(), budgets.collect());
    }

    /// Whether what was measured on a kernel is within its budgets.
    pub fn check(&self, kernel: &str, measured: &BTreeMap<String, u32>) -> Cell {
        if measured.is_empty() {
            return Cell::no_result("no program was loaded");
        }
        let none = BTreeMap::new();
        let budgets = self.0.get(kernel).unwrap_or(&none);
        let mut sentences = Vec::new();
        for (program, count) in measured {
            match budgets.get(program) {
                Some(budget) if count <= budget => {}
                Some(budget) => sentences.push(format!(
                    "`{program}` took {count} verified instructions on {kernel}, and its budget in {FILE} is {budget}"
                )),
                None => sentences.push(format!(
                    "`{program}` has no budget for {kernel} in {FILE}: `cargo xtask kernels {kernel} --write-budgets` gives it one"
                )),
            }
        }
        let outcome = if sentences.is_empty() {
            CellOutcome::Passed
        } else {
            CellOutcome::Failed
        };
        Cell { outcome, sentences }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_room_and_ends_at_the_largest() {
        let mut budgets = Budgets::default();
        budgets.set(
            "6.12",
            &measured(&[("small", 10), ("middle", 200_000), ("large", 499_000)]),
        );
        assert_eq!(
            budgets.0["6.12"],
            measured(&[("small", 1_000), ("middle", 210_000), ("large", 500_000)])
        );
        assert_eq!(Budgets::parse(&budgets.text()).unwrap(), budgets);
    }

    #[test]
    fn a_program_beyond_its_budget_or_without_one_fails() {
        let mut budgets = Budgets::default();
        budgets.set("6.12", &measured(&[("namegate", 1_000)]));
        let check = |kernel: &str, count| budgets.check(kernel, &measured(&[("namegate", count)]));
        assert!(
            check("6.12", 2_000).is_right(),
            "1,050 with room, and up to the next thousand"
        );
        let beyond = check("6.12", 2_001);
        assert_eq!(beyond.outcome, CellOutcome::Failed);
        assert!(
            beyond.sentences[0].contains("took 2001 verified instructions on 6.12"),
            "{:?}",
            beyond.sentences
        );
        assert_eq!(check("6.1", 1).outcome, CellOutcome::Failed);
        assert_eq!(
            budgets.check("6.12", &BTreeMap::new()).outcome,
            CellOutcome::NoResult
        );
    }

    #[test]
    fn a_budget_above_the_largest_is_refused() {
        assert!(Budgets::parse("[\"6.1\"]\nnamegate = 500000").is_ok());
        let error = Budgets::parse("[\"6.1\"]\nnamegate = 500001")
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "the budget of `namegate` on 6.1 is 500001: none may be above 500000"
        );
    }

    fn measured(counts: &[(&str, u32)]) -> BTreeMap<String, u32> {
        counts
            .iter()
            .map(|(program, count)| ((*program).to_owned(), *count))
            .collect()
    }
}
