//! The evidence package: sealed whole, verified against every kind of change.

mod losses;
mod rules;
pub(crate) mod sample;
mod tamper;
pub(crate) mod world;

use std::process::Command;

use soxauto::adapters::store;
use soxauto::domain::check::Verdict;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::package::write::package_folder;
use soxauto::pipeline::package::{Outcome, seal};
use soxauto::pipeline::record::ItemRecord;
use soxauto::ports::PortErrorKind;

use crate::support::cut_off;
use world::{LOG, World, assert_valid, check_again, verify, verify_with};

#[tokio::test]
async fn an_untouched_package_is_valid() {
    let world = World::run(1_500).await;
    assert!(world.record.staged.as_ref().unwrap().parts.len() > 1);
    let package = world.seal(&world.record).await;
    let report = verify(&package).await;
    assert_valid(&report);
    assert_eq!(report.outcome().exit_code(), 0);
    assert!(
        report.checked.iter().any(|what| what.contains("1500 rows")),
        "{report:?}"
    );
}

#[tokio::test]
async fn an_item_without_rows_is_evidence_too() {
    let world = World::run(0).await;
    let package = world.seal(&world.record).await;
    assert_valid(&verify(&package).await);
}

#[tokio::test]
async fn sealing_again_is_success_and_nothing_is_overwritten() {
    let world = World::run(100).await;
    let first = seal(&world.evidence, &world.record, LOG).await.unwrap();
    assert_eq!(
        seal(&world.evidence, &world.record, LOG).await.unwrap(),
        first
    );
    let error = seal(&world.evidence, &world.record, b"another log\n")
        .await
        .unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    let package = world.seal(&world.record).await;
    let noted = Some(first.manifest_sha256.as_str());
    assert_valid(&verify_with(&package, None, noted).await);
    let other = "0".repeat(64);
    let report = verify_with(&package, None, Some(&other)).await;
    assert_eq!(report.findings.len(), 1, "{report:#?}");
    assert_eq!(report.findings[0].place, "manifest-sha256.txt");
}

#[tokio::test]
async fn a_seal_cut_off_anywhere_is_never_valid_and_can_be_completed() {
    let world = World::run(300).await;
    let folder = package_folder(&world.record);
    for writes in 0.. {
        let root = store::memory();
        let package = root.below(&folder);
        let cut = seal(&cut_off(root.clone(), writes), &world.record, LOG).await;
        if cut.is_ok() {
            assert!(writes > 10, "a package has more than {writes} files");
            assert_valid(&verify(&package).await);
            break;
        }
        let report = verify(&package).await;
        assert_ne!(report.outcome(), Outcome::Valid, "after {writes} writes");
        seal(&root, &world.record, LOG).await.unwrap();
        assert_valid(&verify(&package).await);
    }
}

#[tokio::test]
async fn failed_and_broken_runs_are_sealed_and_say_so() {
    let world = World::run(300).await;
    let not_loaded = |record: &mut ItemRecord| {
        record.receipt = None;
        record.read_back = None;
        record.read_back_runs = None;
        check_again(record);
    };
    let mut failed = world.record.clone();
    failed.status = ItemStatus::Failed;
    let groups = &mut failed.source_totals.as_mut().unwrap().groups;
    groups.get_mut("EC_NG").unwrap().rows += 1;
    not_loaded(&mut failed);
    let transfer = failed.checks.iter().find(|check| !check.clears()).unwrap();
    assert_eq!(transfer.id, "transfer.source_decoded");
    assert_eq!(transfer.verdict, Verdict::Fail);
    assert_valid(&world.verdict(&failed).await);

    let mut broken = world.record.clone();
    broken.status = ItemStatus::Error;
    broken.error = Some("the server closed the connection\nhint: run again".into());
    broken.staged = None;
    broken.recomputed = None;
    broken.nulls = None;
    broken.source_totals = None;
    not_loaded(&mut broken);
    assert_valid(&world.verdict(&broken).await);
}

