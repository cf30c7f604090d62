//! Runs that a job makes: started where the caller does not wait, and shown by the name of their execution.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::app::async_job::{Asked as Answer, AsyncJob, JobRun, JobState};
use crate::domain::period::Period;
use crate::pipeline::alert::Alert;

use super::Service;
use super::error::Refusal;
use super::request::Asked;
use super::runs;

/// An execution as it is shown. What its run came to stands in the packages, not here.
#[derive(Serialize)]
pub(super) struct ExecutionView {
    execution: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cutoff_date: Option<NaiveDate>,
    started_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`, as Cloud Run says it.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_uri: Option<String>,
}

impl From<JobRun> for ExecutionView {
    fn from(run: JobRun) -> Self {
        Self {
            execution: run.execution,
            period: run.period,
            cutoff_date: run.period.map(Period::cutoff),
            started_at: run.created_at,
            ended_at: run.ended_at,
            status: match run.state {
                JobState::Pending => "PENDING",
                JobState::Running => "RUNNING",
                JobState::Succeeded => "SUCCEEDED",
                JobState::Failed => "FAILED",
                JobState::Cancelled => "CANCELLED",
            },
            log_uri: run.log_uri,
        }
    }
}

/// Starts an execution; of two requests one is first. It is a task of its own, so that a caller who goes away leaves no
/// execution of which nobody knows.
pub(super) async fn start(service: Arc<Service>, asked: Asked) -> Result<Response, Refusal> {
    let tasks = service.runs.clone();
    let task = tasks.spawn(async move { begin(&service, asked).await });
    task.await.unwrap_or_else(|_| Err(Refusal::internal()))
}

async fn begin(service: &Service, asked: Asked) -> Result<Response, Refusal> {
    let _turn = runs::turn(service).await?;
    let job = service.job.as_ref().ok_or_else(Refusal::internal)?;
    let wanted = runs::wanted(service, asked)?;
    let asked = job.start(&wanted).await;
    match asked.map_err(|error| runs::not_begun(service, wanted.period, error))? {
        Answer::Started(run) => {
            tracing::info!(execution = run.execution, "a job was started");
            let location = format!("/runs/{}", run.execution);
            let view = Json(ExecutionView::from(run));
            Ok((StatusCode::ACCEPTED, [(LOCATION, location)], view).into_response())
        }
        Answer::Held(holder) => Err(runs::held(&holder)),
        Answer::Beside(run) => Err(beside(run, &runs::Wanted::of(service, &wanted))),
        Answer::Unknown(error) => {
            tracing::error!(%error, "it is not known whether a job was started");
            let what = "whether a job was started is not known: its caller and the log know why";
            service.raise(Alert::without_result(None, wanted.period, what));
            Err(Refusal::of_port("start_not_known", &error).header(RETRY_AFTER, "60"))
        }
    }
}

fn beside(run: JobRun, wanted: &runs::Wanted) -> Refusal {
    let month = run.period.map(|period| period.to_string());
    let left_out = wanted.left_out(run.period, |item| {
        run.items.is_empty() || run.items.iter().any(|one| one == item)
    });
    let what = format!(
        "execution {} is at work on month {} since {}",
        run.execution,
        month.unwrap_or_default(),
        run.created_at.format("%H:%M:%S UTC")
    );
    runs::at_work(what, &run.execution, left_out.as_deref())
}

/// The execution of that name, if the job has one.
pub(super) async fn show(job: &AsyncJob, name: &str) -> Result<Option<ExecutionView>, Refusal> {
    if !job.may_be(name) {
        return Ok(None);
    }
    let run = job.run(name).await;
    let run = run.map_err(|error| Refusal::of_port("not_shown", &error))?;
    Ok(run.map(ExecutionView::from))
}
