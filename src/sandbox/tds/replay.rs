//! An engine for benches: rows encoded once and streamed over and over.
//!
//! May use the seam and the encoder. It must never be part of anything but benches and tests: every SELECT gets
//! the same rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::{max, min};
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, Reply, ReplySender, SqlEngine, SqlError, SqlParam,
    SqlSession, TransactionRequest,
};

use super::describe::describe_reply;
use super::fixed::{Transactions, is_describe};
use super::value::BatchEncoder;

/// Encoded rows per reply: large enough that sending dominates, small enough for two to wait.
const CHUNK_BYTES: usize = 256 * 1024;

/// Encoded rows of a result set.
#[derive(Debug, Clone)]
struct Recording {
    columns: Vec<ColumnMeta>,
    /// The batch in chunks of whole rows.
    chunks: Vec<Range<usize>>,
    /// The first 0, 1, 2 … rows of the batch end at these bytes.
    row_ends: Vec<usize>,
    all: Bytes,
    rows_total: u64,
    counted: Option<Counted>,
}

/// An `int` column that goes on counting when the batch is repeated.
#[derive(Debug, Clone)]
struct Counted {
    /// Where the four bytes of each row lie, and its first value.
    cells: Vec<(usize, i32)>,
    /// What each repetition adds.
    step: i32,
}

impl Recording {
    /// The bytes of some rows in one repetition of the batch.
    fn rows(&self, rows: Range<usize>, repetition: i32) -> Bytes {
        let end_of = |row: usize| self.row_ends.get(row).copied().unwrap_or(self.all.len());
        let (start, end) = (end_of(rows.start), end_of(rows.end));
        let bytes = self.all.slice(start..end);
        let Some(counted) = self.counted.as_ref().filter(|_| repetition > 0) else {
            return bytes;
        };
        let mut bytes = bytes.to_vec();
        for (at, first) in counted.cells.get(rows).unwrap_or_default() {
            let value = first.wrapping_add(counted.step.wrapping_mul(repetition));
            if let Some(cell) = bytes.get_mut(at - start..at - start + 4) {
                cell.copy_from_slice(&value.to_le_bytes());
            }
        }
        Bytes::from(bytes)
    }
}

/// Answers every query with the same rows.
#[derive(Debug)]
pub struct ReplayEngine {
    recording: Recording,
}

impl ReplayEngine {
    /// Encodes `batch` once; each query then gets `rows_total` rows, repeating the batch as often as needed.
    ///
    /// # Errors
    /// The batch does not carry `columns`, or has no rows although some are wanted.
    pub fn new(
        columns: Vec<ColumnMeta>,
        batch: &RecordBatch,
        rows_total: u64,
    ) -> Result<Self, SqlError> {
        let (all, row_ends) = encoded(&columns, batch)?;
        if row_ends.len() < 2 && rows_total > 0 {
            return Err(super::value::internal("nothing to replay".to_owned()));
        }
        let chunks = chunks(&row_ends);
        Ok(Self {
            recording: Recording {
                columns,
                chunks,
                row_ends,
                all: Bytes::from(all),
                rows_total,
                counted: None,
            },
        })
    }

    /// Lets an `int` column go on counting, so that a key in it never repeats.
    ///
    /// # Errors
    /// The column of `batch` is no `int` without nulls, or its numbers leave the type before all rows are sent.
    pub fn counting(mut self, batch: &RecordBatch, column: &str) -> Result<Self, SqlError> {
        let wrong = |what: &str| super::value::internal(format!("column {column} {what}"));
        let mut names = self.recording.columns.iter();
        let index = names.position(|meta| meta.name == column);
        let index = index.ok_or_else(|| wrong("is not there"))?;
        let values = batch.columns().get(index).filter(|a| a.null_count() == 0);
        let values = values.and_then(|array| array.as_primitive_opt::<Int32Type>());
        let values = values.ok_or_else(|| wrong("is no int without nulls"))?;
        let (least, greatest) = (min(values), max(values));
        let step = least
            .zip(greatest)
            .and_then(|(a, b)| b.checked_sub(a)?.checked_add(1));
        let step = step.ok_or_else(|| wrong("spans too many numbers"))?;
        let repetitions = self
            .recording
            .rows_total
            .div_ceil(u64::try_from(batch.num_rows().max(1)).unwrap_or(u64::MAX));
        let last = i64::from(greatest.unwrap_or(0)).saturating_add(
            i64::from(step).saturating_mul(i64::try_from(repetitions).unwrap_or(i64::MAX)),
        );
        if last > i64::from(i32::MAX) {
            return Err(wrong("would leave its type"));
        }
        // The cell of a row is where its bytes change with its value.
        let mut arrays = batch.columns().to_vec();
        if let Some(array) = arrays.get_mut(index) {
            *array = Arc::new(values.unary::<_, Int32Type>(|value| !value));
        }
        let changed = RecordBatch::try_new(batch.schema(), arrays);
        let changed = changed.map_err(|error| wrong(&error.to_string()))?;
        let (changed, _) = encoded(&self.recording.columns, &changed)?;
        let mut differing = self.recording.all.iter().zip(&changed).enumerate();
        let mut cells = Vec::with_capacity(values.len());
        for value in values.values() {
            let first = differing.find(|(_, (a, b))| a != b);
            let (at, _) = first.ok_or_else(|| wrong("has no bytes of its own"))?;
            differing.nth(2);
            cells.push((at, *value));
        }
        self.recording.counted = Some(Counted { cells, step });
        Ok(self)
    }
}

