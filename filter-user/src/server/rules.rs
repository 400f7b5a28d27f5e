//! Reading the compiled policy.

use std::sync::{Arc, RwLock};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
    routing::get,
};
use filter_api::{
    questions::{Explained, Judgement},
    routes,
};
use filter_policy::compiled::{Policy, Position};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use super::{ApiError, explain::Asked, lines};
use crate::{
    answers,
    controller::{Interfaces, reading},
};

type Shared = Arc<RwLock<Policy>>;

/// Rules that are looked at in one hold of the compiled policy: about 0.1 ms.
const PAGE: usize = 1000;

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
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let contains = wanted?.0.contains.to_ascii_lowercase();
    let (pages, written) = mpsc::channel(4);
    // Ends with the last page, or when the client is gone and nobody takes the next.
    tokio::task::spawn_blocking(move || write_pages(&policy, &contains, &pages));
    Ok(lines(
        ReceiverStream::new(written).map(Ok::<_, std::convert::Infallible>),
    ))
}

fn write_pages(policy: &Shared, contains: &str, pages: &mpsc::Sender<Bytes>) {
    let mut page = manual_rules(policy, contains);
    let mut from = Some(Position::default());
    loop {
        if !page.is_empty() && pages.blocking_send(page.into()).is_err() {
            return;
        }
        let Some(position) = from else { return };
        (page, from) = listed_rules(policy, contains, position);
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
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Judgement>, ApiError> {
    asked?
        .0
        .test(&reading(&policy), &interfaces.snapshot())
        .map(Json)
}

async fn explain(
    State(Answering { policy, interfaces }): State<Answering>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Explained>, ApiError> {
    let question = asked?.0;
    // The lines are looked up in the lists, which may be long.
    let explained = tokio::task::spawn_blocking(move || {
        question.explain(&reading(&policy), &interfaces.snapshot())
    });
    explained
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map(Json)
}
