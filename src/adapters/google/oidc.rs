//! Whether a bearer token was signed by Google for us: issuer, audience, signature, times, and whom it names.
//!
//! May use `http`, jsonwebtoken and the clock it is given. Only RS256 with a published key counts, whatever the token
//! says of itself. Never prints a token; what it holds is believed only after its signature.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::header::{CACHE_CONTROL, HeaderMap};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::domain::limits::ServerLimits;
use crate::ports::{Clock, PortError};

use super::endpoints::parsed;
use super::http::{Call, Http};

/// Where Google publishes the keys that its tokens are signed with.
pub const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// How Google names itself as the issuer of a token.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Whom a token must be for and whom it may name.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The audience is one of these.
    pub audiences: Vec<String>,
    /// The verified address is one of these; empty is any, and none.
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

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublishedKey>,
}

/// One key as it is published; of other kinds only the kind is read.
#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

#[derive(Default)]
struct Kept {
    keys: BTreeMap<String, DecodingKey>,
    asked_at: Option<DateTime<Utc>>,
    good_until: Option<DateTime<Utc>>,
}

/// Looks at tokens.
pub struct Verifier {
    http: Http,
    keys_url: Url,
    expected: Expected,
    clock: Arc<dyn Clock>,
    limits: ServerLimits,
    kept: Mutex<Kept>,
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
            http,
            keys_url: parsed("keys of the identity provider", keys_url)?,
            expected,
            clock,
            limits,
            kept: Mutex::default(),
        })
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
        let key = self.key(&kid).await?;
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
        let emails = &self.expected.emails;
        let is_named = |email: &String| claims.email_verified && emails.contains(email);
        if !emails.is_empty() && !claims.email.as_ref().is_some_and(is_named) {
            return Err("of a caller who is not on the list");
        }
        Ok(())
    }

    /// The key of that name; asks again when it is not known, but not for every token that somebody makes up.
    async fn key(&self, kid: &str) -> Result<DecodingKey, Unproven> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let is_good = kept.good_until.is_some_and(|until| now < until);
        let may_ask = kept
            .asked_at
            .is_none_or(|at| now >= at + delta(self.limits.keys_pause));
        if !is_good || (!kept.keys.contains_key(kid) && may_ask) {
            kept.asked_at = Some(now);
            let (keys, age) = self.ask().await.map_err(Unproven::NoKeys)?;
            kept.keys = keys;
            kept.good_until = Some(now + delta(age));
        }
        let key = kept.keys.get(kid).cloned();
        key.ok_or(Unproven::Refused("signed with a key that nobody published"))
    }

    async fn ask(&self) -> Result<(BTreeMap<String, DecodingKey>, Duration), PortError> {
        let call = Call::get(
            "reading the keys that tokens are signed with",
            self.keys_url.clone(),
        )
        .attempts_max(self.limits.attempts_max);
        let reply = self.http.send(&call, None).await?;
        let set: KeySet = reply.document(&call)?;
        let rsa = set.keys.iter().filter(|key| key.kty == "RSA");
        let read = rsa.filter_map(|key| {
            let read = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            Some((key.kid.clone(), read))
        });
        let age = max_age(&reply.headers).unwrap_or(self.limits.keys_kept);
        Ok((read.collect(), age.min(self.limits.keys_kept_max)))
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// How long a reply may be kept, as its `Cache-Control` says it.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let seconds = text
        .split(',')
        .find_map(|part| part.trim().strip_prefix("max-age="))?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}
