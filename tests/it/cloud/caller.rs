//! Whose account at Google stands in the evidence, and that what a person's own login made is no control evidence.

use std::sync::Arc;

use serde_json::{Value, json};
use soxauto::app::App;
use soxauto::domain::ids::RunId;
use soxauto::domain::limits::Limits;
use soxauto::domain::reconcile::months::MonthEvent;
use soxauto::domain::run::{ItemStatus, Stamp};
use soxauto::pipeline::months;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::ItemRecord;
use soxauto::settings::{GoogleCredentials, GoogleSettings, RunSettings, SecretsChoice};
use tempfile::TempDir;

use super::buckets::{EVIDENCE, STAGING, assert_valid, verified};
use super::fakes::identity::{EMAIL, Issuer};
use super::fakes::{Google, quick};
use super::own_account::{home, soxauto};
use crate::journey::Place;

/// A run of one item of the stand-in.
fn settings(place: &Place) -> RunSettings {
    let mut settings = place.settings("CR_04");
    settings.source.secrets = SecretsChoice::Sandbox;
    settings.source.sandbox_rows = Some(300);
    settings.limits = Limits {
        http: quick(),
        ..settings.limits
    };
    settings
}

/// Calls by a file that was found.
fn found(google: &Google, file: &Value, folder: &TempDir) -> GoogleSettings {
    let path = folder.path().join("credentials.json");
    std::fs::write(&path, file.to_string()).unwrap();
    GoogleSettings {
        credentials: GoogleCredentials::Found(path),
        endpoints: google.endpoints_of_people(),
    }
}

