//! Which labs there are, and taking them away.
//!
//! Each lab has a directory below [`DIRECTORY`] from before its first namespace is made until after
//! its last is gone, and its owner holds a lock on a file in it: what has a directory is ours, and
//! what is not locked is nobody's any more.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::namespace::{Namespace, Role, program, run};
use crate::{receiving, wait_until};

/// The name of the lab that is left standing on purpose.
pub(crate) const STANDING: &str = "namegate";

const DIRECTORY: &str = "/run/namegate-lab";
/// The file in a lab's directory that its owner locks. The directory itself is for whoever keeps a
/// socket in it to lock.
const OWNED: &str = "owned";
const GRACE: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(5);

/// The labs of this process. Whoever holds the lock is building or removing one.
static LIVE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A lab's directory and, unless it is to stand without an owner, the lock that says that it has
/// one.
pub(crate) struct Claim {
    pub(crate) directory: PathBuf,
    pub(crate) lock: Option<File>,
}

/// On Ctrl-C, SIGTERM and SIGHUP: takes away the labs of this process, then exits with 130.
pub fn clean_up_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        let labs = live();
        if !labs.is_empty() {
            eprintln!("\ninterrupted: taking the lab away");
        }
        for name in labs.iter() {
            if let Err(error) = remove(name) {
                eprintln!("the lab {name} may be left standing: {error:#}");
            }
        }
        process::exit(130);
    })
    .context("cannot handle signals")
}

/// Takes away the labs of processes that are gone.
pub fn sweep() -> Result<()> {
    if !Path::new(DIRECTORY).exists() {
        return Ok(());
    }
    let _alone = lock_ledger()?;
    for entry in fs::read_dir(DIRECTORY).context("cannot read the labs' directory")? {
        let entry = entry.context("cannot read the labs' directory")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != STANDING && is_abandoned(&entry.path())? {
            remove(&name).with_context(|| format!("cannot remove the left-over lab {name}"))?;
        }
    }
    Ok(())
}

pub(crate) fn live() -> MutexGuard<'static, Vec<String>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn unused_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("ng{}-{number}", process::id())
}

pub(crate) fn directory(lab: &str) -> PathBuf {
    Path::new(DIRECTORY).join(lab)
}

pub(crate) fn etc_directory(namespace: &Namespace) -> PathBuf {
    Path::new("/etc/netns").join(namespace.name())
}

/// Makes a lab's directory, locked before a sweep can see it without its lock.
pub(crate) fn claim(lab: &str) -> Result<Claim> {
    make_private(Path::new(DIRECTORY))?;
    let _alone = lock_ledger()?;
    let directory = directory(lab);
    make_private(&directory)?;
    let lock = if lab == STANDING {
        None
    } else {
        let lock = File::create(directory.join(OWNED)).context("cannot make a lab's lock")?;
        lock.lock().context("cannot lock a lab")?;
        Some(lock)
    };
    Ok(Claim { directory, lock })
}

/// Ends every process in a lab's namespaces, then removes these, and the lab's files last.
pub(crate) fn remove(lab: &str) -> Result<()> {
    let directory = directory(lab);
    let namespaces = Role::ALL.map(|role| Namespace::new(lab, role, directory.clone()));
    let there = || namespaces.iter().filter(|namespace| namespace.exists());
    for namespace in there() {
        if processes(namespace)?.contains(&getpid()) {
            bail!("this process runs inside the lab: leave its shell first");
        }
    }
    for namespace in there() {
        end_processes(namespace)?;
        run(program("ip").args(["netns", "delete", namespace.name()]))?;
    }
    receiving::on_each_processor();
    for namespace in &namespaces {
        remove_directory(&etc_directory(namespace))?;
    }
    // Ours only if nobody else keeps anything there.
    let _ = fs::remove_dir("/etc/netns");
    remove_directory(&directory)
}

fn end_processes(namespace: &Namespace) -> Result<()> {
    signal_all(namespace, Signal::TERM)?;
    let gone = || Ok(processes(namespace)?.is_empty());
    if wait_until("processes to end", GRACE, gone).is_ok() {
        return Ok(());
    }
    signal_all(namespace, Signal::KILL)?;
    wait_until("killed processes to end", LIMIT, gone)
}

fn signal_all(namespace: &Namespace, signal: Signal) -> Result<()> {
    for process in processes(namespace)? {
        // It may have ended by itself since it was listed.
        let _ = kill_process(process, signal);
    }
    Ok(())
}

fn processes(namespace: &Namespace) -> Result<Vec<Pid>> {
    let pids = run(program("ip").args(["netns", "pids", namespace.name()]))?;
    let pids = pids.lines().filter_map(|pid| pid.trim().parse().ok());
    Ok(pids.filter_map(Pid::from_raw).collect())
}

fn is_abandoned(directory: &Path) -> Result<bool> {
    let lock = match File::open(directory.join(OWNED)) {
        Ok(lock) => lock,
        // Its owner is taking it away, or was killed as it did.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(directory.exists()),
        Err(error) => return Err(error).context("cannot open a lab's lock"),
    };
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).context("cannot try a lab's lock"),
    }
}

/// Keeps a sweep from a lab whose directory is there and not locked yet.
fn lock_ledger() -> Result<File> {
    let ledger = File::open(DIRECTORY).with_context(|| format!("cannot open {DIRECTORY}"))?;
    ledger
        .lock()
        .with_context(|| format!("cannot lock {DIRECTORY}"))?;
    Ok(ledger)
}

fn make_private(directory: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make {} (the lab needs root)", directory.display()))
}

fn remove_directory(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}
