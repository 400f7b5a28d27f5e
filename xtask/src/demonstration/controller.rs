//! The filter's own process in the lab's gateway, and what it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lab::{Lab, Process, SERVER, wait_until};
use serde_json::Value;

use super::question::Question;

const START_UP: Duration = Duration::from_secs(20);
const EVENTS: Duration = Duration::from_secs(5);
/// A blocked name that is in no question: its event shows that events arrive.
const PROBE: &str = "probe.blocked.example";

/// `namegate run`, ready.
pub struct Controller {
    binary: PathBuf,
    socket: PathBuf,
    directory: PathBuf,
    _process: Process,
}

/// The kernel's counters, or how much they have moved.
pub struct Counted(pub BTreeMap<String, u64>);

/// A running `namegate events`.
pub struct Events {
    path: PathBuf,
    _process: Process,
}

/// Why names were blocked: an entry for each different event.
#[derive(Default)]
pub struct Reasons(pub BTreeSet<Reason>);

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    pub name: String,
    pub protocol: String,
    /// What happened to the packet.
    pub verdict: String,
    pub client: String,
    pub rule: String,
    /// List and line.
    pub place: String,
}

impl Controller {
    /// Starts it in the gateway on the interface to the client, and waits until it answers.
    pub fn start(lab: &Lab, binary: &Path, list: &str) -> Result<Self> {
        let directory = lab.directory().to_owned();
        let list_path = directory.join("sample.hosts");
        fs::write(&list_path, list).context("cannot write the sample list")?;
        let (socket, log_path) = (
            directory.join("namegate.sock"),
            directory.join("namegate.log"),
        );
        let log = File::create(&log_path).context("cannot make the controller's log")?;
        let mut command = lab.gateway().command(binary);
        command
            .args(["run", "--iface", "lan", "--subtrees"])
            .args(["--without-controller", "pass", "--list"])
            .arg(&list_path)
            .arg("--socket")
            .arg(&socket);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut process = Process::spawn(&mut command)?;
        let ready = wait_until("the controller to answer", START_UP, || {
            if let Some(status) = process.ended()? {
                bail!("namegate run ended ({status})");
            }
            Ok(ask(binary, &socket, "status").output()?.status.success())
        });
        ready.with_context(|| {
            format!(
                "it printed: {}",
                fs::read_to_string(&log_path).unwrap_or_default().trim()
            )
        })?;
        Ok(Self {
            binary: binary.to_owned(),
            socket,
            directory,
            _process: process,
        })
    }

    /// The counters now.
    pub fn counters(&self) -> Result<Counted> {
        let output = ask(&self.binary, &self.socket, "stats").output()?;
        if !output.status.success() {
            bail!(
                "namegate stats failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let stats: Value =
            serde_json::from_slice(&output.stdout).context("namegate stats printed no JSON")?;
        let counters = stats["counters"]
            .as_object()
            .context("namegate stats printed no counters")?;
        let counters = counters
            .iter()
            .map(|(name, count)| (name.clone(), count.as_u64().unwrap_or_default()));
        Ok(Counted(counters.collect()))
    }

    /// Starts to follow the events, and waits until one of them, which it makes itself, has
    /// arrived.
    pub fn follow_events(&self, lab: &Lab) -> Result<Events> {
        let path = self.directory.join("events.ndjson");
        let file = File::create(&path).context("cannot make the events' file")?;
        // Inside, so that it ends with the lab.
        let mut command = lab.gateway().command(&self.binary);
        command
            .args(["events", "--json", "--socket"])
            .arg(&self.socket);
        let process = Process::spawn(
            command
                .stdin(Stdio::null())
                .stdout(file)
                .stderr(Stdio::null()),
        )?;
        let events = Events {
            path,
            _process: process,
        };
        let at = format!("@{}", SERVER.v4);
        wait_until("the first event of a blocked name", START_UP, || {
            lab.client()
                .command("dig")
                .args(["+tries=1", "+time=1", &at, PROBE])
                .output()?;
            Ok(events.read()?.iter().any(|reason| reason.name == PROBE))
        })?;
        Ok(events)
    }
}

impl Counted {
    /// How much each counter has moved.
    pub fn since(&self, before: &Self) -> Self {
        let moved = self.0.iter().map(|(name, count)| {
            let earlier = before.0.get(name).copied().unwrap_or_default();
            (name.clone(), count - earlier.min(*count))
        });
        Self(moved.filter(|(_, count)| *count > 0).collect())
    }

    /// Those of one protocol, `dns` or `tls`.
    pub fn of_protocol(&self, protocol: &str) -> Vec<(&str, u64)> {
        let counters = self.0.iter().map(|(name, count)| (name.as_str(), *count));
        counters
            .filter(|(name, _)| name.split('_').next() == Some(protocol))
            .collect()
    }
}

impl Events {
    /// Waits until each of these questions has its event, but not for ever, and gives what there
    /// is.
    pub fn reasons(&self, blocked: &[&Question]) -> Reasons {
        let mut reasons = Reasons::default();
        // Those that are missing then are told to the user question by question.
        let _ = wait_until("the events", EVENTS, || {
            reasons = Reasons(
                self.read()?
                    .into_iter()
                    .filter(|reason| reason.name != PROBE)
                    .collect(),
            );
            Ok(blocked.iter().all(|question| reasons.explain(question)))
        });
        reasons
    }

    fn read(&self) -> Result<Vec<Reason>> {
        let lines = fs::read_to_string(&self.path).context("cannot read the events")?;
        // The last line may be half written.
        let events = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(events.map(|event| Reason::of(&event)).collect())
    }
}

impl Reasons {
    /// Whether an event says why this question was refused.
    pub fn explain(&self, question: &Question) -> bool {
        let client = lab::CLIENT.of(question.family).to_string();
        self.0.iter().any(|reason| {
            reason.name.eq_ignore_ascii_case(question.name)
                && reason.protocol == question.protocol()
                && reason.client == client
                && !reason.rule.is_empty()
        })
    }
}

impl Reason {
    fn of(event: &Value) -> Self {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let list = text("list");
        let file = Path::new(&list)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        Self {
            name: text("name"),
            protocol: text("protocol"),
            verdict: text("verdict"),
            client: text("client"),
            rule: text("rule"),
            place: format!("{file}:{}", event["line"]),
        }
    }
}

/// A verb that asks the controller on this socket.
fn ask(binary: &Path, socket: &Path, verb: &str) -> Command {
    let mut command = Command::new(binary);
    command.arg(verb).arg("--json").arg("--socket").arg(socket);
    command
}
