//! What closings say of runs, and what cannot be read.

use std::sync::Arc;

use bytes::Bytes;
use chrono::DateTime;
use object_store::memory::InMemory;

use super::*;
use crate::domain::reconcile::months::{MonthEvent, MonthRecord};
use crate::ports::Cell;
use crate::report::published::RUNS;

fn run(number: u32) -> RunId {
    RunId::new(DateTime::UNIX_EPOCH, number)
}

fn closed(number: u32) -> MonthEvent {
    MonthEvent::Closed {
        run_id: run(number),
        manifest_sha256: "0".repeat(64),
        by: "A. Mwangi".to_owned(),
    }
}

fn reopened() -> MonthEvent {
    MonthEvent::Reopened {
        reason: "late invoice".to_owned(),
        ticket: "FIN-7".to_owned(),
        approver: "B. Diallo".to_owned(),
        by: "A. Mwangi".to_owned(),
    }
}

fn log(events: Vec<MonthEvent>) -> MonthLog {
    let records = events.into_iter().zip(1..);
    let records = records.map(|(event, number)| MonthRecord {
        number,
        after: None,
        at: DateTime::UNIX_EPOCH,
        account: None,
        event,
    });
    MonthLog {
        records: records.collect(),
    }
}

fn root() -> StoreRoot {
    StoreRoot {
        store: Arc::new(InMemory::new()),
        uri: "memory://evidence".to_owned(),
    }
}

fn period() -> Period {
    "2024-04".parse().unwrap()
}

/// Seals something that is no package of this program.
async fn broken_package(evidence: &StoreRoot, folder: &str) {
    let record = Bytes::from_static(b"{}");
    let record_at = format!("{folder}/data/record.json");
    evidence.create(&record_at, record).await.unwrap();
    let manifest = Bytes::from_static(b"nothing\n");
    let manifest_at = format!("{folder}/{MANIFEST}");
    evidence.create(&manifest_at, manifest).await.unwrap();
}

#[test]
fn a_run_that_was_final_is_superseded_and_the_last_number_counts() {
    let word = |events: Vec<MonthEvent>, number| standing(&log(events), &run(number));
    assert_eq!(word(vec![], 1), Standing::Preliminary);
    assert_eq!(word(vec![closed(1)], 1), Standing::Final(1));
    assert_eq!(word(vec![closed(1)], 2), Standing::Preliminary);
    assert_eq!(
        word(vec![closed(1), reopened()], 1),
        Standing::Superseded(1)
    );
    let again = || vec![closed(1), reopened(), closed(2)];
    assert_eq!(word(again(), 1), Standing::Superseded(1));
    assert_eq!(word(again(), 2), Standing::Final(2));
    let same = vec![closed(1), reopened(), closed(1)];
    assert_eq!(word(same, 1), Standing::Final(2));
}

#[tokio::test]
async fn a_package_that_cannot_be_read_is_a_row_and_takes_no_other_with_it() {
    let evidence = root();
    let folder = |item: &str| format!("{item}/period=2024-04/run={}", run(1));
    for item in ["CR_04", "IPE_07"] {
        broken_package(&evidence, &folder(item)).await;
    }
    // Neither another month nor a lease is of this month.
    broken_package(
        &evidence,
        "IPE_07/period=2024-03/run=19700101T000000Z-00000001",
    )
    .await;
    let lease = format!("runs/{}/lease.json", folder("IPE_07"));
    evidence.create(&lease, Bytes::new()).await.unwrap();
    let tables = tables(&evidence, period()).await.unwrap();
    let [registry] = tables.as_slice() else {
        panic!("no judgement was sealed: {tables:?}");
    };
    assert_eq!((registry.name, registry.rows.len()), (RUNS, 2));
    let of = |row: &[Cell], name: &str| {
        let columns = &registry.contract.columns;
        row[columns.iter().position(|c| c.name == name).unwrap()].clone()
    };
    for row in &registry.rows {
        assert_eq!(of(row, "status"), Cell::Null);
        assert_eq!(of(row, "row_count"), Cell::Null);
        assert_eq!(of(row, "state"), Cell::Text("PRELIMINARY".to_owned()));
        let Cell::Text(problem) = of(row, "problem") else {
            panic!("{row:?}");
        };
        assert!(
            problem.contains("data/record.json that was sealed"),
            "{problem}"
        );
    }
    assert_eq!(sealed(&evidence, period()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_closed_month_without_its_judgement_is_not_published() {
    let evidence = root();
    let at = DateTime::UNIX_EPOCH;
    assert_eq!(tables(&evidence, period()).await.unwrap().len(), 1);
    let before = sealed(&evidence, period()).await.unwrap();
    months::append(&evidence, period(), closed(1), at, None)
        .await
        .unwrap();
    let error = tables(&evidence, period()).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(
        error.message.contains("closed with is not there"),
        "{error}"
    );
    let after = sealed(&evidence, period()).await.unwrap();
    assert_ne!(before, after, "what was said counts as a change");
    // Opened again nothing speaks for it, and the registry is published.
    months::append(&evidence, period(), reopened(), at, None)
        .await
        .unwrap();
    assert_eq!(tables(&evidence, period()).await.unwrap().len(), 1);
}
