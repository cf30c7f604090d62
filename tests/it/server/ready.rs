//! `/ready` over a dataset: it is there or can be made, it is elsewhere, nobody may look, nobody answers.

use std::time::{Duration, Instant};

use serde_json::Value;
use soxauto::settings::{BigQueryPlace, WarehouseChoice};

use super::{Served, Silent, open_settings};
use crate::cloud::fakes::bigquery::{DATASET, Jobs, PROJECT};
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
    let reply = served.get("/ready").await;
    let all = reply.json()["dependencies"].as_array().unwrap().clone();
    let found = all.into_iter().find(|one| one["name"] == "warehouse");
    (reply.status, found.unwrap())
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
