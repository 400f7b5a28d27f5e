//! Other clients: real connections, each with a hello in two segments.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use crate::{Lab, Namespace, SERVER};

/// How long a client and the server wait for something: longer than a flood may stand still.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the server says that has received a hello to its end.
const WHOLE: &[u8] = b"whole";
/// A port of the server that nothing else listens on. A hello is told by its content.
const PORT: u16 = 8_443;

/// Clients that say hello again and again, and a server that awaits what of it comes through.
#[derive(Debug)]
pub struct Others {
    server: Namespace,
    client: Namespace,
    addresses: Vec<Ipv4Addr>,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// How many hellos were blocked, and how many arrived as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Their connection was reset.
    pub blocked: u32,
    /// The server has the whole hello.
    pub passed: u32,
}

impl Outcomes {
    /// The share of hellos that passed.
    pub fn share_passed(self) -> f64 {
        f64::from(self.passed) / f64::from(self.blocked + self.passed)
    }
}

impl Others {
    /// So many clients, each with an address of its own, and a server for hellos of so many octets.
    pub fn new(lab: &Lab, clients: u8, octets: usize) -> Result<Self> {
        let addresses: Vec<Ipv4Addr> = (0..clients)
            .map(|client| [192, 0, 2, 100 + client].into())
            .collect();
        for address in &addresses {
            lab.client()
                .ip(&format!("address add {address}/24 dev eth0"))?;
        }
        let listener = lab
            .server()
            .socket(|| TcpListener::bind((SERVER.v4, PORT)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                thread::spawn(move || serve(stream, octets));
            }
        });
        let (server, client) = (lab.server().clone(), lab.client().clone());
        Ok(Self {
            server,
            client,
            addresses,
            stop,
            accepting: Some(accepting),
        })
    }

    /// All clients at once say this hello, cut here, so many times each. Between both halves of
    /// each, they do this.
    pub fn say(
        &self,
        hello: &[u8],
        cut: usize,
        times: u32,
        between: impl Fn() -> Result<()> + Sync,
    ) -> Result<Outcomes> {
        let halves = hello
            .split_at_checked(cut)
            .context("a hello is cut behind its end")?;
        let all = thread::scope(|scope| {
            let clients: Vec<_> = self
                .addresses
                .iter()
                .map(|address| scope.spawn(|| self.client(*address, halves, times, &between)))
                .collect();
            clients
                .into_iter()
                .map(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
                .collect()
        });
        let all: Vec<Outcomes> = Result::from(all)?;
        Ok(all.iter().fold(Outcomes::default(), |sum, one| Outcomes {
            blocked: sum.blocked + one.blocked,
            passed: sum.passed + one.passed,
        }))
    }

    fn client(
        &self,
        address: Ipv4Addr,
        halves: (&[u8], &[u8]),
        times: u32,
        between: &(impl Fn() -> Result<()> + Sync),
    ) -> Result<Outcomes> {
        let mut outcomes = Outcomes::default();
        let say = || (0..times).try_for_each(|_| say(address, halves, between, &mut outcomes));
        self.client
            .inside(say)?
            .with_context(|| format!("the client {address} had no outcome"))?;
        Ok(outcomes)
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // What is accepted next finds that it is over.
        let woken = self.server.socket(|| TcpStream::connect((SERVER.v4, PORT)));
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join();
        }
    }
}

fn serve(mut stream: TcpStream, octets: usize) {
    let mut hello = vec![0; octets];
    // A client whose hello is blocked says no more, and its reset never comes here.
    let _ = stream.set_read_timeout(Some(PATIENCE));
    if stream.read_exact(&mut hello).is_ok() {
        let _ = stream.write_all(WHOLE);
    }
}

fn say(
    address: Ipv4Addr,
    (first, second): (&[u8], &[u8]),
    between: &impl Fn() -> Result<()>,
    outcomes: &mut Outcomes,
) -> Result<()> {
    let mut stream = connection(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(first)?;
    between()?;
    let mut said = [0; WHOLE.len()];
    match stream
        .write_all(second)
        .and_then(|()| stream.read_exact(&mut said))
    {
        Ok(()) if said == WHOLE => outcomes.passed += 1,
        Ok(()) => bail!("the server said something else"),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => outcomes.blocked += 1,
        Err(error) => return Err(error).context("neither a reset nor the server's word"),
    }
    Ok(())
}

fn connection(from: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    bind(&socket, &SocketAddr::from((from, 0)))?;
    connect(&socket, &SocketAddrV4::new(SERVER.v4, PORT))?;
    Ok(socket.into())
}
