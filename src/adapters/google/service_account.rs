//! The key of a service account, exchanged for tokens: a statement signed with the key goes to the token endpoint.
//!
//! May use `http`, jsonwebtoken and the clock it is given. Never prints the key or what is signed with it.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ports::{Clock, PortError, PortErrorKind, Secret};

use super::credentials;
use super::endpoints::{Endpoints, parsed};
use super::http::Http;
use super::token::{Grant, asking};

/// How long a signed statement is good, in seconds: the longest that Google takes.
const STATEMENT_SECONDS: i64 = 3_600;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A service account whose key is at hand.
pub struct ServiceAccount {
    email: String,
    key_id: String,
    key: EncodingKey,
    /// Whom the statement is for, as the key file says it.
    audience: String,
    /// Where it is sent.
    endpoint: Url,
    scopes: String,
    clock: Arc<dyn Clock>,
}

/// The fields of a key file that are used.
#[derive(Deserialize)]
struct KeyFile {
    r#type: String,
    client_email: String,
    private_key_id: String,
    private_key: String,
    token_uri: String,
}

/// What is signed.
#[derive(Serialize)]
struct Statement<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceAccount {
    /// Reads a key file.
    ///
    /// # Errors
    /// `Config` for text that is not the key of a service account; nothing of it is said.
    pub fn read(
        file: &Secret,
        scopes: &[&str],
        endpoints: &Endpoints,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let file: KeyFile = credentials::fields(file, refused)?;
        if file.r#type != "service_account" {
            return Err(refused("its `type` is not service_account"));
        }
        let key = EncodingKey::from_rsa_pem(file.private_key.as_bytes())
            .map_err(|_| refused("its `private_key` is no RSA key in PEM"))?;
        let own = parsed("token_uri", &file.token_uri)?;
        Ok(Self {
            email: file.client_email,
            key_id: file.private_key_id,
            key,
            audience: file.token_uri,
            endpoint: endpoints.oauth.clone().unwrap_or(own),
            scopes: scopes.join(" "),
            clock,
        })
    }

    /// Name of the account.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Whose key it is, for the evidence.
    pub(super) fn described(&self) -> String {
        format!("the key of {}", self.email)
    }

    /// Exchanges a signed statement for a token.
    ///
    /// # Errors
    /// `Denied` when the key is not accepted; `Unreachable`.
    pub(super) async fn grant(&self, http: &Http) -> Result<Grant, PortError> {
        let statement = self.signed()?;
        let fields = [
            ("grant_type", GRANT_TYPE),
            ("assertion", statement.expose()),
        ];
        let call = asking(&self.email, &self.endpoint, &fields);
        let failed = |failure: super::failure::Failure| {
            let is_refused = failure.is(400) || failure.is(401);
            let mut error = PortError::from(failure);
            if is_refused {
                error.kind = PortErrorKind::Denied;
                error = error.hint(
                    "the key was deleted or disabled, or the clock of this machine is wrong by minutes: make a new key, \
                     or run under a service account without one",
                );
            }
            error
        };
        let reply = http.send(&call, None).await.map_err(failed)?;
        reply.document(&call)
    }

    fn signed(&self) -> Result<Secret, PortError> {
        let now = self.clock.now().timestamp();
        let statement = Statement {
            iss: &self.email,
            scope: &self.scopes,
            aud: &self.audience,
            iat: now,
            exp: now + STATEMENT_SECONDS,
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, &statement, &self.key)
            .map(Secret::new)
            .map_err(|_| refused("its `private_key` cannot sign"))
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccount({})", self.email)
    }
}

fn refused(why: &str) -> PortError {
    PortError::new(
        PortErrorKind::Config,
        format!("the credentials are not the key of a service account: {why}"),
    )
    .hint(
        "download a JSON key of the account, or run under a service account and leave the key out",
    )
}
