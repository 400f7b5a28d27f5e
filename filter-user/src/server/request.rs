//! Requests against the table of [`routes`](filter_api::routes): what a request does not take is
//! refused before its handler runs, so that a handler cannot forget to look.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Response},
};
use filter_api::{
    error::ErrorCode,
    routes::{Field, Kind, Route},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{
    ApiError,
    fields::{Place, check_fields, object},
    limits::Limits,
};

/// What a request asks for: the parameters of its query and the fields of its body, which are those
/// of its route and have values that fit.
#[derive(Clone, Debug, Default)]
pub(super) struct Checked {
    parameters: Map<String, Value>,
    fields: Map<String, Value>,
}

impl Checked {
    /// The parameters.
    pub fn parameters<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        typed(self.parameters)
    }

    /// The fields of the body.
    pub fn fields<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        typed(self.fields)
    }
}

/// A failure is the table's, which does not agree with the type.
fn typed<T: DeserializeOwned>(values: Map<String, Value>) -> Result<T, ApiError> {
    serde_json::from_value(Value::Object(values)).map_err(|error| ApiError::internal(&error))
}

impl<S: Sync> FromRequestParts<S> for Checked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let checked = parts.extensions.remove::<Self>();
        checked.ok_or_else(|| ApiError::internal(&"the request was not looked at"))
    }
}

/// Has a request meet its handler with what it asks for, or refuses it.
pub(super) async fn check(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let method = request.method().as_str();
    let Some(route) = Route::find(method, request.uri().path()) else {
        // Nothing is there, or nothing that takes this method.
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    match checked(route, parts.uri.query(), body, limits).await {
        Ok(checked) => {
            parts.extensions.insert(checked);
            next.run(Request::from_parts(parts, Body::empty())).await
        }
        Err(error) => error.into_response(),
    }
}

async fn checked(
    route: &Route,
    query: Option<&str>,
    body: Body,
    limits: Limits,
) -> Result<Checked, ApiError> {
    let parameters = parameters(route, query.unwrap_or_default())?;
    let body = read(body, limits).await?;
    Ok(Checked {
        parameters,
        fields: fields(route, &body)?,
    })
}

/// The body, as far as it comes in time and is no longer than it may be.
async fn read(body: Body, limits: Limits) -> Result<Bytes, ApiError> {
    let Limits {
        body_bytes,
        body_time,
        ..
    } = limits;
    let Ok(read) = timeout(body_time, Limited::new(body, body_bytes).collect()).await else {
        return Err(late(body_time));
    };
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::new(
            ErrorCode::BodyTooLong,
            format!("the body is longer than {body_bytes} bytes: send it in parts"),
        )),
        Err(_) => Err(ApiError::new(
            ErrorCode::InvalidJson,
            "the body broke off: send as many bytes as its headers say".into(),
        )),
    }
}

fn late(limit: Duration) -> ApiError {
    ApiError::new(
        ErrorCode::Timeout,
        format!(
            "the body did not come within {} s: send as many bytes as its headers say",
            limit.as_secs()
        ),
    )
}

fn parameters(route: &Route, query: &str) -> Result<Map<String, Value>, ApiError> {
    let place = Place::query(route);
    let mut values = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let field = place.find(&name)?;
        let value = place.value_of(field, &text)?;
        match (values.get_mut(field.name), value) {
            (None, value) => {
                values.insert(field.name.into(), value);
            }
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            _ => return Err(place.repeated(field.name)),
        }
    }
    place.lacks_nothing(&values)?;
    Ok(values)
}

fn fields(route: &Route, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let Some(_) = route.body else {
        return if body.is_empty() {
            Ok(Map::new())
        } else {
            Err(unexpected_body(route))
        };
    };
    if body.is_empty() && route.may_lack_body() {
        return Ok(Map::new());
    }
    let place = Place::body(route);
    let pairs = object(&place, body)?;
    check_fields(&place, pairs)
}

fn unexpected_body(route: &Route) -> ApiError {
    let Route {
        method,
        path,
        parameters,
        ..
    } = route;
    let instead = match parameters {
        [] => "send none".into(),
        [Field { name, kind, .. }, ..] => {
            let again = if matches!(kind, Kind::Names | Kind::Texts) {
                format!("&{name}=...")
            } else {
                String::new()
            };
            format!("write what is meant into the query, as in {path}?{name}=...{again}")
        }
    };
    ApiError::new(
        ErrorCode::UnexpectedBody,
        format!("{method} {path} takes no body: {instead}"),
    )
}
