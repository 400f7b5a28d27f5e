//! The live tail of blocked packets.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, body::Bytes, extract::State, response::Response, routing::get};
use filter_api::{error::ErrorCode, events::EventLine, routes};
use tokio::sync::{Semaphore, broadcast};
use tokio_stream::{
    StreamExt,
    wrappers::{BroadcastStream, errors::BroadcastStreamRecvError},
};

use super::{ApiError, Limits, lines};
use crate::answers::push_line;

/// `GET /v1/events`: what is sent here goes to everybody who reads. A reader who falls behind is
/// told how much was missed; nobody waits for one.
pub fn event_routes(events: broadcast::Sender<Bytes>, limits: Limits) -> Router {
    let most = limits.event_readers;
    Router::new()
        .route(routes::EVENTS, get(tail))
        .with_state(Readers {
            events,
            most,
            free: Arc::new(Semaphore::new(most)),
        })
}

/// Those who read, each with a place of its own.
#[derive(Clone)]
struct Readers {
    events: broadcast::Sender<Bytes>,
    most: usize,
    free: Arc<Semaphore>,
}

async fn tail(State(Readers { events, most, free }): State<Readers>) -> Result<Response, ApiError> {
    let place = free.try_acquire_owned().map_err(|_| {
        ApiError::new(
            ErrorCode::TooManyReaders,
            format!("{most} clients read events, and no more may at once: end one of them"),
        )
    })?;
    let events = BroadcastStream::new(events.subscribe());
    Ok(lines(events.map(move |event| {
        // Is given back with the stream.
        let _ = &place;
        Ok::<_, Infallible>(event.unwrap_or_else(missed))
    })))
}

fn missed(BroadcastStreamRecvError::Lagged(missed): BroadcastStreamRecvError) -> Bytes {
    let mut line = Vec::new();
    push_line(&EventLine::Missed { missed }, &mut line);
    line.into()
}
