//! What can go wrong with a call, in Google's words and in ours.
//!
//! May use `ports`; knows the three forms in which Google writes its errors. Of a reply it keeps the status, the
//! reason and the message, never the rest.

use std::time::Duration;

use serde_json::Value;

use crate::ports::{PortError, PortErrorKind};

/// Reasons of a 403 that mean "later", not "never".
const LATER: [&str; 3] = [
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "RATE_LIMIT_EXCEEDED",
];

/// Reasons of a 403 that mean that nobody switched the service on.
const SWITCHED_OFF: [&str; 2] = ["SERVICE_DISABLED", "accessNotConfigured"];

/// Why a call gave no good reply.
#[derive(Debug)]
pub enum Failure {
    /// The service answered, and not with success.
    Refused(Refusal),
    /// No whole reply came; whether the call was carried out is not known.
    Unanswered(Unanswered),
    /// There is no token to call with.
    NoToken(PortError),
}

/// An answer that is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked for, as a phrase such as `reading secret X`.
    pub what: String,
    /// Host that answered.
    pub host: String,
    /// HTTP status.
    pub status: u16,
    /// Google's reason, such as `PERMISSION_DENIED` or `notFound`.
    pub reason: Option<String>,
    /// Google's message. Some services quote values of rows in it: their callers take it out.
    pub message: Option<String>,
    /// Role that the call needs.
    pub needs: Option<String>,
    /// Who called.
    pub caller: Option<String>,
    /// Attempts that were made.
    pub attempts: u32,
    /// Pause that the service asked for.
    pub retry_after: Option<Duration>,
}

/// A call without a whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// What was asked for.
    pub what: String,
    /// Host that was called.
    pub host: String,
    /// Kind of the error.
    pub kind: PortErrorKind,
    /// The cause in the words of the network.
    pub cause: String,
    /// Attempts that were made.
    pub attempts: u32,
}

impl Failure {
    /// Whether the service answered with this status.
    #[must_use]
    pub fn is(&self, status: u16) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status)
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_transient(),
            Self::Unanswered(lost) => {
                matches!(
                    lost.kind,
                    PortErrorKind::Unreachable | PortErrorKind::Timeout
                )
            }
            Self::NoToken(error) => error.is_retryable,
        }
    }

    /// Pause that the service asked for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Unanswered(_) | Self::NoToken(_) => None,
        }
    }

    /// The same after so many attempts.
    #[must_use]
    pub(super) fn after(mut self, attempts: u32) -> Self {
        match &mut self {
            Self::Refused(refusal) => refusal.attempts = attempts,
            Self::Unanswered(lost) => lost.attempts = attempts,
            Self::NoToken(_) => {}
        }
        self
    }
}

impl Refusal {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let is_rate = || {
            self.reason
                .as_deref()
                .is_some_and(|reason| LATER.contains(&reason))
        };
        matches!(self.status, 408 | 429 | 500 | 502 | 503 | 504) || self.status == 403 && is_rate()
    }

    /// Reads reason and message out of a body; a body in no known form says nothing.
    pub(super) fn read(&mut self, body: &[u8], chars_max: usize) {
        let (reason, message) = said(body);
        self.reason = reason.map(|reason| harmless(&reason, chars_max));
        self.message = message.map(|message| harmless(&message, chars_max));
    }

    fn hint(&self) -> Option<String> {
        let caller = self.caller.as_deref().unwrap_or("the caller");
        let reason = self.reason.as_deref().unwrap_or_default();
        Some(match self.status {
            300..=399 => format!(
                "a proxy or gateway answered instead of the service: this machine must reach {} itself",
                self.host
            ),
            _ if self.is_transient() => {
                "the service did not recover in time: run it again, or look at https://status.cloud.google.com".to_owned()
            }
            401 => format!("the token of {caller} is not accepted: check --google-credentials"),
            403 if SWITCHED_OFF.contains(&reason) => {
                format!("switch the service on: gcloud services enable {}", self.host)
            }
            403 => match &self.needs {
                Some(role) => format!("grant {role} to {caller}"),
                None => format!("check the roles of {caller}"),
            },
            _ => return None,
        })
    }
}

impl From<Failure> for PortError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Unanswered(lost) => lost.into(),
            Failure::NoToken(error) => error,
        }
    }
}

impl From<Refusal> for PortError {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.status {
            _ if refusal.is_transient() => PortErrorKind::Unreachable,
            401 | 403 => PortErrorKind::Denied,
            404 => PortErrorKind::Config,
            _ => PortErrorKind::Query,
        };
        let mut text = format!(
            "{}: {} answered {}",
            refusal.what, refusal.host, refusal.status
        );
        if let Some(reason) = &refusal.reason {
            text = format!("{text} {reason}");
        }
        if refusal.attempts > 1 {
            text = format!("{text} after {} attempts", refusal.attempts);
        }
        if let Some(message) = &refusal.message {
            text = format!("{text}: {message}");
        }
        let mut error = Self::new(kind, text);
        error.hint = refusal.hint();
        error.is_retryable = refusal.is_transient();
        error
    }
}

