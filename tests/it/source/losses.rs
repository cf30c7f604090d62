//! What decoding cuts is counted exactly, however the rows are cut into batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int16Array, Int64Array, StructArray, Time64NanosecondArray};
use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;
use soxauto::domain::limits::Limits;
use soxauto::domain::losses::Changes;
use soxauto::ports::PortErrorKind;

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
        Arc::new(arrow::array::TimestampMicrosecondArray::from_iter(whole)),
    ]
}

const TYPES: [&str; 4] = [
    "datetime2(7)",
    "time(7)",
    "datetimeoffset(7)",
    "datetime2(6)",
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
    vec![cut, cut, with_offsets, Changes::default()]
}

async fn counted(rows: &[Row], batch_rows_max: usize) -> Vec<Changes> {
    let columns: Vec<_> = TYPES
        .iter()
        .enumerate()
        .map(|(i, t)| column(&format!("c{i}"), t))
        .collect();
    let engine = engine(1, 0).on_rows("SELECT times", columns, batch(arrays(rows)));
    let server = serve(engine, Default::default()).await;
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
