//! The one HTTP client: limits for every phase, the CAs of the machine, and repeating of what may be repeated.
//!
//! May use reqwest and rustls; knows nothing of tokens beyond sending one. Never follows a redirect (a token must not
//! travel on), never sends a token in plain text over a network, never prints a body.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand::Rng;
pub use reqwest::Method;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Client, ClientBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::domain::limits::HttpLimits;
use crate::ports::{PortError, PortErrorKind, Secret};

use super::endpoints;
use super::failure::{Failure, Refusal, Unanswered};

/// One request. It is sent once unless it is declared repeatable.
#[derive(Clone)]
pub struct Call {
    what: String,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    attempts_max: Option<u32>,
    reply_bytes_max: Option<usize>,
    is_repeatable: bool,
    is_resumable: bool,
    needs: Option<String>,
}

/// A good reply.
#[derive(Clone)]
pub struct Reply {
    /// HTTP status: 2xx; of a resumable call also 308.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; it may hold a secret.
    pub body: Bytes,
}

impl Call {
    /// A request; `what` says what it is for, as a phrase such as `reading secret X`.
    #[must_use]
    pub fn new(what: impl Into<String>, method: Method, url: Url) -> Self {
        Self {
            what: what.into(),
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            attempts_max: None,
            reply_bytes_max: None,
            is_repeatable: false,
            is_resumable: false,
            needs: None,
        }
    }

    /// A GET, which is repeatable.
    #[must_use]
    pub fn get(what: impl Into<String>, url: Url) -> Self {
        Self::new(what, Method::GET, url).repeatable()
    }

    /// Declares that sending it twice has the effect of sending it once.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// Declares that 308 is a good reply: an upload in pieces says by it how far it has come. To any other call it is a
    /// redirect, which is not followed.
    #[must_use]
    pub fn resumable(mut self) -> Self {
        self.is_resumable = true;
        self
    }

    /// At most so many attempts, if it is repeatable at all.
    #[must_use]
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = Some(attempts);
        self
    }

    /// A reply of at most so many bytes, where it is no small document.
    #[must_use]
    pub fn reply_bytes_max(mut self, bytes: usize) -> Self {
        self.reply_bytes_max = Some(bytes);
        self
    }

    /// The role that the caller needs for it, for the error of a refusal.
    #[must_use]
    pub fn needs(mut self, role: impl Into<String>) -> Self {
        self.needs = Some(role.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header(CONTENT_TYPE, HeaderValue::from_static(content_type));
        call.body = body.into();
        call
    }

    /// Sets a JSON document as the body.
    ///
    /// # Errors
    /// `Config` for a value that is no JSON.
    pub fn json(self, document: &impl Serialize) -> Result<Self, PortError> {
        let body = serde_json::to_vec(document)
            .map_err(|error| PortError::new(PortErrorKind::Config, error.to_string()))?;
        Ok(self.body("application/json", body))
    }

    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    fn unanswered(&self, kind: PortErrorKind, cause: impl Into<String>) -> Failure {
        Failure::Unanswered(Unanswered {
            what: self.what.clone(),
            host: self.host(),
            kind,
            cause: cause.into(),
            attempts: 1,
        })
    }
}

impl Reply {
    /// The body as a document.
    ///
    /// # Errors
    /// `Corrupt` when it is another; what it holds is not said.
    pub fn document<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PortError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let cause = format!(
                "the reply is not the document that was asked for (line {}, column {})",
                error.line(),
                error.column()
            );
            call.unanswered(PortErrorKind::Corrupt, cause).into()
        })
    }
}

impl fmt::Debug for Call {
    /// Neither the path nor headers and body: some places are secrets, and some bodies hold rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} at {})", self.what, self.host())
    }
}

/// The client. Cheap to clone; clones share its connections.
#[derive(Clone)]
pub struct Http {
    /// For `https:`, through the proxy of the machine if it has one.
    secure: Client,
    /// For the metadata server and stand-ins, which no proxy can reach.
    near: Client,
    limits: HttpLimits,
}

