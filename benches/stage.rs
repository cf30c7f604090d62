//! Encoding of parts: what compression and hashing cost, beside the parquet writer alone.
//!
//! Group: a ledger of 8 content and 7 metadata columns. Functions: what is encoded how. Rows are fixed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench stops at the first error and prints the sizes beside the times"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use soxauto::domain::limits::Limits;
use soxauto::pipeline::stage::{PageCompression, PartEncoder, PartLayout};

const BATCHES: usize = 64;
const BATCH_ROWS: usize = 8_192;

fn schema() -> SchemaRef {
    let utc = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let moment = DataType::Timestamp(TimeUnit::Microsecond, None);
    let field = |name: &str, data_type| Field::new(name, data_type, name == "voucher_no");
    Arc::new(Schema::new(vec![
        field("id_company", DataType::Utf8),
        field("entry_no", DataType::Int32),
        field("customer_no", DataType::Int64),
        field("rem_amt_lcy", DataType::Decimal128(38, 20)),
        field("posting_date", moment.clone()),
        field("busines_line_code", DataType::Utf8),
        field("voucher_no", DataType::Utf8),
        field("created_at", moment),
        field("_ipe_id", DataType::Utf8),
        field("_extraction_date", utc()),
        field("_cutoff_date", DataType::Date32),
        field("_processing_timestamp", utc()),
        field("_source_system", DataType::Utf8),
        field("_run_id", DataType::Utf8),
        field("_period", DataType::Date32),
    ]))
}

fn batch(schema: &SchemaRef, random: &mut StdRng, first: i32) -> RecordBatch {
    const COMPANIES: [&str; 4] = ["EC_NG", "EC_KE", "JM_EG", "JD_GH"];
    let n = BATCH_ROWS;
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; n])) };
    let utc = |value: i64| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(vec![value; n]).with_timezone("UTC"))
    };
    let mut moments = |step: i64| -> ArrayRef {
        let values =
            (0..n).map(|_| 1_714_000_000_000_000 + random.random_range(0..2_000_000) * step);
        Arc::new(TimestampMicrosecondArray::from_iter_values(values))
    };
    let (posted, created) = (moments(86_400_000_000 / 1_000), moments(1_000));
    let amounts =
        (0..n).map(|_| i128::from(random.random_range(-9_999_999..9_999_999)) * 10_i128.pow(18));
    let amounts = Decimal128Array::from_iter_values(amounts)
        .with_precision_and_scale(38, 20)
        .unwrap();
    let customers = Int64Array::from_iter_values((0..n).map(|_| random.random_range(0..400_000)));
    let companies: Vec<&str> = (0..n)
        .map(|_| COMPANIES[random.random_range(0..4)])
        .collect();
    let lines: Vec<String> = (0..n)
        .map(|_| format!("BL-{}", random.random_range(0..40)))
        .collect();
    let vouchers: Vec<Option<String>> = (0..n)
        .map(|_| {
            random
                .random_bool(0.6)
                .then(|| format!("V{:012}", random.random_range(0..1_u64 << 40)))
        })
        .collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(companies)),
        Arc::new(Int32Array::from_iter_values(
            first..first + i32::try_from(n).unwrap(),
        )),
        Arc::new(customers),
        Arc::new(amounts),
        posted,
        Arc::new(StringArray::from(lines)),
        Arc::new(StringArray::from(vouchers)),
        created,
        text("IPE_07"),
        utc(1_714_554_000_000_000),
        Arc::new(Date32Array::from(vec![19_844; n])),
        utc(1_714_554_000_000_000),
        text("SOXauto_PG01"),
        text("20240501T090000Z-1a2b3c4d"),
        Arc::new(Date32Array::from(vec![19_814; n])),
    ];
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

fn encode(batches: &[RecordBatch], layout: &PartLayout) -> usize {
    let mut encoder = PartEncoder::new(layout.clone()).unwrap();
    let mut bytes = 0;
    for batch in batches {
        bytes += encoder
            .push(batch)
            .unwrap()
            .map_or(0, |part| part.bytes.len());
    }
    bytes + encoder.finish().unwrap().map_or(0, |part| part.bytes.len())
}

/// The peer: the parquet writer with its own settings, into memory, without hash, cut or provenance.
fn encode_plain(batches: &[RecordBatch], schema: &SchemaRef, compression: Compression) -> usize {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties)).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap().len()
}

fn stage(c: &mut Criterion) {
    let schema = schema();
    let mut random = StdRng::seed_from_u64(7);
    let firsts = (0..BATCHES).map(|i| i32::try_from(i * BATCH_ROWS).unwrap());
    let batches: Vec<RecordBatch> = firsts
        .map(|first| batch(&schema, &mut random, first))
        .collect();
    let mut group = c.benchmark_group("stage/ledger-15-columns");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(8));
    group.throughput(Throughput::Elements(
        u64::try_from(BATCHES * BATCH_ROWS).unwrap(),
    ));
    let layout = PartLayout::new(Arc::clone(&schema), Vec::new(), &Limits::default());
    for (name, compression) in [
        ("part-encoder-zstd1", PageCompression::Zstd1),
        ("part-encoder-zstd3", PageCompression::Zstd3),
        ("part-encoder-uncompressed", PageCompression::None),
    ] {
        let layout = PartLayout {
            compression,
            ..layout.clone()
        };
        println!("{name}: {} bytes", encode(&batches, &layout));
        group.bench_function(name, |b| b.iter(|| black_box(encode(&batches, &layout))));
    }
    for (name, compression) in [
        (
            "parquet-alone-zstd1",
            Compression::ZSTD(ZstdLevel::try_new(1).unwrap()),
        ),
        ("parquet-alone-uncompressed", Compression::UNCOMPRESSED),
    ] {
        println!(
            "{name}: {} bytes",
            encode_plain(&batches, &schema, compression)
        );
        group.bench_function(name, |b| {
            b.iter(|| black_box(encode_plain(&batches, &schema, compression)))
        });
    }
    group.finish();
}

criterion_group!(benches, stage);
criterion_main!(benches);
