//! How fast conformed batches are folded into digest and totals.
//!
//! Group = shape of data, function = option. Peers: SHA-256 over the same bytes, rows as they are, with no encoding.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first error"
)]

#[path = "common/ledger.rs"]
mod ledger;

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement,
};
use sha2::{Digest as _, Sha256};
use soxauto::domain::contract::Contract;
use soxauto::kernels::canonical::RowLayout;
use soxauto::kernels::digest::DigestFold;
use soxauto::kernels::totals::TotalsFold;

/// Rows of one batch, as `Limits::batch_rows_max` has them.
const BATCH_ROWS: usize = 8_192;
/// Batches of one measurement.
const BATCHES: usize = 8;

fn shapes(criterion: &mut Criterion) {
    let contract = ledger::contract();
    for (shape, nulls, companies_mixed) in [
        ("ledger_15_columns", false, false),
        ("ledger_15_columns_nulls", true, false),
        ("ledger_15_columns_mixed_companies", false, true),
    ] {
        let batches = ledger::batches(BATCHES, BATCH_ROWS, nulls, companies_mixed);
        let mut group = criterion.benchmark_group(shape);
        let rows = u64::try_from(BATCHES * BATCH_ROWS).unwrap();
        group.throughput(Throughput::Elements(rows)).sample_size(20);
        group.bench_function("digest", |bencher| {
            bencher.iter(|| {
                let mut fold = DigestFold::new(&contract);
                batches.iter().for_each(|batch| fold.fold(batch).unwrap());
                fold.finish().total
            });
        });
        group.bench_function("totals", |bencher| {
            bencher.iter(|| {
                let mut fold = TotalsFold::new(&contract);
                batches.iter().for_each(|batch| fold.fold(batch).unwrap());
                fold.finish().unwrap()
            });
        });
        peers(&mut group, &contract, &batches);
        group.finish();
    }
}

fn peers(
    group: &mut BenchmarkGroup<'_, measurement::WallTime>,
    contract: &Contract,
    batches: &[arrow::record_batch::RecordBatch],
) {
    let layout = RowLayout::digested(contract);
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for batch in batches {
        let rows = layout.bind(batch).unwrap();
        for row in 0..batch.num_rows() {
            let mut text = Vec::new();
            rows.write(row, &mut text).unwrap();
            texts.push(text);
        }
    }
    group.bench_function("peer_encoding_only", |bencher| {
        let mut text = Vec::new();
        bencher.iter(|| {
            for batch in batches {
                let rows = layout.bind(batch).unwrap();
                for row in 0..batch.num_rows() {
                    text.clear();
                    rows.write(row, &mut text).unwrap();
                    black_box(&text);
                }
            }
        });
    });
    group.bench_function("peer_sha256_of_the_texts", |bencher| {
        bencher.iter(|| {
            for text in &texts {
                black_box(Sha256::digest(text));
            }
        });
    });
}

criterion_group!(benches, shapes);
criterion_main!(benches);
