//! Stand-ins for Google's services: real HTTP on a free port of this machine, with what goes wrong on real networks.
//!
//! Each service is a router of its own; [`server::Fake`] serves any of them and plays the planned faults.

pub(crate) mod bigquery;
pub(crate) mod cloud_run;
pub(crate) mod drive;
pub(crate) mod gcs;
pub(crate) mod identity;
pub(crate) mod secret_manager;
pub(crate) mod server;
pub(crate) mod stand_in;
pub(crate) mod strict;

use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use soxauto::adapters::google::Session;
use soxauto::adapters::google::endpoints::Endpoints;
use soxauto::adapters::google::http::Http;
use soxauto::adapters::google::metadata::Metadata;
use soxauto::adapters::google::token::{CachedTokens, Origin, Tokens as _};
use soxauto::domain::limits::HttpLimits;

use soxauto::adapters::google::storage;
use soxauto::ports::StoreRoot;
use soxauto::settings::GoogleSettings;
use tempfile::TempDir;

use cloud_run::Executions;
use drive::Folders;
use gcs::Buckets;
use identity::{CLOUD, DRIVE, Issuer};
use secret_manager::SecretStore;
use server::Fake;

/// Metadata server, token endpoint, Secret Manager, Cloud Storage and Drive on one port.
pub(crate) struct Google {
    pub(crate) fake: Fake,
    pub(crate) issuer: Issuer,
    pub(crate) secrets: SecretStore,
    pub(crate) buckets: Buckets,
    pub(crate) executions: Executions,
    pub(crate) drive: Folders,
    folder: PathBuf,
    /// The folder, where nobody else keeps it.
    _own: Option<TempDir>,
}

impl Google {
    pub(crate) async fn start() -> Self {
        let own = tempfile::tempdir().unwrap();
        let folder = own.path().to_owned();
        Self {
            _own: Some(own),
            ..Self::keeping(folder).await
        }
    }

    /// Keeps the objects of its buckets in a folder that somebody else looks into.
    pub(crate) async fn keeping(folder: PathBuf) -> Self {
        let issuer = Issuer::default();
        let secrets = SecretStore::new(issuer.clone());
        let folders = Folders::new(issuer.clone());
        let buckets = Buckets::new(issuer.clone(), folder.clone());
        let executions = Executions::new(issuer.clone());
        let router = identity::router(issuer.clone())
            .merge(cloud_run::router(executions.clone()))
            .merge(secret_manager::router(secrets.clone()))
            .merge(gcs::router(buckets.clone()))
            .merge(drive::router(folders.clone()));
        Self {
            fake: Fake::serve(router).await,
            issuer,
            secrets,
            buckets,
            executions,
            drive: folders,
            folder,
            _own: None,
        }
    }

    /// Every service that stands here, as settings name it.
    pub(crate) fn endpoints(&self) -> Vec<(String, String)> {
        let here = |name: &str| (name.to_owned(), self.fake.url());
        ["drive", "metadata", "run", "secretmanager", "storage"]
            .map(here)
            .into()
    }

    /// The same, and where logins and keys are exchanged.
    pub(crate) fn endpoints_of_people(&self) -> Vec<(String, String)> {
        let mut endpoints = self.endpoints();
        endpoints.push(("oauth".to_owned(), format!("{}/token", self.fake.url())));
        endpoints.push(("iamcredentials".to_owned(), self.fake.url()));
        endpoints
    }

    /// A session in the name of the machine's service account.
    pub(crate) fn session(&self) -> Session {
        self.session_within(quick())
    }

    /// The same within other limits.
    pub(crate) fn session_within(&self, limits: HttpLimits) -> Session {
        let endpoints = Endpoints::replaced(&self.endpoints()).unwrap();
        let http = Http::new(limits).unwrap();
        let metadata = Metadata::new(endpoints.metadata.clone(), &[CLOUD, DRIVE]);
        let tokens = CachedTokens::new(http.clone(), Origin::Metadata(metadata));
        Session::new(http, std::sync::Arc::new(tokens), endpoints)
    }

    /// A token of the machine that is good for one thing.
    pub(crate) async fn token_for(&self, scope: &str) -> String {
        let endpoints = Endpoints::replaced(&self.endpoints()).unwrap();
        let metadata = Metadata::new(endpoints.metadata, &[scope]);
        let tokens = CachedTokens::new(Http::new(quick()).unwrap(), Origin::Metadata(metadata));
        tokens.token().await.unwrap().expose().to_owned()
    }

    /// The folder in which a bucket keeps its objects as files.
    pub(crate) fn bucket(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How a run or a look reaches what stands here.
    pub(crate) fn settings(&self) -> GoogleSettings {
        GoogleSettings {
            endpoints: self.endpoints(),
            ..GoogleSettings::default()
        }
    }

    /// A root in one of the buckets.
    pub(crate) fn root(&self, location: &str) -> StoreRoot {
        storage::root(self.session(), location).unwrap()
    }
}

/// The limits of production with pauses that a test can wait for.
pub(crate) fn quick() -> HttpLimits {
    HttpLimits {
        connect_timeout: Duration::from_secs(2),
        silence_timeout: Duration::from_millis(500),
        attempt_timeout: Duration::from_secs(2),
        attempts_max: 4,
        metadata_attempts_max: 2,
        backoff_first: Duration::from_millis(1),
        backoff_max: Duration::from_millis(5),
        retry_after_max: Duration::from_secs(1),
        ..HttpLimits::default()
    }
}

/// An error as Google writes it.
pub(crate) fn error(status: u16, reason: &str, message: &str) -> Response {
    let body = json!({"error": {"code": status, "message": message, "status": reason}});
    let status = StatusCode::from_u16(status).unwrap();
    (status, axum::Json(body)).into_response()
}
