//! What stands before and behind every handler: who calls, how long it may take, and what a panic becomes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use tracing::Instrument as _;

use crate::app::service::Shut;

use super::Service;
use super::error::Refusal;
use super::trace::Trace;

/// The one path that answers anybody.
const OPEN: &str = "/health";

/// A router with everything that every request must pass.
pub fn guarded(router: Router, service: Arc<Service>) -> Router {
    router.layer(from_fn_with_state(service, guard))
}

async fn guard(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let trace = Trace::of(request.headers(), service.settings.project.as_deref());
    let span = tracing::error_span!(
        "request",
        method = %request.method(),
        trace = trace.as_ref().map(|trace| trace.name.as_str()),
        span_id = trace.as_ref().and_then(|trace| trace.span_id.as_deref()),
    );
    let answered = AssertUnwindSafe(answered(&service, request, next).instrument(span));
    let response = answered.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        Refusal::internal().into_response()
    });
    if response.status().is_client_error() || response.status().is_server_error() {
        service.metrics.refused(response.status().as_u16());
    }
    response
}

async fn answered(service: &Service, request: Request, next: Next) -> Response {
    let limit = service.settings.limits.request_timeout;
    let late = || {
        let what = format!("no answer in {} s", limit.as_secs());
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", what)
            .header(RETRY_AFTER, "10")
            .into_response()
    };
    if request.uri().path() != OPEN {
        match tokio::time::timeout(limit, admitted(service, request.headers())).await {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => return refusal.into_response(),
            Err(_) => return late(),
        }
    }
    // Whoever waits for a run waits as long as it takes.
    if request.method() == Method::POST && request.uri().path() == "/" {
        return next.run(request).await;
    }
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => late(),
    }
}

async fn admitted(service: &Service, headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    service.door.admit(token).await.map_err(|shut| match shut {
        Shut::Stranger => {
            let what = "this service wants a bearer token that was made for it";
            Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", what)
                .hint("send Authorization: Bearer with an identity token of an account that may call it")
                .header(WWW_AUTHENTICATE, "Bearer")
        }
        Shut::NoKeys(error) => {
            tracing::error!(%error, "no token can be looked at");
            let what = "the keys that tokens are signed with cannot be had";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_keys", what).header(RETRY_AFTER, "10")
        }
    })
}
