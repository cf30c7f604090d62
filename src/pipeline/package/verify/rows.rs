//! The rows: every part is read from staging and everything is computed again from its bytes.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::columns::{Looked, look_through};
use super::losses;
use super::{Finding, VerifyReport, VerifyRequest};
use crate::domain::keys::KeyAudit;
use crate::domain::limits::Limits;
use crate::domain::manifest::{PartFile, Recomputed, Staged};
use crate::domain::quality::QualitySeen;
use crate::kernels::quality::NullFinding;
use crate::kernels::recheck::recheck_part;
use crate::pipeline::keys;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::{CREATED_BY, differences, footer, provenance, run_folder};
use crate::ports::StoreRoot;

/// Verifies the parts of a record, one at a time.
pub(super) async fn rows(
    record: &ItemRecord,
    request: VerifyRequest<'_>,
    report: &mut VerifyReport,
) {
    let Some(staged) = &record.staged else {
        report.checked.push("rows: nothing was staged".to_owned());
        return;
    };
    let Some(staging) = staging_of(record, request, "rows", report) else {
        return;
    };
    let folder = run_folder(&record.ipe, record.context.period, &record.context.run_id);
    let others = staging
        .list(&folder)
        .await
        .is_ok_and(|stored| !stored.is_empty());
    let mut all: Option<Recomputed> = None;
    let (mut nulls, mut values) = (BTreeMap::new(), BTreeMap::new());
    let mut quality: Option<QualitySeen> = None;
    let mut complete = !staged.parts.is_empty();
    for part in &staged.parts {
        let Some(bytes) = fetch(&staging, part, others, report).await else {
            complete = false;
            continue;
        };
        let one = examine(part, bytes, record, request.limits.recheck_rows_max).await;
        report.findings.extend(one.findings);
        for (column, count) in one.nulls {
            *nulls.entry(column).or_default() += count;
        }
        match (&mut quality, one.quality) {
            (Some(all), Some(one)) => all.add(&one),
            (all, one) => *all = all.take().or(one),
        }
        for (column, count) in one.values {
            *values.entry(column).or_default() += count;
        }
        match (one.recomputed, all.as_mut()) {
            (Some(one), None) => all = Some(one),
            (Some(one), Some(all)) => {
                all.digest = all.digest.merge(&one.digest);
                if let Err(error) = all.totals.merge(&one.totals) {
                    report.find(&part.uri, "the totals cannot be added", "sums", error);
                }
            }
            (None, _) => complete = false,
        }
    }
    match all.filter(|_| complete) {
        Some(all) => {
            against_record(record, staged, &all, &nulls, report);
            of_rules(record, quality.as_ref(), report);
            losses::ledger_of(record, &values, report);
            keys(record, staged, &staging, request.limits, report).await;
            super::witnesses::of_record(record, staged, &staging, request.limits, report).await;
        }
        None => report
            .not_run
            .push("totals and digest of all rows: not every part could be computed".to_owned()),
    }
}

/// What the record counted for the rules of its item, against the rows.
fn of_rules(record: &ItemRecord, found: Option<&QualitySeen>, report: &mut VerifyReport) {
    let counted = |seen: Option<&QualitySeen>| format!("{seen:?}");
    report.same(
        "data/record.json",
        "what the record counted for its rules is not what the rows give",
        counted(found),
        counted(record.quality.as_ref()),
    );
}

/// The staging root that holds what the record names.
pub(super) fn staging_of(
    record: &ItemRecord,
    request: VerifyRequest<'_>,
    what: &str,
    report: &mut VerifyReport,
) -> Option<StoreRoot> {
    let opened = match request.staging {
        Some(staging) => Ok(staging.clone()),
        None => (request.open)(&record.places.staging),
    };
    let said = |error| format!("{what}: the staging root cannot be opened: {error}");
    opened
        .map_err(|error| report.not_run.push(said(error)))
        .ok()
}

async fn fetch(
    staging: &StoreRoot,
    part: &PartFile,
    others: bool,
    report: &mut VerifyReport,
) -> Option<Bytes> {
    match staging.find(&part.path).await {
        Ok(Some(bytes)) => Some(bytes),
        Ok(None) => {
            if others {
                let what = "a part is missing beside others of its run";
                report.find(&part.uri, what, &part.sha256, "missing");
            }
            let place = staging.uri_of(&part.path);
            report
                .not_run
                .push(format!("rows of a part: there is nothing at {place}"));
            None
        }
        Err(error) => {
            report.not_run.push(format!("rows of a part: {error}"));
            None
        }
    }
}

/// What one part gave.
#[derive(Default)]
struct Examined {
    findings: Vec<Finding>,
    recomputed: Option<Recomputed>,
    /// Nulls by column, of columns that must have none.
    nulls: BTreeMap<String, u64>,
    /// Values by column, as the footer has them.
    values: BTreeMap<String, u64>,
    /// What the rules of the item ask for.
    quality: Option<QualitySeen>,
}

impl Examined {
    fn find(
        &mut self,
        part: &PartFile,
        what: &str,
        expected: impl ToString,
        actual: impl ToString,
    ) {
        self.findings.push(Finding {
            what: what.to_owned(),
            place: part.uri.clone(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        });
    }
}

async fn examine(part: &PartFile, bytes: Bytes, record: &ItemRecord, rows_max: usize) -> Examined {
    let (held, record) = (part.clone(), record.clone());
    let work = move || examine_bytes(&held, bytes, &record, rows_max);
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        let mut examined = Examined::default();
        examined.find(part, "the part cannot be examined", "a Parquet file", error);
        examined
    })
}

