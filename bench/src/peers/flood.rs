//! Queries that are not answered, as fast as one thread can send them.

use std::{
    io,
    net::UdpSocket,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rustix::time::{ClockId, clock_gettime};

use crate::prober;

/// What became of them.
pub struct Flood {
    pub sent: f64,
    pub seconds: f64,
    /// Seconds of CPU of who sent them: with veth, also of what the kernel did with them.
    pub cpu: f64,
}

/// Sends queries for these names, again and again; an error if any is answered.
pub fn send(socket: &UdpSocket, names: &[&str], length: Duration) -> anyhow::Result<Flood> {
    let queries: Vec<Vec<u8>> = names.iter().map(|name| prober::query(0, name)).collect();
    let (start, cpu) = (Instant::now(), cpu_time());
    let mut sent = 0;
    // The clock is read once for all of them.
    while start.elapsed() < length {
        for query in &queries {
            socket
                .send(query)
                .context("a query cannot be sent: has the contestant ended?")?;
        }
        sent += queries.len();
    }
    let (seconds, cpu) = (
        start.elapsed().as_secs_f64(),
        cpu_time().saturating_sub(cpu).as_secs_f64(),
    );
    socket
        .set_nonblocking(true)
        .context("the socket cannot be looked at without waiting")?;
    let answer = socket.recv(&mut [0; 512]).map_err(|error| error.kind());
    ensure!(
        answer == Err(io::ErrorKind::WouldBlock),
        "queries that should be dropped were answered: {answer:?}"
    );
    Ok(Flood {
        sent: sent as f64,
        seconds,
        cpu,
    })
}

fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_that_is_answered_is_an_error_and_one_that_is_not_is_counted() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(server.local_addr().unwrap()).unwrap();
        let names = ["a.test", "b.test"];
        let flood = send(&client, &names, Duration::from_millis(1)).unwrap();
        assert!(
            flood.sent >= 2.0 && flood.sent % 2.0 == 0.0,
            "{}",
            flood.sent
        );
        server
            .send_to(&[0; 12], client.local_addr().unwrap())
            .unwrap();
        assert!(send(&client, &names, Duration::from_millis(1)).is_err());
    }
}
