//! The requests of the API: their paths, what each takes, and what answers it.

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;

/// What there is.
pub const API: &str = "/v1";
/// The OpenAPI document.
pub const OPENAPI: &str = "/v1/openapi.json";
/// How the controller is.
pub const STATUS: &str = "/v1/status";
/// What was counted.
pub const STATS: &str = "/v1/stats";
/// The rules, and the names that are added by hand.
pub const RULES: &str = "/v1/rules";
/// What a name would meet.
pub const TEST: &str = "/v1/test";
/// Why a name is blocked or not.
pub const EXPLAIN: &str = "/v1/explain";
/// Reading the policy again.
pub const RELOAD: &str = "/v1/reload";
/// The policy before the last reload.
pub const ROLLBACK: &str = "/v1/rollback";
/// What is blocked, as it happens.
pub const EVENTS: &str = "/v1/events";

/// The API as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Described {
    /// Version of the controller.
    pub version: String,
    /// Version of the API: the first part of each path.
    pub api: String,
    /// `unstable` while requests and answers may change with any version.
    pub stability: String,
    /// All requests.
    pub routes: Vec<DescribedRoute>,
}

/// A request that the API takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DescribedRoute {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The parameters of the query.
    pub parameters: Vec<String>,
    /// The fields of the body.
    pub fields: Vec<String>,
    /// What it is for.
    pub summary: String,
}

/// A request that the API takes: what its query and its body may have, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// The parameters of the query.
    pub parameters: &'static [Field],
    /// The fields of the body; `None` if it takes no body.
    pub body: Option<&'static [Field]>,
    /// What answers it.
    pub answer: Answer,
    /// Why it may fail, besides what any request may fail for.
    pub errors: &'static [ErrorCode],
}

/// A parameter of a query, or a field of a body.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// True if the request needs it.
    pub required: bool,
    /// What it is for.
    pub summary: &'static str,
}

