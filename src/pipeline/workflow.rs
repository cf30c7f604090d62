//! The result of a run with the field names that the deployment guide promises.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::check::{CheckResult, Verdict};
use crate::domain::finding::Finding;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::reconcile::result::Status;
use crate::domain::run::{
    ControlResult, Holder, ItemStatus, OverallStatus, RunContext, RunState, Stamp,
};

use super::deliver::DeliveryReport;
use super::publication::PublicationResult;
use super::record::ItemRecord;
use super::{ItemOutcome, check};

/// What stands in a log in place of words.
const IN_PACKAGE: &str = "its package says what";

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowResult {
    /// `SOXauto_PG01_<YYYYMMDD_HHMMSS>`.
    pub workflow_id: String,
    /// Name of the run.
    pub run_id: RunId,
    /// Start.
    pub start_time: DateTime<Utc>,
    /// End.
    pub end_time: DateTime<Utc>,
    /// The resolved cutoff: the first day that is not included.
    pub cutoff_date: NaiveDate,
    /// The closed month.
    pub period: Period,
    /// How far the closing has come.
    pub state: RunState,
    /// Why this run is not control evidence; empty for a clean run.
    pub not_control_evidence: Vec<Stamp>,
    /// One entry an item.
    pub ipe_results: BTreeMap<String, IpeResult>,
    /// Items that are no part of the run, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_part_of_run: BTreeMap<String, String>,
    /// Counts.
    pub summary: Summary,
    /// Whether the machine finished.
    pub overall_status: OverallStatus,
    /// What the control says.
    pub control_result: ControlResult,
    /// What the lines came to; `None` where the run had not every item of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<ReconciliationResult>,
    /// What came of publishing the judged month in the warehouse; `None` where it was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<PublicationResult>,
    /// The first reason why not everything succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

/// What the reconciliation of a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationResult {
    /// The word on the month; not concluded where it could not be judged.
    pub control_result: ControlResult,
    /// The word on every line that is judged.
    pub lines: BTreeMap<String, Status>,
    /// Where the sealed judgement lies.
    pub evidence: Option<String>,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: Option<String>,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// Counts over the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Items.
    pub total_ipes: u64,
    /// Items that succeeded.
    pub successful_ipes: u64,
    /// Items that did not.
    pub failed_ipes: u64,
    /// Rows of all items.
    pub total_rows_processed: u64,
}

/// A check that did not clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncleared {
    /// Identifier.
    pub check: String,
    /// What it found.
    pub verdict: Verdict,
    /// The first finding, or why the check was not made.
    pub what: String,
    /// Further findings, which the package has.
    pub more: u64,
}

/// The result of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpeResult {
    /// Outcome.
    pub status: ItemStatus,
    /// Start.
    pub start_time: DateTime<Utc>,
    /// End.
    pub end_time: DateTime<Utc>,
    /// Rows decoded.
    pub rows_extracted: u64,
    /// Verdict of every check.
    pub validation_summary: BTreeMap<String, Verdict>,
    /// What is to be reported and held nothing.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Table and partition in the warehouse, when it was loaded.
    pub bigquery_table: Option<String>,
    /// What went wrong: the error, else the first of `failures`.
    pub error_message: Option<String>,
    /// Every check that did not clear and that nobody answers for, causes before what follows from them.
    #[serde(default)]
    pub failures: Vec<Uncleared>,
    /// Checks that were not made because the run ended before them.
    #[serde(default)]
    pub not_reached: Vec<String>,
    /// Checks that did not clear and that somebody answers for.
    #[serde(default)]
    pub accepted: Vec<Uncleared>,
    /// The other run that was at work on the item and month, if that is why this one did nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Holder>,
    /// Runs of the item and month that had never ended, and that this one sealed as abandoned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned_before: Vec<RunId>,
    /// Content digest.
    pub digest: Option<String>,
    /// Where the evidence package lies.
    pub evidence: Option<String>,
    /// SHA-256 of its manifest, in hex: note it elsewhere, and `verify` proves that the manifest was not rewritten.
    pub manifest_sha256: Option<String>,
    /// What came of delivering the package, if it was to be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryReport>,
}

