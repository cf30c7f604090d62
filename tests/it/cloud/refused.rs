//! The stand-ins are as strict as Google: whatever a program says wrongly is refused there too, and not by chance right.

use reqwest::Method;
use serde_json::{Value, json};

use super::fakes::Google;
use super::fakes::bigquery::{DATASET, Jobs, PROJECT};
use super::fakes::cloud_run::JOB;
use super::fakes::drive::FOLDER;
use super::fakes::identity::CLOUD;
use super::fakes::secret_manager::Damage;

/// Somebody who sends what he likes, with a good token.
struct Caller {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Caller {
    async fn of(google: &Google, base: String) -> Self {
        let token = google.session().tokens().token().await.unwrap();
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            base,
            token: token.expose().to_owned(),
        }
    }

    async fn reply(
        &self,
        (method, at): (Method, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> reqwest::Response {
        let mut request = self.http.request(method, format!("{}{at}", self.base));
        request = request.bearer_auth(&self.token).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn sends(
        &self,
        (method, at): (Method, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> u16 {
        let reply = self.reply((method, at), headers, body).await;
        reply.status().as_u16()
    }

    async fn posts(&self, at: &str, body: &Value) -> u16 {
        let kind = [("content-type", "application/json")];
        self.sends((Method::POST, at), &kind, &body.to_string())
            .await
    }

    async fn gets(&self, at: &str) -> u16 {
        self.sends((Method::GET, at), &[], "").await
    }
}

#[tokio::test]
async fn bigquery_knows_its_callers_its_project_its_location_and_its_words() {
    let jobs = Jobs::start(None).await;
    jobs.service.dataset("EU");
    jobs.service.left("j", json!({}), 0, Some(Value::Null));
    let mut caller = Caller::of(&jobs.google, jobs.fake.url()).await;
    let base = format!("/bigquery/v2/projects/{PROJECT}");
    for (at, status) in [
        (format!("{base}/datasets/{DATASET}"), 200),
        (format!("{base}/datasets/{DATASET}?location=EU"), 400),
        (
            format!("/bigquery/v2/projects/other/datasets/{DATASET}"),
            404,
        ),
        (format!("{base}/datasets/other/tables/t"), 404),
        (format!("{base}/jobs/j?location=EU"), 200),
        (format!("{base}/jobs/j?location=US"), 404),
        (format!("{base}/jobs/j"), 404),
        (format!("{base}/jobs/j?location=EU&location=EU"), 400),
    ] {
        assert_eq!(caller.gets(&at).await, status, "{at}");
    }
    let table = json!({"projectId": PROJECT, "datasetId": DATASET, "tableId": "t$202404"});
    let good = json!({
        "jobReference": {"projectId": PROJECT, "jobId": "good", "location": "EU"},
        "configuration": {"labels": {"ipe": "cr_04"}, "load": {
            "sourceUris": ["gs://staging/x"], "sourceFormat": "PARQUET", "destinationTable": table,
            "createDisposition": "CREATE_NEVER", "writeDisposition": "WRITE_TRUNCATE",
        }},
    });
    let at = format!("{base}/jobs");
    for (place, value, status) in [
        ("/jobReference/location", json!("US"), 404),
        ("/jobReference/projectId", json!("other"), 400),
        ("/jobReference/jobId", json!("a b"), 400),
        ("/configuration/labels/ipe", json!("CR_04"), 400),
        ("/configuration/load/sourceUris/0", json!("file:///x"), 400),
        ("/configuration/load/sourceFormat", json!("CSV"), 400),
        (
            "/configuration/load/destinationTable/projectId",
            json!("other"),
            400,
        ),
        ("/configuration", json!({"lod": {}}), 400),
    ] {
        let mut wrong = good.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert_eq!(caller.posts(&at, &wrong).await, status, "{place}");
    }
    assert_eq!(caller.posts(&at, &good).await, 200);
    assert_eq!(caller.posts(&at, &good).await, 409);
    caller.token = "ya29.other".to_owned();
    assert_eq!(
        caller.gets(&format!("{base}/datasets/{DATASET}")).await,
        401
    );
}

#[tokio::test]
async fn cloud_storage_keeps_nothing_under_a_wrong_condition_checksum_or_word() {
    let google = Google::start().await;
    let caller = Caller::of(&google, google.fake.url()).await;
    let put = |at: &'static str| (Method::PUT, at);
    let none = [("x-goog-if-generation-match", "0")];
    assert_eq!(caller.sends(put("/staging/a?x=1"), &none, "b").await, 400);
    for (headers, status) in [
        ([("x-goog-if-generation-match", "7")], 412),
        ([("x-goog-if-generation-match", "any")], 412),
        ([("x-goog-if-metageneration", "0")], 400),
        ([("x-goog-hash", "crc32c=AAAAAA==")], 400),
    ] {
        let found = caller.sends(put("/staging/a"), &headers, "b").await;
        assert_eq!(found, status, "{headers:?}");
    }
    assert!(google.buckets.objects("staging").is_empty());
    assert_eq!(caller.sends(put("/staging/a"), &none, "b").await, 200);
    assert_eq!(caller.sends(put("/staging/a"), &none, "b").await, 412);
    let post = (Method::POST, "/staging/a");
    assert_eq!(caller.sends(post, &[], "").await, 405);
    let list = "/storage/v1/b/staging/o";
    for (query, status) in [
        ("prefix=a&maxResults=5", 200),
        ("prefixes=a", 400),
        ("maxResults=many", 400),
        ("pageToken=next", 400),
    ] {
        let at = format!("{list}?{query}");
        assert_eq!(caller.gets(&at).await, status, "{query}");
    }
    let at = format!("{list}?fields=items(name)");
    let reply = caller.reply((Method::GET, &at), &[], "").await;
    let said: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    assert_eq!(said, json!({"items": [{"name": "a"}]}));
}

const UPLOAD: &str = "/upload/drive/v3/files?uploadType=resumable&supportsAllDrives=true";

/// Begins an upload of three bytes; gives its status and where it continues.
async fn begun(caller: &Caller, at: &str, id: &str) -> (u16, String) {
    let headers = [
        ("content-type", "application/json"),
        ("x-upload-content-type", "text/plain"),
        ("x-upload-content-length", "3"),
    ];
    let file = json!({"id": id, "name": "n", "parents": [FOLDER], "mimeType": "text/plain"});
    let reply = caller
        .reply((Method::POST, at), &headers, &file.to_string())
        .await;
    let place = reply.headers().get("location");
    let place = place.map(|place| place.to_str().unwrap().to_owned());
    let place = place.unwrap_or_default();
    (
        reply.status().as_u16(),
        place.trim_start_matches(&caller.base).to_owned(),
    )
}

#[tokio::test]
async fn drive_takes_the_ids_ranges_and_sessions_that_it_gave_and_no_others() {
    let google = Google::start().await;
    let mut caller = Caller::of(&google, google.fake.url()).await;
    let given = caller
        .gets("/drive/v3/files/generateIds?count=1&space=drive")
        .await;
    assert_eq!(given, 200);
    assert_eq!(begun(&caller, UPLOAD, "file-9").await.0, 400);
    let blind = "/upload/drive/v3/files?uploadType=resumable";
    assert_eq!(begun(&caller, blind, "file-1").await.0, 404);
    let (status, place) = begun(&caller, UPLOAD, "file-1").await;
    assert_eq!(status, 200);
    for (range, body, status) in [
        ("bytes 0-2/4", "abc", 400),
        ("bytes 0-1/3", "abc", 400),
        ("bytes 0-1/3", "ab", 400),
        ("bytes 1-2/3", "bc", 400),
        ("bytes */3", "abc", 400),
        ("0-2/3", "abc", 400),
        ("bytes */3", "", 308),
    ] {
        let range = [("content-range", range)];
        let put = (Method::PUT, place.as_str());
        let found = caller.sends(put, &range, body).await;
        assert_eq!(found, status, "{range:?} {body}");
    }
    let whole = [("content-range", "bytes 0-2/3")];
    let other = place.replace("SESSION-1", "SESSION-2");
    let other = (Method::PUT, other.as_str());
    assert_eq!(caller.sends(other, &whole, "abc").await, 404);
    assert!(google.drive.files().is_empty());
    let ours = (Method::PUT, place.as_str());
    assert_eq!(caller.sends(ours, &whole, "abc").await, 201);
    assert_eq!(google.drive.one("n").bytes, b"abc");
    let file = "/drive/v3/files/file-1?fields=id";
    assert_eq!(caller.gets(file).await, 404, "in a shared drive");
    assert_eq!(
        caller.gets(&format!("{file}&supportsAllDrives=true")).await,
        200
    );
    // A token for the cloud is none for Drive.
    caller.token = google.token_for(CLOUD).await;
    assert_eq!(
        caller.gets(&format!("{file}&supportsAllDrives=true")).await,
        403
    );
}

#[tokio::test]
async fn the_others_know_their_words_too() {
    let google = Google::start().await;
    google.secrets.add("DB", "x", Damage::None);
    let mut caller = Caller::of(&google, google.fake.url()).await;
    let secret = "/v1/projects/test-project/secrets/DB/versions";
    for (at, status) in [
        (format!("{secret}/1:access"), 200),
        (format!("{secret}/1:access?x=1"), 400),
        (format!("{secret}/one:access"), 400),
        (format!("{secret}/1"), 404),
        (format!("/v2/{JOB}/executions?pageSize=100"), 200),
        (format!("/v2/{JOB}/executions?page_size=100"), 400),
        (format!("/v2/{JOB}/executions?pageToken=next"), 400),
    ] {
        assert_eq!(caller.gets(&at).await, status, "{at}");
    }
    let container = json!({"args": ["run"], "env": [{"name": "A", "value": "b"}]});
    let started = |container: &Value| json!({"overrides": {"containerOverrides": [container]}});
    let run = format!("/v2/{JOB}:run");
    let mut wrong = container.clone();
    wrong["arguments"] = json!(["run"]);
    assert_eq!(caller.posts(&run, &started(&wrong)).await, 400);
    assert_eq!(caller.posts(&run, &json!({"overrides": {}})).await, 400);
    assert_eq!(caller.posts(&run, &started(&container)).await, 200);
    assert_eq!(google.executions.arguments().len(), 1);
    caller.token = google
        .token_for("https://www.googleapis.com/auth/drive.file")
        .await;
    assert_eq!(caller.gets(&format!("{secret}/1:access")).await, 403);
}
