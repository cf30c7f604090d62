//! What the HTTP service asks of the root: what it is set up with, and who may call.

use std::sync::Arc;

use serde::Serialize;

use crate::adapters::google::http::Http;
use crate::adapters::google::oidc::{Expected, Unproven, Verifier};
use crate::domain::digest::sha256_hex;
use crate::domain::limits::HttpLimits;
use crate::domain::run::Program;
use crate::ports::PortError;
use crate::settings::{Access, ServiceSettings, WarehouseChoice};

use super::{StartError, SystemClock, program, sound_items};

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
pub(super) fn redacted(location: &str) -> String {
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

    /// Whether callers must bring a token.
    #[must_use]
    pub fn asks_for_tokens(&self) -> bool {
        self.0.is_some()
    }

    /// Looks whether there are keys to look at tokens with; asks for them no more often than tokens do.
    ///
    /// # Errors
    /// Why the last question gave none, where none that came before can be used.
    pub async fn look(&self) -> Result<(), PortError> {
        match &self.0 {
            Some(verifier) => verifier.look().await,
            None => Ok(()),
        }
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
