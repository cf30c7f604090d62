//! The folder of Drive and the job that makes runs: what is wrong with them is said with what to grant, and nothing is put
//! there or started.

use serde_json::json;
use soxauto::app::doctor::{Check, Outcome, Report};
use soxauto::domain::limits::Limits;
use soxauto::settings::{DriveSettings, RunSettings};

use super::{check, look, look_with};
use crate::cloud::fakes::cloud_run::JOB;
use crate::cloud::fakes::drive::{FOLDER, OWN_FOLDER};
use crate::cloud::fakes::server::Fault;
use crate::cloud::fakes::{Google, quick};
use crate::journey::Place;

const RUNNER: &str = "runner@test-project.iam.gserviceaccount.com";

/// Folders for roots, the stand-in as the source.
fn settings(place: &Place, google: &Google) -> RunSettings {
    let mut run = place.settings("");
    run.source.secrets = soxauto::settings::SecretsChoice::Sandbox;
    run.source.sandbox_rows = Some(300);
    run.google = google.settings();
    run.limits = Limits {
        http: quick(),
        ..run.limits
    };
    run
}

async fn with_folder(google: &Google, folder: &str) -> Report {
    let place = Place::new();
    let mut run = settings(&place, google);
    run.drive = Some(DriveSettings {
        folder: folder.parse().unwrap(),
        include_rows: false,
    });
    look(run).await
}

fn assert_failed(check: &Check, said: &str, todo: &str) {
    assert_eq!(check.outcome, Outcome::Failed, "{check:?}");
    assert!(check.said.contains(said), "{check:?}");
    assert!(check.todo.as_deref().unwrap().contains(todo), "{check:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_a_shared_drive_that_takes_files_is_well_and_stays_empty() {
    let google = Google::start().await;
    let report = with_folder(&google, FOLDER).await;
    assert!(report.is_well, "{report:#?}");
    let drive = check(&report, "drive folder");
    assert_eq!(drive.said, "Evidence takes files, in a shared drive");
    assert!(google.drive.files().is_empty());
    assert!(google.fake.seen("/upload/").is_empty());
    // It is the one thing of Google that is used, so its clock is the one that is compared.
    assert_eq!(check(&report, "google clock").outcome, Outcome::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_folder_is_said_with_what_to_do() {
    let google = Google::start().await;
    let contributor = format!("make {RUNNER} a Contributor");
    for (other, said, todo) in [
        (
            json!({"capabilities": {"canAddChildren": false}}),
            "may not add files",
            contributor.as_str(),
        ),
        (
            json!({"capabilities": {}}),
            "may not add files",
            &contributor,
        ),
        (
            json!({"mimeType": "application/pdf"}),
            "is no folder, but a application/pdf",
            "--drive-folder",
        ),
        (json!({"trashed": true}), "is in the bin", "--drive-folder"),
    ] {
        google.drive.folder(other);
        let report = with_folder(&google, FOLDER).await;
        assert_failed(check(&report, "drive folder"), said, todo);
        assert_eq!(report.exit_code(), 1);
    }
    google.drive.folder(json!(null));
    let report = with_folder(&google, OWN_FOLDER).await;
    assert_failed(
        check(&report, "drive folder"),
        "not in a shared drive",
        "a folder of a shared drive",
    );
    let report = with_folder(&google, "1-Unknown").await;
    let todo = format!("share the folder with {RUNNER} as a Contributor");
    assert_failed(check(&report, "drive folder"), "not found", &todo);
    let off = [Fault::Error(403, "accessNotConfigured")];
    google.fake.plan("/drive/v3/files/", off);
    let report = with_folder(&google, FOLDER).await;
    assert_failed(
        check(&report, "drive folder"),
        "",
        "gcloud services enable drive.googleapis.com",
    );
}

async fn with_job(google: &Google, job: &str) -> Report {
    let place = Place::new();
    look_with(settings(&place, google), Some(job.parse().unwrap())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_may_be_started_and_looked_at_is_well_and_is_not_started() {
    let google = Google::start().await;
    google.executions.left(&["run"]);
    let report = with_job(&google, JOB).await;
    assert!(report.is_well, "{report:#?}");
    assert_eq!(
        check(&report, "job").said,
        "soxauto-pg01-run is there, with 1 executions"
    );
    assert_eq!(
        google.executions.arguments().len(),
        1,
        "nothing was started"
    );
    let posts = google.fake.seen("POST /v2/");
    assert!(!posts.is_empty());
    assert!(
        posts
            .iter()
            .all(|seen| seen.target.ends_with(":testIamPermissions"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_that_is_missing_on_the_job_is_named_and_the_other_is_looked_at() {
    let google = Google::start().await;
    google.executions.deny_running();
    let report = with_job(&google, JOB).await;
    let todo =
        format!("grant roles/run.jobsExecutorWithOverrides on job soxauto-pg01-run to {RUNNER}");
    assert_failed(check(&report, "job start"), "may not start", &todo);
    assert_eq!(check(&report, "job").outcome, Outcome::Ok);

    let google = Google::start().await;
    google.executions.deny_looking();
    let report = with_job(&google, JOB).await;
    let todo = format!("grant roles/run.viewer on job soxauto-pg01-run to {RUNNER}");
    assert_failed(check(&report, "job"), "", &todo);
    assert_eq!(check(&report, "job start").outcome, Outcome::Ok);

    let other = JOB.replace("pg01", "pg02");
    let report = with_job(&google, &other).await;
    let todo = "is there a job soxauto-pg02-run in europe-west1 of project test-project?";
    assert_failed(check(&report, "job start"), "", todo);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_neither_folder_nor_job_is_asked_about_neither() {
    let (place, google) = (Place::new(), Google::start().await);
    let report = look(settings(&place, &google)).await;
    assert!(report.is_well, "{report:#?}");
    let about = |check: &&Check| check.name.starts_with("job") || check.name.starts_with("drive");
    assert_eq!(report.checks.iter().filter(about).count(), 0);
    assert!(google.fake.seen("").is_empty());
}
