//! The reader task: it owns connection and stream, sends record batches into a bounded channel, and keeps the limits
//! of every phase. Never touches what comes out of the channel.

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use futures::TryStreamExt;
use tiberius::{ColumnType as Announced, QueryItem, ResultMetadata};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::domain::contract::ColumnType;
use crate::domain::limits::Limits;
use crate::domain::losses::Changes;
use crate::domain::query::BoundQuery;
use crate::ports::{
    AccessEvidence, BatchStream, Consistency, Described, PortError, PortErrorKind, SmallTable,
    Snapshot, SourceColumn,
};

use super::access::{self, Opened};
use super::connect::Wire;
use super::decode::BatchBuilder;
use super::describe;
use super::guard::{Deadline, contained};

enum Request {
    Rows {
        query: BoundQuery,
        rows_max: usize,
        answer: oneshot::Sender<Result<SmallTable, PortError>>,
    },
    Stream(Box<StreamRequest>),
    Close {
        answer: oneshot::Sender<Result<(), PortError>>,
    },
}

struct StreamRequest {
    query: BoundQuery,
    columns: Vec<SourceColumn>,
    builder: BatchBuilder,
    limits: Limits,
    out: mpsc::Sender<Result<RecordBatch, PortError>>,
    changes: Option<oneshot::Sender<Vec<Changes>>>,
}

/// One view of the source, held by its reader task.
pub(super) struct MssqlSnapshot {
    requests: mpsc::Sender<Request>,
    /// Holds the one reader task; dropping it closes the connection.
    _task: JoinSet<()>,
    opened: Opened,
    server: String,
}

impl MssqlSnapshot {
    /// Hands the connection to its reader task.
    pub(super) fn start(
        client: Wire,
        opened: Opened,
        server: String,
        limits: Limits,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        let (requests, inbox) = mpsc::channel(1);
        let in_transaction = opened.consistency == Consistency::Snapshot;
        let mut task = JoinSet::new();
        task.spawn(async move {
            read(client, inbox, in_transaction, &limits).await;
            drop(slot);
        });
        Self {
            requests,
            _task: task,
            opened,
            server,
        }
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, PortError>>) -> Request + Send,
    ) -> Result<T, PortError>
    where
        T: Send,
    {
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(request(answer))
            .await
            .map_err(|_| spent())?;
        answered
            .await
            .map_err(|_| spent())?
            .map_err(|error| error.at("server", self.server.clone()))
    }
}

fn spent() -> PortError {
    PortError::new(
        PortErrorKind::Unreachable,
        "the view of the source has ended after an earlier error",
    )
}

#[async_trait]
impl Snapshot for MssqlSnapshot {
    fn consistency(&self) -> Consistency {
        self.opened.consistency
    }

    fn access(&self) -> &AccessEvidence {
        &self.opened.access
    }

    async fn describe(&mut self, query: &BoundQuery) -> Result<Described, PortError> {
        let rows_max = 1_024; // SQL Server allows 4,096 columns in a select list, BigQuery loads far fewer.
        let answer = self
            .rows(&describe::question(query), rows_max)
            .await
            .map_err(cannot_describe)?;
        describe::read(&answer)
    }

    async fn rows(&mut self, query: &BoundQuery, rows_max: usize) -> Result<SmallTable, PortError> {
        let query = query.clone();
        self.ask(|answer| Request::Rows {
            query,
            rows_max,
            answer,
        })
        .await
    }

    async fn stream(
        &mut self,
        query: &BoundQuery,
        columns: &[SourceColumn],
        limits: &Limits,
    ) -> Result<BatchStream, PortError> {
        let builder = BatchBuilder::new(columns)?;
        let (out, batches) = mpsc::channel(limits.channel_batches_max);
        let (said, changes) = oneshot::channel();
        let request = StreamRequest {
            query: query.clone(),
            columns: columns.to_vec(),
            builder,
            limits: limits.clone(),
            out,
            changes: Some(said),
        };
        self.requests
            .send(Request::Stream(Box::new(request)))
            .await
            .map_err(|_| spent())?;
        Ok(BatchStream { batches, changes })
    }

    async fn close(self: Box<Self>) -> Result<(), PortError> {
        self.ask(|answer| Request::Close { answer }).await
    }
}

/// Errors that say "this text cannot be described", not "this text is wrong".
fn cannot_describe(error: PortError) -> PortError {
    let undescribable = [
        "2812", "229", "11501", "11502", "11503", "11509", "11513", "11514", "11525", "11526",
        "11529",
    ];
    let is_such = undescribable.iter().any(|code| {
        error
            .message
            .starts_with(&format!("SQL Server error {code}:"))
    });
    if is_such {
        PortError {
            kind: PortErrorKind::Unsupported,
            ..error
        }
    } else {
        error
    }
}

