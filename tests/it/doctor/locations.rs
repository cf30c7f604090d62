//! Where buckets, dataset and machine lie: shown, compared before anything is loaded, and left open where nobody says it.

use serde_json::json;
use soxauto::app::doctor::{Check, Outcome, Report};
use soxauto::settings::GoogleCredentials;

use super::cloud::{CONNECTION, RUNNER, one, settings, with_dataset};
use super::{assert_only, check, look};
use crate::cloud::fakes::Google;
use crate::cloud::fakes::bigquery::Jobs;
use crate::cloud::fakes::server::Fault;
use crate::journey::Place;

/// Looks with parts in a bucket that lies there, and a dataset in the EU; nothing is loaded.
async fn staged_in(layout: serde_json::Value) -> (Jobs, Report) {
    let place = Place::new();
    let (jobs, run) = with_dataset(&place).await;
    jobs.service.answer(one());
    jobs.service.dataset("EU");
    jobs.google.buckets.locate("staging", layout);
    let report = look(run).await;
    (jobs, report)
}

fn said<'a>(report: &'a Report, name: &str) -> (Outcome, &'a str) {
    let Check { outcome, said, .. } = check(report, name);
    (*outcome, said.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_agree_are_shown_before_the_dataset_and_there_is_nothing_to_do() {
    let (jobs, report) = staged_in(json!({"location": "EU"})).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    let staging = "EU, from where BigQuery loads into EU";
    assert_eq!(said(&report, "staging location"), (Outcome::Ok, staging));
    assert_eq!(said(&report, "evidence location"), (Outcome::Ok, "EU"));
    assert_eq!(said(&report, "leases location"), (Outcome::Ok, "EU"));
    let all = "europe-west1; the dataset in EU, staging in EU, evidence in EU, leases in EU";
    assert_eq!(said(&report, "cloud run region"), (Outcome::Ok, all));
    let todo = report.checks.iter().filter(|one| one.todo.is_some());
    let todo: Vec<&str> = todo.map(|one| one.name.as_str()).collect();
    assert!(
        todo.iter().all(|name| !name.ends_with("location")),
        "{todo:?}"
    );
    assert_eq!(check(&report, "cloud run region").todo, None);
    let at = |name: &str| report.checks.iter().position(|one| one.name == name);
    assert!(at("staging location") < at("bigquery dataset"));
    // What every run may do says it: the metadata of a bucket is not read.
    let asked = jobs.google.fake.seen("/storage/v1/b/");
    let is_listing = |target: &str| target.contains("/storageLayout") || target.contains("/o?");
    assert!(
        asked.iter().all(|seen| is_listing(&seen.target)),
        "{asked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_where_bigquery_does_not_load_from_are_found_without_a_load() {
    for elsewhere in ["US-EAST1", "US", "ASIA"] {
        let (jobs, report) = staged_in(json!({"location": elsewhere})).await;
        let staging = check(&report, "staging location");
        assert_eq!(staging.outcome, Outcome::Failed, "{staging:?}");
        assert!(staging.said.contains("does not load from there into EU"));
        let todo = staging.todo.as_deref().unwrap();
        assert!(
            todo.contains("--staging") && todo.contains("--location=EU"),
            "{todo}"
        );
        assert_eq!(check(&report, "staging").outcome, Outcome::Ok);
        assert!(!report.is_well && jobs.service.loads().is_empty());
    }
    for within in ["EUROPE-WEST1", "EUR4"] {
        let (_jobs, report) = staged_in(json!({"location": within})).await;
        assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
        assert_eq!(check(&report, "staging location").todo, None, "{within}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_documented_is_unknown_with_advice_and_spoils_nothing() {
    let (_jobs, report) = staged_in(json!({"location": "EUROPE-WEST2"})).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    let staging = check(&report, "staging location");
    assert_eq!(staging.outcome, Outcome::Unknown, "{staging:?}");
    assert!(
        staging.said.starts_with("europe-west2, and whether"),
        "{staging:?}"
    );
    assert!(staging.todo.as_deref().unwrap().contains("scratch table"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_in_the_us_is_loaded_from_afar_and_that_is_advised_against() {
    let place = Place::new();
    let (jobs, mut run) = with_dataset(&place).await;
    jobs.service.answer(one());
    jobs.service.dataset("US");
    run.warehouse = "bigquery://test-project/sox?location=US".parse().unwrap();
    let report = look(run).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    let staging = check(&report, "staging location");
    assert_eq!(staging.said, "EU, from where BigQuery loads into US too");
    assert!(staging.todo.as_deref().unwrap().starts_with("stage in US"));
    let region = check(&report, "cloud run region");
    assert_eq!(region.outcome, Outcome::Ok);
    let todo = region.todo.as_deref().unwrap();
    assert!(
        todo.contains("in europe-west1, the dataset in US,"),
        "{todo}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_does_not_say_where_it_lies_is_unknown_and_one_that_is_silent_is_no_answer() {
    let (place, google) = (Place::new(), Google::start().await);
    let refused = [Fault::Error(403, "forbidden")];
    google.fake.plan("/evidence/storageLayout", refused);
    let report = look(settings(&place, &google)).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    let evidence = check(&report, "evidence location");
    assert_eq!(evidence.outcome, Outcome::Unknown, "{evidence:?}");
    assert!(evidence.said.starts_with("not known: "), "{evidence:?}");
    let role = format!("grant roles/storage.objectViewer on bucket evidence to {RUNNER}");
    assert_eq!(evidence.todo.as_deref(), Some(role.as_str()));
    assert_eq!(said(&report, "evidence").0, Outcome::Ok);
    assert_eq!(said(&report, "staging location"), (Outcome::Ok, "EU"));
    let region = said(&report, "cloud run region").1;
    assert_eq!(region, "europe-west1; staging in EU, leases in EU");

    let silent = vec![Fault::Cut; 9];
    google.fake.plan("/evidence/storageLayout", silent);
    let report = look(settings(&place, &google)).await;
    assert_only(
        &report,
        Outcome::NoAnswer,
        &[CONNECTION, "evidence location"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_on_another_continent_is_advised_against_and_one_that_is_not_cloud_run_says_so() {
    let (place, google) = (Place::new(), Google::start().await);
    google.issuer.region(Some("projects/1/regions/us-east1"));
    let report = look(settings(&place, &google)).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    let region = check(&report, "cloud run region");
    assert!(
        region.said.starts_with("us-east1; staging in EU"),
        "{region:?}"
    );
    let todo = region.todo.as_deref().unwrap();
    assert!(todo.contains("staging in EU, evidence in EU"), "{todo}");

    google.issuer.region(None);
    let report = look(settings(&place, &google)).await;
    let region = check(&report, "cloud run region");
    assert!(region.said.contains("not Cloud Run"), "{region:?}");
    assert_eq!((region.outcome, &region.todo), (Outcome::Ok, &None));

    google.issuer.region(Some("<html>"));
    let report = look(settings(&place, &google)).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    assert_eq!(said(&report, "cloud run region").0, Outcome::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_key_and_is_not_on_google_cloud_asks_for_no_region() {
    let (place, google) = (Place::new(), Google::start().await);
    let folder = tempfile::tempdir().unwrap();
    let (file, token) = (
        folder.path().join("key.json"),
        format!("{}/token", google.fake.url()),
    );
    std::fs::write(&file, google.issuer.key_file(&token)).unwrap();
    let mut run = settings(&place, &google);
    run.google.credentials = GoogleCredentials::File(file);
    let report = look(run).await;
    assert_eq!(said(&report, "staging location"), (Outcome::Ok, "EU"));
    assert!(
        report
            .checks
            .iter()
            .all(|one| one.name != "cloud run region")
    );
    assert!(google.fake.seen("/instance/region").is_empty());
}
