//! Verdicts and status against the values: a difference must be in a check, and a success needs everything.

use super::VerifyReport;
use crate::domain::check::{CheckKind, CheckResult, Verdict};
use crate::domain::manifest::Recomputed;
use crate::domain::run::ItemStatus;
use crate::pipeline::record::ItemRecord;
use crate::ports::Consistency;

pub(super) fn statuses(record: &ItemRecord, report: &mut VerifyReport) {
    for (place, checks) in [
        ("data/checks.json", &record.checks),
        ("data/verification.json", &record.verification),
    ] {
        checks
            .iter()
            .for_each(|check| verdict(place, check, report));
    }
    differences_before_load(record, report);
    differences_after_load(record, report);
    held_is_not_loaded(record, report);
    match record.status {
        ItemStatus::Success => success(record, report),
        ItemStatus::Failed => {
            if all_clear(&record.checks) && all_clear(&record.verification) {
                let what = "the status is FAILED, yet every check cleared";
                report.find("data/context.json", what, "a check that failed", "none");
            }
        }
        ItemStatus::Error => {
            if record.error.is_none() {
                let what = "the status is ERROR without an error";
                report.find("data/context.json", what, "an error", "none");
            }
        }
    }
    report
        .checked
        .push("verdicts and status against the values".to_owned());
}

fn all_clear(checks: &[CheckResult]) -> bool {
    checks.iter().all(CheckResult::clears)
}

/// A verdict that contradicts its own evidence.
fn verdict(place: &str, check: &CheckResult, report: &mut VerifyReport) {
    let found = check.findings.len();
    let wrong = match check.verdict {
        Verdict::Pass => (found > 0).then_some("no findings"),
        Verdict::Fail => (found == 0).then_some("at least one finding"),
        Verdict::NotApplicable => check.counted.is_none().then_some("the count that shows it"),
        Verdict::NotRun => None,
    };
    if let Some(expected) = wrong {
        let what = format!(
            "the verdict {:?} of {} is not carried",
            check.verdict, check.id
        );
        report.find(place, what, expected, format!("{found} findings"));
    }
}

/// Whether some check of these kinds did not clear: then a difference is known and held.
fn is_held(checks: &[CheckResult], kinds: &[CheckKind]) -> bool {
    checks
        .iter()
        .any(|check| kinds.contains(&check.kind) && !check.clears())
}

/// Source = decoded = staged, in totals and digest, or a check says so.
fn differences_before_load(record: &ItemRecord, report: &mut VerifyReport) {
    let Some(staged) = &record.staged else { return };
    if !is_held(&record.checks, &[CheckKind::Transfer]) {
        for (name, source) in [
            ("source", &record.source_totals),
            ("source after the rows", &record.source_totals_after),
        ] {
            let Some(source) = source else { continue };
            for difference in source.differences(&staged.totals, name, "decoded") {
                let what = "totals differ, and no transfer check says so";
                report.find("data/totals.json", what, "equal totals", difference);
            }
        }
    }
    let Some(second) = &record.recomputed else {
        return;
    };
    if !is_held(&record.checks, &[CheckKind::Transfer, CheckKind::Digest]) {
        let decoded = Recomputed {
            digest: staged.digest,
            totals: staged.totals.clone(),
        };
        compare(&decoded, second, ("decoded", "staged"), report);
    }
}

/// Decoded = warehouse, and the receipt's rows, or a check of the read-back says so.
fn differences_after_load(record: &ItemRecord, report: &mut VerifyReport) {
    let Some(staged) = &record.staged else { return };
    if !all_clear(&record.verification) {
        return;
    }
    let decoded = Recomputed {
        digest: staged.digest,
        totals: staged.totals.clone(),
    };
    if let Some(counted) = &record.read_back {
        compare(&decoded, counted, ("decoded", "warehouse"), report);
    }
    if let Some(receipt) = &record.receipt {
        let what = "rows of the load and of the parts, and no check says so";
        report.same(
            "data/receipt.json",
            what,
            staged.rows(),
            receipt.output_rows,
        );
    }
}

fn compare(
    left: &Recomputed,
    right: &Recomputed,
    (ours, theirs): (&str, &str),
    report: &mut VerifyReport,
) {
    for difference in left.totals.differences(&right.totals, ours, theirs) {
        let what = "totals differ, and no check says so";
        report.find("data/totals.json", what, "equal totals", difference);
    }
    let what = format!("the digest {theirs} is not the one {ours}, and no check says so");
    report.same("data/digest.json", &what, left.digest, right.digest);
}

/// Only what cleared is loaded, and what was loaded is counted afterwards.
fn held_is_not_loaded(record: &ItemRecord, report: &mut VerifyReport) {
    let is_cleared = !record.checks.is_empty() && all_clear(&record.checks);
    if record.receipt.is_some() && !is_cleared {
        let what = "something was loaded, yet not every check cleared";
        report.find("data/receipt.json", what, "no load", "a load");
    }
    if record.receipt.is_none() && !record.verification.is_empty() {
        let what = "the load was verified, yet nothing was loaded";
        report.find(
            "data/verification.json",
            what,
            "no verification",
            "a verification",
        );
    }
}

fn success(record: &ItemRecord, report: &mut VerifyReport) {
    let place = "data/context.json";
    let mut need = |holds: bool, expected: &str| {
        if !holds {
            let what = "the status is SUCCESS, yet something is missing";
            report.find(place, what, expected, "not so");
        }
    };
    need(record.error.is_none(), "no error");
    need(record.access.is_some(), "evidence of access");
    need(record.described.is_some(), "described columns");
    need(record.consistency.is_some(), "how rows and totals relate");
    need(
        record
            .executed
            .iter()
            .any(|executed| executed.purpose == "rows"),
        "an executed query",
    );
    need(record.source_totals.is_some(), "totals by separate SQL");
    let is_bracketed = record.consistency == Some(Consistency::Bracketed);
    need(
        !is_bracketed || record.source_totals_after.is_some(),
        "totals after the rows, because there was no snapshot",
    );
    need(record.staged.is_some(), "staged parts");
    need(
        record.recomputed.is_some(),
        "totals and digest of the second path",
    );
    need(record.receipt.is_some(), "a receipt of the load");
    need(record.read_back.is_some(), "counts of the warehouse");
    for kind in [CheckKind::Contract, CheckKind::Transfer, CheckKind::Digest] {
        let is_there = record.checks.iter().any(|check| check.kind == kind);
        need(is_there, &format!("a {kind:?} check before the load"));
    }
    need(!record.verification.is_empty(), "checks after the load");
    need(
        all_clear(&record.checks),
        "every check before the load clears",
    );
    need(
        all_clear(&record.verification),
        "every check after the load clears",
    );
}
