//! Parquet files through the storage port: footers first, then only the row groups and columns that are asked for.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector,
};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::{KeyValues, PartAt};
use crate::kernels::values::cell_text;
use crate::ports::{PortError, PortErrorKind};

/// Footers that are fetched at once.
const FOOTERS_AT_ONCE: usize = 8;

/// Bytes fetched from the end of a file in the hope that the footer is in them.
const FOOTER_BYTES: usize = 64 << 10;

/// Rows of a batch.
const BATCH_ROWS: usize = 8_192;

/// One object of a store, as the Parquet reader asks for it.
#[derive(Clone)]
struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    bytes: u64,
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Object {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.store
            .get_range(&self.path, range)
            .map_err(external)
            .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let found = self.store.get_ranges(&self.path, &ranges).await;
            found.map_err(external)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let bytes = self.bytes;
            let reader = ParquetMetaDataReader::new()
                .with_arrow_reader_options(options)
                .with_prefetch_hint(Some(FOOTER_BYTES));
            Ok(Arc::new(reader.load_and_finish(self, bytes).await?))
        }
        .boxed()
    }
}

/// One file whose footer was read.
struct Part {
    object: Object,
    uri: String,
    metadata: ArrowReaderMetadata,
}

/// Files of one table, in order.
pub(super) struct Parts {
    parts: Vec<Part>,
    schema: SchemaRef,
}

/// A row group: its file, its place there, and how many of its rows are meant, from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupAt {
    part: usize,
    group: usize,
    pub(super) rows: u64,
}

impl GroupAt {
    /// Its first rows.
    pub(super) fn first(self, rows: u64) -> Self {
        Self {
            rows: self.rows.min(rows),
            ..self
        }
    }
}

/// One row as texts, unmasked.
pub(super) struct RowAt {
    pub(super) row: u64,
    pub(super) cells: Vec<Option<String>>,
}

impl Part {
    async fn open(at: &PartAt) -> Result<Self, PortError> {
        let uri = at.root.uri_of(&at.path);
        let path = Path::parse(&at.path)
            .map_err(|e| PortError::new(PortErrorKind::Config, e.to_string()))?;
        let head = at.root.store.head(&path).await;
        let bytes = head.map_err(|e| at.root.error(&e, &at.path))?.size;
        let store = Arc::clone(&at.root.store);
        let mut object = Object { store, path, bytes };
        let metadata = ArrowReaderMetadata::load_async(&mut object, ArrowReaderOptions::new())
            .await
            .map_err(|error| unreadable(&error, &uri))?;
        Ok(Self {
            object,
            uri,
            metadata,
        })
    }
}

/// The message of the Parquet reader names columns and offsets, never values.
fn unreadable(error: &ParquetError, uri: &str) -> PortError {
    PortError::new(
        PortErrorKind::Corrupt,
        format!("not readable as Parquet: {error}"),
    )
    .at("file", uri)
    .hint("name a Parquet file, a run, an evidence package or a table")
}

impl Parts {
    /// Reads the footers.
    pub(super) async fn open(parts: &[PartAt]) -> Result<Self, PortError> {
        let opening = futures::stream::iter(parts).map(Part::open);
        let parts: Vec<Part> = opening.buffered(FOOTERS_AT_ONCE).try_collect().await?;
        let Some(first) = parts.first() else {
            let what = "there are no Parquet files to look into";
            return Err(PortError::new(PortErrorKind::Query, what));
        };
        let schema = Arc::clone(first.metadata.schema());
        let differs = |part: &&Part| part.metadata.schema().fields() != schema.fields();
        if let Some(other) = parts.iter().find(differs) {
            let what = "the files do not have the same columns";
            return Err(PortError::new(PortErrorKind::Corrupt, what)
                .at("file", first.uri.clone())
                .at("file", other.uri.clone())
                .hint("look into one month or one file at a time"));
        }
        Ok(Self { parts, schema })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn files(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.object.bytes).sum()
    }

    pub(super) fn rows(&self) -> u64 {
        self.groups().map(|group| group.rows).sum()
    }

    pub(super) fn row_groups(&self) -> usize {
        self.groups().count()
    }

