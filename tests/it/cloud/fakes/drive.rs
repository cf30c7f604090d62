//! Drive: upload sessions in chunks, lists by name, ids that are given out before, and checksums of what was kept.
//!
//! As the service does, it lets several files have one name, takes an id once, counts what has arrived from the beginning,
//! and lets whoever knows a session write to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Value, json};
use soxauto::domain::digest::{hex, sha256_hex};

use super::error;
use super::identity::{EMAIL, Issuer};

/// The folder that the account may write to, in a shared drive.
pub(crate) const FOLDER: &str = "1-Shared_Folder";

/// A folder that somebody shared out of a drive of his own.
pub(crate) const OWN_FOLDER: &str = "1-Folder-Of-Somebody";

/// Chunks end at a multiple of it, as Drive demands.
const STEP: usize = 256 << 10;

/// A file that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) labels: Value,
}

struct Session {
    metadata: Value,
    bytes: usize,
    arrived: Vec<u8>,
}

#[derive(Default)]
struct Held {
    files: Vec<Kept>,
    sessions: BTreeMap<String, Session>,
    ids: usize,
    page: usize,
    /// Of the next chunk only this much is kept.
    cut_at: Option<usize>,
    /// Lists that do not show yet what came last.
    blind: usize,
    /// What somebody else uploads while the next session begins.
    racing: Option<Vec<u8>>,
    /// What the next session keeps is not what was sent.
    is_damaging: bool,
    /// The next session continues at another host.
    strays: bool,
    /// What is said of the folder beside what is so.
    folder: Value,
}

/// The files of Drive.
#[derive(Clone)]
pub(crate) struct Folders {
    issuer: Issuer,
    held: Arc<Mutex<Held>>,
}

impl Folders {
    pub(crate) fn new(issuer: Issuer) -> Self {
        let held = Held {
            page: 2,
            ..Held::default()
        };
        Self {
            issuer,
            held: Arc::new(Mutex::new(held)),
        }
    }

    /// Every file in the folder.
    pub(crate) fn files(&self) -> Vec<Kept> {
        self.held.lock().unwrap().files.clone()
    }

    /// The one file of a name that ends so.
    pub(crate) fn one(&self, end: &str) -> Kept {
        let files = self.files();
        let mut found = files.into_iter().filter(|file| file.name.ends_with(end));
        let one = found.next().unwrap_or_else(|| panic!("no {end}"));
        assert!(found.next().is_none(), "more than one {end}");
        one
    }

    /// Puts a file there, as somebody else would.
    pub(crate) fn add(&self, name: &str, bytes: &[u8]) {
        let mut held = self.held.lock().unwrap();
        held.ids += 1;
        let id = format!("other-{}", held.ids);
        held.files.push(Kept {
            id,
            name: name.to_owned(),
            bytes: bytes.to_vec(),
            labels: Value::Null,
        });
    }

    /// Changes the bytes of every file.
    pub(crate) fn change(&self) {
        for file in &mut self.held.lock().unwrap().files {
            file.bytes.push(b'!');
        }
    }

    /// Of the next chunk only this much is kept.
    pub(crate) fn cut_at(&self, bytes: usize) {
        self.held.lock().unwrap().cut_at = Some(bytes);
    }

    /// So many lists do not show what came last.
    pub(crate) fn blind(&self, lists: usize) {
        self.held.lock().unwrap().blind = lists;
    }

    /// While the next session begins, somebody else uploads these bytes under its name.
    pub(crate) fn race(&self, bytes: &[u8]) {
        self.held.lock().unwrap().racing = Some(bytes.to_vec());
    }

    /// What the next session keeps is not what was sent.
    pub(crate) fn damage(&self) {
        self.held.lock().unwrap().is_damaging = true;
    }

    /// The next session continues at another host.
    pub(crate) fn stray(&self) {
        self.held.lock().unwrap().strays = true;
    }

    /// What is said of the folder from now on, where it is something else.
    pub(crate) fn folder(&self, said: Value) {
        self.held.lock().unwrap().folder = said;
    }

    /// No session is known any more.
    pub(crate) fn forget_sessions(&self) {
        self.held.lock().unwrap().sessions.clear();
    }
}

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

