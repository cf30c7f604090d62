//! The checks of a load: what it reports, and what is then counted in the warehouse.
//!
//! A pure function of the record, like every check.

use super::check::{
    DIGEST_WAREHOUSE, TRANSFER_LOADED, TRANSFER_WAREHOUSE, WAREHOUSE_RUN, WAREHOUSE_TABLE, digests,
};
use super::record::ItemRecord;
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::manifest::{LoadReceipt, Recomputed, Staged};

/// The checks of a load, in their order.
const AFTER_LOAD: [(&str, CheckKind); 5] = [
    (TRANSFER_LOADED, CheckKind::Transfer),
    (TRANSFER_WAREHOUSE, CheckKind::Transfer),
    (DIGEST_WAREHOUSE, CheckKind::Digest),
    (WAREHOUSE_RUN, CheckKind::Transfer),
    (WAREHOUSE_TABLE, CheckKind::Contract),
];

/// All checks after the load; none where nothing was loaded. A load whose end is not known may have replaced the month,
/// and nothing of it was checked.
#[must_use]
pub fn after_load(record: &ItemRecord) -> Vec<CheckResult> {
    let (staged, receipt) = match (&record.staged, &record.receipt, &record.submitted) {
        (Some(staged), Some(receipt), _) => (staged, receipt),
        (_, None, Some(load)) => {
            let why = format!("the end of load job {} is not known", load.job_id);
            let not_run = |(id, kind)| CheckResult::not_run(id, kind, why.clone());
            return AFTER_LOAD.map(not_run).into();
        }
        _ => return Vec::new(),
    };
    let mut checks = vec![loaded(staged, receipt)];
    match &record.read_back {
        Some(back) => checks.extend(counted(record, staged, back)),
        None => checks.extend(AFTER_LOAD.into_iter().skip(1).map(not_counted)),
    }
    checks
}

fn loaded(staged: &Staged, receipt: &LoadReceipt) -> CheckResult {
    let mut findings = receipt.differing.clone();
    if receipt.output_rows != staged.rows() {
        findings.push(format!(
            "{} rows staged, {} reported by the load",
            staged.rows(),
            receipt.output_rows
        ));
    }
    CheckResult::of_findings(
        TRANSFER_LOADED,
        CheckKind::Transfer,
        "rows that the load reports = rows staged",
        staged.rows(),
        findings,
    )
}

fn counted(record: &ItemRecord, staged: &Staged, back: &Recomputed) -> [CheckResult; 4] {
    let transfer = CheckResult::of_findings(
        TRANSFER_WAREHOUSE,
        CheckKind::Transfer,
        "rows and sums per company in the warehouse = staged",
        back.totals.rows(),
        staged
            .totals
            .differences(&back.totals, "staging", "warehouse"),
    );
    let digest = digests(
        DIGEST_WAREHOUSE,
        "content digest in the warehouse = staged",
        (staged, back),
        record.differing_buckets.as_deref().unwrap_or_default(),
    );
    let rows = back.totals.rows();
    [transfer, digest, one_run(record, rows), table(record)]
}

fn one_run(record: &ItemRecord, rows: u64) -> CheckResult {
    let Some(runs) = &record.read_back_runs else {
        return not_counted((WAREHOUSE_RUN, CheckKind::Transfer));
    };
    let ours = record.context.run_id.as_str();
    let others = runs.iter().filter(|(run, _)| run.as_str() != ours);
    let mut findings: Vec<String> = others
        .map(|(run, rows)| format!("superseded by run {run}, which has {rows} rows in the month"))
        .collect();
    let of_ours = runs.get(ours).copied().unwrap_or_default();
    if of_ours != rows {
        findings.push(format!(
            "{of_ours} rows of run {ours} among {rows} rows of the month"
        ));
    }
    CheckResult::of_findings(
        WAREHOUSE_RUN,
        CheckKind::Transfer,
        "the month holds this run and no other",
        rows,
        findings,
    )
}

fn table(record: &ItemRecord) -> CheckResult {
    let Some(findings) = &record.read_back_table else {
        return not_counted((WAREHOUSE_TABLE, CheckKind::Contract));
    };
    CheckResult::of_findings(
        WAREHOUSE_TABLE,
        CheckKind::Contract,
        "the table is still that of the contract",
        u64::try_from(record.contract.columns.len()).unwrap_or(u64::MAX),
        findings.clone(),
    )
}

fn not_counted((id, kind): (&str, CheckKind)) -> CheckResult {
    CheckResult::not_run(id, kind, "the warehouse was not read back")
}
