//! Packages that leave for Drive: what goes, what never goes, and that no run's outcome depends on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use soxauto::adapters::google::drive::{Drive, SCOPE};
use soxauto::adapters::store;
use soxauto::app::App;
use soxauto::domain::limits::{DriveLimits, Limits};
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::deliver::{Delivery, DeliveryReport, deliver};
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::workflow::IpeResult;
use soxauto::sandbox::{Sandbox, SandboxConfig};
use soxauto::settings::{DriveSettings, RunSettings};

use super::fakes::drive::{FOLDER, OWN_FOLDER};
use super::fakes::server::Fault;
use super::fakes::{Google, quick};
use crate::cli::{Said, Shell};
use crate::journey::Place;
use crate::server::{Served, open_settings};

/// What stands in rows: a key that is there twice, the amount of a company's only row, a person.
const KEY: &str = "1947110815";
const AMOUNT: &str = "77665544.33";
const PERSON: &str = "Sentinel O'Mally 4711";

pub(super) const HARMLESS: [&str; 4] = [
    "_summary.md",
    "_parts.json",
    "_parts.sha256",
    "_manifest-sha256.txt",
];

/// An item over a table of three rows, two of which have one key.
fn sentinel_item(shell: &Shell) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/examples/shop");
    let copy = |from: &str, to: &str| {
        let to = shell.path(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(example.join(from), to).unwrap();
    };
    for name in ["ipe.toml", "query.sql"] {
        let at = format!("catalog/PAYMENTS/{name}");
        copy(&at, &at);
    }
    copy(
        "tables/Shop/dbo/Payments.toml",
        "tables/Shop/dbo/Payments.toml",
    );
    let rows = format!(
        "PaymentNo;Company;PaidOn;Amount;Currency;Customer;Memo\n\
         {KEY};EC_NG;2024-04-02;1.00;NGN;{PERSON};m\n{KEY};EC_NG;2024-04-03;2.50;NGN;{PERSON};m\n\
         3;EC_KE;2024-04-03;{AMOUNT};KES;{PERSON};m\n"
    );
    std::fs::write(shell.path("tables/Shop/dbo/Payments.csv"), rows).unwrap();
}

/// The binary with everything of Google here.
fn said(shell: &Shell, google: &Google, args: &[&str]) -> Said {
    let endpoints = google.endpoints();
    let endpoints = endpoints.iter().map(|(name, url)| format!("{name}={url}"));
    let endpoints = endpoints.collect::<Vec<_>>().join(",");
    let environment = [("SOXAUTO_GOOGLE_ENDPOINT", endpoints.as_str())];
    tokio::task::block_in_place(|| shell.run_with(args, &environment))
}

const RUN: [&str; 10] = [
    "run",
    "--period",
    "2024-04",
    "--catalog",
    "catalog",
    "--sandbox-data",
    "tables",
    "--json",
    "--drive-folder",
    FOLDER,
];

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
}

