//! One connection: its database, transaction, isolation level and the way of its batches.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr as Ast, Query};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::{Binder, Bound, Catalog, Variables};
use crate::sandbox::engine::catalog::{SNAPSHOT, StatementCatalog};
use crate::sandbox::engine::execute::{Stop, panic_error, send, stream};
use crate::sandbox::engine::func::cell::{Cell, single};
use crate::sandbox::engine::params::variables_of;
use crate::sandbox::engine::{SessionInfo, Shared, Version};
use crate::sandbox::tsql::batch::{Declaration, Statement, parse_batch};
use crate::sandbox::tsql::error::{SqlResult, denied, error, unknown_variable, unsupported};
use crate::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, Reply, ReplySender, SqlError, SqlParam, SqlSession,
    TransactionRequest,
};

/// First session number of users; the ones below belong to the server.
const FIRST_SESSION: u16 = 51;
/// Isolation level READ COMMITTED on the wire.
const READ_COMMITTED: u8 = 2;

/// One connection.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    number: u16,
    database: String,
    isolation: u8,
    nocount: bool,
    /// Whether queries are answered with their plan.
    showplan: bool,
    /// Open BEGIN TRANSACTIONs.
    depth: u32,
    /// Number of the open transaction.
    descriptor: u64,
    /// The version that a SNAPSHOT transaction reads, from its first access on.
    pinned: Option<Arc<Version>>,
    row_count: u64,
}

impl Session {
    pub(super) fn open(shared: Arc<Shared>, request: &LoginRequest, database: String) -> Self {
        let info = SessionInfo {
            login: shared.config.login.clone(),
            program: request.app_name.clone(),
            isolation: READ_COMMITTED,
            database: database.clone(),
        };
        let number = {
            let mut sessions = shared
                .sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let free = (FIRST_SESSION..u16::MAX)
                .find(|n| !sessions.contains_key(n))
                .unwrap_or(u16::MAX);
            sessions.insert(free, info);
            free
        };
        Self {
            shared,
            number,
            database,
            isolation: READ_COMMITTED,
            nocount: false,
            showplan: false,
            depth: 0,
            descriptor: 0,
            pinned: None,
            row_count: 0,
        }
    }

    /// Shows the session's state to the others.
    fn show(&self) {
        let mut sessions = self
            .shared
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = sessions.get_mut(&self.number) {
            info.isolation = self.isolation;
            info.database.clone_from(&self.database);
        }
    }

    /// The version that the next statement reads.
    fn version(&mut self) -> Arc<Version> {
        if self.depth == 0 || self.isolation != SNAPSHOT {
            return self.shared.version();
        }
        Arc::clone(self.pinned.get_or_insert_with(|| self.shared.version()))
    }

    /// Does something with the catalog of one statement.
    fn with_catalog<T>(&mut self, work: impl FnOnce(&dyn Catalog) -> SqlResult<T>) -> SqlResult<T> {
        let version = self.version();
        let catalog = StatementCatalog {
            shared: &self.shared,
            version,
            session: self.number,
            database: &self.database,
            isolation: self.isolation,
            transactions: self.depth,
            row_count: self.row_count,
        };
        match catch_unwind(AssertUnwindSafe(|| work(&catalog))) {
            Ok(result) => result,
            Err(panic) => Err(panic_error(panic.as_ref())),
        }
    }

    pub(super) fn bind(&mut self, query: &Query, variables: &Variables) -> SqlResult<Bound> {
        self.with_catalog(|catalog| Binder::new(catalog, variables).bind(query))
    }

    /// The value of an expression outside a query, as one of `ty`; without it, as the expression's own type.
    pub(super) fn evaluate(
        &mut self,
        ast: &Ast,
        ty: Option<&SqlType>,
        variables: &Variables,
    ) -> SqlResult<(SqlType, Cell<'static>)> {
        let constant =
            self.with_catalog(|catalog| Binder::new(catalog, variables).constant(ast, ty))?;
        Ok(constant)
    }

    pub(super) async fn batch(
        &mut self,
        sql: &str,
        variables: &mut Variables,
        out: &ReplySender,
        nesting: usize,
    ) -> Result<(), Stop> {
        let mut statements: VecDeque<Statement> = read_batch(sql)?.into();
        while let Some(statement) = statements.pop_front() {
            if let Statement::IfTransaction = statement {
                if self.depth == 0 {
                    statements.pop_front();
                }
                continue;
            }
            self.statement(statement, variables, out, nesting).await?;
        }
        Ok(())
    }

    async fn statement(
        &mut self,
        statement: Statement,
        variables: &mut Variables,
        out: &ReplySender,
        nesting: usize,
    ) -> Result<(), Stop> {
        match statement {
            Statement::Query(query) if self.showplan => {
                return self.show_plan(&query, variables, out).await;
            }
            Statement::Query(query) => {
                let bound = self.bind(&query, variables)?;
                let shared = Arc::clone(&self.shared);
                let rows = stream(&shared.state, bound, out).await?;
                return self.counted(rows, out).await;
            }
            Statement::Declare(list) => {
                for declaration in list {
                    self.declare(declaration, variables)?;
                }
                return Ok(());
            }
            Statement::Assign(name, value) => {
                let known = variables
                    .get(&name.to_lowercase())
                    .ok_or_else(|| unknown_variable(&name))?;
                let ty = known.0.clone();
                let (ty, cell) = self.evaluate(&value, Some(&ty), variables)?;
                variables.insert(name.to_lowercase(), (ty.clone(), Some(single(&cell, &ty)?)));
            }
            Statement::SetOption { nocount } => self.nocount = nocount.unwrap_or(self.nocount),
            Statement::ShowPlan(on) => self.showplan = on,
            Statement::Isolation(level) => {
                self.isolation = level;
                self.show();
            }
            Statement::Use(name) => self.change_database(&name, out).await?,
            Statement::Begin => self.begin(out).await?,
            Statement::Commit => self.end(true, out).await?,
            Statement::Rollback => self.end(false, out).await?,
            Statement::Print(value) => {
                let (_, cell) =
                    self.evaluate(&value, Some(&SqlType::NVarChar(Some(4000))), variables)?;
                let text = if let Cell::Text(text) = cell {
                    text.into_owned()
                } else {
                    String::new()
                };
                send(out, Reply::Info(error(0, 0, text))).await?;
            }
            Statement::Execute(name, arguments) => {
                return self
                    .execute(&name, &arguments, variables, out, nesting)
                    .await;
            }
            Statement::Write(action, object) => {
                return Err(Stop::Failed(self.refuse_write(action, &object)));
            }
            Statement::IfTransaction => {}
        }
        send(out, Reply::StatementDone { rows: None })
            .await
            .map_err(Stop::from)
    }

