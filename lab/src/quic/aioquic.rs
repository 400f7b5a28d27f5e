//! aioquic, QUIC in Python: a client that asks for one page, and a server that tells its clients by
//! which transport they asked.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::SignedCertificate;
use crate::{AIOQUIC, Family, Namespace, Process, SERVER, wait_until};

const CLIENT: &str = include_str!("aioquic_client.py");
const SERVER_SCRIPT: &str = include_str!("aioquic_server.py");

/// The page of [`AioquicServer`] with which a browser tells by which transport it is answered: once
/// that was QUIC it stops, until [`AioquicServer::go_on`], and asks three times more.
pub const TRANSPORT_PAGE: &str = include_str!("transport.html");

/// How long a server may take until it listens, on a machine that is busy.
const START_UP: Duration = Duration::from_secs(30);

/// The Python that has aioquic.
#[derive(Clone, Debug)]
pub struct Aioquic {
    python: PathBuf,
}

impl Aioquic {
    /// What `cargo xtask setup` made below cargo's folder for tests. An error if it has not.
    pub fn below(folder: &Path) -> Result<Self> {
        let python = folder.join(AIOQUIC).join("bin/python");
        let name = python.display();
        ensure!(
            python.exists(),
            "there is no {name}, aioquic's Python: run `cargo xtask setup`"
        );
        Ok(Self { python })
    }

    fn command(&self, namespace: &Namespace, script: &str) -> Command {
        let mut command = namespace.command(&self.python);
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }
}

/// A version of QUIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 9000.
    V1,
    /// RFC 9369.
    V2,
}

impl Version {
    fn number(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }
}

/// A request for a page.
#[derive(Clone, Copy, Debug)]
pub struct Request<'n> {
    /// The name of the server.
    pub name: &'n str,
    /// How its address is reached.
    pub family: Family,
    /// The only version that the client offers.
    pub version: Version,
    /// As many application protocols more in the hello, of 100 bytes each: eleven make a hello of
    /// two datagrams, 22 one of three.
    pub protocols: u8,
    /// How long the client goes on without an answer.
    pub patience: Duration,
}

/// What the client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The page.
    Page {
        /// The version of the connection.
        version: Version,
        /// True if the server had its client come again with a token (RFC 9000 §8.1.2).
        retried: bool,
        /// What is on it.
        text: String,
    },
    /// Nothing, and the client gave up after this time.
    TimedOut(Duration),
}

impl Aioquic {
    /// Asks for a page, of a server whose certificate is that in this file, or signed by it. An
    /// error is anything but the page and a connection that timed out.
    pub fn get(&self, client: &Namespace, trusted: &Path, request: &Request<'_>) -> Result<Reply> {
        let mut command = self.command(client, CLIENT);
        command
            .arg(SERVER.of(request.family).to_string())
            .arg(request.name);
        command.arg("--trusted").arg(trusted);
        command.args(["--patience", &request.patience.as_secs_f32().to_string()]);
        command.args(["--version", request.version.number()]);
        command.args(["--protocols", &request.protocols.to_string()]);
        let output = command.output().context("cannot start aioquic's Python")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "the client failed: {}",
            errors.trim()
        );
        let printed = String::from_utf8(output.stdout).context("the page is no text")?;
        reply(printed.trim_end()).with_context(|| format!("the client printed {printed:?}"))
    }
}

/// What the client printed, understood.
fn reply(line: &str) -> Option<Reply> {
    let (kind, rest) = line.split_once(' ')?;
    if kind == "timed-out" {
        return Some(Reply::TimedOut(Duration::from_secs_f32(rest.parse().ok()?)));
    }
    let [version, retries, text] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let version = [Version::V1, Version::V2]
        .into_iter()
        .find(|one| one.number() == version)?;
    Some(Reply::Page {
        version,
        retried: retries != "0",
        text: text.to_owned(),
    })
}

/// What a server does that not every server does.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions<'v> {
    /// The versions that it speaks.
    pub versions: &'v [Version],
    /// It has each client come again with a token.
    pub retry: bool,
    /// It gives its pages over TCP as well, and says there that HTTP/3 is to be had (RFC 7838).
    pub alt_svc: bool,
}

