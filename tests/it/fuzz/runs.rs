//! Whole runs against a server whose bytes are mutated after the login.

use std::collections::BTreeSet;
use std::sync::Mutex;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::ports::StoreRoot;
use tempfile::TempDir;

use super::client::{Clean, through};
use super::mutate::Mutation;
use super::proxy::Proxy;
use super::{Ends, cases, on_threads, runtime};
use crate::rig::Rig;
use crate::small_ledger::{item, limits, serve};

/// The staged content of a run.
async fn staged(staging: &StoreRoot, outcome: &ItemOutcome) -> RecordBatch {
    let mut batches = Vec::new();
    for part in &outcome.record.staged.as_ref().unwrap().parts {
        let bytes = staging.get(&part.path).await.unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        batches.extend(reader.build().unwrap().map(|batch| batch.unwrap()));
    }
    let schema = batches[0].schema();
    let content: Vec<usize> = (0..item().contract.columns.len()).collect();
    let whole = concat_batches(&schema, &batches).unwrap();
    whole.project(&content).unwrap()
}

/// The values of these columns, row by row.
fn values(rows: &RecordBatch, columns: &[usize]) -> Vec<Vec<String>> {
    let value = |row, column: &usize| array_value_to_string(rows.column(*column), row).unwrap();
    let row = |row| columns.iter().map(|column| value(row, column)).collect();
    (0..rows.num_rows()).map(row).collect()
}

/// Columns of which the rows of both have other values.
fn altered(clean: &RecordBatch, found: &RecordBatch) -> BTreeSet<String> {
    let columns = item().contract.columns.into_iter().enumerate();
    let differs = |at: &usize| clean.column(*at) != found.column(*at);
    columns
        .filter(|(at, _)| differs(at))
        .map(|(_, column)| column.name)
        .collect()
}

/// Companies and amounts, in any order: what the control totals can see.
fn seen_by_totals(rows: &RecordBatch) -> Vec<Vec<String>> {
    let mut seen = values(rows, &[0, 2, 3]);
    seen.sort();
    seen
}

/// A run over mutated bytes ends in one of four ways: an error; a check that fails; the very rows that the server sent;
/// or rows with altered cells in columns that no control total covers.
///
/// The last one is the limit of what can be proved without encryption: TDS has no checksum, so a changed byte in a text,
/// a date or a key that stays unique arrives as another valid value, and the digest, which begins at the decoder, is
/// that of the altered value. Totals see every row, company and amount; TLS protects the rest, and is required by
/// default. The test therefore encrypts only the login, counts such runs, and fails when an altered amount, company or
/// number of rows ends as a success.
#[test]
fn runs_over_mutated_answers_fail_or_load_the_truth() {
    const NAME: &str = "fuzz-run";
    runtime(NAME).block_on(async {
        let (server, odbc) = serve(Default::default(), true).await;
        let port = server.addr().port();
        let dir = TempDir::new().unwrap();
        let good = Rig::new(dir.path(), limits());
        let proxy = Proxy::start(server.addr(), Mutation::of(vec![])).await;
        let whole = through(&odbc, port, proxy.addr.port());
        let outcome = good.run(&whole, &item()).await;
        assert_eq!(outcome.record.status, ItemStatus::Success, "{outcome:#?}");
        let clean = Clean::of(&proxy.heard.lock().unwrap());
        let digest = outcome.record.staged.as_ref().unwrap().digest;
        let rows = staged(&good.staging, &outcome).await;
        let (ends, columns) = (Ends::default(), Mutex::new(BTreeSet::new()));
        cases(NAME, async |mut dice| {
            let mutation = Mutation::any(&mut dice, clean.len, &clean.ranges);
            let proxy = Proxy::start(server.addr(), mutation.clone()).await;
            let odbc = through(&odbc, port, proxy.addr.port());
            let dir = TempDir::new().unwrap();
            let rig = Rig::new(dir.path(), limits());
            let at_work = rig.clone();
            let run = async move { at_work.run(&odbc, &item()).await };
            let outcome = on_threads(run).await;
            assert!(outcome.package.is_some(), "sealed: {outcome:#?}");
            let status = outcome.record.status;
            let loaded =
                (status == ItemStatus::Success).then(|| outcome.record.context.run_id.to_string());
            assert_eq!(rig.month(&item()), loaded, "{status:?} {mutation:?}");
            let said = outcome.record.error.clone().unwrap_or_default();
            assert!(!said.contains("panicked"), "{said}: {mutation:?}");
            match status {
                ItemStatus::Error => {
                    assert!(said.contains("step ") && said.contains("hint:"), "{said}");
                    ends.count("error");
                }
                ItemStatus::Failed => ends.count("check failed"),
                _ if outcome.record.staged.as_ref().unwrap().digest == digest => {
                    ends.count("same rows")
                }
                _ => {
                    let found = staged(&rig.staging, &outcome).await;
                    assert_eq!(
                        seen_by_totals(&found),
                        seen_by_totals(&rows),
                        "{mutation:?}"
                    );
                    columns.lock().unwrap().extend(altered(&rows, &found));
                    ends.count("not detectable by totals; TLS is what protects them");
                }
            }
        })
        .await;
        ends.print();
        println!("altered there: {:?}", columns.lock().unwrap());
    });
}
