//! The engine behind the sandbox's TDS server: sessions, T-SQL over DataFusion, and the answers of the system views.
//!
//! May use `domain`, the tables of `data` and the language of `tsql`; the only place that names DataFusion's planner.
//! Must never answer what it does not understand: every unknown construct is refused by its name.

pub mod bind;
mod catalog;
mod execute;
mod facts;
pub mod func;
mod infoschema;
mod params;
mod procedures;
mod session;
mod showplan;
mod sysviews;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::TableSource;
use datafusion::prelude::SessionConfig;

use crate::sandbox::data::{Ledger, LedgerSpec, Postings, Tables, generate};
use crate::sandbox::engine::bind::plan_error;
use crate::sandbox::engine::session::Session;
use crate::sandbox::tsql::error::{SqlResult, error, internal};
use crate::sandbox::wire::{LoginRequest, SqlEngine, SqlError, SqlSession};

/// Rows of a batch that goes to the client, at most.
pub const REPLY_ROWS_MAX: usize = 8192;

/// How the stand-in is set up.
#[derive(Clone)]
pub struct EngineConfig {
    /// Rows that IPE_07 returns for 2024-04.
    pub rows: u64,
    /// Equal seeds give equal books.
    pub seed: u64,
    /// The one login.
    pub login: String,
    /// Its password; never printed.
    pub password: String,
    /// Whether the databases allow SNAPSHOT.
    pub snapshot_allowed: bool,
    /// Whether the login may see plans.
    pub showplan_allowed: bool,
    /// Whether the login may only read.
    pub read_only_login: bool,
    /// Name that the server gives itself.
    pub server_name: String,
    /// Partitions of a plan; one gives the same row order in every run.
    pub threads: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            rows: 10_000,
            seed: 1,
            login: "sox_reader".to_owned(),
            password: "sandbox".to_owned(),
            snapshot_allowed: true,
            showplan_allowed: true,
            read_only_login: true,
            server_name: "SANDBOX".to_owned(),
            threads: 1,
        }
    }
}

impl std::fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineConfig")
            .field("rows", &self.rows)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// One version of the tables with the form in which DataFusion reads them.
pub(crate) struct Version {
    pub(crate) tables: Arc<Tables>,
    /// One per table, in the same order.
    pub(crate) sources: Vec<Arc<dyn TableSource>>,
}

impl Version {
    /// The version that follows `before`, with which it shares what did not change.
    fn after(before: Option<&Self>, tables: Tables, threads: usize) -> SqlResult<Self> {
        let mut sources: Vec<Arc<dyn TableSource>> = Vec::with_capacity(tables.all.len());
        for table in &tables.all {
            let known = before.and_then(|before| {
                let mut known = before.tables.all.iter().zip(&before.sources);
                known.find(|(known, _)| Arc::ptr_eq(known, table))
            });
            sources.push(match known {
                Some((_, source)) => Arc::clone(source),
                None => source_of(table, threads)?,
            });
        }
        Ok(Self {
            tables: Arc::new(tables),
            sources,
        })
    }
}

/// A table as DataFusion reads it, in `threads` parts of neighbouring batches.
pub(crate) fn source_of(
    table: &crate::sandbox::data::Table,
    threads: usize,
) -> SqlResult<Arc<dyn TableSource>> {
    let parts = threads.max(1);
    let size = table.batches.len().div_ceil(parts).max(1);
    let mut partitions: Vec<_> = table.batches.chunks(size).map(<[_]>::to_vec).collect();
    if partitions.is_empty() {
        partitions.push(Vec::new());
    }
    let memory = MemTable::try_new(Arc::clone(&table.schema), partitions).map_err(plan_error)?;
    Ok(provider_as_source(Arc::new(memory)))
}

/// What a session shows of itself in `sys.dm_exec_sessions`.
#[derive(Debug, Clone)]
pub(crate) struct SessionInfo {
    pub(crate) login: String,
    pub(crate) program: String,
    /// The wire's number of the isolation level, 1 to 5.
    pub(crate) isolation: u8,
    pub(crate) database: String,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) config: EngineConfig,
    version: RwLock<Arc<Version>>,
    pub(crate) sessions: Mutex<BTreeMap<u16, SessionInfo>>,
    pub(crate) state: SessionState,
    /// What is posted next, where a ledger was generated; a commit holds the lock.
    postings: Mutex<Option<Postings>>,
    /// Number of the last transaction.
    pub(crate) transactions: std::sync::atomic::AtomicU64,
}

