//! Every type of the digest specification, with null, minimum and maximum, through wire, describe and decoder.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int16Array, Int32Array, Int64Array, StringArray, StructArray,
    Time64MicrosecondArray, Time64NanosecondArray, TimestampMicrosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, Field};

use super::{batch, collect, column, engine, open, query, serve};

/// A column as the server sends it and as the adapter must deliver it.
struct Case {
    sql_type: &'static str,
    sent: ArrayRef,
    expected: ArrayRef,
}

fn case(
    sql_type: &'static str,
    sent: impl Array + 'static,
    expected: impl Array + 'static,
) -> Case {
    Case {
        sql_type,
        sent: Arc::new(sent),
        expected: Arc::new(expected),
    }
}

fn same(sql_type: &'static str, array: impl Array + Clone + 'static) -> Case {
    case(sql_type, array.clone(), array)
}

fn decimal(values: Vec<Option<i128>>, precision: u8, scale: i8) -> Decimal128Array {
    Decimal128Array::from(values)
        .with_precision_and_scale(precision, scale)
        .unwrap()
}

fn micros(values: Vec<Option<i64>>) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from(values)
}

const DAY: i64 = 86_400_000_000;
/// 9999-12-31 in days from 1970-01-01.
const LAST: i64 = 2_932_896;
/// 0001-01-01 in days from 1970-01-01.
const FIRST: i64 = -719_162;
/// Ticks of 100 ns from 0001-01-01 to the end of 9999.
const TICKS_MAX: i64 = 3_155_378_975_999_999_999;

fn offset_values() -> StructArray {
    let ticks = Int64Array::from(vec![Some(0), Some(TICKS_MAX), None]);
    let minutes = Int16Array::from(vec![Some(0), Some(0), None]);
    StructArray::new(
        vec![
            Field::new("utc_ticks", DataType::Int64, true),
            Field::new("offset_minutes", DataType::Int16, true),
        ]
        .into(),
        vec![Arc::new(ticks), Arc::new(minutes)],
        Some(vec![true, true, false].into()),
    )
}

fn numbers() -> Vec<Case> {
    let top = 10_i128.pow(38) - 1;
    let i16s = |values: Vec<Option<i16>>| Int16Array::from(values);
    vec![
        same(
            "bit",
            BooleanArray::from(vec![Some(false), Some(true), None]),
        ),
        case(
            "tinyint",
            UInt8Array::from(vec![Some(0), Some(255), None]),
            i16s(vec![Some(0), Some(255), None]),
        ),
        same("smallint", i16s(vec![Some(i16::MIN), Some(i16::MAX), None])),
        same(
            "int",
            Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None]),
        ),
        same(
            "bigint",
            Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]),
        ),
        same(
            "decimal(38,20)",
            decimal(vec![Some(-top), Some(top), None], 38, 20),
        ),
        same(
            "decimal(9,2)",
            decimal(vec![Some(-999_999_999), Some(-50), None], 9, 2),
        ),
        same(
            "decimal(38,0)",
            decimal(vec![Some(-top), Some(0), None], 38, 0),
        ),
        // Within 2^51 units; what lies beyond is in `failures`.
        same(
            "money",
            decimal(
                vec![Some(-2_251_799_813_685_247), Some(150_001), None],
                19,
                4,
            ),
        ),
        same(
            "smallmoney",
            decimal(vec![Some(-2_147_483_648), Some(2_147_483_647), None], 10, 4),
        ),
        same(
            "real",
            Float32Array::from(vec![Some(f32::MIN), Some(f32::MAX), None]),
        ),
        same(
            "float",
            Float64Array::from(vec![Some(f64::MIN), Some(f64::MAX), None]),
        ),
    ]
}

