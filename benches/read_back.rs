//! Counting a month in the local warehouse after a load: rows, exact totals, content digest, runs.
//!
//! Group: the 15-column ledger row. Function: the read-back of one loaded month.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first error")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::limits::Limits;
use soxauto::pipeline::extract::stage_rows;
use soxauto::pipeline::progress::{Progress, Silent};
use soxauto::ports::{LoadJob, Warehouse};

const ROWS: u64 = 400_000;
const TABLE: &str = "pg01_validated_ipe_ipe_07";

fn read_back(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let replay = common::replay_server(ROWS);
    let dir = tempfile::tempdir().unwrap();
    let root = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
    let staging = root("staging");
    let warehouse = LocalWarehouse::new(&root("warehouse"), staging.clone()).unwrap();
    let (contract, context, limits) = (common::contract(), common::context(), Limits::default());
    runtime.block_on(async {
        let (_view, stream, fold, to) = common::open_journey(&replay.server, staging).await;
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let metadata = context.row_metadata(&to.ipe);
        let (staged, _) = stage_rows(stream, fold, &to, None, &progress)
            .await
            .unwrap();
        let job = LoadJob {
            table: TABLE.into(),
            period: context.period,
            metadata,
            parts: staged.parts,
            fence: None,
        };
        warehouse.prepare(TABLE, &contract).await.unwrap();
        warehouse.load(&job).await.unwrap();
    });
    let mut group = criterion.benchmark_group("ledger_15_columns");
    group
        .throughput(Throughput::Elements(ROWS))
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    group.bench_function("read_back", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let found = warehouse
                .read_back(TABLE, context.period, &contract, limits.recheck_rows_max)
                .await
                .unwrap();
            assert_eq!(found.recomputed.digest.rows, ROWS);
        });
    });
    group.finish();
}

criterion_group!(benches, read_back);
criterion_main!(benches);
