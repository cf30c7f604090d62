use std::sync::Arc;

use arrow::array::Float64Array;

use super::*;
use crate::kernels::samples;

/// The bytes of every row of one column.
fn texts(sql_type: &str, array: ArrayRef) -> Vec<String> {
    let contract = samples::contract(vec![samples::column("x", sql_type)]);
    let batch = samples::batch(&contract, vec![array]);
    let layout = RowLayout::digested(&contract);
    let rows = layout.bind(&batch).unwrap();
    let text = |row| {
        let mut out = Vec::new();
        rows.write(row, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).collect()
}

fn decimals(precision: u8, scale: u8, units: Vec<i128>) -> Vec<String> {
    let scale_of_arrow = i8::try_from(scale).unwrap();
    let array = Decimal128Array::from(units);
    let array = array
        .with_precision_and_scale(precision, scale_of_arrow)
        .unwrap();
    texts(&format!("decimal({precision},{scale})"), Arc::new(array))
}

#[test]
fn integers_and_bits() {
    let bits = BooleanArray::from(vec![Some(true), Some(false), None]);
    assert_eq!(texts("bit", Arc::new(bits)), ["1:1,", "1:0,", "-,"]);
    let small = Int16Array::from(vec![i16::MIN, 0, 255]);
    assert_eq!(
        texts("smallint", Arc::new(small)),
        ["6:-32768,", "1:0,", "3:255,"]
    );
    let long = Int64Array::from(vec![i64::MIN, i64::MAX]);
    assert_eq!(
        texts("bigint", Arc::new(long)),
        ["20:-9223372036854775808,", "19:9223372036854775807,"]
    );
}

#[test]
fn decimals_have_all_their_fraction_digits_and_zero_no_sign() {
    assert_eq!(
        decimals(9, 2, vec![0, -1, 150]),
        ["4:0.00,", "5:-0.01,", "4:1.50,"]
    );
    assert_eq!(decimals(9, 0, vec![0, -7]), ["1:0,", "2:-7,"]);
    let top = 10_i128.pow(38) - 1;
    assert_eq!(
        decimals(38, 38, vec![-top, 1]),
        [
            format!("41:-0.{},", "9".repeat(38)),
            format!("40:0.{}1,", "0".repeat(37))
        ]
    );
    assert_eq!(
        decimals(38, 0, vec![-top]),
        [format!("39:-{},", "9".repeat(38))]
    );
}

#[test]
fn dates_and_times_from_year_1_to_9999() {
    let days = Date32Array::from(vec![-719_162, 2_932_896, 0, 19_782]);
    assert_eq!(
        texts("date", Arc::new(days)),
        [
            "10:0001-01-01,",
            "10:9999-12-31,",
            "10:1970-01-01,",
            "10:2024-02-29,"
        ]
    );
    let micros = vec![-719_162 * DAY_MICROS, (2_932_896 + 1) * DAY_MICROS - 1, -1];
    let expected = [
        "0001-01-01T00:00:00.000000",
        "9999-12-31T23:59:59.999999",
        "1969-12-31T23:59:59.999999",
    ];
    let plain = TimestampMicrosecondArray::from(micros.clone());
    assert_eq!(
        texts("datetime2(7)", Arc::new(plain)),
        expected.map(|text| format!("26:{text},"))
    );
    let utc = TimestampMicrosecondArray::from(micros).with_timezone("UTC");
    assert_eq!(
        texts("datetimeoffset(7)", Arc::new(utc)),
        expected.map(|text| format!("27:{text}Z,"))
    );
    let times = Time64MicrosecondArray::from(vec![0, DAY_MICROS - 1]);
    assert_eq!(
        texts("time(7)", Arc::new(times)),
        ["15:00:00:00.000000,", "15:23:59:59.999999,"]
    );
}

#[test]
fn every_day_of_the_range_is_the_calendars() {
    let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    for day in DAY_FIRST..=DAY_LAST {
        let expected = epoch + chrono::Duration::days(day);
        let digits = calendar_digits(day).unwrap();
        assert_eq!(
            std::str::from_utf8(&digits).unwrap(),
            expected.format("%Y%m%d").to_string(),
            "{day}"
        );
    }
}

#[test]
fn texts_are_bytes_untrimmed_and_empty_is_not_null() {
    let texts_in = StringArray::from(vec![Some(""), None, Some(" a  "), Some("né🙂")]);
    assert_eq!(
        texts("nvarchar(20)", Arc::new(texts_in)),
        ["0:,", "-,", "4: a  ,", "7:né🙂,"]
    );
    let bytes = BinaryArray::from(vec![Some(&[0x00, 0xab, 0xff][..]), Some(&[]), None]);
    assert_eq!(
        texts("varbinary(8)", Arc::new(bytes)),
        ["6:00abff,", "0:,", "-,"]
    );
}

#[test]
fn outside_the_calendar_is_an_error_that_names_the_column() {
    let contract = samples::contract(vec![samples::column("x", "date")]);
    let layout = RowLayout::digested(&contract);
    for day in [-719_163, 2_932_897, i32::MIN, i32::MAX] {
        let array = Arc::new(Date32Array::from(vec![0, day]));
        let batch = samples::batch(&contract, vec![array]);
        let error = layout
            .bind(&batch)
            .unwrap()
            .write(1, &mut Vec::new())
            .unwrap_err();
        let column = "x".to_owned();
        assert_eq!(error, KernelError::OutOfRange { column, row: 1 });
    }
    let contract = samples::contract(vec![samples::column("x", "time(0)")]);
    let late = Arc::new(Time64MicrosecondArray::from(vec![DAY_MICROS]));
    let batch = samples::batch(&contract, vec![late]);
    let layout = RowLayout::digested(&contract);
    assert!(
        layout
            .bind(&batch)
            .unwrap()
            .write(0, &mut Vec::new())
            .is_err()
    );
}

#[test]
fn floats_are_left_out_and_keys_are_the_keys_columns() {
    let mut contract = samples::contract(vec![
        samples::column("x", "int"),
        samples::column("f", "float"),
    ]);
    contract.columns.push(samples::column("y", "int"));
    contract.key = vec!["y".to_owned()];
    let batch = samples::batch(
        &contract,
        vec![
            Arc::new(Int32Array::from(vec![1])),
            Arc::new(Float64Array::from(vec![0.5])),
            Arc::new(Int32Array::from(vec![2])),
        ],
    );
    let bytes = |layout: RowLayout| {
        let mut out = Vec::new();
        layout.bind(&batch).unwrap().write(0, &mut out).unwrap();
        out
    };
    assert_eq!(bytes(RowLayout::digested(&contract)), b"1:1,1:2,");
    assert_eq!(bytes(RowLayout::key(&contract)), b"1:2,");
}