fn times() -> Vec<Case> {
    let nanos = |values: Vec<Option<i64>>| Time64NanosecondArray::from(values);
    let last_micro = LAST * DAY + DAY - 1;
    vec![
        same(
            "date",
            Date32Array::from(vec![Some(-719_162), Some(2_932_896), None]),
        ),
        same(
            "datetime",
            micros(vec![
                Some(-79_076 * DAY),
                Some(LAST * DAY + DAY - 3_000),
                None,
            ]),
        ),
        same(
            "smalldatetime",
            micros(vec![
                Some(-25_567 * DAY),
                Some(39_968 * DAY + DAY - 60_000_000),
                None,
            ]),
        ),
        same(
            "datetime2(6)",
            micros(vec![Some(FIRST * DAY), Some(last_micro), None]),
        ),
        same(
            "datetime2(0)",
            micros(vec![
                Some(FIRST * DAY),
                Some(LAST * DAY + DAY - 1_000_000),
                None,
            ]),
        ),
        case(
            "datetime2(7)",
            Int64Array::from(vec![Some(9), Some(TICKS_MAX), None]),
            micros(vec![Some(FIRST * DAY), Some(last_micro), None]),
        ),
        case(
            "datetimeoffset(7)",
            offset_values(),
            micros(vec![Some(FIRST * DAY), Some(last_micro), None]).with_timezone("UTC"),
        ),
        case(
            "time(7)",
            nanos(vec![Some(0), Some(86_399_999_999_900), None]),
            Time64MicrosecondArray::from(vec![Some(0), Some(DAY - 1), None]),
        ),
        case(
            "time(3)",
            nanos(vec![Some(1_000_000), Some(86_399_999_000_000), None]),
            Time64MicrosecondArray::from(vec![Some(1_000), Some(DAY - 1_000), None]),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let long = "Café à Abidjan 😀 ".repeat(6_000);
    let wide = StringArray::from(vec![Some(""), Some(long.as_str()), None]);
    let all_1252: String = encoded_1252();
    let narrow = StringArray::from(vec![Some(""), Some(all_1252.as_str()), None]);
    let guid = "6F9619FF-8B86-D011-B42D-00C04FC964FF";
    let bytes = [0_u8, 255, 128].repeat(30_000);
    vec![
        same("nvarchar(max)", wide.clone()),
        same("ntext", wide),
        same(
            "nvarchar(50)",
            StringArray::from(vec![Some(""), Some(" padded, not trimmed "), None]),
        ),
        case(
            "nchar(4)",
            StringArray::from(vec![Some("é"), Some("abcd"), None]),
            StringArray::from(vec![Some("é   "), Some("abcd"), None]),
        ),
        same("varchar(300)", narrow.clone()),
        same("varchar(max)", narrow.clone()),
        same("text", narrow),
        case(
            "char(3)",
            StringArray::from(vec![Some("a"), Some("abc"), None]),
            StringArray::from(vec![Some("a  "), Some("abc"), None]),
        ),
        case(
            "uniqueidentifier",
            StringArray::from(vec![
                Some("00000000-0000-0000-0000-000000000000"),
                Some(guid),
                None,
            ]),
            StringArray::from(vec![
                Some("00000000-0000-0000-0000-000000000000"),
                Some(guid),
                None,
            ]),
        ),
        same(
            "varbinary(max)",
            BinaryArray::from(vec![Some(&b""[..]), Some(&bytes), None]),
        ),
        same(
            "varbinary(10)",
            BinaryArray::from(vec![Some(&b""[..]), Some(&b"\x00\xff"[..]), None]),
        ),
        same(
            "image",
            BinaryArray::from(vec![Some(&b""[..]), Some(&bytes), None]),
        ),
        same(
            "binary(2)",
            BinaryArray::from(vec![Some(&b"\x00\x00"[..]), Some(&b"\xff\xfe"[..]), None]),
        ),
        same(
            "rowversion",
            BinaryArray::from(vec![Some(&[0_u8; 8][..]), Some(&[255_u8; 8][..]), None]),
        ),
    ]
}

/// Every character of Windows-1252, so that the code page is proven byte by byte.
fn encoded_1252() -> String {
    let high = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
    let low = (1_u8..128).map(char::from);
    low.chain(high.chars())
        .chain((0xA0_u8..=0xFF).map(char::from))
        .collect()
}

/// Defect 12 of the predecessor: a whole number in a column with nulls became a float, and `10` the text `10.0`.
#[tokio::test]
async fn every_type_arrives_exactly() {
    let cases: Vec<Case> = [numbers(), times(), texts()]
        .into_iter()
        .flatten()
        .collect();
    let columns: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(i, case)| column(&format!("Col {i}"), case.sql_type))
        .collect();
    let rows = batch(cases.iter().map(|case| Arc::clone(&case.sent)).collect());
    let server = serve(
        engine(1, 0).on_rows("SELECT types", columns, rows),
        Default::default(),
    )
    .await;
    let mut view = open(&server).await.unwrap();
    let described = view.describe(&query("SELECT types")).await.unwrap();
    assert_eq!(described.by, "server");
    for (case, column) in cases.iter().zip(&described.columns) {
        let base = |text: &str| text.replace("rowversion", "timestamp");
        assert_eq!(base(&column.parsed_type().to_string()), base(case.sql_type));
    }
    let stream = view
        .stream(&query("SELECT types"), &described.columns, &super::limits())
        .await
        .unwrap();
    let batches = collect(stream).await.unwrap();
    assert_eq!(batches.len(), 1);
    for (index, case) in cases.iter().enumerate() {
        assert_eq!(
            batches[0].column(index),
            &case.expected,
            "{}",
            case.sql_type
        );
        assert_eq!(
            batches[0].schema().field(index).name(),
            &format!("Col {index}")
        );
    }
    view.close().await.unwrap();
}

#[tokio::test]
async fn batches_are_cut_by_rows_and_by_bytes() {
    let rows = batch(vec![Arc::new(StringArray::from_iter_values(
        (0..1_000).map(|i| format!("{i:0>100}")),
    ))]);
    let engine = engine(1, 0).on_rows("SELECT rows", vec![column("a", "nvarchar(200)")], rows);
    let server = serve(engine, Default::default()).await;
    for (batch_rows_max, batch_bytes_max, largest) in
        [(300, usize::MAX, 300), (usize::MAX, 10_400, 100)]
    {
        let limits = soxauto::domain::limits::Limits {
            batch_rows_max,
            batch_bytes_max,
            ..super::limits()
        };
        let mut view = open(&server).await.unwrap();
        let columns = view.describe(&query("SELECT rows")).await.unwrap().columns;
        let batches = collect(
            view.stream(&query("SELECT rows"), &columns, &limits)
                .await
                .unwrap(),
        )
        .await
        .unwrap();
        assert_eq!(batches.iter().map(|b| b.num_rows()).sum::<usize>(), 1_000);
        assert_eq!(batches.iter().map(|b| b.num_rows()).max(), Some(largest));
    }
}
