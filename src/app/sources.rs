//! The sources of a run or of a look at the catalog, with the stand-in behind them if it was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::adapters::google::secrets::GcpSecrets;
use crate::adapters::mssql::MssqlSource;
use crate::adapters::secrets::{EnvSecrets, FileSecrets};
use crate::domain::ids::IpeId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::plant::PlantProfile;
use crate::ports::{PortError, PortErrorKind, Secrets, Source, Sources};
use crate::settings::{SecretsChoice, SourceSettings};

use super::google::Google;

/// What there is to read from.
pub(super) struct Reach {
    sources: Arc<MssqlSources>,
    /// Where secrets come from, for the evidence: no values.
    pub(super) origin: String,
    #[cfg(feature = "sandbox")]
    sandbox: Option<crate::sandbox::Sandbox>,
}

impl Reach {
    /// Picks the secrets, and starts the stand-in if they are its.
    pub(super) async fn open(
        settings: &SourceSettings,
        google: &Google,
        limits: &Limits,
        connections_max: usize,
    ) -> Result<Self, PortError> {
        let choice = &settings.secrets;
        if *choice != SecretsChoice::Sandbox {
            no_stand_in_asked_for(settings)?;
        }
        #[cfg(feature = "sandbox")]
        let sandbox = match choice {
            SecretsChoice::Sandbox => Some(sandbox(settings).await?),
            _ => None,
        };
        let secrets: Arc<dyn Secrets> = match choice {
            #[cfg(feature = "sandbox")]
            SecretsChoice::Sandbox => Arc::new(SandboxSecrets::of(sandbox.as_ref())?),
            #[cfg(not(feature = "sandbox"))]
            SecretsChoice::Sandbox => return Err(no_sandbox()),
            kept => secrets(kept, google)?,
        };
        Ok(Self {
            origin: secrets.origin(),
            sources: Arc::new(MssqlSources {
                secrets,
                limits: limits.clone(),
                connections_max: connections_max.max(1),
                made: Mutex::default(),
            }),
            #[cfg(feature = "sandbox")]
            sandbox,
        })
    }

    /// Sources by secret.
    pub(super) fn sources(&self) -> Arc<dyn Sources> {
        let sources: Arc<MssqlSources> = Arc::clone(&self.sources);
        sources
    }

    /// `host:port` of the server that a secret names.
    pub(super) async fn server(&self, secret: &str) -> Result<String, PortError> {
        Ok(self.source(secret).await?.server())
    }

    /// The server that a secret names, with the steps of the way to it.
    pub(super) async fn source(&self, secret: &str) -> Result<Arc<MssqlSource>, PortError> {
        self.sources.made(secret).await
    }

    /// What the stand-in has for an item that is read from a file, as of a month; nothing without a stand-in, or for another
    /// item.
    ///
    /// # Errors
    /// The books of the stand-in cannot be read.
    pub(super) fn file_of(
        &self,
        item: &IpeId,
        period: Period,
    ) -> Result<Option<String>, PortError> {
        #[cfg(feature = "sandbox")]
        if let Some(sandbox) = self.sandbox.as_ref().filter(|_| item.as_str() == "JDASH") {
            return sandbox.jdash(period.next_start()).map_err(|error| {
                PortError::new(
                    PortErrorKind::Corrupt,
                    format!("the stand-in's {item}: {error}"),
                )
            });
        }
        #[cfg(not(feature = "sandbox"))]
        let _no_stand_in = (item, period);
        Ok(None)
    }

    /// Stops the stand-in.
    pub(super) async fn stop(self) {
        #[cfg(feature = "sandbox")]
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

/// Where secrets are kept that open no source; those of the stand-in, which keeps none, are in the environment.
pub(super) fn secrets(
    choice: &SecretsChoice,
    google: &Google,
) -> Result<Arc<dyn Secrets>, PortError> {
    Ok(match choice {
        SecretsChoice::Env | SecretsChoice::Sandbox => Arc::new(EnvSecrets),
        SecretsChoice::File(dir) => Arc::new(FileSecrets::new(dir.clone())),
        SecretsChoice::Gcp(place) => {
            let session = google.session_for_secrets()?;
            let (project, pins) = (place.project.clone(), place.pins.clone());
            Arc::new(GcpSecrets::new(session, project, pins))
        }
    })
}

/// Sources by secret; one per secret, made when first asked for.
struct MssqlSources {
    secrets: Arc<dyn Secrets>,
    limits: Limits,
    connections_max: usize,
    made: Mutex<BTreeMap<String, Arc<MssqlSource>>>,
}

impl MssqlSources {
    async fn made(&self, secret: &str) -> Result<Arc<MssqlSource>, PortError> {
        let mut made = self.made.lock().await;
        if let Some(source) = made.get(secret) {
            return Ok(Arc::clone(source));
        }
        let value = self.secrets.get(secret).await?;
        let source = MssqlSource::new(&value, self.limits.clone(), self.connections_max)
            .map_err(|error| error.at("secret", secret))?;
        let source = Arc::new(source);
        made.insert(secret.to_owned(), Arc::clone(&source));
        Ok(source)
    }
}

#[async_trait]
impl Sources for MssqlSources {
    async fn source(&self, secret: &str) -> Result<Arc<dyn Source>, PortError> {
        let source: Arc<MssqlSource> = self.made(secret).await?;
        Ok(source)
    }

    async fn origin_of(&self, secret: &str) -> Option<String> {
        Some(self.secrets.origin_of(secret).await)
    }
}

#[cfg(not(feature = "sandbox"))]
fn no_sandbox() -> PortError {
    PortError::new(PortErrorKind::Config, "this build has no embedded sandbox")
        .hint("use --secrets env, --secrets file:DIR or --secrets gcp:PROJECT")
}

/// Refuses what only the embedded stand-in can serve.
fn no_stand_in_asked_for(settings: &SourceSettings) -> Result<(), PortError> {
    let (what, flag) = if settings.sandbox_data.is_some() {
        ("own tables are", "--sandbox-data")
    } else if settings.sandbox_plant != PlantProfile::Clean {
        ("planted differences are", "--sandbox-plant")
    } else {
        return Ok(());
    };
    let what =
        format!("{what} served by the embedded sandbox, and the secrets come from elsewhere");
    Err(PortError::new(PortErrorKind::Config, what)
        .hint(format!("leave {flag} out, or use --secrets sandbox")))
}

#[cfg(feature = "sandbox")]
async fn sandbox(settings: &SourceSettings) -> Result<crate::sandbox::Sandbox, PortError> {
    use crate::sandbox::{Planting, Sandbox, SandboxConfig};
    let config = SandboxConfig {
        planting: Planting {
            profile: settings.sandbox_plant,
            without: Vec::new(),
        },
        ..SandboxConfig::of(settings.sandbox_rows, settings.sandbox_data.clone())
    };
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
