//! The statement of a month: what was judged, with everything around it that page one shows and a reviewer signs.
//!
//! Values only. Records of people are appended, never edited; the program never says that a control is effective.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use super::drift::{Drift, Schema};
use super::result::{Bucket, Code, ReconcileFinding, Reconciliation, Status};
use super::wide::same;
use super::zero::ZeroCheck;
use crate::domain::amount::Amount;
use crate::domain::check::{Acceptance, CheckResult, Verdict};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::run::{ControlResult, ItemStatus, Program, Stamp};

/// A month as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Run that made it.
    pub run_id: RunId,
    /// Whether the month is closed.
    pub state: MonthState,
    /// Why it is no control evidence; empty for a clean run.
    pub stamps: Vec<Stamp>,
    /// The program that ran.
    pub program: Program,
    /// What was judged.
    pub result: Reconciliation,
    /// Z1 to Z3.
    pub zero_checks: Vec<ZeroCheck>,
    /// The items, in the order of the report.
    pub inputs: Vec<Input>,
    /// Checks that somebody answers for.
    pub accepted: Vec<Acceptance>,
    /// Versions of thresholds that somebody named, by country.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, u32>,
    /// The earlier month that it is compared with; `None` where none was judged, so that nothing is known of changes, or
    /// where an older version made this, which compared with last month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// What is not as it was then.
    pub changes: Vec<Change>,
    /// What moved since then; `None` where nothing says what was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What people said of exceptions, in the order in which they said it.
    pub dispositions: Vec<Disposition>,
    /// Who signed, in the order in which they did.
    pub sign_offs: Vec<SignOff>,
    /// SHA-256, in hex, of what a report shows beside all this: what bridges consist of, matched rows, earlier months.
    /// `None` where nothing stands beside it.
    pub beside_sha256: Option<String>,
}

/// How far the closing of a month has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum MonthState {
    /// The books may still change.
    Preliminary,
    /// Closed.
    Final {
        /// Counts from 1; a month that was opened again gets the next one.
        number: u32,
        /// The run that was final before.
        supersedes: Option<RunId>,
    },
}

/// What page one says of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The item.
    pub item: IpeId,
    /// What it is.
    pub title: String,
    /// Its run; `None` where there is no package.
    pub run_id: Option<RunId>,
    /// What came of it.
    pub status: Option<ItemStatus>,
    /// SHA-256 of the manifest of its package, in hex.
    pub manifest_sha256: Option<String>,
    /// Rows staged.
    pub rows: Option<u64>,
    /// Sums of its amounts over all companies, by column.
    pub totals: BTreeMap<String, Amount>,
    /// Its columns; `None` where there is no package, or an older version judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Newest date of its source, as stored.
    pub refreshed_at: Option<NaiveDateTime>,
    /// What its checks said.
    pub verdicts: InputVerdicts,
    /// Beginning of the content digest.
    pub digest: Option<String>,
}

/// What the checks of an item said, by kind: the worst of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputVerdicts {
    /// The wire lost nothing.
    pub transfer: Verdict,
    /// Everything that belongs to it is in it.
    pub population: Verdict,
    /// What is in it is so at the source.
    pub accuracy_positive: Verdict,
    /// What is not in it does not belong to it.
    pub accuracy_negative: Verdict,
    /// Any check at all: the worst.
    pub all: Verdict,
}

/// The earlier month that a month is compared with: the last one, else the last that is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The month.
    pub period: Period,
    /// The run that speaks for it.
    pub run_id: RunId,
    /// Whether that run is final.
    pub is_final: bool,
    /// SHA-256 of the binary that judged it, in hex.
    pub binary_sha256: String,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What, such as `query of IPE_07`, `thresholds of EG`, `binary`.
    pub what: String,
    /// Then; `None` where it was not there.
    pub before: Option<String>,
    /// This month; `None` where it is not there any more.
    pub now: Option<String>,
}

/// What is to become of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It stays as it is.
    Accept,
    /// The ledger or the source is corrected.
    Adjust,
    /// It is looked at again next month.
    CarryForward,
}

