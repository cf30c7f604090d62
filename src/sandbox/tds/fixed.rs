//! An engine that answers fixed statements with fixed results; protocol and type tests run on it.
//!
//! May use the seam only. It understands no SQL beyond the first word of a statement.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, Reply, ReplySender, SqlEngine, SqlError, SqlParam,
    SqlSession, TransactionRequest,
};

use super::describe::describe_reply;
use super::rpc::text_arg;

/// A statement that begins so answers with its own parameters as one row.
pub const ECHO: &str = "ECHO PARAMETERS";

/// What a client asked, as the engine saw it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Statement text.
    pub sql: String,
    /// Bound parameters.
    pub params: Vec<SqlParam>,
}

/// A table from statement text to replies.
#[derive(Debug, Default)]
pub struct FixedEngine {
    answers: HashMap<String, Vec<Reply>>,
    login: Option<(String, String)>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FixedEngine {
    /// An engine that knows no statement yet and lets anybody in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets in only this user with this password; others get error 18456.
    #[must_use]
    pub fn with_login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Answers `sql` (blanks at the ends aside) with `replies`.
    #[must_use]
    pub fn on(mut self, sql: &str, replies: Vec<Reply>) -> Self {
        self.answers.insert(sql.trim().to_owned(), replies);
        self
    }

    /// Answers `sql` with one result set.
    #[must_use]
    pub fn on_rows(self, sql: &str, columns: Vec<ColumnMeta>, batch: RecordBatch) -> Self {
        let rows = u64::try_from(batch.num_rows()).ok();
        let replies = vec![
            Reply::Columns(columns),
            Reply::Rows(batch),
            Reply::StatementDone { rows },
        ];
        self.on(sql, replies)
    }

    /// The statements seen so far; keep a clone of the handle before the engine moves into a server.
    #[must_use]
    pub fn requests(&self) -> Arc<Mutex<Vec<Request>>> {
        Arc::clone(&self.requests)
    }
}

#[async_trait]
impl SqlEngine for FixedEngine {
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        if let Some((user, password)) = &self.login
            && (*user != request.user || *password != request.password)
        {
            let text = format!("Login failed for user '{}'.", request.user);
            return Err(error(18456, 14, text));
        }
        let database = match request.database.as_str() {
            "" => "master".to_owned(),
            name => name.to_owned(),
        };
        Ok(Box::new(FixedSession {
            answers: self.answers.clone(),
            requests: Arc::clone(&self.requests),
            database,
            transactions: Transactions::default(),
        }))
    }
}

/// The transaction descriptors of a session that has no transactions.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    last: u64,
    open: Option<u64>,
}

impl Transactions {
    /// The reply to a request; commits and rollbacks without a transaction are errors 3902 and 3903.
    pub(super) fn answer(&mut self, request: TransactionRequest) -> Reply {
        let committed = request == TransactionRequest::Commit;
        match (request, self.open.take()) {
            (TransactionRequest::Begin(_), open) => {
                self.last += 1;
                self.open = open.or(Some(self.last));
                Reply::TransactionBegun(self.open.unwrap_or(self.last))
            }
            (_, Some(descriptor)) => Reply::TransactionEnded {
                descriptor,
                committed,
            },
            (_, None) => {
                let (number, verb) = if committed {
                    (3902, "COMMIT")
                } else {
                    (3903, "ROLLBACK")
                };
                let text = format!(
                    "The {verb} TRANSACTION request has no corresponding BEGIN TRANSACTION."
                );
                Reply::Error(error(number, 16, text))
            }
        }
    }

    /// The request that a statement stands for, if it is one of T-SQL's transaction statements.
    pub(super) fn request_of(sql: &str) -> Option<TransactionRequest> {
        let mut words = sql.split(|c: char| c.is_whitespace() || c == ';');
        match words.next()?.to_ascii_uppercase().as_str() {
            "BEGIN" => {
                let second = words.next()?.to_ascii_uppercase();
                second
                    .starts_with("TRAN")
                    .then_some(TransactionRequest::Begin(0))
            }
            "COMMIT" => Some(TransactionRequest::Commit),
            "ROLLBACK" => Some(TransactionRequest::Rollback),
            _ => None,
        }
    }
}

