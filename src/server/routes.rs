//! The endpoints.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::app::ready::dependencies;
use crate::app::service::Configuration;
use crate::app::{SystemClock, elsewhere};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::run::OverallStatus;
use crate::pipeline::workflow::WorkflowResult;
use crate::ports::Clock as _;

use super::board::RunView;
use super::error::Refusal;
use super::{Service, jobs, openapi, request, runs};

/// Every method and path that is answered; the description is compared with it.
pub const ROUTES: [(&str, &str); 8] = [
    ("get", "/health"),
    ("get", "/ready"),
    ("get", "/config"),
    ("post", "/"),
    ("get", "/runs"),
    ("get", "/runs/{run_id}"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
];

/// The endpoints, without what [`super::guarded`] puts before them.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", post(start))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/config", get(config))
        .route("/runs", get(list))
        .route("/runs/{run_id}", get(show))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(described))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .with_state(service)
}

/// The process answers; it asks nobody.
async fn health() -> Json<Value> {
    let now = SystemClock.now();
    Json(json!({
        "status": "healthy",
        "service": "SOXauto-PG01",
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": now.to_rfc3339(),
    }))
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    let mut kept = service.ready.lock().await;
    let fresh = kept
        .as_ref()
        .filter(|(at, _)| at.elapsed() < service.settings.limits.ready_kept);
    let found = match fresh {
        Some((_, found)) => found.clone(),
        None => {
            let (settings, job) = (&service.settings, service.job.as_ref());
            let found = dependencies(settings, &service.alerts, job, &service.door).await;
            *kept = Some((Instant::now(), found.clone()));
            found
        }
    };
    let is_ready = found.iter().all(|dependency| dependency.is_ready);
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = if is_ready { "ready" } else { "not ready" };
    let body = json!({"status": word, "dependencies": found});
    (status, Json(body)).into_response()
}

async fn config(State(service): State<Arc<Service>>) -> Json<Configuration> {
    Json(service.configuration.clone())
}

async fn start(State(service): State<Arc<Service>>, asked: Request) -> Result<Response, Refusal> {
    let (head, body) = asked.into_parts();
    request::of_a_program(&head.headers)?;
    let body = request::body(body, &service.settings.limits).await?;
    let known = &service.configuration.configured_ipes;
    let asked = request::read(&head.headers, &body, known)?;
    let is_async = wants_no_wait(&head.headers);
    if is_async && service.job.is_some() {
        return jobs::start(service, asked).await;
    }
    let run = runs::start(Arc::clone(&service), asked).await?;
    if is_async {
        return Ok(accepted(&service, run.run_id.as_str()));
    }
    let result = run.result().await?;
    Ok((status(&result), Json(result.as_ref())).into_response())
}

/// Whether the caller asks not to wait for the end of the run (RFC 7240).
fn wants_no_wait(headers: &HeaderMap) -> bool {
    let said = headers.get_all("prefer").into_iter();
    let mut words = said
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split([',', ';']));
    words.any(|word| word.trim().eq_ignore_ascii_case("respond-async"))
}

fn accepted(service: &Service, run_id: &str) -> Response {
    let location = format!("/runs/{run_id}");
    let view = service.board.run(run_id).map(|run| run.view(false));
    let headers = [(LOCATION, location)];
    (StatusCode::ACCEPTED, headers, Json(view)).into_response()
}

/// The guide's status: all items, some, none.
fn status(result: &WorkflowResult) -> StatusCode {
    match result.overall_status {
        OverallStatus::Success => StatusCode::OK,
        OverallStatus::PartialSuccess => StatusCode::PARTIAL_CONTENT,
        OverallStatus::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn list(State(service): State<Arc<Service>>) -> Json<Value> {
    let runs = service.board.runs();
    let views: Vec<RunView> = runs.iter().map(|run| run.view(false)).collect();
    Json(json!({"runs": views}))
}

async fn show(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path(run_id) = path.map_err(|_| {
        let what = "the name of the run is no text";
        Refusal::new(StatusCode::BAD_REQUEST, "malformed", what)
    })?;
    if let Some(run) = service.board.run(&run_id) {
        return Ok(Json(run.view(true)).into_response());
    }
    if let Some(job) = &service.job
        && let Some(view) = jobs::show(job, &run_id).await?
    {
        return Ok(Json(view).into_response());
    }
    if let Some(view) = of_others(&service, &run_id).await? {
        return Ok(Json(view).into_response());
    }
    let what = "neither this instance nor leases and packages know a run of that name";
    Err(Refusal::new(StatusCode::NOT_FOUND, "unknown_run", what)
        .hint("GET /runs lists those that this instance remembers"))
}

/// A run of another instance, of a job, or of this one before it was started anew.
async fn of_others(service: &Service, name: &str) -> Result<Option<RunView>, Refusal> {
    let Ok(run_id) = name.parse::<RunId>() else {
        return Ok(None);
    };
    let items = service.configuration.configured_ipes.iter();
    let items: Vec<IpeId> = items.filter_map(|item| item.id.parse().ok()).collect();
    let found = elsewhere::trace(&service.settings, &items, &run_id).await;
    let found = found.map_err(|error| Refusal::of_port("not_shown", &error))?;
    Ok(found.map(|trace| RunView::of_trace(run_id, trace)))
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let text = service.metrics.text(service.board.running().is_some());
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

async fn described() -> Json<Value> {
    Json(openapi::document())
}

async fn not_found() -> Refusal {
    let what = "there is nothing at this path";
    Refusal::new(StatusCode::NOT_FOUND, "not_found", what)
        .hint("GET /openapi.json describes what there is")
}

async fn not_allowed(method: Method) -> Refusal {
    let what = format!("{method} is not answered at this path");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", what)
        .hint("GET /openapi.json describes what there is")
}
