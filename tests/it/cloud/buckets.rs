//! Whole runs whose staging and evidence lie in buckets: what is left there, and who can verify and look at it.

use std::sync::Arc;

use soxauto::app::roots::RootOpener;
use soxauto::app::{self, App};
use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::package::VerifyReport;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::workflow::IpeResult;
use soxauto::sandbox::{Sandbox, SandboxConfig};
use soxauto::settings::{GoogleCredentials, RunSettings};

use super::fakes::identity::Issuer;
use super::fakes::secret_manager::Damage;
use super::fakes::server::Fault;
use super::fakes::{Google, quick};
use super::own_account;
use crate::cli::{Said, Shell};
use crate::journey::Place;

pub(super) const STAGING: &str = "gs://staging/soxauto";
pub(super) const EVIDENCE: &str = "gs://evidence/soxauto/2024";

fn settings(place: &Place, google: &Google) -> RunSettings {
    let mut settings = place.settings("CR_04");
    settings.staging = STAGING.to_owned();
    settings.evidence = EVIDENCE.to_owned();
    settings.google = google.settings();
    settings.limits = Limits {
        http: quick(),
        ..settings.limits
    };
    settings
}

async fn run_in_buckets(place: &Place, google: &Google) -> IpeResult {
    let sandbox = Sandbox::start(SandboxConfig::of(Some(2_000), None))
        .await
        .unwrap();
    place.secret(&sandbox.odbc_connection_string());
    let app = App::build(settings(place, google), Arc::new(Silent)).await;
    let result = app.unwrap().run().await.unwrap();
    sandbox.stop().await;
    result.ipe_results["CR_04"].clone()
}

pub(super) async fn verified(google: &Google, package: &str) -> VerifyReport {
    let roots = RootOpener::new(&google.settings()).await.unwrap();
    app::verify_with(&roots, package, None, None).await.unwrap()
}

