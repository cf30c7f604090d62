//! The checks of one item: a pure function of its record, so that the verifier can make them again.
//!
//! Nothing is asked here, and nothing that did not happen counts as a pass.

use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::digest::bucket_finding;
use crate::domain::manifest::{Recomputed, Staged};
use crate::domain::totals::ControlTotals;
use crate::kernels::conform::contract_findings;
use crate::ports::{BY_CONTRACT, Consistency};

use super::check_population::{
    self, POPULATION_BASE, POPULATION_COMPANIES, POPULATION_EXTRACT, POPULATION_FRESHNESS,
    POPULATION_SCOPE, POPULATION_SEQUENCE,
};
use super::check_quality::{self, QUALITY_RULES};
use super::check_witness::{self, ACCURACY_POSITIVE};
use super::record::ItemRecord;

pub use super::check_loaded::after_load;

/// Identifier of the check that compares the description with the contract.
pub const CONTRACT_COLUMNS: &str = "contract.columns";
/// Identifier of the check that counts nulls where the contract allows none.
pub const CONTRACT_NULLS: &str = "contract.nulls";
/// Identifier of the check that compares the source's totals with what was decoded.
pub const TRANSFER_SOURCE: &str = "transfer.source_decoded";
/// Identifier of the check that the source did not change while it was read.
pub const TRANSFER_STABLE: &str = "transfer.source_stable";
/// Identifier of the check that compares decoded totals with those of the staged bytes.
pub const TRANSFER_STAGED: &str = "transfer.decoded_staged";
/// Identifier of the check that compares the two computations of the digest.
pub const DIGEST_STAGED: &str = "digest.decoded_staged";
/// Identifier of the check that no two rows share the true key.
pub const KEY_UNIQUE: &str = "key.unique";
/// Identifier of the check that compares the load's count with the staged rows.
pub const TRANSFER_LOADED: &str = "transfer.staged_loaded";
/// Identifier of the check that compares the warehouse's totals with the staged ones.
pub const TRANSFER_WAREHOUSE: &str = "transfer.staged_warehouse";
/// Identifier of the check that compares the warehouse's digest with the staged one.
pub const DIGEST_WAREHOUSE: &str = "digest.staged_warehouse";

/// Identifier of the check that the month holds this run and no other.
pub const WAREHOUSE_RUN: &str = "warehouse.one_run";
/// Identifier of the check that the table is still that of the contract.
pub const WAREHOUSE_TABLE: &str = "warehouse.table";

/// Every check with what it says, in the order in which they are made.
pub const CHECKS: [(&str, &str); 20] = [
    (CONTRACT_COLUMNS, "names, order and types of the columns"),
    (CONTRACT_NULLS, "nulls only where the contract allows them"),
    (
        QUALITY_RULES,
        "numbers, days, sums and how much of a column is filled are as ipe.toml says",
    ),
    (
        TRANSFER_SOURCE,
        "rows and sums per company by separate SQL = decoded",
    ),
    (
        TRANSFER_STABLE,
        "rows and totals come from one SNAPSHOT transaction, or totals before the rows = totals after them",
    ),
    (
        TRANSFER_STAGED,
        "rows and sums per company decoded = read back from staging",
    ),
    (
        DIGEST_STAGED,
        "content digest of the stream = second path over staging",
    ),
    (KEY_UNIQUE, "no two rows share the true key"),
    (
        POPULATION_BASE,
        "rows of the base table = rows of the funnel, per company",
    ),
    (
        POPULATION_EXTRACT,
        "rows and sums of the base table less what each predicate removes = extract, per company",
    ),
    (
        POPULATION_COMPANIES,
        "expected companies delivered, or have an evidenced zero",
    ),
    (
        POPULATION_SEQUENCE,
        "running numbers do not repeat, none of last month's has disappeared; gaps are counted",
    ),
    (
        POPULATION_FRESHNESS,
        "oldest and newest source row per company are not before the bounds that ipe.toml declares",
    ),
    (
        POPULATION_SCOPE,
        "values of the declared columns counted for every base row; one that ipe.toml does not know is a finding and holds nothing",
    ),
    (
        ACCURACY_POSITIVE,
        "rows of every company, read again by key without a join, are staged as the source has them",
    ),
    (
        TRANSFER_LOADED,
        "rows that the load reports = rows staged, and the files that it read",
    ),
    (
        TRANSFER_WAREHOUSE,
        "rows and sums per company in the warehouse = staged",
    ),
    (DIGEST_WAREHOUSE, "content digest in the warehouse = staged"),
    (WAREHOUSE_RUN, "the month holds this run and no other"),
    (
        WAREHOUSE_TABLE,
        "after the load the table is still that of the contract, and keeps its months",
    ),
];

