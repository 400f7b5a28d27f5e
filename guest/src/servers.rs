//! Small servers in the lab's server namespace: DNS over UDP and TCP, and one that sends back what
//! it gets.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use lab::Namespace;

use crate::dns;

/// Port of DNS.
pub const DNS: u16 = 53;
/// Port of HTTPS.
pub const TLS: u16 = 443;

/// How long a server waits before it looks whether it should end.
const LOOK_UP: Duration = Duration::from_millis(250);
/// Octets of a datagram at most.
const DATAGRAM: usize = 65_535;

/// Makes the response to a query.
pub type Responder = fn(&[u8]) -> Result<Vec<u8>>;

/// What the servers saw.
#[derive(Debug, Default)]
struct Seen {
    /// How often each name was asked for.
    asked: BTreeMap<String, usize>,
    /// What came over each connection to the port of TLS.
    streams: BTreeMap<SocketAddr, Vec<u8>>,
}

/// The servers, which end when this is dropped.
#[derive(Debug)]
pub struct Servers {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    listeners: Vec<TcpListener>,
}

impl Servers {
    /// Starts them in a namespace. `responder` makes the DNS responses.
    pub fn start(server: &Namespace, responder: Responder) -> Result<Self> {
        let any = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        let udp = server.socket(|| UdpSocket::bind((any, DNS)))?;
        let listeners = [DNS, TLS]
            .map(|port| server.socket(|| TcpListener::bind((any, port))))
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let servers = Self {
            seen: Arc::default(),
            stop: Arc::default(),
            listeners,
        };
        udp.set_read_timeout(Some(LOOK_UP))?;
        servers.serve(move |seen, stop| answer_datagrams(&udp, responder, seen, stop));
        for (listener, port) in servers.listeners.iter().zip([DNS, TLS]) {
            let listener = listener.try_clone()?;
            servers.serve(move |seen, stop| accept(&listener, port, responder, seen, stop));
        }
        Ok(servers)
    }

    /// How often the server was asked for a name.
    pub fn asked(&self, name: &str) -> usize {
        lock(&self.seen)
            .asked
            .get(name)
            .copied()
            .unwrap_or_default()
    }

    /// What came from this address to the port of TLS.
    pub fn stream(&self, client: SocketAddr) -> Vec<u8> {
        let streams = &lock(&self.seen).streams;
        streams.get(&client).cloned().unwrap_or_default()
    }

    fn serve(&self, work: impl FnOnce(&Arc<Mutex<Seen>>, &Arc<AtomicBool>) + Send + 'static) {
        let (seen, stop) = (self.seen.clone(), self.stop.clone());
        thread::spawn(move || work(&seen, &stop));
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for listener in &self.listeners {
            // Wakes the thread that accepts. It has ended already if this fails.
            let _ = rustix::net::shutdown(listener.as_fd(), rustix::net::Shutdown::Both);
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note_question(seen: &Mutex<Seen>, query: &[u8]) {
    if let Ok(name) = dns::question(query) {
        *lock(seen).asked.entry(name).or_default() += 1;
    }
}

fn answer_datagrams(
    socket: &UdpSocket,
    responder: Responder,
    seen: &Mutex<Seen>,
    stop: &AtomicBool,
) {
    let mut buffer = vec![0; DATAGRAM];
    while !stop.load(Ordering::Relaxed) {
        let Ok((len, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        note_question(seen, &buffer[..len]);
        if let Ok(response) = responder(&buffer[..len]) {
            // A client that is gone gets none.
            let _ = socket.send_to(&response, client);
        }
    }
}

fn accept(
    listener: &TcpListener,
    port: u16,
    responder: Responder,
    seen: &Arc<Mutex<Seen>>,
    stop: &Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        let Ok((stream, client)) = listener.accept() else {
            continue;
        };
        let (seen, stop) = (seen.clone(), stop.clone());
        thread::spawn(move || {
            // A connection that breaks off is the client's or the filter's doing.
            let _ = match port {
                DNS => answer_stream(stream, responder, &seen, &stop),
                _ => echo(stream, without_mapping(client), &seen, &stop),
            };
        });
    }
}

fn answer_stream(
    mut stream: TcpStream,
    responder: Responder,
    seen: &Mutex<Seen>,
    stop: &AtomicBool,
) -> Result<()> {
    loop {
        let mut len = [0; 2];
        read_exact(&mut stream, &mut len, stop)?;
        let mut query = vec![0; u16::from_be_bytes(len).into()];
        read_exact(&mut stream, &mut query, stop)?;
        note_question(seen, &query);
        stream.write_all(&dns::framed(&responder(&query)?)?)?;
    }
}

/// Reads all of it, however long that takes, unless the servers are to end.
fn read_exact(stream: &mut TcpStream, mut to: &mut [u8], stop: &AtomicBool) -> Result<()> {
    while !to.is_empty() {
        let len = read(stream, to, stop)?;
        to = &mut to[len..];
    }
    Ok(())
}

fn echo(
    mut stream: TcpStream,
    client: SocketAddr,
    seen: &Mutex<Seen>,
    stop: &AtomicBool,
) -> Result<()> {
    lock(seen).streams.insert(client, Vec::new());
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let len = read(&mut stream, &mut buffer, stop)?;
        lock(seen)
            .streams
            .entry(client)
            .or_default()
            .extend(&buffer[..len]);
        stream.write_all(&buffer[..len])?;
    }
}

/// Reads at least an octet; an error at the end of the stream and of the servers.
fn read(stream: &mut TcpStream, to: &mut [u8], stop: &AtomicBool) -> Result<usize> {
    stream.set_read_timeout(Some(LOOK_UP))?;
    while !stop.load(Ordering::Relaxed) {
        match stream.read(to) {
            Ok(0) => break,
            Ok(len) => return Ok(len),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    stream.shutdown(Shutdown::Both)?;
    anyhow::bail!("the stream has ended")
}

/// A socket of IPv6 shows clients of IPv4 at mapped addresses (RFC 4291 §2.5.5.2).
fn without_mapping(client: SocketAddr) -> SocketAddr {
    SocketAddr::new(client.ip().to_canonical(), client.port())
}
