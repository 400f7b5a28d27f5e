//! What traffic that is not blocked loses to the filter: the same questions through two labs, with
//! and without it, in turns.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use filter_user::kernel::{AttachedMode, Does, Noop};
use lab::{Lab, Process, SERVER, TlsServer};
use rustix::net::sockopt::set_socket_linger;

use super::{
    contestant::Blocked,
    cpu, dnsperf, lists,
    running::{self, Running, UNLISTED_QUERIES},
};
use crate::{
    rows::{Row, Rows},
    statistics::Summary,
};

/// Of one round, of one lab.
const ROUND: Duration = Duration::from_secs(1);
/// A handshake in the lab takes much less.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections at a time.
const CLIENTS: usize = 2;
/// TLS content type of a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;
/// Per cent that may be lost.
const GOAL: f64 = 2.0;
/// The gateway's interface that faces the client.
const INTERFACE: &str = "lan";

/// A figure a round.
#[derive(Default)]
struct Rates {
    dns: Vec<f64>,
    /// Microseconds of CPU of an answer: the asker's, the resolver's and the kernel's.
    cpu: Vec<f64>,
    tls: Vec<f64>,
}

/// Where traffic passes.
struct Way<'l> {
    name: &'static str,
    lab: &'l Lab,
    resolver: u32,
    /// Per cent that may be lost.
    goal: Option<f64>,
}

/// Traffic passes a program that does nothing: what it loses is lost to the kernel's XDP.
struct Floor {
    name: &'static str,
    _program: Noop,
    resolver: Process,
    lab: Lab,
}

impl Floor {
    fn new(name: &'static str, mode: AttachedMode) -> anyhow::Result<Self> {
        let (lab, resolver) = running::lab()?;
        let program = lab
            .gateway()
            .inside(|| Noop::attach(Does::Pass, INTERFACE, mode))??;
        Ok(Self {
            name,
            _program: program,
            resolver,
            lab,
        })
    }

    fn way(&self) -> Way<'_> {
        Way {
            name: self.name,
            lab: &self.lab,
            resolver: self.resolver.id(),
            goal: None,
        }
    }
}

/// Measures all of Namegate that answers, beside a lab without it, and labs with a program that
/// does nothing.
pub fn measure(
    contestants: &mut [Running],
    unlisted: &[&str],
    rounds: usize,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let (plain, resolver) = running::lab()?;
    let floors = [
        Floor::new(
            "a program that does nothing, generic mode",
            AttachedMode::Generic,
        )?,
        Floor::new(
            "a program that does nothing, native mode",
            AttachedMode::Native,
        )?,
    ];
    contestants.iter_mut().for_each(Running::take_far_end_off);
    let filtered = contestants
        .iter()
        .filter(|running| running.contestant.is_namegate());
    let filtered = filtered.filter(|running| running.contestant.blocked == Blocked::NxDomain);
    let mut ways = vec![Way {
        name: "no filter",
        lab: &plain,
        resolver: resolver.id(),
        goal: None,
    }];
    ways.extend(floors.iter().map(Floor::way));
    ways.extend(filtered.map(|running| {
        let (name, lab, resolver) = (running.contestant.name, running.lab(), running.resolver());
        Way {
            name,
            lab,
            resolver,
            goal: Some(GOAL),
        }
    }));
    let mut servers = Vec::new();
    for Way { lab, .. } in &ways {
        lists::write_queries(&lab.directory().join(UNLISTED_QUERIES), unlisted)?;
        servers.push(TlsServer::start(lab.server())?);
    }
    let hello = frames::client_hello(
        unlisted
            .first()
            .context("there is no name that is not listed")?,
    );

    let mut rates: Vec<Rates> = ways.iter().map(|_| Rates::default()).collect();
    for round in 0..rounds {
        // There and back: what grows or fades in a round meets the first and the last alike.
        let mut turns: Vec<_> = ways.iter().zip(&mut rates).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (Way { lab, resolver, .. }, rates) in turns {
            rates.ask(lab, *resolver)?;
            rates.tls.push(handshakes_a_second(lab, &hello)?);
        }
    }
    let all: Vec<_> = ways.iter().zip(&rates).collect();
    push(
        "DNS answers a second that pass",
        "1/s",
        &all,
        |rates| &rates.dns,
        rows,
    );
    push(
        "CPU of a DNS answer that passes",
        "µs",
        &all,
        |rates| &rates.cpu,
        rows,
    );
    push(
        "TLS hellos a second that pass",
        "1/s",
        &all,
        |rates| &rates.tls,
        rows,
    );
    Ok(())
}

