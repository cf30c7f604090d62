//! Every type of the digest with null, minimum and maximum, as tiberius decodes it.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use soxauto::sandbox::tds::fixed::FixedEngine;
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time};
use tiberius::{ColumnData, Uuid};

use super::*;

const DAY_TICKS: i64 = 864_000_000_000;
/// 9999-12-31 23:59:59.9999999.
pub(super) const LAST_TICK: i64 = 3_652_059 * DAY_TICKS - 1;
/// 9999-12-31 in days since year 1.
const LAST_DAY: u32 = 3_652_058;

/// Sends a null and the values (as nullable, and again as not null without the null) and compares.
async fn check(sql_type: &str, array: ArrayRef, expected: Vec<ColumnData<'static>>) {
    assert!(
        array.is_null(0),
        "{sql_type}: the first value of a case is null"
    );
    assert_eq!(array.len(), expected.len() + 1, "{sql_type}");
    let whole = array.slice(1, expected.len());
    let engine = FixedEngine::new()
        .on_rows(
            "nullable",
            vec![column("v", sql_type, true)],
            batch(vec![array]),
        )
        .on_rows(
            "required",
            vec![column("v", sql_type, false)],
            batch(vec![whole]),
        );
    let server = start(engine).await;
    let mut client = connect(&server).await;
    let read = client
        .simple_query("nullable")
        .await
        .unwrap()
        .into_first_result()
        .await
        .unwrap();
    let null = read[0].get_column_data(0).unwrap();
    assert!(
        format!("{null:?}").ends_with("(None)"),
        "{sql_type}: {null:?}"
    );
    for (at, value) in expected.iter().enumerate() {
        assert_eq!(
            read[at + 1].get_column_data(0).unwrap(),
            value,
            "nullable {sql_type} {at}"
        );
    }
    let read = client
        .simple_query("required")
        .await
        .unwrap()
        .into_first_result()
        .await
        .unwrap();
    for (at, value) in expected.iter().enumerate() {
        assert_eq!(
            read[at].get_column_data(0).unwrap(),
            value,
            "required {sql_type} {at}"
        );
    }
}

#[tokio::test]
async fn integers_and_bit() {
    let values = BooleanArray::from(vec![None, Some(false), Some(true)]);
    let expected = vec![ColumnData::Bit(Some(false)), ColumnData::Bit(Some(true))];
    check("bit", Arc::new(values), expected).await;
    let values = UInt8Array::from(vec![None, Some(0), Some(255)]);
    let expected = vec![ColumnData::U8(Some(0)), ColumnData::U8(Some(255))];
    check("tinyint", Arc::new(values), expected).await;
    let ends = [i16::MIN, -1, i16::MAX];
    let values: Int16Array = [None].into_iter().chain(ends.map(Some)).collect();
    check(
        "smallint",
        Arc::new(values),
        ends.map(|v| ColumnData::I16(Some(v))).to_vec(),
    )
    .await;
    let ends = [i32::MIN, 0, i32::MAX];
    let values: Int32Array = [None].into_iter().chain(ends.map(Some)).collect();
    check(
        "int",
        Arc::new(values),
        ends.map(|v| ColumnData::I32(Some(v))).to_vec(),
    )
    .await;
    let ends = [i64::MIN, 0, i64::MAX];
    let values: Int64Array = [None].into_iter().chain(ends.map(Some)).collect();
    check(
        "bigint",
        Arc::new(values),
        ends.map(|v| ColumnData::I64(Some(v))).to_vec(),
    )
    .await;
}

#[tokio::test]
async fn decimals_of_every_width() {
    for (precision, scale) in [
        (1, 0),
        (9, 9),
        (10, 2),
        (19, 4),
        (20, 0),
        (28, 10),
        (29, 1),
        (38, 20),
    ] {
        let end = 10_i128.pow(u32::from(precision)) - 1;
        let ends = [-end, 0, 5, end];
        let values: Decimal128Array = [None].into_iter().chain(ends.map(Some)).collect();
        let scale_arrow = i8::try_from(scale).unwrap();
        let values = values
            .with_precision_and_scale(precision, scale_arrow)
            .unwrap();
        let sql_type = format!("decimal({precision},{scale})");
        let numeric = |v| ColumnData::Numeric(Some(Numeric::new_with_scale(v, scale)));
        check(&sql_type, Arc::new(values), ends.map(numeric).to_vec()).await;
    }
}

#[tokio::test]
async fn money() {
    let money = |ends: [i64; 3], precision| {
        let values = [None].into_iter().chain(ends.map(|v| Some(i128::from(v))));
        let values = values.collect::<Decimal128Array>();
        Arc::new(values.with_precision_and_scale(precision, 4).unwrap())
    };
    // tiberius hands money out as a float; the exact words are compared by the Python clients.
    let float = |v: i64| ColumnData::F64(Some(v as f64 / 1e4));
    let ends = [i64::MIN, -12_345, i64::MAX];
    check("money", money(ends, 19), ends.map(float).to_vec()).await;
    let ends = [i64::from(i32::MIN), -1, i64::from(i32::MAX)];
    check("smallmoney", money(ends, 10), ends.map(float).to_vec()).await;
}

