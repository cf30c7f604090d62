//! What decoding cuts is counted exactly, however the rows are cut into batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int16Array, Int64Array, StringArray, StructArray, Time64NanosecondArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;
use soxauto::adapters::store;
use soxauto::domain::contract::Contract;
use soxauto::domain::limits::Limits;
use soxauto::domain::losses::{Changes, ColumnLosses};
use soxauto::kernels::conform::Conform;
use soxauto::pipeline::extract::{Destination, RowFold, stage_rows};
use soxauto::pipeline::progress::{Progress, Silent};
use soxauto::pipeline::stage::PartLayout;
use soxauto::ports::PortErrorKind;
use soxauto::sandbox::server::Server;

use crate::evidence::sample::{context, ipe};
use crate::support::contract_column;

use super::{batch, collect, column, engine, limits, open, query, serve};

/// Ticks of 100 ns of each value, `None` for null, and minutes of an offset.
type Row = (Option<i64>, i16);

fn arrays(rows: &[Row]) -> Vec<ArrayRef> {
    let ticks = Int64Array::from_iter(rows.iter().map(|row| row.0));
    let nanos = rows.iter().map(|row| row.0.map(|ticks| ticks * 100));
    let whole = rows.iter().map(|row| row.0.map(|ticks| ticks / 10));
    let offsets = Int16Array::from_iter(rows.iter().map(|row| row.0.map(|_| row.1)));
    let fields = vec![
        Field::new("utc_ticks", DataType::Int64, true),
        Field::new("offset_minutes", DataType::Int16, true),
    ];
    let valid: Vec<bool> = rows.iter().map(|row| row.0.is_some()).collect();
    let parts: Vec<ArrayRef> = vec![Arc::new(ticks.clone()), Arc::new(offsets)];
    vec![
        Arc::new(ticks),
        Arc::new(nanos.collect::<Time64NanosecondArray>()),
        Arc::new(StructArray::new(fields.into(), parts, Some(valid.into()))),
        Arc::new(TimestampMicrosecondArray::from_iter(whole)),
        Arc::new(StringArray::from(vec!["EC_NG"; rows.len()])),
    ]
}

const TYPES: [&str; 5] = [
    "datetime2(7)",
    "time(7)",
    "datetimeoffset(7)",
    "datetime2(6)",
    "nvarchar(20)",
];

/// The same counted on the values that were sent.
fn expected(rows: &[Row]) -> Vec<Changes> {
    let lost: Vec<u64> = rows
        .iter()
        .flat_map(|row| row.0)
        .map(|ticks| u64::try_from(ticks % 10).unwrap())
        .collect();
    let cut = Changes {
        cut: lost
            .iter()
            .filter(|ticks| **ticks > 0)
            .count()
            .try_into()
            .unwrap(),
        ticks: lost.iter().sum(),
        ticks_max: lost
            .iter()
            .max()
            .map_or(0, |ticks| (*ticks).try_into().unwrap()),
        offsets: 0,
    };
    let offsets = rows
        .iter()
        .filter(|row| row.0.is_some() && row.1 != 0)
        .count();
    let with_offsets = Changes {
        offsets: offsets.try_into().unwrap(),
        ..cut
    };
    let none = Changes::default();
    vec![cut, cut, with_offsets, none, none]
}

async fn served(rows: &[Row]) -> Server {
    let columns: Vec<_> = TYPES
        .iter()
        .enumerate()
        .map(|(i, t)| column(&format!("c{i}"), t))
        .collect();
    let engine = engine(1, 0).on_rows("SELECT times", columns, batch(arrays(rows)));
    serve(engine, Default::default()).await
}

