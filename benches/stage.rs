//! Encoding of parts, beside the parquet writer alone, and counting a loaded month in the local warehouse.
//!
//! Groups: a ledger of 8 content and 7 metadata columns, encoded and loaded. Functions: how. Rows are fixed.
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
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::contract::{Column, ColumnType, Contract};
use soxauto::domain::limits::Limits;
use soxauto::domain::run::RowMetadata;
use soxauto::kernels::conform::staged_schema;
use soxauto::pipeline::stage::{PageCompression, PartEncoder, PartLayout, store_part};
use soxauto::ports::{LoadJob, Warehouse};

const BATCHES: usize = 64;
const BATCH_ROWS: usize = 8_192;

fn contract() -> Contract {
    let column = |name: &str, sql_type: &str| {
        let sql_type = sql_type.parse().unwrap();
        Column {
            source: name.into(),
            name: name.into(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: true,
            amount: name == "rem_amt_lcy",
            personal: false,
            description: String::new(),
        }
    };
    Contract {
        version: 1,
        columns: vec![
            column("id_company", "varchar(10)"),
            column("entry_no", "int"),
            column("customer_no", "bigint"),
            column("rem_amt_lcy", "decimal(38,20)"),
            column("posting_date", "datetime"),
            column("busines_line_code", "varchar(20)"),
            column("voucher_no", "nvarchar(20)"),
            column("created_at", "datetime"),
        ],
        key: vec!["entry_no".into()],
        company: "id_company".into(),
    }
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

fn rows() -> Vec<RecordBatch> {
    let schema = Arc::new(staged_schema(&contract()));
    let mut random = StdRng::seed_from_u64(7);
    let firsts = (0..BATCHES).map(|i| i32::try_from(i * BATCH_ROWS).unwrap());
    firsts
        .map(|first| batch(&schema, &mut random, first))
        .collect()
}

fn throughput() -> Throughput {
    Throughput::Elements(u64::try_from(BATCHES * BATCH_ROWS).unwrap())
}

fn encoding(c: &mut Criterion) {
    let batches = rows();
    let schema = batches[0].schema();
    let mut group = c.benchmark_group("stage/ledger-15-columns");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .throughput(throughput());
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
            b.iter(|| black_box(encode_plain(&batches, &schema, compression)));
        });
    }
    group.finish();
}

async fn load(dir: &tempfile::TempDir) -> (LocalWarehouse, LoadJob) {
    let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
    let staging = open("staging");
    let warehouse = LocalWarehouse::new(&open("warehouse"), staging.clone()).unwrap();
    let batches = rows();
    let layout = PartLayout::new(batches[0].schema(), Vec::new(), &Limits::default());
    let mut encoder = PartEncoder::new(layout).unwrap();
    let mut finished: Vec<_> = batches
        .iter()
        .filter_map(|b| encoder.push(b).unwrap())
        .collect();
    finished.extend(encoder.finish().unwrap());
    let mut parts = Vec::new();
    for part in finished {
        let path = format!("part-{:05}.parquet", part.index);
        parts.push(store_part(&staging, &path, part).await.unwrap());
    }
    let job = LoadJob {
        table: "ledger".into(),
        period: "2024-04".parse().unwrap(),
        metadata: RowMetadata {
            ipe_id: "IPE_07".parse().unwrap(),
            extraction_date: Default::default(),
            cutoff_date: Default::default(),
            processing_timestamp: Default::default(),
            source_system: String::new(),
            run_id: "20240501T090000Z-1a2b3c4d".parse().unwrap(),
            period: Default::default(),
        },
        parts,
        fence: None,
    };
    warehouse.prepare("ledger", &contract()).await.unwrap();
    warehouse.load(&job).await.unwrap();
    (warehouse, job)
}

fn counting(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (warehouse, job) = runtime.block_on(load(&dir));
    let (contract, limits) = (contract(), Limits::default());
    let mut group = c.benchmark_group("warehouse/ledger-15-columns");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .throughput(throughput());
    group.bench_function("load-again", |b| {
        b.iter(|| runtime.block_on(warehouse.load(&job)).unwrap());
    });
    group.bench_function("read-back", |b| {
        let rows_max = limits.recheck_rows_max;
        b.iter(|| {
            runtime
                .block_on(warehouse.read_back("ledger", job.period, &contract, rows_max))
                .unwrap()
        });
    });
    let sql = "SELECT id_company, COUNT(*) AS n, SUM(rem_amt_lcy) AS s FROM ledger \
               WHERE _period = DATE '2024-04-01' GROUP BY id_company";
    group.bench_function("sql-totals", |b| {
        b.iter(|| runtime.block_on(warehouse.rows(sql, 100)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, encoding, counting);
criterion_main!(benches);
