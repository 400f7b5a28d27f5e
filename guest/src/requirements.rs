//! What namegate says where the kernel or the process lacks something, and that what it asks for is enough.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use lab::{Process, wait_until};
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities, set_keep_capabilities,
    set_thread_gid, set_thread_groups, set_thread_uid,
};

use crate::runner::{NotPossible, Passed, Runner, passed};
use crate::world::NAMEGATE;

const LIMIT: Duration = Duration::from_secs(400);
/// How long a start may take.
const START: Duration = Duration::from_mins(5);
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
        runner.check(&format!("requirements: without {name}"), LIMIT, move || without(name, missing));
    }
    if runner.is_guest() {
        runner.check("requirements: without JIT", LIMIT, without_jit);
    }
}

/// A user with exactly these capabilities can filter.
fn all_capabilities() -> Result<Passed<()>> {
    let folder = Folder::new()?;
    let all = CAPABILITIES.iter().fold(CapabilitySet::empty(), |all, (_, one)| all | *one);
    let log = folder.path("log");
    let file = fs::File::create(&log).context("cannot make a log")?;
    let mut command = folder.namegate();
    as_user(&mut command, all);
    command.stdout(file.try_clone()?).stderr(file);
    let mut process = Process::spawn(&mut command)?;
    wait_until("namegate to filter", START, || {
        let said = fs::read_to_string(&log)?;
        if let Some(status) = process.ended()? {
            bail!("namegate ended ({status}): {}", said.trim());
        }
        Ok(said.contains("filtering lo"))
    })?;
    let status = process.stop()?;
    ensure!(status.success(), "namegate ended otherwise than it should ({status})");
    let names: Vec<_> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
    Ok(passed(format!("a user with {} and no other capability can filter", names.join(", "))))
}

/// Without one of them, a sentence names it.
fn without(name: &'static str, missing: CapabilitySet) -> Result<Passed<()>> {
    let folder = Folder::new()?;
    let rest = CAPABILITIES.iter().map(|(_, one)| *one).filter(|one| *one != missing);
    let mut command = folder.namegate();
    as_user(&mut command, rest.fold(CapabilitySet::empty(), |all, one| all | one));
    says(&refused(&mut command)?, name)
}

/// Without a JIT, a sentence says so.
fn without_jit() -> Result<Passed<()>> {
    let before = fs::read_to_string(JIT).with_context(|| format!("cannot read {JIT}"))?;
    if let Err(error) = fs::write(JIT, "0") {
        bail!(NotPossible(format!("the kernel lets nobody turn the JIT off ({error})")));
    }
    let folder = Folder::new()?;
    let result = refused(&mut folder.namegate()).and_then(|output| says(&output, "JIT"));
    fs::write(JIT, before.trim()).with_context(|| format!("cannot write {JIT}"))?;
    result
}

/// Runs a program that has to refuse. One that starts all the same is ended after a while.
fn refused(command: &mut Command) -> Result<Output> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {NAMEGATE}"))?;
    let waited = wait_until("namegate to refuse", START, || Ok(child.try_wait()?.is_some()));
    if waited.is_err() {
        child.kill().context("cannot end namegate")?;
    }
    let output = child.wait_with_output().context("cannot wait for namegate")?;
    waited?;
    Ok(output)
}

/// It failed, and said so in one sentence with this word.
fn says(output: &Output, word: &str) -> Result<Passed<()>> {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    ensure!(!output.status.success(), "namegate does not fail");
    ensure!(
        said.lines().count() == 1 && said.len() <= SENTENCE,
        "not one sentence but {} lines: {}",
        said.lines().count(),
        start(said)
    );
    ensure!(said.contains(word), "the sentence does not name {word}: {said}");
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
    let sets = CapabilitySets { effective: capabilities, permitted: capabilities, inheritable: capabilities };
    set_capabilities(None, sets)?;
    for capability in capabilities.iter() {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// A folder of that user, which goes when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let folder = PathBuf::from("/tmp/requirements");
        fs::create_dir_all(&folder).context("cannot make a folder")?;
        chown(&folder, Some(USER), Some(USER)).context("cannot give a folder away")?;
        fs::write(folder.join("list"), "blocked.example.com\n").context("cannot write a list")?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Namegate, about to filter the loopback interface.
    fn namegate(&self) -> Command {
        let mut command = Command::new(NAMEGATE);
        command.args(["run", "--iface", "lo", "--mode", "generic", "--list"]).arg(self.path("list"));
        command.arg("--socket").arg(self.path("socket")).current_dir(Path::new("/")).stdin(Stdio::null());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            crate::console::say(&format!("a folder is left: {error}"));
        }
    }
}
