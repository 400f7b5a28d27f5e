//! A client, a gateway with the filter, and a server, in namespaces of their own.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use filter_user::kernel::{Action, AttachedMode, Change, Operation};
use lab::{CLIENT, Family, Lab, Options, Process, SERVER, wait_until};
use serde_json::Value;

use crate::dns::{self, Answer};
use crate::runner::NotPossible;
use crate::servers::{self, Responder, Servers};

/// The program that is tested.
pub const NAMEGATE: &str = "/bin/namegate";
/// How long a start may take: emulation is slow, and the verifier has much to do.
const START: Duration = Duration::from_mins(10);
/// How long an answer or a reset may take.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of a datagram at most.
const DATAGRAM: usize = 65_535;

/// The lab with servers and, once it was started, the filter. Fields are dropped in their order.
pub struct World {
    controller: Option<Process>,
    far_ends: Vec<Operation>,
    servers: Servers,
    lab: Lab,
}

/// What became of what was sent over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was reset.
    Reset,
    /// The other end closed it.
    Closed,
    /// These octets came.
    Octets(Vec<u8>),
    /// Nothing came in time.
    Nothing,
}

impl World {
    /// Builds the lab, without a filter.
    pub fn new(mtu: u32, responder: Responder) -> Result<Self> {
        let lab = lab(&Options {
            mtu,
            ..Options::default()
        })?;
        let servers = Servers::start(lab.server(), responder)?;
        let world = Self {
            controller: None,
            far_ends: Vec::new(),
            servers,
            lab,
        };
        // Wires that are new carry nothing in their first second now and then.
        for family in Family::ALL {
            wait_until(&format!("the first answer over {family}"), START, || {
                Ok(world
                    .ask(family, "first.example", Duration::from_secs(1))?
                    .is_some())
            })?;
        }
        Ok(world)
    }

    /// The servers.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// The lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// A file in the lab's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.lab.directory().join(name)
    }

    /// Has an interface of the client or the server take what the other end's driver sends: a veth
    /// does if it has an XDP program itself.
    pub fn hear_driver(&mut self, namespace: lab::Role) -> Result<()> {
        let namespace = match namespace {
            lab::Role::Client => self.lab.client(),
            lab::Role::Gateway => self.lab.gateway(),
            lab::Role::Server => self.lab.server(),
        };
        let attach = || Operation::attach(Change::None, Action::Pass, "eth0", AttachedMode::Native);
        let far_end = namespace.inside(attach)??;
        self.far_ends.push(far_end);
        Ok(())
    }

    /// Starts the filter on interfaces of the gateway, and waits until it filters.
    pub fn filter(&mut self, interfaces: &[&str], mode: &str, further: &[&str]) -> Result<()> {
        let log = self.path("namegate.log");
        let file = File::create(&log).context("cannot make a log")?;
        let mut command = self.lab.gateway().command(NAMEGATE);
        command
            .args(["run", "--iface"])
            .args(interfaces)
            .args(["--mode", mode, "--without-controller", "pass", "--socket"])
            .arg(self.path("socket"));
        command.args(further);
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let mut process = Process::spawn(&mut command)?;
        wait_until("namegate to filter", START, || {
            if let Some(status) = process.ended()? {
                bail!(
                    "namegate ended ({status}): {}",
                    one_line(&fs::read_to_string(&log)?)
                );
            }
            Ok(self.verb(&["status"]).is_ok())
        })?;
        self.controller = Some(process);
        Ok(())
    }

    /// Ends the filter with SIGTERM; how it ended.
    pub fn end_filter(&mut self) -> Result<ExitStatus> {
        let process = self.controller.take().context("no filter was started")?;
        process.stop()
    }

    /// What a verb of namegate prints with `--json`.
    pub fn verb(&self, words: &[&str]) -> Result<Value> {
        let mut command = Command::new(NAMEGATE);
        let output = command
            .args(words)
            .args(["--json", "--socket"])
            .arg(self.path("socket"))
            .output();
        let output = output.with_context(|| format!("cannot run {NAMEGATE}"))?;
        let said = one_line(&String::from_utf8_lossy(&output.stderr));
        ensure!(
            output.status.success(),
            "`namegate {}` failed ({}): {said}",
            words.join(" "),
            output.status
        );
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`namegate {}` prints no JSON", words.join(" ")))
    }

    /// True if an interface of the gateway has an XDP program.
    pub fn is_attached(&self, interface: &str) -> Result<bool> {
        Ok(self
            .lab
            .gateway()
            .output("ip", &["link", "show", "dev", interface])?
            .contains("xdp"))
    }

    /// A socket of the client, connected to the DNS server.
    pub fn dns_socket(&self, family: Family) -> Result<UdpSocket> {
        self.dns_socket_from(SocketAddr::new(CLIENT.of(family), 0), family)
    }

    /// The same from another address of the client.
    pub fn dns_socket_from(&self, from: SocketAddr, family: Family) -> Result<UdpSocket> {
        let socket = self.lab.client().socket(|| UdpSocket::bind(from))?;
        socket
            .connect((SERVER.of(family), servers::DNS))
            .context("cannot connect a socket of the client")?;
        Ok(socket)
    }

    /// Asks for a name over UDP; `None` if there was no answer in time.
    pub fn ask(&self, family: Family, name: &str, patience: Duration) -> Result<Option<Answer>> {
        ask(&self.dns_socket(family)?, name, patience)
    }

    /// Opens a connection of the client to the server.
    pub fn connect(&self, family: Family, port: u16) -> Result<TcpStream> {
        let server = SocketAddr::new(SERVER.of(family), port);
        let stream = self
            .lab
            .client()
            .socket(|| TcpStream::connect_timeout(&server, PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The namespaces; not possible where the kernel has no veth.
pub fn lab(options: &Options) -> Result<Lab> {
    match Lab::new(options) {
        Err(_) if !has_veth() => bail!(NotPossible(
            "the kernel has no veth, and no module of it was given".into()
        )),
        lab => lab,
    }
}

/// Asks over a connected socket; `None` if there was no answer in time.
pub fn ask(socket: &UdpSocket, name: &str, patience: Duration) -> Result<Option<Answer>> {
    let id = next_id();
    socket
        .send(&dns::query(id, name)?)
        .context("cannot send a query")?;
    let deadline = Instant::now() + patience;
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buffer) {
            Ok(len) => {
                let answer = Answer::read(&buffer[..len])?;
                // Any other is the late answer to an earlier query.
                if answer.id == id {
                    return Ok(Some(answer));
                }
            }
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error).context("the server refuses queries"),
        }
    }
}