/// The files that were put there end so, in this order.
pub(super) fn assert_ends(google: &Google, expected: &[&str]) {
    let files = google.drive.files();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names.len(), expected.len(), "{names:?}");
    for (name, end) in names.iter().zip(expected) {
        assert!(name.ends_with(end), "{name} does not end with {end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn summary_and_manifests_leave_and_nothing_that_stands_in_a_row() {
    let (shell, google) = (Shell::new(), Google::start().await);
    sentinel_item(&shell);
    let run = said(&shell, &google, &[&RUN[..], &["--log", "trace"]].concat());
    assert!(run.err.lines().count() > 20, "the log is on: {}", run.err);
    for secret in ["SENTINEL-SESSION", "SENTINEL-TOKEN"] {
        assert!(!run.err.contains(secret) && !run.out.contains(secret));
    }
    let result = json(&run);
    let item = &result["ipe_results"]["PAYMENTS"];
    assert_eq!(item["status"], "FAILED", "{result:#}");
    assert_ends(&google, &HARMLESS);
    let files = item["delivery"]["files"].as_array().unwrap();
    for (file, kept) in files.iter().zip(google.drive.files()) {
        assert_eq!(file["id"], kept.id.as_str());
        assert!(file["link"].as_str().unwrap().contains(&kept.id));
        let text = String::from_utf8(kept.bytes).unwrap();
        for sentinel in [KEY, AMOUNT, PERSON, "Sentinel"] {
            assert!(!text.contains(sentinel), "{} holds {sentinel}", kept.name);
        }
    }
    let outline = String::from_utf8(google.drive.one("_summary.md").bytes).unwrap();
    for part in [
        "**FAILED: a check did not pass**",
        "| EC_KE | 1 | left out |",
        "| EC_NG | 2 | 3.5",
        "| key.unique | **FAIL** | 3 | 1 |",
        item["manifest_sha256"].as_str().unwrap(),
    ] {
        assert!(outline.contains(part), "{part} is not in {outline}");
    }

    // The twin: the sealed package says all of it, so this test would see it.
    let package = PathBuf::from(
        item["evidence"]
            .as_str()
            .unwrap()
            .trim_start_matches("file://"),
    );
    let summary = std::fs::read_to_string(package.join("data/summary.md")).unwrap();
    assert!(
        summary.contains(KEY) && summary.contains(AMOUNT),
        "{summary}"
    );
    let sealed = std::fs::read(package.join("manifest-sha256.txt")).unwrap();
    assert_eq!(google.drive.one("_manifest-sha256.txt").bytes, sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_leave_only_when_it_is_said_and_the_archive_verifies_elsewhere() {
    let (shell, google) = (Shell::new(), Google::start().await);
    sentinel_item(&shell);
    let run = said(&shell, &google, &RUN);
    let evidence = json(&run)["ipe_results"]["PAYMENTS"]["evidence"].clone();
    let package = evidence.as_str().unwrap();
    let upload = ["upload", package, "--drive-folder", FOLDER];
    let again = said(&shell, &google, &upload);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert_eq!(again.out.matches("was there").count(), 4, "{}", again.out);
    assert_ends(&google, &HARMLESS);

    let with_rows = [&upload[..], &["--include-rows"]].concat();
    let more = said(&shell, &google, &with_rows);
    assert_eq!(more.code, 0, "{}{}", more.out, more.err);
    assert_eq!(google.drive.files().len(), 5);
    let archive = google.drive.one("_package-with-rows.zip").bytes;
    let file = shell.path("archive.zip");
    std::fs::write(&file, &archive).unwrap();
    let unpacked = Shell::new();
    let python = std::env::var_os("SOXAUTO_TEST_PYTHON").expect("run scripts/test");
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/unpack_archive.py"))
        .args([&file, &unpacked.dir.path().to_owned()])
        .output()
        .unwrap();
    let entries = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<&str> = entries.lines().collect();
    assert!(lines.is_sorted() && lines.len() > 20, "{entries}");
    for line in &lines {
        assert!(line.ends_with(" 1980-1-1-0-0-0 0 0o100644"), "{line}");
    }
    let below = package.split_once("/evidence/").unwrap().1;
    let verified = unpacked.run(&[
        "verify",
        &format!("evidence/{below}"),
        "--staging",
        "staging",
    ]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);

    // Copied elsewhere, so with other times, and archived by another process: the same bytes.
    let (copy, other) = (Shell::new(), Google::start().await);
    let out = shell.path("out");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&out)
        .arg(copy.dir.path())
        .status();
    assert!(copied.unwrap().success());
    let at = format!("out/evidence/{below}");
    let args = ["upload", &at, "--staging", "out/staging", "--include-rows"];
    let args = [&args[..], &["--drive-folder", FOLDER]].concat();
    let said = said(&copy, &other, &args);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for end in [&HARMLESS[..], &["_package-with-rows.zip"]].concat() {
        let (here, there) = (google.drive.one(end), other.drive.one(end));
        assert_eq!(here.name, there.name);
        assert!(here.bytes == there.bytes, "{end}");
    }
}

pub(super) fn settings(place: &Place, google: &Google, folder: &str) -> RunSettings {
    let mut settings = place.settings("CR_04");
    settings.drive = Some(DriveSettings {
        folder: folder.parse().unwrap(),
        include_rows: false,
    });
    settings.google = google.settings();
    settings.limits = Limits {
        http: quick(),
        ..settings.limits
    };
    settings
}

pub(super) async fn run(place: &Place, google: &Google, folder: &str) -> IpeResult {
    let sandbox = Sandbox::start(SandboxConfig::of(Some(2_000), None))
        .await
        .unwrap();
    place.secret(&sandbox.odbc_connection_string());
    let app = App::build(settings(place, google, folder), Arc::new(Silent)).await;
    let result = app.unwrap().run().await.unwrap();
    sandbox.stop().await;
    result.ipe_results["CR_04"].clone()
}

/// Delivers the package of a result as it lies now.
pub(super) async fn again(
    google: &Google,
    package: &str,
    limits: &Limits,
    rows: bool,
) -> DeliveryReport {
    let folder = FOLDER.parse().unwrap();
    let drive = Drive::new(google.session(), folder, DriveLimits::default());
    let package = store::open_existing(package).unwrap();
    let open = |location: &str| store::open_existing(location);
    let delivery = Delivery {
        package: &package,
        rows: rows.then_some(&open),
        limits,
    };
    deliver(&drive, delivery).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_fails_changes_nothing_and_can_be_repeated() {
    let (google, place) = (Google::start().await, Place::new());
    let good = run(&place, &google, FOLDER).await;
    assert_eq!(good.delivery.as_ref().unwrap().error, None);
    for (folder, fault) in [
        (OWN_FOLDER, None),
        (
            FOLDER,
            Some(Fault::Error(403, "insufficientFilePermissions")),
        ),
    ] {
        let google = Google::start().await;
        google.fake.plan("POST /upload", fault);
        let item = run(&place, &google, folder).await;
        let report = item.delivery.clone().unwrap();
        assert!(report.error.unwrap().contains("hint: "));
        assert!(report.files.is_empty() && google.drive.files().is_empty());
        assert_eq!(item.status, ItemStatus::Success);
        assert_eq!(item.validation_summary, good.validation_summary);
        assert_eq!(item.error_message, None);
        let package = item.evidence.as_deref().unwrap();
        let verified = soxauto::app::verify(package, None, None).await.unwrap();
        assert!(verified.findings.is_empty() && verified.not_run.is_empty());
        let report = again(&google, package, &Limits::default(), false).await;
        assert_eq!((report.files.len(), report.error), (4, None));
        let verified = soxauto::app::verify(package, None, None).await.unwrap();
        assert!(
            verified.findings.is_empty(),
            "the package stays as it was sealed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_deliver_keeps_its_exit_code_and_says_how_to_repeat() {
    let (shell, google) = (Shell::new(), Google::start().await);
    let small = [
        "run",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
        "--ipe",
        "CR_04",
    ];
    let args = [&small[..], &["--drive-folder", OWN_FOLDER]].concat();
    let run = said(&shell, &google, &args);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("NOT DELIVERED: "), "{}", run.out);
    assert!(run.out.contains("SUCCESS, NO_EXCEPTIONS"), "{}", run.out);
    let (_, package) = run.err.split_once("again: soxauto upload ").unwrap();
    let package = package.lines().next().unwrap();
    let upload = ["upload", package, "--drive-folder", OWN_FOLDER];
    let again = said(&shell, &google, &upload);
    assert_eq!(again.code, 2, "who asks for the upload alone hears of it");
    assert!(again.out.contains("shared drive"), "{}", again.out);
    assert!(google.drive.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_answers_with_the_files_and_its_tokens_are_for_drive_alone() {
    let (google, place) = (Google::start().await, Place::new());
    let mut service = open_settings(&place);
    let drive = settings(&place, &google, FOLDER);
    (service.run.drive, service.run.google) = (drive.drive, drive.google);
    let served = Served::start(service).await;
    let config = served.get("/config").await.json();
    assert_eq!(config["google_drive_folder_id"], FOLDER);
    let body = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;
    let reply = served.post(body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let result = reply.json();
    let files = &result["ipe_results"]["CR_04"]["delivery"]["files"];
    let manifest = google.drive.one("_manifest-sha256.txt");
    assert_eq!(files[3]["id"], manifest.id.as_str(), "{files:#}");
    assert_eq!(files[3]["was_there"], false);
    assert!(served.stopped().await);

    let scope: String = url::form_urlencoded::byte_serialize(SCOPE.as_bytes()).collect();
    let asked = google.fake.seen("/token?");
    assert!(!asked.is_empty());
    for seen in asked {
        assert!(
            seen.target.ends_with(&format!("scopes={scope}")),
            "{}",
            seen.target
        );
    }
}
