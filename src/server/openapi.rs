//! The description of the service, as a document beside this file; a test compares it with the routes.

use serde_json::{Value, json};

const TEXT: &str = include_str!("openapi.json");

/// The description (OpenAPI 3.1), with the version of this program.
#[must_use]
pub fn document() -> Value {
    let mut document: Value = serde_json::from_str(TEXT).unwrap_or_default();
    if let Some(info) = document.get_mut("info") {
        info["version"] = json!(env!("CARGO_PKG_VERSION"));
    }
    document
}
