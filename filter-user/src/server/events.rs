//! The live tail of blocked packets.

use std::convert::Infallible;

use axum::{Router, body::Bytes, extract::State, response::Response, routing::get};
use filter_api::{events::EventLine, routes};
use tokio::sync::broadcast;
use tokio_stream::{
    StreamExt,
    wrappers::{BroadcastStream, errors::BroadcastStreamRecvError},
};

use super::lines;
use crate::answers::push_line;

/// `GET /v1/events`: what is sent here goes to everybody who reads. A reader who falls behind is
/// told how much was missed; nobody waits for one.
pub fn event_routes(events: broadcast::Sender<Bytes>) -> Router {
    Router::new()
        .route(routes::EVENTS, get(tail))
        .with_state(events)
}

async fn tail(State(events): State<broadcast::Sender<Bytes>>) -> Response {
    let events = BroadcastStream::new(events.subscribe());
    lines(events.map(|event| Ok::<_, Infallible>(event.unwrap_or_else(missed))))
}

fn missed(BroadcastStreamRecvError::Lagged(missed): BroadcastStreamRecvError) -> Bytes {
    let mut line = Vec::new();
    push_line(&EventLine::Missed { missed }, &mut line);
    line.into()
}
