//! Uniqueness of keys over all parts of an item, from the sidecars with the hashes of their keys.
//!
//! Memory: one sidecar, the hashes of one pass, and the keys of the rows whose hash occurs twice. The number of rows
//! only adds passes.

use std::collections::{BTreeMap, BTreeSet};

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use tokio::task::spawn_blocking;

use super::stage;
use crate::domain::contract::Contract;
use crate::domain::digest::sha256_hex;
use crate::domain::keys::{KeyAudit, RepeatedKey};
use crate::domain::limits::Limits;
use crate::domain::manifest::PartFile;
use crate::kernels::canonical::RowLayout;
use crate::kernels::keys::{HASH_BYTES, Pass, Repeats, hashes};
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Repeated keys that are named; the others are counted.
const NAMED_MAX: usize = 20;
/// Places that are named for each.
const PLACES_MAX: usize = 4;

/// Path of the sidecar of a part.
#[must_use]
pub fn sidecar_path(part: &str) -> String {
    format!("{}.keys", part.trim_end_matches(".parquet"))
}

/// Reads the sidecar of a part; it is the one that was written and has one hash a row.
///
/// # Errors
/// `Corrupt` when it is not; `Denied`, `Unreachable`.
pub async fn sidecar(staging: &StoreRoot, part: &PartFile) -> Result<Bytes, PortError> {
    let path = sidecar_path(&part.path);
    let bytes = staging.get(&path).await?;
    let refuse = |what: String| {
        PortError::new(PortErrorKind::Corrupt, what)
            .at("sidecar", staging.uri_of(&path))
            .hint("the storage changed it, or another program wrote there; run again")
    };
    let sha256 = sha256_hex(&bytes);
    if sha256 != part.keys_sha256 {
        let expected = &part.keys_sha256;
        return Err(refuse(format!("SHA-256 {sha256} instead of {expected}")));
    }
    let rows = u64::try_from(bytes.len() / HASH_BYTES).unwrap_or(u64::MAX);
    if bytes.len() % HASH_BYTES != 0 || rows != part.rows {
        let what = format!("{} bytes of hashes for {} rows", bytes.len(), part.rows);
        return Err(refuse(what));
    }
    Ok(bytes)
}

/// Examines the keys of all rows.
///
/// # Errors
/// `Corrupt` when a part or sidecar is not what was staged; `Denied`, `Unreachable`.
pub async fn audit(
    staging: &StoreRoot,
    contract: &Contract,
    parts: &[PartFile],
    limits: &Limits,
) -> Result<KeyAudit, PortError> {
    let rows = parts.iter().map(|part| part.rows).sum();
    let passes = Pass::all(rows, limits.key_pass_bytes_max);
    let mut audit = KeyAudit {
        rows,
        passes: u64::try_from(passes.len()).unwrap_or(u64::MAX),
        ..KeyAudit::default()
    };
    let mut candidates = BTreeSet::new();
    for pass in passes {
        let mut repeats = Repeats::new(pass);
        for part in parts {
            repeats.add(&sidecar(staging, part).await?);
        }
        let found = spawn_blocking(move || repeats.finish())
            .await
            .map_err(|e| PortError::new(PortErrorKind::Corrupt, format!("sorting keys: {e}")))?;
        audit.candidates += u64::try_from(found.len()).unwrap_or(u64::MAX);
        let room = limits.key_rows_read_max.saturating_sub(candidates.len());
        candidates.extend(found.into_iter().take(room));
    }
    if audit.candidates > 0 {
        read_candidates(staging, contract, parts, &candidates, limits, &mut audit).await?;
    }
    Ok(audit)
}

/// What is known of one key whose hash several rows have.
struct Held {
    shown: String,
    rows: u64,
    places: Vec<String>,
}

