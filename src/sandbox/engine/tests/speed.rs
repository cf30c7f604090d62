//! How fast the ledger is made and IPE_07 streams; ignored, because only a release build says something:
//! `cargo test --release --lib sandbox::engine::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

const IPE_07: &str = include_str!("../../../../data/catalog/IPE_07/query.sql");

async fn measure(rows: u64, threads: usize) {
    let start = Instant::now();
    let config = EngineConfig {
        rows,
        threads,
        ..EngineConfig::default()
    };
    let engine = LedgerEngine::new(config).unwrap();
    let tables = engine.tables();
    let entries = tables
        .find("AIG_Nav_DW", "dbo", "Customer Ledger Entries")
        .unwrap();
    println!(
        "{rows} open, {} entries, {threads} threads: generated in {:?}",
        entries.rows(),
        start.elapsed()
    );
    let mut session = open(&engine).await;
    let (out, mut replies) = mpsc::channel(2);
    let start = Instant::now();
    let count = async {
        let (mut rows, mut bytes, mut first) = (0, 0, None);
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Rows(batch) => {
                    first.get_or_insert_with(|| start.elapsed());
                    rows += batch.num_rows();
                    bytes += batch.get_array_memory_size();
                }
                Reply::Error(error) => panic!("{error}"),
                _ => {}
            }
        }
        (rows, bytes, first)
    };
    let (done, (count, bytes, first)) = tokio::join!(session.run(IPE_07, &[], out), count);
    done.unwrap();
    println!(
        "IPE_07: {count} rows, {bytes} bytes, first after {first:?}, all after {:?}",
        start.elapsed()
    );
    assert_eq!(u64::try_from(count).unwrap(), rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn a_hundred_thousand_rows() {
    measure(100_000, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures a release build"]
async fn a_million_rows() {
    measure(100_000, 1).await;
    measure(1_000_000, 1).await;
    measure(1_000_000, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures a release build and takes several gigabytes"]
async fn ten_million_rows() {
    measure(10_000_000, 1).await;
}
