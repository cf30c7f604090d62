//! Storage that fails once, at every operation of a run: success, or an error that says so; never half a month.

use std::sync::atomic::Ordering;
use std::time::Duration;

use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::ports::{Cell, Warehouse as _};
use soxauto::sandbox::tds::fault::Faults;
use tempfile::TempDir;

use crate::evidence::world::verify;
use crate::rig::Rig;
use crate::small_ledger::{self, ROWS, item, serve};
use crate::support::failing;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Which {
    Staging,
    Evidence,
}

/// One whole run in the month and no other.
async fn assert_whole_month(rig: &Rig, run: &str, shown: &str) {
    let sql = format!(
        "SELECT _run_id, COUNT(*) AS n FROM {} GROUP BY _run_id",
        item().id.table_name()
    );
    let found = rig.warehouse().rows(&sql, 10).await.unwrap().rows;
    let whole = vec![Cell::Text(run.to_owned()), Cell::Int(i64::from(ROWS))];
    assert_eq!(found, [whole], "{shown}");
}

/// The package verifies, or the error says that there is none.
async fn assert_sealed_or_said(rig: &Rig, outcome: &ItemOutcome, shown: &str) {
    let said = outcome.record.error.clone().unwrap_or_default();
    match &outcome.package {
        Some(package) => {
            let folder = package.uri.strip_prefix("memory:///").unwrap();
            let report = verify(&rig.evidence.below(folder)).await;
            assert!(report.findings.is_empty(), "{shown}: {report:#?}");
        }
        None => assert!(said.contains("could not be sealed"), "{shown}: {said}"),
    }
    if outcome.record.status != ItemStatus::Success {
        assert!(
            said.contains("503") && said.contains("hint: "),
            "{shown}: {said}"
        );
    }
}

/// Fails the n-th operation of a run, for every n until a run makes fewer; each run works in what the one before left.
async fn fail_each(which: Which, lost: bool) {
    let dir = TempDir::new().unwrap();
    // A lease that could not be given back expires at once: the next run takes over.
    let limits = Limits {
        lease_expires_after: Duration::ZERO,
        ..small_ledger::limits()
    };
    let rig = Rig::new(dir.path(), limits);
    let (_server, odbc) = serve(Faults::default(), true).await;
    let good = rig.run(&odbc, &item()).await;
    assert_eq!(good.record.status, ItemStatus::Success, "{good:#?}");
    let mut old = rig.month(&item()).unwrap();
    let mut failed = 0;
    for nth in 1.. {
        let mut broken = rig.clone();
        let root = match which {
            Which::Staging => &mut broken.staging,
            Which::Evidence => &mut broken.evidence,
        };
        let (failing, count) = failing(root.clone(), nth, lost);
        *root = failing;
        let outcome = broken.run(&odbc, &item()).await;
        let shown = format!("{which:?} operation {nth}, lost {lost}");
        let month = rig.month(&item()).unwrap();
        let ours = outcome.record.context.run_id.to_string();
        let success = outcome.record.status == ItemStatus::Success;
        assert!(
            month == ours || (month == old && !success),
            "{shown}: {month}"
        );
        assert_whole_month(&rig, &month, &shown).await;
        assert_sealed_or_said(&rig, &outcome, &shown).await;
        old = month;
        failed += u32::from(!success);
        if count.load(Ordering::SeqCst) < nth {
            assert!(success, "{shown}: {:?}", outcome.record.error);
            assert!(nth > 5 && failed > 2, "{nth} operations, {failed} failed");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staging_that_fails_once_anywhere_never_half_publishes() {
    fail_each(Which::Staging, false).await;
    fail_each(Which::Staging, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_fails_once_anywhere_is_said_and_never_half_publishes() {
    fail_each(Which::Evidence, false).await;
    fail_each(Which::Evidence, true).await;
}
