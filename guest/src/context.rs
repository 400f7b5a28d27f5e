//! The lines of the kernel log around signs of damage, for people.

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result};
use lab::kernel_log::is_damage;

/// Longer than any record.
const RECORD: usize = 8192;
/// Lines before the first sign of damage, and behind it.
const BEFORE: usize = 10;
const BEHIND: usize = 100;

/// The lines around the first sign of damage that the log still has.
pub fn of_damage() -> Result<String> {
    let lines = lines()?;
    Ok(lines[around(&lines)].join("\n"))
}

fn around(lines: &[String]) -> Range<usize> {
    let first = lines
        .iter()
        .position(|line| is_damage(line))
        .unwrap_or(lines.len());
    first.saturating_sub(BEFORE)..lines.len().min(first + BEHIND)
}

/// All texts of the log, each without what stands before it.
fn lines() -> Result<Vec<String>> {
    let mut options = File::options();
    let device = options
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/kmsg");
    let mut device = device.context("cannot open /dev/kmsg")?;
    let mut record = vec![0; RECORD];
    let mut lines = Vec::new();
    // The log ends with an error, that nothing is there yet.
    while let Ok(len) = device.read(&mut record) {
        let text = String::from_utf8_lossy(&record[..len]);
        let text = text.split_once(';').map_or(&*text, |(_, text)| text);
        lines.push(text.lines().next().unwrap_or_default().to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_around_the_first_sign_of_damage_are_shown() {
        let mut lines: Vec<_> = (0..300).map(|number| format!("line {number}")).collect();
        assert!(
            around(&lines).len() <= BEFORE,
            "without damage there is nothing to show but the end"
        );
        lines[50] = "Call Trace:".to_owned();
        lines[60] = "Call Trace:".to_owned();
        assert_eq!(around(&lines), 40..150);
        lines[3] = "Call Trace:".to_owned();
        assert_eq!(around(&lines), 0..103);
    }
}
