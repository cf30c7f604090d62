//! Verifies a package: recomputes everything that can be recomputed and reports every inconsistency.
//!
//! Never stops at the first, never repairs, never trusts: the manifest is compared with the files, the files with the
//! record, the record with itself, and the record with the rows in staging, computed again by the second path.
//! What could not be looked at is listed as not run, and such a package is never called valid.

mod bag;
mod columns;
mod judged;
mod losses;
mod record;
mod rows;
mod status;
mod uploaded;
mod witnesses;

use crate::domain::digest::sha256_hex;
use crate::domain::limits::Limits;
use crate::pipeline::package::read::{Bag, read_bag};
use crate::pipeline::package::{BAG_INFO, BAGIT, LOG, MANIFEST, RECORD};
use crate::pipeline::reconcile::ScratchMaker;
use crate::pipeline::reconcile::judgement::JUDGEMENT;
use crate::pipeline::record::ItemRecord;
use crate::ports::{PortError, StoreRoot};

/// One inconsistency.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What is wrong, in one sentence.
    pub what: String,
    /// File, part or field where it is seen.
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct VerifyReport {
    /// Every inconsistency.
    pub findings: Vec<Finding>,
    /// What could not be looked at, and why.
    pub not_run: Vec<String>,
    /// What was looked at.
    pub checked: Vec<String>,
}

/// The word on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was looked at and agrees. Says nothing about whether the run succeeded.
    Valid,
    /// Everything was looked at and something does not agree.
    Findings,
    /// Something could not be looked at, whatever else was found.
    NotConcluded,
}

impl Outcome {
    /// Exit code: 0 valid, 1 findings, 2 not concluded.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Findings => 1,
            Self::NotConcluded => 2,
        }
    }
}

impl VerifyReport {
    /// The word on the package.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if !self.not_run.is_empty() {
            Outcome::NotConcluded
        } else if self.findings.is_empty() {
            Outcome::Valid
        } else {
            Outcome::Findings
        }
    }

    /// Adds a finding.
    fn find(
        &mut self,
        place: impl Into<String>,
        what: impl Into<String>,
        expected: impl ToString,
        actual: impl ToString,
    ) {
        self.findings.push(Finding {
            what: what.into(),
            place: place.into(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        });
    }

    /// Adds a finding unless the two are equal.
    fn same<T: PartialEq + ToString>(&mut self, place: &str, what: &str, expected: T, actual: T) {
        if expected != actual {
            self.find(place, what, expected, actual);
        }
    }
}

/// Opens a store root from its URI; the caller brings it, because the pipeline picks no adapter.
pub type Opener<'a> = &'a (dyn Fn(&str) -> Result<StoreRoot, PortError> + Send + Sync);

/// What to verify and with what.
#[derive(Clone, Copy)]
pub struct VerifyRequest<'a> {
    /// The folder of the package.
    pub package: &'a StoreRoot,
    /// Where the parts are now, if not at the URIs of the record.
    pub staging: Option<&'a StoreRoot>,
    /// Opens the staging root that the record names.
    pub open: Opener<'a>,
    /// SHA-256 of the manifest as it was noted elsewhere when the package was sealed.
    pub manifest_sha256: Option<&'a str>,
    /// Where rows wait while a month is judged again.
    pub scratch: ScratchMaker<'a>,
    /// How much may be held at once.
    pub limits: &'a Limits,
}

/// Verifies one package, of an item or of a reconciliation.
pub async fn verify_package(request: VerifyRequest<'_>) -> VerifyReport {
    let mut report = VerifyReport::default();
    let bag = match read_bag(request.package).await {
        Ok(bag) => bag,
        Err(error) => {
            report
                .not_run
                .push(format!("the package cannot be read: {error}"));
            return report;
        }
    };
    if bag.files.is_empty() && bag.unread.is_empty() {
        let what = format!("there is no package at {}", request.package.uri);
        report.not_run.push(what);
        return report;
    }
    if bag.files.contains_key(JUDGEMENT) {
        judged::judged(&bag, request, &mut report).await;
        return report;
    }
    let Some(record) = whole(&bag, request.manifest_sha256, &mut report) else {
        return report;
    };
    bag::location(&request.package.uri, &record, &mut report);
    record::consistency(&record, &mut report);
    status::statuses(&record, &mut report);
    uploaded::file(&record, request, &mut report).await;
    rows::rows(&record, request, &mut report).await;
    report
}

/// Verifies what needs nothing but the files of a package: they are whole, and all say what the record says. Gives the
/// record, if it can be read.
#[must_use]
pub fn verify_bag(bag: &Bag) -> (VerifyReport, Option<ItemRecord>) {
    let mut report = VerifyReport::default();
    let record = whole(bag, None, &mut report);
    (report, record)
}

fn whole(bag: &Bag, noted: Option<&str>, report: &mut VerifyReport) -> Option<ItemRecord> {
    let must_have = [BAGIT, BAG_INFO, MANIFEST, RECORD, LOG];
    bag::structure(bag, noted, &must_have, report);
    let record = read_record(bag, report);
    match &record {
        Some(record) => bag::views_equal_record(bag, record, report),
        None => {
            let what = "everything that rests on data/record.json: views, consistency, rows";
            report.not_run.push(what.to_owned());
        }
    }
    record
}

fn read_record(bag: &Bag, report: &mut VerifyReport) -> Option<ItemRecord> {
    let bytes = bag.files.get(RECORD)?;
    match serde_json::from_slice(bytes) {
        Ok(record) => Some(record),
        Err(error) => {
            let actual = format!("{error} (SHA-256 {})", sha256_hex(bytes));
            report.find(
                RECORD,
                "the record cannot be read",
                "the record of one item",
                actual,
            );
            None
        }
    }
}
