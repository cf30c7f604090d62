//! The body of a request for a run: what it may say, and what is refused before anything starts.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::app::service::ConfiguredItem;
use crate::domain::limits::ServerLimits;
use crate::domain::period::Period;

use super::error::Refusal;

/// The document as it comes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    cutoff_date: Option<String>,
    ipes: Option<Vec<String>>,
    preliminary: Option<bool>,
}

/// A run that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Month; `None` is the last one that has ended in Europe/Paris.
    pub(super) period: Option<Period>,
    /// Items; empty is all.
    pub(super) items: Vec<String>,
    /// Whether the month may still be open.
    pub(super) preliminary: bool,
}

/// Reads the body within its limits.
pub(super) async fn body(body: Body, limits: &ServerLimits) -> Result<Bytes, Refusal> {
    let read = to_bytes(body, limits.body_bytes_max);
    match tokio::time::timeout(limits.body_timeout, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let what = format!(
                "the body is longer than {} bytes, or it broke off",
                limits.body_bytes_max
            );
            Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_long",
                what,
            ))
        }
        Err(_) => {
            let what = format!("no whole body in {} s", limits.body_timeout.as_secs());
            Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                what,
            ))
        }
    }
}

/// Refuses what a page of the web sends by its reader's browser. The service has no pages, so whatever names a page as
/// its origin comes from elsewhere; programs name none.
pub(super) fn of_a_program(headers: &HeaderMap) -> Result<(), Refusal> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !headers.contains_key(ORIGIN) && site.is_none_or(|site| site == b"none") {
        return Ok(());
    }
    let what = "a page of the web cannot ask for a run";
    Err(Refusal::new(StatusCode::FORBIDDEN, "of_a_page", what)
        .hint("send it by a program, without the headers Origin and Sec-Fetch-Site of a browser"))
}

/// Reads what is asked for; an empty body asks for all items of the last closed month.
pub(super) fn read(
    headers: &HeaderMap,
    body: &[u8],
    known: &[ConfiguredItem],
) -> Result<Asked, Refusal> {
    let document = if body.iter().all(u8::is_ascii_whitespace) {
        Document::default()
    } else {
        is_json(headers)?;
        parsed(body)?
    };
    let period = document
        .cutoff_date
        .as_deref()
        .map(Period::from_cutoff_text);
    let period = period
        .transpose()
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, "cutoff", error.to_string()))?;
    let mut items = document.ipes.unwrap_or_default();
    items.sort_unstable();
    items.dedup();
    let is_known = |name: &str| known.iter().any(|item| item.id == name);
    if let Some(name) = items.iter().find(|name| !is_known(name)) {
        let names: Vec<&str> = known.iter().map(|item| item.id.as_str()).collect();
        let what = format!("there is no item {}", json!(name));
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "unknown_item", what)
            .hint(format!("items are {}", names.join(", "))));
    }
    Ok(Asked {
        period,
        items,
        preliminary: document.preliminary.unwrap_or(false),
    })
}

/// A form that another site's page sends for its reader never says that it is JSON.
fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let said = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = said
        .and_then(|text| text.split(';').next())
        .unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let what = "the body is not said to be JSON";
    Err(
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", what)
            .hint("send the header Content-Type: application/json"),
    )
}

fn parsed(body: &[u8]) -> Result<Document, Refusal> {
    let bad = |code, what: String| {
        Refusal::new(StatusCode::BAD_REQUEST, code, what).hint(
            "write {\"cutoff_date\": null or \"YYYY-MM-DD\", \"ipes\": [\"ITEM\", …], \"preliminary\": true or false}; \
             each may be left out",
        )
    };
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("malformed", "the body is no JSON object".to_owned()));
    }
    let document: Document = serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() {
            "unknown_field_or_type"
        } else {
            "malformed"
        };
        bad(code, format!("the body cannot be read: {error}"))
    })?;
    match document.ipes.as_deref() {
        Some([]) => Err(bad(
            "no_items",
            "`ipes` is empty: leave it out for all items".to_owned(),
        )),
        _ => Ok(document),
    }
}
