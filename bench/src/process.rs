//! Time and memory of a process of its own: what this one did before changes no figure.

use std::{
    ffi::OsStr,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub const MIB: f64 = 1024.0 * 1024.0;

/// Seconds.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Took {
    pub wall: f64,
    pub cpu: f64,
}

/// Runs a part of this program by itself, and gives what it writes to standard output.
pub fn another<T: DeserializeOwned>(part: &str, args: &[impl AsRef<OsStr>]) -> anyhow::Result<T> {
    let this = std::env::current_exe()
        .context("the path of this program is not known: start it by its path")?;
    let child = Command::new(this)
        .arg(part)
        .args(args)
        .stderr(Stdio::inherit())
        .output();
    let child =
        child.with_context(|| format!("the process that measures ({part}) cannot be started"))?;
    ensure!(
        child.status.success(),
        "the process that measures ({part}) failed, as it says above"
    );
    serde_json::from_slice(&child.stdout).with_context(|| {
        format!("the process that measures ({part}) gave no figures: build the bench again")
    })
}

/// What the work gives, and the time it takes.
pub fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Took)> {
    let (start, cpu_start) = (Instant::now(), cpu_time());
    let result = work()?;
    let took = Took {
        wall: start.elapsed().as_secs_f64(),
        cpu: cpu_time().saturating_sub(cpu_start).as_secs_f64(),
    };
    Ok((result, took))
}

/// Time that the process spent on a CPU, its own and the kernel's on its behalf.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// A figure of /proc/self/status in bytes.
pub fn memory(field: &str) -> anyhow::Result<f64> {
    memory_of("self", field)
}

/// The same of the process with this number.
pub fn memory_of(process: &str, field: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))
        .context("/proc cannot be read: mount it")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix("kB"));
    let kib = kib.and_then(|kib| kib.trim().parse::<f64>().ok());
    Ok(kib.with_context(|| format!("/proc/self/status does not say {field}"))? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_reported_are_those_of_the_work() {
        const WORK: Duration = Duration::from_millis(30);

        let ((), slept) = timed(|| {
            std::thread::sleep(WORK);
            Ok(())
        })
        .unwrap();
        assert!(slept.wall >= WORK.as_secs_f64(), "{slept:?}");
        // Other tests of this process may take time as well, so there is no most.
        let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let ((), worked) = timed(|| {
            let end = spent() + WORK;
            while spent() < end {}
            Ok(())
        })
        .unwrap();
        assert!(worked.cpu >= WORK.as_secs_f64(), "{worked:?}");
    }

    #[test]
    fn memory_that_is_taken_shows() {
        let before = memory("VmRSS:").unwrap();
        let taken = vec![1_u8; 64 << 20];
        assert!(
            memory("VmRSS:").unwrap() - before > 32.0 * MIB,
            "{}",
            taken.len()
        );
    }
}
