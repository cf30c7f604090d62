//! Values that do not fit their column, and rows with and without nulls.

use std::sync::Arc;

use arrow::array::*;
use soxauto::sandbox::tds::fixed::FixedEngine;

use super::types::{LAST_TICK, micros, texts, timestamps};
use super::*;

#[tokio::test]
async fn what_a_type_cannot_hold_is_an_error_without_the_value() {
    let secret = "Łódź 4711";
    let cases: Vec<(&str, ArrayRef, u32)> = vec![
        ("varchar(20)", texts(&[secret]), 8114),
        ("varchar(3)", texts(&["4711"]), 2628),
        ("nchar(1)", texts(&["😀"]), 2628),
        ("uniqueidentifier", texts(&["4711"]), 8169),
        ("datetime", timestamps([micros(639_904, 0)]), 242),
        ("smalldatetime", timestamps([micros(693_594, 0)]), 242),
        (
            "datetime2(7)",
            Arc::new(Int64Array::from(vec![LAST_TICK + 1])),
            242,
        ),
        ("decimal(3,0)", Arc::new(decimal(4711, 38, 0)), 8115),
        (
            "smallmoney",
            Arc::new(decimal(i128::from(i32::MAX) + 1, 38, 4)),
            8115,
        ),
        ("decimal(10,2)", Arc::new(decimal(1, 10, 3)), 50_000),
        ("int", texts(&["4711"]), 50_000),
        ("sql_variant", texts(&["4711"]), 50_000),
    ];
    for (sql_type, array, number) in cases {
        let columns = vec![column("amount", sql_type, true)];
        let server = start(FixedEngine::new().on_rows("q", columns, batch(vec![array]))).await;
        let mut client = connect(&server).await;
        let error = match client.simple_query("q").await {
            Ok(stream) => stream.into_results().await.expect_err(sql_type),
            Err(error) => error,
        };
        assert_eq!(error.code(), Some(number), "{sql_type}: {error}");
        assert!(error.to_string().contains("amount"), "{error}");
        assert!(!error.to_string().contains("4711"), "{error}");
    }
}

fn decimal(value: i128, precision: u8, scale: i8) -> Decimal128Array {
    let array = Decimal128Array::from(vec![value]);
    array.with_precision_and_scale(precision, scale).unwrap()
}

#[tokio::test]
async fn rows_with_and_without_nulls_mix() {
    let ids: Int32Array = (0..3000).map(|n| (n % 3 != 0).then_some(n)).collect();
    let names: StringArray = (0..3000)
        .map(|n| (n % 5 != 0).then(|| format!("n{n}")))
        .collect();
    let mut columns = vec![
        column("id", "int", true),
        column("name", "nvarchar(9)", true),
    ];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(names)];
    // Nine columns need two bytes of null bitmap.
    for at in 0..7 {
        columns.push(column(&format!("k{at}"), "bigint", true));
        arrays.push(Arc::new(Int64Array::from_iter(
            (0..3000).map(|n| (n % 7 != at).then_some(n)),
        )));
    }
    let server = start(FixedEngine::new().on_rows("q", columns, batch(arrays))).await;
    let mut client = connect(&server).await;
    let rows = client
        .simple_query("q")
        .await
        .unwrap()
        .into_first_result()
        .await
        .unwrap();
    assert_eq!(rows.len(), 3000);
    for (n, row) in (0..3000_i32).zip(&rows) {
        assert_eq!(row.get::<i32, _>(0), (n % 3 != 0).then_some(n));
        let name = (n % 5 != 0).then(|| format!("n{n}"));
        assert_eq!(row.get::<&str, _>(1).map(str::to_owned), name);
        let last = (n % 7 != 6).then_some(i64::from(n));
        assert_eq!(row.get::<i64, _>("k6"), last);
    }
}
