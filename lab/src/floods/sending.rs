//! Sending floods.

use std::{
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{Connection, SplitHello};
use crate::{Namespace, PacketSocket, wait_until};

/// How long a flood may take to go on.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a sender rests that is ahead of its rate.
const REST: Duration = Duration::from_micros(200);

/// Segments of each of [`whole_hellos`].
pub const SEGMENTS: u32 = 4;

/// Sends so many whole hellos, each over a connection of its own, from two processors at once: a
/// veth runs the filter at its other end on the processor that sends. Behind the second half, the
/// first one comes again, as it does where the filter has dropped it.
///
/// Each processor is one client, which has a share of the table of flows that the other one cannot
/// take: if the machine takes a processor away between two halves of a hello, the place of the
/// first one stays.
pub fn whole_hellos(
    namespace: &Namespace,
    interface: &str,
    hello: &SplitHello,
    hellos: u32,
) -> Result<Duration> {
    let processors = two_processors()?;
    let begun = Instant::now();
    let shares = [hellos / 2, hellos.div_ceil(2)];
    thread::scope(|scope| {
        let senders = (0..)
            .zip(processors)
            .zip(shares)
            .map(|((client, processor), share)| {
                let mut hello = hello.clone();
                scope.spawn(move || {
                    run_on(processor)?;
                    let socket = PacketSocket::sender(namespace, interface)?;
                    (0..share).try_for_each(|number| {
                        let [syn, first, second] = hello.of(one_of(client, number));
                        [syn, first, second, first]
                            .into_iter()
                            .try_for_each(|frame| send(&socket, frame))
                    })
                })
            });
        let senders: Vec<_> = senders.collect();
        senders
            .into_iter()
            .try_for_each(|sender| sender.join().map_err(|_| anyhow!("a sender panicked"))?)
    })?;
    Ok(begun.elapsed())
}

/// Whose half hellos these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    /// One client's, each over another connection.
    One,
    /// A client of its own for each.
    Many,
}

/// A flood of half hellos that goes on until it is stopped.
#[derive(Debug)]
pub struct HalfHellos {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    begun: Instant,
    sender: JoinHandle<Result<()>>,
}

impl HalfHellos {
    /// Sends first halves at this rate.
    pub fn start(
        namespace: &Namespace,
        interface: &str,
        hello: &SplitHello,
        sources: Sources,
        a_second: u32,
    ) -> Result<Self> {
        let socket = PacketSocket::sender(namespace, interface)?;
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU32::new(0)),
        );
        let (stopped, counted, mut hello) = (Arc::clone(&stop), Arc::clone(&sent), hello.clone());
        let begun = Instant::now();
        let sender = thread::spawn(move || {
            let mut number = 0;
            while !stopped.load(Ordering::Relaxed) {
                if f64::from(number) >= begun.elapsed().as_secs_f64() * f64::from(a_second) {
                    thread::sleep(REST);
                    continue;
                }
                let [_, first, _] = hello.of(match sources {
                    Sources::One => one_of(0, number),
                    Sources::Many => one_of(number, 0),
                });
                send(&socket, first)?;
                number += 1;
                counted.store(number, Ordering::Relaxed);
            }
            Ok(())
        });
        Ok(Self {
            stop,
            sent,
            begun,
            sender,
        })
    }

    /// Waits until so many half hellos more have been sent.
    pub fn await_more(&self, half_hellos: u32) -> Result<()> {
        let until = self
            .sent
            .load(Ordering::Relaxed)
            .saturating_add(half_hellos);
        wait_until("more half hellos", PATIENCE, || {
            Ok(self.sent.load(Ordering::Relaxed) >= until)
        })
    }

    /// Ends it. How many half hellos were sent, and for how long.
    pub fn stop(self) -> Result<(u32, Duration)> {
        self.stop.store(true, Ordering::Relaxed);
        let took = self.begun.elapsed();
        self.sender
            .join()
            .map_err(|_| anyhow!("the sender of half hellos panicked"))??;
        Ok((self.sent.load(Ordering::Relaxed), took))
    }
}

/// The connection with this number of a client with this number, of 10.0.0.0/8. When a client has
/// no port left, it turns to the next server of 198.18.0.0/15 (RFC 2544 §C.2.2).
fn one_of(client: u32, number: u32) -> Connection {
    const PORTS: Range<u32> = 1_024..65_535;

    let ports = PORTS.end - PORTS.start;
    Connection {
        client: (0x0a00_0000 + client).into(),
        port: (PORTS.start + number % ports) as u16,
        server: (0xc612_0000 + number / ports).into(),
    }
}

fn send(socket: &PacketSocket, frame: &[u8]) -> Result<()> {
    loop {
        match socket.send(frame) {
            Err(error) if is_full(&error) => thread::yield_now(),
            sent => return sent.context("a frame of a flood cannot be sent"),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    [Errno::NOBUFS, Errno::AGAIN]
        .iter()
        .any(|full| error.raw_os_error() == Some(full.raw_os_error()))
}

fn two_processors() -> Result<[usize; 2]> {
    let allowed = sched_getaffinity(None).context("cannot tell which processors may be used")?;
    let processors: Vec<_> = (0..CpuSet::MAX_CPU)
        .filter(|processor| allowed.is_set(*processor))
        .take(2)
        .collect();
    ensure!(
        processors.len() == 2,
        "a flood from two processors needs two, and one may be used: give this process another"
    );
    Ok([processors[0], processors[1]])
}

fn run_on(processor: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(processor);
    sched_setaffinity(None, &one).with_context(|| format!("cannot run on processor {processor}"))
}
