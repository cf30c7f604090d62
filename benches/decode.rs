//! Rows off the wire: tiberius alone, and into record batches.
//!
//! Group: the 15-column ledger row. Functions: what becomes of a row. The replay server runs in the same process on
//! a thread of its own, without TLS.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first error")]

mod common;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use soxauto::domain::limits::Limits;
use soxauto::ports::Source;

const ROWS: u64 = 400_000;

async fn record_batches(server: &soxauto::sandbox::server::Server) -> u64 {
    let mut view = common::source(server).open(&[]).await.unwrap();
    let query = common::rows_query();
    let columns = view.describe(&query).await.unwrap().columns;
    let mut stream = view
        .stream(&query, &columns, &Limits::default())
        .await
        .unwrap();
    let mut rows = 0;
    while let Some(batch) = stream.batches.recv().await {
        rows += u64::try_from(batch.unwrap().num_rows()).unwrap();
    }
    rows
}

fn decode(criterion: &mut Criterion) {
    let replay = common::replay_server(ROWS);
    let port = replay.server.addr().port();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("ledger_15_columns");
    group
        .throughput(Throughput::Elements(ROWS))
        .sample_size(10)
        .measurement_time(Duration::from_secs(15));
    group.bench_function("raw_tiberius", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| async { assert_eq!(common::raw_tiberius(port).await, ROWS) });
    });
    group.bench_function("record_batches", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| async { assert_eq!(record_batches(&replay.server).await, ROWS) });
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
