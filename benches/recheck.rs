//! How fast Polars computes totals and digest of a staged part again.
//!
//! Group = shape of data, function = option. Peers: Polars reading the part and nothing more.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first error"
)]

#[path = "common/ledger.rs"]
mod ledger;

use std::io::Cursor;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use polars::prelude::{ParquetReader, SerReader};
use soxauto::kernels::recheck::recheck_part;

/// Rows of one batch.
const BATCH_ROWS: usize = 8_192;
/// Batches of the part.
const BATCHES: usize = 32;
/// Rows of a row group: about 16 MiB of this row.
const ROW_GROUP_ROWS: usize = 65_536;

fn part(nulls: bool) -> Bytes {
    let batches = ledger::batches(BATCHES, BATCH_ROWS, nulls, false);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batches[0].schema(), Some(properties)).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
    bytes.into()
}

fn shapes(criterion: &mut Criterion) {
    let contract = ledger::contract();
    for (shape, nulls) in [
        ("ledger_15_columns", false),
        ("ledger_15_columns_nulls", true),
    ] {
        let bytes = part(nulls);
        let mut group = criterion.benchmark_group(shape);
        let rows = u64::try_from(BATCHES * BATCH_ROWS).unwrap();
        group.throughput(Throughput::Elements(rows)).sample_size(10);
        for rows_max in [8_192, 32_768] {
            group.bench_function(format!("recheck_rows_max_{rows_max}"), |bencher| {
                bencher.iter(|| recheck_part(bytes.clone(), &contract, rows_max).unwrap());
            });
        }
        group.bench_function("peer_polars_read_only", |bencher| {
            bencher.iter(|| {
                ParquetReader::new(Cursor::new(bytes.clone()))
                    .finish()
                    .unwrap()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, shapes);
criterion_main!(benches);
