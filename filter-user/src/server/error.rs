//! Failures as the API tells them: a status code and one sentence.

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use filter_api::ErrorBody;

use crate::{controller::ControlError, kernel::KernelError};

/// A request that failed.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    sentence: String,
}

impl ApiError {
    /// A request that makes no sense.
    pub(super) fn bad_request(error: &impl ToString) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            sentence: error.to_string(),
        }
    }

    /// A failure of the controller's own.
    pub(super) fn internal(error: &impl ToString) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            sentence: error.to_string(),
        }
    }

    /// The answer where no route fits.
    pub(super) fn no_route(method: &Method, uri: &Uri) -> Self {
        let sentence = format!(
            "this API has no {method} {}: docs/api.md lists its requests",
            uri.path()
        );
        Self {
            status: StatusCode::NOT_FOUND,
            sentence,
        }
    }

    /// The answer where a route fits, and the method does not.
    pub(super) fn no_method(method: &Method, uri: &Uri) -> Self {
        let sentence = format!(
            "{} does not take {method}: docs/api.md lists the requests",
            uri.path()
        );
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            sentence,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(ErrorBody {
                error: self.sentence,
            }),
        )
            .into_response()
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::Name { .. } => StatusCode::BAD_REQUEST,
            ControlError::Policy(_) | ControlError::TooShort(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ControlError::Collision(_) | ControlError::NoPrevious | ControlError::NoReload => {
                StatusCode::CONFLICT
            }
            ControlError::NotInForce(KernelError::TooManyRules { .. })
            | ControlError::Kernel(KernelError::TooManyRules { .. }) => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            ControlError::NotInForce(_)
            | ControlError::Kernel(_)
            | ControlError::State(_)
            | ControlError::Panicked(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            sentence: error.to_string(),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self {
            status: rejection.status(),
            sentence: rejection.body_text(),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self {
            status: rejection.status(),
            sentence: rejection.body_text(),
        }
    }
}