#[tokio::test]
async fn floats() {
    let ends = [f32::MIN, f32::MIN_POSITIVE, -0.0, f32::MAX];
    let values: Float32Array = [None].into_iter().chain(ends.map(Some)).collect();
    check(
        "real",
        Arc::new(values),
        ends.map(|v| ColumnData::F32(Some(v))).to_vec(),
    )
    .await;
    let ends = [f64::MIN, f64::MIN_POSITIVE, 0.1, f64::MAX];
    let values: Float64Array = [None].into_iter().chain(ends.map(Some)).collect();
    check(
        "float",
        Arc::new(values),
        ends.map(|v| ColumnData::F64(Some(v))).to_vec(),
    )
    .await;
}

/// Microseconds since 1970 of days since year 1 and microseconds of the day.
pub(super) fn micros(day: i64, of_day: i64) -> i64 {
    (day - 719_162) * 86_400_000_000 + of_day
}

pub(super) fn timestamps<const N: usize>(values: [i64; N]) -> ArrayRef {
    let all = [None].into_iter().chain(values.map(Some));
    Arc::new(all.collect::<TimestampMicrosecondArray>())
}

#[tokio::test]
async fn old_dates() {
    let last = micros(i64::from(LAST_DAY), 86_399_997_000);
    let values = timestamps([micros(639_905, 0), micros(693_595, 3_000), last]);
    let expected = [(-53_690, 0), (0, 1), (2_958_463, 25_919_999)];
    let expected = expected.map(|(d, f)| ColumnData::DateTime(Some(DateTime::new(d, f))));
    check("datetime", values, expected.to_vec()).await;
    let values = timestamps([micros(693_595, 0), micros(693_595 + 65_535, 86_340_000_000)]);
    let expected = [(0, 0), (65_535, 1_439)];
    let expected = expected.map(|(d, m)| ColumnData::SmallDateTime(Some(SmallDateTime::new(d, m))));
    check("smalldatetime", values, expected.to_vec()).await;
    let values = Date32Array::from(vec![None, Some(-719_162), Some(0), Some(2_932_896)]);
    let expected = [0, 719_162, LAST_DAY].map(|d| ColumnData::Date(Some(Date::new(d))));
    check("date", Arc::new(values), expected.to_vec()).await;
}

fn datetime2(day: u32, units: u64, scale: u8) -> DateTime2 {
    DateTime2::new(Date::new(day), Time::new(units, scale))
}

#[tokio::test]
async fn datetime2_over_the_whole_range() {
    let values = Int64Array::from(vec![None, Some(0), Some(1), Some(LAST_TICK)]);
    let expected = [
        datetime2(0, 0, 7),
        datetime2(0, 1, 7),
        datetime2(LAST_DAY, 863_999_999_999, 7),
    ];
    let expected = expected.map(|v| ColumnData::DateTime2(Some(v))).to_vec();
    check("datetime2(7)", Arc::new(values), expected).await;
    for scale in 0..=6_u8 {
        let unit = 10_i64.pow(6 - u32::from(scale));
        let last = micros(i64::from(LAST_DAY), 86_400_000_000 - unit);
        let values = timestamps([micros(0, 0), micros(719_162, unit), last]);
        let units = 86_400 * 10_u64.pow(u32::from(scale)) - 1;
        let expected = [
            datetime2(0, 0, scale),
            datetime2(719_162, 1, scale),
            datetime2(LAST_DAY, units, scale),
        ];
        let expected = expected.map(|v| ColumnData::DateTime2(Some(v))).to_vec();
        check(&format!("datetime2({scale})"), values, expected).await;
    }
}

#[tokio::test]
async fn datetimeoffset_and_time() {
    let ticks: ArrayRef = Arc::new(Int64Array::from(vec![0, 0, 840 * 600_000_000, LAST_TICK]));
    let offsets: ArrayRef = Arc::new(Int16Array::from(vec![0, 840, -840, 0]));
    let fields = vec![
        Field::new("utc_ticks", DataType::Int64, false),
        Field::new("offset_minutes", DataType::Int16, false),
    ];
    let nulls = NullBuffer::from(vec![false, true, true, true]);
    let values = StructArray::new(fields.into(), vec![ticks, offsets], Some(nulls));
    let expected = [
        (datetime2(0, 0, 7), 840),
        (datetime2(0, 504_000_000_000, 7), -840),
        (datetime2(LAST_DAY, 863_999_999_999, 7), 0),
    ];
    let expected = expected
        .map(|(utc, offset)| ColumnData::DateTimeOffset(Some(DateTimeOffset::new(utc, offset))));
    check("datetimeoffset(7)", Arc::new(values), expected.to_vec()).await;
    for scale in 0..=7_u8 {
        let units = 86_400 * 10_u64.pow(u32::from(scale)) - 1;
        let nanos = i64::try_from(units).unwrap() * 10_i64.pow(9 - u32::from(scale));
        let values = Time64NanosecondArray::from(vec![None, Some(0), Some(nanos)]);
        let expected = [0, units]
            .map(|u| ColumnData::Time(Some(Time::new(u, scale))))
            .to_vec();
        check(&format!("time({scale})"), Arc::new(values), expected).await;
    }
}

