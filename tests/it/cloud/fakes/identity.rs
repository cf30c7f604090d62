//! The metadata server, the OAuth token endpoint, which checks what is signed and who has logged in as Google does, and
//! the service that gives tokens of another account.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use chrono::{SecondsFormat, TimeDelta};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Value, json};
use soxauto::app::SystemClock;
use soxauto::ports::Clock as _;

use super::error;

/// Account of the machine, and of every key.
pub(crate) const EMAIL: &str = "runner@test-project.iam.gserviceaccount.com";

/// What a token must be good for everywhere but at Drive.
pub(crate) const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What a token must be good for at Drive.
pub(crate) const DRIVE: &str = "https://www.googleapis.com/auth/drive.file";

/// What a person's login is exchanged for; the signs in it must be escaped in a form.
pub(crate) const REFRESH_TOKEN: &str = "1//SENTINEL+REFRESH&TOKEN=";

const CLIENT_SECRET: &str = "SENTINEL-CLIENT-SECRET";

#[derive(Default)]
struct Known {
    issued: Vec<String>,
    /// What each of them is good for.
    scopes: Vec<String>,
    revoked: BTreeSet<String>,
    /// Seconds that a token says it is good for.
    lifetime: u64,
    /// Public key and audience of the account's key.
    key: Option<(Vec<u8>, String)>,
    no_flavor: bool,
    /// What the metadata server says of the region; it says none on what is not Cloud Run.
    region: Option<String>,
    /// The person's login has ended.
    is_logged_out: bool,
    may_not_impersonate: bool,
}

/// Whoever gives tokens and knows which are good.
#[derive(Clone)]
pub(crate) struct Issuer(Arc<Mutex<Known>>);

impl Default for Issuer {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Known {
            lifetime: 3_600,
            region: Some("projects/4711/regions/europe-west1".to_owned()),
            ..Known::default()
        })))
    }
}

impl Issuer {
    /// Tokens from now on say that they are good for so long.
    pub(crate) fn lifetime(&self, seconds: u64) {
        self.0.lock().unwrap().lifetime = seconds;
    }

    /// Every token that was given is no longer good.
    pub(crate) fn revoke_all(&self) {
        let mut known = self.0.lock().unwrap();
        let issued = known.issued.clone();
        known.revoked.extend(issued);
    }

    /// Tokens that were given.
    pub(crate) fn issued(&self) -> Vec<String> {
        self.0.lock().unwrap().issued.clone()
    }

    /// The metadata server says this of the region from now on.
    pub(crate) fn region(&self, said: Option<&str>) {
        self.0.lock().unwrap().region = said.map(str::to_owned);
    }

    /// The metadata server no longer says who it is.
    pub(crate) fn without_flavor(&self) {
        self.0.lock().unwrap().no_flavor = true;
    }

