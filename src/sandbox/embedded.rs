//! The stand-in as one piece: books, server, engine, login, certificate and writers.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::task::{JoinSet, spawn_blocking};

use crate::sandbox::data::plants::{AnswerKey, Planting, plant};
use crate::sandbox::data::{LedgerSpec, Table, Tables, generate, jdash};
use crate::sandbox::engine::{EngineConfig, LedgerEngine};
use crate::sandbox::files;
use crate::sandbox::replayed::{ROWS_ONCE, ReplayedLedger};
use crate::sandbox::server::{Credentials, SandboxError, Server, ServerConfig, Trust};
use crate::sandbox::tds::fault::Faults;
use crate::sandbox::wire::SqlEngine;

/// Pause of a writer between two postings, in which readers have the processor.
const WRITER_PAUSE: Duration = Duration::from_millis(20);

/// How the stand-in is set up. Everything has a default that works.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// TCP port on the loopback interface; 0 takes a free one.
    pub port: u16,
    /// Rows that IPE_07 returns for 2024-04; `None` leaves the generated ledger out.
    pub rows: Option<u64>,
    /// Folder of own tables, `<database>/<schema>/<table>.csv` or `.parquet`, that are served beside the ledger.
    pub data: Option<PathBuf>,
    /// Equal seeds and rows give equal books.
    pub seed: u64,
    /// Whether the databases allow SNAPSHOT.
    pub snapshot_allowed: bool,
    /// Writers, each of which commits a posting to the ledger every 20 ms.
    pub writers: u16,
    /// Whether the login may see plans.
    pub showplan_allowed: bool,
    /// Answer IPE_07's rows pre-encoded, a small ledger over and over until there are about `rows`.
    pub replay: bool,
    /// Differences planted in the generated ledger.
    pub planting: Planting,
    /// Planned failures.
    pub faults: Faults,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            port: 0,
            rows: Some(20_000),
            data: None,
            seed: 1,
            snapshot_allowed: true,
            writers: 0,
            showplan_allowed: true,
            replay: false,
            planting: Planting::default(),
            faults: Faults::default(),
        }
    }
}

impl SandboxConfig {
    /// The usual ledger, or own tables instead of it, or beside it when `rows` is said too.
    #[must_use]
    pub fn of(rows: Option<u64>, data: Option<PathBuf>) -> Self {
        let usual = Self::default();
        let rows = match &data {
            Some(_) => rows,
            None => rows.or(usual.rows),
        };
        Self {
            rows,
            data,
            ..usual
        }
    }
}

/// A running stand-in. Dropping it closes everything.
pub struct Sandbox {
    server: Server,
    login: String,
    password: String,
    database: String,
    certificate: Certificate,
    answer_key: Option<AnswerKey>,
    ledger: LedgerEngine,
    /// Aborted when dropped.
    writers: JoinSet<()>,
}

/// The server's certificate as a file of this process, removed with it.
#[derive(Debug)]
struct Certificate(PathBuf);

impl Drop for Certificate {
    fn drop(&mut self) {
        // What cannot be removed is a public certificate in the temporary folder.
        std::fs::remove_file(&self.0).ok();
    }
}

