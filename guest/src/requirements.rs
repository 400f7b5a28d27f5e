//! What namegate says where the kernel or the process lacks something, and that what it asks for is
//! enough.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use lab::{Lab, Options, Process, wait_until};
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities,
    set_keep_capabilities, set_thread_gid, set_thread_groups, set_thread_uid,
};
use tempfile::{TempDir, tempdir};

use crate::runner::{Passed, Runner, passed};
use crate::world::{NAMEGATE, lab};

const LIMIT: Duration = Duration::from_mins(15);
/// How long a start may take.
const START: Duration = Duration::from_mins(10);
/// Characters of a sentence; the verifier's log has tens of thousands.
const SENTENCE: usize = 600;
/// `nobody`.
const USER: u32 = 65_534;
const JIT: &str = "/proc/sys/net/core/bpf_jit_enable";
/// The capabilities that are enough, and none of which can be left out.
const CAPABILITIES: [(&str, CapabilitySet); 3] = [
    ("CAP_BPF", CapabilitySet::BPF),
    ("CAP_NET_ADMIN", CapabilitySet::NET_ADMIN),
    ("CAP_PERFMON", CapabilitySet::PERFMON),
];

/// Checks each requirement.
pub fn check(runner: &mut Runner) {
    runner.check("requirements: capabilities", LIMIT, all_capabilities);
    for (name, missing) in CAPABILITIES {
        runner.check(&format!("requirements: without {name}"), LIMIT, move || {
            without(name, missing)
        });
    }
    if runner.is_guest() {
        runner.check("requirements: without a JIT", LIMIT, without_jit);
    }
}

/// A user with exactly these capabilities can filter.
fn all_capabilities() -> Result<Passed<()>> {
    let place = Place::new()?;
    let all = CAPABILITIES
        .iter()
        .fold(CapabilitySet::empty(), |all, (_, one)| all | *one);
    let log = place.path("log");
    let file = File::create(&log).context("cannot make a log")?;
    let mut command = place.namegate();
    as_user(&mut command, all);
    command.stdout(file.try_clone()?).stderr(file);
    let mut process = place.spawn(&mut command)?;
    wait_until("namegate to filter", START, || {
        let said = fs::read_to_string(&log)?;
        if let Some(status) = process.ended()? {
            bail!("namegate ended ({status}): {}", said.trim());
        }
        Ok(said.contains("filtering lan"))
    })?;
    let status = process.stop()?;
    ensure!(
        status.success(),
        "namegate ended otherwise than it should ({status})"
    );
    let names: Vec<_> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
    Ok(passed(format!(
        "a user with {} and no other capability can filter",
        names.join(", ")
    )))
}

/// Without one of them, a sentence names it.
fn without(name: &'static str, missing: CapabilitySet) -> Result<Passed<()>> {
    let place = Place::new()?;
    let rest = CAPABILITIES
        .iter()
        .map(|(_, one)| *one)
        .filter(|one| *one != missing);
    let mut command = place.namegate();
    as_user(
        &mut command,
        rest.fold(CapabilitySet::empty(), |all, one| all | one),
    );
    refuses(&place, &mut command, name)
}

/// Without a JIT, a sentence says so. Many kernels are built so that it cannot be turned off.
fn without_jit() -> Result<Passed<()>> {
    let before = fs::read_to_string(JIT).with_context(|| format!("cannot read {JIT}"))?;
    if let Err(error) = fs::write(JIT, "0") {
        return Ok(passed(format!(
            "nothing is to be said, since the kernel lets nobody turn its JIT off ({error})"
        )));
    }
    let place = Place::new()?;
    let refused = refuses(&place, &mut place.namegate(), "JIT");
    fs::write(JIT, before.trim()).with_context(|| format!("cannot write {JIT}"))?;
    refused
}

/// It ends with a failure, and one sentence with this word. One that starts all the same is ended
/// after a while.
fn refuses(place: &Place, command: &mut Command, word: &str) -> Result<Passed<()>> {
    let log = place.path("log");
    command
        .stdout(Stdio::null())
        .stderr(File::create(&log).context("cannot make a log")?);
    let mut process = place.spawn(command)?;
    wait_until("namegate to refuse", START, || {
        Ok(process.ended()?.is_some())
    })?;
    let status = process.stop()?;
    let said = fs::read_to_string(&log).context("cannot read what namegate said")?;
    let said = said.trim();
    ensure!(!status.success(), "namegate does not fail");
    let lines = said.lines().count();
    ensure!(
        lines == 1 && said.len() <= SENTENCE,
        "not one sentence but {lines} lines: {}",
        start(said)
    );
    ensure!(
        said.contains(word),
        "the sentence does not name {word}: {said}"
    );
    Ok(passed(said))
}

fn start(text: &str) -> String {
    text.chars().take(SENTENCE).collect()
}

/// Has the command run as a user with exactly these capabilities.
fn as_user(command: &mut Command, capabilities: CapabilitySet) {
    // SAFETY: between fork and exec there are only system calls, and no memory is allocated.
    unsafe { command.pre_exec(move || become_user(capabilities)) };
}

fn become_user(capabilities: CapabilitySet) -> io::Result<()> {
    set_keep_capabilities(true)?;
    set_thread_groups(&[])?;
    set_thread_gid(Gid::from_raw(USER))?;
    set_thread_uid(Uid::from_raw(USER))?;
    let sets = CapabilitySets {
        effective: capabilities,
        permitted: capabilities,
        inheritable: capabilities,
    };
    set_capabilities(None, sets)?;
    for capability in capabilities.iter() {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// A gateway whose interface to the client is filtered, and a folder of the user.
struct Place {
    lab: Lab,
    folder: TempDir,
}

impl Place {
    fn new() -> Result<Self> {
        let place = Self {
            lab: lab(&Options::default())?,
            folder: tempdir().context("cannot make a folder")?,
        };
        chown(place.folder.path(), Some(USER), Some(USER)).context("cannot give a folder away")?;
        fs::write(place.path("list"), "blocked.example.com\n").context("cannot write a list")?;
        Ok(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Namegate, about to filter.
    fn namegate(&self) -> Command {
        let mut command = Command::new(NAMEGATE);
        command
            .args(["run", "--iface", "lan", "--mode", "generic"])
            .args(["--without-controller", "pass", "--list"])
            .arg(self.path("list"));
        command
            .arg("--socket")
            .arg(self.path("socket"))
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }

    /// Starts a command in the gateway. `ip netns exec` would need more privileges than the command
    /// is to have.
    fn spawn(&self, command: &mut Command) -> Result<Process> {
        self.lab.gateway().inside(|| Process::spawn(command))?
    }
}