    /// The refusal of a request without a good token.
    pub(crate) fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        self.refusal_of(headers, CLOUD)
    }

    /// The same where a token must be good for something else.
    pub(crate) fn refusal_of(&self, headers: &HeaderMap, scope: &str) -> Option<Response> {
        let known = self.0.lock().unwrap();
        let header = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.filter(|token| !known.revoked.contains(*token));
        let issued = token.and_then(|token| known.issued.iter().position(|one| one == token));
        let Some(at) = issued else {
            let said = "Request had invalid authentication credentials.";
            return Some(error(401, "UNAUTHENTICATED", said));
        };
        let is_for_it = known.scopes[at].split([',', ' ']).any(|one| one == scope);
        (!is_for_it).then(|| {
            let said = "Request had insufficient authentication scopes.";
            error(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", said)
        })
    }

    /// A new key of the account, as the file that Google would give.
    pub(crate) fn key_file(&self, token_uri: &str) -> String {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        self.0.lock().unwrap().key = Some((public, token_uri.to_owned()));
        let text =
            base64::engine::general_purpose::STANDARD.encode(pair.as_der().unwrap().as_ref());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let pem = [
            "-----BEGIN PRIVATE",
            " KEY-----\n",
            &lines.join("\n"),
            "\n-----END PRIVATE",
            " KEY-----\n",
        ]
        .concat();
        json!({
            "type": "service_account", "project_id": "test-project", "private_key_id": "key-1", "private_key": pem,
            "client_email": EMAIL, "client_id": "1", "token_uri": token_uri,
        })
        .to_string()
    }

    /// A person's login, as the file that gcloud writes; calls are counted for `test-project`.
    pub(crate) fn login_file() -> Value {
        json!({
            "type": "authorized_user", "account": "", "client_id": "client-1", "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN, "quota_project_id": "test-project", "universe_domain": "googleapis.com",
        })
    }

    /// An impersonation of the account by whoever `source` is, as the file that gcloud writes.
    pub(crate) fn impersonation_file(source: &Value) -> Value {
        let accounts = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts";
        let url = format!("{accounts}/{EMAIL}:generateAccessToken");
        json!({
            "type": "impersonated_service_account", "source_credentials": source, "delegates": [],
            "service_account_impersonation_url": url,
        })
    }

    /// The person's login ends.
    pub(crate) fn log_out(&self) {
        self.0.lock().unwrap().is_logged_out = true;
    }

    /// Nobody may impersonate the account from now on.
    pub(crate) fn deny_impersonation(&self) {
        self.0.lock().unwrap().may_not_impersonate = true;
    }

    fn issue(&self, scopes: &str) -> Value {
        let mut known = self.0.lock().unwrap();
        let token = format!("ya29.SENTINEL-TOKEN-{}", known.issued.len() + 1);
        known.issued.push(token.clone());
        known.scopes.push(scopes.to_owned());
        json!({"access_token": token, "expires_in": known.lifetime, "token_type": "Bearer"})
    }
}

/// Metadata server and token endpoint.
pub(crate) fn router(issuer: Issuer) -> Router {
    let account = "/computeMetadata/v1/instance/service-accounts/default";
    Router::new()
        .route(&format!("{account}/token"), get(machine_token))
        .route(&format!("{account}/email"), get(machine_email))
        .route("/computeMetadata/v1/instance/region", get(machine_region))
        .route("/token", post(token))
        .route(
            "/v1/projects/-/serviceAccounts/{account}",
            post(impersonate),
        )
        .with_state(issuer)
}

