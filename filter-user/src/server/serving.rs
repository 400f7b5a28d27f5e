//! Connections: how many there may be, and how long each may take for what.

use std::{io, os::fd::AsFd, sync::Arc, time::Duration};

use axum::Router;
use filter_api::error::ErrorCode;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::Interest,
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_io_timeout::TimeoutStream;

use super::{ApiError, Limits};

/// Connections beyond [`Limits::connections`] that are told so at once; more wait in the socket's
/// queue.
const REFUSED_AT_ONCE: usize = 16;

/// What is waited after a failure to accept, as where no descriptor is free, and between two looks
/// at a client that sends no more.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until the future is dropped; connections that are there go on for as long as
/// the runtime does.
///
/// # Errors
/// If the socket breaks.
pub async fn serve(listener: &UnixListener, routes: Router, limits: Limits) -> io::Result<()> {
    let free = Arc::new(Semaphore::new(limits.connections));
    let refusing = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
    let refusal = refusal(limits.connections);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let (place, routes) = if let Ok(place) = free.clone().try_acquire_owned() {
            (place, routes.clone())
        } else {
            let place = refusing.clone().acquire_owned().await;
            (place.map_err(io::Error::other)?, refusal.clone())
        };
        tokio::spawn(answer(stream, routes, limits, place));
    }
}

/// Says to any request that there is no place for it.
fn refusal(most: usize) -> Router {
    Router::new().fallback(async move || {
        let error = ApiError::new(
            ErrorCode::TooManyConnections,
            format!(
                "{most} clients are connected, and no more may be at once: end one of them, or try again later"
            ),
        );
        ([("connection", "close")], error)
    })
}

async fn answer(stream: UnixStream, routes: Router, limits: Limits, _place: OwnedSemaphorePermit) {
    let Ok(gone) = Gone::new(&stream) else { return };
    let mut stream = Box::pin(TimeoutStream::new(stream));
    stream.as_mut().set_write_timeout_pinned(Some(limits.stall));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.buffer)
        .half_close(true);
    let routes = TowerToHyperService::new(routes);
    tokio::select! {
        // A client that breaks off is its own business.
        _ = http.serve_connection(TokioIo::new(stream), routes) => {}
        _ = gone.wait() => {}
    }
}

/// Tells when a client has closed its connection, whose request is then of no use: the reading of a
/// reload ends so. A client that only has no more to send waits for its answer.
struct Gone(UnixStream);

impl Gone {
    /// Watches a descriptor of its own: the server owns the other.
    fn new(stream: &UnixStream) -> io::Result<Self> {
        let stream = stream.as_fd().try_clone_to_owned()?;
        UnixStream::from_std(stream.into()).map(Self)
    }

    async fn wait(&self) -> io::Result<()> {
        loop {
            // Wakes once nothing more comes: the client has closed, or shut down its writing.
            self.0.ready(Interest::PRIORITY).await?;
            // EPOLLHUP (epoll(7)): both directions are closed.
            if self.0.ready(Interest::WRITABLE).await?.is_write_closed() {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }
}
