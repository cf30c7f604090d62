//! What is asked and answered.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use soxauto::domain::digest::{hex, sha256_hex};

use super::super::identity::{DRIVE, EMAIL};
use super::super::{error, strict};
use super::{FOLDER, Folders, Held, Kept, OWN_FOLDER, Session};

/// Chunks end at a multiple of it, as Drive demands.
const STEP: usize = 256 << 10;

pub(crate) fn router(folders: Folders) -> Router {
    Router::new()
        .route("/drive/v3/files", get(list))
        .route("/drive/v3/files/generateIds", get(generate_ids))
        .route("/drive/v3/files/{id}", get(describe))
        .route("/upload/drive/v3/files", post(begin).put(chunk))
        .with_state(folders)
}

fn described(file: &Kept) -> Value {
    json!({
        "id": file.id, "name": file.name, "size": file.bytes.len().to_string(),
        "md5Checksum": hex(&Md5::digest(&file.bytes)), "sha256Checksum": sha256_hex(&file.bytes),
        "webViewLink": format!("https://drive.google.com/file/d/{}/view", file.id),
    })
}

fn folder(id: &str, other: &Value) -> Value {
    let mut said = json!({"id": id, "name": "Evidence", "mimeType": "application/vnd.google-apps.folder",
        "trashed": false, "capabilities": {"canAddChildren": true}});
    if id == FOLDER {
        said["driveId"] = json!("0A-Drive");
    }
    if let Some(other) = other.as_object() {
        said.as_object_mut().unwrap().extend(other.clone());
    }
    said
}

fn not_found(id: &str) -> Response {
    error(404, "notFound", &format!("File not found: {id}."))
}

/// What a question asks, by name.
type Asked = BTreeMap<String, String>;

impl Folders {
    /// What is asked, by somebody with a good token; a file of a shared drive is seen only by who says that he knows of
    /// them.
    fn asked(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        known: &[&str],
    ) -> Result<Asked, Box<Response>> {
        if let Some(refusal) = self.issuer.refusal_of(headers, DRIVE) {
            return Err(Box::new(refusal));
        }
        let asked = strict::asked(query, known).map_err(|said| Box::new(strict::bad(&said)))?;
        let is_aware = asked.get("supportsAllDrives").map(String::as_str) == Some("true");
        if known.contains(&"supportsAllDrives") && !is_aware {
            return Err(Box::new(not_found("in a shared drive")));
        }
        Ok(asked)
    }
}

/// A reply with the fields that were asked for.
fn reply(asked: &Asked, document: &Value) -> Response {
    let fields = asked.get("fields").map_or("id,name", String::as_str);
    axum::Json(strict::partial(document, fields)).into_response()
}

async fn generate_ids(
    State(folders): State<Folders>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = folders.asked(&headers, query.as_deref(), &["count", "space"]);
    let asked = match asked {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    if asked.get("count").map(String::as_str) != Some("1") {
        return strict::bad("count");
    }
    let mut held = folders.held.lock().unwrap();
    held.ids += 1;
    let id = format!("file-{}", held.ids);
    held.given.insert(id.clone());
    axum::Json(json!({"ids": [id]})).into_response()
}

/// What a list may be asked for.
const LISTED: [&str; 5] = [
    "q",
    "fields",
    "pageToken",
    "supportsAllDrives",
    "includeItemsFromAllDrives",
];

async fn list(
    State(folders): State<Folders>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = match folders.asked(&headers, query.as_deref(), &LISTED) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    if asked.get("includeItemsFromAllDrives").map(String::as_str) != Some("true") {
        return axum::Json(json!({"files": [], "incompleteSearch": false})).into_response();
    }
    let start = asked.get("pageToken").map_or(Ok(0), |token| token.parse());
    let Ok(start): Result<usize, _> = start else {
        return strict::bad("Invalid Value");
    };
    let rest = asked["q"].strip_prefix("name = '").unwrap();
    let (name, rest) = rest.split_once("' and '").unwrap();
    let (folder, rest) = rest.split_once("' in parents and ").unwrap();
    assert_eq!(rest, "trashed = false");
    if ![FOLDER, OWN_FOLDER].contains(&folder) {
        return not_found(folder);
    }
    let mut held = folders.held.lock().unwrap();
    let shown = if held.blind > 0 && !held.files.is_empty() {
        held.blind -= 1;
        held.files.len() - 1
    } else {
        held.files.len()
    };
    let found = held.files[..shown].iter().filter(|file| file.name == name);
    let mut found = found.skip(start);
    let files: Vec<Value> = found.by_ref().take(held.page).map(described).collect();
    let next = found.next().map(|_| (start + held.page).to_string());
    let said = json!({"files": files, "nextPageToken": next, "incompleteSearch": false});
    reply(&asked, &said)
}

async fn describe(
    State(folders): State<Folders>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let known = ["fields", "supportsAllDrives"];
    let asked = match folders.asked(&headers, query.as_deref(), &known) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let held = folders.held.lock().unwrap();
    if [FOLDER, OWN_FOLDER].contains(&id.as_str()) {
        return reply(&asked, &folder(&id, &held.folder));
    }
    let found = held.files.iter().find(|file| file.id == id);
    found.map_or_else(|| not_found(&id), |file| reply(&asked, &described(file)))
}

/// What of the beginning of an upload Drive does not take.
fn wrong(asked: &Asked, headers: &HeaderMap, metadata: &Value) -> Option<String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if asked.get("uploadType").map(String::as_str) != Some("resumable") {
        return Some("uploadType".to_owned());
    }
    if header("x-upload-content-type") != metadata["mimeType"].as_str() {
        return Some("another type is announced".to_owned());
    }
    if header("x-upload-content-length").is_none_or(|bytes| bytes.parse::<usize>().is_err()) {
        return Some("no size is announced".to_owned());
    }
    if metadata["parents"].as_array().map(Vec::len) != Some(1) {
        return Some("A file has one parent.".to_owned());
    }
    let known = ["id", "name", "parents", "mimeType", "appProperties"];
    strict::unknown(metadata, &known)
}

