//! The root: the only place that picks adapters and puts a run together.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::adapters::local_warehouse::LocalWarehouse;
use crate::adapters::mssql::MssqlSource;
use crate::adapters::process::ProcProcesses;
use crate::adapters::secrets::{EnvSecrets, FileSecrets};
use crate::adapters::store;
use crate::catalog::{Catalog, CatalogError};
use crate::domain::digest::hex;
use crate::domain::ids::RunId;
use crate::domain::ipe::Ipe;
use crate::domain::limits::Limits;
use crate::domain::period::{Period, PeriodError};
use crate::domain::run::{Program, RunContext, Stamp};
use crate::pipeline::package::{VerifyReport, VerifyRequest, verify_package};
use crate::pipeline::progress::Progress;
use crate::pipeline::record::Places;
use crate::pipeline::workflow::WorkflowResult;
use crate::pipeline::{Tools, schedule};
use crate::ports::{Clock, PortError, PortErrorKind, Secrets, Source, Sources};
use crate::settings::{RunSettings, SecretsChoice};

/// Why a run could not begin; nothing was read or written.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The period.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// The catalog or the items.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A root, a secret or the stand-in.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The binary cannot read itself.
    #[error("the running binary cannot be read for its SHA-256: {0}")]
    Binary(#[from] std::io::Error),
    /// A task of the run ended without an outcome.
    #[error("a task of the run was lost: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the Clock that everybody else asks"
        )]
        Utc::now()
    }
}

/// Sources by secret; one per secret, made when first asked for.
struct MssqlSources {
    secrets: Arc<dyn Secrets>,
    limits: Limits,
    connections_max: usize,
    made: Mutex<BTreeMap<String, Arc<MssqlSource>>>,
}

#[async_trait]
impl Sources for MssqlSources {
    async fn source(&self, secret: &str) -> Result<Arc<dyn Source>, PortError> {
        let mut made = self.made.lock().await;
        if let Some(source) = made.get(secret) {
            return Ok(Arc::<MssqlSource>::clone(source));
        }
        let value = self.secrets.get(secret).await?;
        let source = MssqlSource::new(&value, self.limits.clone(), self.connections_max)
            .map_err(|error| error.at("secret", secret))?;
        let source = Arc::new(source);
        made.insert(secret.to_owned(), Arc::clone(&source));
        Ok(source)
    }
}

/// A run that is put together and has not begun.
pub struct App {
    tools: Tools,
    context: RunContext,
    items: Vec<Ipe>,
    jobs: usize,
    #[cfg(feature = "sandbox")]
    sandbox: Option<crate::sandbox::Sandbox>,
}

impl App {
    /// Picks the adapters. The stand-in is started here if it is asked for.
    ///
    /// # Errors
    /// [`StartError`]; nothing was read or written.
    pub async fn build(
        settings: RunSettings,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, StartError> {
        let clock = SystemClock;
        let started_at = clock.now();
        let period = settings
            .period
            .map_or_else(|| Period::last_closed(started_at), Ok)?;
        if settings.sandbox_data.is_some() && settings.secrets != SecretsChoice::Sandbox {
            return Err(data_without_sandbox().into());
        }
        let catalog = settings
            .catalog
            .as_deref()
            .map_or_else(Catalog::embedded, Catalog::read)?;
        let items: Vec<Ipe> = catalog
            .select(&settings.items)?
            .into_iter()
            .cloned()
            .collect();
        let staging = store::open(&settings.staging)?;
        let evidence = store::open(&settings.evidence)?;
        let warehouse = LocalWarehouse::new(&store::open(&settings.warehouse)?, staging.clone())?;
        #[cfg(feature = "sandbox")]
        let sandbox = match settings.secrets {
            SecretsChoice::Sandbox => Some(sandbox(&settings).await?),
            _ => None,
        };
        let secrets: Arc<dyn Secrets> = match &settings.secrets {
            SecretsChoice::Env => Arc::new(EnvSecrets),
            SecretsChoice::File(dir) => Arc::new(FileSecrets::new(dir.clone())),
            #[cfg(feature = "sandbox")]
            SecretsChoice::Sandbox => Arc::new(SandboxSecrets::of(sandbox.as_ref())?),
            #[cfg(not(feature = "sandbox"))]
            SecretsChoice::Sandbox => return Err(no_sandbox().into()),
        };
        let context = context(&settings, period, started_at)?;
        let places = Places {
            staging: staging.uri.clone(),
            warehouse: crate::ports::Warehouse::location(&warehouse),
            secrets: secrets.origin(),
            host: host_name(),
        };
        let sources = MssqlSources {
            secrets,
            limits: settings.limits.clone(),
            connections_max: settings.jobs.max(1),
            made: Mutex::default(),
        };
        let tools = Tools {
            sources: Arc::new(sources),
            staging,
            warehouse: Arc::new(warehouse),
            evidence,
            clock: Arc::new(clock),
            processes: Arc::new(ProcProcesses),
            progress,
            stop: CancellationToken::new(),
            limits: settings.limits,
            places,
        };
        Ok(Self {
            tools,
            context,
            items,
            jobs: settings.jobs,
            #[cfg(feature = "sandbox")]
            sandbox,
        })
    }

    /// What is fixed before the first row.
    #[must_use]
    pub fn context(&self) -> &RunContext {
        &self.context
    }

    /// Asks the run to stop: what is not being loaded yet ends with a sealed package.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.tools.stop.clone()
    }

