//! Reading the compiled policy.

use std::sync::{Arc, RwLock};

use axum::{Json, Router, body::Bytes, extract::State, response::Response, routing::get};
use filter_api::{
    questions::{Explained, Judgement},
    routes,
};
use filter_policy::compiled::{Policy, Position};
use serde::Deserialize;
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use super::{ApiError, explain::Asked, lines, request::Checked};
use crate::{
    answers,
    controller::{Interfaces, reading},
};

type Shared = Arc<RwLock<Policy>>;

/// Rules that are looked at in one hold of the compiled policy, and kept for a client until it reads
/// them: about 0.1 ms and 30 kB.
const PAGE: usize = 300;

/// `GET /v1/rules`, `GET /v1/test` and `GET /v1/explain`.
pub fn rule_routes(policy: Shared, interfaces: Interfaces) -> Router {
    Router::new()
        .route(routes::RULES, get(list))
        .route(routes::TEST, get(test))
        .route(routes::EXPLAIN, get(explain))
        .with_state(Answering { policy, interfaces })
}

/// What questions are answered from.
#[derive(Clone)]
struct Answering {
    policy: Shared,
    interfaces: Interfaces,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    contains: String,
}

async fn list(
    State(Answering { policy, .. }): State<Answering>,
    checked: Checked,
) -> Result<Response, ApiError> {
    let Wanted { contains } = checked.parameters()?;
    let (pages, written) = mpsc::channel(1);
    // Ends with the last page, or when the client is gone and nobody takes the next. One that does
    // not read takes no thread.
    tokio::spawn(write_pages(policy, contains.to_ascii_lowercase(), pages));
    Ok(lines(
        ReceiverStream::new(written).map(Ok::<_, std::convert::Infallible>),
    ))
}

async fn write_pages(policy: Shared, contains: String, pages: mpsc::Sender<Bytes>) {
    let contains: Arc<str> = contains.into();
    let mut from = Page::Manual;
    loop {
        let (policy, contains) = (policy.clone(), contains.clone());
        let written = spawn_blocking(move || from.write(&policy, &contains));
        let Ok((page, next)) = written.await else {
            return;
        };
        if !page.is_empty() && pages.send(page.into()).await.is_err() {
            return;
        }
        let Some(next) = next else { return };
        from = next;
    }
}

/// Where the next rules are.
enum Page {
    Manual,
    Listed(Position),
}

impl Page {
    fn write(self, policy: &Shared, contains: &str) -> (Vec<u8>, Option<Self>) {
        match self {
            Self::Manual => {
                let first = Self::Listed(Position::default());
                (manual_rules(policy, contains), Some(first))
            }
            Self::Listed(position) => {
                let (page, next) = listed_rules(policy, contains, position);
                (page, next.map(Self::Listed))
            }
        }
    }
}

fn manual_rules(policy: &Shared, contains: &str) -> Vec<u8> {
    let policy = reading(policy);
    let compiled = &policy.compiled;
    let mut page = Vec::new();
    for rule in compiled
        .rules_by_hand()
        .chain(compiled.patterns())
        .filter(|rule| rule.rule.contains(contains))
    {
        answers::push_line(&answers::rule_source(rule), &mut page);
    }
    page
}

fn listed_rules(policy: &Shared, contains: &str, from: Position) -> (Vec<u8>, Option<Position>) {
    let policy = reading(policy);
    let compiled = &policy.compiled;
    let (rules, next) = compiled.page(from, PAGE);
    let mut page = Vec::new();
    for rule in rules
        .into_iter()
        .filter(|rule| rule.rule.contains(contains))
    {
        answers::push_line(&answers::rule_source(rule), &mut page);
    }
    (page, next)
}

async fn test(
    State(Answering { policy, interfaces }): State<Answering>,
    checked: Checked,
) -> Result<Json<Judgement>, ApiError> {
    let question: Asked = checked.parameters()?;
    question
        .test(&reading(&policy), &interfaces.snapshot())
        .map(Json)
}

async fn explain(
    State(Answering { policy, interfaces }): State<Answering>,
    checked: Checked,
) -> Result<Json<Explained>, ApiError> {
    let question: Asked = checked.parameters()?;
    // The lines are looked up in the lists, which may be long.
    let explained =
        spawn_blocking(move || question.explain_with_lines(&policy, &interfaces.snapshot()));
    explained
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map(Json)
}