pub(super) fn texts(values: &[&str]) -> ArrayRef {
    let all = [None].into_iter().chain(values.iter().map(|v| Some(*v)));
    Arc::new(all.collect::<StringArray>())
}

fn strings(values: &[&str]) -> Vec<ColumnData<'static>> {
    values
        .iter()
        .map(|v| ColumnData::String(Some((*v).to_owned().into())))
        .collect()
}

#[tokio::test]
async fn short_text() {
    check(
        "char(4)",
        texts(&["abcd", "é", ""]),
        strings(&["abcd", "é   ", "    "]),
    )
    .await;
    check(
        "nchar(4)",
        texts(&["日本語字", "😀", ""]),
        strings(&["日本語字", "😀  ", "    "]),
    )
    .await;
    let longest = "ü".repeat(8000);
    let values = ["", " ", "Café € ‘quoted’ ", &longest];
    check("varchar(8000)", texts(&values), strings(&values)).await;
    let longest = "日".repeat(4000);
    let values = ["", " ", "naïve 😀 e\u{301}", &longest];
    check("nvarchar(4000)", texts(&values), strings(&values)).await;
}

#[tokio::test]
async fn long_text_and_old_lob_types() {
    let latin = "Ça coûte 12 € ".repeat(20_000);
    let wide = "😀日本𝄞a".repeat(30_000);
    let narrow = ["", "x", latin.as_str()];
    for sql_type in ["varchar(max)", "text"] {
        check(sql_type, texts(&narrow), strings(&narrow)).await;
    }
    let values = ["", "x", wide.as_str()];
    for sql_type in ["nvarchar(max)", "ntext"] {
        check(sql_type, texts(&values), strings(&values)).await;
    }
    let large: LargeStringArray = [None, Some("a😀")].into_iter().collect();
    check("nvarchar(max)", Arc::new(large), strings(&["a😀"])).await;
    let view: StringViewArray = [None, Some("a longer text than twelve bytes")]
        .into_iter()
        .collect();
    check(
        "varchar(40)",
        Arc::new(view),
        strings(&["a longer text than twelve bytes"]),
    )
    .await;
}

#[tokio::test]
async fn bytes_and_guids() {
    let long: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let array = |values: &[&[u8]]| -> ArrayRef {
        let all = [None].into_iter().chain(values.iter().map(|v| Some(*v)));
        Arc::new(all.collect::<BinaryArray>())
    };
    let binary = |values: &[&[u8]]| -> Vec<ColumnData<'static>> {
        values
            .iter()
            .map(|v| ColumnData::Binary(Some(v.to_vec().into())))
            .collect()
    };
    let short: [&[u8]; 3] = [b"", b"\0", &long[..8000]];
    check("varbinary(8000)", array(&short), binary(&short)).await;
    let values: [&[u8]; 3] = [b"", b"\xff", &long];
    check("varbinary(max)", array(&values), binary(&values)).await;
    check("image", array(&values), binary(&values)).await;
    check(
        "binary(3)",
        array(&[b"abc", b"a"]),
        binary(&[b"abc", b"a\0\0"]),
    )
    .await;
    let version: [&[u8]; 2] = [b"\0\0\0\0\0\0\x07\xd1", &[255; 8]];
    check("rowversion", array(&version), binary(&version)).await;
    let ends = [
        Uuid::nil(),
        Uuid::from_u128(0x6F96_19FF_8B86_D011_B42D_00C0_4FC9_64FF),
        Uuid::max(),
    ];
    let guids = || ends.map(|guid| ColumnData::Guid(Some(guid))).to_vec();
    let as_text = ends.map(|guid| guid.to_string().to_uppercase());
    let as_text: Vec<&str> = as_text.iter().map(String::as_str).collect();
    check("uniqueidentifier", texts(&as_text), guids()).await;
    let mut fixed = FixedSizeBinaryBuilder::new(16);
    fixed.append_null();
    ends.iter()
        .for_each(|guid| fixed.append_value(guid.as_bytes()).unwrap());
    check("uniqueidentifier", Arc::new(fixed.finish()), guids()).await;
}
