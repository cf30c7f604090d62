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
async fn assert_sealed_or_said(rig: &Rig, outcome: &ItemOutcome, (says, shown): (&str, &str)) {
    let said = outcome.record.error.clone().unwrap_or_default();
    match &outcome.package {
        Some(package) => {
            let folder = package.uri.strip_prefix(&rig.evidence.uri).unwrap();
            let folder = folder.trim_start_matches('/');
            let report = verify(&rig.evidence.below(folder)).await;
            assert!(report.findings.is_empty(), "{shown}: {report:#?}");
        }
        None => assert!(said.contains("could not be sealed"), "{shown}: {said}"),
    }
    if outcome.record.status != ItemStatus::Success {
        assert!(
            said.contains(says) && said.contains("hint: "),
            "{shown}: {said}"
        );
    }
}

/// A lease that could not be given back expires at once: the next run takes over.
pub(crate) fn limits() -> Limits {
    Limits {
        lease_expires_after: Duration::ZERO,
        ..small_ledger::limits()
    }
}

async fn fail_each(which: Which, lost: bool) {
    let dir = TempDir::new().unwrap();
    let rig = Rig::new(dir.path(), limits());
    let failed = fail_each_of(&rig, "503", |nth| {
        let mut broken = rig.clone();
        let root = match which {
            Which::Staging => &mut broken.staging,
            Which::Evidence => &mut broken.evidence,
        };
        let (failing, count) = failing(root.clone(), nth, lost);
        *root = failing;
        (broken, move || count.load(Ordering::SeqCst))
    });
    assert!(failed.await > 2, "{which:?}, lost {lost}");
}

/// Fails the n-th operation of a run, for every n until a run makes fewer; each run works in what the one before left.
/// Gives the number of runs that failed; `says` is what each of them must say.
///
/// `break_at` breaks the n-th operation of the run that follows; what it gives is called after that run and counts the
/// operations of it.
pub(crate) async fn fail_each_of<Count: Fn() -> usize>(
    rig: &Rig,
    says: &str,
    break_at: impl Fn(usize) -> (Rig, Count),
) -> usize {
    let (_server, odbc) = serve(Faults::default(), true).await;
    let good = rig.run(&odbc, &item()).await;
    assert_eq!(good.record.status, ItemStatus::Success, "{good:#?}");
    let mut old = rig.month(&item()).unwrap();
    let mut failed = 0;
    for nth in 1.. {
        let (broken, count) = break_at(nth);
        let outcome = broken.run(&odbc, &item()).await;
        let operations = count();
        let shown = format!(
            "operation {nth} of {}, {}",
            rig.staging.uri, rig.evidence.uri
        );
        let month = rig.month(&item()).unwrap();
        let ours = outcome.record.context.run_id.to_string();
        let success = outcome.record.status == ItemStatus::Success;
        assert!(
            month == ours || (month == old && !success),
            "{shown}: {month}"
        );
        assert_whole_month(rig, &month, &shown).await;
        assert_sealed_or_said(rig, &outcome, (says, &shown)).await;
        old = month;
        failed += usize::from(!success);
        if operations < nth {
            assert!(success, "{shown}: {:?}", outcome.record.error);
            assert!(nth > 5, "{nth} operations");
            return failed;
        }
    }
    unreachable!("a run has an end")
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