/// All checks before the load, in a fixed order.
#[must_use]
pub fn before_load(record: &ItemRecord) -> Vec<CheckResult> {
    let staged = record.staged.as_ref();
    let rows = staged.map_or(0, Staged::rows);
    let mut checks = vec![
        contract_columns(record),
        of(
            CONTRACT_NULLS,
            CheckKind::Contract,
            "nulls only where the contract allows them",
            rows,
            &record.nulls,
        ),
        check_quality::check(record),
        source_decoded(record, staged),
        source_stable(record),
        decoded_staged(staged, record.recomputed.as_ref()),
        digest_staged(staged, record.recomputed.as_ref()),
        key_unique(record),
    ];
    checks.extend(check_population::checks(record));
    checks.push(check_witness::check(record));
    checks
}

/// The checks that hold a load: those that did not clear and that nobody answers for.
pub fn holding<'a>(
    record: &'a ItemRecord,
    checks: &'a [CheckResult],
) -> impl Iterator<Item = &'a CheckResult> {
    let accepted = &record.context.accepted;
    let is_accepted = |check: &CheckResult| {
        accepted
            .iter()
            .any(|accepted| accepted.check == check.id && accepted.validate().is_ok())
    };
    checks
        .iter()
        .filter(move |check| !check.clears() && !is_accepted(check))
}

/// The checks that did not clear, and that the item was loaded with because somebody answers for them.
#[must_use]
pub fn exceptions(record: &ItemRecord) -> Vec<&CheckResult> {
    let is_loaded = record.receipt.is_some();
    let checks = record.checks.iter().filter(|check| !check.clears());
    checks.filter(|_| is_loaded).collect()
}

/// Where the server cannot describe, the contract is not compared with itself: names, order and types are compared with
/// what arrives, so that there is nothing to say before all rows are there.
fn contract_columns(record: &ItemRecord) -> CheckResult {
    let arrives = record
        .described
        .as_ref()
        .is_some_and(|described| described.by == BY_CONTRACT);
    let described = record.described.as_ref();
    let described = described.filter(|_| !arrives || record.staged.is_some());
    let summary = if arrives {
        "names, order and types of the columns as they arrived; described by contract, because the server cannot describe"
    } else {
        "names, order and types of the columns"
    };
    of(
        CONTRACT_COLUMNS,
        CheckKind::Contract,
        summary,
        column_count(record),
        &described.map(|described| contract_findings(&record.contract, described)),
    )
}

fn column_count(record: &ItemRecord) -> u64 {
    u64::try_from(record.contract.columns.len()).unwrap_or(u64::MAX)
}

fn of(
    id: &str,
    kind: CheckKind,
    summary: &str,
    counted: u64,
    findings: &Option<Vec<String>>,
) -> CheckResult {
    match findings {
        None => CheckResult::not_run(id, kind, "not reached"),
        Some(findings) => CheckResult::of_findings(id, kind, summary, counted, findings.clone()),
    }
}

fn source_decoded(record: &ItemRecord, staged: Option<&Staged>) -> CheckResult {
    let (Some(source), Some(staged)) = (&record.source_totals, staged) else {
        return CheckResult::not_run(TRANSFER_SOURCE, CheckKind::Transfer, "not reached");
    };
    let summary = match record.file {
        None => "rows and sums per company by separate SQL = decoded",
        Some(_) => "rows and sums per company by a second reader of the file's bytes = decoded",
    };
    CheckResult::of_findings(
        TRANSFER_SOURCE,
        CheckKind::Transfer,
        summary,
        source.rows(),
        source.differences(&staged.totals, "source", "decoded"),
    )
}