pub(super) fn assert_valid(report: &VerifyReport) {
    assert!(
        report.findings.is_empty() && report.not_run.is_empty(),
        "{report:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_staged_and_sealed_in_buckets_and_verifies_there() {
    let (google, place) = (Google::start().await, Place::new());
    for nth in 1..=2 {
        let item = run_in_buckets(&place, &google).await;
        assert_eq!(item.status, ItemStatus::Success, "{nth}: {item:#?}");
        let package = item.evidence.as_deref().unwrap();
        assert!(
            package.starts_with(&format!("{EVIDENCE}/CR_04/")),
            "{package}"
        );
        assert_valid(&verified(&google, package).await);
    }
    for bucket in ["staging", "evidence"] {
        let line = format!("PUT /{bucket}/");
        let written = google.buckets.objects(bucket).len();
        assert!(written > 2, "{bucket}");
        assert_eq!(google.fake.seen(&line).len(), written, "each object once");
        assert!(google.fake.seen(&format!("DELETE /{bucket}")).is_empty());
    }
    for (name, text) in place.texts() {
        assert!(!text.contains("SENTINEL-TOKEN"), "{name}");
        assert!(name.contains("/warehouse/"), "{name} lies on the disk");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_changed_in_its_bucket_is_a_finding_and_one_that_is_gone_too() {
    let (google, place) = (Google::start().await, Place::new());
    let item = run_in_buckets(&place, &google).await;
    let package = item.evidence.as_deref().unwrap();
    let objects = google.buckets.objects("staging");
    let part = objects
        .keys()
        .find(|name| name.ends_with(".parquet"))
        .unwrap();
    let file = google.buckets.file("staging", part);
    let good = std::fs::read(&file).unwrap();
    let mut bad = good.clone();
    bad[100] ^= 1;
    std::fs::write(&file, bad).unwrap();
    let report = verified(&google, package).await;
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.place.contains("part-00000")),
        "{report:#?}"
    );
    std::fs::write(&file, good).unwrap();
    assert_valid(&verified(&google, package).await);

    google
        .fake
        .plan("data/verification.json", [Fault::Error(403, "forbidden")]);
    let report = verified(&google, package).await;
    assert!(
        report.findings.is_empty(),
        "unread is not changed: {report:#?}"
    );
    assert_eq!(report.not_run.len(), 1, "{report:#?}");

    google.buckets.deny("staging");
    let report = verified(&google, package).await;
    assert!(
        !report.not_run.is_empty(),
        "rows that nobody may read are not valid"
    );
    let said = format!("{report:?}");
    assert!(
        said.contains("roles/storage.objectViewer on bucket staging"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_may_not_write_evidence_reads_and_loads_nothing() {
    let (google, place) = (Google::start().await, Place::new());
    google.buckets.deny("evidence");
    let item = run_in_buckets(&place, &google).await;
    assert_eq!(item.status, ItemStatus::Error);
    let said = format!("{item:?}");
    assert!(said.contains("grant roles/storage."), "{said}");
    assert!(google.buckets.objects("staging").is_empty());
    assert!(google.buckets.objects("evidence").is_empty());
}

/// Runs the program beside the stand-ins.
pub(super) async fn shell(args: &[&str], google: &Google) -> Said {
    let endpoints: Vec<String> = google
        .endpoints()
        .iter()
        .map(|(name, url)| format!("{name}={url}"))
        .collect();
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let run = move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let environment = [("SOXAUTO_GOOGLE_ENDPOINT", endpoints.join(","))];
        let environment = environment
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        Shell::new().run_with(&args, &environment)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_and_inspect_work_where_the_package_lies() {
    let (google, place) = (Google::start().await, Place::new());
    let item = run_in_buckets(&place, &google).await;
    let package = item.evidence.as_deref().unwrap();
    let said = shell(&["verify", package], &google).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("\nVALID"), "{}", said.out);
    // So does an auditor with an account of their own.
    let auditor = own_account::home(&Issuer::login_file());
    let environment = [("HOME", auditor.path())];
    let said = own_account::soxauto(&google, &["verify", package], &environment).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(google.fake.seen("POST /token").len(), 1);

    let run_id = package.rsplit_once("run=").unwrap().1;
    let by_name = format!("CR_04@{run_id}");
    let roots = ["--staging", STAGING, "--evidence", EVIDENCE];
    let objects = google.buckets.objects("staging");
    let part = objects
        .keys()
        .find(|name| name.ends_with(".parquet"))
        .unwrap();
    let part = format!("gs://staging/{part}");
    for target in [by_name.as_str(), package, &part] {
        let args = [&["inspect", target, "--digest", "--json"][..], &roots].concat();
        let said = shell(&args, &google).await;
        assert_eq!(said.code, 0, "{target}: {}{}", said.out, said.err);
        let shown: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(shown["rows"], item.rows_extracted, "{target}");
    }
    let said = shell(&["inspect", "gs://stagin/x"], &google).await;
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.err.contains("there is no bucket stagin"),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_may_lie_in_a_secret() {
    let (google, place) = (Google::start().await, Place::new());
    let key = google
        .issuer
        .key_file(&format!("{}/token", google.fake.url()));
    let name = "GOOGLE_SERVICE_ACCOUNT_CREDENTIALS";
    let sandbox = Sandbox::start(SandboxConfig::of(Some(300), None))
        .await
        .unwrap();
    let mut settings = settings(&place, &google);
    settings.google.credentials = GoogleCredentials::Secret;

    // Without the secret nothing begins, and the secret is named.
    place.secret(&sandbox.odbc_connection_string());
    let error = App::build(settings.clone(), Arc::new(Silent)).await.err();
    assert!(error.unwrap().to_string().contains(name));

    let secrets = [
        ("DB_CREDENTIALS_NAV_BI", sandbox.odbc_connection_string()),
        (name, key),
    ];
    for (name, value) in &secrets {
        google.secrets.add(name, value, Damage::None);
    }
    settings.source.secrets = "gcp:test-project".parse().unwrap();
    let app = App::build(settings, Arc::new(Silent)).await.unwrap();
    let result = app.run().await.unwrap();
    sandbox.stop().await;
    let item = &result.ipe_results["CR_04"];
    assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
    assert_eq!(
        google.fake.seen("POST /token").len(),
        1,
        "the key wrote to the buckets"
    );
    for (bucket, name) in ["staging", "evidence"].iter().flat_map(|bucket| {
        google
            .buckets
            .objects(bucket)
            .into_keys()
            .map(move |name| (bucket, name))
    }) {
        let bytes = std::fs::read(google.buckets.file(bucket, &name)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("PRIVATE KEY") && !text.contains("PWD="),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_run_takes_no_root_on_its_disk_unless_it_must() {
    let said = |args: &'static [&'static str], variable: &'static str| async move {
        let run = move || {
            let head = [
                "run",
                "--period",
                "2024-04",
                "--ipe",
                "CR_04",
                "--sandbox-rows",
                "300",
            ];
            let args = [&head[..], args].concat();
            Shell::new().run_with(&args, &[(variable, "soxauto")])
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    for variable in ["K_SERVICE", "CLOUD_RUN_JOB"] {
        let refused = said(&[], variable).await;
        assert_eq!(refused.code, 2, "{}", refused.out);
        assert!(
            refused.err.contains("--staging out/staging"),
            "{}",
            refused.err
        );
        assert!(
            refused.err.contains("--force-local-disk"),
            "{}",
            refused.err
        );
    }
    let refused = said(
        &["--staging", "gs://s", "--evidence", "gs://e"],
        "K_SERVICE",
    )
    .await;
    assert!(
        refused.err.contains("--warehouse out/warehouse"),
        "{}",
        refused.err
    );
    assert_eq!(said(&["--force-local-disk"], "K_SERVICE").await.code, 0);
    assert_eq!(said(&[], "ANOTHER").await.code, 0);
}