impl From<Unanswered> for PortError {
    fn from(lost: Unanswered) -> Self {
        let Unanswered {
            what,
            host,
            kind,
            cause,
            attempts,
        } = lost;
        let times = if attempts > 1 {
            format!(" after {attempts} attempts")
        } else {
            String::new()
        };
        let mut error = Self::new(kind, format!("{what}: no reply of {host}{times}: {cause}"));
        error.is_retryable = matches!(kind, PortErrorKind::Unreachable | PortErrorKind::Timeout);
        match kind {
            PortErrorKind::Denied => error.hint(
                "install the CA of the other side on this machine, or name its file in SSL_CERT_FILE",
            ),
            PortErrorKind::Limit | PortErrorKind::Config | PortErrorKind::Corrupt => error,
            _ => error.hint(format!(
                "check name service, proxy, firewall and VPC egress: this machine must reach {host}"
            )),
        }
    }
}

/// Reason and message of an error document: Google's JSON, OAuth's JSON, or the XML of Cloud Storage.
fn said(body: &[u8]) -> (Option<String>, Option<String>) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return of_xml(&String::from_utf8_lossy(body));
    };
    match document.get("error") {
        Some(Value::String(reason)) => (
            Some(reason.clone()),
            text(document.get("error_description")),
        ),
        Some(error) => {
            let info = error.get("details").and_then(Value::as_array);
            let info = info.and_then(|all| all.iter().find_map(|one| one.get("reason")));
            let first = error.pointer("/errors/0/reason");
            let reason = text(info)
                .or_else(|| text(first))
                .or_else(|| text(error.get("status")));
            (reason, text(error.get("message")))
        }
        None => (None, None),
    }
}

fn of_xml(text: &str) -> (Option<String>, Option<String>) {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inner.to_owned())
    };
    if !text.contains("<Error>") {
        return (None, None);
    }
    (element("Code"), element("Message"))
}

/// One line without control characters, cut to a length.
fn harmless(text: &str, chars_max: usize) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let short: String = text.chars().take(chars_max).map(one_line).collect();
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        let mut refusal = Refusal {
            what: "reading x".into(),
            host: "storage.googleapis.com".into(),
            status,
            reason: None,
            message: None,
            needs: Some("roles/x".into()),
            caller: Some("a@b".into()),
            attempts: 1,
            retry_after: None,
        };
        refusal.read(body.as_bytes(), 30);
        refusal
    }

    fn words(status: u16, body: &str) -> (Option<String>, Option<String>) {
        let refusal = refusal(status, body);
        (refusal.reason, refusal.message)
    }

    #[test]
    fn reason_and_message_are_read_from_every_form_and_nothing_else_is() {
        let some = |text: &str| Some(text.to_owned());
        let grpc = r#"{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED","details":[{"x":1},{"reason":"SERVICE_DISABLED"}]}}"#;
        assert_eq!(words(403, grpc), (some("SERVICE_DISABLED"), some("no")));
        let plain = r#"{"error":{"message":"no","status":"PERMISSION_DENIED"}}"#;
        assert_eq!(words(403, plain), (some("PERMISSION_DENIED"), some("no")));
        let old = r#"{"error":{"message":"m","errors":[{"reason":"notFound"}]}}"#;
        assert_eq!(words(404, old), (some("notFound"), some("m")));
        let oauth = r#"{"error":"invalid_grant","error_description":"Bad\nclock"}"#;
        assert_eq!(
            words(400, oauth),
            (some("invalid_grant"), some("Bad clock"))
        );
        let xml = "<?xml version='1.0'?><Error><Code>NoSuchBucket</Code><Message>gone</Message><Details>d</Details></Error>";
        assert_eq!(words(404, xml), (some("NoSuchBucket"), some("gone")));
        for page in [
            "<html><h1>502</h1>SENTINEL</html>",
            "",
            "[1]",
            "{\"a\":\"SENTINEL\"}",
        ] {
            assert_eq!(words(502, page), (None, None), "{page}");
        }
        let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "y".repeat(99));
        assert_eq!(words(400, &long).1.unwrap().chars().count(), 31);
    }

    #[test]
    fn errors_say_what_to_do() {
        let hint = |refusal: Refusal| PortError::from(refusal).hint.unwrap_or_default();
        assert_eq!(hint(refusal(403, "")), "grant roles/x to a@b");
        let off = r#"{"error":{"details":[{"reason":"SERVICE_DISABLED"}]}}"#;
        assert!(hint(refusal(403, off)).contains("services enable storage.googleapis.com"));
        let bare = Refusal {
            needs: None,
            ..refusal(403, "")
        };
        assert_eq!(hint(bare), "check the roles of a@b");
        assert!(hint(refusal(401, "")).contains("a@b"));
        assert!(hint(refusal(502, "<html>")).contains("run it again"));
        assert!(hint(refusal(308, "<html>")).contains("must reach storage.googleapis.com"));
        assert_eq!(hint(refusal(400, "")), "");
    }

    #[test]
    fn a_rate_limit_is_transient_and_a_missing_role_is_not() {
        let rate = r#"{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}"#;
        assert!(refusal(403, rate).is_transient());
        let quota = r#"{"error":{"errors":[{"reason":"quotaExceeded"}]}}"#;
        assert!(!refusal(403, quota).is_transient());
        for (status, transient) in [
            (400, false),
            (401, false),
            (409, false),
            (412, false),
            (429, true),
            (501, false),
            (503, true),
        ] {
            let refused = refusal(status, "");
            assert_eq!(refused.is_transient(), transient, "{status}");
            assert_eq!(PortError::from(refused).is_retryable, transient, "{status}");
        }
    }
}
