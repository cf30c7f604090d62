//! Peak memory of one item and of one matching: below their formulas whatever the rows.
//!
//! Counts every allocation of the process, so it is a program of its own, and its tests wait for each other. What the kernel counts
//! (resident pages of the release build) is printed by `scripts/memory`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the answer"
)]

#[path = "it/evidence/sample.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod sample;

#[path = "memory/matching.rs"]
mod matching;

#[path = "memory/uploaded.rs"]
mod uploaded;

use std::sync::{Arc, Mutex, PoisonError};

use peak_alloc::PeakAlloc;
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::limits::Limits;
use soxauto::domain::losses::Changes;
use soxauto::kernels::conform::Conform;
use soxauto::pipeline::extract::{Destination, RowFold, SecondPath, extract};
use soxauto::pipeline::progress::{Progress, Silent};
use soxauto::pipeline::stage::{PartLayout, provenance};
use soxauto::ports::{BatchStream, LoadJob, Warehouse as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;

/// Whoever counts is alone.
static ALONE: Mutex<()> = Mutex::new(());

const BATCH_ROWS: i32 = 1_000;

/// Small enough that a few thousand rows make many parts.
fn limits() -> Limits {
    Limits {
        batch_rows_max: usize::try_from(BATCH_ROWS).unwrap(),
        batch_bytes_max: 256 << 10,
        part_bytes_max: 512 << 10,
        row_group_bytes: 512 << 10,
        recheck_rows_max: 1_000,
        ..Limits::default()
    }
}

/// Stages, loads and counts so many batches; gives the number of parts.
async fn journey(batches: i32) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
    let (limits, context, contract) = (limits(), sample::context(1), Arc::new(sample::contract()));
    let (send, receive) = mpsc::channel(limits.channel_batches_max);
    let mut source = JoinSet::new();
    source.spawn(async move {
        for number in 0..batches {
            // Every batch is made anew, as a reader does.
            let batch = sample::source_batch(number * BATCH_ROWS, BATCH_ROWS);
            if send.send(Ok(batch)).await.is_err() {
                return;
            }
        }
    });
    let metadata = context.row_metadata(&sample::ipe());
    let columns = sample::source_columns();
    let conform = Conform::new(&contract, &columns, &metadata, limits.batch_rows_max).unwrap();
    let footer = provenance(&context, &sample::ipe(), &contract, "");
    let layout = PartLayout::new(conform.schema(), footer, &limits);
    let fold = RowFold::new(&contract, conform, layout).unwrap();
    let to = Destination {
        staging: open("staging"),
        ipe: sample::ipe(),
        period: sample::period(),
        run_id: context.run_id.clone(),
    };
    let second = SecondPath::new(Arc::clone(&contract), limits.recheck_rows_max);
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let (said, changes) = tokio::sync::oneshot::channel();
    said.send(vec![Changes::default(); columns.len()]).unwrap();
    let stream = BatchStream {
        batches: receive,
        changes,
    };
    let extraction = extract(stream, fold, second, &to, &progress).await.unwrap();
    source.join_all().await;
    let rows = u64::try_from(batches * BATCH_ROWS).unwrap();
    assert_eq!(extraction.staged.rows(), rows);
    assert_eq!(extraction.staged.digest, extraction.recomputed.digest);

    let parts = extraction.staged.parts.len();
    let warehouse = LocalWarehouse::new(&open("warehouse"), to.staging.clone()).unwrap();
    let table = sample::ipe().table_name();
    warehouse.prepare(&table, &contract).await.unwrap();
    let job = LoadJob {
        table: table.clone(),
        period: to.period,
        metadata,
        parts: extraction.staged.parts,
        fence: None,
    };
    warehouse.load(&job).await.unwrap();
    let counted = warehouse.read_back(&table, to.period, &contract, limits.recheck_rows_max);
    let counted = counted.await.unwrap();
    assert_eq!(counted.recomputed.digest, extraction.staged.digest);
    parts
}

/// Highest number of bytes held above those that were held before.
fn peak_of(runtime: &tokio::runtime::Runtime, batches: i32) -> (usize, usize) {
    let before = COUNTED.current_usage();
    COUNTED.reset_peak_usage();
    let parts = runtime.block_on(journey(batches));
    (COUNTED.peak_usage().saturating_sub(before), parts)
}

#[test]
fn peak_memory_keeps_to_its_formula_whatever_the_rows() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Threads, caches and tables that are made once are not a matter of rows.
    peak_of(&runtime, 3);
    let (few, few_parts) = peak_of(&runtime, 12);
    let (many, many_parts) = peak_of(&runtime, 120);
    assert!(few_parts >= 2 && many_parts >= 8 * few_parts);
    let allowed = limits().item_bytes_max(200);
    println!(
        "{few_parts} parts: {few} bytes, {many_parts} parts: {many} bytes, allowed: {allowed}"
    );
    assert!(
        few <= allowed && many <= allowed,
        "{few}, {many} > {allowed}"
    );
    assert!(
        many <= few + few / 4,
        "{few_parts} parts took {few} bytes, {many_parts} took {many}"
    );
}
