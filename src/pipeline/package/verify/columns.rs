//! What the verifier looks at column by column: metadata, nulls and keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, Date32Array, Scalar, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::kernels::cmp::neq;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use chrono::NaiveDate;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::domain::contract::{Column, Contract};
use crate::domain::digest::sha256_hex;
use crate::domain::period::Period;
use crate::domain::quality::{QualityRules, QualitySeen};
use crate::domain::run::RowMetadata;
use crate::kernels::conform::METADATA_COLUMNS;
use crate::kernels::keys::KeyFold;
use crate::kernels::rules::RuleFold;

/// Rows that are looked at together.
const ROWS: usize = 8_192;

/// What some columns of a part hold.
pub(super) struct Looked {
    /// Rows by metadata column where it holds another value than the run's.
    pub(super) wrong: Vec<(&'static str, usize)>,
    /// Nulls by column where none may be.
    pub(super) nulls: BTreeMap<String, u64>,
    /// What the rules of the item ask for; `None` without rules.
    pub(super) quality: Option<QualitySeen>,
    /// SHA-256 of the hashes of the keys, in hex.
    pub(super) keys_sha256: String,
}

/// Reads the metadata columns, the columns without nulls and those of the key, a few rows at a time.
///
/// # Errors
/// What cannot be read, in one sentence.
pub(super) fn look_through(
    bytes: &Bytes,
    metadata: &RowMetadata,
    contract: &Contract,
    (rules, period): (&QualityRules, Period),
) -> Result<Looked, String> {
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let required = contract.columns.iter().filter(|column| !column.nullable);
    let required: Vec<&str> = required.map(|column| column.name.as_str()).collect();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(|e| fail(&e))?;
    let key = of_columns(contract, |column| contract.key.contains(&column.name));
    let key_names = names(&key);
    let mut keys = KeyFold::new(&key);
    let ruled = of_columns(contract, |column| {
        rules.columns.iter().any(|rule| rule.column == column.name)
    });
    let ruled_names = names(&ruled);
    let fold = (!rules.is_empty()).then(|| RuleFold::new(&ruled, rules, period));
    let mut watched = fold.transpose().map_err(|e| fail(&e))?;
    let wanted = METADATA_COLUMNS.iter().chain(&required).chain(&key_names);
    let wanted = wanted.chain(&ruled_names);
    let wanted = wanted.copied();
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build();
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
        let of = |names: &[&str]| {
            let columns = names.iter();
            let columns = columns.map(|name| Ok((*name, Arc::clone(column(name)?), true)));
            let columns: Vec<_> = columns.collect::<Result<_, String>>()?;
            RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| fail(&e))
        };
        keys.fold(&of(&key_names)?).map_err(|e| fail(&e))?;
        if let Some(watched) = &mut watched {
            let batch = match ruled_names.is_empty() {
                true => batch.clone(),
                false => of(&ruled_names)?,
            };
            watched.fold(&batch).map_err(|e| fail(&e))?;
        }
    }
    let found = METADATA_COLUMNS.into_iter().zip(wrong);
    Ok(Looked {
        wrong: found.filter(|(_, rows)| *rows > 0).collect(),
        nulls,
        quality: watched.map(RuleFold::finish),
        keys_sha256: sha256_hex(&keys.take()),
    })
}

fn names(contract: &Contract) -> Vec<&str> {
    let columns = contract.columns.iter();
    columns.map(|column| column.name.as_str()).collect()
}

/// The contract of some columns alone.
fn of_columns(contract: &Contract, is_wanted: impl Fn(&Column) -> bool) -> Contract {
    let columns = contract.columns.iter();
    Contract {
        columns: columns
            .filter(|column| is_wanted(column))
            .cloned()
            .collect(),
        ..contract.clone()
    }
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