fn examine_bytes(part: &PartFile, bytes: Bytes, record: &ItemRecord, rows_max: usize) -> Examined {
    let mut examined = Examined::default();
    for difference in differences(part, &bytes) {
        examined.find(
            part,
            "the part is not the one that was staged",
            "as in data/parts.json",
            difference,
        );
    }
    if !examine_footer(part, &bytes, record, &mut examined) {
        return examined;
    }
    match look_through(
        &bytes,
        &record.context.row_metadata(&record.ipe),
        &record.contract,
        (&record.quality_rules, record.context.period),
    ) {
        Ok(Looked {
            wrong,
            nulls,
            quality,
            keys_sha256,
        }) => {
            examined.quality = quality;
            for (column, rows) in wrong {
                let what = format!("metadata column {column} is not that of the run");
                examined.find(
                    part,
                    &what,
                    "the value of the record in every row",
                    format!("{rows} rows differ"),
                );
            }
            examined.nulls = nulls;
            if keys_sha256 != part.keys_sha256 {
                let what = "the sidecar is not that of the keys of the rows";
                examined.find(part, what, keys_sha256, &part.keys_sha256);
            }
        }
        Err(error) => examined.find(
            part,
            "the columns cannot be read",
            "the columns of the contract and seven of metadata",
            error,
        ),
    }
    match recheck_part(bytes, &record.contract, rows_max) {
        Ok(recomputed) => examined.recomputed = Some(recomputed),
        Err(error) => examined.find(
            part,
            "the rows cannot be computed again",
            "rows of the contract",
            error,
        ),
    }
    examined
}

/// Compares the footer with the record; `false` when the bytes have none.
fn examine_footer(
    part: &PartFile,
    bytes: &Bytes,
    record: &ItemRecord,
    examined: &mut Examined,
) -> bool {
    let Ok(footer) = footer(bytes) else {
        return false;
    };
    examined.values = losses::values(&footer);
    let file = footer.file_metadata();
    if file.created_by() != Some(CREATED_BY) {
        let actual = file.created_by().unwrap_or("nobody");
        examined.find(
            part,
            "the part was written by another program",
            CREATED_BY,
            actual,
        );
    }
    let expected = provenance(
        &record.context,
        &record.ipe,
        &record.contract,
        &record.definition_sha256,
    );
    let pairs = file.key_value_metadata();
    for (key, value) in &expected {
        let mut found = pairs.into_iter().flatten().filter(|pair| pair.key == *key);
        let actual = found.next().and_then(|pair| pair.value.as_deref());
        if actual != Some(value) {
            let what = format!("{key} in the footer is not that of the record");
            examined.find(part, &what, value, actual.unwrap_or("missing"));
        }
    }
    true
}

/// What the rows give now is what the second path found then, or what was decoded if it did not come to that.
fn against_record(
    record: &ItemRecord,
    staged: &Staged,
    all: &Recomputed,
    nulls: &BTreeMap<String, u64>,
    report: &mut VerifyReport,
) {
    if let Some(recorded) = &record.nulls {
        let broken = record.contract.columns.iter().filter_map(|column| {
            let nulls = nulls
                .get(&column.name)
                .copied()
                .filter(|nulls| *nulls > 0)?;
            let (column, rows) = (column.name.clone(), all.digest.rows);
            Some(
                NullFinding {
                    column,
                    nulls,
                    rows,
                }
                .to_string(),
            )
        });
        let broken: Vec<String> = broken.collect();
        let what = "the nulls of the record are not those of the rows";
        report.same(
            "data/record.json",
            what,
            broken.join("; "),
            recorded.join("; "),
        );
    }
    let (name, digest, totals) = match &record.recomputed {
        Some(second) => ("staged", second.digest, &second.totals),
        None => ("decoded", staged.digest, &staged.totals),
    };
    for difference in totals.differences(&all.totals, name, "recomputed now") {
        let what = "totals of the record are not those of the rows";
        report.find("data/totals.json", what, "equal totals", difference);
    }
    let what = "the digest of the record is not that of the rows";
    report.same("data/digest.json", what, digest, all.digest);
    let parts = staged.parts.len();
    report.checked.push(format!(
        "{parts} parts: bytes, SHA-256, footers, metadata, totals and digest of {} rows",
        all.digest.rows
    ));
}

/// The keys of the record are those that the sidecars give now.
async fn keys(
    record: &ItemRecord,
    staged: &Staged,
    staging: &StoreRoot,
    limits: &Limits,
    report: &mut VerifyReport,
) {
    let Some(recorded) = &record.keys else {
        return;
    };
    match keys::audit(staging, &record.contract, &staged.parts, limits).await {
        Ok(now) if now == *recorded => {}
        Ok(now) => {
            let what = "the keys of the record are not those of the rows";
            let shown = |audit: &KeyAudit| {
                let KeyAudit {
                    rows,
                    repeated_keys,
                    ..
                } = audit;
                format!("{repeated_keys} repeated keys in {rows} rows")
            };
            report.find("data/record.json", what, shown(&now), shown(recorded));
        }
        Err(error) => report.not_run.push(format!("keys: {error}")),
    }
}
