//! What does not leave for Drive: packages that are not sealed or not whole, and rows that are not those of the package;
//! and who is told when something did not that should have.

use std::path::{Path, PathBuf};

use serde_json::Value;
use soxauto::domain::limits::Limits;

use super::delivered::{HARMLESS, again, assert_ends, run};
use super::fakes::Google;
use super::fakes::drive::{FOLDER, OWN_FOLDER};
use crate::cli::{Said, Shell};
use crate::journey::Place;
use crate::server::alerts::{SECRET, alert_lines, chat, messages, until_told};
use crate::server::{Served, open_settings};

#[tokio::test(flavor = "multi_thread")]
async fn only_a_sealed_and_whole_package_leaves() {
    let (google, place) = (Google::start().await, Place::new());
    let item = run(&place, &Google::start().await, FOLDER).await;
    let package = item.evidence.unwrap();
    let folder = PathBuf::from(package.trim_start_matches("file://"));
    let limits = Limits::default();
    let manifest = folder.join("manifest-sha256.txt");
    let sealed = std::fs::read(&manifest).unwrap();
    std::fs::remove_file(&manifest).unwrap();
    let report = again(&google, &package, &limits, false).await;
    let error = report.error.unwrap();
    assert!(error.contains("there is no sealed package"), "{error}");
    std::fs::write(&manifest, sealed).unwrap();

    for name in [
        "data/parts.json",
        "data/record.json",
        "data/log.jsonl",
        "bag-info.txt",
    ] {
        let file = folder.join(name);
        let good = std::fs::read(&file).unwrap();
        std::fs::write(&file, [&good[..], b" "].concat()).unwrap();
        let report = again(&google, &package, &limits, false).await;
        let error = report.error.unwrap();
        assert!(error.contains("not whole"), "{name}: {error}");
        std::fs::write(&file, good).unwrap();
    }
    std::fs::write(folder.join("data/rows.csv"), "a,b").unwrap();
    let report = again(&google, &package, &limits, false).await;
    assert!(report.error.unwrap().contains("data/rows.csv"));
    std::fs::remove_file(folder.join("data/rows.csv")).unwrap();
    assert!(google.drive.files().is_empty(), "nothing left in all this");

    // The rows that are named, or none.
    let staged = json_of(&folder.join("data/parts.json"));
    let part = staged[0]["uri"].as_str().unwrap();
    let part = part.trim_start_matches("file://");
    let good = std::fs::read(part).unwrap();
    std::fs::write(part, [&good[..], b"x"].concat()).unwrap();
    let report = again(&google, &package, &limits, true).await;
    let error = report.error.unwrap();
    assert!(
        error.contains("not the one that the package names"),
        "{error}"
    );
    assert_ends(&google, &HARMLESS[..3]);
    std::fs::write(part, good).unwrap();
    let small = Limits {
        archive_bytes_max: 10_000,
        ..Limits::default()
    };
    let report = again(&google, &package, &small, true).await;
    assert!(report.error.unwrap().contains("leave --include-rows out"));
    assert_ends(&google, &HARMLESS[..3]);
    let report = again(&google, &package, &limits, true).await;
    assert_eq!((report.files.len(), report.error), (5, None));
}

fn json_of(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Runs the binary beside the stand-ins, with a webhook and JSON as its log.
fn told(shell: &Shell, google: &Google, url: &str, args: &[&str]) -> Said {
    let endpoints = google.endpoints();
    let endpoints = endpoints.iter().map(|(name, url)| format!("{name}={url}"));
    let endpoints = endpoints.collect::<Vec<_>>().join(",");
    let environment = [
        ("SOXAUTO_GOOGLE_ENDPOINT", endpoints.as_str()),
        ("SOXAUTO_ALERT_WEBHOOK", SECRET),
        ("SOXAUTO_LOG_FORMAT", "json"),
        (SECRET, url),
    ];
    tokio::task::block_in_place(|| shell.run_with(args, &environment))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_was_not_delivered_is_told_of_once() {
    let (chat, url) = chat().await;
    let (shell, google) = (Shell::new(), Google::start().await);
    let run = [
        "run",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
        "--ipe",
        "CR_04",
    ];
    let into = |folder| [&run[..], &["--drive-folder", folder]].concat();
    let said = told(&shell, &google, &url, &into(FOLDER));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(alert_lines(&said.err), Vec::<Value>::new());
    assert_eq!(messages(&chat), Vec::<String>::new());

    let said = told(&shell, &google, &url, &into(OWN_FOLDER));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let [line] = alert_lines(&said.err).try_into().unwrap();
    assert_eq!(line["severity"], "WARNING");
    assert_eq!(line["control_result"], "NO_EXCEPTIONS");
    let wanted =
        format!("CR_04 SUCCESS: its package was not delivered to folder {OWN_FOLDER} of Drive");
    let [message] = messages(&chat).try_into().unwrap();
    assert!(message.contains(&wanted), "{message}");
    // Whoever repeats it has heard, and hears himself what comes of it.
    let (_, package) = said.err.split_once("again: soxauto upload ").unwrap();
    let package = package.split('"').next().unwrap();
    let upload = ["upload", package, "--drive-folder", OWN_FOLDER];
    let said = told(&shell, &google, &url, &upload);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert_eq!(alert_lines(&said.err), Vec::<Value>::new());
    assert_eq!(messages(&chat).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_tells_of_it_once_too() {
    let (chat, url) = chat().await;
    let (place, google) = (Place::new(), Google::start().await);
    let folder = place.settings("").source;
    let (mut service, drive) = (
        open_settings(&place),
        super::delivered::settings(&place, &google, OWN_FOLDER),
    );
    (service.run.drive, service.run.google) = (drive.drive, drive.google);
    service.run.limits = drive.limits;
    let sandbox =
        soxauto::sandbox::Sandbox::start(soxauto::sandbox::SandboxConfig::of(Some(300), None));
    let sandbox = sandbox.await.unwrap();
    place.secret(&sandbox.odbc_connection_string());
    place.secret_named(SECRET, &url);
    service.run.source = folder;
    service.run.alert_webhook = Some(SECRET.to_owned());
    let served = Served::start(service).await;
    let reply = served
        .post(r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let [message] = until_told(&chat).await.try_into().unwrap();
    assert!(message.contains("was not delivered to folder"), "{message}");
    assert!(served.stopped().await);
    assert_eq!(messages(&chat).len(), 1);
    sandbox.stop().await;
}
