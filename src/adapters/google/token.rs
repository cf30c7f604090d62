//! Access tokens: kept until shortly before they end, renewed when one is refused.
//!
//! May use `http`, and the two places that tokens come from. Never prints a token; reads no clock of the machine,
//! only how much time has passed.

use std::fmt;

use async_trait::async_trait;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ports::{PortError, Secret};

use super::http::Http;
use super::metadata::Metadata;
use super::service_account::ServiceAccount;

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
}

/// Where tokens come from.
pub enum Origin {
    /// The metadata server of the machine.
    Metadata(Metadata),
    /// The key of a service account.
    ServiceAccount(Box<ServiceAccount>),
}

/// A token as its origin gives it.
#[derive(Deserialize)]
pub(super) struct Grant {
    access_token: String,
    expires_in: u64,
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
            Origin::Metadata(server) => server.identity(&self.http).await,
            Origin::ServiceAccount(account) => account.email().to_owned(),
        }
    }
}

impl fmt::Debug for CachedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedTokens(…)")
    }
}
