//! Asks a thousand times a second over one connected socket, and keeps what was answered when: what
//! a client sees while a filter changes its mind.

mod seen;

use std::{
    io,
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};

pub use seen::Seen;
use seen::{Answer, PATIENCE, Query};

/// Between two queries.
const INTERVAL: Duration = Duration::from_millis(1);
/// One in so many queries is for the new name.
const NEW_EVERY: usize = 10;
/// How often the receiver looks up.
const LOOK_UP: Duration = Duration::from_millis(20);
/// Octets of a DNS message over UDP without EDNS (RFC 1035, 4.2.1).
const MESSAGE: usize = 512;
/// There is no such name (RFC 1035, 4.1.1).
pub const NXDOMAIN: u8 = 3;

/// Asks in the background, for names that are blocked all the time and for one that is to be.
pub struct Prober {
    start: Instant,
    shared: Arc<Shared>,
    sender: JoinHandle<Vec<Query>>,
    receiver: JoinHandle<Vec<Answer>>,
}

#[derive(Default)]
struct Shared {
    sent: AtomicUsize,
    stop: AtomicBool,
    /// The new name was answered as a blocked one.
    in_force: AtomicBool,
}

impl Prober {
    /// Begins to ask.
    pub fn start(socket: UdpSocket, blocked: &[&str], new: &str) -> anyhow::Result<Self> {
        socket
            .set_read_timeout(Some(LOOK_UP))
            .context("the prober's socket takes no timeout")?;
        let (start, shared) = (Instant::now(), Arc::new(Shared::default()));
        let message = |name: &&str| query(0, name);
        let (blocked, new) = (
            blocked.iter().map(message).collect::<Vec<_>>(),
            message(&new),
        );
        let (receiving, for_receiver) = (
            socket.try_clone().context("no second handle of a socket")?,
            shared.clone(),
        );
        let for_sender = shared.clone();
        let sender = thread::spawn(move || send(&socket, &blocked, &new, start, &for_sender));
        let receiver = thread::spawn(move || receive(&receiving, start, &for_receiver));
        Ok(Self {
            start,
            shared,
            sender,
            receiver,
        })
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether the new name is blocked.
    pub fn in_force(&self) -> bool {
        self.shared.in_force.load(Ordering::Relaxed)
    }

    /// Ends asking, waits for what is not answered yet, and says what was seen.
    pub fn finish(self) -> anyhow::Result<Seen> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let panicked = |_| anyhow!("the prober panicked, as it says above");
        Ok(Seen::of(
            &self.sender.join().map_err(panicked)?,
            &self.receiver.join().map_err(panicked)?,
        ))
    }
}

fn send(
    socket: &UdpSocket,
    blocked: &[Vec<u8>],
    new: &[u8],
    start: Instant,
    shared: &Shared,
) -> Vec<Query> {
    let mut queries = Vec::new();
    let mut due = start;
    for number in 0.. {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += INTERVAL;
        let is_new = number % NEW_EVERY == 0;
        let message = if is_new {
            new
        } else {
            blocked
                .get(number % blocked.len().max(1))
                .map_or(new, Vec::as_slice)
        };
        let mut message = message.to_vec();
        message[..2].copy_from_slice(&(number as u16).to_be_bytes());
        queries.push(Query {
            at: start.elapsed(),
            new: is_new,
        });
        shared.sent.store(queries.len(), Ordering::Release);
        // Where nobody listens, an earlier query's refusal is told here: this one has no answer
        // either.
        let _ = socket.send(&message);
    }
    queries
}

fn receive(socket: &UdpSocket, start: Instant, shared: &Shared) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut buffer = [0; MESSAGE];
    let mut end = None;
    while end.is_none_or(|end| Instant::now() < end) {
        if shared.stop.load(Ordering::Relaxed) {
            end.get_or_insert_with(|| Instant::now() + PATIENCE);
        }
        // A timeout, or nobody listens.
        let Ok(length) = socket.recv(&mut buffer) else {
            continue;
        };
        let sent = shared.sent.load(Ordering::Acquire);
        let Some((query, code)) = buffer
            .get(..length)
            .and_then(|message| numbered(message, sent))
        else {
            continue;
        };
        if query % NEW_EVERY == 0 && code == NXDOMAIN {
            shared.in_force.store(true, Ordering::Relaxed);
        }
        answers.push(Answer {
            query,
            at: start.elapsed(),
            code,
        });
    }
    answers
}

/// The number of the query and the code of the answer, where so many were sent: the last one with
/// this identifier.
fn numbered(message: &[u8], sent: usize) -> Option<(usize, u8)> {
    let &[high, low, _, flags, ..] = message else {
        return None;
    };
    let last = sent.checked_sub(1)?;
    let back = (last as u16).wrapping_sub(u16::from_be_bytes([high, low]));
    Some((last.checked_sub(back.into())?, flags & 0x0f))
}

/// A query of a client. BIND applies no policy to one that asks for no recursion (RFC 1035, 4.1.1:
/// RD).
pub fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = frames::query_numbered(id, name);
    if let Some(flags) = message.get_mut(2) {
        *flags |= 1;
    }
    message
}

/// Asks once and gives the answer's code; `None` where there is none so soon.
pub fn code(socket: &UdpSocket, name: &str, patience: Duration) -> io::Result<Option<u8>> {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let id = NUMBER.fetch_add(1, Ordering::Relaxed) as u16;
    let deadline = Instant::now() + patience;
    if socket.send(&query(id, name)).is_err() {
        return Ok(None);
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        let mut buffer = [0; MESSAGE];
        match socket.recv(&mut buffer) {
            Ok(4..) if buffer[..2] == id.to_be_bytes() => return Ok(Some(buffer[3] & 0x0f)),
            // The answer to an earlier one.
            Ok(_) => {}
            Err(_) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_the_last_query_with_its_identifier() {
        let answer = |id: u16| [&id.to_be_bytes()[..], &[0x81, 0x83]].concat();
        assert_eq!(numbered(&answer(7), 8), Some((7, 3)));
        assert_eq!(numbered(&answer(7), 65_536 + 8), Some((65_543, 3)));
        assert_eq!(numbered(&answer(9), 65_536 + 8), Some((9, 3)));
        assert_eq!(numbered(&answer(8), 8), None);
        assert_eq!(numbered(&[0], 8), None);
    }
}
