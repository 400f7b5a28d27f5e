//! One network namespace, and commands inside it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip netns` keeps its namespaces.
const NAMESPACES: &str = "/run/netns";

/// A namespace's part in the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks.
    Client,
    /// Forwards, and filters.
    Gateway,
    /// Answers.
    Server,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Client, Self::Gateway, Self::Server];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Server => "server",
        })
    }
}

/// A network namespace of a lab.
#[derive(Clone, Debug)]
pub struct Namespace {
    name: String,
    directory: PathBuf,
}

impl Namespace {
    pub(crate) fn new(lab: &str, role: Role, directory: PathBuf) -> Self {
        Self {
            name: format!("{lab}-{role}"),
            directory,
        }
    }

    /// Its name, as `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The lab's directory, for logs, sockets and lists; it goes with the lab.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A command that runs inside. It sees the host's files, but a `/sys` of its own and, in the
    /// client, the lab's `resolv.conf`. A process that runs in here ends with the lab at the
    /// latest.
    pub fn command(&self, program_name: impl AsRef<OsStr>) -> Command {
        let mut command = program("ip");
        command
            .args(["netns", "exec", &self.name])
            .arg(program_name);
        command
    }

    /// Runs a command inside to its end and gives what it printed; an error with what it said where
    /// it failed.
    pub fn output(&self, program_name: &str, args: &[&str]) -> Result<String> {
        run(self.command(program_name).args(args))
    }

    /// Makes a socket inside, where it stays. The thread that makes it enters the namespace, and
    /// ends.
    pub fn socket<S: Send>(&self, make: impl FnOnce() -> io::Result<S> + Send) -> Result<S> {
        let socket = self.inside(make)?;
        socket.with_context(|| {
            format!(
                "cannot make a socket in the namespace {}: is the lab up?",
                self.name
            )
        })
    }

    /// Does this inside, in a thread that enters the namespace, and ends.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let enter = || {
            let namespace = File::open(Path::new(NAMESPACES).join(&self.name))?;
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            io::Result::Ok(work())
        };
        let done = thread::scope(|scope| scope.spawn(enter).join());
        let done = done.map_err(|_| {
            anyhow!(
                "the thread that was to work in the namespace {} panicked",
                self.name
            )
        })?;
        done.with_context(|| format!("cannot enter the namespace {}: is the lab up?", self.name))
    }

    pub(crate) fn exists(&self) -> bool {
        Path::new(NAMESPACES).join(&self.name).exists()
    }

    /// Runs `ip` on this namespace.
    pub fn ip(&self, args: &str) -> Result<String> {
        run(program("ip").args(["-n", &self.name]).args(args.split(' ')))
    }
}

/// A command that is found also where root's `PATH` leaves out the system directories, as after
/// `su` in Debian.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    path.push(":/usr/sbin:/sbin");
    let mut command = Command::new(name);
    command.env("PATH", path);
    command
}

pub(crate) fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` failed ({}): {}",
            shown(command),
            output.status,
            said.trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) fn cannot_start(command: &Command) -> String {
    format!(
        "cannot start `{}`: is the program installed?",
        shown(command)
    )
}

/// The command as one would type it; its `Debug` begins with the whole `PATH`.
fn shown(command: &Command) -> String {
    let words: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}
