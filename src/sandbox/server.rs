//! The sandbox as a running server: socket, certificate, connections, connection strings.
//!
//! May use the TDS layer and tokio. Nothing it starts outlives it: dropping a [`Server`] aborts its tasks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::tds::TdsError;
use super::tds::connection::{Context, serve};
use super::tds::fault::{FaultPlan, Faults};
use super::tds::tls::new_tls;
use super::wire::SqlEngine;

/// Connections at the same time; later ones wait in the listener's queue.
const CONNECTIONS_MAX: usize = 64;
/// How long a graceful stop waits for answers under way.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whether and how the server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all; clients that insist are turned away.
    Off,
    /// As the client wishes: everything, the login only, or nothing.
    Optional,
    /// Everything, always.
    Required,
}

/// How to start a server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// TLS.
    pub tls: TlsMode,
    /// Name in messages.
    pub server_name: String,
    /// Planned failures.
    pub faults: Faults,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: TlsMode::Required,
            server_name: "SANDBOX".to_owned(),
            faults: Faults::default(),
        }
    }
}

/// Why the sandbox cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// Address asked for.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(Box<dyn std::error::Error + Send + Sync>),
    /// The books could not be generated.
    #[error("cannot generate the books: {0}")]
    Books(String),
    /// An own table cannot be served.
    #[error(transparent)]
    File(#[from] super::files::FileError),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    tls: TlsMode,
    certificate_pem: String,
    stop: CancellationToken,
    /// The accepting task; it owns the connections, and dropping the set aborts them all.
    tasks: JoinSet<()>,
}

impl Server {
    /// Starts to listen; needs a tokio runtime.
    ///
    /// # Errors
    /// [`SandboxError::Bind`] when the address is taken or not ours.
    pub async fn start(
        config: ServerConfig,
        engine: Arc<dyn SqlEngine>,
    ) -> Result<Self, SandboxError> {
        let bind_error = |source| SandboxError::Bind {
            addr: config.bind,
            source,
        };
        let listener = TcpListener::bind(config.bind).await.map_err(bind_error)?;
        let addr = listener.local_addr().map_err(bind_error)?;
        let tls = new_tls().map_err(SandboxError::Certificate)?;
        let certificate_pem = tls.certificate_pem.clone();
        let stop = CancellationToken::new();
        let context = Arc::new(Context {
            engine,
            tls,
            mode: config.tls,
            server_name: config.server_name,
            plan: Arc::new(FaultPlan::new(config.faults)),
            stop: stop.clone(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, context));
        Ok(Self {
            addr,
            tls: config.tls,
            certificate_pem,
            stop,
            tasks,
        })
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate for clients that want to trust exactly this server.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// ODBC connection string for Microsoft's driver; encrypted unless the server has no TLS.
    #[must_use]
    pub fn odbc_string(&self, login: &Credentials<'_>, trust: Trust) -> String {
        format!(
            "DRIVER={{ODBC Driver 18 for SQL Server}};SERVER=tcp:{},{};DATABASE={};UID={};PWD={{{}}};\
             Encrypt={};TrustServerCertificate={};",
            self.addr.ip(),
            self.addr.port(),
            login.database,
            login.user,
            login.password.replace('}', "}}"),
            if self.tls == TlsMode::Off {
                "no"
            } else {
                "yes"
            },
            if trust == Trust::Any { "yes" } else { "no" },
        )
    }

    /// ADO.NET connection string, as tiberius reads it (without TLS by its own word for that).
    #[must_use]
    pub fn ado_string(&self, login: &Credentials<'_>, trust: Trust) -> String {
        format!(
            "Server=tcp:{},{};Database={};User Id={};Password=\"{}\";Encrypt={};\
             TrustServerCertificate={};",
            self.addr.ip(),
            self.addr.port(),
            login.database,
            login.user,
            login.password.replace('"', "\"\""),
            if self.tls == TlsMode::Off {
                "DANGER_PLAINTEXT"
            } else {
                "true"
            },
            trust == Trust::Any,
        )
    }

    /// Takes no more connections, lets answers under way end for a few seconds, closes the rest.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Who logs in where.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Login name.
    pub user: &'a str,
    /// Password in clear.
    pub password: &'a str,
    /// Database.
    pub database: &'a str,
}

/// Which server certificates a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Any, unseen.
    Any,
    /// Only one that it was told to trust.
    Verified,
}

/// Takes connections until the server stops; owns their tasks.
async fn accept(listener: TcpListener, context: Arc<Context>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let full = connections.len() >= CONNECTIONS_MAX;
        tokio::select! {
            biased;
            () = context.stop.cancelled() => break,
            _ = connections.join_next(), if full => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, Arc::clone(&context)));
                }
                Err(error) => {
                    // Out of file handles, for example: give others time to close theirs.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_TIME_MAX, all).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, context: Arc<Context>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    match serve(stream, context).await {
        Ok(()) => tracing::debug!(%peer, "client left"),
        Err(error @ TdsError::Io(_)) => tracing::debug!(%peer, %error, "client gone"),
        Err(error) => tracing::info!(%peer, %error, "connection ended"),
    }
}