/// Reads the rows whose hash occurs more than once and compares their whole keys.
async fn read_candidates(
    staging: &StoreRoot,
    contract: &Contract,
    parts: &[PartFile],
    candidates: &BTreeSet<u64>,
    limits: &Limits,
    audit: &mut KeyAudit,
) -> Result<(), PortError> {
    let mut keys: BTreeMap<Vec<u8>, Held> = BTreeMap::new();
    let mut left = limits.key_rows_read_max;
    for (index, part) in parts.iter().enumerate() {
        let places = places(staging, part, candidates).await?;
        let rows: Vec<usize> = places.iter().map(|place| place.row).collect();
        let read = rows.get(..left.min(rows.len())).unwrap_or_default();
        audit.unread += u64::try_from(rows.len() - read.len()).unwrap_or(u64::MAX);
        left -= read.len();
        if !read.is_empty() {
            let bytes = stage::read_back(staging, part).await?;
            read_keys(bytes, contract, (index, read), limits, &mut keys).map_err(|what| {
                PortError::new(PortErrorKind::Corrupt, format!("reading keys: {what}"))
                    .at("part", part.uri.clone())
            })?;
        }
    }
    let unread_candidates = audit.candidates - u64::try_from(candidates.len()).unwrap_or(0);
    // Each of them has two rows at least.
    audit.unread += unread_candidates * 2;
    let repeated = keys.into_values().filter(|held| held.rows > 1);
    for held in repeated {
        audit.repeated_keys += 1;
        if audit.repeated.len() < NAMED_MAX {
            audit.repeated.push(RepeatedKey {
                key: held.shown,
                rows: held.rows,
                places: held.places,
            });
        }
    }
    Ok(())
}

/// A staged row and the hash of its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Row of the part, from 0.
    pub(super) row: usize,
    /// Hash of its key.
    pub(super) hash: u64,
}

/// The rows of a part whose keys have one of these hashes, in order.
pub(super) async fn places(
    staging: &StoreRoot,
    part: &PartFile,
    wanted: &BTreeSet<u64>,
) -> Result<Vec<Place>, PortError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let sidecar = sidecar(staging, part).await?;
    let places = hashes(&sidecar).enumerate();
    let places = places.map(|(row, hash)| Place { row, hash });
    Ok(places
        .filter(|place| wanted.contains(&place.hash))
        .collect())
}

/// Some rows of a part, of its columns those that are named.
pub(super) fn selected(
    bytes: Bytes,
    rows: &[usize],
    batch_rows_max: usize,
    columns: Option<&[String]>,
) -> Result<ParquetRecordBatchReader, String> {
    let fail = |error: parquet::errors::ParquetError| error.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(fail)?;
    let total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let ranges = rows.iter().map(|row| *row..*row + 1);
    let selection = RowSelection::from_consecutive_ranges(ranges, total);
    let mask = columns.map_or_else(ProjectionMask::all, |names| {
        ProjectionMask::columns(builder.parquet_schema(), names.iter().map(String::as_str))
    });
    let builder = builder.with_row_selection(selection).with_projection(mask);
    builder
        .with_batch_size(batch_rows_max)
        .build()
        .map_err(fail)
}

/// Adds the keys of some rows of a part.
fn read_keys(
    bytes: Bytes,
    contract: &Contract,
    (part, rows): (usize, &[usize]),
    limits: &Limits,
    keys: &mut BTreeMap<Vec<u8>, Held>,
) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let reader = selected(bytes, rows, limits.batch_rows_max, None)?;
    let layout = RowLayout::key(contract);
    let mut places = rows.iter();
    for batch in reader {
        let batch = batch.map_err(|e| fail(&e))?;
        let bound = layout.bind(&batch).map_err(|e| fail(&e))?;
        for row in 0..batch.num_rows() {
            let mut key = Vec::new();
            bound.write(row, &mut key).map_err(|e| fail(&e))?;
            let held = match keys.entry(key) {
                std::collections::btree_map::Entry::Occupied(held) => held.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => free.insert(Held {
                    shown: shown(&batch, contract, row).map_err(|e| fail(&e))?,
                    rows: 0,
                    places: Vec::new(),
                }),
            };
            held.rows += 1;
            if let Some(place) = places.next()
                && held.places.len() < PLACES_MAX
            {
                held.places.push(format!("part {part} row {place}"));
            }
        }
    }
    Ok(())
}

/// The key of a row for people.
fn shown(
    batch: &RecordBatch,
    contract: &Contract,
    row: usize,
) -> Result<String, arrow::error::ArrowError> {
    let options = FormatOptions::default().with_null("null");
    let mut pieces = Vec::new();
    for name in &contract.key {
        let is_personal = contract.column(name).is_some_and(|column| column.personal);
        let value = match batch.column_by_name(name) {
            Some(_) if is_personal => "(personal)".to_owned(),
            Some(array) => ArrayFormatter::try_new(array, &options)?
                .value(row)
                .to_string(),
            None => "?".to_owned(),
        };
        pieces.push(format!("{name} = {value}"));
    }
    Ok(pieces.join(", "))
}
