//! What of the machine's memory is free.

use std::{fs, path::Path};

/// Bytes that may still be taken: what the machine has free, or the control group, if that is less.
/// `None` if neither says so.
pub fn available() -> Option<u64> {
    let of_machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()?
            .checked_mul(1024)
    });
    [of_machine, of_control_group()].into_iter().flatten().min()
}

/// What the control group (version 2) of this process leaves, if it has a limit of its own.
fn of_control_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = Path::new("/sys/fs/cgroup").join(path);
    let number = |file| {
        fs::read_to_string(folder.join(file))
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}