/// What somebody said of an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Line.
    pub line: String,
    /// Company code.
    pub company: String,
    /// Account, where the line is compared by account.
    pub gl: Option<String>,
    /// The unexplained amount that it was said of: another amount needs another word.
    pub unexplained: Amount,
    /// What is to be done.
    pub decision: Decision,
    /// Why.
    pub text: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A role in signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Made it.
    Prepared,
    /// Looked at it.
    Reviewed,
    /// Answers for it.
    Approved,
}

/// Somebody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// As whom.
    pub role: Role,
    /// Person or service.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Fingerprint of the run that was signed.
    pub fingerprint: String,
    /// What they said.
    pub comment: String,
}

impl InputVerdicts {
    /// What an item's checks say; without a check of a kind it did not run.
    #[must_use]
    pub fn of(checks: &[CheckResult]) -> Self {
        let of = |kind: &str| {
            let own = checks.iter().filter(|check| check.id.starts_with(kind));
            let said = own.map(|check| match check.verdict {
                // Nothing to look at is only believed with the count that shows it.
                Verdict::NotApplicable if !check.clears() => Verdict::NotRun,
                verdict => verdict,
            });
            let worst = said.max_by_key(|verdict| badness(*verdict));
            worst.unwrap_or(Verdict::NotRun)
        };
        Self {
            transfer: of("transfer."),
            population: of("population."),
            accuracy_positive: of("accuracy.positive"),
            accuracy_negative: of("accuracy.negative"),
            all: of(""),
        }
    }
}

fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NotApplicable => 0,
        Verdict::Pass => 1,
        Verdict::NotRun => 2,
        Verdict::Fail => 3,
    }
}

fn clears(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::NotApplicable)
}

impl Statement {
    /// The control's word: that of the lines, and exceptions if a check of an item or a zero check did not clear.
    #[must_use]
    pub fn control_result(&self) -> ControlResult {
        let inputs = self.unclear().next().is_none();
        let zeros = self.zero_checks.iter().all(|check| clears(check.verdict));
        match self.result.of_lines() {
            ControlResult::NoExceptions if !inputs || !zeros || !self.accepted.is_empty() => {
                ControlResult::Exceptions
            }
            word => word,
        }
    }

    /// 1 if anything is to be reported, else 0: what could not be concluded is reported too.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(self.control_result() != ControlResult::NoExceptions)
    }

    /// Inputs of which a check failed or did not run.
    pub fn unclear(&self) -> impl Iterator<Item = &Input> {
        let inputs = self.inputs.iter();
        inputs.filter(|input| !clears(input.verdicts.all))
    }

    /// Entries that were dated into a closed month.
    pub fn late_postings(&self) -> impl Iterator<Item = &ReconcileFinding> {
        let findings = self.result.findings.iter();
        findings.filter(|found| found.code == Code::LatePosting)
    }

    /// The last word on an exception that was said of its present amount.
    #[must_use]
    pub fn disposition(&self, line: &str, bucket: &Bucket) -> Option<&Disposition> {
        let amount = bucket.unexplained?;
        self.dispositions.iter().rev().find(|said| {
            said.line == line
                && said.company == bucket.company
                && said.gl == bucket.gl
                && same(said.unexplained, amount)
        })
    }

    /// Why the month cannot be closed: lines that are not concluded, and exceptions of which nobody said anything.
    #[must_use]
    pub fn open(&self) -> Vec<String> {
        let exceptions = self.result.exceptions().into_iter();
        let open = exceptions.filter_map(|(line, bucket)| {
            let gl = bucket.gl.as_deref().unwrap_or_default();
            let place = format!("{} {} {gl}", line.id, bucket.company);
            let place = place.trim_end();
            match bucket.status {
                Status::Ok => None,
                Status::NotConcluded => Some(format!("{place} is not concluded")),
                Status::Investigate | Status::OverExplained => {
                    let is_said = self.disposition(&line.id, bucket).is_some();
                    (!is_said).then(|| format!("{place} has no disposition"))
                }
            }
        });
        open.collect()
    }
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
