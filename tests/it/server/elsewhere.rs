//! Runs that an instance did not make, or forgot when it was started anew: what leases and packages say of them.

use std::path::Path;

use serde_json::{Value, json};
use soxauto::settings::{ServiceSettings, WarehouseChoice};
use tempfile::TempDir;

use super::{Served, Silent, open_settings, stuck_settings};
use crate::cloud::fakes::Google;
use crate::cloud::fakes::server::Fault;
use crate::journey::Place;
use crate::journey::killed::kill_at;

const APRIL: &str = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;

async fn shown(served: &Served, run_id: &str) -> Value {
    let reply = served.get(&format!("/runs/{run_id}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_shown_when_the_service_was_started_anew() {
    let place = Place::new();
    let first = Served::start(open_settings(&place)).await;
    let reply = first.post(APRIL).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let item = &reply.json()["ipe_results"]["CR_04"];
    let run_id = reply.json()["run_id"].as_str().unwrap().to_owned();
    assert!(first.stopped().await);

    let again = Served::start(open_settings(&place)).await;
    let run = shown(&again, &run_id).await;
    assert_eq!(run["status"], "SUCCESS", "{run}");
    assert_eq!(
        (&run["period"], &run["cutoff_date"]),
        (&json!("2024-04"), &json!("2024-05-01"))
    );
    assert_eq!(run["ipes"]["CR_04"]["status"], "SUCCESS");
    assert_eq!(run["ipes"]["CR_04"]["rows"], item["rows_extracted"]);
    assert_eq!(run["packages"], json!({"CR_04": item["evidence"]}));
    assert!(run.get("result").is_none() && run.get("failure_reason").is_none());
    assert_eq!(again.get("/runs").await.json(), json!({"runs": []}));
    // Another name of the same second, and names of no run.
    let other = run_id.replace(&run_id[17..], "00000000");
    for name in [other.as_str(), "20240501T090000Z-1a2b3c4d", "CR_04", "runs"] {
        let reply = again.get(&format!("/runs/{name}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "unknown_run"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_another_instance_is_running_until_it_is_sealed() {
    let (place, silent) = (Place::new(), Silent::new());
    let first = Served::start(stuck_settings(&place, &silent)).await;
    let second = Served::start(open_settings(&place)).await;
    let run_id = first.begin(APRIL).await;
    first
        .until(&run_id, |run| run["ipes"]["CR_04"]["stage"] == "open")
        .await;
    let run = shown(&second, &run_id).await;
    assert_eq!(run["status"], "RUNNING", "{run}");
    assert_eq!(run["ipes"]["CR_04"]["status"], Value::Null);
    assert!(run.get("packages").is_none());
    assert!(first.stopped().await);
    let run = shown(&second, &run_id).await;
    assert_eq!(run["status"], "FAILED", "{run}");
    assert_eq!(run["ipes"]["CR_04"]["status"], "ERROR");
    assert!(run["packages"]["CR_04"].is_string());
}

/// Over the roots of runs that the binary makes in this folder.
fn settings_in(place: &Place, folder: &Path) -> ServiceSettings {
    let root = |name: &str| folder.join("out").join(name).to_str().unwrap().to_owned();
    let mut settings = open_settings(place);
    settings.run.staging = root("staging");
    settings.run.evidence = root("evidence");
    settings.run.warehouse = WarehouseChoice::Local(root("warehouse"));
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_is_lost_until_the_next_one_seals_it_as_abandoned() {
    let (place, folder) = (Place::new(), TempDir::new().unwrap());
    let path = folder.path().to_owned();
    let kill = move || kill_at(&path, "extract", std::time::Duration::ZERO);
    tokio::task::spawn_blocking(kill).await.unwrap();
    let lease = "out/evidence/runs/CR_04/period=2024-04/000001/lease.json";
    let lease = std::fs::read(folder.path().join(lease)).unwrap();
    let lease: Value = serde_json::from_slice(&lease).unwrap();
    let run_id = lease["record"]["context"]["run_id"].as_str().unwrap();

    let served = Served::start(settings_in(&place, folder.path())).await;
    let run = shown(&served, run_id).await;
    assert_eq!(run["status"], "LOST", "{run}");
    let why = run["failure_reason"].as_str().unwrap();
    assert!(why.contains("the next run of the month"), "{why}");
    assert!(run.get("packages").is_none());
    assert_eq!(served.post(APRIL).await.status, 200);
    let run = shown(&served, run_id).await;
    assert_eq!(run["ipes"]["CR_04"]["status"], "ABANDONED", "{run}");
    assert_eq!(run["status"], "FAILED");
    let package = run["packages"]["CR_04"].as_str().unwrap();
    assert!(package.ends_with(".abandoned"), "{package}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_look_it_is_not_said_that_there_is_no_such_run() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = open_settings(&place);
    settings.run.evidence = "gs://evidence/x".to_owned();
    settings.run.google = google.settings();
    settings.run.limits.http = crate::cloud::fakes::quick();
    let served = Served::start(settings).await;
    let path = "/runs/20240501T090000Z-1a2b3c4d";
    assert_eq!(served.get(path).await.status, 404);
    google
        .fake
        .plan("GET /storage", vec![Fault::Error(503, "UNAVAILABLE"); 200]);
    let reply = served.get(path).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "not_shown"));
    google.fake.forget();
    google.buckets.deny("evidence");
    let reply = served.get(path).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "not_shown"));
    assert!(reply.body.contains("objectViewer"), "{reply:?}");
}
