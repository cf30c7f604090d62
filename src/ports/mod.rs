//! The traits to the outside world, with their contracts. Storage needs no trait of ours: staging and evidence are
//! `Arc<dyn ObjectStore>` below a [`StoreRoot`].
//!
//! May use `domain` and Arrow; names no vendor.

mod answer;
mod estimate;
mod load;
mod machine;
mod scratch;
mod sink;
mod store;
mod trial;
mod unquoted;
mod upload;

use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::domain::amount::Amount;
use crate::domain::contract::{ColumnType, Contract};
use crate::domain::ids::IpeId;
use crate::domain::limits::Limits;
use crate::domain::losses::Changes;
use crate::domain::query::BoundQuery;
use crate::domain::sql_type::SqlType;

pub use answer::{AnswerColumn, AnswerRow, AnswerTo, RowSink, ValueKind};
pub use estimate::Estimate;
pub use load::{LoadJob, LoadListener, ReadBack, Tell, Warehouse};
pub use machine::{Clock, Processes};
pub use scratch::Scratch;
pub use sink::{Content, Delivered, EvidenceSink, Outgoing};
pub use store::{Leftover, StoreRoot, Stored};
pub use trial::{TRIAL_PREFIX, TrialWarehouse};
pub use unquoted::unquoted;
pub use upload::Upload;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortErrorKind {
    /// No connection, or it broke.
    Unreachable,
    /// Login or permission refused, certificate not trusted.
    Denied,
    /// A phase took longer than its limit.
    Timeout,
    /// The other side refused the statement or job.
    Query,
    /// A type or feature that cannot be carried exactly.
    Unsupported,
    /// Bytes or values that contradict what was announced.
    Corrupt,
    /// A limit of ours was reached, or storage is full.
    Limit,
    /// Configuration that cannot work: malformed connection string, unknown secret.
    Config,
}

/// "Could not find out": what, where, and how to mend it. Never holds a secret or a row value.
#[derive(Debug, Clone)]
pub struct PortError {
    /// What a caller can do about it.
    pub kind: PortErrorKind,
    /// What happened, in lower case, with names and numbers.
    pub message: String,
    /// Where: pairs such as (`server`, `fin-sql:1433`).
    pub context: Vec<(&'static str, String)>,
    /// Next step.
    pub hint: Option<String>,
    /// Whether opening may be tried again.
    pub is_retryable: bool,
}

impl PortError {
    /// An error that is not retryable.
    #[must_use]
    pub fn new(kind: PortErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            is_retryable: false,
        }
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.context.push((name, value.into()));
        self
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Marks it as worth another attempt to open.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.is_retryable = true;
        self
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (name, value) in &self.context {
            write!(f, ", {name} {value}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PortError {}

/// How the rows and the totals of one item relate in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consistency {
    /// One SNAPSHOT transaction over all databases of the item.
    Snapshot,
    /// No snapshot: totals are taken before and after the rows.
    Bracketed,
    /// A file: rows and totals are read from one copy of it, which is proven by its SHA-256.
    Copied,
}

/// Who read where, with which rights: evidence of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEvidence {
    /// Server name as the server says it.
    pub server: String,
    /// Version text of the server.
    pub server_version: String,
    /// Login that the session has.
    pub login: String,
    /// Isolation level of the session.
    pub isolation_level: String,
    /// What the login may do per database.
    pub databases: Vec<DatabaseAccess>,
}

/// Rights and settings in one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseAccess {
    /// Database name.
    pub name: String,
    /// Whether SNAPSHOT transactions are allowed.
    pub snapshot_allowed: bool,
    /// Default collation.
    pub collation: String,
    /// Rights to change anything; empty proves that the login only reads. `None` when the server would not say.
    pub write_rights: Option<Vec<String>>,
}

/// One result column, as the source describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceColumn {
    /// Position, from 0.
    pub ordinal: usize,
    /// Name in the result set.
    pub name: String,
    /// Type with parameters, as text.
    pub sql_type: String,
    /// Carrier of that type; `None` where it is refused.
    pub column_type: Option<ColumnType>,
    /// Whether the source says that nulls are possible.
    pub nullable: bool,
    /// Collation of text columns.
    pub collation: Option<String>,
}

impl SourceColumn {
    /// The columns of a contract as a source would describe them.
    #[must_use]
    pub fn of(contract: &Contract) -> Vec<Self> {
        let columns = contract.columns.iter().enumerate();
        let columns = columns.map(|(ordinal, column)| Self {
            ordinal,
            name: column.source.clone(),
            sql_type: column.sql_type.to_string(),
            column_type: Some(column.column_type),
            nullable: column.nullable,
            collation: None,
        });
        columns.collect()
    }

    /// The type as a value.
    #[must_use]
    pub fn parsed_type(&self) -> SqlType {
        self.sql_type
            .parse()
            .unwrap_or_else(|_| SqlType::Other(self.sql_type.clone()))
    }
}

