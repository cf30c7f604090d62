//! Cloud Storage: objects by PUT, GET, HEAD and DELETE, lists in pages, generations and checksums.
//!
//! Objects are plain files, `<folder>/<bucket>/<name>`, so that another program can read what was stored. As the service
//! does, it keeps nothing whose checksum is another, and creates nothing where the expected generation is another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use soxauto::app::SystemClock;
use soxauto::ports::Clock as _;

use super::identity::{EMAIL, Issuer};
use super::{error, strict};

/// Objects in one page, so that every list of more has several.
const PAGE: usize = 3;

#[derive(Default)]
struct Held {
    page: usize,
    /// Generation and time of writing by bucket and name.
    objects: BTreeMap<(String, String), (u64, DateTime<Utc>)>,
    buckets: BTreeSet<String>,
    denied: BTreeSet<String>,
    /// Where buckets lie that do not lie in the EU.
    layouts: BTreeMap<String, Value>,
    /// The caller may create, and a write where something lies is refused whatever it expects.
    create_only: bool,
    /// A write replaces what lies there, whatever it expects.
    careless: bool,
    generation: u64,
    /// Replies come with the checksum of other bytes.
    lies: bool,
}

/// The buckets.
#[derive(Clone)]
pub(crate) struct Buckets {
    issuer: Issuer,
    folder: PathBuf,
    held: Arc<Mutex<Held>>,
}

impl Buckets {
    pub(crate) fn new(issuer: Issuer, folder: PathBuf) -> Self {
        let held = Held {
            buckets: ["staging", "evidence", "leases"].map(str::to_owned).into(),
            page: PAGE,
            ..Held::default()
        };
        Self {
            issuer,
            folder,
            held: Arc::new(Mutex::new(held)),
        }
    }

    /// The caller may do nothing in this bucket from now on.
    pub(crate) fn deny(&self, bucket: &str) {
        self.held.lock().unwrap().denied.insert(bucket.to_owned());
    }

    /// Where a bucket lies: `location`, and what else its layout says.
    pub(crate) fn locate(&self, bucket: &str, layout: Value) {
        let mut held = self.held.lock().unwrap();
        held.layouts.insert(bucket.to_owned(), layout);
    }

    /// The caller may create and read from now on, and neither replace nor delete.
    pub(crate) fn create_only(&self) {
        self.held.lock().unwrap().create_only = true;
    }

    /// Objects are replaced from now on, whatever a write expects.
    pub(crate) fn careless(&self) {
        self.held.lock().unwrap().careless = true;
    }

    /// What is read from now on has another checksum than is said.
    pub(crate) fn lie(&self) {
        self.held.lock().unwrap().lies = true;
    }

    /// A page has so many objects from now on.
    pub(crate) fn page(&self, objects: usize) {
        self.held.lock().unwrap().page = objects;
    }

    /// Names and generations of the objects of a bucket.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, u64> {
        let held = self.held.lock().unwrap();
        let objects = held.objects.iter().filter(|((of, _), _)| of == bucket);
        objects
            .map(|((_, name), (generation, _))| (name.clone(), *generation))
            .collect()
    }

    /// The file in which an object lies.
    pub(crate) fn file(&self, bucket: &str, name: &str) -> PathBuf {
        self.folder.join(bucket).join(name)
    }

    fn refusal(&self, held: &Held, bucket: &str, headers: &HeaderMap) -> Option<Response> {
        if let Some(refusal) = self.issuer.refusal(headers) {
            return Some(refusal);
        }
        if held.denied.contains(bucket) {
            let said = format!("{EMAIL} does not have storage access to {bucket}.");
            return Some(xml(403, "AccessDenied", &said));
        }
        let is_there = held.buckets.contains(bucket);
        (!is_there).then(|| xml(404, "NoSuchBucket", "The specified bucket does not exist."))
    }
}

