//! Why a request failed: a code for programs and a sentence for people.

use serde::{Deserialize, Serialize};

/// The answer to a request that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// Why it failed.
    pub error: Failure,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// One sentence for people, which may change with any version.
    pub message: String,
}

/// What kind of failure it is. A code keeps its meaning; new ones may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The query has a parameter that the request does not take.
    UnknownParameter,
    /// The query lacks a parameter that the request needs.
    MissingParameter,
    /// A parameter has a value that it cannot have.
    InvalidParameter,
    /// The body is no JSON object.
    InvalidJson,
    /// The body has a field that the request does not take.
    UnknownField,
    /// The body lacks a field that the request needs.
    MissingField,
    /// A field has a value of another type, or one that it cannot have.
    InvalidField,
    /// A parameter or a field is there more than once.
    Repeated,
    /// The request takes no body, and has one.
    UnexpectedBody,
    /// A name is no DNS name.
    InvalidName,
    /// A name is one under which others register names.
    PublicSuffix,
    /// There is no such path.
    NotFound,
    /// The path does not take the method.
    MethodNotAllowed,
    /// The body did not come in time.
    Timeout,
    /// The body is longer than a body may be.
    BodyTooLong,
    /// Two names have the same hash.
    HashCollision,
    /// No policy was in force before.
    NoPreviousPolicy,
    /// Nothing is read that could be cancelled.
    NoReload,
    /// The lists or the configuration cannot be used.
    PolicyUnusable,
    /// A list has lost too many of its rules.
    ListShrank,
    /// There are more rules than there may be in the kernel.
    TooManyRules,
    /// As many clients are connected as may be at once.
    TooManyConnections,
    /// As many clients read events as may at once.
    TooManyReaders,
    /// The kernel refuses.
    Kernel,
    /// The file of manual rules cannot be written.
    State,
    /// The controller failed.
    Internal,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 26] = [
        Self::UnknownParameter,
        Self::MissingParameter,
        Self::InvalidParameter,
        Self::InvalidJson,
        Self::UnknownField,
        Self::MissingField,
        Self::InvalidField,
        Self::Repeated,
        Self::UnexpectedBody,
        Self::InvalidName,
        Self::PublicSuffix,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::BodyTooLong,
        Self::HashCollision,
        Self::NoPreviousPolicy,
        Self::NoReload,
        Self::PolicyUnusable,
        Self::ListShrank,
        Self::TooManyRules,
        Self::TooManyConnections,
        Self::TooManyReaders,
        Self::Kernel,
        Self::State,
        Self::Internal,
    ];

    /// The status code that goes with it (RFC 9110 §15).
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownParameter
            | Self::MissingParameter
            | Self::InvalidParameter
            | Self::InvalidJson
            | Self::UnknownField
            | Self::MissingField
            | Self::InvalidField
            | Self::Repeated
            | Self::UnexpectedBody
            | Self::InvalidName => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::HashCollision | Self::NoPreviousPolicy | Self::NoReload => 409,
            Self::BodyTooLong => 413,
            Self::PublicSuffix | Self::PolicyUnusable | Self::ListShrank => 422,
            Self::Kernel | Self::State | Self::Internal => 500,
            Self::TooManyConnections | Self::TooManyReaders => 503,
            Self::TooManyRules => 507,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_is_named_once_and_documented_with_its_status() {
        let document = include_str!("../../docs/api.md");
        let rows = document
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter_map(|(code, rest)| Some((code, rest.split(' ').next()?.parse::<u16>().ok()?)));
        let documented: BTreeSet<_> = rows
            .map(|(code, status)| (code.to_owned(), status))
            .collect();
        let word = |code: &ErrorCode| {
            serde_json::to_value(code)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        let codes: BTreeSet<_> = ErrorCode::ALL
            .iter()
            .map(|code| (word(code), code.status()))
            .collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        assert_eq!(documented, codes);
        // `ALL` has the last of them.
        assert_eq!(ErrorCode::Internal as usize + 1, ErrorCode::ALL.len());
    }
}