async fn counted(rows: &[Row], batch_rows_max: usize) -> Vec<Changes> {
    let server = served(rows).await;
    let mut view = open(&server).await.unwrap();
    let columns = view.describe(&query("SELECT times")).await.unwrap().columns;
    let limits = Limits {
        batch_rows_max,
        ..limits()
    };
    let mut stream = view
        .stream(&query("SELECT times"), &columns, &limits)
        .await
        .unwrap();
    let (none, changes) = tokio::sync::oneshot::channel();
    drop(none);
    let changes = std::mem::replace(&mut stream.changes, changes);
    let batches = collect(stream).await.unwrap();
    assert!(
        batches
            .iter()
            .all(|batch| batch.num_rows() <= batch_rows_max)
    );
    changes.await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn counts_are_exact_under_any_batches(
        rows in proptest::collection::vec((proptest::option::of(0_i64..864_000_000_000), prop_oneof![Just(0_i16), -840_i16..=840]), 1..60),
        batch_rows_max in 1_usize..70,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let found = runtime.block_on(counted(&rows, batch_rows_max));
        prop_assert_eq!(found, expected(&rows));
    }
}

#[tokio::test]
async fn whole_microseconds_without_offset_lose_nothing() {
    let rows = [
        (Some(0), 0),
        (Some(10), 0),
        (None, 60),
        (Some(863_999_999_990), 0),
    ];
    assert!(counted(&rows, 2).await.iter().all(Changes::is_empty));
}

/// From the wire to the ledger: the counts of the reader stand beside the values that the fold saw.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_staged_rows_is_that_of_what_was_sent() {
    let rows: Vec<Row> = (0..50)
        .map(|i| ((i % 7 > 0).then_some(i * 1_013), 60))
        .collect();
    for batch_rows_max in [1, 8, 100] {
        let (served, contract) = (served(&rows).await, contract());
        let mut view = open(&served).await.unwrap();
        let columns = view.describe(&query("SELECT times")).await.unwrap().columns;
        let (run, limits) = (
            context(1),
            Limits {
                batch_rows_max,
                ..limits()
            },
        );
        let metadata = run.row_metadata(&ipe());
        let conform = Conform::new(&contract, &columns, &metadata, batch_rows_max).unwrap();
        let layout = PartLayout::new(conform.schema(), Vec::new(), &limits);
        let fold = RowFold::new(&contract, conform, layout).unwrap();
        let stream = view
            .stream(&query("SELECT times"), &columns, &limits)
            .await
            .unwrap();
        let to = Destination {
            staging: store::memory(),
            ipe: ipe(),
            period: run.period,
            run_id: run.run_id,
        };
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let (staged, seen) = stage_rows(stream, fold, &to, None, &silent).await.unwrap();
        assert_eq!(staged.rows(), 50);
        let values = rows
            .iter()
            .filter(|row| row.0.is_some())
            .count()
            .try_into()
            .unwrap();
        let line = |(i, changes)| ColumnLosses {
            column: format!("c{i}"),
            values,
            changes,
        };
        let lines = expected(&rows).into_iter().enumerate().take(3).map(line);
        assert_eq!(seen.losses, lines.collect::<Vec<_>>());
    }
}

/// The columns that are sent; those that lose nothing are key and company.
fn contract() -> Contract {
    let columns = TYPES.iter().enumerate();
    let columns = columns.map(|(i, sql_type)| contract_column(&format!("c{i}"), sql_type));
    Contract {
        version: 1,
        columns: columns.collect(),
        key: vec!["c3".into()],
        company: "c4".into(),
    }
}

/// Rows that broke off are not counted: nobody may take half a count for all of it.
#[tokio::test]
async fn a_stream_that_ends_early_says_no_counts() {
    let columns = vec![column("a", "int")];
    let rows = batch(vec![super::number(1)]);
    let server = serve(
        engine(1, 0).on_rows("SELECT one", columns, rows),
        Default::default(),
    )
    .await;
    let mut view = open(&server).await.unwrap();
    let mut columns = view.describe(&query("SELECT one")).await.unwrap().columns;
    columns[0].name = "b".into();
    let mut stream = view
        .stream(&query("SELECT one"), &columns, &limits())
        .await
        .unwrap();
    let error = stream.batches.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(stream.changes.await.is_err());
}