#[tokio::test]
async fn without_its_parts_a_package_is_not_concluded() {
    let world = World::run(1_500).await;
    let package = world.seal(&world.record).await;
    let parts = &world.record.staged.as_ref().unwrap().parts;
    let (old, new) = (
        world.dir.path().join("staging"),
        world.dir.path().join("moved"),
    );
    std::fs::rename(&old, &new).unwrap();
    let report = verify(&package).await;
    assert_eq!(report.findings, vec![]);
    assert_eq!(report.outcome(), Outcome::NotConcluded);
    assert_eq!(report.outcome().exit_code(), 2);

    let moved = soxauto::adapters::store::open_existing(new.to_str().unwrap()).unwrap();
    assert_valid(&verify_with(&package, Some(&moved), None).await);

    std::fs::remove_file(new.join(&parts[1].path)).unwrap();
    let report = verify_with(&package, Some(&moved), None).await;
    world::assert_names(&report, &parts[1].uri, "one part is missing");
    assert_eq!(report.outcome(), Outcome::NotConcluded);
}

#[tokio::test]
async fn plain_sha256sum_checks_package_and_parts() {
    let world = World::run(1_500).await;
    world.seal(&world.record).await;
    let folder = world
        .dir
        .path()
        .join("evidence")
        .join(package_folder(&world.record));
    let check = |list: &std::path::Path, within: &std::path::Path| {
        Command::new("sha256sum")
            .arg("-c")
            .arg(list)
            .current_dir(within)
            .output()
            .unwrap()
    };
    assert!(
        check(&folder.join("manifest-sha256.txt"), &folder)
            .status
            .success()
    );
    let staging = world.dir.path().join("staging");
    let output = check(&folder.join("data/parts.sha256"), &staging);
    assert!(output.status.success(), "{output:?}");
    let part = staging.join(&world.record.staged.as_ref().unwrap().parts[0].path);
    std::fs::write(part, "x").unwrap();
    assert!(
        !check(&folder.join("data/parts.sha256"), &staging)
            .status
            .success()
    );
}

/// Defect 6 of the predecessor: company codes were cut to two letters, so that evidence of four companies had one name.
#[tokio::test]
async fn names_are_whole_and_companies_that_begin_alike_stay_apart() {
    let world = World::run(300).await;
    let folder = |record: &ItemRecord| {
        let run_id = &record.context.run_id;
        format!("{}/period=2024-04/run={run_id}", record.ipe)
    };
    let mut other = world.record.clone();
    other.context = sample::context(2);
    let mut timing = world.record.clone();
    timing.ipe = "IPE_08_TIMING".parse().unwrap();
    for record in [&world.record, &other, &timing] {
        assert_eq!(package_folder(record), folder(record));
    }
    assert_ne!(package_folder(&other), package_folder(&world.record));
    let page = soxauto::pipeline::package::summary::summary(&world.record);
    for company in ["EC_KE", "EC_NG", "JM_EG"] {
        assert!(page.contains(&format!("| {company} | 100 |")), "{page}");
    }
    assert!(!page.contains("| EC |"), "{page}");
}

#[tokio::test]
async fn the_summary_is_for_people() {
    let world = World::run(1_500).await;
    let page = soxauto::pipeline::package::summary::summary(&world.record);
    let fingerprint = world.record.staged.as_ref().unwrap().digest.fingerprint();
    for text in [
        "# PG-01 · IPE_07: Customer ledger \\| entries",
        "**PRELIMINARY**",
        "April 2024: everything dated before 1 May 2024 (cutoff 2024-05-01)",
        "NOT CONTROL EVIDENCE",
        "the source is the embedded sandbox",
        "| EC_KE | 500 |",
        "| equal | equal | equal |",
        &fingerprint[..12],
        "| transfer.source_decoded | pass | rows and sums per company by separate SQL = decoded |",
    ] {
        assert!(page.contains(text), "{text} is not in\n{page}");
    }
    let mut failed = world.record.clone();
    failed.status = ItemStatus::Error;
    failed.error = Some("the disk is full".into());
    failed.receipt = None;
    failed.context.stamps.clear();
    let page = soxauto::pipeline::package::summary::summary(&failed);
    assert!(
        page.contains("    the disk is full\n") && page.contains("What to do"),
        "{page}"
    );
    assert!(!page.contains("NOT CONTROL EVIDENCE"));
}
