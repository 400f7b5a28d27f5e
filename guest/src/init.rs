//! What the first process of a system has to do: mount file systems, load modules, and turn the
//! machine off.

use std::ffi::{CStr, OsStr};
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use guest::report::Line;
use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, finit_module, reboot, uname};

use crate::console::report;

const MODULES: &str = "/modules";

/// File systems in the order in which they are mounted: type and place.
const FILE_SYSTEMS: [(&str, &str); 6] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/run"),
    ("tmpfs", "/tmp"),
    ("bpf", "/sys/fs/bpf"),
];

/// What the kernel takes for a fault after some seconds: a grace period of RCU that does not end, a
/// CPU that does not switch, a task that waits. An emulated machine on a busy host stands still for
/// longer, and the reports would pass for damage.
const WATCHDOGS: [(&str, &str); 3] = [
    (
        "/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress",
        "1",
    ),
    ("/proc/sys/kernel/watchdog", "0"),
    ("/proc/sys/kernel/hung_task_timeout_secs", "0"),
];

/// Makes a system of the initramfs, and reports what was booted.
pub fn set_up() -> Result<()> {
    for (kind, place) in FILE_SYSTEMS {
        fs::create_dir_all(place).with_context(|| format!("cannot make {place}"))?;
        mount(kind, place, kind, MountFlags::empty(), None::<&CStr>)
            .with_context(|| format!("cannot mount {kind} on {place}"))?;
    }
    use_console()?;
    // The kernel would write in the middle of a line of the report. A panic is written all the
    // same.
    fs::write("/proc/sys/kernel/printk", "1")
        .context("cannot keep the kernel log off the console")?;
    // A kernel that was built without one has no such file.
    for (watchdog, off) in WATCHDOGS
        .iter()
        .filter(|(watchdog, _)| Path::new(watchdog).exists())
    {
        fs::write(watchdog, off).with_context(|| format!("cannot write {watchdog}"))?;
    }
    fs::create_dir_all("/etc").context("cannot make /etc")?;
    report(&booted()?);
    for module in files_in(Path::new(MODULES))? {
        report(&load_module(&module));
    }
    lab::program("ip")
        .args(["link", "set", "lo", "up"])
        .status()
        .context("cannot run ip")?;
    Ok(())
}

/// Turns the machine off. What is left to run ends with it.
pub fn power_off() -> ! {
    rustix::fs::sync();
    let refused = reboot(RebootCommand::PowerOff);
    panic!("the machine cannot be turned off: {refused:?}");
}

/// Has the three standard descriptors lead to the console, also where the initramfs has no
/// `/dev/console` for the kernel to open.
fn use_console() -> Result<()> {
    let console = File::options()
        .read(true)
        .write(true)
        .open("/dev/console")
        .context("cannot open /dev/console")?;
    rustix::stdio::dup2_stdin(console.as_fd())?;
    rustix::stdio::dup2_stdout(console.as_fd())?;
    rustix::stdio::dup2_stderr(console.as_fd())?;
    Ok(())
}

fn booted() -> Result<Line> {
    let name = uname();
    let memory = fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
    Ok(Line::Booted {
        release: name.release().to_string_lossy().into_owned(),
        machine: name.machine().to_string_lossy().into_owned(),
        page_size: rustix::param::page_size(),
        memory_kib: total_memory(&memory).context("/proc/meminfo has no MemTotal")?,
    })
}

/// KiB, of `/proc/meminfo`.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Files of a folder in the order of their names; none where the folder is not there.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn load_module(path: &Path) -> Line {
    let loaded = File::open(path).and_then(|file| Ok(finit_module(&file, c"", 0)?));
    Line::Module {
        name: module_name(path.file_stem().unwrap_or_default()),
        ok: loaded.is_ok(),
        error: loaded.err().map(|error| error.to_string()),
    }
}

/// The `veth` of `07-veth`.
fn module_name(stem: &OsStr) -> String {
    let stem = stem.to_string_lossy();
    let name = stem
        .split_once('-')
        .filter(|(number, _)| number.bytes().all(|digit| digit.is_ascii_digit()));
    name.map_or(&*stem, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_the_name_behind_the_number() {
        assert_eq!(module_name(OsStr::new("07-veth")), "veth");
        assert_eq!(module_name(OsStr::new("virtio-net")), "virtio-net");
        assert_eq!(module_name(OsStr::new("10-virtio-net")), "virtio-net");
    }

    #[test]
    fn memory_is_the_total() {
        assert_eq!(
            total_memory("MemTotal:        1009560 kB\nMemFree: 1 kB\n"),
            Some(1_009_560)
        );
        assert_eq!(total_memory("MemFree: 1 kB\n"), None);
    }
}
