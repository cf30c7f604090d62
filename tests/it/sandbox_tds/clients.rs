//! Other people's drivers: FreeTDS through pymssql, Microsoft's ODBC driver through mssql-python.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use serde_json::{Value, json};
use soxauto::sandbox::tds::fixed::FixedEngine;
use soxauto::sandbox::wire::{Reply, SqlError};

use super::*;
use crate::support::client;

/// Runs a script of tests/clients off the async threads.
async fn run(script: &'static str, arguments: Vec<String>) -> Value {
    tokio::task::spawn_blocking(move || client(script, arguments))
        .await
        .unwrap()
}

fn texts(min: &str, max: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![None, Some(min), Some(max)]))
}

fn bytes(min: &[u8], max: &[u8]) -> ArrayRef {
    Arc::new(BinaryArray::from(vec![None, Some(min), Some(max)]))
}

fn decimals(min: i128, max: i128, precision: u8, scale: i8) -> ArrayRef {
    let values = Decimal128Array::from(vec![None, Some(min), Some(max)]);
    Arc::new(values.with_precision_and_scale(precision, scale).unwrap())
}

fn moments(min: &str, max: &str) -> ArrayRef {
    let micros = |text: &str| {
        let moment: chrono::NaiveDateTime = text.parse().unwrap();
        Some(moment.and_utc().timestamp_micros())
    };
    Arc::new(TimestampMicrosecondArray::from(vec![
        None,
        micros(min),
        micros(max),
    ]))
}

fn offsets() -> ArrayRef {
    let ticks: ArrayRef = Arc::new(Int64Array::from(vec![
        0,
        630_822_816_000_000_000,
        630_822_816_000_000_010,
    ]));
    let minutes: ArrayRef = Arc::new(Int16Array::from(vec![0, -840, 840]));
    let fields = vec![
        Field::new("utc_ticks", DataType::Int64, false),
        Field::new("offset_minutes", DataType::Int16, false),
    ];
    let nulls = NullBuffer::from(vec![false, true, true]);
    Arc::new(StructArray::new(
        fields.into(),
        vec![ticks, minutes],
        Some(nulls),
    ))
}

/// One column per type; the values as the scripts write them.
#[rustfmt::skip]
fn table() -> Vec<(&'static str, ArrayRef, Value, Value)> {
    let big = 10_i128.pow(38) - 1;
    let nines = "999999999999999999.99999999999999999999";
    let long_latin = "é€".repeat(40_000);
    let long_wide = "日😀".repeat(30_000);
    let long_bytes = vec![0xAB_u8; 100_000];
    vec![
        ("bit", Arc::new(BooleanArray::from(vec![None, Some(false), Some(true)])), json!(false), json!(true)),
        ("tinyint", Arc::new(UInt8Array::from(vec![None, Some(0), Some(255)])), json!("0"), json!("255")),
        ("smallint", Arc::new(Int16Array::from(vec![None, Some(i16::MIN), Some(i16::MAX)])), json!("-32768"), json!("32767")),
        ("int", Arc::new(Int32Array::from(vec![None, Some(i32::MIN), Some(i32::MAX)])), json!("-2147483648"), json!("2147483647")),
        ("bigint", Arc::new(Int64Array::from(vec![None, Some(i64::MIN), Some(i64::MAX)])), json!("-9223372036854775808"), json!("9223372036854775807")),
        ("decimal(38,20)", decimals(-big, big, 38, 20), json!(format!("-{nines}")), json!(nines)),
        ("decimal(9,2)", decimals(-999_999_999, 1, 9, 2), json!("-9999999.99"), json!("0.01")),
        ("money", decimals(i128::from(i64::MIN), i128::from(i64::MAX), 19, 4), json!("-922337203685477.5808"), json!("922337203685477.5807")),
        ("smallmoney", decimals(i128::from(i32::MIN), i128::from(i32::MAX), 10, 4), json!("-214748.3648"), json!("214748.3647")),
        ("real", Arc::new(Float32Array::from(vec![None, Some(-1.5), Some(0.25)])), json!("-1.5"), json!("0.25")),
        ("float", Arc::new(Float64Array::from(vec![None, Some(f64::MIN), Some(0.1)])), json!("-1.7976931348623157e+308"), json!("0.1")),
        ("date", Arc::new(Date32Array::from(vec![None, Some(-719_162), Some(2_932_896)])), json!("0001-01-01"), json!("9999-12-31")),
        ("datetime", moments("1753-01-01T00:00:00", "9999-12-31T23:59:59.997"), json!("1753-01-01T00:00:00"), json!("9999-12-31T23:59:59.997000")),
        ("smalldatetime", moments("1900-01-01T00:00:00", "2079-06-06T23:59:00"), json!("1900-01-01T00:00:00"), json!("2079-06-06T23:59:00")),
        ("datetime2(7)", moments("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"), json!("0001-01-01T00:00:00"), json!("9999-12-31T23:59:59.999999")),
        ("datetime2(0)", moments("0001-01-01T00:00:00", "9999-12-31T23:59:59"), json!("0001-01-01T00:00:00"), json!("9999-12-31T23:59:59")),
        ("datetimeoffset(7)", offsets(), json!("1999-12-31T10:00:00-14:00"), json!("2000-01-01T14:00:00.000001+14:00")),
        ("time(6)", Arc::new(Time64NanosecondArray::from(vec![None, Some(0), Some(86_399_999_999_000)])), json!("00:00:00"), json!("23:59:59.999999")),
        ("char(3)", texts("a", "é€"), json!("a  "), json!("é€ ")),
        ("varchar(20)", texts("", "Café €"), json!(""), json!("Café €")),
        ("nchar(3)", texts("a", "日本語"), json!("a  "), json!("日本語")),
        ("nvarchar(20)", texts("", "😀 Zoë"), json!(""), json!("😀 Zoë")),
        ("uniqueidentifier", texts("00000000-0000-0000-0000-000000000000", "6F9619FF-8B86-D011-B42D-00C04FC964FF"), json!("00000000-0000-0000-0000-000000000000"), json!("6F9619FF-8B86-D011-B42D-00C04FC964FF")),
        ("binary(3)", bytes(b"\0", b"abc"), json!("000000"), json!("616263")),
        ("varbinary(20)", bytes(b"", b"\xff\0"), json!(""), json!("ff00")),
        ("rowversion", bytes(&[0; 8], &[255; 8]), json!("0000000000000000"), json!("ffffffffffffffff")),
        ("varchar(max)", texts("", &long_latin), json!(""), json!(long_latin)),
        ("nvarchar(max)", texts("", &long_wide), json!(""), json!(long_wide)),
        ("varbinary(max)", bytes(b"", &long_bytes), json!(""), json!("ab".repeat(100_000))),
        ("text", texts("", &long_latin), json!(""), json!(long_latin)),
        ("ntext", texts("", &long_wide), json!(""), json!(long_wide)),
        ("image", bytes(b"", &long_bytes), json!(""), json!("ab".repeat(100_000))),
    ]
}

