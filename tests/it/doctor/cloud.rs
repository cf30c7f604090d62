//! Google Cloud: who may not do what is named with the role, and one refusal hides no other.

use serde_json::json;
use soxauto::app::doctor::{Outcome, Report};
use soxauto::domain::limits::Limits;
use soxauto::domain::uploaded::DeclaredForm;
use soxauto::settings::{GcpSecretsPlace, RunSettings, SecretsChoice, UploadSettings};

use super::{assert_only, check, look};
use crate::cloud::fakes::bigquery::Jobs;
use crate::cloud::fakes::secret_manager::Damage;
use crate::cloud::fakes::server::Fault;
use crate::cloud::fakes::{Google, quick};
use crate::journey::Place;

const SECRET: &str = "DB_CREDENTIALS_NAV_BI";
pub(super) const RUNNER: &str = "runner@test-project.iam.gserviceaccount.com";

/// Roots in buckets and secrets in Secret Manager, which names a port that nobody listens at.
pub(super) fn settings(place: &Place, google: &Google) -> RunSettings {
    let closed = "SERVER=tcp:127.0.0.1,1;DATABASE=d;UID=u;PWD=SENTINEL-PASSWORD";
    google.secrets.add(SECRET, closed, Damage::None);
    let mut run = place.settings("");
    run.source.secrets = SecretsChoice::Gcp(GcpSecretsPlace {
        project: "test-project".to_owned(),
        pins: Default::default(),
    });
    run.staging = "gs://staging/parts".to_owned();
    run.evidence = "gs://evidence".to_owned();
    run.leases = Some("gs://leases".to_owned());
    run.google = google.settings();
    run.limits = Limits {
        http: quick(),
        ..run.limits
    };
    run
}

fn assert_silent(report: &Report) {
    let text = format!("{report:?}");
    assert!(!text.contains("SENTINEL"), "{text}");
}

pub(super) const CONNECTION: &str = "source DB_CREDENTIALS_NAV_BI: connection";

