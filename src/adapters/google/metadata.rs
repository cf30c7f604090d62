//! The metadata server: tokens of the service account under which a machine of Google Cloud runs, and where it is. No key
//! is kept.
//!
//! May use `http`. Believes only a reply that carries the header by which the server is known.

use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

use crate::ports::{PortError, PortErrorKind};

use super::endpoints::below;
use super::failure::{Failure, Refusal};
use super::http::{Call, Http, Reply};
use super::token::Grant;

/// Header that both sides must send, so that no page of somebody else is taken for the server.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");

/// The metadata server of this machine.
#[derive(Debug, Clone)]
pub struct Metadata {
    base: Url,
    scopes: String,
}

impl Metadata {
    /// The server at `base`, asked for tokens of these scopes.
    #[must_use]
    pub fn new(base: Url, scopes: &[&str]) -> Self {
        Self {
            base,
            scopes: scopes.join(","),
        }
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// `Unreachable` where there is no such server, with what to do instead.
    pub(super) async fn grant(&self, http: &Http) -> Result<Grant, PortError> {
        let mut url = self.account("token")?;
        url.query_pairs_mut().append_pair("scopes", &self.scopes);
        let call = Call::get("asking the metadata server for a token", url);
        match self.ask(http, &call).await {
            Ok(reply) => reply.document(&call),
            Err(Failure::Refused(Refusal { status: 404, .. })) => Err(PortError::new(
                PortErrorKind::Denied,
                "the metadata server knows no service account of this machine",
            )
            .hint("run the service or job under a service account (--service-account)")),
            Err(failure) => {
                let elsewhere = matches!(failure, Failure::Unanswered(_));
                let error = PortError::from(failure);
                Err(if elsewhere {
                    error.hint(
                        "outside of Google Cloud run `gcloud auth application-default login`, or pass a key: \
                         --google-credentials file:KEY.json",
                    )
                } else {
                    error
                })
            }
        }
    }

    /// The account under which this machine runs; `None` where the server does not say.
    pub(super) async fn email(&self, http: &Http) -> Option<String> {
        let url = self.account("email").ok()?;
        let call = Call::get("asking the metadata server who runs", url).attempts_max(1);
        let reply = self.ask(http, &call).await.ok()?;
        let email = String::from_utf8(reply.body.to_vec()).ok()?;
        let is_email = email.contains('@') && email.chars().all(|c| c.is_ascii_graphic());
        is_email.then_some(email)
    }

    /// The region of Cloud Run that this machine is in, such as `europe-west1`; `None` where the server names none, as on a
    /// machine that is not Cloud Run.
    ///
    /// # Errors
    /// `Unreachable` where there is no such server; `Corrupt` for what is no name.
    pub(super) async fn region(&self, http: &Http) -> Result<Option<String>, PortError> {
        let url = below(&self.base, &["computeMetadata", "v1", "instance", "region"])?;
        let call = Call::get("asking the metadata server for the region", url);
        let reply = match self.ask(http, &call).await {
            Ok(reply) => reply,
            Err(failure) if failure.is(404) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        let text = String::from_utf8_lossy(&reply.body);
        // `projects/NUMBER/regions/REGION`.
        let name = text.trim().rsplit('/').next().unwrap_or_default();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            let what = "what the metadata server gives as the region is no name of one";
            return Err(PortError::new(PortErrorKind::Corrupt, what)
                .hint("a proxy or another host answers in its place: look what lies between"));
        }
        Ok(Some(name.to_owned()))
    }

    fn account(&self, what: &str) -> Result<Url, PortError> {
        let account = [
            "computeMetadata",
            "v1",
            "instance",
            "service-accounts",
            "default",
            what,
        ];
        below(&self.base, &account)
    }

    async fn ask(&self, http: &Http, call: &Call) -> Result<Reply, Failure> {
        let google = HeaderValue::from_static("Google");
        let attempts = http.limits().metadata_attempts_max;
        let call = call
            .clone()
            .header(FLAVOR, google.clone())
            .attempts_max(attempts);
        let reply = http.send(&call, None).await?;
        if reply.headers.get(FLAVOR) == Some(&google) {
            return Ok(reply);
        }
        let what = "what answers as the metadata server does not say `Metadata-Flavor: Google`";
        Err(Failure::NoToken(
            PortError::new(PortErrorKind::Denied, what)
                .hint("a proxy or another host answers in its place; its tokens are not taken"),
        ))
    }
}
