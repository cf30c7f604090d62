//! Whole runs against a server whose bytes are mutated after the login.

use std::collections::BTreeSet;
use std::sync::Mutex;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use soxauto::domain::digest::TableDigest;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::sandbox::server::Server;
use tempfile::TempDir;

use super::client::{Clean, through};
use super::mutate::{Edit, Mutation};
use super::proxy::{Heard, Proxy};
use super::{Ends, PATIENCE, cases, on_threads, runtime};
use crate::rig::Rig;
use crate::small_ledger::{item, limits, serve, waiting};

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

/// The server, and what a run finds there whose bytes nobody touches.
struct World {
    server: Server,
    odbc: String,
    heard: Vec<u8>,
    rows: RecordBatch,
    digest: TableDigest,
}

/// One run, with the folder that it needs.
struct Run {
    outcome: ItemOutcome,
    rig: Rig,
    heard: Heard,
    _dir: TempDir,
}

impl World {
    async fn new() -> Self {
        let (server, odbc) = serve(Default::default(), true).await;
        let run = run(&server, &odbc, Mutation::of(vec![]), limits()).await;
        assert_eq!(run.outcome.record.status, ItemStatus::Success);
        let heard = run.heard.lock().unwrap().clone();
        Self {
            server,
            odbc,
            heard,
            rows: run.staged().await,
            digest: run.outcome.record.staged.as_ref().unwrap().digest,
        }
    }

    async fn run(&self, mutation: Mutation) -> Run {
        run(&self.server, &self.odbc, mutation, waiting(PATIENCE)).await
    }

    /// A run over one flipped bit, in which nothing is missing and nothing has to be waited for.
    async fn flip(&self, at: usize) -> Run {
        let mutation = Mutation::of(vec![(at, Edit::Flip(1))]);
        run(&self.server, &self.odbc, mutation, limits()).await
    }

    /// Where these bytes are said first.
    fn find(&self, bytes: &[u8]) -> usize {
        let mut windows = self.heard.windows(bytes.len());
        windows.position(|window| window == bytes).unwrap()
    }
}

async fn run(server: &Server, odbc: &str, mutation: Mutation, limits: Limits) -> Run {
    let proxy = Proxy::start(server.addr(), mutation).await;
    let odbc = through(odbc, server.addr().port(), proxy.addr.port());
    let dir = TempDir::new().unwrap();
    let rig = Rig::new(dir.path(), limits);
    let at_work = rig.clone();
    let outcome = on_threads(async move { at_work.run(&odbc, &item()).await }).await;
    Run {
        outcome,
        rig,
        heard: proxy.heard,
        _dir: dir,
    }
}

impl Run {
    /// The staged content.
    async fn staged(&self) -> RecordBatch {
        let mut batches = Vec::new();
        for part in &self.outcome.record.staged.as_ref().unwrap().parts {
            let bytes = self.rig.staging.get(&part.path).await.unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
            batches.extend(reader.build().unwrap().map(|batch| batch.unwrap()));
        }
        let schema = batches[0].schema();
        let content: Vec<usize> = (0..item().contract.columns.len()).collect();
        let whole = concat_batches(&schema, &batches).unwrap();
        whole.project(&content).unwrap()
    }

    /// Whatever the end: sealed, said, and in the month only after a success.
    fn assert_in_order(&self) {
        let record = &self.outcome.record;
        assert!(self.outcome.package.is_some(), "sealed: {:?}", record.error);
        let success = record.status == ItemStatus::Success;
        let loaded = success.then(|| record.context.run_id.to_string());
        assert_eq!(self.rig.month(&item()), loaded, "{:?}", record.status);
        let said = record.error.clone().unwrap_or_default();
        assert!(!said.contains("panicked"), "{said}");
        if record.status == ItemStatus::Error {
            assert!(said.contains("step ") && said.contains("hint:"), "{said}");
        }
    }
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
        let world = World::new().await;
        let clean = Clean::of(&world.heard);
        let (ends, columns) = (Ends::default(), Mutex::new(BTreeSet::new()));
        cases(NAME, async |mut dice| {
            let mutation = Mutation::any(&mut dice, clean.len, &clean.ranges);
            let run = world.run(mutation).await;
            run.assert_in_order();
            let record = &run.outcome.record;
            match record.status {
                ItemStatus::Error => ends.count("error"),
                ItemStatus::Failed => ends.count("check failed"),
                _ if record.staged.as_ref().unwrap().digest == world.digest => {
                    ends.count("same rows");
                }
                _ => {
                    let found = run.staged().await;
                    assert_eq!(seen_by_totals(&found), seen_by_totals(&world.rows));
                    columns.lock().unwrap().extend(altered(&world.rows, &found));
                    ends.count("not detectable by totals; TLS is what protects them");
                }
            }
        })
        .await;
        ends.print();
        println!("altered there: {:?}", columns.lock().unwrap());
    });
}

/// The two sides of that limit, each with one bit.
#[test]
fn one_bit_of_an_amount_holds_the_load_and_one_of_a_memo_is_not_seen() {
    runtime("fuzz-bit").block_on(async {
        let world = World::new().await;
        // The first row's amount: length, sign (negative), value.
        let mut amount = vec![17, 0];
        amount.extend((700 * 10_u128.pow(18)).to_le_bytes());
        let at = world.find(&amount) + 2;
        let run = world.flip(at).await;
        run.assert_in_order();
        let record = &run.outcome.record;
        assert_eq!(record.status, ItemStatus::Failed, "{:?}", record.error);
        let said = format!("{:?}", record.checks);
        assert!(said.contains("sum of amount is"), "{said}");

        let memo: Vec<u8> = "memo 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let at = world.find(&memo);
        let run = world.flip(at).await;
        run.assert_in_order();
        assert_eq!(run.outcome.record.status, ItemStatus::Success);
        let seen = altered(&world.rows, &run.staged().await);
        assert_eq!(seen, BTreeSet::from(["memo".to_owned()]));
    });
}