#[tokio::test(flavor = "multi_thread")]
async fn buckets_secrets_identity_and_clock_are_well_and_one_object_is_left_in_each_root() {
    let (place, google) = (Place::new(), Google::start().await);
    google.buckets.create_only();
    let report = look(settings(&place, &google)).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    assert_silent(&report);
    let said = |name: &str| check(&report, name).said.clone();
    assert_eq!(said("google identity"), format!("a token of {RUNNER}"));
    assert!(said("source DB_CREDENTIALS_NAV_BI: secret").contains("/versions/1"));
    assert!(
        said("google clock").contains("s ahead of Google"),
        "{}",
        said("google clock")
    );
    for bucket in ["staging", "evidence", "leases"] {
        let names: Vec<String> = google.buckets.objects(bucket).into_keys().collect();
        let [name] = names.as_slice() else {
            panic!("{names:?}")
        };
        assert!(name.contains("soxauto-doctor/"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_refuses_us_is_named_with_the_role_and_the_other_is_looked_at() {
    let (place, google) = (Place::new(), Google::start().await);
    google.buckets.deny("staging");
    let report = look(settings(&place, &google)).await;
    let staging = check(&report, "staging");
    assert_eq!(staging.outcome, Outcome::Failed, "{staging:?}");
    assert_eq!(
        staging.todo.as_deref(),
        Some(format!("grant roles/storage.objectCreator on bucket staging to {RUNNER}").as_str())
    );
    assert_eq!(check(&report, "evidence").outcome, Outcome::Ok);
    assert!(google.buckets.objects("staging").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_can_be_replaced_is_found() {
    let (place, google) = (Place::new(), Google::start().await);
    google.buckets.careless();
    let report = look(settings(&place, &google)).await;
    let evidence = check(&report, "evidence");
    assert_eq!(evidence.outcome, Outcome::Failed, "{evidence:?}");
    assert!(evidence.said.contains("does not stay"), "{evidence:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_what_needs_none_is_looked_at() {
    let (place, google) = (Place::new(), Google::start().await);
    google
        .fake
        .plan("/token", vec![Fault::Error(404, "NOT_FOUND"); 9]);
    let mut run = settings(&place, &google);
    run.source = place.settings("").source;
    place.secret("SERVER=tcp:127.0.0.1,1;DATABASE=d;UID=u;PWD=SENTINEL-PASSWORD");
    let report = look(run).await;
    let identity = check(&report, "google identity");
    assert_eq!(identity.outcome, Outcome::Failed, "{identity:?}");
    assert!(
        identity
            .todo
            .as_deref()
            .unwrap()
            .contains("--service-account")
    );
    for name in ["staging", "evidence", "staging location", "google clock"] {
        let check = check(&report, name);
        assert_eq!(check.outcome, Outcome::Skipped, "{check:?}");
        assert!(check.said.contains("no identity"), "{check:?}");
    }
    assert_eq!(check(&report, "warehouse").outcome, Outcome::Ok);
    assert_eq!(check(&report, CONNECTION).outcome, Outcome::NoAnswer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_we_may_not_read_is_named_with_the_role() {
    let (place, google) = (Place::new(), Google::start().await);
    let run = settings(&place, &google);
    google.secrets.deny();
    let report = look(run).await;
    let secret = check(&report, "source DB_CREDENTIALS_NAV_BI: secret");
    assert_eq!(secret.outcome, Outcome::Failed);
    let todo = secret.todo.as_deref().unwrap();
    assert!(
        todo.starts_with("grant roles/secretmanager.secretAccessor on secret"),
        "{todo}"
    );
    assert_eq!(check(&report, "staging").outcome, Outcome::Ok);
    assert_silent(&report);
}

/// The same with a dataset.
pub(super) async fn with_dataset(place: &Place) -> (Jobs, RunSettings) {
    let jobs = Jobs::start(None).await;
    let mut run = settings(place, &jobs.google);
    run.google = jobs.settings();
    run.warehouse = "bigquery://test-project/sox?location=EU".parse().unwrap();
    (jobs, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_elsewhere_is_named_with_its_location_and_jobs_are_asked_all_the_same() {
    let place = Place::new();
    let (jobs, run) = with_dataset(&place).await;
    jobs.service.answer(one());
    jobs.service.dataset("US");
    let report = look(run.clone()).await;
    let dataset = check(&report, "bigquery dataset");
    assert_eq!(dataset.outcome, Outcome::Failed, "{dataset:?}");
    assert!(
        dataset.said.contains("is in US, the run asks for EU"),
        "{dataset:?}"
    );
    assert!(
        dataset.todo.as_deref().unwrap().contains("location=US"),
        "{dataset:?}"
    );
    assert_eq!(check(&report, "bigquery jobs").outcome, Outcome::Ok);

    jobs.service.answer(one());
    jobs.service.dataset("EU");
    let report = look(run).await;
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);
    assert_eq!(
        check(&report, "bigquery scratch table").said,
        "--no-scratch"
    );
    assert!(jobs.service.loads().is_empty(), "nothing was loaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_run_no_jobs_is_told_the_role_and_a_dataset_that_is_not_there_is_advice() {
    let place = Place::new();
    let (jobs, run) = with_dataset(&place).await;
    jobs.fake
        .plan("/queries", [Fault::Error(403, "accessDenied")]);
    let report = look(run).await;
    let asked = check(&report, "bigquery jobs");
    assert_eq!(asked.outcome, Outcome::Failed, "{asked:?}");
    assert!(
        asked
            .todo
            .as_deref()
            .unwrap()
            .contains("roles/bigquery.jobUser on the project")
    );
    let dataset = check(&report, "bigquery dataset");
    assert_eq!(dataset.outcome, Outcome::Ok, "{dataset:?}");
    assert!(
        dataset
            .todo
            .as_deref()
            .unwrap()
            .contains("roles/bigquery.user")
    );
}

pub(super) fn one() -> serde_json::Value {
    json!({"jobComplete": true, "totalRows": "1", "rows": [{"f": [{"v": "1"}]}],
           "schema": {"fields": [{"name": "n", "type": "INTEGER"}]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_under_the_retention_of_the_evidence_are_advised_against() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut run = settings(&place, &google);
    let own = look(run.clone()).await;
    assert_eq!(check(&own, "leases root").todo, None);
    run.leases = None;
    let within = look(run).await;
    let leases = check(&within, "leases root");
    assert_eq!(leases.outcome, Outcome::Ok, "{leases:?}");
    let todo = leases.todo.as_deref().unwrap();
    assert!(todo.contains("--leases"), "{todo}");
}

/// A file that lies there every month.
fn file(location: &str) -> Vec<UploadSettings> {
    vec![UploadSettings {
        item: "JDASH".to_owned(),
        location: location.to_owned(),
        form: DeclaredForm::default(),
    }]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_the_month_is_looked_for_and_its_absence_is_no_failure() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut run = settings(&place, &google);
    run.files = file("gs://staging/files/used-{period}.csv");
    let uri = "gs://staging/files/used-2024-04.csv";
    let report = look(run.clone()).await;
    let absent = check(&report, "file JDASH");
    assert_eq!(absent.outcome, Outcome::Unknown, "{absent:?}");
    assert_eq!(absent.said, format!("there is no {uri}"));
    let todo = format!("upload it before the run: gcloud storage cp FILE {uri}");
    assert_eq!(absent.todo.as_deref(), Some(todo.as_str()));
    assert_only(&report, Outcome::NoAnswer, &[CONNECTION]);

    let files = google.root("gs://staging/files");
    files
        .create("used-2024-04.csv", "a\n1\n".into())
        .await
        .unwrap();
    let report = look(run.clone()).await;
    let there = check(&report, "file JDASH");
    assert_eq!((there.outcome, &there.todo), (Outcome::Ok, &None));
    assert_eq!(there.said, format!("{uri} has 4 bytes"));

    run.files = file("used-{period}.csv");
    let report = look(run).await;
    let mut checks = report.checks.iter();
    assert!(
        !checks.any(|check| check.name == "file JDASH"),
        "{report:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_we_may_not_read_or_that_is_none_is_a_failure_and_google_is_used_for_it() {
    let (place, google) = (Place::new(), Google::start().await);
    google.buckets.deny("files");
    let in_cloud = settings(&place, &google);
    let run = RunSettings {
        files: file("gs://files/used-{period}.csv"),
        google: in_cloud.google,
        limits: in_cloud.limits,
        ..place.settings("")
    };
    let report = look(run.clone()).await;
    let denied = check(&report, "file JDASH");
    assert_eq!(denied.outcome, Outcome::Failed, "{denied:?}");
    let role = format!("grant roles/storage.objectViewer on bucket files to {RUNNER}");
    assert_eq!(denied.todo.as_deref(), Some(role.as_str()));
    for name in ["google identity", "google clock"] {
        assert_eq!(check(&report, name).outcome, Outcome::Ok, "{report:#?}");
    }
    for (location, todo) in [
        ("gs://files", "gs://bucket/object"),
        (
            "gs://absent/used.csv",
            "gcloud storage buckets create gs://absent",
        ),
    ] {
        let files = file(location);
        let report = look(RunSettings {
            files,
            ..run.clone()
        })
        .await;
        let wrong = check(&report, "file JDASH");
        assert_eq!(wrong.outcome, Outcome::Failed, "{wrong:?}");
        assert!(wrong.todo.as_deref().unwrap().contains(todo), "{wrong:?}");
    }
}