impl Http {
    /// A client within limits.
    ///
    /// # Errors
    /// `Config` when the CAs of the machine cannot be read.
    pub fn new(limits: HttpLimits) -> Result<Self, PortError> {
        // Whoever speaks TLS in this process does it with the same library; a second installation changes nothing.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let built = |builder: ClientBuilder| {
            builder
                .connect_timeout(limits.connect_timeout)
                .read_timeout(limits.silence_timeout)
                .timeout(limits.attempt_timeout)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("soxauto/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| {
                    let what = format!("the HTTP client cannot be made: {}", deepest(&error));
                    PortError::new(PortErrorKind::Config, what)
                        .hint("install the package of CA certificates (ca-certificates)")
                })
        };
        Ok(Self {
            secure: built(Client::builder().https_only(true))?,
            near: built(Client::builder().no_proxy())?,
            limits,
        })
    }

    /// The limits that it keeps.
    #[must_use]
    pub fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    /// Sends a call. What may be repeated is repeated on 429, 5xx and broken connections, after the pause that the
    /// service asks for or a growing one of our own.
    ///
    /// # Errors
    /// The last [`Failure`].
    pub async fn send(&self, call: &Call, bearer: Option<&Secret>) -> Result<Reply, Failure> {
        let attempts_max = call.attempts_max.unwrap_or(self.limits.attempts_max);
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(call, bearer).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let again = call.is_repeatable && failure.is_transient() && attempt < attempts_max;
            let pause = self.pause(attempt, failure.retry_after());
            match pause.filter(|_| again) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(failure.after(attempt)),
            }
            tracing::info!(what = call.what, attempt, "the call is repeated");
            attempt += 1;
        }
    }

    /// The pause after an attempt; `None` when the service asks for a longer one than we wait.
    pub(super) fn pause(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        if let Some(asked) = asked {
            return (asked <= self.limits.retry_after_max).then_some(asked);
        }
        let factor = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let longest = self
            .limits
            .backoff_first
            .saturating_mul(factor)
            .min(self.limits.backoff_max);
        Some(rand::rng().random_range(Duration::ZERO..=longest))
    }

    async fn attempt(&self, call: &Call, bearer: Option<&Secret>) -> Result<Reply, Failure> {
        let (status, headers, body) = self.exchange(call, bearer).await?;
        if matches!(status, 200..=299) || (call.is_resumable && status == 308) {
            return Ok(Reply {
                status,
                headers,
                body,
            });
        }
        let asked = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        // A date instead of seconds is allowed; our own pause stands then.
        let asked = asked
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let mut refusal = Refusal {
            what: call.what.clone(),
            host: call.host(),
            status,
            reason: None,
            message: None,
            needs: call.needs.clone(),
            caller: None,
            attempts: 1,
            retry_after: asked,
        };
        refusal.read(&body, self.limits.message_chars_max);
        Err(Failure::Refused(refusal))
    }

    /// One attempt, whatever its status.
    pub(super) async fn exchange(
        &self,
        call: &Call,
        bearer: Option<&Secret>,
    ) -> Result<(u16, HeaderMap, Bytes), Failure> {
        let client = if call.url.scheme() == "https" {
            &self.secure
        } else {
            &self.near
        };
        let mut request = client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone())
            .body(call.body.clone());
        if let Some(token) = bearer {
            if !endpoints::may_carry_tokens(&call.url) {
                let cause = "no token is sent in plain text";
                return Err(call.unanswered(PortErrorKind::Config, cause));
            }
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| {
                    call.unanswered(PortErrorKind::Corrupt, "the token is no header value")
                })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let response = request.send().await.map_err(|error| lost(call, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok((status, headers, self.body(call, response).await?))
    }

    async fn body(&self, call: &Call, mut response: Response) -> Result<Bytes, Failure> {
        let bytes_max = call.reply_bytes_max.unwrap_or(self.limits.reply_bytes_max);
        // Reserved whole, so that an object is held once. The reply to HEAD says a length and has no body.
        let length = response
            .content_length()
            .filter(|_| call.method != Method::HEAD);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let mut body = BytesMut::with_capacity(length.unwrap_or_default().min(bytes_max));
        while let Some(piece) = response.chunk().await.map_err(|error| lost(call, &error))? {
            if body.len() + piece.len() > bytes_max {
                let cause = format!("the reply is longer than {bytes_max} bytes");
                return Err(call.unanswered(PortErrorKind::Limit, cause));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

/// A call that got no whole reply.
fn lost(call: &Call, error: &reqwest::Error) -> Failure {
    let cause = deepest(error);
    let kind = if error.is_timeout() {
        PortErrorKind::Timeout
    } else if cause.contains("certificate") {
        PortErrorKind::Denied
    } else {
        PortErrorKind::Unreachable
    };
    call.unanswered(kind, cause)
}

/// The innermost cause: the outer ones repeat the URL.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = "the request failed".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_capped_and_give_way_to_the_service() {
        let limits = HttpLimits::default();
        let http = Http::new(limits.clone()).unwrap();
        for attempt in 1..40 {
            let longest = limits.backoff_first.saturating_mul(1 << attempt.min(20));
            let pause = http.pause(attempt, None).unwrap();
            assert!(pause <= longest.min(limits.backoff_max), "{attempt}");
        }
        let asked = Duration::from_secs(7);
        assert_eq!(http.pause(1, Some(asked)), Some(asked));
        assert_eq!(http.pause(1, Some(limits.retry_after_max * 2)), None);
    }

    #[tokio::test]
    async fn a_token_does_not_leave_in_plain_text_whoever_names_the_place() {
        let http = Http::new(HttpLimits::default()).unwrap();
        let call = Call::get("reading x", Url::parse("http://203.0.113.1/x").unwrap());
        let token = Secret::new("t");
        let failure = http.send(&call, Some(&token)).await.err().unwrap();
        let error = PortError::from(failure);
        assert_eq!(error.kind, PortErrorKind::Config);
        assert!(error.to_string().contains("plain text"), "{error}");
    }
}
