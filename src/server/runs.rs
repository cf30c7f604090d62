//! Starting a run, one at a time, and following it to its end. A run that was started ends by itself, whoever waits.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use futures::FutureExt as _;
use serde_json::json;
use tokio::sync::MutexGuard;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::app::{App, StartError, SystemClock};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::run::{Holder, Stamp};
use crate::pipeline::alert::Alert;
use crate::pipeline::progress::Progress;
use crate::pipeline::workflow::WorkflowResult;
use crate::ports::Clock as _;
use crate::settings::{Access, RunSettings};

use super::Service;
use super::board::{End, Listener, Run};
use super::error::Refusal;
use super::request::Asked;

/// A run that has begun.
pub(super) struct Started {
    pub(super) run_id: RunId,
    task: JoinHandle<Option<Arc<WorkflowResult>>>,
}

impl Started {
    /// Waits for the end.
    pub(super) async fn result(self) -> Result<Arc<WorkflowResult>, Refusal> {
        let result = self.task.await.ok().flatten();
        let result = result.ok_or_else(Refusal::internal)?;
        let mut holders = result
            .ipe_results
            .values()
            .map(|item| item.held_by.as_ref());
        let first = holders.next().flatten();
        match first {
            Some(holder) if holders.all(|holder| holder.is_some()) => Err(held(holder)),
            _ => Ok(result),
        }
    }
}

/// Starts a run. It is a task of its own, so that a caller who goes away takes nothing with him.
pub(super) async fn start(service: Arc<Service>, asked: Asked) -> Result<Started, Refusal> {
    let tasks = service.runs.clone();
    let starting = async move {
        let limit = service.settings.limits.start_timeout;
        // Nothing has begun where `begin` is left: a run is noted and followed in one step, its last.
        match tokio::time::timeout(limit, begin(&service, asked)).await {
            Ok(begun) => begun,
            Err(_) => Err(too_slow(&service, limit)),
        }
    };
    let task = tasks.spawn(starting.in_current_span());
    task.await.unwrap_or_else(|_| Err(Refusal::internal()))
}

async fn begin(service: &Arc<Service>, asked: Asked) -> Result<Started, Refusal> {
    let _turn = turn(service).await?;
    let wanted = wanted(service, asked)?;
    let listener = Arc::new(Listener::default());
    let progress: Arc<dyn Progress> = Arc::<Listener>::clone(&listener);
    let period = wanted.period;
    let prepared = prepared(wanted, progress).await;
    let (app, held_by) = prepared.map_err(|error| not_begun(service, period, error))?;
    // One item is enough: two runs of a month would take items from under each other, and neither would have all.
    if let Some(holder) = held_by.values().next() {
        app.close().await;
        return Err(held(holder));
    }
    let items = app.items().cloned().collect();
    let run = Run::new(app.context(), items, listener, app.stop());
    let (run_id, stop) = (run.run_id.clone(), run.stop.clone());
    service.board.begin(run);
    // Who stops the service looks at the board once: what came later must look itself.
    if service.stopping.is_cancelled() {
        stop.cancel();
    }
    let task = follow(Arc::clone(service), app);
    let task = service.runs.spawn(task.in_current_span());
    Ok(Started { run_id, task })
}

/// Tells of a run that could not begin, unless what was asked for cannot be.
pub(super) fn not_begun(service: &Service, period: Option<Period>, error: StartError) -> Refusal {
    if !error.is_of_request() {
        let what = "a run could not begin: its caller and the log know why";
        service.raise(Alert::without_result(None, period, what));
        tracing::error!(%error, "a run could not begin");
    }
    Refusal::from(error)
}

/// Waits until no other run is being started.
pub(super) async fn turn(service: &Service) -> Result<MutexGuard<'_, ()>, Refusal> {
    let (limits, waiting) = (&service.settings.limits, &service.waiting);
    let busy = |what: &str| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", what)
            .hint("ask again later; GET /runs shows what is at work")
            .header(RETRY_AFTER, "10")
    };
    let place = waiting.try_acquire();
    let _place = place.map_err(|_| busy("too many requests wait for a run to be started"))?;
    let turn = tokio::time::timeout(limits.request_timeout, service.starting.lock());
    let late = |_| busy("another run is being started and has not begun yet");
    turn.await.map_err(late)
}

/// A run that is put together, and who is at work on its items.
async fn prepared(
    wanted: RunSettings,
    progress: Arc<dyn Progress>,
) -> Result<(App, BTreeMap<IpeId, Holder>), StartError> {
    let app = App::build(wanted, progress).await?;
    let held_by = app.at_work().await?;
    Ok((app, held_by))
}

fn too_slow(service: &Service, limit: Duration) -> Refusal {
    let what = format!(
        "the run could not begin in {} s, and nothing was started",
        limit.as_secs()
    );
    service.raise(Alert::without_result(None, None, &what));
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "start_too_slow", what)
        .hint("GET /ready says what does not answer")
        .header(RETRY_AFTER, "60")
}