    /// Footers, in the order of the files.
    pub(super) fn footers(&self) -> impl Iterator<Item = &ArrowReaderMetadata> {
        self.parts.iter().map(|part| &part.metadata)
    }

    /// Key-values and rows of each file.
    pub(super) fn key_values(&self) -> impl Iterator<Item = (KeyValues, u64)> {
        self.footers().map(|footer| {
            let file = footer.metadata().file_metadata();
            let pairs = file.key_value_metadata().into_iter().flatten();
            let pairs = pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)));
            (pairs.collect(), rows_of(file.num_rows()))
        })
    }

    /// Row groups of all files, in order.
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupAt> {
        self.parts.iter().enumerate().flat_map(|(part, file)| {
            let groups = file.metadata.metadata().row_groups().iter().enumerate();
            groups.map(move |(group, found): (usize, &RowGroupMetaData)| GroupAt {
                part,
                group,
                rows: rows_of(found.num_rows()),
            })
        })
    }

    /// Decodes the rows that are meant of row groups and shows their batches, with the named columns in the order of the files.
    pub(super) async fn read(
        &self,
        groups: &[GroupAt],
        columns: Option<&[&str]>,
        each: &mut (dyn FnMut(&RecordBatch) -> Result<(), PortError> + Send),
    ) -> Result<(), PortError> {
        for group in groups {
            let rows = usize::try_from(group.rows).unwrap_or(usize::MAX);
            let selection = RowSelection::from(vec![RowSelector::select(rows)]);
            self.read_group(*group, columns, selection, each).await?;
        }
        Ok(())
    }

    async fn read_group(
        &self,
        at: GroupAt,
        columns: Option<&[&str]>,
        selection: RowSelection,
        each: &mut (dyn FnMut(&RecordBatch) -> Result<(), PortError> + Send),
    ) -> Result<(), PortError> {
        let Some(part) = self.parts.get(at.part) else {
            return Ok(());
        };
        let failed = |error: ParquetError| unreadable(&error, &part.uri);
        let metadata = part.metadata.clone();
        let mut builder =
            ParquetRecordBatchStreamBuilder::new_with_metadata(part.object.clone(), metadata)
                .with_row_groups(vec![at.group])
                .with_batch_size(BATCH_ROWS);
        if let Some(columns) = columns {
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            builder = builder.with_projection(mask);
        }
        let mut batches = builder
            .with_row_selection(selection)
            .build()
            .map_err(failed)?;
        while let Some(batch) = batches.next().await {
            each(&batch.map_err(failed)?)?;
        }
        Ok(())
    }

    /// The rows at some positions among all rows; `positions` in rising order.
    pub(super) async fn rows_at(&self, positions: &[u64]) -> Result<Vec<RowAt>, PortError> {
        let mut rows = Vec::with_capacity(positions.len());
        let mut first = 0_u64;
        for group in self.groups() {
            let here = positions
                .iter()
                .filter(|row| (first..first + group.rows).contains(row));
            let mut here: Vec<u64> = here.copied().collect();
            if !here.is_empty() {
                let ranges = here.iter().map(|row| {
                    let place = usize::try_from(row - first).unwrap_or(usize::MAX);
                    place..place.saturating_add(1)
                });
                let total = usize::try_from(group.rows).unwrap_or(usize::MAX);
                let selection = RowSelection::from_consecutive_ranges(ranges, total);
                here.reverse();
                self.read_group(group, None, selection, &mut |batch| {
                    for place in 0..batch.num_rows() {
                        let cell = |column: &ArrayRef| cell_text(column, place);
                        rows.extend(here.pop().map(|row| RowAt {
                            row,
                            cells: batch.columns().iter().map(cell).collect(),
                        }));
                    }
                    Ok(())
                })
                .await?;
            }
            first += group.rows;
        }
        Ok(rows)
    }

    /// All bytes of a file; `None` behind the last.
    pub(super) async fn whole_file(&self, index: usize) -> Result<Option<Bytes>, PortError> {
        let Some(part) = self.parts.get(index) else {
            return Ok(None);
        };
        let mut object = part.object.clone();
        let bytes = object.get_bytes(0..object.bytes).await;
        bytes
            .map(Some)
            .map_err(|error| unreadable(&error, &part.uri))
    }
}

fn rows_of(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}
