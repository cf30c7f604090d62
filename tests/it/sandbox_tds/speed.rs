//! How fast rows leave the server; run by hand in release:
//! `cargo test --release --test it sandbox_tds::speed -- --ignored --nocapture --test-threads 1`.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::*;
use soxauto::sandbox::tds::replay::ReplayEngine;
use soxauto::sandbox::tds::value::BatchEncoder;

use super::raw::RawClient;
use super::*;

const BATCH_ROWS: i32 = 8_192;
/// Floors of design §9 and of the sandbox's brief, in rows per second.
const ENCODER_ROWS_S_MIN: f64 = 1e6;
const REPLAY_ROWS_S_MIN: f64 = 3e6;

fn texts(text: impl Fn(i32) -> String) -> ArrayRef {
    Arc::new(
        (0..BATCH_ROWS)
            .map(|n| (n % 10 != 0).then(|| text(n)))
            .collect::<StringArray>(),
    )
}

fn amounts() -> ArrayRef {
    let amount = |n: i32| (i128::from(n) - 5_000) * 100_000_300_000_000_000_000;
    let values: Decimal128Array = (0..BATCH_ROWS).map(|n| Some(amount(n))).collect();
    Arc::new(values.with_precision_and_scale(38, 20).unwrap())
}

fn moments() -> ArrayRef {
    let moment = |n: i32| 1_714_521_600_000_000 + i64::from(n) * 1_003_000;
    Arc::new(TimestampMicrosecondArray::from_iter_values(
        (0..BATCH_ROWS).map(moment),
    ))
}

/// A ledger row of 15 columns; a tenth of the rows has nulls.
fn ledger() -> (Vec<ColumnMeta>, RecordBatch) {
    let ints = |f: fn(i32) -> i32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values((0..BATCH_ROWS).map(f)))
    };
    let bits: BooleanArray = (0..BATCH_ROWS).map(|n| Some(n % 9 == 0)).collect();
    let longs = Int64Array::from_iter_values((0..BATCH_ROWS).map(i64::from));
    let columns: Vec<(&str, &str, ArrayRef)> = vec![
        ("Entry No_", "int", ints(|n| n)),
        ("id_company", "varchar(20)", texts(|_| "EC_NG".to_owned())),
        (
            "G_L Account No_",
            "nvarchar(20)",
            texts(|n| format!("{}", 10_000 + n % 500)),
        ),
        ("Posting Date", "datetime", moments()),
        ("Document Type", "int", ints(|n| n % 7)),
        (
            "Document No_",
            "nvarchar(20)",
            texts(|n| format!("INV{n:08}")),
        ),
        (
            "Description",
            "nvarchar(50)",
            texts(|n| format!("Order {n} Lagos payment")),
        ),
        ("Amount", "decimal(38,20)", amounts()),
        ("Debit Amount", "decimal(38,20)", amounts()),
        ("Credit Amount", "decimal(38,20)", amounts()),
        (
            "User ID",
            "nvarchar(50)",
            texts(|n| format!("USER{}", n % 40)),
        ),
        ("Source Code", "nvarchar(10)", texts(|_| "SALES".to_owned())),
        ("Reversed", "bit", Arc::new(bits)),
        ("Transaction No_", "bigint", Arc::new(longs)),
        ("Last Modified", "datetime2(7)", moments()),
    ];
    let metas = columns
        .iter()
        .map(|(name, sql_type, _)| column(name, sql_type, true))
        .collect();
    (
        metas,
        batch(columns.into_iter().map(|(_, _, array)| array).collect()),
    )
}

#[test]
#[ignore = "a measurement: release builds on a quiet machine only"]
fn the_encoder_reaches_its_floor() {
    let (columns, batch) = ledger();
    let encoder = BatchEncoder::new(&columns, &batch).unwrap();
    let mut buf = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    let begin = Instant::now();
    while begin.elapsed().as_secs() < 3 {
        let mut row = 0;
        while row < encoder.rows() {
            buf.clear();
            row = encoder.put_rows(row, 64 * 1024, &mut buf).unwrap();
            bytes += buf.len();
        }
        rows += encoder.rows();
    }
    let seconds = begin.elapsed().as_secs_f64();
    let rate = rows as f64 / seconds;
    println!(
        "encoder: {:.2} M rows/s, {:.0} MB/s",
        rate / 1e6,
        bytes as f64 / seconds / 1e6
    );
    assert!(rate >= ENCODER_ROWS_S_MIN);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: release builds on a quiet machine only"]
async fn replay_reaches_its_floor() {
    const ROWS: u64 = 20_000_000;
    let (columns, batch) = ledger();
    let engine = ReplayEngine::new(columns, &batch, ROWS).unwrap();
    let server = start_with(engine, tls(soxauto::sandbox::server::TlsMode::Off)).await;
    for packet_bytes in [4_096, 32_767] {
        let mut client = RawClient::connect(&server, packet_bytes).await;
        let begin = Instant::now();
        let bytes = client.count_batch("SELECT").await;
        let seconds = begin.elapsed().as_secs_f64();
        let rate = ROWS as f64 / seconds;
        println!(
            "replay, packets of {packet_bytes}: {:.2} M rows/s, {:.0} MB/s",
            rate / 1e6,
            bytes as f64 / seconds / 1e6
        );
        assert!(rate >= REPLAY_ROWS_S_MIN || packet_bytes < 32_767);
    }
}
