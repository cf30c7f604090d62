//! A service account in whose name somebody else calls: their own token is exchanged for one of the account.
//!
//! May use `http`, the two kinds of credentials that it can begin with, and the clock it is given. Sends the first token to
//! Google only, or where the settings say. Never prints a token.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::ports::{Clock, PortError, PortErrorKind, Secret};

use super::authorized_user::AuthorizedUser;
use super::credentials;
use super::endpoints::{Endpoints, below, googles};
use super::failure::Failure;
use super::http::{Call, Http, Method};
use super::service_account::ServiceAccount;
use super::token::{CLOUD_SCOPE, Grant, Origin, PAYER};

/// How long a token is asked for, in seconds: the longest that every account may give.
const LIFETIME_SECONDS: u64 = 3_600;

/// What the caller needs to call in the name of the account.
const ROLE: &str = "roles/iam.serviceAccountTokenCreator";

/// A service account that is impersonated.
pub struct Impersonated {
    name: String,
    source: Source,
    /// Where a token of the account is asked for.
    endpoint: Url,
    delegates: Vec<String>,
    scopes: Vec<String>,
    payer: Option<HeaderValue>,
    clock: Arc<dyn Clock>,
}

/// Who impersonates.
enum Source {
    ServiceAccount(Box<ServiceAccount>),
    AuthorizedUser(Box<AuthorizedUser>),
}

/// The fields of the file that are used. It has no `Debug`: it holds secrets.
#[derive(Deserialize)]
struct ImpersonationFile {
    service_account_impersonation_url: String,
    source_credentials: Value,
    delegates: Option<Vec<String>>,
    quota_project_id: Option<String>,
}

/// What is asked for.
#[derive(Serialize)]
struct Asked<'a> {
    delegates: &'a [String],
    scope: &'a [String],
    lifetime: String,
}

/// Google's answer. It has no `Debug`: it holds the token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Granted {
    access_token: String,
    expire_time: DateTime<Utc>,
}

impl Impersonated {
    /// Reads the file of an impersonation.
    ///
    /// # Errors
    /// `Config` for a file that lacks something, begins with credentials of another kind, or would send a token elsewhere
    /// than to Google.
    pub(super) fn read(
        file: &Secret,
        scopes: &[&str],
        endpoints: &Endpoints,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let file: ImpersonationFile = credentials::fields(file, refused)?;
        let field = "service_account_impersonation_url";
        let own = googles(field, &file.service_account_impersonation_url)?;
        let name = account(&own).ok_or_else(|| refused(&format!("its `{field}` names none")))?;
        let endpoint = match &endpoints.iamcredentials {
            None => own,
            Some(base) => {
                let asked = format!("{name}:generateAccessToken");
                below(base, &["v1", "projects", "-", "serviceAccounts", &asked])?
            }
        };
        let source = Secret::new(file.source_credentials.to_string());
        let source = Origin::read(&source, &[CLOUD_SCOPE], endpoints, Arc::clone(&clock))
            .map_err(|error| error.at("field", "source_credentials"))?;
        let source = match source {
            Origin::ServiceAccount(account) => Source::ServiceAccount(account),
            Origin::AuthorizedUser(user) => Source::AuthorizedUser(user),
            Origin::Metadata(_) | Origin::Impersonated(_) => {
                return Err(refused("its `source_credentials` are no login and no key"));
            }
        };
        let delegates = file.delegates.unwrap_or_default();
        Ok(Self {
            name,
            source,
            endpoint,
            delegates: delegates.into_iter().map(named).collect(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            payer: credentials::payer(file.quota_project_id)?,
            clock,
        })
    }

    /// Name of the account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account and who impersonates it, for the evidence.
    pub(super) fn described(&self) -> String {
        let source = match &self.source {
            Source::ServiceAccount(account) => account.described(),
            Source::AuthorizedUser(user) => user.described(),
        };
        format!("{} impersonated by {source}", self.name)
    }

    /// The project for which calls are counted.
    pub(super) fn payer(&self) -> Option<&HeaderValue> {
        self.payer.as_ref()
    }

    /// Exchanges a token of whoever impersonates for one of the account.
    ///
    /// # Errors
    /// `Denied` when the first login or key is not accepted, or may not impersonate the account; `Unreachable`.
    pub(super) async fn grant(&self, http: &Http) -> Result<Grant, PortError> {
        let first = match &self.source {
            Source::ServiceAccount(account) => account.grant(http).await?,
            Source::AuthorizedUser(user) => user.grant(http).await?,
        };
        let first = Secret::new(first.access_token);
        let what = format!("asking for a token of {}", self.name);
        // Asking twice gives two tokens, of which one is never used.
        let mut call = Call::new(what, Method::POST, self.endpoint.clone())
            .needs(format!("{ROLE} on service account {}", self.name))
            .json(&Asked {
                delegates: &self.delegates,
                scope: &self.scopes,
                lifetime: format!("{LIFETIME_SECONDS}s"),
            })?
            .repeatable();
        if let Some(project) = self.source.payer() {
            call = call.header(PAYER, project.clone());
        }
        let sent = http.send(&call, Some(&first)).await;
        let reply = sent.map_err(|failure| self.failed(failure))?;
        let granted: Granted = reply.document(&call)?;
        let left = (granted.expire_time - self.clock.now()).num_seconds();
        // A clock that is behind would keep it for longer than it is good.
        let left = u64::try_from(left).unwrap_or_default();
        Ok(Grant {
            access_token: granted.access_token,
            expires_in: left.min(LIFETIME_SECONDS),
        })
    }

    fn failed(&self, mut failure: Failure) -> PortError {
        if let Failure::Refused(refusal) = &mut failure {
            refusal.caller = Some(self.source.name().to_owned());
        }
        failure.into()
    }
}

impl Source {
    fn name(&self) -> &str {
        match self {
            Self::ServiceAccount(account) => account.email(),
            Self::AuthorizedUser(user) => user.name(),
        }
    }

    fn payer(&self) -> Option<&HeaderValue> {
        match self {
            Self::ServiceAccount(_) => None,
            Self::AuthorizedUser(user) => user.payer(),
        }
    }
}

impl fmt::Debug for Impersonated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Impersonated({} by {})", self.name, self.source.name())
    }
}

/// The account that such a URL names.
fn account(url: &Url) -> Option<String> {
    let name = url
        .path()
        .strip_prefix("/v1/projects/-/serviceAccounts/")?
        .strip_suffix(":generateAccessToken")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '.' | '_');
    (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
}

/// A delegate as the service names it; gcloud writes the bare account.
fn named(delegate: String) -> String {
    if delegate.contains('/') {
        delegate
    } else {
        format!("projects/-/serviceAccounts/{delegate}")
    }
}

fn refused(why: &str) -> PortError {
    PortError::new(
        PortErrorKind::Config,
        format!("the credentials impersonate no service account: {why}"),
    )
    .hint(
        "run `gcloud auth application-default login --impersonate-service-account=ACCOUNT`, which writes the file anew",
    )
}
