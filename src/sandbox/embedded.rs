//! The stand-in as one piece: server, engine, login and certificate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::sandbox::engine::{EngineConfig, LedgerEngine};
use crate::sandbox::replayed::{ROWS_ONCE, ReplayedLedger};
use crate::sandbox::server::{Credentials, SandboxError, Server, ServerConfig, Trust};
use crate::sandbox::tds::fault::Faults;
use crate::sandbox::wire::SqlEngine;

/// Database that the connection strings name.
const DATABASE: &str = "AIG_Nav_DW";

/// How the stand-in is set up. Everything has a default that works.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// TCP port on the loopback interface; 0 takes a free one.
    pub port: u16,
    /// Rows that IPE_07 returns for 2024-04.
    pub rows: u64,
    /// Equal seeds and rows give equal books.
    pub seed: u64,
    /// Whether the databases allow SNAPSHOT.
    pub snapshot_allowed: bool,
    /// Whether the login may see plans.
    pub showplan_allowed: bool,
    /// Answer IPE_07's rows pre-encoded, a small ledger over and over until there are about `rows`.
    pub replay: bool,
    /// Planned failures.
    pub faults: Faults,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            port: 0,
            rows: 20_000,
            seed: 1,
            snapshot_allowed: true,
            showplan_allowed: true,
            replay: false,
            faults: Faults::default(),
        }
    }
}

/// A running stand-in. Dropping it closes everything.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    login: String,
    password: String,
    certificate: Certificate,
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

impl Sandbox {
    /// Generates the books and begins to listen, with TLS.
    ///
    /// # Errors
    /// The port is taken, the books cannot be made, or the certificate cannot be written.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let engine_config = EngineConfig {
            rows: if config.replay {
                ROWS_ONCE
            } else {
                config.rows
            },
            seed: config.seed,
            snapshot_allowed: config.snapshot_allowed,
            showplan_allowed: config.showplan_allowed,
            ..EngineConfig::default()
        };
        let (login, password) = (engine_config.login.clone(), engine_config.password.clone());
        let failed = |what: String| SandboxError::Books(what);
        let engine = tokio::task::spawn_blocking(move || LedgerEngine::new(engine_config))
            .await
            .map_err(|lost| failed(lost.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        let engine: Arc<dyn SqlEngine> = if config.replay {
            Arc::new(ReplayedLedger::new(engine, config.rows))
        } else {
            Arc::new(engine)
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
        Ok(Self {
            server,
            login,
            password,
            certificate: Certificate(path),
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

    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            user: &self.login,
            password: &self.password,
            database: DATABASE,
        }
    }

    /// Takes no more connections and lets answers under way end.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
