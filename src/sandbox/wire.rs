//! The seam between the two layers of the sandbox: the TDS server asks a [`SqlEngine`], the engine answers
//! with [`Reply`] items. Neither layer knows how the other one works.

use std::fmt;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::domain::sql_type::SqlType;

/// What a client said when it logged in.
#[derive(Clone)]
pub struct LoginRequest {
    /// Login name.
    pub user: String,
    /// Password in clear; never printed.
    pub password: String,
    /// Database asked for; empty means the server's default.
    pub database: String,
    /// Client program name.
    pub app_name: String,
}

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest")
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// One result column as COLMETADATA and `sp_describe_first_result_set` announce it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMeta {
    /// Name, possibly empty (`SELECT 1`).
    pub name: String,
    /// Type with parameters.
    pub sql_type: SqlType,
    /// Whether nulls are possible.
    pub nullable: bool,
}

/// A server error or message with SQL Server's own numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Msg {number}, Level {class}, State {state}: {message}")]
pub struct SqlError {
    /// SQL Server error number, such as 8134.
    pub number: u32,
    /// Severity class; above 10 is an error, 20 and above closes the connection.
    pub class: u8,
    /// State.
    pub state: u8,
    /// Message text.
    pub message: String,
    /// Procedure name or empty.
    pub procedure: String,
    /// Line number, from 1.
    pub line: u32,
}

/// A bound parameter of an RPC, already decoded.
#[derive(Debug, Clone)]
pub struct SqlParam {
    /// Name with the at sign (`@P1`), possibly empty for positional ones.
    pub name: String,
    /// Declared type.
    pub sql_type: SqlType,
    /// Value as a one-row array of the Arrow type that carries `sql_type` (see `tds/value.rs`).
    pub value: arrow::array::ArrayRef,
}

/// One item of an answer, in the order in which it goes over the wire.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A result set begins.
    Columns(Vec<ColumnMeta>),
    /// Rows of the current result set.
    Rows(RecordBatch),
    /// Pre-encoded ROW tokens of the current result set with their number of rows (replay mode).
    RawRows(Bytes, u64),
    /// A statement ended; `rows` is the DONE count if one is to be sent.
    StatementDone {
        /// Rows affected or returned.
        rows: Option<u64>,
    },
    /// The current database changed.
    DatabaseChanged(String),
    /// A transaction began; the server announces this descriptor.
    TransactionBegun(u64),
    /// The transaction ended.
    TransactionEnded {
        /// Descriptor announced at the begin.
        descriptor: u64,
        /// False after a rollback.
        committed: bool,
    },
    /// Information message (class ≤ 10).
    Info(SqlError),
    /// Error; the batch ends here.
    Error(SqlError),
}

/// The engine stopped because the client went away or sent an attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub struct ClientGone;

/// Bounded way out of the engine: `send` waits while the client does not read (back-pressure).
pub type ReplySender = mpsc::Sender<Reply>;

/// What answers SQL. One per server.
#[async_trait]
pub trait SqlEngine: Send + Sync + 'static {
    /// Opens a session.
    ///
    /// # Errors
    /// 18456 for a wrong login, 4060 for a database that does not exist.
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError>;
}

/// One connection's state: current database, transaction, isolation level, prepared handles.
#[async_trait]
pub trait SqlSession: Send {
    /// Database after login.
    fn database(&self) -> String;

    /// Runs a batch (`params` empty) or the statement of `sp_executesql` / `sp_prepexec` / `sp_execute`.
    ///
    /// Errors of SQL are sent as [`Reply::Error`], never returned.
    ///
    /// # Errors
    /// [`ClientGone`] when `out` is closed; the session stays usable for the next request.
    async fn run(
        &mut self,
        sql: &str,
        params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone>;

    /// Begin, commit and rollback as the TDS transaction manager asks for them (`0x0E` packets).
    ///
    /// # Errors
    /// As [`SqlSession::run`].
    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone>;

    /// The columns of the first result set of `sql` without running it, for `sp_prepare` and describe.
    ///
    /// # Errors
    /// The server error of the statement.
    async fn describe(
        &mut self,
        sql: &str,
        params: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError>;
}

/// A request of the TDS transaction manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionRequest {
    /// Begin with the wire's isolation level (0 keep, 1 read uncommitted … 5 snapshot).
    Begin(u8),
    /// Commit.
    Commit,
    /// Roll back.
    Rollback,
}