    /// Runs all items.
    ///
    /// # Errors
    /// [`StartError::Lost`] when a task ended without an outcome.
    pub async fn run(self) -> Result<WorkflowResult, StartError> {
        let outcomes =
            schedule::run_items(&self.tools, &self.context, &self.items, self.jobs).await?;
        #[cfg(feature = "sandbox")]
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        Ok(WorkflowResult::new(
            &self.context,
            &outcomes,
            self.tools.clock.now(),
        ))
    }
}

/// Verifies a package: `staging` names the root that holds its parts, if not the one that the package names.
///
/// # Errors
/// A place that cannot be opened at all; whatever is wrong inside the package is in the report.
pub async fn verify(
    package: &str,
    staging: Option<&str>,
    manifest_sha256: Option<&str>,
) -> Result<VerifyReport, PortError> {
    let package = store::open_existing(package)?;
    let staging = staging.map(store::open_existing).transpose()?;
    let request = VerifyRequest {
        package: &package,
        staging: staging.as_ref(),
        open: &store::open_existing,
        manifest_sha256,
        limits: &Limits::default(),
    };
    Ok(verify_package(request).await)
}

/// What is fixed before the first row.
fn context(
    settings: &RunSettings,
    period: Period,
    started_at: DateTime<Utc>,
) -> Result<RunContext, std::io::Error> {
    let program = program()?;
    Ok(RunContext {
        run_id: RunId::new(started_at, rand::random()),
        period,
        started_at,
        stamps: stamps(settings, &program),
        program,
    })
}

fn stamps(settings: &RunSettings, program: &Program) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    if program.dirty {
        stamps.push(Stamp::DirtyBuild);
    }
    if settings.catalog.is_some() {
        stamps.push(Stamp::CatalogOverride);
    }
    match settings.secrets {
        SecretsChoice::Sandbox => stamps.push(Stamp::SandboxSource),
        SecretsChoice::File(_) => stamps.push(Stamp::FileSecrets),
        SecretsChoice::Env => {}
    }
    stamps
}

/// The program that runs, with the SHA-256 of its binary.
fn program() -> Result<Program, std::io::Error> {
    let mut file = File::open(std::env::current_exe()?)?;
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        sha256.update(bytes);
    }
    Ok(Program {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("SOXAUTO_COMMIT").to_owned(),
        dirty: env!("SOXAUTO_DIRTY") == "true",
        binary_sha256: hex(&sha256.finalize()),
    })
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

#[cfg(not(feature = "sandbox"))]
fn no_sandbox() -> PortError {
    PortError::new(PortErrorKind::Config, "this build has no embedded sandbox")
        .hint("use --secrets env or --secrets file:DIR")
}

fn data_without_sandbox() -> PortError {
    let what = "own tables are served by the embedded sandbox, and the secrets come from elsewhere";
    PortError::new(PortErrorKind::Config, what)
        .hint("leave --sandbox-data out, or use --secrets sandbox")
}

#[cfg(feature = "sandbox")]
async fn sandbox(settings: &RunSettings) -> Result<crate::sandbox::Sandbox, PortError> {
    use crate::sandbox::{Sandbox, SandboxConfig};
    let config = SandboxConfig::of(settings.sandbox_rows, settings.sandbox_data.clone());
    Sandbox::start(config).await.map_err(|error| {
        PortError::new(
            PortErrorKind::Config,
            format!("the embedded sandbox did not start: {error}"),
        )
    })
}

/// Every secret is the connection string of the embedded stand-in.
#[cfg(feature = "sandbox")]
struct SandboxSecrets(crate::ports::Secret);

#[cfg(feature = "sandbox")]
impl SandboxSecrets {
    fn of(sandbox: Option<&crate::sandbox::Sandbox>) -> Result<Self, PortError> {
        let missing =
            || PortError::new(PortErrorKind::Config, "the embedded sandbox is not running");
        Ok(Self(crate::ports::Secret::new(
            sandbox.ok_or_else(missing)?.odbc_connection_string(),
        )))
    }
}

#[cfg(feature = "sandbox")]
#[async_trait]
impl Secrets for SandboxSecrets {
    async fn get(&self, _name: &str) -> Result<crate::ports::Secret, PortError> {
        Ok(self.0.clone())
    }

    fn origin(&self) -> String {
        "sandbox".to_owned()
    }
}