/// A server on port 443 of both addresses, which ends when it is dropped.
///
/// It closes each connection after one answer, and after half a second without a request: a client
/// that asks again has to send a hello again.
#[derive(Debug)]
pub struct AioquicServer {
    folder: PathBuf,
    log: PathBuf,
    _process: Process,
}

impl AioquicServer {
    /// Starts it with this page.
    pub fn start(
        aioquic: &Aioquic,
        server: &Namespace,
        certificate: &SignedCertificate,
        page: &str,
        options: ServerOptions<'_>,
    ) -> Result<Self> {
        let folder = server.directory().to_owned();
        let (path, log) = (folder.join("page.html"), folder.join("aioquic.log"));
        fs::write(&path, page)?;
        let mut command = aioquic.command(server, SERVER_SCRIPT);
        command.args(Family::ALL.map(|family| SERVER.of(family).to_string()));
        command.arg("--certificate").arg(certificate.chain());
        command.arg("--key").arg(certificate.key());
        command.arg("--page").arg(path);
        command
            .arg("--versions")
            .args(options.versions.iter().map(|version| version.number()));
        command.args(options.retry.then_some("--retry"));
        command.args(options.alt_svc.then_some("--alt-svc"));
        let file = File::create(&log)?;
        let mut process = Process::spawn(command.stdout(file.try_clone()?).stderr(file))?;
        wait_until("aioquic to listen", START_UP, || {
            let text = fs::read_to_string(&log)?;
            if let Some(status) = process.ended()? {
                bail!("aioquic ended ({status}): {}", text.trim());
            }
            Ok(text.lines().any(|line| line == "ready"))
        })?;
        Ok(Self {
            folder,
            log,
            _process: process,
        })
    }

    /// Lets browsers that have stopped go on.
    pub fn go_on(&self) -> Result<()> {
        let path = self.folder.join("go-on");
        fs::write(&path, "").with_context(|| format!("cannot write {}", path.display()))
    }

    /// True if the browser that has [`TRANSPORT_PAGE`] of this name has stopped.
    pub fn has_stopped(&self, name: &str) -> Result<bool> {
        let log = self.log()?;
        let stops = ["quic", "tcp"].map(|transport| format!("{name} {transport} /held"));
        Ok(log
            .lines()
            .any(|line| stops.iter().any(|stop| line.starts_with(stop))))
    }

    /// How often clients of this name were answered over this transport, `tcp` or `quic`.
    pub fn answers(&self, name: &str, transport: &str) -> Result<usize> {
        let begin = format!("{name} {transport} ");
        Ok(self
            .log()?
            .lines()
            .filter(|line| line.starts_with(&begin))
            .count())
    }

    /// What the browser that has [`TRANSPORT_PAGE`] of this name got when it had gone on, once it
    /// has told.
    pub fn notes(&self, name: &str) -> Result<Option<Vec<Note>>> {
        let key = format!(" /noted {name}: ");
        let log = self.log()?;
        let Some((_, notes)) = log.lines().find_map(|line| line.split_once(&*key)) else {
            return Ok(None);
        };
        let notes: Option<_> = notes.trim().split(", ").map(Note::read).collect();
        notes
            .map(Some)
            .with_context(|| format!("no notes of a browser: {log}"))
    }

    /// Everything that the server said.
    pub fn log(&self) -> Result<String> {
        fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }
}

/// How one request of [`TRANSPORT_PAGE`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The transport, `tcp` or `quic`; or `error`.
    pub answer: String,
    /// After so long.
    pub took: Duration,
}

impl Note {
    fn read(text: &str) -> Option<Self> {
        let (answer, milliseconds) = text.rsplit_once(' ')?;
        let took = Duration::from_millis(milliseconds.parse().ok()?);
        Some(Self {
            answer: answer.to_owned(),
            took,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_have_spaces() {
        let page = Reply::Page {
            version: Version::V2,
            retried: true,
            text: "a page".to_owned(),
        };
        assert_eq!(reply("page 2 1 a page"), Some(page));
        assert_eq!(
            reply("timed-out 1.500"),
            Some(Reply::TimedOut(Duration::from_millis(1500)))
        );
    }

    #[test]
    fn what_no_client_prints_is_no_reply() {
        for line in ["", "page", "page 1", "page 3 0 text", "timed-out soon"] {
            assert_eq!(reply(line), None, "{line}");
        }
    }
}
