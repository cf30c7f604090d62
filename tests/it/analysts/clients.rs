//! The staged files in pyarrow, DuckDB and pandas: the same rows, nulls, sums and types as in the record.

use serde_json::{Value, json};

use super::{Desk, column, widest};
use crate::support::client;

/// Type of each column as pyarrow, DuckDB and pandas name it.
const TYPES: [(&str, [&str; 3]); 14] = [
    ("id_company", ["string", "VARCHAR", "str"]),
    ("entry_no", ["int32", "INTEGER", "int"]),
    (
        "rem_amt_lcy",
        ["decimal128(38, 20)", "DECIMAL(38,20)", "Decimal"],
    ),
    ("posting_date", ["timestamp[us]", "TIMESTAMP", "Timestamp"]),
    (
        "changed",
        [
            "timestamp[us, tz=UTC]",
            "TIMESTAMP WITH TIME ZONE",
            "Timestamp",
        ],
    ),
    ("day", ["date32[day]", "DATE", "date"]),
    ("at", ["time64[us]", "TIME", "time"]),
    ("open", ["bool", "BOOLEAN", "bool"]),
    ("small", ["int16", "SMALLINT", "int"]),
    ("big", ["int64", "BIGINT", "int"]),
    ("rate", ["double", "DOUBLE", "float"]),
    ("fee", ["decimal128(19, 4)", "DECIMAL(19,4)", "Decimal"]),
    ("note", ["string", "VARCHAR", "str"]),
    ("stamp", ["binary", "BLOB", "bytes"]),
];

#[tokio::test]
async fn other_readers_find_what_the_record_says() {
    let desk = Desk::new(1_500).await;
    let staged = desk.world.record.staged.as_ref().unwrap();
    let files = staged
        .parts
        .iter()
        .map(|part| desk.folder("staging").join(&part.path));
    let files: Vec<String> = files
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    assert!(files.len() > 1);
    let found = client("open_staged.py", files.clone());
    let inspected = desk.look(&[&desk.run(), "--show-personal", "--rows", "2"]);
    for (place, name) in ["pyarrow", "duckdb", "pandas"].into_iter().enumerate() {
        let reader = &found[name];
        assert_eq!(reader["rows"], staged.rows(), "{name}");
        for (column_name, types) in TYPES {
            let type_name = reader["types"][column_name].as_str().unwrap();
            assert_eq!(type_name, types[place], "{column_name} in {name}");
            let nulls = &column(&inspected, column_name)["nulls"];
            assert_eq!(
                &reader["nulls"][column_name], nulls,
                "{column_name} in {name}"
            );
        }
        for amount in &staged.totals.amounts {
            let sum = &reader["sums"][amount];
            assert_eq!(sum, &desk.recorded_sum(amount), "{amount} in {name}");
        }
        // Row 1: every value but the float, as text.
        let row = &reader["row"];
        assert_eq!(row["note"], "Café n° 1", "{name}");
        assert_eq!(row["rem_amt_lcy"], "-3.90000000000000000000", "{name}");
        assert_eq!(row["day"], "1970-01-02", "{name}");
        assert_eq!(row["at"], "00:00:00.000007", "{name}");
        assert_eq!(row["posting_date"], "1970-01-01T00:00:03", "{name}");
        assert_eq!(row["changed"], "1970-01-01T00:00:00.000001+00:00", "{name}");
        assert_eq!(row["stamp"], "0000000000000001", "{name}");
    }
    // The twin: without the last part the same comparison fails.
    let fewer = client("open_staged.py", files.split_last().unwrap().1.to_vec());
    for name in ["pyarrow", "duckdb", "pandas"] {
        assert_ne!(fewer[name]["rows"], staged.rows());
        assert_ne!(fewer[name]["sums"]["fee"], desk.recorded_sum("fee"));
    }
}

#[tokio::test]
async fn other_readers_keep_38_digits_and_read_our_answers() {
    let desk = Desk::new(10).await;
    let run = "20240501T090000Z-000000aa";
    let folder = desk.folder(&format!("staging/IPE_09/period=2024-04/run={run}"));
    widest(&folder.join("part-00000.parquet"));
    let answer = desk.folder("answer.parquet");
    let answer = answer.to_str().unwrap();
    let query = format!("SELECT * FROM \"IPE_09@{run}\"");
    desk.out(&["sql", &query, "--format", "parquet", "--output", answer]);
    let found = client("open_staged.py", vec![answer.to_owned()]);
    for name in ["pyarrow", "duckdb", "pandas"] {
        let reader: &Value = &found[name];
        assert_eq!(reader["rows"], 5, "{name}");
        assert_eq!(reader["nulls"]["amount"], 1, "{name}");
        let top = "999999999999999999.99999999999999999999";
        let bounds = json!([format!("-{top}"), top]);
        assert_eq!(reader["bounds"]["amount"], bounds, "{name}");
    }
}
