//! Replay mode: a small ledger answers every question, and its rows come pre-encoded, over and over, as fast as the
//! client reads. The control totals are those of the repeated rows.
//!
//! For benches and memory measurements: only the entry numbers count on, so this is no ledger to reconcile.

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::mpsc;

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::LedgerEngine;
use crate::sandbox::tds::replay::ReplayEngine;
use crate::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, Reply, ReplySender, SqlEngine, SqlError, SqlParam,
    SqlSession, TransactionRequest,
};

/// A column that only the item's rows have; other questions about them count, or ask for a few keys.
const ONLY_IN_ROWS: &str = "[Opco/Central_?]";
/// The column that counts on, so that the key is unique.
const COUNTED: &str = "Entry No_";
/// Rows of the small ledger.
pub(super) const ROWS_ONCE: u64 = 10_000;

/// A ledger whose rows are repeated.
pub(super) struct ReplayedLedger {
    ledger: LedgerEngine,
    times: u64,
}

impl ReplayedLedger {
    /// Repeats the rows of `ledger`, which has [`ROWS_ONCE`] of them, until there are about `rows`.
    pub(super) fn new(ledger: LedgerEngine, rows: u64) -> Self {
        Self {
            ledger,
            times: (rows / ROWS_ONCE).max(1),
        }
    }
}

#[async_trait]
impl SqlEngine for ReplayedLedger {
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        let session = self.ledger.login(request).await?;
        Ok(Box::new(ReplayedSession {
            session,
            login: request.clone(),
            times: self.times,
        }))
    }
}

struct ReplayedSession {
    session: Box<dyn SqlSession>,
    login: LoginRequest,
    times: u64,
}

impl ReplayedSession {
    /// Everything that the ledger answers; such answers are small here.
    async fn answer(&mut self, sql: &str, params: &[SqlParam]) -> Result<Vec<Reply>, ClientGone> {
        let (out, mut replies) = mpsc::channel(2);
        let mut answer = Vec::new();
        let collect = async {
            while let Some(reply) = replies.recv().await {
                answer.push(reply);
            }
        };
        let (ran, ()) = tokio::join!(self.session.run(sql, params, out), collect);
        ran.map(|()| answer)
    }
}

/// Sends the rows of an answer `times` times.
async fn replay(
    login: &LoginRequest,
    times: u64,
    answer: Vec<Reply>,
    out: ReplySender,
) -> Result<(), ClientGone> {
    let engine = match recording(&answer, times) {
        Ok(engine) => engine,
        Err(error) => return send(&out, Reply::Error(error)).await,
    };
    drop(answer);
    match engine.login(login).await {
        Ok(mut session) => session.run("SELECT", &[], out).await,
        Err(error) => send(&out, Reply::Error(error)).await,
    }
}

#[async_trait]
impl SqlSession for ReplayedSession {
    fn database(&self) -> String {
        self.session.database()
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        let counts = sql.contains("COUNT_BIG");
        let is_rows = sql.contains(ONLY_IN_ROWS) && !counts;
        let is_count = counts && sql.contains("[Customer Ledger Entries]");
        if !is_rows && !is_count {
            return self.session.run(sql, params, out).await;
        }
        let answer = self.answer(sql, params).await?;
        if answer.iter().any(|reply| matches!(reply, Reply::Error(_))) {
            return send_all(&out, answer).await;
        }
        if is_rows {
            return replay(&self.login, self.times, answer, out).await;
        }
        let times = self.times;
        let repeated = answer.into_iter().map(|reply| match reply {
            Reply::Rows(totals) => {
                multiplied(&totals, times).map_or_else(Reply::Error, Reply::Rows)
            }
            other => other,
        });
        send_all(&out, repeated.collect()).await
    }

    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        self.session.transaction(request, out).await
    }

    async fn describe(
        &mut self,
        sql: &str,
        params: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        self.session.describe(sql, params).await
    }
}

async fn send(out: &ReplySender, reply: Reply) -> Result<(), ClientGone> {
    out.send(reply).await.map_err(|_| ClientGone)
}

async fn send_all(out: &ReplySender, replies: Vec<Reply>) -> Result<(), ClientGone> {
    for reply in replies {
        send(out, reply).await?;
    }
    Ok(())
}

fn error(message: impl ToString) -> SqlError {
    SqlError {
        number: 40_517,
        class: 16,
        state: 1,
        message: format!("replay: {}", message.to_string()),
        procedure: String::new(),
        line: 1,
    }
}

/// The rows of an answer, encoded once, to be sent `times` times.
fn recording(answer: &[Reply], times: u64) -> Result<ReplayEngine, SqlError> {
    let columns = answer.iter().find_map(|reply| match reply {
        Reply::Columns(columns) => Some(columns.clone()),
        _ => None,
    });
    let batches: Vec<&RecordBatch> = answer
        .iter()
        .filter_map(|reply| match reply {
            Reply::Rows(batch) => Some(batch),
            _ => None,
        })
        .collect();
    let schema = batches
        .first()
        .map(|batch| batch.schema())
        .ok_or_else(|| error("no rows"))?;
    let batch = concat_batches(&schema, batches).map_err(error)?;
    let rows = u64::try_from(batch.num_rows()).map_err(error)?;
    ReplayEngine::new(
        columns.ok_or_else(|| error("no columns"))?,
        &batch,
        rows * times,
    )?
    .counting(&batch, COUNTED)
}

/// Counts and sums of the rows taken `times` times.
fn multiplied(totals: &RecordBatch, times: u64) -> Result<RecordBatch, SqlError> {
    let overflow = || error("a sum leaves 38 digits");
    let factor = i64::try_from(times).map_err(error)?;
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(totals.num_columns());
    for column in totals.columns() {
        columns.push(match column.data_type() {
            DataType::Int64 => {
                let counts = column.as_primitive::<Int64Type>().iter();
                let all: Option<Vec<_>> = counts
                    .map(|n| n.map_or(Some(None), |n| n.checked_mul(factor).map(Some)))
                    .collect();
                Arc::new(Int64Array::from(all.ok_or_else(overflow)?))
            }
            DataType::Decimal128(precision, scale) => {
                let (sums, wide) = (
                    column.as_primitive::<Decimal128Type>().iter(),
                    i128::from(times),
                );
                let all: Option<Vec<_>> = sums
                    .map(|n| n.map_or(Some(None), |n| n.checked_mul(wide).map(Some)))
                    .collect();
                let all = Decimal128Array::from(all.ok_or_else(overflow)?);
                Arc::new(
                    all.with_precision_and_scale(*precision, *scale)
                        .map_err(error)?,
                )
            }
            _ => Arc::clone(column),
        });
    }
    RecordBatch::try_new(totals.schema(), columns).map_err(error)
}