    async fn change_database(&mut self, name: &str, out: &ReplySender) -> Result<(), Stop> {
        let text = format!(
            "Database '{name}' does not exist. Make sure that the name is entered correctly."
        );
        let known = self.shared.database(name);
        self.database = known.ok_or_else(|| error(911, 16, text))?;
        self.show();
        send(out, Reply::DatabaseChanged(self.database.clone())).await?;
        let text = format!("Changed database context to '{}'.", self.database);
        send(out, Reply::Info(error(5701, 0, text))).await?;
        Ok(())
    }

    pub(super) async fn counted(&mut self, rows: u64, out: &ReplySender) -> Result<(), Stop> {
        self.row_count = rows;
        let rows = (!self.nocount).then_some(rows);
        send(out, Reply::StatementDone { rows })
            .await
            .map_err(Stop::from)
    }

    pub(super) fn refuse_write(&self, action: &str, object: &str) -> SqlError {
        if self.shared.config.read_only_login {
            return match action {
                "CREATE" => error(
                    262,
                    14,
                    format!(
                        "CREATE TABLE permission denied in database '{}'.",
                        self.database
                    ),
                ),
                _ => denied(action, object),
            };
        }
        unsupported(format!("{action} on {object}: the ledger is read only"))
    }

    fn declare(&mut self, declaration: Declaration, variables: &mut Variables) -> SqlResult<()> {
        let name = declaration.name.to_lowercase();
        if variables.contains_key(&name) {
            let text = format!(
                "The variable name '{}' has already been declared.",
                declaration.name
            );
            return Err(error(134, 15, text));
        }
        let ty = declaration.sql_type;
        let cell = match &declaration.value {
            Some(ast) => self.evaluate(ast, Some(&ty), variables)?.1,
            None => Cell::Null,
        };
        variables.insert(name, (ty.clone(), Some(single(&cell, &ty)?)));
        Ok(())
    }

    async fn begin(&mut self, out: &ReplySender) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth == 1 {
            self.descriptor = self.shared.transactions.fetch_add(1, Ordering::Relaxed) + 1;
            self.pinned = None;
            send(out, Reply::TransactionBegun(self.descriptor)).await?;
        }
        Ok(())
    }

    async fn end(&mut self, committed: bool, out: &ReplySender) -> Result<(), Stop> {
        if self.depth == 0 {
            let (number, verb) = if committed {
                (3902, "COMMIT")
            } else {
                (3903, "ROLLBACK")
            };
            let text =
                format!("The {verb} TRANSACTION request has no corresponding BEGIN TRANSACTION.");
            return Err(Stop::Failed(error(number, 16, text)));
        }
        self.depth = if committed { self.depth - 1 } else { 0 };
        if self.depth == 0 {
            self.pinned = None;
            send(
                out,
                Reply::TransactionEnded {
                    descriptor: self.descriptor,
                    committed,
                },
            )
            .await?;
        }
        Ok(())
    }

    /// Sends the error that a request ended with.
    async fn report(
        &mut self,
        result: Result<(), Stop>,
        out: &ReplySender,
    ) -> Result<(), ClientGone> {
        match result {
            Ok(()) => Ok(()),
            Err(Stop::Gone) => Err(ClientGone),
            Err(Stop::Failed(error)) => send(out, Reply::Error(error)).await,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut sessions = self
            .shared
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&self.number);
    }
}

#[async_trait]
impl SqlSession for Session {
    fn database(&self) -> String {
        self.database.clone()
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        let mut variables = variables_of(params);
        let result = self.batch(sql, &mut variables, &out, 0).await;
        self.report(result, &out).await
    }

    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        let result = match request {
            TransactionRequest::Begin(level) => {
                if (1..=SNAPSHOT).contains(&level) {
                    self.isolation = level;
                    self.show();
                }
                self.begin(&out).await
            }
            TransactionRequest::Commit => self.end(true, &out).await,
            TransactionRequest::Rollback => self.end(false, &out).await,
        };
        let result = match result {
            Ok(()) => send(&out, Reply::StatementDone { rows: None })
                .await
                .map_err(Stop::from),
            failed => failed,
        };
        self.report(result, &out).await
    }

    async fn describe(
        &mut self,
        sql: &str,
        params: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        self.first_result(sql, params)
    }
}

/// Reads a batch; a panic of the parser becomes an error of the batch.
pub(super) fn read_batch(sql: &str) -> SqlResult<Vec<Statement>> {
    match catch_unwind(AssertUnwindSafe(|| parse_batch(sql))) {
        Ok(result) => result,
        Err(panic) => Err(panic_error(panic.as_ref())),
    }
}
