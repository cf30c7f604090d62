//! The login of a person, as `gcloud auth application-default login` keeps it: a refresh token that is exchanged for
//! access tokens.
//!
//! May use `http`. Never prints what the file holds, nor what a token endpoint says of it beyond its error code.

use std::fmt;

use reqwest::header::HeaderValue;
use serde::Deserialize;
use url::Url;

use crate::ports::{PortError, PortErrorKind, Secret};

use super::credentials;
use super::endpoints::{Endpoints, googles};
use super::failure::Failure;
use super::http::Http;
use super::token::{CLOUD_SCOPE, Grant, asking};

/// Where a login is exchanged if its file does not say.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// What a person is called whose file does not say the account.
const UNNAMED: &str = "the person who logged in with gcloud";

/// A person who has logged in.
pub struct AuthorizedUser {
    /// What the file says; nobody proves it.
    account: Option<String>,
    client_id: String,
    client_secret: Secret,
    refresh_token: Secret,
    endpoint: Url,
    scopes: String,
    payer: Option<HeaderValue>,
}

/// The fields of the file that are used. It has no `Debug`: it holds secrets.
#[derive(Deserialize)]
struct LoginFile {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    account: Option<String>,
    token_uri: Option<String>,
    quota_project_id: Option<String>,
}

impl AuthorizedUser {
    /// Reads the file of a login.
    ///
    /// # Errors
    /// `Config` for a file that lacks something, or would send the login elsewhere than to Google.
    pub(super) fn read(
        file: &Secret,
        scopes: &[&str],
        endpoints: &Endpoints,
    ) -> Result<Self, PortError> {
        let file: LoginFile = credentials::fields(file, refused)?;
        let own = googles("token_uri", file.token_uri.as_deref().unwrap_or(TOKEN_URI))?;
        let is_email =
            |text: &String| text.contains('@') && text.chars().all(|c| c.is_ascii_graphic());
        Ok(Self {
            account: file.account.filter(is_email),
            client_id: file.client_id,
            client_secret: Secret::new(file.client_secret),
            refresh_token: Secret::new(file.refresh_token),
            endpoint: endpoints.oauth.clone().unwrap_or(own),
            scopes: scopes.join(" "),
            payer: credentials::payer(file.quota_project_id)?,
        })
    }

    /// Who it is, for people; most files do not say the account.
    #[must_use]
    pub fn name(&self) -> &str {
        self.account.as_deref().unwrap_or(UNNAMED)
    }

    /// Whose login it is, for the evidence.
    pub(super) fn described(&self) -> String {
        match &self.account {
            Some(account) => format!("the login of a person, {account} (name not proven)"),
            None => "the login of a person (name not known)".to_owned(),
        }
    }

    /// The project for which calls are counted.
    pub(super) fn payer(&self) -> Option<&HeaderValue> {
        self.payer.as_ref()
    }

    /// Exchanges the refresh token for an access token.
    ///
    /// # Errors
    /// `Denied` when the login has ended or does not cover the scopes; `Unreachable`.
    pub(super) async fn grant(&self, http: &Http) -> Result<Grant, PortError> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("refresh_token", self.refresh_token.expose()),
            ("scope", self.scopes.as_str()),
        ];
        let call = asking(self.name(), &self.endpoint, &fields);
        let sent = http.send(&call, None).await;
        sent.map_err(|failure| self.failed(failure))?
            .document(&call)
    }

    fn failed(&self, mut failure: Failure) -> PortError {
        let mut hint = None;
        if let Failure::Refused(refusal) = &mut failure {
            // What was sent holds the login, and words that come back may quote it.
            refusal.message = None;
            hint = match (refusal.status, refusal.reason.as_deref()) {
                (400, Some("invalid_scope")) => Some(format!(
                    "the login does not cover {}: run `gcloud auth application-default login --scopes={CLOUD_SCOPE},{}`, \
                     or call as a service account",
                    self.scopes, self.scopes
                )),
                (400 | 401, _) => Some(
                    "the login has ended or was revoked: run `gcloud auth application-default login` again".to_owned(),
                ),
                _ => None,
            };
        }
        let mut error = PortError::from(failure);
        if let Some(hint) = hint {
            error.kind = PortErrorKind::Denied;
            error = error.hint(hint);
        }
        error
    }
}

impl fmt::Debug for AuthorizedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizedUser({})", self.name())
    }
}

fn refused(why: &str) -> PortError {
    PortError::new(
        PortErrorKind::Config,
        format!("the credentials are not the login of a person: {why}"),
    )
    .hint("run `gcloud auth application-default login` again, which writes the file anew")
}
