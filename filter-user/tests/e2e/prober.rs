//! Somebody who asks for names all the time, and notes each wrong answer.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

use lab::{Lab, Namespace, SERVER};

use crate::network::{LISTED, OTHER};

/// After this long, a packet is lost: nothing is sent again but by TCP.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// 2,000 queries a second.
const BETWEEN_QUERIES: Duration = Duration::from_micros(500);
/// 50 hellos a second.
const BETWEEN_HELLOS: Duration = Duration::from_millis(20);
/// `RCODE` of RFC 1035 §4.1.1.
const NO_ERROR: u8 = 0;
const NAME_ERROR: u8 = 3;

/// Queries and TLS hellos from the client of a lab, for a listed and another name in turn.
pub struct Prober {
    is_over: Arc<AtomicBool>,
    threads: [JoinHandle<Found>; 2],
}

/// What came of asking.
#[derive(Debug, Default)]
struct Found {
    asked: u64,
    wrong: Vec<String>,
}

impl Prober {
    pub fn start(lab: &Lab) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = |work: fn(&AtomicBool) -> Found| {
            let (client, is_over): (Namespace, _) = (lab.client().clone(), is_over.clone());
            thread::spawn(move || client.inside(|| work(&is_over)).unwrap())
        };
        let threads = [thread(ask_dns), thread(greet)];
        Self { is_over, threads }
    }

    /// Ends, and fails if a listed name was answered by the server, another one blocked, or a packet
    /// lost.
    pub fn was_right(self) {
        for Found { asked, wrong } in self.end() {
            assert!(asked > 20, "{asked}");
            assert!(wrong.is_empty(), "{} of {asked}: {wrong:?}", wrong.len());
        }
    }

    /// Ends; what was wrong with answers to queries, and with those to hellos.
    pub fn wrong(self) -> [Vec<String>; 2] {
        self.end().map(|found| found.wrong)
    }

    fn end(self) -> [Found; 2] {
        self.is_over.store(true, Ordering::Relaxed);
        self.threads.map(|thread| thread.join().unwrap())
    }
}

fn ask_dns(is_over: &AtomicBool) -> Found {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect((IpAddr::V4(SERVER.v4), 53)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut found = Found::default();
    let mut waiting: HashMap<u16, (Instant, u8)> = HashMap::new();
    let mut answer = [0; 512];
    while !is_over.load(Ordering::Relaxed) || !waiting.is_empty() {
        if !is_over.load(Ordering::Relaxed) {
            let (name, code) = if found.asked.is_multiple_of(2) {
                (LISTED, NAME_ERROR)
            } else {
                (OTHER, NO_ERROR)
            };
            let id = found.asked as u16;
            socket.send(&frames::query_numbered(id, name)).unwrap();
            waiting.insert(id, (Instant::now(), code));
            found.asked += 1;
        }
        while let Ok(len) = socket.recv(&mut answer) {
            let [high, low, _, flags, ..] = answer;
            assert!(len > 12);
            let expected = waiting.remove(&u16::from_be_bytes([high, low]));
            if let Some((_, expected)) = expected
                && flags & 0xf != expected
            {
                found.wrong.push(format!(
                    "answer code {} in place of {expected}",
                    flags & 0xf
                ));
            }
        }
        waiting.retain(|id, (since, code)| {
            let is_lost = since.elapsed() > LOST_AFTER;
            if is_lost {
                found
                    .wrong
                    .push(format!("no answer to {id}, where {code} was due"));
            }
            !is_lost
        });
        sleep(BETWEEN_QUERIES);
    }
    found
}

fn greet(is_over: &AtomicBool) -> Found {
    let hellos = [LISTED, OTHER].map(|name| frames::Hello::of(name).record());
    let mut found = Found::default();
    while !is_over.load(Ordering::Relaxed) {
        for (hello, is_listed) in hellos.iter().zip([true, false]) {
            let heard = hear(hello);
            found.asked += 1;
            if !matches!(
                (is_listed, &heard),
                (true, Heard::Reset) | (false, Heard::Server)
            ) {
                found
                    .wrong
                    .push(format!("{heard:?}, listed: {is_listed}, {}", found.asked));
            }
            sleep(BETWEEN_HELLOS);
        }
    }
    found
}

#[derive(Debug)]
enum Heard {
    Reset,
    Server,
    Other(#[expect(dead_code, reason = "it is printed")] String),
}

fn hear(hello: &[u8]) -> Heard {
    let server = SocketAddr::from((SERVER.v4, 443));
    let talk = || -> std::io::Result<Heard> {
        let mut stream = TcpStream::connect_timeout(&server, LOST_AFTER)?;
        stream.set_read_timeout(Some(LOST_AFTER))?;
        stream.write_all(hello)?;
        let mut first = [0; 1];
        stream.read_exact(&mut first)?;
        Ok(Heard::Server)
    };
    match talk() {
        Ok(heard) => heard,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Heard::Reset,
        Err(error) => Heard::Other(error.to_string()),
    }
}
