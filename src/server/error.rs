//! Every refusal as JSON: a code for programs, a message and the next step for people.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::app::StartError;
use crate::ports::{PortError, PortErrorKind};

/// What stands before the hint in the text of an error.
const HINT: &str = "\nhint: ";

/// A request that was not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    further: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let (message, hint) = match message.split_once(HINT) {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (message, None),
        };
        Self {
            status,
            code,
            message,
            hint,
            further: Map::new(),
            headers: Vec::new(),
        }
    }

    /// What the caller can do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A further fact for programs.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.further.insert(name.to_owned(), value);
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The service broke; what happened is in its log.
    pub(super) fn internal() -> Self {
        let what = "the service failed at this request";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", what)
            .hint("see the log of the service")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut error = self.further;
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        error.insert("hint".to_owned(), json!(self.hint));
        let mut response = (self.status, Json(json!({"error": error}))).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<StartError> for Refusal {
    /// A run that could not begin: the request was wrong, or what the service is set up with.
    fn from(error: StartError) -> Self {
        let (status, code) = match &error {
            StartError::Period(_) => (StatusCode::BAD_REQUEST, "cutoff"),
            StartError::NotEnded(_) => (StatusCode::BAD_REQUEST, "month_not_ended"),
            StartError::Port(error) => return error.into(),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "not_started"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<&PortError> for Refusal {
    fn from(error: &PortError) -> Self {
        Self::of_port("not_started", error)
    }
}

impl Refusal {
    /// What could not be found out, under a code for programs.
    pub(super) fn of_port(code: &'static str, error: &PortError) -> Self {
        let status = match error.kind {
            PortErrorKind::Unreachable | PortErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_of_an_error_stands_by_itself() {
        let error = PortError::new(PortErrorKind::Unreachable, "no way").hint("go round");
        let refusal = Refusal::from(&error);
        assert_eq!(refusal.message, "no way");
        assert_eq!(refusal.hint.as_deref(), Some("go round"));
        assert_eq!(refusal.status, 503);
    }
}
