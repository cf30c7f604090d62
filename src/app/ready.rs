//! Whether all is there that a run of the service needs, without asking any of it to work.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;

use crate::adapters::google::drive::Drive;
use crate::catalog::{CatalogError, Definitions};
use crate::ports::{PortError, PortErrorKind};
use crate::settings::{
    DriveSettings, RunSettings, SecretsChoice, ServiceSettings, WarehouseChoice,
};

use super::alerts::Alerts;
use super::async_job::AsyncJob;
use super::roots::RootOpener;
use super::service::{Door, redacted};
use super::sources::Reach;
use super::{uploads, warehouse};

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

/// A look at one thing.
type Look<'a> = Pin<Box<dyn Future<Output = Result<(), PortError>> + Send + 'a>>;

/// Looks at everything at once: names resolve to secrets, servers take a connection, storage lists, files may be looked for
/// in their buckets, the dataset is where it is said to be, the folder of Drive takes files, the job may be started and
/// looked at, there are keys for tokens. What the service does not use, and leases that have no place of their own, it does
/// not name.
pub async fn dependencies(
    settings: &ServiceSettings,
    alerts: &Alerts,
    job: Option<&AsyncJob>,
    door: &Door,
) -> Vec<Dependency> {
    let run = &settings.run;
    let folder = match &run.warehouse {
        WarehouseChoice::Local(location) => Some(location.as_str()),
        WarehouseChoice::BigQuery(_) => None,
    };
    let mut looks: Vec<(&str, Option<&str>, Look<'_>)> = vec![
        ("source", None, boxed(reachable(run))),
        (
            "staging",
            Some(run.staging.as_str()),
            boxed(listable(run, &run.staging)),
        ),
        ("warehouse", folder, boxed(warehoused(run))),
        (
            "evidence",
            Some(run.evidence.as_str()),
            boxed(listable(run, &run.evidence)),
        ),
    ];
    if let Some(own) = run.leases.as_deref() {
        looks.push(("leases", Some(own), boxed(listable(run, own))));
    }
    if uploads::in_buckets(&run.files).next().is_some() {
        looks.push(("files", None, boxed(readable(run))));
    }
    if let Some(drive) = &run.drive {
        looks.push(("drive", None, boxed(deliverable(run, drive))));
    }
    if let Some(job) = job {
        looks.push(("job", None, boxed(job.look())));
    }
    if door.asks_for_tokens() {
        looks.push(("keys", None, boxed(door.look())));
    }
    if run.alert_webhook.is_some() {
        looks.push(("alerts", None, boxed(alerts.look())));
    }
    let longest = settings.limits.ready_timeout;
    let looks = looks.into_iter();
    join_all(looks.map(|(name, location, look)| within(longest, name, location, look))).await
}

/// What a look came to in its time, without what may be secret in the location that it looked at.
async fn within(
    longest: Duration,
    name: &str,
    location: Option<&str>,
    look: Look<'_>,
) -> Dependency {
    let problem = match tokio::time::timeout(longest, look).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no answer in {} s", longest.as_secs())),
    };
    let shown = |text: String| match location {
        Some(location) => text.replace(location, &redacted(location)),
        None => text,
    };
    Dependency {
        name: name.to_owned(),
        is_ready: problem.is_none(),
        problem: problem.map(shown),
    }
}

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

/// Files in buckets may be looked for. One that nobody uploaded yet is no fault of the service.
async fn readable(run: &RunSettings) -> Result<(), PortError> {
    let opener = opener(run).await?;
    for file in uploads::in_buckets(&run.files) {
        uploads::look(file, run.period, opener.google()).await?;
    }
    Ok(())
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

/// Packages can be put there; none is.
async fn deliverable(run: &RunSettings, drive: &DriveSettings) -> Result<(), PortError> {
    let opener = opener(run).await?;
    let session = opener.google().session_for_drive()?;
    let folder = Drive::new(session, drive.folder.clone(), run.limits.drive.clone());
    folder.look().await.map(drop)
}

async fn opener(run: &RunSettings) -> Result<RootOpener, PortError> {
    RootOpener::beside(&run.google, &run.source.secrets, &run.limits).await
}

async fn reachable(run: &RunSettings) -> Result<(), PortError> {
    if run.source.secrets == SecretsChoice::Sandbox {
        return Ok(());
    }
    let failed = |error: CatalogError| PortError::new(PortErrorKind::Config, error.to_string());
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