/// Sends octets over a connection in these pieces, with a pause between two, and gives what comes
/// back: as many octets as were sent, or what came before the connection ended.
pub fn send(stream: &mut TcpStream, pieces: &[&[u8]]) -> Result<Heard> {
    /// Longer than a segment stays in the lab.
    const PAUSE: Duration = Duration::from_millis(200);

    let mut sent = 0;
    for (place, piece) in pieces.iter().enumerate() {
        if place > 0 {
            std::thread::sleep(PAUSE);
        }
        match stream.write_all(piece) {
            Ok(()) => sent += piece.len(),
            Err(error) if is_reset(&error) => return Ok(Heard::Reset),
            Err(error) => return Err(error).context("cannot send over a connection"),
        }
    }
    hear(stream, sent)
}

/// Waits for so many octets.
pub fn hear(stream: &mut TcpStream, octets: usize) -> Result<Heard> {
    let deadline = Instant::now() + PATIENCE;
    let mut heard = Vec::new();
    let mut buffer = vec![0; DATAGRAM];
    while heard.len() < octets {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) if heard.is_empty() => return Ok(Heard::Closed),
            Ok(0) => break,
            Ok(len) => heard.extend(&buffer[..len]),
            Err(error) if is_timeout(&error) => break,
            Err(error) if is_reset(&error) => return Ok(Heard::Reset),
            Err(error) => return Err(error).context("cannot read from a connection"),
        }
    }
    Ok(if heard.is_empty() {
        Heard::Nothing
    } else {
        Heard::Octets(heard)
    })
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn is_reset(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

fn next_id() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// True if the kernel can make a pair of veth interfaces.
fn has_veth() -> bool {
    let made = lab::program("ip")
        .args([
            "link",
            "add",
            "try-veth0",
            "type",
            "veth",
            "peer",
            "name",
            "try-veth1",
        ])
        .output();
    let made = made.is_ok_and(|output| output.status.success());
    if made {
        // It goes with the guest at the latest.
        let _ = lab::program("ip")
            .args(["link", "delete", "try-veth0"])
            .output();
    }
    made
}

/// The first words of what a program said, in one line.
fn one_line(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MOST).collect()
}
