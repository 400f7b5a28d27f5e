//! dnsperf, and what it says.

use std::net::Ipv4Addr;

use anyhow::{Context as _, ensure};
use lab::Lab;

use super::cpu;

/// As many as there are answers.
pub const MANY: &[&str] = &["-c", "8", "-q", "100", "-t", "1"];
/// One after another.
pub const SINGLE: &[&str] = &["-c", "1", "-q", "1", "-t", "1"];

/// What dnsperf found.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// Answers that there is no such name.
    pub nxdomain: f64,
    /// Answers without an error.
    pub noerror: f64,
    /// From the first query to the last answer.
    pub seconds: f64,
    /// Microseconds until an answer, on average; `None` if there were no answers.
    pub latency: Option<f64>,
    /// Seconds of CPU that dnsperf took.
    pub cpu: f64,
}

/// Asks the queries of a file of the lab again and again.
pub fn ask(
    lab: &Lab,
    address: Ipv4Addr,
    queries: &str,
    seconds: u32,
    how: &[&str],
) -> anyhow::Result<Found> {
    let mut command = lab.client().command("dnsperf");
    command
        .args(["-s", &address.to_string(), "-l", &seconds.to_string(), "-d"])
        .arg(lab.directory().join(queries));
    let before = cpu::of_ended_children()?;
    let output = command
        .args(how)
        .output()
        .context("dnsperf cannot be started: run `cargo xtask bench peers`")?;
    ensure!(
        output.status.success(),
        "dnsperf failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let found = Found::parse(&String::from_utf8_lossy(&output.stdout))?;
    Ok(Found {
        cpu: cpu::of_ended_children()? - before,
        ..found
    })
}

impl Found {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let after = |heading: &str| {
            text.split(heading)
                .nth(1)?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        };
        let figure = |heading: &str| {
            after(heading).with_context(|| {
                format!(
                    "dnsperf, which should say {heading:?}, says: {}",
                    text.trim()
                )
            })
        };
        let completed = figure("Queries completed:")?;
        Ok(Self {
            nxdomain: after("NXDOMAIN").unwrap_or_default(),
            noerror: after("NOERROR").unwrap_or_default(),
            seconds: figure("Run time (s):")?,
            latency: if completed > 0.0 {
                Some(figure("Average Latency (s):")? * 1e6)
            } else {
                None
            },
            cpu: 0.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERED: &str = "\
Statistics:

  Queries sent:         1000
  Queries completed:    998 (99.80%)
  Queries lost:         2 (0.20%)

  Response codes:       NOERROR 8 (0.80%), NXDOMAIN 990 (99.20%)
  Average packet size:  request 33, response 52
  Run time (s):         2.000000
  Queries per second:   499.000000

  Average Latency (s):  0.000250 (min 0.000100, max 0.002000)
  Latency StdDev (s):   0.000000
";

    #[test]
    fn the_figures_of_answers_are_read() {
        let found = Found::parse(ANSWERED).unwrap();
        assert_eq!(
            (found.seconds, found.nxdomain, found.noerror),
            (2.0, 990.0, 8.0)
        );
        assert_eq!(found.latency, Some(250.0));
    }

    #[test]
    fn where_nothing_is_answered_there_is_no_latency() {
        let text =
            "Queries sent: 5\nQueries completed: 0 (0.00%)\nQueries lost: 5\nRun time (s): 1.5\n";
        let found = Found::parse(text).unwrap();
        assert_eq!(
            (found.nxdomain, found.latency, found.seconds),
            (0.0, None, 1.5)
        );
    }

    #[test]
    fn what_is_no_report_is_shown() {
        let error = Found::parse("Error: no queries").unwrap_err().to_string();
        assert!(error.contains("Error: no queries"), "{error}");
    }
}
