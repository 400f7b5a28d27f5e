//! Counting results.

use std::fmt;

/// How many checks and tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Tally {
    /// Of one check.
    pub fn of_check(passed: bool) -> Self {
        Self {
            passed: usize::from(passed),
            failed: usize::from(!passed),
            skipped: 0,
        }
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Adds what a line of `cargo test` counts, if it is one of libtest's summaries.
    pub fn add_line(&mut self, line: &str) {
        let Some(summary) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = summary
            .split([' ', ';', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<usize>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_add_up() {
        let mut tally = Tally::of_check(true);
        tally.add_line("test result: ok. 6 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.07s");
        tally.add_line(
            "test result: FAILED. 8 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 4.66s",
        );
        assert_eq!(tally.to_string(), "15 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn other_lines_add_nothing() {
        let mut tally = Tally::of_check(false);
        for line in [
            "running 6 tests",
            "test 5 passed ... ok",
            "6 passed; 0 failed",
            " test result: ok. 1 passed;",
        ] {
            tally.add_line(line);
        }
        assert_eq!(tally.to_string(), "0 passed, 1 failed");
    }
}
