//! Access tokens: kept until shortly before they end, renewed when one is refused.
//!
//! May use `http`, and the places that tokens come from. Never prints a token; reads no clock of the machine, only how
//! much time has passed.

use std::fmt;

use async_trait::async_trait;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::ports::{PortError, Secret};

use super::authorized_user::AuthorizedUser;
use super::http::{Call, Http, Method};
use super::impersonated::Impersonated;
use super::metadata::Metadata;
use super::service_account::ServiceAccount;

/// What a token is good for that may do whatever the roles of its account allow.
pub const CLOUD_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Header that names the project for which calls are counted.
pub(super) const PAYER: HeaderName = HeaderName::from_static("x-goog-user-project");

/// The account that calls, for the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its kind and name, in words.
    pub words: String,
    /// Whether it is a person's own: the login of somebody who impersonates nobody.
    pub is_person: bool,
}

/// A source of access tokens for one identity.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token that is good for a while.
    ///
    /// # Errors
    /// `Unreachable`, `Denied` or `Config`, with what to set up.
    async fn token(&self) -> Result<Secret, PortError>;

    /// A token in place of one that was refused; not asked for twice when another caller has already renewed it.
    ///
    /// # Errors
    /// As [`Tokens::token`].
    async fn renewed(&self, refused: &Secret) -> Result<Secret, PortError>;

    /// Whose tokens they are, for people.
    async fn identity(&self) -> String;

    /// Whose tokens they are, for the evidence.
    async fn caller(&self) -> Caller;

    /// The project for which calls with them are counted; `None` leaves it to Google.
    fn payer(&self) -> Option<&HeaderValue> {
        None
    }
}

/// Where tokens come from.
pub enum Origin {
    /// The metadata server of the machine.
    Metadata(Metadata),
    /// The key of a service account.
    ServiceAccount(Box<ServiceAccount>),
    /// The login of a person.
    AuthorizedUser(Box<AuthorizedUser>),
    /// A service account in whose name somebody else may call.
    Impersonated(Box<Impersonated>),
}

/// A token as its origin gives it.
#[derive(Deserialize)]
pub(super) struct Grant {
    /// The token.
    pub(super) access_token: String,
    /// Seconds that it is good for.
    pub(super) expires_in: u64,
}

/// A request to a token endpoint. Asking twice gives two tokens, of which one is never used.
pub(super) fn asking(whose: &str, endpoint: &Url, fields: &[(&str, &str)]) -> Call {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let what = format!("asking for a token of {whose}");
    Call::new(what, Method::POST, endpoint.clone())
        .body("application/x-www-form-urlencoded", form)
        .repeatable()
}

struct Held {
    token: Secret,
    renew_at: Instant,
}

/// Tokens of one origin, each used until it is about to end.
pub struct CachedTokens {
    http: Http,
    origin: Origin,
    held: Mutex<Option<Held>>,
}

impl CachedTokens {
    /// Tokens of `origin`, asked for through `http`; none is asked for before the first call.
    #[must_use]
    pub fn new(http: Http, origin: Origin) -> Self {
        Self {
            http,
            origin,
            held: Mutex::new(None),
        }
    }

    async fn fetch(&self, held: &mut Option<Held>) -> Result<Secret, PortError> {
        let grant = match &self.origin {
            Origin::Metadata(server) => server.grant(&self.http).await?,
            Origin::ServiceAccount(account) => account.grant(&self.http).await?,
            Origin::AuthorizedUser(user) => user.grant(&self.http).await?,
            Origin::Impersonated(account) => account.grant(&self.http).await?,
        };
        let lifetime = Duration::from_secs(grant.expires_in);
        let good_for = lifetime.saturating_sub(self.http.limits().token_margin);
        let token = Secret::new(grant.access_token);
        *held = Some(Held {
            token: token.clone(),
            renew_at: Instant::now() + good_for,
        });
        Ok(token)
    }
}

#[async_trait]
impl Tokens for CachedTokens {
    async fn token(&self) -> Result<Secret, PortError> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(kept) if Instant::now() < kept.renew_at => Ok(kept.token.clone()),
            _ => self.fetch(&mut held).await,
        }
    }

    async fn renewed(&self, refused: &Secret) -> Result<Secret, PortError> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(kept) if kept.token.expose() != refused.expose() => Ok(kept.token.clone()),
            _ => self.fetch(&mut held).await,
        }
    }

    async fn identity(&self) -> String {
        match &self.origin {
            Origin::Metadata(server) => {
                let email = server.email(&self.http).await;
                email.unwrap_or_else(|| "the service account of this machine".to_owned())
            }
            Origin::ServiceAccount(account) => account.email().to_owned(),
            Origin::AuthorizedUser(user) => user.name().to_owned(),
            Origin::Impersonated(account) => account.name().to_owned(),
        }
    }

    async fn caller(&self) -> Caller {
        let words = match &self.origin {
            Origin::Metadata(server) => {
                let email = server.email(&self.http).await;
                let email = email.unwrap_or_else(|| "(name not known)".to_owned());
                format!("the machine's account {email}")
            }
            Origin::ServiceAccount(account) => account.described(),
            Origin::AuthorizedUser(user) => user.described(),
            Origin::Impersonated(account) => account.described(),
        };
        Caller {
            words,
            is_person: matches!(self.origin, Origin::AuthorizedUser(_)),
        }
    }

    fn payer(&self) -> Option<&HeaderValue> {
        match &self.origin {
            Origin::Metadata(_) | Origin::ServiceAccount(_) => None,
            Origin::AuthorizedUser(user) => user.payer(),
            Origin::Impersonated(account) => account.payer(),
        }
    }
}

impl fmt::Debug for CachedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedTokens(…)")
    }
}