/// All rows of a batch, and where each ends.
fn encoded(columns: &[ColumnMeta], batch: &RecordBatch) -> Result<(Vec<u8>, Vec<usize>), SqlError> {
    let encoder = BatchEncoder::new(columns, batch)?;
    let mut bytes = Vec::new();
    let mut row_ends = vec![0];
    for row in 0..encoder.rows() {
        encoder.put_row(row, &mut bytes)?;
        row_ends.push(bytes.len());
    }
    Ok((bytes, row_ends))
}

/// Cuts encoded rows at row boundaries.
fn chunks(row_ends: &[usize]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut first, mut start) = (0, 0);
    let rows = row_ends.len().saturating_sub(1);
    for (row, end) in (1..).zip(row_ends.iter().skip(1)) {
        if end - start >= CHUNK_BYTES || row == rows {
            chunks.push(first..row);
            (first, start) = (row, *end);
        }
    }
    chunks
}

#[async_trait]
impl SqlEngine for ReplayEngine {
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        Ok(Box::new(ReplaySession {
            recording: self.recording.clone(),
            database: request.database.clone(),
            transactions: Transactions::default(),
        }))
    }
}

struct ReplaySession {
    recording: Recording,
    database: String,
    transactions: Transactions,
}

impl ReplaySession {
    async fn replay(&self, out: &ReplySender) -> Result<(), ClientGone> {
        let recording = &self.recording;
        send(out, Reply::Columns(recording.columns.clone())).await?;
        let mut left = recording.rows_total;
        let mut repetition = 0;
        while left > 0 {
            for chunk in &recording.chunks {
                let rows = usize::try_from(left).map_or(chunk.len(), |left| chunk.len().min(left));
                if rows == 0 {
                    break;
                }
                let bytes = recording.rows(chunk.start..chunk.start + rows, repetition);
                let rows = u64::try_from(rows).unwrap_or(u64::MAX);
                send(out, Reply::RawRows(bytes, rows)).await?;
                left -= rows;
            }
            repetition += 1;
        }
        send(
            out,
            Reply::StatementDone {
                rows: Some(recording.rows_total),
            },
        )
        .await
    }
}

#[async_trait]
impl SqlSession for ReplaySession {
    fn database(&self) -> String {
        self.database.clone()
    }

    async fn run(
        &mut self,
        sql: &str,
        _params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        let first = sql.split_whitespace().next().unwrap_or_default();
        if is_describe(sql) {
            for reply in describe_reply(&self.recording.columns) {
                send(&out, reply).await?;
            }
            return Ok(());
        }
        if first.eq_ignore_ascii_case("select") || first.eq_ignore_ascii_case("with") {
            return self.replay(&out).await;
        }
        if let Some(request) = Transactions::request_of(sql) {
            send(&out, self.transactions.answer(request)).await?;
        }
        send(&out, Reply::StatementDone { rows: None }).await
    }

    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        send(&out, self.transactions.answer(request)).await
    }

    async fn describe(
        &mut self,
        _sql: &str,
        _params: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        Ok(self.recording.columns.clone())
    }
}

async fn send(out: &ReplySender, reply: Reply) -> Result<(), ClientGone> {
    out.send(reply).await.map_err(|_| ClientGone)
}
