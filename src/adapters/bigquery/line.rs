//! The line of runs of one month: a load that belongs to an overtaken run cannot happen any more.
//!
//! BigQuery runs a job id once, so an id can be taken away. Every place in the line has an id that its run creates
//! before it loads (a question that costs nothing, with the name of the load in a label), and every attempt of the load
//! has one. A later run creates what an earlier one has not: then the earlier one meets a job of another, and stops. What
//! the earlier one did create is cancelled or awaited. So when a run loads, no earlier run of its line is loading or
//! will be (ADR-0031).

use std::collections::BTreeMap;

use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;

use super::client::{Client, Inserted, JobSaid, about, labels};
use super::watch::{ended, found};
use crate::domain::ids::IpeId;
use crate::domain::period::Period;
use crate::domain::run::Fence;
use crate::kernels::bigquery::job::{self, attempt, place_id};
use crate::ports::{LoadJob, PortError, PortErrorKind};

/// Label with the name of the load for which a place was taken.
const LOAD: &str = "load";
/// Label with the run that took an id away.
const CLOSED_BY: &str = "closed_by";

/// Closes every earlier place of the line, then takes the own one for the load of that name.
pub(super) async fn take(
    client: &Client,
    job: &LoadJob,
    fence: &Fence,
    load_name: &str,
) -> Result<(), PortError> {
    close_earlier(client, job, fence).await?;
    let id = place_id(&client.place(), job, fence);
    let what = format!(
        "taking place {} of {} {}",
        fence.generation, job.table, job.period
    );
    let mark = mark(job, LOAD, load_name);
    if client.insert(&what, &id, mark).await? == Inserted::Created {
        return Ok(());
    }
    let held = found(client, &id).await?;
    refuse_closed(client, job, &held)?;
    if held.label(LOAD) == Some(load_name) {
        return Ok(());
    }
    let run = &job.metadata.run_id;
    let (what, hint) = match is_published(&job.table) {
        false => (format!("run {run} is loaded already"), "start a new run"),
        true => (
            format!("publication {run} is loaded already"),
            "publish again",
        ),
    };
    let what = format!("{what}, with other files");
    Err(about(client, &job.table, PortErrorKind::Corrupt, what).hint(hint))
}

/// Whether the table is none of an item: publications stand in its line, not runs (ADR-0044).
fn is_published(table: &str) -> bool {
    IpeId::of_table(table).is_none()
}

/// The error of a job that a later run has put in the place of ours.
pub(super) fn refuse_closed(
    client: &Client,
    job: &LoadJob,
    held: &JobSaid,
) -> Result<(), PortError> {
    match held.label(CLOSED_BY) {
        None => Ok(()),
        Some(by) => {
            let (what, hint) = taken_over((&job.table, job.period), by);
            Err(about(client, &job.table, PortErrorKind::Denied, what).hint(hint))
        }
    }
}

/// What one is told whom `by` took over, as the leases say it, and what to do.
fn taken_over((table, period): (&str, Period), by: &str) -> (String, &'static str) {
    match is_published(table) {
        false => (
            format!("run {by} took this item and month over; this run loads nothing"),
            "this run gave no sign of life for too long; see the other run's package",
        ),
        true => (
            format!("publication {by} took the tables of {period} over; this one loads nothing"),
            "this one gave no sign of life for too long; the other one has read the evidence after it",
        ),
    }
}

/// What is said where too many stand in the line before this one, and what to do. A publication shows one evidence root
/// and no other, so that a new one is no help.
fn too_many(table: &str, places_max: usize) -> (String, &'static str) {
    match is_published(table) {
        false => (
            format!("more than {places_max} runs before this one ended without loading the month"),
            "begin a new evidence root, and find out why they end",
        ),
        true => (
            format!("more than {places_max} publications before this one ended without loading"),
            "their logs say why they end; keep the evidence root, and report this",
        ),
    }
}

/// From the newest place backwards, to the first that was taken: its run closed all before it.
async fn close_earlier(client: &Client, job: &LoadJob, fence: &Fence) -> Result<(), PortError> {
    let places_max = client.limits.places_max;
    let closing = mark(job, CLOSED_BY, job.metadata.run_id.as_str());
    for (closed, generation) in (1..fence.generation).rev().enumerate() {
        if closed == places_max {
            let (what, hint) = too_many(&job.table, places_max);
            return Err(about(client, &job.table, PortErrorKind::Limit, what).hint(hint));
        }
        let earlier = Fence {
            line: fence.line.clone(),
            generation,
        };
        let id = place_id(&client.place(), job, &earlier);
        let what = format!("closing place {generation} of {} {}", job.table, job.period);
        if client.insert(&what, &id, closing.clone()).await? == Inserted::Created {
            continue;
        }
        if let Some(load_name) = found(client, &id).await?.label(LOAD) {
            return close_load(client, load_name, &closing).await;
        }
    }
    Ok(())
}

/// Leaves no attempt of a load that is at work or could still begin.
async fn close_load(
    client: &Client,
    load_name: &str,
    closing: &JobConfiguration,
) -> Result<(), PortError> {
    for generation in 1..=client.limits.load_attempts_max {
        let id = attempt(load_name, generation);
        let what = format!("closing load job {id}");
        if client.insert(&what, &id, closing.clone()).await? == Inserted::Created {
            return Ok(());
        }
        let held = found(client, &id).await?;
        if held.label(CLOSED_BY).is_some() {
            return Ok(());
        }
        if !held.is_done() {
            tracing::warn!(id, "an earlier run's load is at work; it is cancelled");
            // Who may not cancel waits for its end: what it loads is then replaced.
            if let Err(error) = client.cancel(&id).await {
                tracing::warn!(%error, "the load could not be cancelled");
            }
        }
        if ended(client, &id).await?.error().is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// A job that reads nothing and costs nothing; its labels say what it stands for.
fn mark(job: &LoadJob, label: &str, value: &str) -> JobConfiguration {
    let mut pairs: BTreeMap<String, String> = job::labels(job);
    pairs.insert(label.to_owned(), value.to_lowercase());
    JobConfiguration {
        labels: labels(pairs),
        query: Some(JobConfigurationQuery {
            query: "SELECT 1".to_owned(),
            use_legacy_sql: Some(false),
            ..JobConfigurationQuery::default()
        }),
        ..JobConfiguration::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new evidence root would publish a month without its packages, and no publication has a package.
    #[test]
    fn what_is_said_of_a_line_is_that_of_its_table() {
        let period: Period = "2024-04".parse().unwrap();
        for (table, is_item) in [
            ("pg01_validated_ipe_ipe_07", true),
            ("soxauto_runs", false),
            ("soxauto_validations", false),
        ] {
            let (what, hint) = taken_over((table, period), "x");
            assert_eq!(what.contains("run x took this item"), is_item, "{what}");
            assert_eq!(hint.contains("package"), is_item, "{hint}");
            let tables = "publication x took the tables of 2024-04 over";
            assert_eq!(what.contains(tables), !is_item, "{what}");
            let (what, hint) = too_many(table, 7);
            assert_eq!(what.contains("more than 7 runs"), is_item, "{what}");
            assert_eq!(hint.contains("begin a new evidence"), is_item, "{hint}");
        }
    }
}