impl Shared {
    /// The newest committed version.
    pub(crate) fn version(&self) -> Arc<Version> {
        Arc::clone(&self.version.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The database of that name in its own spelling.
    pub(crate) fn database(&self, name: &str) -> Option<String> {
        let version = self.version();
        let known = version.tables.databases().into_iter().chain(["master"]);
        known
            .into_iter()
            .find(|d| d.eq_ignore_ascii_case(name))
            .map(str::to_owned)
    }
}

/// The engine over a generated ledger.
#[derive(Clone)]
pub struct LedgerEngine {
    shared: Arc<Shared>,
}

impl LedgerEngine {
    /// Generates the ledger and makes it ready. Takes seconds for millions of rows: call it off the async threads.
    ///
    /// # Errors
    /// More rows than the sandbox holds.
    pub fn new(config: EngineConfig) -> SqlResult<Self> {
        let spec = LedgerSpec {
            rows: config.rows,
            seed: config.seed,
        };
        Self::with_ledger(config, generate(spec)?)
    }

    /// An engine over a generated ledger, to which [`LedgerEngine::post`] can post.
    ///
    /// # Errors
    /// As [`LedgerEngine::with_tables`].
    pub fn with_ledger(config: EngineConfig, ledger: Ledger) -> SqlResult<Self> {
        let engine = Self::with_tables(config, ledger.tables)?;
        *engine.postings() = Some(ledger.postings);
        Ok(engine)
    }

    /// An engine over given tables.
    ///
    /// # Errors
    /// Tables whose batches do not have their schema.
    pub fn with_tables(config: EngineConfig, tables: Tables) -> SqlResult<Self> {
        let session = SessionConfig::new()
            .with_target_partitions(config.threads.max(1))
            .with_batch_size(REPLY_ROWS_MAX)
            .with_collect_statistics(false);
        let state = SessionStateBuilder::new()
            .with_config(session)
            .with_default_features()
            .build();
        let version = Version::after(None, tables, config.threads)?;
        let shared = Shared {
            config,
            version: RwLock::new(Arc::new(version)),
            sessions: Mutex::new(BTreeMap::new()),
            state,
            postings: Mutex::new(None),
            transactions: std::sync::atomic::AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The newest version of the tables.
    pub fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.shared.version().tables)
    }

    /// Commits a new version; statements that are running keep the one they began with.
    ///
    /// # Errors
    /// As [`LedgerEngine::with_tables`].
    pub fn publish(&self, tables: Tables) -> SqlResult<()> {
        let before = self.shared.version();
        let threads = self.shared.config.threads;
        let version = Arc::new(Version::after(Some(&before), tables, threads)?);
        *self
            .shared
            .version
            .write()
            .unwrap_or_else(PoisonError::into_inner) = version;
        Ok(())
    }

    /// Commits one more posting to the generated ledger: a version that transactions in SNAPSHOT do not see.
    ///
    /// # Errors
    /// No ledger was generated, or its books cannot take the posting.
    pub fn post(&self) -> SqlResult<()> {
        let mut postings = self.postings();
        let postings = postings
            .as_mut()
            .ok_or_else(|| internal("there is no generated ledger to post to"))?;
        self.publish(postings.post(&self.tables())?)
    }

    fn postings(&self) -> MutexGuard<'_, Option<Postings>> {
        let postings = self.shared.postings.lock();
        postings.unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SqlEngine for LedgerEngine {
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        let config = &self.shared.config;
        if !request.user.eq_ignore_ascii_case(&config.login) || request.password != config.password
        {
            return Err(error(
                18_456,
                14,
                format!("Login failed for user '{}'.", request.user),
            ));
        }
        let wanted = if request.database.is_empty() {
            "master"
        } else {
            request.database.as_str()
        };
        let Some(database) = self.shared.database(wanted) else {
            let text = format!(
                "Cannot open database \"{wanted}\" requested by the login. The login failed."
            );
            return Err(error(4060, 11, text));
        };
        Ok(Box::new(Session::open(
            Arc::clone(&self.shared),
            request,
            database,
        )))
    }
}

#[cfg(test)]
mod tests;
