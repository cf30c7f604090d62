//! `/ready`: a dataset that is there or can be made, is elsewhere, may not be looked at, does not answer; and files in
//! buckets, the job, the folder of Drive, the keys for tokens and the webhook, each asked about where it is used and nowhere
//! else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use soxauto::app::alerts::Alerts;
use soxauto::app::ready::{Dependency, dependencies};
use soxauto::app::service::Door;
use soxauto::domain::uploaded::DeclaredForm;
use soxauto::settings::{
    BigQueryPlace, DriveSettings, ServiceSettings, UploadSettings, WarehouseChoice,
};

use super::auth::{EMAIL, Publisher, Signer, claims, guarded, with_token};
use super::{Served, Silent, jobs, open_settings};
use crate::cloud::fakes::Google;
use crate::cloud::fakes::bigquery::{DATASET, Jobs, PROJECT};
use crate::cloud::fakes::cloud_run::JOB;
use crate::cloud::fakes::drive::FOLDER;
use crate::cloud::fakes::server::Fault;
use crate::journey::Place;

async fn served(jobs: &Jobs, place: &Place) -> Served {
    let mut settings = open_settings(place);
    settings.run.warehouse = WarehouseChoice::BigQuery(BigQueryPlace {
        project: PROJECT.to_owned(),
        dataset: DATASET.to_owned(),
        location: "EU".to_owned(),
    });
    settings.run.google = jobs.settings();
    settings.limits.ready_timeout = Duration::from_secs(1);
    Served::start(settings).await
}

/// What `/ready` says of the warehouse, with its status.
async fn warehouse(served: &Served) -> (u16, Value) {
    said(served, "warehouse").await
}

/// What it says of one thing, with its status.
async fn said(served: &Served, name: &str) -> (u16, Value) {
    let reply = served.get("/ready").await;
    let all = reply.json()["dependencies"].as_array().unwrap().clone();
    let found = all.into_iter().find(|one| one["name"] == name);
    (reply.status, found.unwrap_or_default())
}

/// Asserts that a service with these settings is not ready because of this one thing, and says why.
async fn assert_missing(settings: &ServiceSettings, name: &str, why: &str) {
    let (status, found) = said(&Served::start(settings.clone()).await, name).await;
    assert_eq!(
        (status, &found["is_ready"]),
        (503, &json!(false)),
        "{found}"
    );
    let problem = found["problem"].as_str().unwrap();
    assert!(problem.contains(why), "{why}: {problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_that_is_there_or_can_be_made_is_ready_and_asked_once() {
    let jobs = Jobs::start(None).await;
    let place = Place::new();
    let fresh = served(&jobs, &place).await;
    assert_eq!(warehouse(&fresh).await.0, 200);
    jobs.service.dataset("EU");
    let there = served(&jobs, &place).await;
    for _ in 0..3 {
        assert_eq!(warehouse(&there).await.0, 200);
    }
    let asked = jobs.fake.seen("");
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked.iter().all(|seen| seen.method == "GET"),
        "no job is made for it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_elsewhere_or_out_of_reach_is_not_ready_and_says_why() {
    let jobs = Jobs::start(None).await;
    let place = Place::new();
    jobs.service.dataset("US");
    let (status, found) = warehouse(&served(&jobs, &place).await).await;
    assert_eq!((status, found["is_ready"].as_bool()), (503, Some(false)));
    assert!(
        found["problem"]
            .as_str()
            .unwrap()
            .contains("is in US, the run asks for EU"),
        "{found}"
    );
    jobs.service.dataset("EU");
    jobs.fake
        .plan("/datasets/", [Fault::Error(403, "accessDenied")]);
    let (status, found) = warehouse(&served(&jobs, &place).await).await;
    assert_eq!(status, 503);
    assert!(
        found["problem"]
            .as_str()
            .unwrap()
            .contains("grant roles/bigquery.dataEditor"),
        "{found}"
    );
    // One that does not answer is waited for no longer than its limit, by all who ask together.
    let silent = Silent::new();
    let mut settings = open_settings(&place);
    settings.run.warehouse = "bigquery://p/d?location=EU".parse().unwrap();
    let nowhere = format!("http://{}", silent.address());
    settings.run.google.endpoints = ["metadata", "bigquery"]
        .map(|name| (name.to_owned(), nowhere.clone()))
        .into();
    settings.limits.ready_timeout = Duration::from_millis(300);
    let mute = Served::start(settings).await;
    let asked = Instant::now();
    let found = futures::future::join_all((0..8).map(|_| warehouse(&mute))).await;
    for (status, found) in found {
        assert_eq!(status, 503);
        assert!(
            found["problem"].as_str().unwrap().contains("no answer in"),
            "{found}"
        );
    }
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(mute.get("/health").await.status, 200);
}

/// A webhook that could not be told of anything is missed before there is something to tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_its_url_is_not_ready_and_without_a_webhook_nobody_asks() {
    let place = Place::new();
    let mut settings = open_settings(&place);
    let plain = Served::start(settings.clone()).await.get("/ready").await;
    assert_eq!(plain.status, 200, "{plain:?}");
    assert!(!plain.body.contains("alerts"), "{plain:?}");
    settings.run.alert_webhook = Some("SOXAUTO_TEST_NO_SUCH_VARIABLE".to_owned());
    let reply = Served::start(settings).await.get("/ready").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    let last = reply.json()["dependencies"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&last["name"], &last["is_ready"]),
        (&"alerts".into(), &false.into())
    );
    let problem = last["problem"].as_str().unwrap();
    assert!(
        problem.contains("SOXAUTO_TEST_NO_SUCH_VARIABLE"),
        "{problem}"
    );
    assert!(
        problem.contains("URL of the webhook") && !problem.contains("DRIVER"),
        "{problem}"
    );
}

