//! Memory that the system may have back, and what of it is free.

use std::{fs, path::Path};

/// What is much: a page table has few entries for it, and a list has more.
pub const LARGE: i32 = 1 << 18;

/// Has the allocator keep little. What takes much memory lies by itself, so that the system has it
/// back as soon as it is freed: a policy that is read takes many times what is needed when it is in
/// force. The rest lies together, whichever thread it is of.
pub fn tune_malloc() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls have integers only as their arguments, and may be made at any time. What
    // they say is that they did so.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Hands back what was freed and is kept for later: after a policy was read, nothing of the kind
/// comes for a long time.
pub fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call has an integer only as its argument, and may be made at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

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