async fn begin(
    State(folders): State<Folders>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    axum::Json(metadata): axum::Json<Value>,
) -> Response {
    let known = ["uploadType", "fields", "supportsAllDrives"];
    let asked = match folders.asked(&headers, query.as_deref(), &known) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    if let Some(said) = wrong(&asked, &headers, &metadata) {
        return strict::bad(&said);
    }
    let text = |name: &str| metadata[name].as_str().unwrap().to_owned();
    let (id, folder) = (text("id"), metadata["parents"][0].as_str().unwrap());
    match folder {
        FOLDER => {}
        OWN_FOLDER => {
            let message = format!("The user's Drive storage quota has been exceeded ({EMAIL}).");
            return error(403, "storageQuotaExceeded", &message);
        }
        other => return not_found(other),
    }
    let mut held = folders.held.lock().unwrap();
    if held.files.iter().any(|file| file.id == id) {
        return error(
            409,
            "fileIdInUse",
            "A file already exists with the provided ID.",
        );
    }
    if !held.given.contains(&id) {
        return strict::bad("The provided file ID is not usable.");
    }
    if let Some(bytes) = held.racing.take() {
        held.files.push(Kept {
            id: "racing".to_owned(),
            name: text("name"),
            bytes,
            labels: Value::Null,
        });
    }
    held.begun += 1;
    let key = format!("SENTINEL-SESSION-{}", held.begun);
    let bytes = headers["x-upload-content-length"].to_str().unwrap();
    let session = Session {
        bytes: bytes.parse().unwrap(),
        fields: asked.get("fields").cloned().unwrap_or_default(),
        metadata,
        arrived: Vec::new(),
    };
    held.sessions.insert(key.clone(), session);
    let host = if std::mem::take(&mut held.strays) {
        "elsewhere.example"
    } else {
        headers["host"].to_str().unwrap()
    };
    let place = format!("http://{host}/upload/drive/v3/files?uploadType=resumable&upload_id={key}");
    (StatusCode::OK, [(header::LOCATION, place)]).into_response()
}

fn incomplete(arrived: usize) -> Response {
    let status = StatusCode::PERMANENT_REDIRECT;
    match arrived.checked_sub(1) {
        None => status.into_response(),
        Some(last) => (status, [(header::RANGE, format!("bytes=0-{last}"))]).into_response(),
    }
}

/// What `bytes first-last/size` says of a body, or `bytes */size` of none: the first byte, if there is a body.
fn content_range(headers: &HeaderMap, body: &Bytes, bytes: usize) -> Result<Option<usize>, String> {
    let said = headers
        .get("content-range")
        .and_then(|value| value.to_str().ok());
    let parts = said.and_then(|said| said.strip_prefix("bytes ")?.split_once('/'));
    let (range, total) = parts.ok_or("no Content-Range")?;
    if total != bytes.to_string() {
        return Err(format!("{bytes} bytes were announced, not {total}"));
    }
    if range == "*" {
        let is_empty = body.is_empty();
        return is_empty
            .then_some(None)
            .ok_or("a question has no body".to_owned());
    }
    let ends = range.split_once('-');
    let ends = ends.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last): (usize, usize) = ends.ok_or("no range")?;
    if last < first || last - first + 1 != body.len() {
        return Err(format!("the body of {range} has {} bytes", body.len()));
    }
    if last >= bytes || (last + 1 < bytes && !body.len().is_multiple_of(STEP)) {
        return Err(format!(
            "a chunk that is not the last is no multiple of {STEP}"
        ));
    }
    Ok(Some(first))
}

async fn chunk(
    State(folders): State<Folders>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let place = match folders.asked(&headers, query.as_deref(), &["uploadType", "upload_id"]) {
        Ok(place) => place,
        Err(refusal) => return *refusal,
    };
    let mut held = folders.held.lock().unwrap();
    let cut_at = (!body.is_empty()).then(|| held.cut_at.take()).flatten();
    let Held {
        sessions,
        files,
        is_damaging,
        ..
    } = &mut *held;
    let session = place.get("upload_id").and_then(|id| sessions.get_mut(id));
    let Some(session) = session else {
        return not_found("session");
    };
    let first = match content_range(&headers, &body, session.bytes) {
        Ok(first) => first,
        Err(said) => return strict::bad(&said),
    };
    if let Some(first) = first {
        if first != session.arrived.len() {
            return strict::bad("the chunk does not begin where the last one ended");
        }
        let kept = cut_at.unwrap_or(body.len()).min(body.len());
        session.arrived.extend_from_slice(&body[..kept]);
    }
    if session.arrived.len() < session.bytes {
        return incomplete(session.arrived.len());
    }
    let id = session.metadata["id"].as_str().unwrap().to_owned();
    if let Some(made) = files.iter().find(|file| file.id == id) {
        let said = strict::partial(&described(made), &session.fields);
        return axum::Json(said).into_response();
    }
    let mut bytes = session.arrived.clone();
    if std::mem::take(is_damaging) {
        bytes[0] ^= 1;
    }
    let file = Kept {
        id,
        name: session.metadata["name"].as_str().unwrap().to_owned(),
        bytes,
        labels: session.metadata["appProperties"].clone(),
    };
    let reply = strict::partial(&described(&file), &session.fields);
    files.push(file);
    (StatusCode::CREATED, axum::Json(reply)).into_response()
}
