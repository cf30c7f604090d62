//! Full disks: the message names them, nothing is loaded, and the package is sealed all the same.

use soxauto::adapters::store;
use soxauto::catalog::Catalog;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::ports::StoreRoot;
use soxauto::sandbox::SandboxConfig;

use super::{Place, limits, sandbox};
use crate::rig::Rig;
use crate::support::{small_disk, small_folder};

/// Runs IPE_07 with these two roots.
async fn run_with(
    place: &Place,
    (staging, evidence): (StoreRoot, StoreRoot),
    limits: Limits,
) -> ItemOutcome {
    let sandbox = sandbox(SandboxConfig::default()).await;
    let catalog = Catalog::embedded().unwrap();
    let ipe = catalog.select(&["IPE_07".to_owned()]).unwrap()[0];
    let warehouse = place.path("warehouse");
    let rig = Rig {
        staging,
        evidence,
        warehouse,
        limits,
    };
    rig.run(&sandbox.odbc_connection_string(), ipe).await
}

fn assert_full(outcome: &ItemOutcome) -> String {
    let message = outcome.record.error.clone().unwrap();
    assert_eq!(outcome.record.status, ItemStatus::Error);
    assert!(
        message.contains("full") && message.contains("hint:"),
        "{message}"
    );
    assert!(outcome.record.receipt.is_none());
    message
}

async fn assert_sealed(outcome: &ItemOutcome) {
    let package = outcome.package.as_ref().expect("sealed");
    let report = soxauto::app::verify(&package.uri, None, None).await;
    let report = report.unwrap();
    assert!(report.findings.is_empty(), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_staging_disk_is_named_and_sealed() {
    let place = Place::new();
    let evidence = store::open(&place.path("evidence")).unwrap();
    let outcome = run_with(&place, (small_disk(10_000), evidence), limits()).await;
    assert_full(&outcome);
    assert_sealed(&outcome).await;
}

/// Rows and evidence on one disk, which the rows fill: only the room that was reserved lets the package be sealed.
#[tokio::test(flavor = "multi_thread")]
async fn the_reserve_lets_a_package_be_sealed_on_the_disk_that_the_rows_filled() {
    const FREE: u64 = 20_000;
    for reserve in [1 << 20, 0] {
        let place = Place::new();
        let disk = place.dir.path().join("disk");
        let root = store::open(disk.to_str().unwrap()).unwrap();
        let size = FREE + u64::try_from(reserve).unwrap();
        let evidence = small_folder(root.clone(), &disk, size);
        let staging = small_folder(root.below("staging"), &disk, size);
        let limits = Limits {
            evidence_reserve_bytes: reserve,
            ..limits()
        };
        let outcome = run_with(&place, (staging, evidence), limits).await;
        let message = assert_full(&outcome);
        if reserve > 0 {
            assert_sealed(&outcome).await;
            let left = std::fs::read_dir(&disk).unwrap();
            let mut left = left.map(|entry| entry.unwrap().file_name());
            assert!(
                left.all(|name| !name.to_str().unwrap().starts_with(".reserve")),
                "the reserve was given back"
            );
        } else {
            assert_eq!(outcome.package, None, "without room nothing can be sealed");
            assert!(message.contains("could not be sealed"), "{message}");
        }
    }
}
