//! What libFuzzer says of how far it came.

use std::{fmt, time::Duration};

/// Starts of lines of libFuzzer's that help nobody here: what its build lacks, its settings, its
/// dictionary.
const CHATTER: [&str; 8] = [
    "stat::",
    "\tNEW_FUNC",
    "\tNEW_PC",
    "WARNING: Failed to find function",
    "INFO: ",
    "######",
    "\"",
    "Done ",
];

/// How far the fuzzer came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Runs {
    pub inputs: u64,
    /// Edges of the program that were gone over by what was there from the start.
    covered_first: Option<u64>,
    covered: u64,
    pub took: Duration,
}

impl Runs {
    /// Takes down what libFuzzer says of its progress: `#1234 NEW cov: 56 ft: 78 ...`, or
    /// `#1234: cov: 56 ...` from several processes. False if people should see the line: it tells
    /// of something else, or that time goes by.
    pub fn add_line(&mut self, line: &str) -> bool {
        let all = line
            .strip_prefix("stat::number_of_executed_units:")
            .and_then(|all| all.trim().parse().ok());
        self.inputs = all.unwrap_or(self.inputs);
        let Some((inputs, rest)) = line
            .strip_prefix('#')
            .and_then(|rest| rest.split_once([':', '\t']))
        else {
            return CHATTER.iter().any(|start| line.starts_with(start));
        };
        let Ok(inputs) = inputs.trim().parse() else {
            return false;
        };
        self.inputs = inputs;
        let covered = rest
            .split_once("cov: ")
            .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        if let Some(covered) = covered {
            // Before INITED, the inputs that were there are still being read.
            if rest.starts_with("INITED") || self.covered_first.is_none() {
                self.covered_first = Some(covered);
            }
            self.covered = covered;
        }
        !rest.starts_with("pulse")
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inputs,
            covered,
            took,
            ..
        } = self;
        let seconds = took.as_secs().max(1);
        let new = covered.saturating_sub(self.covered_first.unwrap_or(*covered));
        write!(
            f,
            "{inputs} inputs in {seconds} s, {} a second; {covered} edges covered, {new} of them new",
            inputs / seconds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_that_of_the_last_line_and_new_is_what_came_after_the_start() {
        let mut runs = Runs::default();
        for line in [
            "#2\tREAD cov: 10 ft: 11 exec/s: 0 rss: 40Mb",
            "#38\tINITED cov: 100 ft: 150 corp: 30/9Kb exec/s: 0 rss: 40Mb",
            "\tNEW_FUNC[1/2]: 0x5569bee18481",
            "#5000\tNEW    cov: 103 ft: 160 corp: 31/9Kb lim: 1000 exec/s: 5000 rss: 41Mb L: 9/9 MS: 1 CopyPart-",
            "#9000\tDONE   cov: 103 ft: 160 corp: 31/9Kb lim: 1000 exec/s: 4500 rss: 41Mb",
            "stat::number_of_executed_units: 9001",
        ] {
            assert!(runs.add_line(line), "{line}");
        }
        runs.took = Duration::from_secs(2);
        assert_eq!(
            runs.to_string(),
            "9001 inputs in 2 s, 4500 a second; 103 edges covered, 3 of them new"
        );
    }

    #[test]
    fn several_processes_are_followed_as_one() {
        let mut runs = Runs::default();
        runs.add_line("#0: cov: 50 ft: 60 corp: 9 exec/s: 0 oom/timeout/crash: 0/0/0 time: 0s job: 1 dft_time: 0");
        runs.add_line("#700: cov: 55 ft: 66 corp: 9 exec/s: 350 oom/timeout/crash: 0/0/0 time: 2s job: 3 dft_time: 0");
        assert_eq!(
            (runs.inputs, runs.covered_first, runs.covered),
            (700, Some(50), 55)
        );
    }

    #[test]
    fn what_is_no_progress_is_shown() {
        let mut runs = Runs::default();
        for line in [
            "thread '<unnamed>' panicked at src/flow.rs:98:13:",
            "# comment",
            "SUMMARY: libFuzzer: deadly signal",
        ] {
            assert!(!runs.add_line(line), "{line}");
        }
        assert_eq!(runs, Runs::default());
        assert!(
            !runs.add_line("#64\tpulse  cov: 5 ft: 6 corp: 7/8Kb lim: 9 exec/s: 32 rss: 41Mb"),
            "that time goes by is shown"
        );
        assert_eq!((runs.inputs, runs.covered), (64, 5), "and taken down");
    }
}