fn source_stable(record: &ItemRecord) -> CheckResult {
    let not_run = || CheckResult::not_run(TRANSFER_STABLE, CheckKind::Transfer, "not reached");
    match (
        record.consistency,
        &record.source_totals,
        &record.source_totals_after,
    ) {
        (Some(Consistency::Snapshot), Some(before), _) if record.staged.is_some() => {
            stable("rows and totals come from one SNAPSHOT transaction", before)
        }
        (Some(Consistency::Copied), Some(before), _) if record.staged.is_some() => stable(
            "rows and totals are read from one copy of the file, each piece of it proven by its SHA-256",
            before,
        ),
        (Some(Consistency::Bracketed), Some(before), Some(after)) => {
            let mut findings = before.differences(after, "source before", "source after");
            if !findings.is_empty() {
                findings.insert(
                    0,
                    "source changed while read; run again when nobody posts, or allow SNAPSHOT"
                        .to_owned(),
                );
            }
            CheckResult::of_findings(
                TRANSFER_STABLE,
                CheckKind::Transfer,
                "totals before the rows = totals after them (bracketed)",
                before.rows(),
                findings,
            )
        }
        _ => not_run(),
    }
}

fn stable(summary: &str, before: &ControlTotals) -> CheckResult {
    let (id, kind) = (TRANSFER_STABLE, CheckKind::Transfer);
    CheckResult::of_findings(id, kind, summary, before.rows(), Vec::new())
}

fn decoded_staged(staged: Option<&Staged>, recomputed: Option<&Recomputed>) -> CheckResult {
    let (Some(staged), Some(recomputed)) = (staged, recomputed) else {
        return CheckResult::not_run(TRANSFER_STAGED, CheckKind::Transfer, "not reached");
    };
    let mut findings = staged
        .totals
        .differences(&recomputed.totals, "decoded", "staging");
    if staged.rows() != staged.totals.rows() {
        findings.push(format!(
            "{} rows in the part files, {} decoded",
            staged.rows(),
            staged.totals.rows()
        ));
    }
    CheckResult::of_findings(
        TRANSFER_STAGED,
        CheckKind::Transfer,
        "rows and sums per company decoded = read back from staging",
        recomputed.totals.rows(),
        findings,
    )
}

fn digest_staged(staged: Option<&Staged>, recomputed: Option<&Recomputed>) -> CheckResult {
    match (staged, recomputed) {
        (Some(staged), Some(recomputed)) => digests(
            DIGEST_STAGED,
            "content digest of the stream = second path over staging",
            (staged, recomputed),
            &[],
        ),
        _ => CheckResult::not_run(DIGEST_STAGED, CheckKind::Digest, "not reached"),
    }
}

fn key_unique(record: &ItemRecord) -> CheckResult {
    let Some(audit) = &record.keys else {
        return CheckResult::not_run(KEY_UNIQUE, CheckKind::Key, "not reached");
    };
    let named = audit.repeated.iter().map(|repeated| {
        let places = repeated.places.join(", ");
        format!(
            "{} rows have the key {}: {places}",
            repeated.rows, repeated.key
        )
    });
    let mut findings: Vec<String> = named.collect();
    let unnamed = audit.repeated_keys - u64::try_from(findings.len()).unwrap_or(0);
    if unnamed > 0 {
        findings.push(format!("{unnamed} more keys are repeated"));
    }
    if findings.is_empty() && audit.unread > 0 {
        let why = format!(
            "{} rows with equal key hashes are too many to read",
            audit.unread
        );
        return CheckResult::not_run(KEY_UNIQUE, CheckKind::Key, why);
    }
    CheckResult::of_findings(
        KEY_UNIQUE,
        CheckKind::Key,
        format!("no two rows share ({})", record.contract.key.join(", ")),
        audit.rows,
        findings,
    )
}

pub(super) fn digests(
    id: &str,
    summary: &str,
    (staged, other): (&Staged, &Recomputed),
    buckets: &[u16],
) -> CheckResult {
    let mut findings = Vec::new();
    if staged.digest != other.digest {
        findings.push(format!(
            "content digest differs: {} and {}",
            staged.digest, other.digest
        ));
    }
    findings.extend(bucket_finding(buckets));
    CheckResult::of_findings(id, CheckKind::Digest, summary, other.digest.rows, findings)
}