impl fmt::Debug for Sandbox {
    /// Never the books.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("addr", &self.addr())
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Generates the books, reads the own tables and begins to listen, with TLS.
    ///
    /// # Errors
    /// The port is taken, the books cannot be made, a file cannot be served, or the certificate cannot be written.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let engine_config = EngineConfig {
            seed: config.seed,
            snapshot_allowed: config.snapshot_allowed,
            showplan_allowed: config.showplan_allowed,
            ..EngineConfig::default()
        };
        let (login, password) = (engine_config.login.clone(), engine_config.password.clone());
        let asked = config.clone();
        let (ledger, answer_key) = spawn_blocking(move || books(&asked, engine_config))
            .await
            .map_err(|lost| SandboxError::Books(lost.to_string()))??;
        let first = ledger.tables().databases().first().map(|d| (*d).to_owned());
        let database = first.ok_or_else(|| SandboxError::Books("no table".to_owned()))?;
        let engine: Arc<dyn SqlEngine> = match config.rows {
            Some(rows) if config.replay => Arc::new(ReplayedLedger::new(ledger.clone(), rows)),
            _ => Arc::new(ledger.clone()),
        };
        let bind = SocketAddr::from(([127, 0, 0, 1], config.port));
        let server_config = ServerConfig {
            bind,
            faults: config.faults,
            ..ServerConfig::default()
        };
        let server = Server::start(server_config, engine).await?;
        let file = format!(
            "soxauto-sandbox-{}-{}.pem",
            std::process::id(),
            server.addr().port()
        );
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, server.certificate_pem())
            .map_err(|io| SandboxError::Certificate(Box::new(io)))?;
        let mut writers = JoinSet::new();
        for _ in 0..config.writers {
            writers.spawn(write(ledger.clone()));
        }
        Ok(Self {
            server,
            login,
            password,
            database,
            certificate: Certificate(path),
            answer_key,
            ledger,
            writers,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// File with the certificate to trust.
    #[must_use]
    pub fn certificate_file(&self) -> &Path {
        &self.certificate.0
    }

    /// ODBC connection string for any driver. It accepts every certificate: Microsoft's driver does not look at
    /// `ServerCertificate` with `Encrypt=yes`.
    #[must_use]
    pub fn portable_odbc_connection_string(&self) -> String {
        self.server.odbc_string(&self.credentials(), Trust::Any)
    }

    /// ODBC connection string that trusts exactly this server's certificate, as `soxauto` reads it.
    #[must_use]
    pub fn odbc_connection_string(&self) -> String {
        let string = self
            .server
            .odbc_string(&self.credentials(), Trust::Verified);
        format!(
            "{string}ServerCertificate={};",
            self.certificate.0.display()
        )
    }

    /// ADO connection string; ADO cannot name a certificate, so it accepts any.
    #[must_use]
    pub fn ado_connection_string(&self) -> String {
        self.server.ado_string(&self.credentials(), Trust::Any)
    }

    /// What was planted in the generated ledger; `None` where there is none.
    #[must_use]
    pub fn answer_key(&self) -> Option<&AnswerKey> {
        self.answer_key.as_ref()
    }

    /// The list of used vouchers that operations of the shop would export for a month that ends before `cutoff`, as CSV;
    /// `None` where there is no generated ledger.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn jdash(&self, cutoff: NaiveDate) -> Result<Option<String>, SandboxError> {
        let Some(key) = &self.answer_key else {
            return Ok(None);
        };
        let text = jdash::csv(&self.ledger.tables(), Some(key), cutoff);
        text.map(Some)
            .map_err(|error| SandboxError::Books(error.to_string()))
    }

    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            user: &self.login,
            password: &self.password,
            database: &self.database,
        }
    }

    /// Takes no more connections and lets answers under way end.
    pub async fn stop(mut self) {
        self.writers.shutdown().await;
        self.server.stop().await;
    }
}

/// The engine over everything that is asked for, and the answer key of the ledger.
fn books(
    config: &SandboxConfig,
    engine: EngineConfig,
) -> Result<(LedgerEngine, Option<AnswerKey>), SandboxError> {
    let failed = |what: &dyn std::fmt::Display| SandboxError::Books(what.to_string());
    let is_planted = config.planting != Planting::default();
    if config.rows.is_none() && (config.writers > 0 || config.replay || is_planted) {
        let what = "writers, replay and planted differences need the generated ledger; say how many rows it has";
        return Err(failed(&what));
    }
    if config.replay && is_planted {
        let what =
            "replay repeats a small ledger, and planted differences with it; leave one of them out";
        return Err(failed(&what));
    }
    let own = match &config.data {
        Some(dir) => files::read(dir)?,
        None => Vec::new(),
    };
    let engine = match config.rows {
        Some(rows) => {
            let spec = LedgerSpec {
                rows: if config.replay { ROWS_ONCE } else { rows },
                seed: config.seed,
            };
            let mut ledger = generate(spec).map_err(|error| failed(&error))?;
            let key = plant(&mut ledger, spec, &config.planting).map_err(|error| failed(&error))?;
            if let Some(Table { name, .. }) = own.iter().find(|table| {
                let [database, schema, name] = &table.name;
                ledger.tables.find(database, schema, name).is_some()
            }) {
                let what = format!(
                    "the ledger has the table {} too; serve your own tables without it, or rename yours",
                    name.join(".")
                );
                return Err(failed(&what));
            }
            ledger.tables = ledger.tables.with(own);
            LedgerEngine::with_ledger(engine, ledger).map(|engine| (engine, Some(key)))
        }
        None => LedgerEngine::with_tables(engine, Tables::default().with(own))
            .map(|engine| (engine, None)),
    };
    engine.map_err(|error| failed(&error))
}

/// Posts until it is aborted.
async fn write(ledger: LedgerEngine) {
    loop {
        let ledger = ledger.clone();
        match spawn_blocking(move || ledger.post()).await {
            Ok(Ok(())) => tokio::time::sleep(WRITER_PAUSE).await,
            Ok(Err(error)) => return tracing::error!(%error, "a writer gave up"),
            Err(lost) => return tracing::error!(%lost, "a writer gave up"),
        }
    }
}
