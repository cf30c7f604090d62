//! A ledger that is posted to while it is read: one SNAPSHOT passes, a bracketed view is held.

use soxauto::domain::check::Verdict;
use soxauto::domain::run::ItemStatus;
use soxauto::ports::Consistency;
use soxauto::sandbox::SandboxConfig;

use super::whole::record;
use super::{Place, assert_held, assert_sealed, run, sandbox};

fn busy(snapshot_allowed: bool) -> SandboxConfig {
    SandboxConfig {
        writers: 2,
        snapshot_allowed,
        ..SandboxConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_snapshot_of_a_busy_ledger_passes_and_its_totals_agree() {
    let place = Place::new();
    let sandbox = sandbox(busy(true)).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut rows = Vec::new();
    for _ in 0..2 {
        let result = run(place.settings("IPE_07")).await;
        let item = &result.ipe_results["IPE_07"];
        assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
        let record = record(item.evidence.as_deref().unwrap());
        assert_eq!(record.consistency, Some(Consistency::Snapshot));
        let staged = record.staged.unwrap();
        assert_eq!(record.source_totals.unwrap(), staged.totals);
        assert_eq!(staged.totals, record.read_back.unwrap().totals);
        assert_sealed(item).await;
        rows.push(item.rows_extracted);
    }
    assert!(
        rows[0] >= 2_000 && rows[1] > rows[0],
        "the writers post: {rows:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_ledger_without_snapshot_holds_the_load() {
    let place = Place::new();
    let sandbox = sandbox(busy(false)).await;
    place.secret(&sandbox.odbc_connection_string());
    let result = run(place.settings("IPE_07")).await;
    let item = &result.ipe_results["IPE_07"];
    let stable = item.validation_summary["transfer.source_stable"];
    assert_eq!(stable, Verdict::Fail, "{item:#?}");
    let record = record(item.evidence.as_deref().unwrap());
    assert_eq!(record.consistency, Some(Consistency::Bracketed));
    assert_ne!(record.source_totals, record.source_totals_after);
    let findings: Vec<&String> = record.checks.iter().flat_map(|c| &c.findings).collect();
    let found = |part: &str| findings.iter().any(|finding| finding.contains(part));
    assert!(
        found("source changed while read") && found("source before"),
        "{findings:?}"
    );
    assert_held(item, ItemStatus::Failed, &place).await;
}

/// The negative twin: nobody posts, so before and after agree, and postings begin only with writers.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_ledger_without_snapshot_is_loaded() {
    let place = Place::new();
    let config = SandboxConfig {
        writers: 0,
        ..busy(false)
    };
    let sandbox = sandbox(config).await;
    place.secret(&sandbox.odbc_connection_string());
    for _ in 0..2 {
        let result = run(place.settings("IPE_07")).await;
        let item = &result.ipe_results["IPE_07"];
        assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
        assert_eq!(item.rows_extracted, 2_000);
        let record = record(item.evidence.as_deref().unwrap());
        assert_eq!(record.consistency, Some(Consistency::Bracketed));
    }
}
