//! What the HTTP service asks of the root: what it is set up with, who may call, and whether its dependencies are there.

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use crate::adapters::google::http::Http;
use crate::adapters::google::oidc::{Expected, Unproven, Verifier};

use crate::catalog::Definitions;
use crate::domain::digest::sha256_hex;
use crate::domain::limits::HttpLimits;
use crate::domain::run::Program;
use crate::ports::{PortError, PortErrorKind};
use crate::settings::{Access, RunSettings, ServiceSettings, WarehouseChoice};

use super::alerts::Alerts;
use super::roots::RootOpener;
use super::sources::Reach;
use super::{StartError, SystemClock, program, sound_items, warehouse};

/// An item as the service announces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfiguredItem {
    /// Name.
    pub id: String,
    /// What it is.
    pub description: String,
}

/// What the service is set up with; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// Project of Google Cloud, if one is known.
    pub project_id: Option<String>,
    /// Dataset that months are loaded into; none where they go into folders.
    pub bigquery_dataset: Option<String>,
    /// Items that can be run.
    pub configured_ipes: Vec<ConfiguredItem>,
    /// How many those are.
    pub total_ipes: usize,
    /// SHA-256 over the names of all items and the SHA-256 of their definitions.
    pub catalog_sha256: String,
    /// Version of the program.
    pub version: String,
    /// Commit that it was built from.
    pub commit: String,
    /// SHA-256 of the running binary.
    pub binary_sha256: String,
    /// Staging root.
    pub staging: String,
    /// Warehouse.
    pub warehouse: String,
    /// Evidence root.
    pub evidence: String,
    /// Root of the leases, if they have one of their own.
    pub leases: Option<String>,
    /// Folder of Drive that packages are delivered to, if one is set.
    pub google_drive_folder_id: Option<String>,
    /// Whether callers must prove who they are.
    pub authentication: &'static str,
}

/// One thing that a run needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// What.
    pub name: String,
    /// Whether it is there.
    pub is_ready: bool,
    /// What is wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Reads what the service is set up with, the catalog and the binary among it.
///
/// # Errors
/// A catalog with findings; a binary that cannot be read.
pub fn configuration(settings: &ServiceSettings) -> Result<Configuration, StartError> {
    let run = &settings.run;
    let items = sound_items(run.catalog.as_deref(), &[])?;
    let lines = items
        .iter()
        .map(|ipe| format!("{} {}\n", ipe.id, ipe.definition_sha256));
    let catalog_sha256 = sha256_hex(lines.collect::<String>().as_bytes());
    let (project, dataset, warehouse) = match &run.warehouse {
        WarehouseChoice::Local(location) => (None, None, redacted(location)),
        WarehouseChoice::BigQuery(place) => (
            Some(place.project.clone()),
            Some(place.dataset.clone()),
            format!("bigquery://{}/{}", place.project, place.dataset),
        ),
    };
    let Program {
        version,
        commit,
        binary_sha256,
        ..
    } = program()?;
    // The service takes no file, so an item that is read from one cannot be asked of it.
    let asked: Vec<_> = items.iter().filter(|ipe| ipe.file.is_none()).collect();
    let described = asked.iter().map(|ipe| ConfiguredItem {
        id: ipe.id.to_string(),
        description: ipe.title.clone(),
    });
    Ok(Configuration {
        project_id: settings.project.clone().or(project),
        bigquery_dataset: dataset,
        configured_ipes: described.collect(),
        total_ipes: asked.len(),
        catalog_sha256,
        version,
        commit,
        binary_sha256,
        staging: redacted(&run.staging),
        warehouse,
        evidence: redacted(&run.evidence),
        leases: run.leases.as_deref().map(redacted),
        google_drive_folder_id: run.drive.as_ref().map(|drive| drive.folder.to_string()),
        authentication: match settings.access {
            Access::Anybody => "none",
            Access::Tokens(_) => "oidc",
        },
    })
}

