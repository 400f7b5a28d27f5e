//! The server of the API: its socket, and answering requests. Each group of routes has what it needs and no more: those that only read the
//! compiled policy or the events work without a kernel.

mod about;
mod control;
mod error;
mod events;
mod explain;
mod fields;
mod limits;
mod lock;
mod request;
mod rules;
mod serving;
mod socket;

pub use control::control_routes;
pub use error::ApiError;
pub use events::event_routes;
pub use limits::Limits;
pub use rules::rule_routes;
pub use serving::serve;
pub use socket::{ApiSocket, SocketError};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, StatusCode, Uri, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Response},
};
use filter_api::error::ErrorCode;
use filter_lists::Domain;

/// These routes and those that describe the API, behind the checks of what a request has; and a
/// sentence for whatever fits none of them.
pub fn with_checks(routes: Router, limits: Limits) -> Router {
    routes
        .merge(about::about_routes())
        .fallback(async |method: Method, uri: Uri| ApiError::no_route(&method, &uri))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            if method == Method::OPTIONS {
                // The methods stand in the header `allow`.
                StatusCode::NO_CONTENT.into_response()
            } else {
                ApiError::no_method(&method, &uri).into_response()
            }
        })
        .layer(middleware::from_fn_with_state(limits, request::check))
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
        let sentence = format!("`{}` is no name: {error}", fields::shown(text));
        ApiError::new(ErrorCode::InvalidName, sentence)
    })
}
