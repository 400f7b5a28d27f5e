//! The server of the API: its socket, and answering requests. Each group of routes has what it needs and no more: those that only read the
//! compiled policy or the events work without a kernel.

mod control;
mod error;
mod events;
mod explain;
mod rules;
mod socket;

pub use control::control_routes;
pub use error::ApiError;
pub use events::event_routes;
pub use rules::rule_routes;
pub use socket::{ApiSocket, SocketError};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use filter_lists::Domain;

/// These routes, and a sentence for whatever fits none of them.
pub fn with_fallbacks(routes: Router) -> Router {
    routes
        .fallback(async |method: Method, uri: Uri| ApiError::no_route(&method, &uri))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            ApiError::no_method(&method, &uri)
        })
}

/// One object a line.
const NDJSON: &str = "application/x-ndjson";

fn lines<E>(body: impl tokio_stream::Stream<Item = Result<Bytes, E>> + Send + 'static) -> Response
where
    E: Into<axum::BoxError> + 'static,
{
    ([(CONTENT_TYPE, NDJSON)], Body::from_stream(body)).into_response()
}

/// The name that somebody asks about.
fn domain(text: &str) -> Result<Domain, ApiError> {
    Domain::parse(text).map_err(|error| {
        ApiError::bad_request(&format!("`{}` is no name: {error}", text.escape_debug()))
    })
}
