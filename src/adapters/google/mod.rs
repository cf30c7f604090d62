//! Google Cloud: one HTTP client, one source of tokens, and the services that are asked through them.
//!
//! May use `domain`, `ports`, reqwest, rustls and jsonwebtoken. Everything that is sent to Google goes through
//! [`Session`]; no service makes a client or asks for a token of its own (ADR-0027). Never prints a token, a key, a
//! secret or the body of a reply.

pub mod authorized_user;
mod clock;
pub mod cloud_run;
mod credentials;
pub mod drive;
pub mod endpoints;
pub mod failure;
pub mod http;
pub mod impersonated;
mod keys;
pub mod metadata;
pub mod oidc;
pub mod secrets;
pub mod service_account;
pub mod storage;
pub mod token;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::limits::HttpLimits;
use crate::ports::PortError;

use endpoints::Endpoints;
use failure::Failure;
use http::{Call, Http, Reply};
use metadata::Metadata;
use token::{PAYER, Tokens};

/// An identity at Google and the way there. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    http: Http,
    tokens: Arc<dyn Tokens>,
    endpoints: Arc<Endpoints>,
}

impl Session {
    /// Calls through `http` in the name of `tokens`.
    #[must_use]
    pub fn new(http: Http, tokens: Arc<dyn Tokens>, endpoints: Endpoints) -> Self {
        Self {
            http,
            tokens,
            endpoints: Arc::new(endpoints),
        }
    }

    /// Where the services are.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The limits that every call keeps.
    #[must_use]
    pub fn limits(&self) -> &HttpLimits {
        self.http.limits()
    }

    /// The pause before a call is sent again by those who must first ask how far it got; `None` when the service asks for
    /// a longer one than we wait.
    #[must_use]
    pub fn pause(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        self.http.pause(attempt, asked)
    }

    /// Its tokens, and whose they are.
    #[must_use]
    pub fn tokens(&self) -> Arc<dyn Tokens> {
        Arc::clone(&self.tokens)
    }

    /// The region of Cloud Run that this machine is in; `None` where its metadata server names none.
    ///
    /// # Errors
    /// `Unreachable` where there is no such server; `Corrupt` for what is no name.
    pub async fn region(&self) -> Result<Option<String>, PortError> {
        let server = Metadata::new(self.endpoints.metadata.clone(), &[]);
        server.region(&self.http).await
    }

    /// Sends a call in the name of this identity. A token that is refused is renewed once and the call sent again,
    /// whatever it is: a call that is not let in has done nothing.
    ///
    /// # Errors
    /// [`Failure`]; one that refuses the caller names who was refused.
    pub async fn send(&self, call: &Call) -> Result<Reply, Failure> {
        let payer = self.tokens.payer();
        let paid = payer.map(|project| call.clone().header(PAYER, project.clone()));
        let call = paid.as_ref().unwrap_or(call);
        let token = self.tokens.token().await.map_err(Failure::NoToken)?;
        let mut outcome = self.http.send(call, Some(&token)).await;
        if outcome.as_ref().is_err_and(|failure| failure.is(401)) {
            let fresh = self
                .tokens
                .renewed(&token)
                .await
                .map_err(Failure::NoToken)?;
            outcome = self.http.send(call, Some(&fresh)).await;
        }
        match outcome {
            Err(Failure::Refused(mut refusal)) if matches!(refusal.status, 401 | 403) => {
                refusal.caller = Some(self.tokens.identity().await);
                Err(Failure::Refused(refusal))
            }
            other => other,
        }
    }

    /// The reply's document, for callers to whom every failure is an error.
    ///
    /// # Errors
    /// As [`Session::send`], and `Corrupt` for a reply that is not the document.
    pub async fn ask<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<T, PortError> {
        self.send(call).await?.document(call)
    }
}
