//! An engine for benches: rows encoded once and streamed over and over.
//!
//! May use the seam and the encoder. It must never be part of anything but benches and tests: every SELECT gets
//! the same rows.

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
    /// The batch as chunks of whole rows, with their numbers of rows.
    chunks: Vec<(Bytes, u64)>,
    /// The first 0, 1, 2 … rows of the batch end at these bytes; for the last, partial chunk.
    row_ends: Vec<usize>,
    all: Bytes,
    rows_total: u64,
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
        let encoder = BatchEncoder::new(&columns, batch)?;
        if encoder.rows() == 0 && rows_total > 0 {
            return Err(super::value::internal("nothing to replay".to_owned()));
        }
        let mut encoded = Vec::new();
        let mut row_ends = vec![0];
        for row in 0..encoder.rows() {
            encoder.put_row(row, &mut encoded)?;
            row_ends.push(encoded.len());
        }
        let all = Bytes::from(encoded);
        let chunks = chunks(&all, &row_ends);
        Ok(Self {
            recording: Recording {
                columns,
                chunks,
                row_ends,
                all,
                rows_total,
            },
        })
    }
}

/// Cuts encoded rows at row boundaries.
fn chunks(all: &Bytes, row_ends: &[usize]) -> Vec<(Bytes, u64)> {
    let mut chunks = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for end in row_ends.iter().skip(1) {
        rows += 1;
        if end - start >= CHUNK_BYTES || *end == all.len() {
            chunks.push((all.slice(start..*end), rows));
            (start, rows) = (*end, 0);
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
        let Recording {
            columns,
            chunks,
            row_ends,
            all,
            rows_total,
        } = &self.recording;
        send(out, Reply::Columns(columns.clone())).await?;
        let mut left = *rows_total;
        for (bytes, rows) in chunks.iter().cycle() {
            if left < *rows {
                break;
            }
            send(out, Reply::RawRows(bytes.clone(), *rows)).await?;
            left -= rows;
        }
        // Fewer rows than the next chunk has: the batch's first rows will do.
        let end = usize::try_from(left)
            .ok()
            .and_then(|rows| row_ends.get(rows))
            .copied();
        if let Some(end) = end.filter(|end| *end > 0) {
            send(out, Reply::RawRows(all.slice(..end), left)).await?;
        }
        send(
            out,
            Reply::StatementDone {
                rows: Some(*rows_total),
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
