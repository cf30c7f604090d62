//! What does not leave for Drive: packages that are not sealed or not whole, and rows that are not those of the package.

use std::path::{Path, PathBuf};

use serde_json::Value;
use soxauto::domain::limits::Limits;

use super::delivered::{HARMLESS, again, assert_ends, run};
use super::fakes::Google;
use super::fakes::drive::FOLDER;
use crate::journey::Place;

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
