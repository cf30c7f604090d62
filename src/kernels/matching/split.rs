//! First pass: the rows of one side go to the partitions of their keys.
//!
//! Reads each part once and holds one batch of it, and an open buffer for each partition.

use std::collections::HashMap;

use arrow::array::{Array as _, BooleanArray, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::columns::{Overflow, Rows, SEPARATOR};
use super::record::Record;
use super::store::Chunk;
use super::{MatchError, Matching, Scope};
use crate::domain::matching::{RowPlace, Side};
use crate::kernels::reconcile::keep::rows_that_meet;

/// Rows and sum of one side of one company and GL, as they were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Rows.
    pub(super) rows: u64,
    /// Sum of the amounts that are there.
    pub(super) sum: i128,
}

/// Sends the rows of one side to their partitions.
pub struct Splitter<'m> {
    matching: &'m Matching<'m>,
    side: Side,
    half: Half,
    buffers: Vec<Vec<u8>>,
    /// Numbers of companies and GLs by their text; `None` for those that are left out.
    numbers: HashMap<Vec<u8>, Option<u32>>,
    scope: Vec<u8>,
    key: Vec<u8>,
}

/// One side in its partitions.
pub struct Half {
    /// Of each partition.
    pub(super) chunks: Vec<Vec<Chunk>>,
    /// Of each company and GL, by number.
    pub(super) read: Vec<Read>,
    /// Rows of other GLs, and those that the conditions or the caller leave out.
    pub(super) left_out: u64,
}

impl<'m> Splitter<'m> {
    pub(super) fn new(matching: &'m Matching<'m>, side: Side) -> Self {
        let partitions = matching.partitions;
        let mut chunks = Vec::new();
        chunks.resize_with(partitions, Vec::new);
        Self {
            matching,
            side,
            half: Half {
                chunks,
                read: Vec::new(),
                left_out: 0,
            },
            buffers: vec![Vec::new(); partitions],
            numbers: HashMap::new(),
            scope: Vec::new(),
            key: Vec::new(),
        }
    }

