//! Runs a bound query and streams its rows: Columns, then Rows as they are produced, then the count.
//!
//! Waits for the client before it computes the next batch. A panic inside DataFusion becomes an error of the statement.

use std::panic::AssertUnwindSafe;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast_with_options, concat_batches};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use futures::{FutureExt, StreamExt};

use crate::sandbox::data::Column;
use crate::sandbox::data::table::schema_of;
use crate::sandbox::engine::REPLY_ROWS_MAX;
use crate::sandbox::engine::bind::{Bound, plan_error};
use crate::sandbox::tsql::error::{SqlResult, division_by_zero, internal, overflow};
use crate::sandbox::wire::{ClientGone, ColumnMeta, Reply, ReplySender, SqlError};

/// Why a statement did not end well.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client is gone.
    Gone,
    /// The statement failed.
    Failed(SqlError),
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self::Failed(error)
    }
}

impl From<ClientGone> for Stop {
    fn from(_: ClientGone) -> Self {
        Self::Gone
    }
}

/// Sends one item, waiting for the client.
pub(super) async fn send(out: &ReplySender, reply: Reply) -> Result<(), ClientGone> {
    out.send(reply).await.map_err(|_| ClientGone)
}

/// The columns of a bound query as the client sees them.
pub(super) fn metas(bound: &Bound) -> Vec<ColumnMeta> {
    bound
        .columns
        .iter()
        .map(|c| ColumnMeta {
            name: c.name.clone(),
            sql_type: c.ty.clone(),
            nullable: c.nullable,
        })
        .collect()
}

/// Runs the query and sends its rows; gives their number.
pub(super) async fn stream(
    state: &SessionState,
    bound: Bound,
    out: &ReplySender,
) -> Result<u64, Stop> {
    let work = run(state, bound, out);
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(Stop::Failed(panic_error(panic.as_ref()))),
    }
}

/// A caught panic as an error of the statement.
pub(super) fn panic_error(panic: &(dyn std::any::Any + Send)) -> SqlError {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    internal(format!(
        "the query engine gave up: {}",
        text.unwrap_or_default()
    ))
}

async fn run(state: &SessionState, bound: Bound, out: &ReplySender) -> Result<u64, Stop> {
    let columns = metas(&bound);
    let announced: Vec<Column> = columns
        .iter()
        .enumerate()
        .map(|(i, c)| Column {
            name: format!("c{i}"),
            sql_type: c.sql_type.clone(),
            nullable: true,
        })
        .collect();
    let schema = schema_of(&announced)?;
    let plan = state
        .create_physical_plan(&bound.plan)
        .await
        .map_err(plan_error)?;
    let mut rows = execute_stream(plan, state.task_ctx()).map_err(plan_error)?;
    send(out, Reply::Columns(columns)).await?;
    let mut batches = Coalescer::new(schema);
    let mut count = 0;
    loop {
        // A client that is gone must not wait for a long computation to end.
        let next = tokio::select! {
            biased;
            () = out.closed() => return Err(Stop::Gone),
            next = rows.next() => next,
        };
        let Some(batch) = next else { break };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                batches.flush(out, &mut count).await?;
                return Err(Stop::Failed(plan_error(error)));
            }
        };
        let good = if bound.error_column {
            good_rows(&batch)?
        } else {
            batch.num_rows()
        };
        let failed = good < batch.num_rows();
        batches.push(&batch.slice(0, good))?;
        if failed || batches.rows >= REPLY_ROWS_MAX {
            batches.flush(out, &mut count).await?;
        }
        if failed {
            return Err(Stop::Failed(division_by_zero()));
        }
    }
    batches.flush(out, &mut count).await?;
    Ok(count)
}

/// Rows before the first one in which a divisor is zero.
fn good_rows(batch: &RecordBatch) -> SqlResult<usize> {
    let flags = batch
        .columns()
        .last()
        .and_then(|c| c.as_boolean_opt())
        .ok_or_else(|| internal("no error column"))?;
    Ok((0..flags.len())
        .find(|row| flags.is_valid(*row) && flags.value(*row))
        .unwrap_or(flags.len()))
}

/// Collects small batches and cuts large ones.
struct Coalescer {
    schema: SchemaRef,
    pending: Vec<RecordBatch>,
    rows: usize,
}

impl Coalescer {
    fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            pending: Vec::new(),
            rows: 0,
        }
    }

    /// Adds the visible columns of a batch in their announced Arrow types.
    fn push(&mut self, batch: &RecordBatch) -> SqlResult<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let options = arrow::compute::CastOptions {
            safe: false,
            ..arrow::compute::CastOptions::default()
        };
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (array, field) in batch.columns().iter().zip(self.schema.fields()) {
            arrays.push(if array.data_type() == field.data_type() {
                std::sync::Arc::clone(array)
            } else {
                cast_with_options(array, field.data_type(), &options)
                    .map_err(|_| overflow(field.data_type()))?
            });
        }
        self.pending.push(
            RecordBatch::try_new(std::sync::Arc::clone(&self.schema), arrays).map_err(internal)?,
        );
        self.rows += batch.num_rows();
        Ok(())
    }

    async fn flush(&mut self, out: &ReplySender, count: &mut u64) -> Result<(), Stop> {
        let all = match self.pending.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            many => concat_batches(&self.schema, many).map_err(internal)?,
        };
        self.pending.clear();
        self.rows = 0;
        let mut from = 0;
        while from < all.num_rows() {
            let len = REPLY_ROWS_MAX.min(all.num_rows() - from);
            send(out, Reply::Rows(all.slice(from, len))).await?;
            from += len;
            *count = count.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}
