//! Runs that could not seal their own package: their lease stays, and whoever comes next seals in their name, however
//! often that is cut off (ADR-0024).

use std::collections::BTreeMap;
use std::time::Duration;

use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::pipeline::lease::leases_folder;
use soxauto::pipeline::package::MANIFEST;
use soxauto::pipeline::package::write::folder_of_run;
use soxauto::ports::StoreRoot;
use soxauto::sandbox::tds::fault::Faults;
use tempfile::TempDir;

use crate::evidence::world::{assert_valid, verify};
use crate::rig::Rig;
use crate::small_ledger::{self, item, serve};
use crate::support::cut_off;

/// A rig in memory; leases expire after `expire`.
fn rig(dir: &TempDir, expire: Duration) -> Rig {
    let limits = Limits {
        lease_expires_after: expire,
        ..small_ledger::limits()
    };
    Rig::new(dir.path(), limits)
}

/// The same with an evidence root that takes so many objects more: the first is the run's lease.
fn cut(rig: &Rig, objects: usize) -> Rig {
    Rig {
        evidence: cut_off(rig.evidence.clone(), objects),
        ..rig.clone()
    }
}

/// Files below a folder of the evidence with their bytes.
async fn files(evidence: &StoreRoot, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for stored in evidence.list(folder).await.unwrap() {
        let bytes = evidence.get(&stored.path).await.unwrap();
        found.insert(stored.path, bytes.to_vec());
    }
    found
}

/// Whether a generation's lease was given back.
async fn gave_back(rig: &Rig, generation: u32) -> bool {
    let period = "2024-04".parse().unwrap();
    let folder = format!("{}/{generation:06}", leases_folder(&item().id, period));
    let found = files(&rig.evidence, &folder).await;
    assert!(found.keys().any(|path| path.ends_with("/lease.json")));
    found.keys().any(|path| path.ends_with("/ended.json"))
}

fn abandoned(outcome: &ItemOutcome) -> String {
    format!("{}.abandoned", folder_of_run(&outcome.record))
}

fn error(outcome: &ItemOutcome) -> &str {
    assert_eq!(outcome.record.status, ItemStatus::Error, "{outcome:#?}");
    outcome.record.error.as_deref().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_could_not_seal_keeps_its_lease_and_is_buried_when_it_lapses() {
    let dir = TempDir::new().unwrap();
    let (_server, odbc) = serve(Faults::default(), true).await;
    let waits = rig(&dir, Duration::from_secs(300));
    let mute = cut(&waits, 1).run(&odbc, &item()).await;
    assert!(mute.package.is_none());
    assert!(error(&mute).contains("could not be sealed"), "{mute:#?}");
    assert!(
        !gave_back(&waits, 1).await,
        "a lease given back has no heir"
    );

    // Its process is there and its lease has not lapsed: nobody takes the month from it.
    let refused = waits.run(&odbc, &item()).await;
    let who = mute.record.context.run_id.as_str();
    assert!(error(&refused).contains(who), "{refused:#?}");
    let buried = waits.evidence.below(&abandoned(&mute));
    assert!(buried.list("").await.unwrap().is_empty());

    let heir = Rig {
        limits: rig(&dir, Duration::ZERO).limits,
        ..waits.clone()
    };
    let next = heir.run(&odbc, &item()).await;
    assert_eq!(next.record.status, ItemStatus::Success, "{next:#?}");
    assert_valid(&verify(&buried).await);
    let dead = std::slice::from_ref(&mute.record.context.run_id);
    assert_eq!(next.buried, dead);
    assert!(gave_back(&heir, 2).await);
}

/// The twin: a run that sealed gives its lease back, and the next one waits for nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_sealed_leaves_nothing_to_bury() {
    let dir = TempDir::new().unwrap();
    let (_server, odbc) = serve(Faults::default(), true).await;
    let rig = rig(&dir, Duration::from_secs(300));
    let first = rig.run(&odbc, &item()).await;
    assert!(gave_back(&rig, 1).await);
    let second = rig.run(&odbc, &item()).await;
    for outcome in [&first, &second] {
        assert_eq!(outcome.record.status, ItemStatus::Success, "{outcome:#?}");
        assert!(outcome.buried.is_empty());
        let folder = rig.evidence.below(&abandoned(outcome));
        assert!(folder.list("").await.unwrap().is_empty());
    }
}

/// Cut off at every file of the package; the next run adds what is missing and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_burial_that_was_cut_off_is_completed_by_the_next_run() {
    let (_server, odbc) = serve(Faults::default(), true).await;
    for written in 0.. {
        let dir = TempDir::new().unwrap();
        let rig = rig(&dir, Duration::ZERO);
        let mute = cut(&rig, 1).run(&odbc, &item()).await;
        assert!(mute.package.is_none());
        let grave = abandoned(&mute);
        let digger = cut(&rig, 1 + written).run(&odbc, &item()).await;
        let begun = files(&rig.evidence, &grave).await;
        if begun.keys().any(|path| path.ends_with(MANIFEST)) {
            assert!(written > 10, "{written} files are no package");
            return;
        }
        assert_eq!(begun.len(), written);
        let said = error(&digger);
        assert!(said.contains("step lease"), "it went on: {said}");

        let next = rig.run(&odbc, &item()).await;
        assert_eq!(next.record.status, ItemStatus::Success, "{next:#?}");
        for grave in [&grave, &abandoned(&digger)] {
            assert_valid(&verify(&rig.evidence.below(grave)).await);
        }
        let whole = files(&rig.evidence, &grave).await;
        for (path, bytes) in begun {
            assert_eq!(whole[&path], bytes, "{path} was changed");
        }
    }
}
