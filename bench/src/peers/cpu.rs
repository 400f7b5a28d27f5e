//! CPU time and memory of processes, as /proc says them.
//!
//! Whatever else runs on the machine is in none of these figures. The kernel counts the work on
//! packets for the process that it happens to interrupt, or for its own packet threads: whoever
//! wants to know it takes the asker's time as well.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use rustix::param::clock_ticks_per_second;

use crate::process::MIB;

/// What a line of /proc/PID/stat says (proc(5)), in ticks of the clock.
#[derive(Debug, Default, PartialEq)]
struct Stat {
    own: f64,
    ended_children: f64,
}

/// Seconds that a process ran, in user space and in the kernel.
pub fn of_process(id: u32) -> anyhow::Result<f64> {
    Ok(stat(&id.to_string())?.own / ticks())
}

/// The same of all processes that this one has waited for.
pub fn of_ended_children() -> anyhow::Result<f64> {
    Ok(stat("self")?.ended_children / ticks())
}

/// The same of the kernel's threads that work on packets where no process can be made to.
pub fn of_packet_threads() -> anyhow::Result<f64> {
    let mut all = 0.0;
    for entry in fs::read_dir("/proc").context("/proc cannot be read: mount it")? {
        let path = entry?.path();
        // One that ends meanwhile is none of them.
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.starts_with("ksoftirqd/") {
            all += stat(&path.file_name().unwrap_or_default().to_string_lossy())?.own;
        }
    }
    Ok(all / ticks())
}

/// MiB of memory of a process, of shared pages its part.
pub fn memory(id: u32) -> anyhow::Result<f64> {
    let text = read(&format!("/proc/{id}/smaps_rollup"))?;
    let kib = number_after(&text, "Pss:")
        .with_context(|| format!("/proc/{id}/smaps_rollup does not say Pss"))?;
    Ok(kib * 1024.0 / MIB)
}

/// MiB of kernel memory of the BPF maps that a process holds.
pub fn map_memory(id: u32) -> anyhow::Result<f64> {
    let folder = format!("/proc/{id}/fdinfo");
    let mut maps = BTreeMap::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{folder} cannot be read"))? {
        // One that was closed meanwhile is no map.
        maps.extend(map_of(
            &fs::read_to_string(entry?.path()).unwrap_or_default(),
        ));
    }
    Ok(maps.into_values().sum::<f64>() / MIB)
}

/// The map's number and its size in bytes, if the file is a map.
fn map_of(fdinfo: &str) -> Option<(u64, f64)> {
    let id = number_after(fdinfo, "map_id:")?;
    #[expect(
        clippy::cast_sign_loss,
        reason = "the kernel's numbers are never negative"
    )]
    Some((id as u64, number_after(fdinfo, "memlock:")?))
}

fn number_after(text: &str, field: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn stat(process: &str) -> anyhow::Result<Stat> {
    let path = format!("/proc/{process}/stat");
    parse(&read(&path)?).with_context(|| format!("{path} has no times"))
}

fn parse(line: &str) -> Option<Stat> {
    // The name stands in brackets, and may have any letters in it.
    let (_, fields) = line.rsplit_once(')')?;
    // utime, stime, cutime, cstime are the fields 14 to 17; the first one behind the name is 3.
    let times: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, system, children_user, children_system] = times[..] else {
        return None;
    };
    Some(Stat {
        own: user + system,
        ended_children: children_user + children_system,
    })
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path)
        .with_context(|| format!("{path} cannot be read: has the process ended?"))
}

fn ticks() -> f64 {
    clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_brackets_and_spaces() {
        let line = "7 (a b) c) S 1 7 7 0 -1 4194560 100 200 0 0 31 11 5 2 20 0 3 0 100 0 0";
        assert_eq!(
            parse(line),
            Some(Stat {
                own: 42.0,
                ended_children: 7.0
            })
        );
    }

    #[test]
    fn a_line_that_is_cut_has_no_times() {
        assert_eq!(parse("7 (a) S 1 7 7 0 -1 4194560 100 200 0 0 31 11"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_map_is_told_from_other_files() {
        let map = "pos:\t0\nmap_type:\t1\nmax_entries:\t10\nmemlock:\t4096\nmap_id:\t12\n";
        assert_eq!(map_of(map), Some((12, 4096.0)));
        assert_eq!(map_of("pos:\t0\nflags:\t02\n"), None);
    }

    #[test]
    fn memory_of_this_process_is_some() {
        assert!(memory(std::process::id()).unwrap() > 0.1);
    }
}
