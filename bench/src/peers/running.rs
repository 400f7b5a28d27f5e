//! A contestant that runs, in a lab of its own.

use std::{
    fs::{self, File},
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use lab::{DnsServer, Lab, Namespace, Options, Process, wait_until};

use super::{
    contestant::{Blocked, Contestant, Places},
    cpu, lists,
};
use crate::{
    prober::{self, NXDOMAIN},
    process::Took,
};

/// How long a contestant may take to read the list.
pub const LIMIT: Duration = Duration::from_mins(3);
/// How long a program without names may take.
const START_UP: Duration = Duration::from_secs(20);
/// Between two looks whether it answers.
const LOOK: Duration = Duration::from_millis(2);
/// An answer in the lab takes much less.
const PATIENCE: Duration = Duration::from_millis(100);
const UNLISTED: &str = "not-listed.example.org";
/// What dnsperf asks, in the lab's directory.
pub const LISTED_QUERIES: &str = "listed.queries";
pub const UNLISTED_QUERIES: &str = "unlisted.queries";

/// Ends when it is dropped, and its lab with it.
pub struct Running {
    pub contestant: &'static Contestant,
    /// From the start to the first right answer.
    pub load: Took,
    count: usize,
    namegate: PathBuf,
    process: Process,
    far_end: Option<Process>,
    resolver: Process,
    lab: Lab,
}

impl Running {
    /// Starts it with this list, and waits until it has it in force.
    pub fn start(
        contestant: &'static Contestant,
        namegate: &Path,
        names: &[&str],
    ) -> anyhow::Result<Self> {
        let (lab, resolver) = lab()?;
        lists::write(contestant.form, lab.directory(), names, &[])?;
        let places = Places {
            directory: lab.directory(),
            count: names.len(),
            namegate,
        };
        for (file, text) in contestant.files {
            let path = lab.directory().join(file);
            fs::write(&path, places.fill(text))
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        let far_end = contestant
            .far_end
            .then(|| far_end(&lab, &places))
            .transpose()?;
        let probe = connect(&lab, contestant)?;
        let log = lab.directory().join("log");
        let start = Instant::now();
        let mut process = spawn(lab.gateway(), &log, &places, contestant.command)?;
        let first = names.first().context("there are no names to block")?;
        let listed = if contestant.subdomains {
            format!("www.{first}")
        } else {
            (*first).to_owned()
        };
        let wall = loop {
            let wall = start.elapsed();
            if let Some(status) = process.ended()? {
                bail!("it ended ({status}): {}", last_lines(&log));
            }
            if blocks(&probe, contestant.blocked, &listed)? {
                break wall;
            }
            ensure!(
                wall < LIMIT,
                "it does not block {listed} after {} s: {}",
                LIMIT.as_secs(),
                last_lines(&log)
            );
            thread::sleep(LOOK);
        };
        let load = Took {
            wall: wall.as_secs_f64(),
            cpu: cpu::of_process(process.id())?,
        };
        let (namegate, count) = (namegate.to_owned(), names.len());
        Ok(Self {
            contestant,
            load,
            count,
            namegate,
            process,
            far_end,
            resolver,
            lab,
        })
    }

    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The contestant's process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The process of the resolver behind the gateway.
    pub fn resolver(&self) -> u32 {
        self.resolver.id()
    }

    /// Takes the program off the client's interface, which was there for answers.
    pub fn take_far_end_off(&mut self) {
        self.far_end = None;
    }

    /// MiB, of its process and its maps in the kernel.
    pub fn memory(&self) -> anyhow::Result<f64> {
        Ok(cpu::memory(self.id())? + cpu::map_memory(self.id())?)
    }

    /// A socket of a client that asks it.
    pub fn connect(&self) -> anyhow::Result<UdpSocket> {
        connect(&self.lab, self.contestant)
    }

    /// Starts a command beside it.
    pub fn spawn(&self, command: &[&str]) -> anyhow::Result<Process> {
        let places = Places {
            directory: self.lab.directory(),
            count: self.count,
            namegate: &self.namegate,
        };
        spawn(self.lab.gateway(), &self.reload_log(), &places, command)
    }

    /// The last words of what was started beside it.
    pub fn said(&self) -> String {
        last_lines(&self.reload_log())
    }

    fn reload_log(&self) -> PathBuf {
        self.lab.directory().join("reload.log")
    }
}

/// A lab with a resolver that answers everything.
pub fn lab() -> anyhow::Result<(Lab, Process)> {
    let lab = Lab::new(&Options::default())?;
    let resolver = DnsServer::start(lab.server())?.into_process();
    Ok((lab, resolver))
}

/// A program on the client's interface: Namegate, which has nothing to do there, because no queries
/// come in.
fn far_end(lab: &Lab, places: &Places) -> anyhow::Result<Process> {
    let list = lab.directory().join("far-end.list");
    fs::write(&list, "unasked.example\n")
        .with_context(|| format!("{} cannot be written", list.display()))?;
    let log = lab.directory().join("far-end.log");
    let command = [
        "@NAMEGATE@",
        "run",
        "--iface",
        "eth0",
        "--mode",
        "native",
        "--judge",
        "queries",
        "--without-controller",
        "pass",
    ];
    let files = [
        "--list",
        "domains:@DIRECTORY@/far-end.list",
        "--socket",
        "@DIRECTORY@/far-end.socket",
    ];
    let mut process = spawn(lab.client(), &log, places, &[&command[..], &files].concat())?;
    wait_until("a program on the client's interface", START_UP, || {
        ensure!(process.ended()?.is_none(), "it ended: {}", last_lines(&log));
        Ok(lab.client().ip("link show dev eth0")?.contains("xdp"))
    })?;
    Ok(process)
}

fn connect(lab: &Lab, contestant: &Contestant) -> anyhow::Result<UdpSocket> {
    let address = contestant.address();
    lab.client().socket(move || {
        let socket = UdpSocket::bind(("0.0.0.0", 0))?;
        socket.connect((address, 53))?;
        Ok(socket)
    })
}

fn spawn(
    namespace: &Namespace,
    log: &Path,
    places: &Places,
    command: &[&str],
) -> anyhow::Result<Process> {
    let file = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    let words: Vec<String> = command.iter().map(|word| places.fill(word)).collect();
    let (name, args) = words
        .split_first()
        .context("a contestant without a command")?;
    let mut command: Command = namespace.command(name);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    Process::spawn(&mut command)
}

fn blocks(probe: &UdpSocket, blocked: Blocked, listed: &str) -> anyhow::Result<bool> {
    let code = |name: &str| prober::code(probe, name, PATIENCE).context("the probe failed");
    Ok(match blocked {
        Blocked::NxDomain => code(listed)? == Some(NXDOMAIN),
        // Who is silent and answers others.
        Blocked::Silence => code(UNLISTED)? == Some(0) && code(listed)?.is_none(),
    })
}

/// The end of what it said.
fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(5);
    lines.get(from..).unwrap_or_default().join(" | ")
}
