//! What clients may take of the server.

use std::time::Duration;

/// Bounds of the server. Each is far beyond what clients need, and keeps one that is broken from
/// taking the controller's memory or keeping others out.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Clients that are connected at once.
    pub connections: usize,
    /// Of these, clients that read events.
    pub event_readers: usize,
    /// How long the line and the headers of a request may take, and how long a connection may be
    /// without one.
    pub header_time: Duration,
    /// How long the body may take.
    pub body_time: Duration,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// How long a client may take nothing of what is sent to it.
    pub stall: Duration,
    /// Bytes that are kept for a client that does not read.
    pub buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            event_readers: 64,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            body_bytes: 2 << 20,
            stall: Duration::from_mins(10),
            buffer: 64 << 10,
        }
    }
}
