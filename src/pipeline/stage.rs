//! Staging: canonical batches become Parquet parts, and parts become stored objects that are read back once.
//!
//! [`PartEncoder`] is plain computation for a blocking thread; [`store_part`] and [`read_back`] move whole parts.
//! May use `domain` and `ports`; never changes a value, never overwrites an object, reads no clock.
//!
//! Memory: the part that is being encoded, at most `part_bytes_max` with its open row group (whose closed pages are
//! compressed already; one open page of at most 1 MiB per column is not), and one finished part.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sha2::{Digest as _, Sha256};

use super::keys::sidecar_path;
use crate::domain::contract::Contract;
use crate::domain::digest::{hex, sha256_hex};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::manifest::PartFile;
use crate::domain::period::Period;
use crate::domain::run::RunContext;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Writer name in every footer. Without a version, so that a new version alone changes no byte of a part.
pub const CREATED_BY: &str = "soxauto";

/// Room for the footer of a part: statistics of about 100 columns and 3 row groups, and the provenance.
const FOOTER_BYTES: usize = 64 << 10;

/// Compression of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageCompression {
    /// None; the yardstick of the benchmark.
    None,
    /// zstd, level 1: staging is written once and read a few times.
    #[default]
    Zstd1,
    /// zstd, level 3.
    Zstd3,
}

/// What every part of one item has in common.
#[derive(Debug, Clone)]
pub struct PartLayout {
    /// Content columns in contract order, then the metadata columns.
    pub schema: SchemaRef,
    /// Key-values of the footer, see [`provenance`].
    pub provenance: Vec<(String, String)>,
    /// Largest size of a part in bytes; only a single batch that is larger than this makes a larger part.
    pub part_bytes_max: usize,
    /// Bytes of the rows in memory at which a row group is closed: the second path decodes a whole row group at once.
    /// The last group of a part may be smaller.
    pub row_group_bytes: usize,
    /// Compression of the pages.
    pub compression: PageCompression,
}

impl PartLayout {
    /// The layout that the limits ask for.
    #[must_use]
    pub fn new(schema: SchemaRef, provenance: Vec<(String, String)>, limits: &Limits) -> Self {
        Self {
            schema,
            provenance,
            part_bytes_max: limits.part_bytes_max,
            row_group_bytes: limits.row_group_bytes,
            compression: PageCompression::default(),
        }
    }

    fn properties(&self) -> Result<WriterProperties, ParquetError> {
        let compression = match self.compression {
            PageCompression::None => Compression::UNCOMPRESSED,
            PageCompression::Zstd1 => Compression::ZSTD(ZstdLevel::try_new(1)?),
            PageCompression::Zstd3 => Compression::ZSTD(ZstdLevel::try_new(3)?),
        };
        let pairs = self.provenance.iter();
        let pairs = pairs.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        Ok(WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(compression)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            // Groups and parts are cut by bytes, in `PartEncoder::push`.
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(pairs.collect()))
            .build())
    }
}