async fn generate_ids(State(folders): State<Folders>, headers: HeaderMap) -> Response {
    if let Some(refusal) = folders.issuer.refusal(&headers) {
        return refusal;
    }
    let mut held = folders.held.lock().unwrap();
    held.ids += 1;
    axum::Json(json!({"ids": [format!("file-{}", held.ids)]})).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    q: String,
    page_token: Option<usize>,
    supports_all_drives: String,
    include_items_from_all_drives: String,
}

async fn list(
    State(folders): State<Folders>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = folders.issuer.refusal(&headers) {
        return refusal;
    }
    assert_eq!(asked.supports_all_drives, "true");
    assert_eq!(asked.include_items_from_all_drives, "true");
    let rest = asked.q.strip_prefix("name = '").unwrap();
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
    let start = asked.page_token.unwrap_or_default();
    let mut found = found.skip(start);
    let files: Vec<Value> = found.by_ref().take(held.page).map(described).collect();
    let next = found.next().map(|_| (start + held.page).to_string());
    axum::Json(json!({"files": files, "nextPageToken": next, "incompleteSearch": false}))
        .into_response()
}

async fn describe(
    State(folders): State<Folders>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = folders.issuer.refusal(&headers) {
        return refusal;
    }
    let held = folders.held.lock().unwrap();
    if [FOLDER, OWN_FOLDER].contains(&id.as_str()) {
        return axum::Json(folder(&id, &held.folder)).into_response();
    }
    let found = held.files.iter().find(|file| file.id == id);
    found.map_or_else(
        || not_found(&id),
        |file| axum::Json(described(file)).into_response(),
    )
}

async fn begin(
    State(folders): State<Folders>,
    headers: HeaderMap,
    axum::Json(metadata): axum::Json<Value>,
) -> Response {
    if let Some(refusal) = folders.issuer.refusal(&headers) {
        return refusal;
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
    if let Some(bytes) = held.racing.take() {
        held.files.push(Kept {
            id: "racing".to_owned(),
            name: text("name"),
            bytes,
            labels: Value::Null,
        });
    }
    let key = format!("SENTINEL-SESSION-{}", held.sessions.len() + 1);
    let bytes = headers["x-upload-content-length"].to_str().unwrap();
    let session = Session {
        bytes: bytes.parse().unwrap(),
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

#[derive(Deserialize)]
struct Place {
    upload_id: String,
}

fn incomplete(arrived: usize) -> Response {
    let status = StatusCode::PERMANENT_REDIRECT;
    match arrived.checked_sub(1) {
        None => status.into_response(),
        Some(last) => (status, [(header::RANGE, format!("bytes=0-{last}"))]).into_response(),
    }
}

async fn chunk(
    State(folders): State<Folders>,
    Query(place): Query<Place>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = folders.issuer.refusal(&headers) {
        return refusal;
    }
    let mut held = folders.held.lock().unwrap();
    let cut_at = (!body.is_empty()).then(|| held.cut_at.take()).flatten();
    let Held {
        sessions,
        files,
        is_damaging,
        ..
    } = &mut *held;
    let Some(session) = sessions.get_mut(&place.upload_id) else {
        return not_found("session");
    };
    let range = headers["content-range"].to_str().unwrap();
    let (range, total) = range
        .strip_prefix("bytes ")
        .unwrap()
        .split_once('/')
        .unwrap();
    assert_eq!(total.parse::<usize>().unwrap(), session.bytes);
    if let Some((first, last)) = range.split_once('-') {
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        assert_eq!(last + 1 - first, body.len());
        assert!(last + 1 == session.bytes || (last + 1 - first) % STEP == 0);
        if first != session.arrived.len() {
            return error(
                400,
                "badRequest",
                "the chunk does not begin where the last one ended",
            );
        }
        let kept = cut_at.unwrap_or(body.len()).min(body.len());
        session.arrived.extend_from_slice(&body[..kept]);
    }
    if session.arrived.len() < session.bytes {
        return incomplete(session.arrived.len());
    }
    let id = session.metadata["id"].as_str().unwrap().to_owned();
    if let Some(made) = files.iter().find(|file| file.id == id) {
        return axum::Json(described(made)).into_response();
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
    let reply = described(&file);
    files.push(file);
    (StatusCode::CREATED, axum::Json(reply)).into_response()
}