/// What a run would be made with, unless this instance is stopping or at work.
pub(super) fn wanted(service: &Service, asked: Asked) -> Result<RunSettings, Refusal> {
    if service.stopping.is_cancelled() {
        let what = "the service is stopping";
        return Err(
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", what)
                .header(RETRY_AFTER, "10"),
        );
    }
    let wanted = settings(service, asked);
    match service.board.running() {
        Some(running) => Err(beside(&running, &Wanted::of(service, &wanted))),
        None => Ok(wanted),
    }
}

fn settings(service: &Service, asked: Asked) -> RunSettings {
    // The month is settled here, so that it can be compared with the one at work.
    let last_closed = || Period::last_closed(SystemClock.now()).ok();
    let mut settings = RunSettings {
        period: asked.period.or_else(last_closed),
        items: asked.items,
        preliminary: asked.preliminary,
        ..service.settings.run.clone()
    };
    if service.settings.access == Access::Anybody {
        settings.stamps.push(Stamp::UnauthenticatedService);
    }
    settings
}

/// Runs to the end and notes what came of it.
async fn follow(service: Arc<Service>, app: App) -> Option<Arc<WorkflowResult>> {
    let (run_id, period) = (app.context().run_id.clone(), app.context().period);
    let outcome = AssertUnwindSafe(app.run()).catch_unwind().await;
    let result = match outcome {
        Ok(Ok(result)) => Arc::new(result),
        Ok(Err(error)) => return lost(&service, (run_id, period), &error.to_string()),
        Err(_) => return lost(&service, (run_id, period), "the run panicked"),
    };
    service.metrics.ended(&result);
    if let Some(alert) = Alert::of(&result) {
        service.raise(alert);
    }
    service.board.end(&run_id, End::Result(Arc::clone(&result)));
    Some(result)
}

fn lost(
    service: &Service,
    (run_id, period): (RunId, Period),
    why: &str,
) -> Option<Arc<WorkflowResult>> {
    tracing::error!(%run_id, why, "the run was lost");
    let what = "the run was lost: the log knows why";
    service.raise(Alert::without_result(
        Some(run_id.clone()),
        Some(period),
        what,
    ));
    service.metrics.lost();
    service.board.end(&run_id, End::Lost(why.to_owned()));
    None
}

/// What is asked for, all items by name.
pub(super) struct Wanted {
    period: Option<Period>,
    items: Vec<String>,
}

impl Wanted {
    pub(super) fn of(service: &Service, settings: &RunSettings) -> Self {
        let all = service.configuration.configured_ipes.iter();
        let items = match settings.items.as_slice() {
            [] => all.map(|item| item.id.clone()).collect(),
            named => named.to_vec(),
        };
        Self {
            period: settings.period,
            items,
        }
    }

    /// What of it a run of that month with those items does not do; `None` when it does it all.
    pub(super) fn left_out(
        &self,
        period: Option<Period>,
        has: impl Fn(&str) -> bool,
    ) -> Option<String> {
        if self.period != period {
            return Some("another month".to_owned());
        }
        let missing = self.items.iter().filter(|item| !has(item));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        (!missing.is_empty()).then(|| missing.join(", "))
    }
}

/// A run is at work already: on all that is asked for, which a caller who repeats himself need not do again, or on
/// something else.
pub(super) fn at_work(what: String, name: &str, left_out: Option<&str>) -> Refusal {
    let refusal = match left_out {
        None => Refusal::new(StatusCode::CONFLICT, "at_work", what)
            .hint(format!("GET /runs/{name} shows how far it is")),
        Some(left_out) => {
            let hint = format!("ask again when it has ended: it does not run {left_out}");
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "one_at_a_time", what)
                .hint(hint)
                .header(RETRY_AFTER, "60")
        }
    };
    refusal.with("run_id", json!(name))
}

/// This instance is at work already.
fn beside(running: &Run, wanted: &Wanted) -> Refusal {
    let what = format!(
        "run {} is at work on month {} since {}",
        running.run_id,
        running.period,
        running.started_at.format("%H:%M:%S UTC")
    );
    let left_out = wanted.left_out(Some(running.period), |item| running.has(item));
    at_work(what, running.run_id.as_str(), left_out.as_deref())
}

/// Another instance, a job or a person is at work on every item that was asked for.
pub(super) fn held(holder: &Holder) -> Refusal {
    let what = format!(
        "run {} on {} has been at work on this since {}",
        holder.run_id,
        holder.host,
        holder.since.format("%H:%M:%S UTC")
    );
    Refusal::new(StatusCode::CONFLICT, "at_work", what)
        .hint(format!(
            "wait until it ends; if it died, its lease expires at {}",
            holder.expires_at.format("%Y-%m-%d %H:%M:%S UTC")
        ))
        .with("run_id", json!(holder.run_id))
        .with("since", json!(holder.since))
}
