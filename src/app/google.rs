//! The identity at Google that a run calls with, from its settings. Nothing is asked before the first call.

use std::sync::Arc;

use crate::adapters::google::Session;
use crate::adapters::google::endpoints::Endpoints;
use crate::adapters::google::http::Http;
use crate::adapters::google::metadata::Metadata;
use crate::adapters::google::service_account::ServiceAccount;
use crate::adapters::google::token::{CachedTokens, Origin};
use crate::domain::limits::Limits;
use crate::ports::{PortError, PortErrorKind, Secret};
use crate::settings::{GoogleCredentials, GoogleSettings};

use super::SystemClock;

/// What a token may be used for: the roles of the account are what limits it.
const SCOPES: [&str; 1] = ["https://www.googleapis.com/auth/cloud-platform"];

/// Makes the session.
///
/// # Errors
/// `Config` for a key file that cannot be read or is none, and for an endpoint that is refused.
pub(super) async fn session(
    settings: &GoogleSettings,
    limits: &Limits,
) -> Result<Session, PortError> {
    let endpoints = Endpoints::replaced(&settings.endpoints)?;
    let http = Http::new(limits.http.clone())?;
    let origin = match &settings.credentials {
        GoogleCredentials::Metadata => {
            Origin::Metadata(Metadata::new(endpoints.metadata.clone(), &SCOPES))
        }
        GoogleCredentials::File(file) => {
            let key = tokio::fs::read_to_string(file).await.map_err(|io| {
                let what = format!("the key of --google-credentials cannot be read: {io}");
                PortError::new(PortErrorKind::Config, what).at("file", file.to_string_lossy())
            })?;
            let (key, clock) = (Secret::new(key), Arc::new(SystemClock));
            let account = ServiceAccount::read(&key, &SCOPES, &endpoints, clock)
                .map_err(|error| error.at("file", file.to_string_lossy()))?;
            Origin::ServiceAccount(Box::new(account))
        }
    };
    let tokens = CachedTokens::new(http.clone(), origin);
    Ok(Session::new(http, Arc::new(tokens), endpoints))
}