/// The record and the summary that a run in buckets leaves.
async fn left_by(google: &Google, by: GoogleSettings) -> (ItemRecord, String) {
    let place = Place::new();
    let mut settings = settings(&place);
    settings.staging = STAGING.to_owned();
    settings.evidence = EVIDENCE.to_owned();
    settings.google = by;
    let app = App::build(settings, Arc::new(Silent)).await.unwrap();
    let result = app.run().await.unwrap();
    let item = &result.ipe_results["CR_04"];
    assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
    let package = item.evidence.as_deref().unwrap();
    assert_valid(&verified(google, package).await);
    let package = google.root(package);
    let record = package.get("data/record.json").await.unwrap();
    let summary = package.get("data/summary.md").await.unwrap();
    (
        serde_json::from_slice(&record).unwrap(),
        String::from_utf8(summary.to_vec()).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_names_the_account_and_that_of_a_person_is_no_control_evidence() {
    let named = "auditor@company.example";
    let mut with_name = Issuer::login_file();
    with_name["account"] = json!(named);
    let impersonation = Issuer::impersonation_file(&with_name);
    let a_person = "the login of a person";
    for (file, caller, is_person) in [
        (
            Some(Issuer::login_file()),
            format!("{a_person} (name not known)"),
            true,
        ),
        (
            Some(with_name),
            format!("{a_person}, {named} (name not proven)"),
            true,
        ),
        (
            Some(impersonation),
            format!("{EMAIL} impersonated by {a_person}, {named} (name not proven)"),
            false,
        ),
        (None, format!("the machine's account {EMAIL}"), false),
    ] {
        let (google, folder) = (Google::start().await, tempfile::tempdir().unwrap());
        let by = file.map_or_else(|| google.settings(), |file| found(&google, &file, &folder));
        let (record, summary) = left_by(&google, by).await;
        assert_eq!(record.places.caller.as_ref(), Some(&caller));
        let row = format!("| Google | {caller} |\n");
        assert!(summary.contains(&row), "{caller}: {summary}");
        let stamps = &record.context.stamps;
        let is_stamped = stamps.contains(&Stamp::PersonalAccount);
        assert_eq!(is_stamped, is_person, "{caller}: {stamps:?}");
        let reason = format!("> - {}\n", Stamp::PersonalAccount.reason());
        assert_eq!(summary.contains(&reason), is_person, "{caller}: {summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_found_and_not_used_stands_nowhere() {
    let (google, folder) = (Google::start().await, tempfile::tempdir().unwrap());
    let place = Place::new();
    let mut settings = settings(&place);
    settings.google = found(&google, &Issuer::login_file(), &folder);
    let app = App::build(settings, Arc::new(Silent)).await.unwrap();
    let stamps = &app.context().stamps;
    assert!(!stamps.contains(&Stamp::PersonalAccount), "{stamps:?}");
    app.run().await.unwrap();
    let texts = place.texts();
    let mut records = texts
        .iter()
        .filter(|(name, _)| name.ends_with("data/record.json"));
    let (_, record) = records.next().unwrap();
    assert!(!record.contains("\"caller\""), "{record}");
    assert!(google.fake.seen("").is_empty(), "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_named_by_its_account_and_is_no_persons() {
    let (google, folder) = (Google::start().await, tempfile::tempdir().unwrap());
    let key = google
        .issuer
        .key_file("https://oauth2.googleapis.com/token");
    let by = found(&google, &serde_json::from_str(&key).unwrap(), &folder);
    let (record, _) = left_by(&google, by).await;
    let caller = format!("the key of {EMAIL}");
    assert_eq!(record.places.caller, Some(caller));
    let stamps = &record.context.stamps;
    assert!(!stamps.contains(&Stamp::PersonalAccount), "{stamps:?}");
}

#[tokio::test]
async fn a_machine_that_does_not_say_who_it_is_is_no_person_for_that() {
    let google = Google::start().await;
    let caller = google.session().tokens().caller().await;
    assert_eq!(caller.words, format!("the machine's account {EMAIL}"));
    google.issuer.without_flavor();
    let caller = google.session().tokens().caller().await;
    assert_eq!(caller.words, "the machine's account (name not known)");
    assert!(!caller.is_person);
}

fn closed(number: u32) -> MonthEvent {
    MonthEvent::Closed {
        run_id: RunId::new(chrono::DateTime::UNIX_EPOCH, number),
        manifest_sha256: "0".repeat(64),
        by: "A. Mwangi".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_month_names_the_account_beside_the_name_that_is_given() {
    let google = Google::start().await;
    let root = google.root(EVIDENCE);
    let month = "2024-04".parse().unwrap();
    let at = chrono::DateTime::UNIX_EPOCH;
    let place = ["--period", "2024-04", "--evidence", EVIDENCE];
    let act = [
        "--reason",
        "an invoice",
        "--ticket",
        "FIN-7",
        "--approver",
        "B. Diallo",
        "--by",
        "A. Mwangi",
    ];
    let reopen = [&["reopen"][..], &place, &act].concat();
    let person = home(&Issuer::login_file());
    let nobody = tempfile::tempdir().unwrap();
    let accounts = [
        (&person, "the login of a person (name not known)".to_owned()),
        (&nobody, format!("the machine's account {EMAIL}")),
    ];
    for ((home, account), number) in accounts.iter().zip(1..) {
        months::append(&root, month, closed(number), at, None)
            .await
            .unwrap();
        let said = soxauto(&google, &reopen, &[("HOME", home.path())]).await;
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let line = format!("FIN-7: an invoice [{account}]");
        assert!(said.out.contains(&line), "{}", said.out);
    }
    let log = months::read(&root, month).await.unwrap();
    let written = log.records.iter().map(|record| record.account.as_deref());
    let [(_, first), (_, second)] = &accounts;
    let wanted = [None, Some(first.as_str()), None, Some(second.as_str())];
    assert_eq!(written.collect::<Vec<_>>(), wanted);
    let history = [&["history"][..], &place].concat();
    let said = soxauto(&google, &history, &[("HOME", nobody.path())]).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let lines = said.out.lines().filter(|line| line.contains('['));
    assert_eq!(lines.count(), 2, "{}", said.out);
}
