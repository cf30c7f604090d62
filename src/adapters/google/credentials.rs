//! A file of credentials, read by the type that it says: a key, the login of a person, or an account that is impersonated.
//!
//! Knows the files that Google and its command line write. Says nothing of a file but which field or line is wrong.

use std::sync::Arc;

use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ports::{Clock, PortError, PortErrorKind, Secret};

use super::authorized_user::AuthorizedUser;
use super::endpoints::Endpoints;
use super::impersonated::Impersonated;
use super::service_account::ServiceAccount;
use super::token::Origin;

/// The field that every file has.
#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

impl Origin {
    /// Reads a file of credentials, for tokens that are good for `scopes`.
    ///
    /// # Errors
    /// `Config` for a type that is not supported, for a file that lacks something, and for one that names a place that is
    /// not Google's; nothing of the file is said.
    pub fn read(
        file: &Secret,
        scopes: &[&str],
        endpoints: &Endpoints,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let kind: Kind = fields(file, refused)?;
        match kind.r#type.as_str() {
            "service_account" => ServiceAccount::read(file, scopes, endpoints, clock)
                .map(|account| Self::ServiceAccount(Box::new(account))),
            "authorized_user" => AuthorizedUser::read(file, scopes, endpoints)
                .map(|user| Self::AuthorizedUser(Box::new(user))),
            "impersonated_service_account" => Impersonated::read(file, scopes, endpoints, clock)
                .map(|account| Self::Impersonated(Box::new(account))),
            _ => Err(refused("its `type` is not supported")),
        }
    }
}

/// The fields of a file; `refused` makes the error of one that lacks something.
pub(super) fn fields<T: DeserializeOwned>(
    file: &Secret,
    refused: impl Fn(&str) -> PortError,
) -> Result<T, PortError> {
    // The parser's own message may quote what it found.
    serde_json::from_str(file.expose()).map_err(|error| {
        refused(&format!(
            "it lacks a field or is no JSON, line {}",
            error.line()
        ))
    })
}

/// The project that a file names for calls to be counted for, if it names one.
pub(super) fn payer(project: Option<String>) -> Result<Option<HeaderValue>, PortError> {
    let named = project.filter(|project| !project.is_empty());
    named
        .map(HeaderValue::try_from)
        .transpose()
        .map_err(|_| refused("its `quota_project_id` is no name of a project"))
}

fn refused(why: &str) -> PortError {
    PortError::new(
        PortErrorKind::Config,
        format!("this file of credentials cannot be used: {why}"),
    )
    .hint(
        "supported are the types authorized_user and impersonated_service_account, which `gcloud auth \
         application-default login` writes, and service_account, a key; a federated identity (external_account) is not",
    )
}
