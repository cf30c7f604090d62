//! From the source to the last staged byte: decode, conform, digest, totals, Parquet, SHA-256, storing.
//!
//! Group: the 15-column ledger row. Functions: the driver alone (the peer), and the whole journey. The bench ends with
//! the ratio of the two in rows per second. The replay server runs in the same process on a thread of its own.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench stops at the first error and prints a ratio"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use soxauto::adapters::store;
use soxauto::pipeline::extract::stage_rows;
use soxauto::pipeline::progress::{Progress, Silent};
use soxauto::sandbox::server::Server;
use tokio::runtime::Runtime;

const ROWS: u64 = 400_000;

/// The journey of one item without the questions before and the checks behind.
async fn journey(server: &Server) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let staging = store::open(dir.path().to_str().unwrap()).unwrap();
    let (_view, stream, fold, to) = common::open_journey(server, staging).await;
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let (staged, _) = stage_rows(stream, fold, &to, None, &progress)
        .await
        .unwrap();
    assert_eq!(staged.digest.rows, staged.rows());
    staged.rows()
}

/// Best of several interleaved rounds, so that noise of the machine meets both alike.
fn ratio(runtime: &Runtime, server: &Server) -> (f64, f64) {
    let rate = |elapsed: Duration| f64::from(u32::try_from(ROWS).unwrap()) / elapsed.as_secs_f64();
    let (mut raw, mut whole) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(
            runtime.block_on(common::raw_tiberius(server.addr().port())),
            ROWS
        );
        raw = raw.min(start.elapsed());
        let start = Instant::now();
        assert_eq!(runtime.block_on(journey(server)), ROWS);
        whole = whole.min(start.elapsed());
    }
    (rate(raw), rate(whole))
}

fn journeys(criterion: &mut Criterion) {
    let replay = common::replay_server(ROWS);
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("ledger_15_columns");
    group
        .throughput(Throughput::Elements(ROWS))
        .sample_size(10)
        .measurement_time(Duration::from_secs(15));
    group.bench_function("raw_tiberius", |bencher| {
        let port = replay.server.addr().port();
        bencher
            .to_async(&runtime)
            .iter(|| async { assert_eq!(common::raw_tiberius(port).await, ROWS) });
    });
    group.bench_function("journey", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| async { assert_eq!(journey(&replay.server).await, ROWS) });
    });
    group.finish();
    let (raw, whole) = ratio(&runtime, &replay.server);
    println!(
        "raw tiberius {raw:.0} rows/s, journey {whole:.0} rows/s: {:.0} %",
        100.0 * whole / raw
    );
}

criterion_group!(benches, journeys);
criterion_main!(benches);