impl WorkflowResult {
    /// Sums up a run.
    #[must_use]
    pub fn new(context: &RunContext, outcomes: &[ItemOutcome], end_time: DateTime<Utc>) -> Self {
        let statuses: Vec<ItemStatus> = outcomes
            .iter()
            .map(|outcome| outcome.record.status)
            .collect();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let succeeded = statuses
            .iter()
            .filter(|status| **status == ItemStatus::Success)
            .count();
        let ipe_results: BTreeMap<String, IpeResult> = outcomes
            .iter()
            .map(|outcome| (outcome.record.ipe.to_string(), IpeResult::new(outcome)))
            .collect();
        Self {
            workflow_id: format!(
                "SOXauto_PG01_{}",
                context.started_at.format("%Y%m%d_%H%M%S")
            ),
            run_id: context.run_id.clone(),
            start_time: context.started_at,
            end_time,
            cutoff_date: context.period.cutoff(),
            period: context.period,
            state: RunState::Preliminary,
            not_control_evidence: context.stamps.clone(),
            not_part_of_run: BTreeMap::new(),
            summary: Summary {
                total_ipes: count(outcomes.len()),
                successful_ipes: count(succeeded),
                failed_ipes: count(outcomes.len() - succeeded),
                total_rows_processed: ipe_results
                    .values()
                    .map(|result| result.rows_extracted)
                    .sum(),
            },
            failure_reason: ipe_results
                .values()
                .find_map(|result| result.error_message.clone()),
            ipe_results,
            overall_status: OverallStatus::of(&statuses),
            control_result: control_result(&statuses, outcomes),
            reconciliation: None,
            publication: None,
        }
    }

    /// Adds the items that are read from a file which was not said.
    pub fn left_out(&mut self, items: &[IpeId]) {
        let why = |id: &IpeId| format!("read from a file, and none was said: --file {id}=PATH");
        let items = items.iter().map(|id| (id.to_string(), why(id)));
        self.not_part_of_run.extend(items);
    }

    /// Adds what the lines came to: the word of the run is the worse of the two.
    pub fn reconciled(&mut self, reconciliation: ReconciliationResult) {
        self.control_result = self.control_result.max(reconciliation.control_result);
        self.reconciliation = Some(reconciliation);
    }

    /// Adds what came of publishing the judged month. No status and no word of the control depends on it.
    pub fn published(&mut self, publication: PublicationResult) {
        self.publication = Some(publication);
    }

    /// 2 where something could not be found out or published, else 1 where anything is to be reported, also a line that is not
    /// concluded, else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let statuses: Vec<ItemStatus> = self.ipe_results.values().map(|ipe| ipe.status).collect();
        let judged = self.reconciliation.as_ref();
        let published = self.publication.as_ref();
        let is_lost = judged.is_some_and(|judged| judged.error_message.is_some())
            || published.is_some_and(|published| published.error_message.is_some());
        if is_lost || ControlResult::of(&statuses) == ControlResult::NotConcluded {
            return ControlResult::NotConcluded.exit_code();
        }
        u8::from(self.control_result != ControlResult::NoExceptions)
    }

    /// The same for a log: without what checks and findings say in words, which may quote keys and amounts. Names and
    /// counts stay, and the packages have the rest.
    #[must_use]
    pub fn without_words(&self) -> Self {
        let mut result = self.clone();
        for item in result.ipe_results.values_mut() {
            let first = item.failures.first().map(ToString::to_string);
            let says_check = first.is_some() && item.error_message == first;
            let checks = item.failures.iter_mut().chain(&mut item.accepted);
            let words = checks.map(|check| &mut check.what);
            for what in words.chain(item.findings.iter_mut().map(|found| &mut found.what)) {
                IN_PACKAGE.clone_into(what);
            }
            if says_check {
                item.error_message = item.failures.first().map(ToString::to_string);
            }
        }
        let mut said = result.ipe_results.values();
        result.failure_reason = said.find_map(|item| item.error_message.clone());
        result
    }

    /// Adds what came of delivering the package of an item. No status depends on it.
    pub fn delivered(&mut self, ipe: &IpeId, report: Option<DeliveryReport>) {
        if let Some(result) = self.ipe_results.get_mut(ipe.as_str()) {
            result.delivery = report;
        }
    }
}

