//! The reader task: it owns connection and stream, sends record batches into a bounded channel, and keeps the limits
//! of every phase. Never touches what comes out of the channel.

use std::sync::{Arc, OnceLock};

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
    Describe {
        query: BoundQuery,
        answer: oneshot::Sender<Result<Described, PortError>>,
    },
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

/// The error that ended a view, for whoever asks it something afterwards.
#[derive(Clone, Default)]
struct Ended(Arc<OnceLock<String>>);

impl Ended {
    fn by(&self, error: &PortError) {
        // Only the first error is the cause.
        self.0.set(error.message.clone()).ok();
    }

    fn spent(&self) -> PortError {
        let ended = "the view of the source has ended after an earlier error";
        let what = match self.0.get() {
            Some(first) => format!("{ended}: {first}"),
            None => ended.to_owned(),
        };
        PortError::new(PortErrorKind::Unreachable, what)
    }
}

/// One view of the source, held by its reader task.
pub(super) struct MssqlSnapshot {
    requests: mpsc::Sender<Request>,
    ended: Ended,
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
        let ended = Ended::default();
        let mut reader = Reader {
            client,
            in_transaction: opened.consistency == Consistency::Snapshot,
            limits,
            ended: ended.clone(),
        };
        let mut task = JoinSet::new();
        task.spawn(async move {
            reader.read(inbox).await;
            drop(reader);
            drop(slot);
        });
        Self {
            requests,
            ended,
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
            .map_err(|_| self.ended.spent())?;
        answered
            .await
            .map_err(|_| self.ended.spent())?
            .map_err(|error| error.at("server", self.server.clone()))
    }
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
        let query = query.clone();
        self.ask(|answer| Request::Describe { query, answer }).await
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
            .map_err(|_| self.ended.spent())?;
        Ok(BatchStream { batches, changes })
    }

    async fn close(self: Box<Self>) -> Result<(), PortError> {
        self.ask(|answer| Request::Close { answer }).await
    }
}

/// The task that owns the connection.
struct Reader {
    client: Wire,
    in_transaction: bool,
    limits: Limits,
    ended: Ended,
}

impl Reader {
    /// Serves requests until one ends the view or the view is dropped; then the socket closes with the client.
    async fn read(&mut self, mut inbox: mpsc::Receiver<Request>) {
        while let Some(request) = inbox.recv().await {
            if !self.serve(request).await {
                return;
            }
        }
    }

    /// Serves one request; `false` ends the view.
    async fn serve(&mut self, request: Request) -> bool {
        let (client, limits) = (&mut self.client, &self.limits);
        match request {
            Request::Describe { query, answer } => {
                let asked = describe::describe(client, &query, self.in_transaction, limits);
                let result = contained(asked).await;
                let fine = match &result {
                    // The server refused to describe, nothing more.
                    Err(error) if error.kind == PortErrorKind::Unsupported => true,
                    other => self.goes_on(other),
                };
                // The asker may have gone; then nobody needs the answer.
                answer.send(result).is_ok() && fine
            }
            Request::Rows {
                query,
                rows_max,
                answer,
            } => {
                let asked = access::small_table(client, &query, rows_max, limits);
                let result = contained(asked).await;
                let fine = self.goes_on(&result);
                answer.send(result).is_ok() && fine
            }
            Request::Stream(request) => self.stream(*request).await,
            Request::Close { answer } => {
                let result = if self.in_transaction {
                    contained(access::command(client, "COMMIT TRANSACTION", limits)).await
                } else {
                    Ok(())
                };
                let _asker_may_be_gone = answer.send(result);
                false
            }
        }
    }

    fn goes_on<T>(&self, result: &Result<T, PortError>) -> bool {
        if let Err(error) = result {
            self.ended.by(error);
        }
        result.is_ok()
    }

    /// Sends all rows; `false` ends the view. An error is the last item of the channel.
    async fn stream(&mut self, mut request: StreamRequest) -> bool {
        let out = request.out.clone();
        let sent = contained(send_rows(&mut self.client, &mut request)).await;
        let fine = self.goes_on(&sent);
        match sent {
            Ok(going_on) => fine && going_on,
            Err(error) => {
                let rows = request.builder.rows_total();
                let error = error.at("after_rows", rows.to_string());
                let _reader_may_be_gone = out.send(Err(error)).await;
                false
            }
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
                for ordinal in unproven(&meta, &request.columns) {
                    request.builder.only_ascii(ordinal);
                }
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
            .hint("the query delivers something else than was described; where the server cannot describe, ipe.toml did: compare its columns with the select list")
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

/// The columns that arrive as bytes of a code page that nobody proved: the driver may decode them as another one.
fn unproven<'a>(
    meta: &'a ResultMetadata,
    columns: &'a [SourceColumn],
) -> impl Iterator<Item = usize> + 'a {
    let pairs = meta.columns().iter().zip(columns);
    pairs
        .enumerate()
        .filter_map(|(ordinal, (announced, described))| {
            let in_code_page = matches!(
                announced.column_type(),
                Announced::BigVarChar | Announced::BigChar | Announced::Text
            );
            let collation = described.collation.as_deref();
            let proven = collation.is_some_and(describe::proven_code_page);
            (in_code_page && !proven).then_some(ordinal)
        })
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