/// Serves requests until one fails or the view is dropped; then the socket closes with the client.
async fn read(
    mut client: Wire,
    mut inbox: mpsc::Receiver<Request>,
    in_transaction: bool,
    limits: &Limits,
) {
    while let Some(request) = inbox.recv().await {
        let going_on = match request {
            Request::Rows {
                query,
                rows_max,
                answer,
            } => {
                let asked = access::small_table(&mut client, &query, rows_max, limits);
                let result = contained(asked).await;
                let fine = result.is_ok();
                // The asker may have gone; then nobody needs the answer.
                answer.send(result).is_ok() && fine
            }
            Request::Stream(request) => stream(&mut client, *request).await,
            Request::Close { answer } => {
                let result = if in_transaction {
                    contained(access::command(&mut client, "COMMIT TRANSACTION", limits)).await
                } else {
                    Ok(())
                };
                let _asker_may_be_gone = answer.send(result);
                false
            }
        };
        if !going_on {
            return;
        }
    }
}

/// Sends all rows; `false` ends the view. An error is the last item of the channel.
async fn stream(client: &mut Wire, mut request: StreamRequest) -> bool {
    let out = request.out.clone();
    match contained(send_rows(client, &mut request)).await {
        Ok(going_on) => going_on,
        Err(error) => {
            let rows = request.builder.rows_total();
            let _reader_may_be_gone = out
                .send(Err(error.at("after_rows", rows.to_string())))
                .await;
            false
        }
    }
}

async fn send_rows(client: &mut Wire, request: &mut StreamRequest) -> Result<bool, PortError> {
    let mut deadline = Deadline::new(&request.limits);
    let mut rows = deadline
        .first(access::bound(&request.query).query(client))
        .await?;
    while let Some(item) = deadline.next(rows.try_next()).await? {
        let row = match item {
            QueryItem::Metadata(meta) => {
                agree(&meta, &request.columns)?;
                continue;
            }
            QueryItem::Row(row) => row,
        };
        let (batch_rows, bytes) = request.builder.push(row)?;
        let full =
            batch_rows >= request.limits.batch_rows_max || bytes >= request.limits.batch_bytes_max;
        if full && !hand_over(request).await? {
            return Ok(false);
        }
    }
    if request.builder.len() > 0 && !hand_over(request).await? {
        return Ok(false);
    }
    if let Some(changes) = request.changes.take() {
        let _reader_may_be_gone = changes.send(request.builder.changes());
    }
    Ok(true)
}

/// Sends the collected rows; `false` when nobody takes them any more.
async fn hand_over(request: &mut StreamRequest) -> Result<bool, PortError> {
    let batch = request.builder.finish()?;
    Ok(request.out.send(Ok(batch)).await.is_ok())
}

/// What the driver announces must not contradict what the server described.
fn agree(meta: &ResultMetadata, columns: &[SourceColumn]) -> Result<(), PortError> {
    if meta.result_index() > 0 {
        return Err(access::second_result());
    }
    let contradiction = |what: String| {
        PortError::new(PortErrorKind::Corrupt, what)
            .hint("the query delivers something else than it was described to deliver")
    };
    if meta.columns().len() != columns.len() {
        return Err(contradiction(format!(
            "{} columns arrive where {} were described",
            meta.columns().len(),
            columns.len()
        )));
    }
    for (announced, described) in meta.columns().iter().zip(columns) {
        let fits = described
            .column_type
            .is_some_and(|column_type| carries(announced.column_type(), column_type));
        if announced.name() != described.name || !fits {
            return Err(contradiction(format!(
                "column {} arrives as [{}] {:?} where [{}] {} was described",
                described.ordinal + 1,
                announced.name(),
                announced.column_type(),
                described.name,
                described.sql_type
            )));
        }
    }
    Ok(())
}

fn carries(announced: Announced, column_type: ColumnType) -> bool {
    use Announced as A;
    match column_type {
        ColumnType::Bool => matches!(announced, A::Bit | A::Bitn),
        ColumnType::Int16 => matches!(announced, A::Int1 | A::Int2 | A::Intn),
        ColumnType::Int32 => matches!(announced, A::Int4 | A::Intn),
        ColumnType::Int64 => matches!(announced, A::Int8 | A::Intn),
        ColumnType::Decimal { .. } => {
            matches!(announced, A::Decimaln | A::Numericn | A::Money | A::Money4)
        }
        ColumnType::Float32 => matches!(announced, A::Float4 | A::Floatn),
        ColumnType::Float64 => matches!(announced, A::Float8 | A::Floatn),
        ColumnType::Date => announced == A::Daten,
        ColumnType::DateTime => matches!(
            announced,
            A::Datetime | A::Datetime4 | A::Datetimen | A::Datetime2
        ),
        ColumnType::DateTimeUtc => announced == A::DatetimeOffsetn,
        ColumnType::Time => announced == A::Timen,
        ColumnType::Text => matches!(
            announced,
            A::BigVarChar | A::BigChar | A::NVarchar | A::NChar | A::Text | A::NText | A::Guid
        ),
        ColumnType::Binary => matches!(announced, A::BigVarBin | A::BigBinary | A::Image),
    }
}