fn as_metadata(issuer: &Issuer, headers: &HeaderMap, body: impl FnOnce() -> Response) -> Response {
    if headers
        .get("metadata-flavor")
        .is_none_or(|value| value != "Google")
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut reply = body();
    if !issuer.0.lock().unwrap().no_flavor {
        reply
            .headers_mut()
            .insert("metadata-flavor", "Google".parse().unwrap());
    }
    reply
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scopes {
    scopes: String,
}

async fn machine_token(
    State(issuer): State<Issuer>,
    Query(asked): Query<Scopes>,
    headers: HeaderMap,
) -> Response {
    as_metadata(&issuer, &headers, || {
        axum::Json(issuer.issue(&asked.scopes)).into_response()
    })
}

async fn machine_email(State(issuer): State<Issuer>, headers: HeaderMap) -> Response {
    as_metadata(&issuer, &headers, || EMAIL.into_response())
}

async fn machine_region(State(issuer): State<Issuer>, headers: HeaderMap) -> Response {
    as_metadata(&issuer, &headers, || {
        let region = issuer.0.lock().unwrap().region.clone();
        match region {
            Some(region) => region.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}

#[derive(Deserialize)]
struct Statement {
    iss: String,
    scope: String,
    iat: i64,
    exp: i64,
}

/// An error as OAuth writes it.
fn oauth_error(status: StatusCode, error: &str, why: &str) -> Response {
    let body = json!({"error": error, "error_description": why});
    (status, axum::Json(body)).into_response()
}

fn invalid_grant(why: &str) -> Response {
    oauth_error(StatusCode::BAD_REQUEST, "invalid_grant", why)
}

async fn token(State(issuer): State<Issuer>, headers: HeaderMap, body: String) -> Response {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let field = |name: &str| {
        let pair = form.iter().find(|(key, _)| key == name);
        pair.map_or("", |(_, value)| value.as_str())
    };
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let is_form = said("content-type") == Some("application/x-www-form-urlencoded");
    if !is_form || said("authorization").is_some() {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "headers");
    }
    let mut names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match (field("grant_type"), names.as_slice()) {
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", ["assertion", "grant_type"]) => {
            key_token(&issuer, field("assertion"))
        }
        (
            "refresh_token",
            [
                "client_id",
                "client_secret",
                "grant_type",
                "refresh_token",
                "scope",
            ],
        ) => {
            let client = (field("client_id"), field("client_secret"));
            login_token(&issuer, client, field("refresh_token"), field("scope"))
        }
        _ => oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "fields"),
    }
}

/// A token of the person, who has agreed to [`CLOUD`] and nothing else.
fn login_token(issuer: &Issuer, client: (&str, &str), refresh: &str, scope: &str) -> Response {
    if client != ("client-1", CLIENT_SECRET) {
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", "Unauthorized");
    }
    if refresh != REFRESH_TOKEN || issuer.0.lock().unwrap().is_logged_out {
        // Google does not quote it; somebody in between might.
        return invalid_grant(&format!("Token has been expired or revoked. {refresh}"));
    }
    if scope != CLOUD {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_scope", "Bad Request");
    }
    axum::Json(issuer.issue(scope)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Impersonation {
    delegates: Vec<String>,
    scope: Vec<String>,
    lifetime: String,
}

async fn impersonate(
    State(issuer): State<Issuer>,
    Path(account): Path<String>,
    headers: HeaderMap,
    axum::Json(asked): axum::Json<Impersonation>,
) -> Response {
    if let Some(refusal) = issuer.refusal(&headers) {
        return refusal;
    }
    let is_denied = issuer.0.lock().unwrap().may_not_impersonate;
    if is_denied || account != format!("{EMAIL}:generateAccessToken") {
        let said = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource.";
        return error(403, "IAM_PERMISSION_DENIED", said);
    }
    let is_name = |name: &String| name.starts_with("projects/-/serviceAccounts/");
    let is_whole = asked.lifetime == "3600s" && !asked.scope.is_empty();
    if !is_whole || !asked.delegates.iter().all(is_name) {
        return error(400, "INVALID_ARGUMENT", "Request is invalid.");
    }
    let issued = issuer.issue(&asked.scope.join(" "));
    let lifetime = TimeDelta::seconds(issued["expires_in"].as_i64().unwrap());
    let end = (SystemClock.now() + lifetime).to_rfc3339_opts(SecondsFormat::Secs, true);
    axum::Json(json!({"accessToken": issued["access_token"], "expireTime": end})).into_response()
}

fn key_token(issuer: &Issuer, signed: &str) -> Response {
    let Some((public, audience)) = issuer.0.lock().unwrap().key.clone() else {
        return invalid_grant("no such account");
    };
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[audience]);
    let key = DecodingKey::from_rsa_der(&public);
    match jsonwebtoken::decode::<Statement>(signed, &key, &rules) {
        Ok(read)
            if read.claims.iss == EMAIL
                && read.claims.exp - read.claims.iat <= 3_600
                && !read.claims.scope.is_empty() =>
        {
            assert_eq!(read.header.kid.as_deref(), Some("key-1"));
            axum::Json(issuer.issue(&read.claims.scope)).into_response()
        }
        Ok(_) => invalid_grant("claims"),
        Err(_) => invalid_grant("Invalid JWT Signature."),
    }
}