/// An error as the XML interface writes it.
fn xml(status: u16, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn hash(bytes: &[u8]) -> String {
    format!(
        "crc32c={}",
        STANDARD.encode(crc32c::crc32c(bytes).to_be_bytes())
    )
}

pub(crate) fn router(buckets: Buckets) -> Router {
    Router::new()
        .route("/storage/v1/b/{bucket}/o", get(list))
        .route("/storage/v1/b/{bucket}/storageLayout", get(layout))
        .route("/{bucket}/{*name}", any(object))
        // A part of a large month is larger than what the framework takes by itself.
        .layer(DefaultBodyLimit::disable())
        .with_state(buckets)
}

/// What a list may be asked for.
const ASKED: [&str; 5] = ["prefix", "delimiter", "pageToken", "maxResults", "fields"];

/// Headers of the interface that a write may have; the last names the project that a person's calls are counted for.
const WRITTEN: [&str; 3] = [
    "x-goog-if-generation-match",
    "x-goog-hash",
    "x-goog-user-project",
];

/// Those of what reads or deletes.
const READ: [&str; 1] = ["x-goog-user-project"];

/// A refusal as the JSON interface writes it; both need the right to list.
fn of_json(refusal: Response) -> Response {
    match refusal.status().as_u16() {
        404 => error(404, "notFound", "The specified bucket does not exist."),
        403 => error(403, "forbidden", "no storage.objects.list access"),
        _ => refusal,
    }
}

async fn layout(
    State(buckets): State<Buckets>,
    Path(bucket): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let held = buckets.held.lock().unwrap();
    if let Some(refusal) = buckets.refusal(&held, &bucket, &headers) {
        return of_json(refusal);
    }
    if let Err(said) = strict::asked(query.as_deref(), &[]) {
        return strict::bad(&said);
    }
    let mut body = json!({"kind": "storage#storageLayout", "bucket": bucket, "location": "EU",
        "locationType": "multi-region", "hierarchicalNamespace": {"enabled": false}});
    let other = held.layouts.get(&bucket).and_then(Value::as_object);
    body.as_object_mut()
        .unwrap()
        .extend(other.cloned().unwrap_or_default());
    axum::Json(body).into_response()
}

async fn list(
    State(buckets): State<Buckets>,
    Path(bucket): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let held = buckets.held.lock().unwrap();
    if let Some(refusal) = buckets.refusal(&held, &bucket, &headers) {
        return of_json(refusal);
    }
    let asked = match strict::asked(query.as_deref(), &ASKED) {
        Ok(asked) => asked,
        Err(said) => return strict::bad(&said),
    };
    let number = |name: &str, absent| asked.get(name).map_or(Ok(absent), |text| text.parse());
    let (Ok(page), Ok(from)) = (number("maxResults", 1_000), number("pageToken", 0)) else {
        return strict::bad("Invalid argument.");
    };
    let page: usize = held.page.min(page);
    let prefix = asked.get("prefix").map_or("", String::as_str);
    let (mut items, mut folders) = (Vec::new(), BTreeSet::new());
    for ((of, name), (generation, updated)) in &held.objects {
        let Some(rest) = name.strip_prefix(prefix).filter(|_| *of == bucket) else {
            continue;
        };
        match (asked.get("delimiter"), rest.split_once('/')) {
            (Some(_), Some((folder, _))) => {
                folders.insert(format!("{prefix}{folder}/"));
            }
            _ => {
                let size = std::fs::metadata(buckets.file(of, name)).unwrap().len();
                items.push(json!({
                    "name": name, "size": size.to_string(), "updated": updated.to_rfc3339(),
                    "etag": format!("e{generation}"), "generation": generation.to_string(),
                }));
            }
        }
    }
    let next = (from + page < items.len()).then(|| (from + page).to_string());
    let page: Vec<_> = items.into_iter().skip(from).take(page).collect();
    // As the service does, what is empty is left out.
    let mut body = json!({"kind": "storage#objects"});
    if !page.is_empty() {
        body["items"] = page.into();
    }
    if from == 0 && !folders.is_empty() {
        body["prefixes"] = folders.into_iter().collect::<Vec<_>>().into();
    }
    if let Some(next) = next {
        body["nextPageToken"] = next.into();
    }
    let fields = asked.get("fields");
    let body = fields.map_or(body.clone(), |fields| strict::partial(&body, fields));
    axum::Json(body).into_response()
}

async fn object(
    State(buckets): State<Buckets>,
    Path((bucket, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut held = buckets.held.lock().unwrap();
    if let Some(refusal) = buckets.refusal(&held, &bucket, &headers) {
        return refusal;
    }
    let known = match method {
        Method::PUT => &WRITTEN[..],
        Method::GET | Method::HEAD | Method::DELETE => &READ[..],
        _ => return xml(405, "MethodNotAllowed", "The method is not allowed."),
    };
    let wrong = strict::unknown_header(&headers, "x-goog-", known);
    if let Some(said) = wrong.or(strict::asked(query.as_deref(), &[]).err()) {
        return xml(400, "InvalidArgument", &said);
    }
    let file = buckets.file(&bucket, &name);
    let key = (bucket, name);
    let there = held.objects.get(&key).copied();
    if method == Method::PUT {
        let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        if said("content-length").is_none() {
            return xml(411, "MissingContentLength", "Length Required");
        }
        if said("x-goog-hash").is_some_and(|sum| sum != hash(&body)) {
            return xml(400, "BadDigest", "The CRC32C you specified did not match.");
        }
        if held.create_only && there.is_some() {
            return xml(403, "AccessDenied", "Access denied.");
        }
        let expected = said("x-goog-if-generation-match").filter(|_| !held.careless);
        let generation = there.map_or(0, |(generation, _)| generation);
        if expected.is_some_and(|expected| expected != generation.to_string()) {
            return xml(412, "PreconditionFailed", "A pre-condition did not hold.");
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &body).unwrap();
        held.generation += 1;
        let generation = held.generation;
        held.objects.insert(key, (generation, SystemClock.now()));
        let headers = [
            ("etag", format!("\"e{generation}\"")),
            ("x-goog-generation", generation.to_string()),
            ("x-goog-hash", hash(&body)),
        ];
        return (StatusCode::OK, headers).into_response();
    }
    let Some((generation, updated)) = there else {
        return xml(404, "NoSuchKey", "The specified key does not exist.");
    };
    if method == Method::DELETE {
        std::fs::remove_file(&file).unwrap();
        held.objects.remove(&key);
        return StatusCode::NO_CONTENT.into_response();
    }
    let bytes = std::fs::read(&file).unwrap();
    read(&held, &method, &headers, bytes, (generation, updated))
}

fn read(
    held: &Held,
    method: &Method,
    asked: &HeaderMap,
    bytes: Vec<u8>,
    (generation, updated): (u64, DateTime<Utc>),
) -> Response {
    let sum = if held.lies {
        hash(b"other bytes")
    } else {
        hash(&bytes)
    };
    let reply = Response::builder()
        .header(header::ETAG, format!("\"e{generation}\""))
        .header(header::LAST_MODIFIED, updated.to_rfc2822())
        .header("x-goog-generation", generation)
        .header("x-goog-hash", format!("{sum},md5=AAAA"));
    let size = bytes.len();
    if *method == Method::HEAD {
        let reply = reply.header(header::CONTENT_LENGTH, size);
        return reply.body(Body::empty()).unwrap();
    }
    let Some(range) = asked.get("range") else {
        return reply.body(Body::from(bytes)).unwrap();
    };
    let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let end = last
        .parse()
        .map_or(size, |last: usize| (last + 1).min(size));
    let start = match first.parse::<usize>() {
        Ok(start) => start,
        Err(_) => size.saturating_sub(last.parse().unwrap()),
    };
    let end = if first.is_empty() { size } else { end };
    if start >= end {
        return xml(
            416,
            "InvalidRange",
            "The requested range is not satisfiable.",
        );
    }
    reply
        .status(StatusCode::PARTIAL_CONTENT)
        .header(
            header::CONTENT_RANGE,
            format!("bytes {start}-{}/{size}", end - 1),
        )
        .body(Body::from(bytes[start..end].to_vec()))
        .unwrap()
}
