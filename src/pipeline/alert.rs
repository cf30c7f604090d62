//! What of a run somebody must hear of: pure, from its result. Names and counts only: what a check or a finding says in
//! words may quote keys and amounts, and stays in the package.

use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::result::Status;
use crate::domain::run::{ControlResult, ItemStatus};

use super::publication::PublicationResult;
use super::workflow::{IpeResult, ReconciliationResult, Uncleared, WorkflowResult};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Something did not finish, was not loaded, or is not concluded.
    Failure,
    /// All is loaded, and a person has something to look at, to deliver or to publish again.
    Findings,
}

/// Something that somebody must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// How bad it is.
    pub urgency: Urgency,
    /// The control's word.
    pub control_result: ControlResult,
    /// The run; `None` where none began.
    pub run_id: Option<RunId>,
    /// The month, if it is known.
    pub period: Option<Period>,
    /// Items that it is about; none where it is about the run.
    pub ipes: Vec<String>,
    /// What happened: a line for each item, then what the month came to.
    pub lines: Vec<String>,
}

impl Alert {
    /// What is to be said of a run that ended; `None` when nothing is. An item that another run is at work on is that
    /// run's to tell of, but for the delivery of the own package. All of it is one alert, so a delivery is told of once:
    /// whoever repeats it by hand hears himself what came of it.
    #[must_use]
    pub fn of(result: &WorkflowResult) -> Option<Self> {
        let told = result
            .ipe_results
            .iter()
            .filter_map(|(name, item)| Some((name, item, line(name, item)?)));
        let told: Vec<_> = told.collect();
        let judged = judged(result);
        let of_month = of_month(judged, result.publication.as_ref());
        if told.is_empty() && of_month.is_empty() {
            return None;
        }
        let is_failure = |item: &IpeResult| {
            let is_ours = item.held_by.is_none();
            is_ours && (item.status != ItemStatus::Success || !item.abandoned_before.is_empty())
        };
        let is_failure = told.iter().any(|(_, item, _)| is_failure(item));
        let not_concluded =
            |judged: &ReconciliationResult| judged.control_result == ControlResult::NotConcluded;
        let urgency = match is_failure || judged.is_some_and(not_concluded) {
            true => Urgency::Failure,
            false => Urgency::Findings,
        };
        Some(Self {
            urgency,
            control_result: result.control_result,
            run_id: Some(result.run_id.clone()),
            period: Some(result.period),
            ipes: told.iter().map(|(name, ..)| (*name).clone()).collect(),
            lines: told
                .into_iter()
                .map(|(.., line)| line)
                .chain(of_month)
                .collect(),
        })
    }

    /// What is to be said of a month that was judged by itself; `None` when nothing is.
    #[must_use]
    pub fn of_judgement(
        (run_id, period): (RunId, Period),
        judged: &ReconciliationResult,
        publication: Option<&PublicationResult>,
    ) -> Option<Self> {
        let lines = of_month(Some(judged), publication);
        let urgency = match judged.control_result {
            ControlResult::NotConcluded => Urgency::Failure,
            _ => Urgency::Findings,
        };
        (!lines.is_empty()).then(|| Self {
            urgency,
            control_result: judged.control_result,
            run_id: Some(run_id),
            period: Some(period),
            ipes: Vec::new(),
            lines,
        })
    }

    /// What is to be said of a run without a result, or of one that did not begin; `what` names no row and no secret.
    #[must_use]
    pub fn without_result(run_id: Option<RunId>, period: Option<Period>, what: &str) -> Self {
        Self {
            urgency: Urgency::Failure,
            control_result: ControlResult::NotConcluded,
            run_id,
            period,
            ipes: Vec::new(),
            lines: vec![what.to_owned()],
        }
    }

    /// The first line.
    #[must_use]
    pub fn headline(&self) -> String {
        let month = self
            .period
            .map_or_else(|| "no month".to_owned(), |period| period.to_string());
        format!("SOXauto PG-01, {month}: {}", self.control_result.word())
    }

    /// All of it, for a chat.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.headline();
        for line in &self.lines {
            text.push_str(&format!("\n• {line}"));
        }
        if let Some(run_id) = &self.run_id {
            text.push_str(&format!("\nrun {run_id}; its packages say the rest"));
        }
        text
    }
}

/// What is to be said of an item.
fn line(name: &str, item: &IpeResult) -> Option<String> {
    let mut said = Vec::new();
    if item.held_by.is_none() {
        said.extend(outcome(item));
    }
    if let Some(report) = &item.delivery
        && report.error.is_some()
    {
        said.push(format!("its package was not delivered to {}", report.place));
    }
    (!said.is_empty()).then(|| format!("{name} {}: {}", item.status.word(), said.join("; ")))
}

/// What the run came to for an item.
fn outcome(item: &IpeResult) -> Vec<String> {
    let mut said = Vec::new();
    if item.status != ItemStatus::Success {
        said.push(match held_by(&item.failures) {
            checks if checks.is_empty() => "could not be found out".to_owned(),
            checks => format!("held by {checks}"),
        });
    }
    if !item.findings.is_empty() {
        let mut ids: Vec<&str> = item
            .findings
            .iter()
            .map(|finding| finding.id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        said.push(format!(
            "{} findings ({})",
            item.findings.len(),
            ids.join(", ")
        ));
    }
    if !item.accepted.is_empty() {
        said.push(format!(
            "loaded all the same although {} did not clear",
            held_by(&item.accepted)
        ));
    }
    for run_id in &item.abandoned_before {
        said.push(format!(
            "run {run_id} had never ended and was sealed as ABANDONED"
        ));
    }
    said
}

/// What the month came to, if that is this run's to tell: without an item that another run is at work on, it lacks what
/// the other will have.
fn judged(result: &WorkflowResult) -> Option<&ReconciliationResult> {
    let is_whole = result
        .ipe_results
        .values()
        .all(|item| item.held_by.is_none());
    result.reconciliation.as_ref().filter(|_| is_whole)
}

/// What is to be said of the month: its reconciliation, and its tables in the warehouse.
fn of_month(
    judged: Option<&ReconciliationResult>,
    publication: Option<&PublicationResult>,
) -> Vec<String> {
    let failed = publication.is_some_and(|published| published.error_message.is_some());
    let failed = failed.then(|| {
        "publication: the month is not in the tables of the warehouse; `soxauto reconcile --publish --staging URL` repeats it".to_owned()
    });
    judged.and_then(word).into_iter().chain(failed).collect()
}

/// The word on the month, with the lines that are not OK.
fn word(judged: &ReconciliationResult) -> Option<String> {
    if judged.error_message.is_some() {
        return Some("reconciliation: the month could not be judged".to_owned());
    }
    if judged.control_result == ControlResult::NoExceptions {
        return None;
    }
    let lines = judged.lines.iter();
    let lines = lines.filter(|(_, status)| **status != Status::Ok);
    let lines = lines.map(|(id, status)| format!(", {id} {}", status.word()));
    let word = judged.control_result.word();
    Some(format!(
        "reconciliation: {word}{}",
        lines.collect::<String>()
    ))
}

fn held_by(checks: &[Uncleared]) -> String {
    let ids: Vec<&str> = checks.iter().map(|check| check.check.as_str()).collect();
    ids.join(", ")
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