/// The schedule rests on the job: it must be there, may be looked at, and may be started. It is not started.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_ready_when_it_may_be_looked_at_and_started_and_is_not_started() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = jobs::settings(&place, &google);
    let served = Served::start(settings.clone()).await;
    for _ in 0..3 {
        let (status, found) = said(&served, "job").await;
        assert_eq!((status, &found["is_ready"]), (200, &json!(true)), "{found}");
    }
    let asked = google.fake.seen("/v2/");
    assert_eq!(asked.len(), 2, "kept for a while: {asked:?}");
    assert!(google.executions.arguments().is_empty());

    settings.async_job = Some(JOB.replace("pg01", "pg02").parse().unwrap());
    assert_missing(&settings, "job", "is there a job soxauto-pg02-run").await;
    settings.async_job = Some(JOB.parse().unwrap());
    google.executions.deny_running();
    let role = "grant roles/run.jobsExecutorWithOverrides on job soxauto-pg01-run";
    assert_missing(&settings, "job", role).await;
    google.executions.deny_looking();
    assert_missing(
        &settings,
        "job",
        "grant roles/run.viewer on job soxauto-pg01-run",
    )
    .await;

    settings.async_job = None;
    let before = google.fake.seen("").len();
    let (status, found) = said(&Served::start(settings).await, "job").await;
    assert_eq!((status, found), (200, Value::Null));
    assert_eq!(google.fake.seen("").len(), before, "nobody is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_drive_is_ready_when_it_takes_files_and_gets_none() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = jobs::settings(&place, &google);
    settings.async_job = None;
    let plain = said(&Served::start(settings.clone()).await, "drive").await;
    assert_eq!(plain, (200, Value::Null));
    settings.run.drive = Some(DriveSettings {
        folder: FOLDER.parse().unwrap(),
        include_rows: false,
    });
    let (status, found) = said(&Served::start(settings.clone()).await, "drive").await;
    assert_eq!((status, &found["is_ready"]), (200, &json!(true)), "{found}");
    google
        .drive
        .folder(json!({"capabilities": {"canAddChildren": false}}));
    assert_missing(&settings, "drive", "may not add files to folder").await;
    google.drive.folder(json!({"trashed": true}));
    assert_missing(&settings, "drive", "is in the bin").await;
    assert!(google.drive.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_buckets_are_ready_when_we_may_look_for_them_and_need_not_be_there() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = jobs::settings(&place, &google);
    settings.async_job = None;
    let plain = said(&Served::start(settings.clone()).await, "files").await;
    assert_eq!(plain, (200, Value::Null));
    settings.run.files = vec![UploadSettings {
        item: "JDASH".to_owned(),
        location: "gs://leases/used-{period}.csv".to_owned(),
        form: DeclaredForm::default(),
    }];
    let served = Served::start(settings.clone()).await;
    for _ in 0..3 {
        let (status, found) = said(&served, "files").await;
        assert_eq!((status, &found["is_ready"]), (200, &json!(true)), "{found}");
    }
    let asked = google.fake.seen("HEAD /leases/");
    assert_eq!(asked.len(), 1, "kept for a while: {asked:?}");
    google.buckets.deny("leases");
    let role = "grant roles/storage.objectViewer on bucket leases";
    assert_missing(&settings, "files", role).await;
}

fn keys(found: &[Dependency]) -> &Dependency {
    found.iter().find(|one| one.name == "keys").unwrap()
}

/// Whoever gets as far as `/ready` was let in with a key; what it says without one is asked of the root.
#[tokio::test(flavor = "multi_thread")]
async fn keys_for_tokens_are_asked_for_no_more_often_than_by_tokens() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    let mut settings = guarded(&place, &publisher, &[EMAIL]);
    let served = Served::start(settings.clone()).await;
    let token = signer.sign("k1", &claims());
    let reply = with_token(&served, "/ready", &token).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let all = reply.json()["dependencies"].as_array().unwrap().clone();
    let found = all.iter().find(|one| one["name"] == "keys").unwrap();
    assert_eq!(found["is_ready"], json!(true));
    assert_eq!(publisher.asked(), 1, "the kept keys are good");

    let alerts = Alerts::new(&settings.run, &settings.limits).unwrap();
    let door = Door::new(&settings).unwrap();
    publisher.change(|says| says.status = 403);
    for _ in 0..3 {
        let found = dependencies(&settings, &alerts, None, &door).await;
        let missing = keys(&found);
        assert!(!missing.is_ready, "{missing:?}");
        assert!(missing.problem.as_deref().unwrap().contains("answered 403"));
    }
    assert_eq!(publisher.asked(), 2, "once in a pause");
    settings.limits.keys_pause = Duration::ZERO;
    let door = Door::new(&settings).unwrap();
    let found = dependencies(&settings, &alerts, None, &door).await;
    assert!(!keys(&found).is_ready, "{found:?}");
    publisher.change(|says| (says.status, says.max_age) = (200, 0));
    let found = dependencies(&settings, &alerts, None, &door).await;
    assert!(keys(&found).is_ready, "{found:?}");
    // Once they came they are used on while no new ones come.
    publisher.change(|says| says.status = 403);
    let found = dependencies(&settings, &alerts, None, &door).await;
    assert!(keys(&found).is_ready, "{found:?}");

    let open = Served::start(open_settings(&place)).await;
    assert_eq!(said(&open, "keys").await, (200, Value::Null));
}