/// The key-values that tie a part to its run and its contract; the verifier compares them with the record.
#[must_use]
pub fn provenance(
    context: &RunContext,
    ipe: &IpeId,
    contract: &Contract,
    definition_sha256: &str,
) -> Vec<(String, String)> {
    let columns = contract.columns.iter().map(|column| {
        // A sorted map, not a JSON value: its key order must not depend on how the program was built.
        BTreeMap::from([
            ("name", column.name.clone()),
            ("source", column.source.clone()),
            ("sql_type", column.sql_type.to_string()),
        ])
    });
    let columns: Vec<_> = columns.collect();
    [
        ("soxauto.run_id", context.run_id.to_string()),
        ("soxauto.ipe_id", ipe.to_string()),
        ("soxauto.period", context.period.to_string()),
        ("soxauto.cutoff_date", context.period.cutoff().to_string()),
        ("soxauto.contract_version", contract.version.to_string()),
        ("soxauto.definition_sha256", definition_sha256.to_owned()),
        (
            "soxauto.columns",
            serde_json::to_string(&columns).unwrap_or_default(),
        ),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// Folder of one run of one item below the staging root.
#[must_use]
pub fn run_folder(ipe: &IpeId, period: Period, run_id: &RunId) -> String {
    format!("{ipe}/period={period}/run={run_id}")
}

/// Path of a part below the staging root.
#[must_use]
pub fn part_path(ipe: &IpeId, period: Period, run_id: &RunId, index: usize) -> String {
    format!(
        "{}/part-{index:05}.parquet",
        run_folder(ipe, period, run_id)
    )
}

/// A whole part, encoded.
#[derive(Debug, Clone)]
pub struct FinishedPart {
    /// Position, from 0.
    pub index: usize,
    /// The file.
    pub bytes: Bytes,
    /// SHA-256 of the bytes as they were written, in hex.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Its sidecar: the hash of each row's key; the fold puts it there.
    pub keys: Bytes,
}

/// Takes what the encoder writes and hashes it on the way, before anything else sees it.
struct HashedBuffer {
    bytes: Vec<u8>,
    sha256: Sha256,
}

impl io::Write for HashedBuffer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.sha256.update(data);
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encodes batches into parts. Synchronous and busy: run it on a blocking thread.
///
/// The same batches and layout give the same bytes.
pub struct PartEncoder {
    layout: PartLayout,
    properties: WriterProperties,
    /// Writer of the open part and its rows.
    open: Option<(ArrowWriter<HashedBuffer>, u64)>,
    next_index: usize,
    /// Bytes in memory of the rows in the open row group.
    row_group_bytes: usize,
}

impl PartEncoder {
    /// Prepares an encoder; no part is open yet.
    ///
    /// # Errors
    /// `Config` when the layout cannot be written.
    pub fn new(layout: PartLayout) -> Result<Self, PortError> {
        let properties = layout
            .properties()
            .map_err(|e| PortError::new(PortErrorKind::Config, e.to_string()))?;
        Ok(Self {
            layout,
            properties,
            open: None,
            next_index: 0,
            row_group_bytes: 0,
        })
    }

    /// Adds a batch; gives the part that was closed to make room for it, if any.
    ///
    /// # Errors
    /// `Corrupt` for a batch whose columns are not those of the layout; the encoder is then spent.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Option<FinishedPart>, PortError> {
        if batch.schema().fields() != self.layout.schema.fields() {
            let what = "a batch for staging does not have the columns of the layout";
            return Err(PortError::new(PortErrorKind::Corrupt, what));
        }
        // A value takes at most about as many bytes in a page as in its array.
        let most_bytes: usize = batch
            .columns()
            .iter()
            .map(|column| column.to_data().get_slice_memory_size().unwrap_or_default())
            .sum();
        let is_full = self.open.as_ref().is_some_and(|(writer, rows)| {
            let so_far = writer.bytes_written() + writer.in_progress_size();
            *rows > 0 && so_far + most_bytes + FOOTER_BYTES > self.layout.part_bytes_max
        });
        let finished = if is_full { self.close()? } else { None };
        self.row_group_bytes += most_bytes;
        let is_group_full = self.row_group_bytes >= self.layout.row_group_bytes;
        let (writer, rows) = self.writer()?;
        writer.write(batch).map_err(encoding)?;
        *rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        if is_group_full {
            writer.flush().map_err(encoding)?;
            self.row_group_bytes = 0;
        }
        Ok(finished)
    }

    /// Closes the last part. An item without rows gets one part without rows.
    ///
    /// # Errors
    /// `Corrupt` when the part cannot be closed.
    pub fn finish(mut self) -> Result<Option<FinishedPart>, PortError> {
        if self.next_index == 0 {
            self.writer()?;
        }
        self.close()
    }

    fn writer(&mut self) -> Result<&mut (ArrowWriter<HashedBuffer>, u64), PortError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let buffer = HashedBuffer {
                    // Reserved whole: a growing buffer would copy itself; pages never written cost no memory.
                    bytes: Vec::with_capacity(self.layout.part_bytes_max),
                    sha256: Sha256::new(),
                };
                // The Arrow schema is left out of the footer: the logical types say everything.
                let options = ArrowWriterOptions::new()
                    .with_properties(self.properties.clone())
                    .with_skip_arrow_metadata(true);
                let schema = Arc::clone(&self.layout.schema);
                let writer = ArrowWriter::try_new_with_options(buffer, schema, options);
                (writer.map_err(encoding)?, 0)
            }
        };
        Ok(self.open.insert(open))
    }

    fn close(&mut self) -> Result<Option<FinishedPart>, PortError> {
        let Some((writer, rows)) = self.open.take() else {
            return Ok(None);
        };
        self.row_group_bytes = 0;
        let index = self.next_index;
        self.next_index += 1;
        let buffer = writer.into_inner().map_err(encoding)?;
        Ok(Some(FinishedPart {
            index,
            bytes: Bytes::from(buffer.bytes),
            sha256: hex(&buffer.sha256.finalize()),
            rows,
            keys: Bytes::new(),
        }))
    }
}

