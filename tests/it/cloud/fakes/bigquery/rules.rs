//! What the interface refuses before it does anything: callers without a token, other projects, names that it does not
//! know, jobs that cannot be.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::strict;
use super::routes::no;
use super::{DATASET, PROJECT, Service};

/// Before every route.
pub(super) async fn guard(State(service): State<Service>, asked: Request, next: Next) -> Response {
    if let Some(refusal) = service.issuer.refusal(asked.headers()) {
        return refusal;
    }
    let below = asked.uri().path().strip_prefix("/bigquery/v2/projects/");
    let (project, rest) = below
        .and_then(|path| path.split_once('/'))
        .unwrap_or_default();
    if project != PROJECT {
        return no(404, "notFound", &format!("Not found: Project {project}"));
    }
    let known = match rest.split('/').collect::<Vec<_>>().as_slice() {
        ["queries", _] => &["location", "maxResults", "timeoutMs", "pageToken"][..],
        ["jobs", _] | ["jobs", _, "cancel"] => &["location"],
        _ => &[],
    };
    match strict::asked(asked.uri().query(), known) {
        Ok(_) => next.run(asked).await,
        Err(said) => no(400, "badRequest", &said),
    }
}

/// What a statement may be sent with.
const STATEMENT: [&str; 6] = [
    "query",
    "useLegacySql",
    "useQueryCache",
    "location",
    "maxResults",
    "timeoutMs",
];

/// What a load may be told.
const LOAD: [&str; 8] = [
    "sourceUris",
    "sourceFormat",
    "destinationTable",
    "createDisposition",
    "writeDisposition",
    "decimalTargetTypes",
    "maxBadRecords",
    "schema",
];

/// Why a statement is not taken.
pub(super) fn statement(body: &Value) -> Option<String> {
    let is_plain = body["useLegacySql"] == false && body["useQueryCache"] == false;
    strict::unknown(body, &STATEMENT)
        .or_else(|| (!is_plain).then(|| "an answer that was remembered, or legacy SQL".to_owned()))
}

/// Why a job is not taken.
pub(super) fn job(body: &Value) -> Option<String> {
    let (reference, configuration) = (&body["jobReference"], &body["configuration"]);
    let found = strict::unknown(body, &["jobReference", "configuration"])
        .or_else(|| strict::unknown(reference, &["projectId", "jobId", "location"]))
        .or_else(|| strict::unknown(configuration, &["labels", "load", "query"]))
        .or_else(|| labels(&configuration["labels"]));
    if found.is_some() {
        return found;
    }
    let id = reference["jobId"].as_str().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if id.is_empty() || id.len() > 1_024 || !id.chars().all(fits) {
        return Some(format!("Invalid job ID \"{id}\""));
    }
    if reference["projectId"] != PROJECT {
        return Some("another project".to_owned());
    }
    match (&configuration["load"], &configuration["query"]) {
        (Value::Null, query) => strict::unknown(query, &["query", "useLegacySql"])
            .or_else(|| (query["useLegacySql"] != false).then(|| "legacy SQL".to_owned())),
        (load, Value::Null) => self::load(load),
        _ => Some("two jobs in one".to_owned()),
    }
}

fn load(load: &Value) -> Option<String> {
    let table = &load["destinationTable"];
    let is_ours = table["projectId"] == PROJECT && table["datasetId"] == DATASET;
    let uris = load["sourceUris"].as_array().into_iter().flatten();
    let are_objects = uris.clone().count() > 0
        && uris
            .filter_map(Value::as_str)
            .all(|uri| uri.starts_with("gs://"));
    let created = ["CREATE_NEVER", "CREATE_IF_NEEDED"].map(|word| json!(word));
    strict::unknown(load, &LOAD)
        .or_else(|| (!is_ours).then(|| format!("another table: {table}")))
        .or_else(|| {
            (!are_objects).then(|| "Source URI must be a Google Cloud Storage location".into())
        })
        .or_else(|| (load["sourceFormat"] != "PARQUET").then(|| "no Parquet".to_owned()))
        .or_else(|| {
            (!created.contains(&load["createDisposition"])).then(|| "disposition".to_owned())
        })
}

/// Labels have small letters, and 63 of them at most.
fn labels(labels: &Value) -> Option<String> {
    let fits = |text: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        text.len() <= 63 && text.chars().all(fits)
    };
    let mut pairs = labels.as_object().into_iter().flatten();
    let wrong = pairs.find(|(name, value)| {
        let value = value.as_str().unwrap_or("?");
        name.is_empty() || !fits(name) || !fits(value)
    });
    wrong.map(|(name, value)| format!("Invalid label {name}: {value}"))
}
