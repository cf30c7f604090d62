//! Whether a bearer token was signed by Google for us: issuer, audience, signature, times, and whom it names.
//!
//! May use `keys`, jsonwebtoken and the clock it is given. Only RS256 with a published key counts, whatever the token
//! says of itself. Never prints a token; what it holds is believed only after its signature.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;

use crate::domain::limits::ServerLimits;
use crate::ports::{Clock, PortError};

use super::http::Http;
use super::keys::Keys;

/// Where Google publishes the keys that its tokens are signed with.
pub const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// How Google names itself as the issuer of a token.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Whom a token must be for and whom it may name.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The audience is one of these.
    pub audiences: Vec<String>,
    /// The verified address is one of these: anybody who has an account can have a token made for an audience.
    pub emails: Vec<String>,
}

/// Why a token proves nothing.
#[derive(Debug)]
pub enum Unproven {
    /// It is not good; the reason is for our own log, not for whoever sent it.
    Refused(&'static str),
    /// The keys to look with could not be had.
    NoKeys(PortError),
}

/// What is read of a token.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

/// Looks at tokens.
pub struct Verifier {
    keys: Keys,
    expected: Expected,
    clock: Arc<dyn Clock>,
    limits: ServerLimits,
}

impl Verifier {
    /// Keys come from `keys_url`; none are asked for before the first token.
    ///
    /// # Errors
    /// `Config` for a URL that is none, or from which keys would come in plain text over a network.
    pub fn new(
        http: Http,
        keys_url: &str,
        expected: Expected,
        clock: Arc<dyn Clock>,
        limits: ServerLimits,
    ) -> Result<Self, PortError> {
        Ok(Self {
            keys: Keys::new(http, keys_url, Arc::clone(&clock), limits.clone())?,
            expected,
            clock,
            limits,
        })
    }

    /// Looks whether there are keys to look at a token with; asks for them as a token would.
    ///
    /// # Errors
    /// Why the last question gave none, where none that came before can be used.
    pub async fn look(&self) -> Result<(), PortError> {
        self.keys.any().await
    }

    /// Whether the token is good; gives the address that it names.
    ///
    /// # Errors
    /// [`Unproven`].
    pub async fn caller(&self, token: &str) -> Result<Option<String>, Unproven> {
        if token.len() > self.limits.token_bytes_max {
            return Err(Unproven::Refused("longer than any token"));
        }
        let head = jsonwebtoken::decode_header(token)
            .map_err(|_| Unproven::Refused("not a signed token"))?;
        if head.alg != Algorithm::RS256 {
            return Err(Unproven::Refused("not signed with RS256"));
        }
        let kid = head.kid.unwrap_or_default();
        let key = self.keys.key(&kid).await.map_err(Unproven::NoKeys)?;
        let key = key.ok_or(Unproven::Refused("signed with a key that nobody published"))?;
        let mut rules = Validation::new(Algorithm::RS256);
        // The rest is compared below, with our own clock.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let read = jsonwebtoken::decode::<Claims>(token, &key, &rules)
            .map_err(|_| Unproven::Refused("not signed with the key that it names"))?;
        self.judge(&read.claims).map_err(Unproven::Refused)?;
        Ok(read.claims.email)
    }

    fn judge(&self, claims: &Claims) -> Result<(), &'static str> {
        let now = self.clock.now().timestamp();
        let skew = i64::try_from(self.limits.token_skew.as_secs()).unwrap_or(i64::MAX);
        if !ISSUERS.contains(&claims.iss.as_str()) {
            return Err("of another issuer");
        }
        if !self.expected.audiences.contains(&claims.aud) {
            return Err("for another audience");
        }
        if claims.exp.saturating_add(skew) <= now {
            return Err("expired");
        }
        if claims.iat.saturating_sub(skew) > now {
            return Err("issued in the future");
        }
        let is_named =
            |email: &String| claims.email_verified && self.expected.emails.contains(email);
        if !claims.email.as_ref().is_some_and(is_named) {
            return Err("of a caller who is not on the list");
        }
        Ok(())
    }
}