/// What a parameter or a field may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A DNS name.
    Name,
    /// A list of texts; in a query, the parameter once for each of them.
    Texts,
    /// A list of DNS names, likewise: one at least.
    Names,
    /// A whole number of 32 bits.
    Number,
    /// An IP address.
    Address,
    /// A MAC address.
    Mac,
    /// A time as in RFC 3339.
    Time,
    /// True or false.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// What answers a request that succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An object of this type.
    Object(&'static str),
    /// Objects of this type, one a line.
    Lines(&'static str),
    /// The OpenAPI document.
    Document,
}

const QUESTION: &[Field] = &[
    Field::needed("name", Kind::Name, "The name."),
    Field::new(
        "client",
        Kind::Address,
        "As this client would meet it; without one, as a client in no group.",
    ),
    Field::new(
        "mac",
        Kind::Mac,
        "The client's MAC address, which counts more than the address.",
    ),
    Field::new("at", Kind::Time, "At this time; without one, now."),
];

const ASKED: &[ErrorCode] = &[
    ErrorCode::MissingParameter,
    ErrorCode::InvalidParameter,
    ErrorCode::Repeated,
    ErrorCode::InvalidName,
];

/// All requests.
pub const ROUTES: [Route; 13] = [
    Route::get(
        API,
        "The requests of this API.",
        &[],
        Answer::Object("Described"),
        &[],
    ),
    Route::get(
        OPENAPI,
        "This API as an OpenAPI document.",
        &[],
        Answer::Document,
        &[],
    ),
    Route::get(
        STATUS,
        "Interfaces, rules by list, memory.",
        &[],
        Answer::Object("Status"),
        &[ErrorCode::Kernel],
    ),
    Route::get(
        STATS,
        "Counters, and the rules with hits, those with most first.",
        &[Field::new(
            "top",
            Kind::Number,
            "At most this many rules; without it, all.",
        )],
        Answer::Object("Stats"),
        &[
            ErrorCode::InvalidParameter,
            ErrorCode::Repeated,
            ErrorCode::Kernel,
        ],
    ),
    Route::get(
        RULES,
        "All rules.",
        &[Field::new(
            "contains",
            Kind::Text,
            "Only rules with this text in them.",
        )],
        Answer::Lines("RuleSource"),
        &[ErrorCode::Repeated],
    ),
    Route {
        method: "POST",
        path: RULES,
        summary: "Add manual rules for names and all names below them: all of them or none.",
        parameters: &[],
        body: Some(&[
            Field::needed("names", Kind::Names, "The names."),
            Field::new(
                "action",
                Kind::Word(&["block", "allow"]),
                "What becomes of them; `block` without it.",
            ),
            Field::new(
                "force",
                Kind::Flag,
                "True to take public suffixes as well, such as `co.uk`.",
            ),
        ]),
        answer: Answer::Object("Added"),
        errors: &[
            ErrorCode::InvalidJson,
            ErrorCode::UnknownField,
            ErrorCode::MissingField,
            ErrorCode::InvalidField,
            ErrorCode::Repeated,
            ErrorCode::InvalidName,
            ErrorCode::HashCollision,
            ErrorCode::PublicSuffix,
            ErrorCode::Kernel,
            ErrorCode::State,
            ErrorCode::TooManyRules,
        ],
    },
    Route {
        method: "DELETE",
        path: RULES,
        summary: "Remove the rules of exactly these names, manual ones and those of lists.",
        parameters: &[Field::needed("name", Kind::Names, "A name; once for each.")],
        body: None,
        answer: Answer::Object("Removed"),
        errors: &[
            ErrorCode::MissingParameter,
            ErrorCode::InvalidName,
            ErrorCode::Kernel,
            ErrorCode::State,
            ErrorCode::TooManyRules,
        ],
    },
    Route::get(
        TEST,
        "Whether a name would be blocked, and by which rule.",
        QUESTION,
        Answer::Object("Judgement"),
        ASKED,
    ),
    Route::get(
        EXPLAIN,
        "Every rule about a name, and which of them prevails.",
        QUESTION,
        Answer::Object("Explained"),
        ASKED,
    ),
    Route {
        method: "POST",
        path: RELOAD,
        summary: "Read lists and configuration again; the answer comes when they are in force.",
        parameters: &[],
        body: Some(&[Field::new(
            "accept_shrink",
            Kind::Texts,
            "Lists that may have lost more rules than a list may lose.",
        )]),
        answer: Answer::Object("Reloaded"),
        errors: &[
            ErrorCode::InvalidJson,
            ErrorCode::UnknownField,
            ErrorCode::InvalidField,
            ErrorCode::Repeated,
            ErrorCode::HashCollision,
            ErrorCode::PolicyUnusable,
            ErrorCode::ListShrank,
            ErrorCode::Kernel,
            ErrorCode::TooManyRules,
        ],
    },
    Route {
        method: "DELETE",
        path: RELOAD,
        summary: "End the reading of the reload that is under way.",
        parameters: &[],
        body: None,
        answer: Answer::Object("Cancelled"),
        errors: &[ErrorCode::NoReload],
    },
    Route {
        method: "POST",
        path: ROLLBACK,
        summary: "Put the policy before the last reload back in force.",
        parameters: &[],
        body: None,
        answer: Answer::Object("Reloaded"),
        errors: &[
            ErrorCode::HashCollision,
            ErrorCode::NoPreviousPolicy,
            ErrorCode::Kernel,
            ErrorCode::TooManyRules,
        ],
    },
    Route::get(
        EVENTS,
        "Blocked packets, as they come.",
        &[],
        Answer::Lines("EventLine"),
        &[ErrorCode::TooManyReaders],
    ),
];

impl Route {
    const fn get(
        path: &'static str,
        summary: &'static str,
        parameters: &'static [Field],
        answer: Answer,
        errors: &'static [ErrorCode],
    ) -> Self {
        Self {
            method: "GET",
            path,
            summary,
            parameters,
            body: None,
            answer,
            errors,
        }
    }

    /// The request with this method and path. `HEAD` asks as `GET` does.
    pub fn find(method: &str, path: &str) -> Option<&'static Self> {
        let method = if method == "HEAD" { "GET" } else { method };
        ROUTES
            .iter()
            .find(|route| route.method == method && route.path == path)
    }

    /// True if the body may be left out.
    pub fn may_lack_body(&self) -> bool {
        self.body
            .is_none_or(|fields| fields.iter().all(|field| !field.required))
    }
}

impl Field {
    const fn new(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self {
            name,
            kind,
            required: false,
            summary,
        }
    }

    const fn needed(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self {
            required: true,
            ..Self::new(name, kind, summary)
        }
    }
}

/// The API of this version of the controller.
pub fn described(version: &str) -> Described {
    let names = |fields: &[Field]| fields.iter().map(|field| field.name.to_owned()).collect();
    let routes = ROUTES.iter().map(|route| DescribedRoute {
        method: route.method.into(),
        path: route.path.into(),
        parameters: names(route.parameters),
        fields: names(route.body.unwrap_or_default()),
        summary: route.summary.into(),
    });
    Described {
        version: version.into(),
        api: API.trim_start_matches('/').into(),
        stability: "unstable".into(),
        routes: routes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_requests_are_those_that_the_document_has() {
        let document = include_str!("../../docs/api.md");
        let requests = document
            .lines()
            .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
        let documented: BTreeSet<_> = requests
            .filter_map(|request| request.split_once(' '))
            .collect();
        let requests: BTreeSet<_> = ROUTES
            .iter()
            .map(|route| (route.method, route.path))
            .collect();
        assert_eq!(documented, requests);
        assert_eq!(requests.len(), ROUTES.len());
    }
}
