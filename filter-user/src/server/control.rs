//! What needs the kernel: state and counts, which wait for nobody, and changes of the rules, one
//! after the other.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use filter_api::{
    reload::{Cancelled, ReloadOptions, Reloaded},
    routes,
    rules::{Added, NameList, Removed},
    status::{Stats, Status},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{ApiError, request::Checked};
use crate::controller::{self, Controller, View};

type Shared = Arc<Mutex<Controller>>;
type Answer<T> = Result<Json<T>, ApiError>;

/// `GET /v1/status`, `GET /v1/stats`, `POST /v1/rules`, `DELETE /v1/rules`, `POST /v1/reload`,
/// `DELETE /v1/reload` and `POST /v1/rollback`.
pub fn control_routes(controller: Shared, view: Arc<View>) -> Router {
    let looking = Router::new()
        .route(routes::STATUS, get(status))
        .route(routes::STATS, get(stats))
        .with_state(view);
    let changing = Router::new()
        .route(routes::RULES, post(add).delete(remove))
        .route(routes::RELOAD, post(reload).delete(cancel))
        .route(routes::ROLLBACK, post(roll_back))
        .with_state(controller);
    looking.merge(changing)
}

async fn status(State(view): State<Arc<View>>) -> Answer<Status> {
    looking(move || Ok(view.status()?)).await
}

#[derive(Deserialize)]
struct Wanted {
    top: Option<usize>,
}

async fn stats(State(view): State<Arc<View>>, checked: Checked) -> Answer<Stats> {
    let Wanted { top } = checked.parameters()?;
    looking(move || Ok(view.stats(top)?)).await
}

async fn add(State(controller): State<Shared>, checked: Checked) -> Answer<Added> {
    let names: NameList = checked.fields()?;
    with(controller, move |controller| Ok(controller.add(&names)?)).await
}

async fn reload(State(controller): State<Shared>, checked: Checked) -> Answer<Reloaded> {
    let ReloadOptions { accept_shrink } = checked.fields()?;
    Ok(Json(controller::reload(controller, accept_shrink).await?))
}

async fn cancel(State(controller): State<Shared>) -> Answer<Cancelled> {
    controller::cancel_reload(controller).await?;
    Ok(Json(Cancelled { cancelled: true }))
}

async fn roll_back(State(controller): State<Shared>) -> Answer<Reloaded> {
    Ok(Json(controller::roll_back(controller).await?))
}

#[derive(Deserialize)]
struct Named {
    name: Vec<String>,
}

async fn remove(State(controller): State<Shared>, checked: Checked) -> Answer<Removed> {
    let Named { name: names } = checked.parameters()?;
    with(controller, move |controller| Ok(controller.remove(&names)?)).await
}

/// Makes a change, once those before it are made.
async fn with<T, F>(controller: Shared, work: F) -> Answer<T>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&mut Controller) -> Result<T, ApiError> + Send + 'static,
{
    let mut controller = controller.lock_owned().await;
    looking(move || work(&mut controller)).await
}

/// Does the work off the thread that answers everybody: reading all hits of a million rules takes a
/// while.
async fn looking<T, F>(work: F) -> Answer<T>
where
    T: Serialize + Send + 'static,
    F: FnOnce() -> Result<T, ApiError> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work);
    done.await
        .map_err(|error| ApiError::internal(&error))?
        .map(Json)
}
