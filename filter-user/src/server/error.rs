//! Failures as the API tells them: a status code, a code and one sentence.

use axum::{
    Json,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use filter_api::error::{ErrorBody, ErrorCode, Failure};

use super::fields::shown;
use crate::{controller::ControlError, kernel::KernelError};

/// A request that failed.
#[derive(Debug)]
pub struct ApiError(Failure);

impl ApiError {
    pub(super) const fn new(code: ErrorCode, message: String) -> Self {
        Self(Failure { code, message })
    }

    /// A failure of the controller's own.
    pub(super) fn internal(error: &impl ToString) -> Self {
        Self::new(ErrorCode::Internal, error.to_string())
    }

    /// The answer where no route fits.
    pub(super) fn no_route(method: &Method, uri: &Uri) -> Self {
        let path = shown(uri.path());
        let sentence = format!("this API has no {method} {path}: GET /v1 lists its requests");
        Self::new(ErrorCode::NotFound, sentence)
    }

    /// The answer where a route fits, and the method does not.
    pub(super) fn no_method(method: &Method, uri: &Uri) -> Self {
        let sentence = format!(
            "{} does not take {method}: GET /v1 lists the requests",
            uri.path()
        );
        Self::new(ErrorCode::MethodNotAllowed, sentence)
    }

    /// The status code.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    #[cfg(test)]
    pub(super) fn sentence(&self) -> &str {
        &self.0.message
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status(), Json(ErrorBody { error: self.0 })).into_response()
    }
}

impl From<KernelError> for ApiError {
    fn from(error: KernelError) -> Self {
        Self::new(kernel_code(&error), error.to_string())
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let code = match &error {
            ControlError::Name { .. } => ErrorCode::InvalidName,
            ControlError::PublicSuffix(_) => ErrorCode::PublicSuffix,
            ControlError::Policy(_) => ErrorCode::PolicyUnusable,
            ControlError::TooShort(_) => ErrorCode::ListShrank,
            ControlError::Collision(_) => ErrorCode::HashCollision,
            ControlError::NoPrevious => ErrorCode::NoPreviousPolicy,
            ControlError::NoReload => ErrorCode::NoReload,
            ControlError::NotInForce(error) | ControlError::Kernel(error) => kernel_code(error),
            ControlError::State(_) => ErrorCode::State,
            ControlError::Panicked(_) => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

const fn kernel_code(error: &KernelError) -> ErrorCode {
    match error {
        KernelError::TooManyRules { .. } => ErrorCode::TooManyRules,
        _ => ErrorCode::Kernel,
    }
}