    /// Adds a staged part, batch by batch, of its columns those that the rule names, of its rows those that the side's
    /// conditions keep.
    ///
    /// # Errors
    /// As [`Splitter::add_batch`], [`MatchError::Part`] for bytes that are no Parquet, and [`MatchError::Filter`] for
    /// conditions that they cannot be held against.
    pub fn add_part(&mut self, part: u32, bytes: Bytes) -> Result<(), MatchError> {
        let side = self.side;
        // The message of a parquet error names columns and types, never values.
        let failed = |what: String| MatchError::Part { side, part, what };
        let keep = self.keep(part, &bytes)?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| failed(e.to_string()))?;
        let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).ok();
        if keep.as_ref().is_some_and(|keep| Some(keep.len()) != rows) {
            return Err(failed("the filter saw another number of rows".to_owned()));
        }
        let names = self.matching.rule.columns.of(side).names();
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(self.matching.limits.batch_rows_max)
            .build()
            .map_err(|e| failed(e.to_string()))?;
        let (mut row, mut first) = (0_u32, 0_usize);
        for batch in reader {
            let batch = batch.map_err(|e| failed(e.to_string()))?;
            let keep = keep.as_ref();
            let keep = keep.map(|keep| keep.slice(first, batch.num_rows()));
            self.add_batch(RowPlace { part, row }, &batch, keep.as_ref())?;
            first += batch.num_rows();
            row = row.saturating_add(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    /// Which rows of a part the side's conditions keep; `None` without conditions.
    fn keep(&self, part: u32, bytes: &Bytes) -> Result<Option<BooleanArray>, MatchError> {
        let side = self.side;
        let only = &self.matching.rule.columns.of(side).only;
        if only.is_empty() {
            return Ok(None);
        }
        let keep = rows_that_meet(only, bytes.clone());
        keep.map(Some)
            .map_err(|source| MatchError::Filter { side, part, source })
    }

    /// Adds rows that stand one after the other from `first` on; of these only those that `keep` says, where it is given,
    /// and never one of which it says nothing. Conditions are held against parts, not against these.
    ///
    /// # Errors
    /// [`MatchError`] names the column, the row or the limit; the work is spent then.
    pub fn add_batch(
        &mut self,
        first: RowPlace,
        batch: &RecordBatch,
        keep: Option<&BooleanArray>,
    ) -> Result<(), MatchError> {
        let rows = Rows::bind(&self.matching.rule, self.side, batch)?;
        let count = u32::try_from(batch.num_rows()).ok();
        let end = count.and_then(|count| first.row.checked_add(count));
        let end = end.ok_or(MatchError::TooMany {
            what: "rows in a part",
            max: u32::MAX.into(),
        })?;
        for (row, place) in (first.row..end).enumerate() {
            let says =
                |keep: &BooleanArray| row < keep.len() && keep.is_valid(row) && keep.value(row);
            if !keep.is_none_or(says) {
                self.half.left_out += 1;
                continue;
            }
            let part = first.part;
            self.add_row(&rows, row, RowPlace { part, row: place })?;
        }
        Ok(())
    }

    fn add_row(&mut self, rows: &Rows<'_>, row: usize, place: RowPlace) -> Result<(), MatchError> {
        let scoped = rows.scope(row, &mut self.scope);
        let Some(scope) = self.number()? else {
            self.half.left_out += 1;
            return Ok(());
        };
        let overflow = |Overflow| self.matching.overflow(self.side, scope);
        let amount = rows.amount(row).map_err(overflow)?;
        let at = usize::try_from(scope).unwrap_or(usize::MAX);
        if self.half.read.len() <= at {
            self.half.read.resize(at + 1, Read::default());
        }
        if let Some(read) = self.half.read.get_mut(at) {
            read.rows += 1;
            let sum = read.sum.checked_add(amount.unwrap_or(0));
            read.sum = sum.ok_or(Overflow).map_err(overflow)?;
        }
        rows.key(row, &mut self.key);
        let max = self.matching.limits.key_bytes_max.min(u16::MAX.into());
        if self.key.len() > max {
            return Err(MatchError::KeyTooLong {
                side: self.side,
                place,
                bytes: self.key.len(),
                max,
            });
        }
        let record = Record {
            side: self.side,
            amount,
            place,
            scope,
            scoped,
            day: rows.day(row),
            key: &self.key,
        };
        let partition = self.matching.partition(&record);
        let chunk_bytes = self.matching.limits.chunk_bytes;
        let (Some(buffer), Some(chunks)) = (
            self.buffers.get_mut(partition),
            self.half.chunks.get_mut(partition),
        ) else {
            return Ok(());
        };
        if buffer.len() + Record::BYTES_MAX + record.key.len() > chunk_bytes && !buffer.is_empty() {
            chunks.push(self.matching.store.put(buffer)?);
        }
        if buffer.capacity() == 0 {
            buffer.reserve_exact(chunk_bytes);
        }
        record.write(buffer);
        Ok(())
    }

    /// Number of the company and GL at hand; `None` when the rule leaves the GL out.
    fn number(&mut self) -> Result<Option<u32>, MatchError> {
        if let Some(number) = self.numbers.get(&self.scope) {
            return Ok(*number);
        }
        let mut pieces = self.scope.split(|byte| *byte == SEPARATOR);
        let mut text = || String::from_utf8_lossy(pieces.next().unwrap_or_default()).into_owned();
        let scope = Scope {
            company: text(),
            gl: text(),
        };
        let gls = &self.matching.gls;
        let is_of_rule = gls.is_empty() || scope.gl.is_empty() || gls.contains(&scope.gl);
        let number = match is_of_rule {
            true => Some(self.matching.number(scope)?),
            false => None,
        };
        if self.numbers.len() >= self.matching.limits.scopes_max {
            self.numbers.clear();
        }
        self.numbers.insert(self.scope.clone(), number);
        Ok(number)
    }

    /// Puts the last rows away.
    ///
    /// # Errors
    /// Whatever the scratch file says.
    pub fn finish(mut self) -> Result<Half, MatchError> {
        for (buffer, chunks) in self.buffers.iter_mut().zip(&mut self.half.chunks) {
            if !buffer.is_empty() {
                chunks.push(self.matching.store.put(buffer)?);
            }
        }
        Ok(self.half)
    }
}
