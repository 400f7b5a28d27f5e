//! Traffic beside what is blocked: it uses pages that were freed wrongly, and sees whether its
//! octets come back whole.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use lab::Family;

use crate::servers;
use crate::world::World;

/// Octets that are sent before as many are awaited.
const PORTION: usize = 1 << 16;
/// Between two portions: the clients shall have time as well.
const PAUSE: Duration = Duration::from_millis(20);
/// No portion takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// A connection through the filter that is in use until this is finished.
pub struct Background {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<usize>>,
}

impl Background {
    pub fn start(world: &World) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stream, told) = (world.connect(Family::V4, servers::TLS)?, stop.clone());
        Ok(Self {
            stop,
            thread: thread::spawn(move || exchange(stream, &told)),
        })
    }

    /// Ends it; how many MiB came back as they were sent.
    pub fn finish(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        let octets = self
            .thread
            .join()
            .map_err(|_| anyhow!("the traffic beside the clients panicked"))??;
        Ok(octets >> 20)
    }
}

fn exchange(mut stream: TcpStream, stop: &AtomicBool) -> Result<usize> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut moved = 0;
    // Nothing that passes for a TLS record.
    let mut turn = 0x80_u8;
    while !stop.load(Ordering::Relaxed) {
        let sent = vec![turn; PORTION];
        stream
            .write_all(&sent)
            .context("traffic beside the clients cannot be sent")?;
        let mut back = vec![0; PORTION];
        stream
            .read_exact(&mut back)
            .context("traffic beside the clients does not come back")?;
        ensure!(
            back == sent,
            "traffic beside the clients came back with other octets"
        );
        moved += PORTION;
        turn = 0x80 | turn.wrapping_add(1);
        thread::sleep(PAUSE);
    }
    Ok(moved)
}
