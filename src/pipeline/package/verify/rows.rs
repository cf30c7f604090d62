//! The rows: every part is read from staging and everything is computed again from its bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, Date32Array, Scalar, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::kernels::cmp::neq;
use bytes::Bytes;
use chrono::NaiveDate;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Finding, VerifyReport, VerifyRequest};
use crate::domain::contract::Contract;
use crate::domain::manifest::{PartFile, Recomputed, Staged};
use crate::domain::run::RowMetadata;
use crate::kernels::conform::METADATA_COLUMNS;
use crate::kernels::quality::NullFinding;
use crate::kernels::recheck::recheck_part;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::{CREATED_BY, differences, footer, provenance, run_folder};
use crate::ports::StoreRoot;

/// Rows of metadata columns that are compared at once.
const METADATA_ROWS: usize = 8_192;

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
    let opened = match request.staging {
        Some(staging) => Ok(staging.clone()),
        None => (request.open)(&record.places.staging),
    };
    let staging = match opened {
        Ok(staging) => staging,
        Err(error) => {
            report
                .not_run
                .push(format!("rows: the staging root cannot be opened: {error}"));
            return;
        }
    };
    let folder = run_folder(&record.ipe, record.context.period, &record.context.run_id);
    let others = staging
        .list(&folder)
        .await
        .is_ok_and(|stored| !stored.is_empty());
    let mut all: Option<Recomputed> = None;
    let mut nulls = BTreeMap::new();
    let mut complete = !staged.parts.is_empty();
    for part in &staged.parts {
        let Some(bytes) = fetch(&staging, part, others, report).await else {
            complete = false;
            continue;
        };
        let one = examine(part, bytes, record, request.recheck_rows_max).await;
        report.findings.extend(one.findings);
        for (column, count) in one.nulls {
            *nulls.entry(column).or_default() += count;
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
        Some(all) => against_record(record, staged, &all, &nulls, report),
        None => report
            .not_run
            .push("totals and digest of all rows: not every part could be computed".to_owned()),
    }
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
    ) {
        Ok((wrong, nulls)) => {
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

/// Rows by metadata column where it holds another value than the run's, and nulls by column where none may be.
type Looked = (Vec<(&'static str, usize)>, BTreeMap<String, u64>);

fn look_through(
    bytes: &Bytes,
    metadata: &RowMetadata,
    contract: &Contract,
) -> Result<Looked, String> {
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let required = contract.columns.iter().filter(|column| !column.nullable);
    let required: Vec<&str> = required.map(|column| column.name.as_str()).collect();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(|e| fail(&e))?;
    let wanted = METADATA_COLUMNS.iter().chain(&required).copied();
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(METADATA_ROWS)
        .build();
    let expected = expected_values(metadata).ok_or("a date of the record is out of range")?;
    let mut wrong = [0_usize; METADATA_COLUMNS.len()];
    let mut nulls = BTreeMap::new();
    for batch in reader.map_err(|e| fail(&e))? {
        let batch = batch.map_err(|e| fail(&e))?;
        let column = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| format!("no column {name}"))
        };
        for ((name, value), wrong) in METADATA_COLUMNS.iter().zip(&expected).zip(&mut wrong) {
            let column = column(name)?;
            let scalar = Scalar::new(Arc::clone(value));
            let differs = neq(column, &scalar).map_err(|e| fail(&e))?;
            *wrong += differs.true_count() + differs.null_count();
        }
        for name in &required {
            let count = u64::try_from(column(name)?.null_count()).unwrap_or(u64::MAX);
            *nulls.entry((*name).to_owned()).or_default() += count;
        }
    }
    let found = METADATA_COLUMNS.into_iter().zip(wrong);
    let found = found.filter(|(_, rows)| *rows > 0).collect();
    Ok((found, nulls))
}

/// One value a metadata column, in the order of [`METADATA_COLUMNS`].
fn expected_values(metadata: &RowMetadata) -> Option<[ArrayRef; METADATA_COLUMNS.len()]> {
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let instant = |value: chrono::DateTime<chrono::Utc>| -> ArrayRef {
        let micros = TimestampMicrosecondArray::from(vec![value.timestamp_micros()]);
        Arc::new(micros.with_timezone("UTC"))
    };
    let date = |value: NaiveDate| -> Option<ArrayRef> {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
        let days = i32::try_from(value.signed_duration_since(epoch).num_days()).ok()?;
        Some(Arc::new(Date32Array::from(vec![days])))
    };
    Some([
        text(metadata.ipe_id.as_str()),
        instant(metadata.extraction_date),
        date(metadata.cutoff_date)?,
        instant(metadata.processing_timestamp),
        text(&metadata.source_system),
        text(metadata.run_id.as_str()),
        date(metadata.period)?,
    ])
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
