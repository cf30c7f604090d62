//! Secret Manager: `versions/V:access` with its checksum, and its errors in its own words.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::identity::Issuer;
use super::{error, strict};

/// How a version is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    None,
    /// A bit of the payload is another.
    Bit,
    /// There is no checksum.
    NoChecksum,
    /// The reply is about another secret.
    OtherName,
    /// It was disabled.
    Disabled,
}

type Versions = Vec<(Vec<u8>, Damage)>;

/// The secrets of `test-project`.
#[derive(Clone)]
pub(crate) struct SecretStore {
    issuer: Issuer,
    secrets: Arc<Mutex<BTreeMap<String, Versions>>>,
    denied: Arc<Mutex<bool>>,
}

impl SecretStore {
    pub(crate) fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            secrets: Arc::default(),
            denied: Arc::default(),
        }
    }

    /// Adds a version and gives its number.
    pub(crate) fn add(&self, name: &str, value: &str, damage: Damage) -> usize {
        let mut secrets = self.secrets.lock().unwrap();
        let versions = secrets.entry(name.to_owned()).or_default();
        versions.push((value.as_bytes().to_vec(), damage));
        versions.len()
    }

    /// The caller may no longer read.
    pub(crate) fn deny(&self) {
        *self.denied.lock().unwrap() = true;
    }
}

pub(crate) fn router(store: SecretStore) -> Router {
    Router::new()
        .route(
            "/v1/projects/{project}/secrets/{name}/versions/{version}",
            get(access),
        )
        .with_state(store)
}

async fn access(
    State(store): State<SecretStore>,
    Path((project, name, version)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = store.issuer.refusal(&headers) {
        return refusal;
    }
    if let Err(said) = strict::asked(query.as_deref(), &[]) {
        return strict::bad(&said);
    }
    if *store.denied.lock().unwrap() {
        let message = format!(
            "Permission 'secretmanager.versions.access' denied for resource 'projects/{project}/secrets/{name}'"
        );
        return error(403, "PERMISSION_DENIED", &message);
    }
    let secrets = store.secrets.lock().unwrap();
    let Some(asked) = version.strip_suffix(":access") else {
        return error(404, "NOT_FOUND", "only :access is served");
    };
    let versions = secrets.get(&name).filter(|_| project == "test-project");
    let number = match asked {
        "latest" => versions.map_or(0, Vec::len),
        number => match number.parse() {
            Ok(number) => number,
            Err(_) => return error(400, "INVALID_ARGUMENT", "The version is no number."),
        },
    };
    let found = versions.and_then(|versions| versions.get(number.checked_sub(1)?));
    let Some((value, damage)) = found else {
        return error(
            404,
            "NOT_FOUND",
            &format!("Secret [{name}] not found or has no versions."),
        );
    };
    if *damage == Damage::Disabled {
        return error(
            400,
            "FAILED_PRECONDITION",
            "Secret Version is in DISABLED state.",
        );
    }
    let mut data = value.clone();
    if *damage == Damage::Bit {
        data[0] ^= 1;
    }
    let checksum = (*damage != Damage::NoChecksum).then(|| crc32c::crc32c(value).to_string());
    let shown = if *damage == Damage::OtherName {
        "OTHER"
    } else {
        &name
    };
    axum::Json(json!({
        "name": format!("projects/4711/secrets/{shown}/versions/{number}"),
        "payload": {"data": STANDARD.encode(data), "dataCrc32c": checksum},
    }))
    .into_response()
}