struct FixedSession {
    answers: HashMap<String, Vec<Reply>>,
    requests: Arc<Mutex<Vec<Request>>>,
    database: String,
    transactions: Transactions,
}

impl FixedSession {
    fn replies(&mut self, sql: &str, params: &[SqlParam]) -> Vec<Reply> {
        let sql = sql.trim();
        if let Some(replies) = self.answers.get(sql) {
            return replies.clone();
        }
        if sql.starts_with(ECHO) {
            return echo(params);
        }
        if is_describe(sql) {
            let described = params.first().and_then(text_arg).unwrap_or_default();
            return match self.columns(described) {
                Some(columns) => describe_reply(&columns),
                None => vec![Reply::Error(unknown(described))],
            };
        }
        if let Some(request) = Transactions::request_of(sql) {
            return vec![
                self.transactions.answer(request),
                Reply::StatementDone { rows: None },
            ];
        }
        let first = sql
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match first.as_str() {
            "" | "SET" | "IF" | "PRINT" => vec![Reply::StatementDone { rows: None }],
            "USE" => {
                let name = sql
                    .get(3..)
                    .unwrap_or_default()
                    .trim_matches([' ', '[', ']', ';']);
                name.clone_into(&mut self.database);
                let changed = Reply::DatabaseChanged(name.to_owned());
                vec![changed, Reply::StatementDone { rows: None }]
            }
            _ => vec![Reply::Error(unknown(sql))],
        }
    }

    fn columns(&self, sql: &str) -> Option<Vec<ColumnMeta>> {
        let replies = self.answers.get(sql.trim())?;
        replies.iter().find_map(|reply| match reply {
            Reply::Columns(columns) => Some(columns.clone()),
            _ => None,
        })
    }
}

#[async_trait]
impl SqlSession for FixedSession {
    fn database(&self) -> String {
        self.database.clone()
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Request {
                sql: sql.to_owned(),
                params: params.to_vec(),
            });
        for reply in self.replies(sql, params) {
            out.send(reply).await.map_err(|_| ClientGone)?;
        }
        Ok(())
    }

    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        out.send(self.transactions.answer(request))
            .await
            .map_err(|_| ClientGone)
    }

    async fn describe(
        &mut self,
        sql: &str,
        _params: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        Ok(self.columns(sql).unwrap_or_default())
    }
}

/// Whether a statement calls `sp_describe_first_result_set`.
pub(super) fn is_describe(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let exec = words.next().is_some_and(|word| {
        word.eq_ignore_ascii_case("exec") || word.eq_ignore_ascii_case("execute")
    });
    exec && words.next().is_some_and(|name| {
        super::rpc::bare_name(name.trim_end_matches(';')) == "sp_describe_first_result_set"
    })
}

/// The parameters as one row.
fn echo(params: &[SqlParam]) -> Vec<Reply> {
    let columns: Vec<ColumnMeta> = params
        .iter()
        .map(|param| ColumnMeta {
            name: param.name.trim_start_matches('@').to_owned(),
            sql_type: param.sql_type.clone(),
            nullable: true,
        })
        .collect();
    let fields: Vec<Field> = params
        .iter()
        .map(|param| Field::new(&param.name, param.value.data_type().clone(), true))
        .collect();
    let arrays = params
        .iter()
        .map(|param| Arc::clone(&param.value))
        .collect();
    match RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays) {
        Ok(batch) => vec![
            Reply::Columns(columns),
            Reply::Rows(batch),
            Reply::StatementDone { rows: Some(1) },
        ],
        Err(_) => vec![Reply::Error(error(
            8145,
            16,
            "no parameters to echo".to_owned(),
        ))],
    }
}

fn unknown(sql: &str) -> SqlError {
    error(2812, 16, format!("this server has no answer for: {sql}"))
}

pub(super) fn error(number: u32, class: u8, message: String) -> SqlError {
    SqlError {
        number,
        class,
        state: 1,
        message,
        procedure: String::new(),
        line: 1,
    }
}
