//! The API, described by itself.

use axum::{Json, Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use filter_api::routes::{self, described};

/// Made from the types of the API; a test of filter-api holds the file to them.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// `GET /v1` and `GET /v1/openapi.json`.
pub fn about_routes() -> Router {
    Router::new()
        .route(
            routes::API,
            get(async || Json(described(env!("CARGO_PKG_VERSION")))),
        )
        .route(routes::OPENAPI, get(document))
}

async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
