//! Verdicts and status against the values: every check is made again from the record by the code that made it.

use super::VerifyReport;
use crate::domain::check::CheckResult;
use crate::domain::finding::Finding;
use crate::domain::run::ItemStatus;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::{check, findings};

pub(super) fn statuses(record: &ItemRecord, report: &mut VerifyReport) {
    let before = check::before_load(record);
    made_again("data/checks.json", &before, &record.checks, report);
    let after = check::after_load(record);
    made_again(
        "data/verification.json",
        &after,
        &record.verification,
        report,
    );
    let found = |findings: &[Finding]| -> Vec<String> {
        let findings = findings.iter();
        let shown = findings.map(|f| format!("{}, {}: {}", f.id, f.company, f.what));
        shown.collect()
    };
    let what = "the findings are not those that the values give";
    let (made, recorded) = (findings::of(record), &record.findings);
    report.same(
        "data/findings.json",
        what,
        found(&made).join("; "),
        found(recorded).join("; "),
    );
    held_is_not_loaded(record, report);
    match record.status {
        ItemStatus::Success => success(record, report),
        ItemStatus::Failed => {
            if is_through(record) {
                let what = "the status is FAILED, yet every check cleared";
                report.find("data/context.json", what, "a check that failed", "none");
            }
        }
        ItemStatus::Error | ItemStatus::Abandoned => {
            if record.error.is_none() {
                let what = "the status is ERROR or ABANDONED without an error";
                report.find("data/context.json", what, "an error", "none");
            }
        }
    }
    let made = before.len() + after.len();
    let found = record.findings.len();
    report.checked.push(format!(
        "{made} checks and {found} findings made again from the values, and the status"
    ));
}

/// Whether every check cleared, or somebody answers for it.
fn is_through(record: &ItemRecord) -> bool {
    [&record.checks, &record.verification]
        .iter()
        .all(|checks| check::holding(record, checks).next().is_none())
}

/// The recorded checks are those that the recorded values give: the same ones, in the same order, word by word.
fn made_again(
    place: &str,
    made: &[CheckResult],
    recorded: &[CheckResult],
    report: &mut VerifyReport,
) {
    let ids = |checks: &[CheckResult]| -> Vec<String> {
        checks.iter().map(|check| check.id.clone()).collect()
    };
    let what = "the checks are not those that are made";
    report.same(place, what, ids(made).join(", "), ids(recorded).join(", "));
    for check in made {
        let Some(found) = recorded.iter().find(|found| found.id == check.id) else {
            continue;
        };
        if found != check {
            let what = format!("check {} does not say what the values say", check.id);
            report.find(place, what, shown(check), shown(found));
        }
    }
}

fn shown(check: &CheckResult) -> String {
    let counted = check
        .counted
        .map_or("nothing".to_owned(), |n| n.to_string());
    let findings = check.findings.join("; ");
    format!(
        "{:?}, counted {counted}, {}, findings: {findings}",
        check.verdict, check.summary
    )
}

/// Only what cleared is loaded. What a run that died had checked before its load, nobody knows any more.
fn held_is_not_loaded(record: &ItemRecord, report: &mut VerifyReport) {
    if record.status == ItemStatus::Abandoned && record.receipt.is_none() {
        return;
    }
    let checks = check::before_load(record);
    let is_begun = record.receipt.is_some() || record.submitted.is_some();
    if is_begun && check::holding(record, &checks).next().is_some() {
        let what = "something was loaded, yet not every check cleared";
        report.find("data/receipt.json", what, "no load", "a load");
    }
}

/// A success needs a load; that what was loaded agrees is in the checks, none of which clears without its values.
fn success(record: &ItemRecord, report: &mut VerifyReport) {
    let mut need = |holds: bool, expected: &str| {
        if !holds {
            let what = "the status is SUCCESS, yet something is missing";
            report.find("data/context.json", what, expected, "not so");
        }
    };
    let executed = &record.executed;
    need(record.error.is_none(), "no error");
    let copy = record.file.as_ref().map(|file| file.copy.is_some());
    need(
        copy.unwrap_or(record.access.is_some()),
        "evidence of access, or the copy of a file",
    );
    let has_asked = || executed.iter().any(|executed| executed.purpose == "rows");
    need(
        copy.unwrap_or_else(has_asked),
        "an executed query, or the copy of a file",
    );
    need(record.receipt.is_some(), "a receipt of the load");
    need(
        is_through(record),
        "every check clears, or somebody answers for it",
    );
}