fn engine() -> FixedEngine {
    let table = table();
    let columns = table
        .iter()
        .map(|(name, ..)| column(name, name, true))
        .collect();
    let types = batch(table.into_iter().map(|(_, array, ..)| array).collect());
    let many: ArrayRef = Arc::new(Int32Array::from_iter_values(0..50_000));
    let one: ArrayRef = Arc::new(Int32Array::from(vec![7]));
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let message = "Divide by zero error encountered.".to_owned();
    let procedure = String::new();
    let error = SqlError {
        number: 8134,
        class: 16,
        state: 1,
        message,
        procedure,
        line: 1,
    };
    let numbers = || vec![column("n", "int", false)];
    let params = batch(vec![text("O'Brien Zoë"), Arc::clone(&one)]);
    let failing = vec![
        Reply::Columns(numbers()),
        Reply::Rows(batch(vec![Arc::clone(&many)])),
        Reply::Error(error),
    ];
    FixedEngine::new()
        .with_login(LOGIN.user, LOGIN.password)
        .on_rows("SELECT types", columns, types)
        .on_rows("SELECT many", numbers(), batch(vec![many]))
        .on_rows("SELECT one WHERE n = @P1", numbers(), batch(vec![one]))
        .on("SELECT failing", failing)
        .on_rows(
            "SELECT N'O''Brien Zoë', 5",
            vec![column("a", "nvarchar(20)", true), column("b", "int", true)],
            params,
        )
}

fn check_types(result: &Value, skip: &[&str]) {
    let table = table();
    for (at, (name, _, min, max)) in table.iter().enumerate() {
        assert_eq!(result["columns"][at], json!(name));
        if skip.contains(name) {
            continue;
        }
        for (row, expected) in [&Value::Null, min, max].into_iter().enumerate() {
            let value = &result["types"][row][at];
            assert!(value == expected, "{name} row {row}: {}", cut(value));
        }
    }
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pymssql_reads_all_types() {
    let server = start(engine()).await;
    let arguments = [
        server.addr().ip().to_string(),
        server.addr().port().to_string(),
        LOGIN.user.to_owned(),
        LOGIN.password.to_owned(),
        LOGIN.database.to_owned(),
    ];
    let result = run("pymssql_client.py", arguments.to_vec()).await;
    check_types(&result, &[]);
    assert_eq!(result["params"], json!([["O'Brien Zoë", "7"]]));
    assert_eq!(
        (&result["error"], &result["failing"]),
        (&json!(2812), &json!(8134))
    );
    assert_eq!(result["many"], json!(50_000));
    assert_eq!(result["login"], json!(18456));
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_driver_reads_all_types_and_binds_parameters() {
    let server = start(engine()).await;
    let odbc = server.odbc_string(&LOGIN, soxauto::sandbox::server::Trust::Any);
    let result = run("mssql_python_client.py", vec![odbc]).await;
    check_types(&result, &[]);
    let (params, sent) = (&result["params"], &result["sent"]);
    for at in 0..sent.as_array().map_or(1, Vec::len) {
        assert!(
            params[at] == sent[at],
            "{at}: {} for {}",
            cut(&params[at]),
            cut(&sent[at])
        );
    }
    for (part, text) in [
        ("error", "no answer"),
        ("failing", "Divide by zero"),
        ("login", "Login failed"),
    ] {
        assert!(
            result[part].as_str().is_some_and(|m| m.contains(text)),
            "{}",
            result[part]
        );
    }
    assert_eq!(
        (&result["many"], &result["again"]),
        (&json!(50_000), &json!(50_000))
    );
}