/// A described query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Columns of the first result set.
    pub columns: Vec<SourceColumn>,
    /// [`BY_SERVER`], or [`BY_CONTRACT`] where the server cannot describe.
    pub by: String,
}

/// The server described the columns.
pub const BY_SERVER: &str = "server";
/// The server cannot describe, and the columns are those of the contract: what arrives is compared with them.
pub const BY_CONTRACT: &str = "contract";

/// One value of a small table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Null.
    Null,
    /// `bit`.
    Bool(bool),
    /// Integers.
    Int(i64),
    /// Exact decimals and integers beyond 64 bits.
    Decimal(Amount),
    /// Text.
    Text(String),
    /// Date.
    Date(NaiveDate),
    /// Date and time without zone.
    DateTime(NaiveDateTime),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A result of few rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SmallTable {
    /// Column names in order.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// Record batches of one running query, by ordinal, with the source's names and Arrow carriers of [`ColumnType`].
///
/// Dropping it stops the query and closes its connection.
pub struct BatchStream {
    /// The bounded channel; `None` from it is the good end of the rows, an error is the last item.
    pub batches: mpsc::Receiver<Result<RecordBatch, PortError>>,
    /// What decoding changed, by ordinal, over all batches: said once, before the good end of the rows.
    pub changes: oneshot::Receiver<Vec<Changes>>,
}

/// A place that answers queries: SQL Server.
#[async_trait]
pub trait Source: Send + Sync {
    /// Opens one consistent view over `databases`. May be retried by the adapter; reading never is.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`, `Timeout`, `Config`.
    async fn open(&self, databases: &[String]) -> Result<Box<dyn Snapshot>, PortError>;

    /// What the plan of the query expects, without running it, on a connection of its own.
    ///
    /// # Errors
    /// `Query` or `Unsupported` when the server shows no plan to this login; `Unreachable`, `Denied`, `Timeout`.
    async fn estimate(&self, query: &BoundQuery) -> Result<Estimate, PortError>;
}

/// One consistent view. Calls follow each other; after an error the view is spent, says so with the first error, and only
/// `close` is left. One error is not the end: a server that cannot describe.
#[async_trait]
pub trait Snapshot: Send {
    /// What this view promises.
    fn consistency(&self) -> Consistency;

    /// Who reads.
    fn access(&self) -> &AccessEvidence;

    /// Columns of the query, without running it.
    ///
    /// # Errors
    /// `Query` when the statement is wrong; `Unsupported` when the server cannot describe: then the view stands as it was,
    /// at the same moment of the source, and takes further questions.
    async fn describe(&mut self, query: &BoundQuery) -> Result<Described, PortError>;

    /// A result of at most `rows_max` rows.
    ///
    /// # Errors
    /// `Limit` for more rows; `Query`, `Unreachable`, `Timeout`.
    async fn rows(&mut self, query: &BoundQuery, rows_max: usize) -> Result<SmallTable, PortError>;

    /// Starts the query; the batches carry exactly `columns`, in order. The view is busy until the stream has ended.
    ///
    /// # Errors
    /// `Unsupported` names the column and the CAST to write; what happens later comes through the stream.
    async fn stream(
        &mut self,
        query: &BoundQuery,
        columns: &[SourceColumn],
        limits: &Limits,
    ) -> Result<BatchStream, PortError>;

    /// Ends the view; the connection is given back only if every stream ended well.
    ///
    /// # Errors
    /// `Unreachable` when the end could not be said; nothing is lost by it.
    async fn close(self: Box<Self>) -> Result<(), PortError>;
}

/// A secret value; never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A place that keeps secrets.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret of that name.
    ///
    /// # Errors
    /// `Config` when there is none, saying where it was looked for; `Denied`.
    async fn get(&self, name: &str) -> Result<Secret, PortError>;

    /// Where secrets come from, for the evidence: no values.
    fn origin(&self) -> String;

    /// Where the secret of that name came from, with its version where the place keeps versions. Before it was read,
    /// and where there are none, the same as [`Secrets::origin`].
    async fn origin_of(&self, _name: &str) -> String {
        self.origin()
    }
}

/// Sources by the name of the secret that holds their connection string.
#[async_trait]
pub trait Sources: Send + Sync {
    /// The source of that secret; the same one for every item that names it.
    ///
    /// # Errors
    /// `Config` for an unknown secret or a malformed connection string, without any of its values.
    async fn source(&self, secret: &str) -> Result<Arc<dyn Source>, PortError>;

    /// Where the secret of a source that was given came from, for the evidence; `None` where nobody keeps that.
    async fn origin_of(&self, _secret: &str) -> Option<String> {
        None
    }

    /// The file that was said for an item which is read from one. Nothing stands in for a file that was not said.
    ///
    /// # Errors
    /// `Config` when none was said, or what was said is no file; `Denied`, `Unreachable`.
    async fn upload(&self, ipe: &IpeId) -> Result<Upload, PortError> {
        let what = format!("no file was said for {ipe}");
        Err(PortError::new(PortErrorKind::Config, what))
    }
}