fn push(
    what: &str,
    unit: &'static str,
    all: &[(&Way<'_>, &Rates)],
    of: fn(&Rates) -> &Vec<f64>,
    rows: &mut Rows,
) {
    for (Way { name, .. }, rates) in all {
        if let Some(rate) = Summary::of(of(rates).iter().copied()) {
            rows.push(Row::median(format!("{what}, {name}"), rate, unit));
        }
    }
    let Some(((_, plain), filtered)) = all.split_first() else {
        return;
    };
    for (Way { name, goal, .. }, rates) in filtered {
        let Some(lost) = lost(of(plain), of(rates)) else {
            continue;
        };
        rows.push(match unit {
            "1/s" => {
                let row = Row::median(format!("{what}, lost to {name}"), lost, "%");
                if let Some(goal) = goal {
                    row.at_most(*goal)
                } else {
                    row
                }
            }
            _ => Row::median(
                format!("{what}, more with {name}"),
                Summary {
                    median: -lost.median,
                    low: -lost.high,
                    high: -lost.low,
                },
                "%",
            ),
        });
    }
}

/// Per cent of the median without the filter that are missing in the median with it; the spread is
/// that of the rounds.
fn lost(plain: &[f64], filtered: &[f64]) -> Option<Summary> {
    let missing = |plain: f64, filtered: f64| (1.0 - filtered / plain) * 100.0;
    let rounds = Summary::of(
        plain
            .iter()
            .zip(filtered)
            .map(|(plain, filtered)| missing(*plain, *filtered)),
    )?;
    let median = |rates: &[f64]| Some(Summary::of(rates.iter().copied())?.median);
    Some(Summary {
        median: missing(median(plain)?, median(filtered)?),
        ..rounds
    })
}

impl Rates {
    fn ask(&mut self, lab: &Lab, resolver: u32) -> anyhow::Result<()> {
        let times = || anyhow::Ok(cpu::of_process(resolver)? + cpu::of_packet_threads()?);
        let before = times()?;
        let found = dnsperf::ask(
            lab,
            SERVER.v4,
            UNLISTED_QUERIES,
            ROUND.as_secs() as u32,
            dnsperf::MANY,
        )?;
        ensure!(
            found.noerror > 0.0,
            "the lab's resolver gave no answers: {found:?}"
        );
        self.dns.push(found.noerror / found.seconds);
        self.cpu
            .push((times()? - before + found.cpu) / found.noerror * 1e6);
        Ok(())
    }
}

/// TCP connections with a hello that names an unlisted server, up to the first octets of the
/// server's hello. The ciphers, which take much longer than the packets, are left out.
fn handshakes_a_second(lab: &Lab, hello: &[u8]) -> anyhow::Result<f64> {
    let start = Instant::now();
    let clients = thread::scope(|scope| {
        let client = || {
            let hello = hello.to_vec();
            lab.client()
                .socket(move || connect_until(start + ROUND, &hello))
        };
        let clients: Vec<_> = std::iter::repeat_with(|| scope.spawn(client))
            .take(CLIENTS)
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client panicked"))
            .collect::<Vec<_>>()
    });
    let connections = clients
        .into_iter()
        .sum::<anyhow::Result<u32>>()
        .context("a TLS client failed")?;
    Ok(f64::from(connections) / start.elapsed().as_secs_f64())
}

fn connect_until(end: Instant, hello: &[u8]) -> io::Result<u32> {
    let mut connections = 0;
    while Instant::now() < end {
        let mut stream = TcpStream::connect_timeout(&(SERVER.v4, 443).into(), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // Closed with a reset: ports that wait would run out.
        set_socket_linger(&stream, Some(Duration::ZERO))?;
        stream.write_all(hello)?;
        let mut first = [0];
        stream.read_exact(&mut first)?;
        if first != [HANDSHAKE] {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the TLS server did not answer with a handshake",
            ));
        }
        connections += 1;
    }
    Ok(connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_the_part_that_is_missing_between_the_medians() {
        let lost = lost(&[100.0, 200.0, 300.0], &[90.0, 196.0, 300.0]).unwrap();
        assert!((lost.median - 2.0).abs() < 1e-9, "{lost:?}");
        assert!(lost.low >= 0.0 && lost.high <= 10.0, "{lost:?}");
    }

    #[test]
    fn without_rounds_nothing_is_lost() {
        assert_eq!(lost(&[], &[]), None);
    }
}
