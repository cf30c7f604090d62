//! What of a run somebody must hear of: pure, from its result. Names and counts only: what a check or a finding says in
//! words may quote keys and amounts, and stays in the package.

use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::result::Status;
use crate::domain::run::{ControlResult, ItemStatus};

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
        let of_month = of_month(result);
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
        let urgency = match is_failure || judged(result).is_some_and(not_concluded) {
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
fn of_month(result: &WorkflowResult) -> Vec<String> {
    let judged = judged(result);
    let word = judged.and_then(|judged| {
        let lines = judged.lines.iter();
        let lines = lines.filter(|(_, status)| **status != Status::Ok);
        let lines: Vec<String> = lines
            .map(|(id, status)| format!("{id} {}", status.word()))
            .collect();
        if judged.error_message.is_some() {
            return Some("reconciliation: the month could not be judged".to_owned());
        }
        match (judged.control_result, lines.is_empty()) {
            (ControlResult::NoExceptions, _) => None,
            (word, true) => Some(format!("reconciliation: {}", word.word())),
            (word, false) => Some(format!(
                "reconciliation: {}, {}",
                word.word(),
                lines.join(", ")
            )),
        }
    });
    let published = result.publication.as_ref();
    let failed = published.is_some_and(|published| published.error_message.is_some());
    let failed = failed.then(|| {
        "publication: the month is not in the tables of the warehouse; `soxauto reconcile --publish` repeats it".to_owned()
    });
    word.into_iter().chain(failed).collect()
}

fn held_by(checks: &[Uncleared]) -> String {
    let ids: Vec<&str> = checks.iter().map(|check| check.check.as_str()).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::{Value, json};

    fn finding(id: &str) -> Value {
        json!({"id": id, "company": "EC_NG", "what": "SENTINEL-AMOUNT 1.00"})
    }

    fn uncleared(check: &str) -> Value {
        json!({"check": check, "verdict": "Fail", "what": "SENTINEL-KEY 1", "more": 0})
    }

    /// A result whose items are as the one that went well, with these fields exchanged.
    fn result(items: &[(&str, Value)], control: &str) -> WorkflowResult {
        let at = DateTime::UNIX_EPOCH;
        let all = items.iter().map(|(name, other)| {
            let mut item = json!({"status": "SUCCESS", "start_time": at, "end_time": at, "rows_extracted": 7,
                "validation_summary": {}, "bigquery_table": null, "error_message": null, "digest": null,
                "evidence": null, "manifest_sha256": null});
            for (field, value) in other.as_object().unwrap() {
                item[field] = value.clone();
            }
            ((*name).to_owned(), item)
        });
        let all: serde_json::Map<String, Value> = all.collect();
        let document = json!({"workflow_id": "w", "run_id": RunId::new(at, 1), "start_time": at, "end_time": at,
            "cutoff_date": "2024-05-01", "period": "2024-04", "state": "preliminary", "not_control_evidence": [],
            "ipe_results": all, "overall_status": "SUCCESS", "control_result": control,
            "summary": {"total_ipes": 1, "successful_ipes": 1, "failed_ipes": 0, "total_rows_processed": 7}});
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn a_run_without_anything_to_report_is_no_alert() {
        let calm = result(
            &[("CR_04", json!({})), ("CR_05", json!({}))],
            "NO_EXCEPTIONS",
        );
        assert_eq!(Alert::of(&calm), None);
    }

    #[test]
    fn findings_failures_and_errors_are_named_without_their_words() {
        let findings =
            json!({"findings": [finding("scope.new_value"), finding("scope.new_value")]});
        let held = json!({"status": "FAILED", "failures": [uncleared("keys.unique")], "error_message": "SENTINEL-KEY 1"});
        let error = json!({"status": "ERROR", "error_message": "no way"});
        let found = Alert::of(&result(
            &[("CR_04", findings.clone()), ("CR_05", json!({}))],
            "EXCEPTIONS",
        ));
        let found = found.unwrap();
        assert_eq!(
            (found.urgency, found.ipes.as_slice()),
            (Urgency::Findings, &["CR_04".to_owned()][..])
        );
        let text = found.text();
        assert!(text.starts_with("SOXauto PG-01, 2024-04: EXCEPTIONS\n• CR_04 SUCCESS: 2 findings (scope.new_value)\nrun "), "{text}");
        let all = [("CR_04", findings), ("CR_05", error), ("IPE_07", held)];
        let failed = Alert::of(&result(&all, "NOT_CONCLUDED")).unwrap();
        assert_eq!(failed.urgency, Urgency::Failure);
        let text = failed.text();
        for line in [
            "CR_05 ERROR: could not be found out",
            "IPE_07 FAILED: held by keys.unique",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("SENTINEL"), "{text}");
    }

    #[test]
    fn who_answers_for_a_check_is_told_of_and_who_died_is_a_failure() {
        let accepted = json!({"accepted": [uncleared("contract.nulls")]});
        let found = Alert::of(&result(&[("CR_04", accepted)], "EXCEPTIONS")).unwrap();
        assert_eq!(found.urgency, Urgency::Findings);
        assert!(
            found
                .text()
                .contains("although contract.nulls did not clear")
        );
        let dead = RunId::new(DateTime::UNIX_EPOCH, 9);
        let taken = json!({"abandoned_before": [dead]});
        let found = Alert::of(&result(&[("CR_04", taken)], "NO_EXCEPTIONS")).unwrap();
        assert_eq!(found.urgency, Urgency::Failure);
        assert!(found.text().contains(dead.as_str()));
    }

    #[test]
    fn what_another_run_is_at_work_on_is_that_runs_to_tell() {
        let at = DateTime::UNIX_EPOCH;
        let holder =
            json!({"run_id": RunId::new(at, 2), "since": at, "host": "h", "expires_at": at});
        let held = json!({"status": "ERROR", "held_by": holder});
        let mut held = result(&[("CR_04", held)], "NOT_CONCLUDED");
        assert_eq!(Alert::of(&held), None);
        // So is what the month came to without it.
        let judged = json!({"control_result": "NOT_CONCLUDED", "lines": {"L1": "NOT_CONCLUDED"}, "evidence": null,
            "manifest_sha256": null});
        held.reconciliation = Some(serde_json::from_value(judged).unwrap());
        assert_eq!(Alert::of(&held), None);
    }

    fn delivery(error: Option<&str>) -> Value {
        json!({"place": "folder F of Drive", "files": [], "error": error})
    }

    #[test]
    fn a_package_that_was_not_delivered_is_told_of_and_its_month_is_no_failure() {
        let none = json!({"delivery": delivery(Some("SENTINEL-WORDS of the service"))});
        let whole = json!({"delivery": delivery(None)});
        let all = [("CR_04", none.clone()), ("CR_05", whole.clone())];
        let found = Alert::of(&result(&all, "NO_EXCEPTIONS")).unwrap();
        assert_eq!(found.urgency, Urgency::Findings);
        assert_eq!(
            found.lines,
            ["CR_04 SUCCESS: its package was not delivered to folder F of Drive"]
        );
        assert!(!found.text().contains("SENTINEL"), "{}", found.text());
        assert_eq!(
            Alert::of(&result(&[("CR_05", whole)], "NO_EXCEPTIONS")),
            None
        );

        // One line for an item, whatever else it came to; that of a month that somebody else holds is our own package.
        let mut both = none.clone();
        both["status"] = json!("ERROR");
        let found = Alert::of(&result(&[("CR_04", both.clone())], "NOT_CONCLUDED")).unwrap();
        assert_eq!(found.urgency, Urgency::Failure);
        assert_eq!(
            found.lines,
            [
                "CR_04 ERROR: could not be found out; its package was not delivered to folder F of Drive"
            ]
        );
        let at = DateTime::UNIX_EPOCH;
        both["held_by"] =
            json!({"run_id": RunId::new(at, 2), "since": at, "host": "h", "expires_at": at});
        let found = Alert::of(&result(&[("CR_04", both)], "NOT_CONCLUDED")).unwrap();
        assert_eq!(found.urgency, Urgency::Findings);
        assert_eq!(
            found.lines,
            ["CR_04 ERROR: its package was not delivered to folder F of Drive"]
        );
    }

    #[test]
    fn what_the_month_came_to_is_told_by_line_and_without_its_words() {
        let of = |control: &str, lines: Value, error: Option<&str>, publication: Option<&str>| {
            let mut all = result(&[("CR_04", json!({}))], control);
            let judged = json!({"control_result": control, "lines": lines, "evidence": null,
                "manifest_sha256": null, "error_message": error});
            all.reconciliation = Some(serde_json::from_value(judged).unwrap());
            let published =
                json!({"publication_id": null, "tables": [], "error_message": publication});
            all.publication = Some(serde_json::from_value(published).unwrap());
            Alert::of(&all)
        };
        let lines = |l1: &str| json!({"L1": l1, "L2": "OK"});
        assert_eq!(of("NO_EXCEPTIONS", lines("OK"), None, None), None);

        let found = of("EXCEPTIONS", lines("INVESTIGATE"), None, None).unwrap();
        assert_eq!((found.urgency, found.ipes.len()), (Urgency::Findings, 0));
        assert_eq!(found.lines, ["reconciliation: EXCEPTIONS, L1 INVESTIGATE"]);
        // A rate that another source does not say is an exception of no line.
        let found = of("EXCEPTIONS", lines("OK"), None, None).unwrap();
        assert_eq!(found.lines, ["reconciliation: EXCEPTIONS"]);

        let found = of("NOT_CONCLUDED", lines("NOT_CONCLUDED"), None, None).unwrap();
        assert_eq!(found.urgency, Urgency::Failure);
        assert_eq!(
            found.lines,
            ["reconciliation: NOT_CONCLUDED, L1 NOT_CONCLUDED"]
        );
        let found = of("NOT_CONCLUDED", json!({}), Some("SENTINEL"), None).unwrap();
        assert_eq!(found.urgency, Urgency::Failure);
        assert_eq!(
            found.lines,
            ["reconciliation: the month could not be judged"]
        );

        let found = of("NO_EXCEPTIONS", lines("OK"), None, Some("SENTINEL")).unwrap();
        assert_eq!((found.urgency, found.lines.len()), (Urgency::Findings, 1));
        assert!(found.text().contains("soxauto reconcile --publish"));
        assert!(!found.text().contains("SENTINEL"), "{}", found.text());
    }
}