/// The message of a parquet error names columns and types, never values.
fn encoding(error: ParquetError) -> PortError {
    PortError::new(
        PortErrorKind::Corrupt,
        format!("a part could not be encoded: {error}"),
    )
}

/// Stores a part and its sidecar under paths that must be free, or hold the same bytes already.
///
/// # Errors
/// `Corrupt` when other bytes are there, `Limit` when storage is full, `Denied`, `Unreachable`.
pub async fn store_part(
    staging: &StoreRoot,
    path: &str,
    part: FinishedPart,
) -> Result<PartFile, PortError> {
    let file = PartFile {
        uri: staging.uri_of(path),
        path: path.to_owned(),
        bytes: u64::try_from(part.bytes.len()).unwrap_or(u64::MAX),
        sha256: part.sha256,
        rows: part.rows,
        keys_sha256: sha256_hex(&part.keys),
    };
    staging.create(path, part.bytes).await?;
    staging.create(&sidecar_path(path), part.keys).await?;
    Ok(file)
}

/// Reads a stored part once through the port and compares size, SHA-256 and the footer's row count with what was
/// written. The bytes are for the second path.
///
/// # Errors
/// `Corrupt` names the part and every difference; `Denied`, `Unreachable`.
pub async fn read_back(staging: &StoreRoot, part: &PartFile) -> Result<Bytes, PortError> {
    let bytes = staging.get(&part.path).await?;
    let expected = part.clone();
    let check = move || {
        let found = differences(&expected, &bytes);
        (bytes, found)
    };
    let (bytes, found) = tokio::task::spawn_blocking(check)
        .await
        .map_err(|e| PortError::new(PortErrorKind::Corrupt, format!("reading back: {e}")))?;
    if found.is_empty() {
        return Ok(bytes);
    }
    let what = format!("a part reads back differently: {}", found.join("; "));
    Err(PortError::new(PortErrorKind::Corrupt, what)
        .at("part", part.uri.clone())
        .hint("the storage changed it, or another program wrote there; run again"))
}

/// Every way in which bytes are not the part, one sentence each; empty when they are.
#[must_use]
pub fn differences(part: &PartFile, bytes: &Bytes) -> Vec<String> {
    let mut found = Vec::new();
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size != part.bytes {
        found.push(format!("{size} bytes instead of {}", part.bytes));
    }
    let sha256 = sha256_hex(bytes);
    if sha256 != part.sha256 {
        found.push(format!("SHA-256 {sha256} instead of {}", part.sha256));
    }
    match footer(bytes) {
        Ok(footer) => {
            let rows = footer.file_metadata().num_rows();
            if u64::try_from(rows) != Ok(part.rows) {
                found.push(format!(
                    "{rows} rows in the footer instead of {}",
                    part.rows
                ));
            }
        }
        Err(error) => found.push(format!("not readable as Parquet: {error}")),
    }
    found
}

/// Reads the footer of a part.
///
/// # Errors
/// Whatever the parquet reader says of bytes that are no Parquet file.
pub fn footer(bytes: &Bytes) -> Result<ParquetMetaData, ParquetError> {
    ParquetMetaDataReader::new().parse_and_finish(bytes)
}
