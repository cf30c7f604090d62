//! A whole run whose connection string lies in Secret Manager.

use std::sync::Arc;

use soxauto::app::App;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::{ItemStatus, Stamp};
use soxauto::domain::uploaded::DeclaredForm;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::ItemRecord;
use soxauto::sandbox::{Sandbox, SandboxConfig};
use soxauto::settings::{
    GcpSecretsPlace, RunSettings, SecretsChoice, UploadSettings, WarehouseChoice,
};

use super::fakes::secret_manager::Damage;
use super::fakes::{Google, quick};
use crate::journey::Place;

const NAME: &str = "DB_CREDENTIALS_NAV_BI";

fn settings(place: &Place, google: &Google) -> RunSettings {
    let mut settings = place.settings("CR_04");
    settings.source.secrets = SecretsChoice::Gcp(GcpSecretsPlace {
        project: "test-project".to_owned(),
        pins: [(NAME.to_owned(), 2)].into(),
    });
    settings.google = google.settings();
    settings.limits = Limits {
        http: quick(),
        ..settings.limits
    };
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_names_the_version_that_opened_the_source_and_not_its_value() {
    let sandbox = Sandbox::start(SandboxConfig::of(Some(2_000), None))
        .await
        .unwrap();
    let google = Google::start().await;
    google
        .secrets
        .add(NAME, "nobody reads this one", Damage::None);
    google
        .secrets
        .add(NAME, &sandbox.odbc_connection_string(), Damage::None);
    google.secrets.add(NAME, "nor this one", Damage::None);
    let place = Place::new();
    let app = App::build(settings(&place, &google), Arc::new(Silent))
        .await
        .unwrap();
    let stamps = app.context().stamps.clone();
    assert!(
        !stamps.contains(&Stamp::FileSecrets) && !stamps.contains(&Stamp::SandboxSource),
        "{stamps:?}"
    );
    assert!(stamps.contains(&Stamp::ReplacedEndpoint), "{stamps:?}");
    let result = app.run().await.unwrap();
    sandbox.stop().await;
    let item = &result.ipe_results["CR_04"];
    assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
    let evidence = item.evidence.as_deref().unwrap();
    let report = soxauto::app::verify(evidence, None, None).await.unwrap();
    assert!(
        report.findings.is_empty() && report.not_run.is_empty(),
        "{report:#?}"
    );
    let texts = place.texts();
    let (_, record) = texts
        .iter()
        .find(|(name, _)| name.ends_with("data/record.json"))
        .unwrap();
    let record: ItemRecord = serde_json::from_str(record).unwrap();
    assert_eq!(
        record.places.secrets,
        format!("gcp:test-project/secrets/{NAME}/versions/2")
    );
    let places = google.endpoints().into_iter();
    let places: Vec<String> = places.map(|(name, url)| format!("{name}={url}")).collect();
    assert_eq!(record.places.endpoints, places);
    for (name, text) in &texts {
        assert!(
            !text.contains("PWD=") && !text.contains("SENTINEL-TOKEN"),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_whose_secret_is_not_there_is_sealed_with_the_reason() {
    let google = Google::start().await;
    let place = Place::new();
    let app = App::build(settings(&place, &google), Arc::new(Silent))
        .await
        .unwrap();
    let result = app.run().await.unwrap();
    let item = &result.ipe_results["CR_04"];
    assert_eq!(item.status, ItemStatus::Error);
    assert!(item.evidence.is_some(), "{item:#?}");
    assert!(format!("{item:?}").contains("no version 2"), "{item:#?}");
}

#[tokio::test]
async fn a_dataset_is_not_loaded_from_a_folder() {
    let mut settings = Place::new().settings("CR_04");
    settings.warehouse = "bigquery://p/d?location=EU".parse().unwrap();
    assert!(matches!(settings.warehouse, WarehouseChoice::BigQuery(_)));
    let error = App::build(settings, Arc::new(Silent)).await.err().unwrap();
    assert!(error.to_string().contains("--staging gs://"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_places_that_are_googles_leave_a_run_without_a_stamp() {
    for (urls, is_stamped) in [
        (&[][..], false),
        (&["https://storage-x.p.googleapis.com"], false),
        (
            &[
                "https://private.googleapis.com",
                "https://googleapis.com.example",
            ],
            true,
        ),
    ] {
        let mut settings = Place::new().settings("CR_04");
        let replaced = urls.iter().zip(["storage", "bigquery"]);
        let replaced = replaced.map(|(url, name)| (name.to_owned(), (*url).to_owned()));
        settings.google.endpoints = replaced.collect();
        let app = App::build(settings, Arc::new(Silent)).await.unwrap();
        let stamps = app.context().stamps.clone();
        assert_eq!(
            stamps.contains(&Stamp::ReplacedEndpoint),
            is_stamped,
            "{urls:?}"
        );
        app.close().await;
    }
}

/// A file in a bucket, found by the month: the settings of a job that starts every month are the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_a_bucket_is_found_by_the_month_and_its_absence_is_sealed() {
    let google = Google::start().await;
    let files = google.root("gs://staging/files");
    let used = "voucher_id,amount_used\nV-1,1.50\nV-2,2.25\n";
    files.create("used-2024-04.csv", used.into()).await.unwrap();
    let place = Place::new();
    let run = async |period: &str| {
        let mut settings = RunSettings {
            period: Some(period.parse().unwrap()),
            items: vec!["JDASH".to_owned()],
            files: vec![UploadSettings {
                item: "JDASH".to_owned(),
                location: "gs://staging/files/used-{period}.csv".to_owned(),
                form: DeclaredForm::default(),
            }],
            ..settings(&place, &google)
        };
        settings.source.secrets = SecretsChoice::Sandbox;
        settings.source.sandbox_rows = Some(300);
        let app = App::build(settings, Arc::new(Silent)).await.unwrap();
        let mut result = app.run().await.unwrap();
        result.ipe_results.remove("JDASH").unwrap()
    };
    let item = run("2024-04").await;
    assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
    assert_eq!(item.rows_extracted, 2);
    let evidence = item.evidence.unwrap();
    let report = soxauto::app::verify(&evidence, None, None).await.unwrap();
    assert!(report.findings.is_empty(), "{report:#?}");
    assert_named(&place, &google);

    let item = run("2024-03").await;
    assert_eq!(item.status, ItemStatus::Error, "{item:#?}");
    let error = item.error_message.unwrap();
    for part in [
        "no such file",
        "gs://staging/files/used-2024-03.csv",
        "put the file there",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(item.evidence.is_some(), "its package says so");
}

/// Asserts that the package names the object of April and its generation, for whoever looks for it later.
fn assert_named(place: &Place, google: &Google) {
    let texts = place.texts();
    let text = |end: &str| {
        &texts
            .iter()
            .find(|(name, _)| name.ends_with(end))
            .unwrap()
            .1
    };
    let record: ItemRecord = serde_json::from_str(text("data/record.json")).unwrap();
    let copy = record.file.unwrap().copy.unwrap();
    let uri = "gs://staging/files/used-2024-04.csv";
    assert_eq!(
        (copy.name.as_str(), copy.from.as_deref()),
        ("used-2024-04.csv", Some(uri))
    );
    let generation = google.buckets.objects("staging")["files/used-2024-04.csv"].to_string();
    assert_eq!(copy.version, Some(generation.clone()));
    let summary = text("data/summary.md");
    for line in [
        format!("- from: {uri}\n"),
        format!("- version there: {generation}\n"),
    ] {
        assert!(summary.contains(&line), "{line}{summary}");
    }
}

/// The settings of all runs may name a file that is none: it stops a run that reads it, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_no_file_stops_only_a_run_that_reads_it() {
    let google = Google::start().await;
    let place = Place::new();
    let mut wrong = settings(&place, &google);
    wrong.files = vec![UploadSettings {
        item: "JDASH".to_owned(),
        location: "gs://staging".to_owned(),
        form: DeclaredForm::default(),
    }];
    let app = App::build(wrong.clone(), Arc::new(Silent)).await.unwrap();
    app.close().await;
    wrong.items = vec!["JDASH".to_owned()];
    let error = App::build(wrong, Arc::new(Silent)).await.err().unwrap();
    assert!(error.to_string().contains("gs://bucket/object"), "{error}");
}