/// A place without what may be secret in it: user, password and query.
fn redacted(location: &str) -> String {
    let Ok(mut url) = url::Url::parse(location) else {
        return location.to_owned();
    };
    // A place that can have neither has nothing to take out.
    let _bare = url.set_password(None).and_then(|()| url.set_username(""));
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// Why somebody is not let in.
#[derive(Debug)]
pub enum Shut {
    /// There is no good token. Why not is in our own log, where it helps nobody to make a better one.
    Stranger,
    /// The keys to look at the token with could not be had.
    NoKeys(PortError),
}

/// The door of the service.
pub struct Door(Option<Verifier>);

impl Door {
    /// Sets it up; no key is asked for yet.
    ///
    /// # Errors
    /// `Config` for a URL of keys that is refused.
    pub fn new(settings: &ServiceSettings) -> Result<Self, PortError> {
        let Access::Tokens(rules) = &settings.access else {
            return Ok(Self(None));
        };
        let http = Http::new(HttpLimits {
            silence_timeout: settings.limits.ready_timeout,
            attempt_timeout: settings.limits.ready_timeout,
            ..settings.run.limits.http.clone()
        })?;
        let expected = Expected {
            audiences: rules.audiences.clone(),
            emails: rules.emails.clone(),
        };
        let (clock, limits) = (Arc::new(SystemClock), settings.limits.clone());
        Ok(Self(Some(Verifier::new(
            http,
            &rules.keys_url,
            expected,
            clock,
            limits,
        )?)))
    }

    /// Lets whoever holds this token in.
    ///
    /// # Errors
    /// [`Shut`].
    pub async fn admit(&self, token: Option<&str>) -> Result<(), Shut> {
        let Some(verifier) = &self.0 else {
            return Ok(());
        };
        match verifier.caller(token.ok_or(Shut::Stranger)?).await {
            Ok(caller) => {
                tracing::info!(caller = caller.unwrap_or_default(), "a caller was let in");
                Ok(())
            }
            Err(Unproven::Refused(why)) => {
                tracing::warn!(why, "a token was refused");
                Err(Shut::Stranger)
            }
            Err(Unproven::NoKeys(error)) => Err(Shut::NoKeys(error)),
        }
    }
}

/// Looks whether all is there that a run needs, without asking any of it to work: names resolve to secrets, servers take
/// a connection, storage lists, the dataset is where it is said to be. Of leases and alerts only where they have a place
/// of their own.
pub async fn dependencies(settings: &ServiceSettings, alerts: &Alerts) -> Vec<Dependency> {
    let (run, longest) = (&settings.run, settings.limits.ready_timeout);
    let within = |name: &str, look| {
        let name = name.to_owned();
        async move {
            let found: Result<Result<(), PortError>, _> = tokio::time::timeout(longest, look).await;
            let problem = match found {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer in {} s", longest.as_secs())),
            };
            Dependency {
                name,
                is_ready: problem.is_none(),
                problem,
            }
        }
    };
    let staging = within("staging", boxed(listable(run, &run.staging)));
    let evidence = within("evidence", boxed(listable(run, &run.evidence)));
    let own = run.leases.as_deref().unwrap_or(&run.evidence);
    let leases = within("leases", boxed(listable(run, own)));
    let warehouse = within("warehouse", boxed(warehoused(run)));
    let source = within("source", boxed(reachable(run)));
    let alerts = within("alerts", boxed(alerts.look()));
    let (source, staging, warehouse, evidence, leases, alerts) =
        tokio::join!(source, staging, warehouse, evidence, leases, alerts);
    let shown = |mut found: Dependency, location: &str| {
        let problem = found.problem.take();
        found.problem = problem.map(|text| text.replace(location, &redacted(location)));
        found
    };
    let warehouse = match &run.warehouse {
        WarehouseChoice::Local(location) => shown(warehouse, location),
        WarehouseChoice::BigQuery(_) => warehouse,
    };
    let (staging, evidence) = (shown(staging, &run.staging), shown(evidence, &run.evidence));
    let leases = run.leases.as_ref().map(|own| shown(leases, own));
    [source, staging, warehouse, evidence]
        .into_iter()
        .chain(leases)
        .chain(run.alert_webhook.is_some().then_some(alerts))
        .collect()
}

type Look<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), PortError>> + Send + 'a>>;

fn boxed<'a>(look: impl Future<Output = Result<(), PortError>> + Send + 'a) -> Look<'a> {
    Box::pin(look)
}

/// A folder that no run has made yet is one that a run can make.
async fn listable(run: &RunSettings, location: &str) -> Result<(), PortError> {
    let opener = opener(run).await?;
    match opener.existing(location) {
        Ok(Some(root)) => root.list("soxauto-ready").await.map(drop),
        Ok(None) => Ok(()),
        Err(error) if location.starts_with("memory:") => {
            drop(error);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A dataset that no run has made yet is one that a run can make, as a folder is.
async fn warehoused(run: &RunSettings) -> Result<(), PortError> {
    match &run.warehouse {
        WarehouseChoice::Local(location) => listable(run, location).await,
        WarehouseChoice::BigQuery(place) => {
            let opener = opener(run).await?;
            let dataset = warehouse::dataset(place, opener.google(), &run.limits)?;
            dataset.look().await
        }
    }
}

async fn opener(run: &RunSettings) -> Result<RootOpener, PortError> {
    RootOpener::beside(&run.google, &run.source.secrets, &run.limits).await
}

async fn reachable(run: &RunSettings) -> Result<(), PortError> {
    if run.source.secrets == crate::settings::SecretsChoice::Sandbox {
        return Ok(());
    }
    let failed = |error: crate::catalog::CatalogError| {
        PortError::new(PortErrorKind::Config, error.to_string())
    };
    let catalog = Definitions::open(run.catalog.as_deref()).and_then(|all| all.catalog());
    let catalog = catalog.map_err(failed)?;
    let asked = catalog.items().filter(|ipe| ipe.file.is_none());
    let mut secrets: Vec<&str> = asked.map(|ipe| ipe.secret.as_str()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    let opener = opener(run).await?;
    let reach = Reach::open(&run.source, opener.google(), &run.limits, 1).await?;
    for secret in secrets {
        let server = reach.server(secret).await?;
        tokio::net::TcpStream::connect(&server)
            .await
            .map_err(|error| {
                PortError::new(PortErrorKind::Unreachable, error.to_string())
                    .at("server", server)
                    .hint("check name service, firewall and VPC egress")
            })?;
    }
    Ok(())
}