/// A load that somebody answers for and a finding are exceptions, however well the machine finished.
fn control_result(statuses: &[ItemStatus], outcomes: &[ItemOutcome]) -> ControlResult {
    let mut records = outcomes.iter().map(|outcome| &outcome.record);
    let has_exceptions =
        records.any(|record| !check::exceptions(record).is_empty() || !record.findings.is_empty());
    match ControlResult::of(statuses) {
        ControlResult::NoExceptions if has_exceptions => ControlResult::Exceptions,
        result => result,
    }
}

impl IpeResult {
    fn new(outcome: &ItemOutcome) -> Self {
        let record = &outcome.record;
        let checks = record.checks.iter().chain(&record.verification);
        let (failures, not_reached) = failures(record);
        Self {
            status: record.status,
            start_time: record.started_at,
            end_time: record.ended_at,
            rows_extracted: record
                .staged
                .as_ref()
                .map_or(0, |staged| staged.totals.rows()),
            validation_summary: checks
                .clone()
                .map(|check| (check.id.clone(), check.verdict))
                .collect(),
            findings: record.findings.clone(),
            bigquery_table: record
                .receipt
                .as_ref()
                .map(|receipt| receipt.destination_table.clone()),
            error_message: record
                .error
                .clone()
                .or_else(|| failures.first().map(ToString::to_string)),
            failures,
            not_reached,
            accepted: accepted(record),
            held_by: outcome.held_by.clone(),
            abandoned_before: outcome.buried.clone(),
            digest: record
                .staged
                .as_ref()
                .map(|staged| staged.digest.to_string()),
            evidence: outcome.package.as_ref().map(|package| package.uri.clone()),
            manifest_sha256: outcome
                .package
                .as_ref()
                .map(|package| package.manifest_sha256.clone()),
            delivery: None,
        }
    }
}

impl Uncleared {
    fn new(check: &CheckResult) -> Self {
        let what = check.findings.first().unwrap_or(&check.summary);
        let more = check.findings.len().saturating_sub(1);
        Self {
            check: check.id.clone(),
            verdict: check.verdict,
            what: what.clone(),
            more: u64::try_from(more).unwrap_or(u64::MAX),
        }
    }
}

impl fmt::Display for Uncleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            check,
            verdict,
            what,
            ..
        } = self;
        write!(f, "check {check} {verdict:?}: {what}")
    }
}

/// What held the item, and the checks that were not made for it. A run that ended early says why once: its checks that
/// were not made are only named.
fn failures(record: &ItemRecord) -> (Vec<Uncleared>, Vec<String>) {
    let held: Vec<&CheckResult> = check::holding(record, &record.checks)
        .chain(check::holding(record, &record.verification))
        .collect();
    let ended_early = record.error.is_some() || record.staged.is_none();
    let (missing, mut found): (Vec<&CheckResult>, Vec<&CheckResult>) = held
        .into_iter()
        .partition(|check| ended_early && check.verdict == Verdict::NotRun);
    // The sort is stable: within a rank the order of the checks stays.
    found.sort_by_key(|check| rank(&check.id));
    let found: Vec<Uncleared> = found.into_iter().map(Uncleared::new).collect();
    let missing: Vec<String> = missing.into_iter().map(|check| check.id.clone()).collect();
    (found, missing)
}

/// Causes first: other columns than agreed, then a source that changed while it was read, then what follows from them.
fn rank(id: &str) -> u8 {
    match id {
        check::TRANSFER_STABLE => 1,
        contract if contract.starts_with("contract.") => 0,
        _ => 2,
    }
}

fn accepted(record: &ItemRecord) -> Vec<Uncleared> {
    let checks = record.checks.iter().chain(&record.verification);
    let held = |check: &CheckResult| {
        let one = std::slice::from_ref(check);
        check::holding(record, one).next().is_some()
    };
    checks
        .filter(|check| !check.clears() && !held(check))
        .map(Uncleared::new)
        .collect()
}
