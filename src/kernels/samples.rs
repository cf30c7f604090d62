//! Small contracts and batches for the tests of this floor.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Schema, SchemaRef};

use super::conform::staged_schema;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::sql_type::SqlType;

/// A nullable column whose source name is `Src <name>`.
pub(crate) fn column(name: &str, sql_type: &str) -> Column {
    let sql_type: SqlType = sql_type.parse().unwrap();
    Column {
        source: format!("Src {name}"),
        name: name.to_owned(),
        column_type: ColumnType::of(&sql_type).unwrap(),
        sql_type,
        nullable: true,
        amount: false,
        personal: false,
        description: format!("the {name}"),
    }
}

/// The first column is company and key.
pub(crate) fn contract(columns: Vec<Column>) -> Contract {
    let first = columns[0].name.clone();
    Contract {
        version: 1,
        columns,
        key: vec![first.clone()],
        company: first,
    }
}

/// The columns of the published test vectors.
pub(crate) fn vector_contract() -> Contract {
    contract(vec![
        column("company", "varchar(20)"),
        column("entry_no", "int"),
        Column {
            amount: true,
            ..column("amount", "decimal(38,20)")
        },
        column("posted_at", "datetime"),
        column("name", "nvarchar(50)"),
    ])
}

/// The schema of the content columns alone, as a conformed batch has them in front.
pub(crate) fn content_schema(contract: &Contract) -> SchemaRef {
    let schema = staged_schema(contract);
    let content = schema.fields().iter().take(contract.columns.len()).cloned();
    Arc::new(Schema::new(content.collect::<Vec<_>>()))
}

/// A batch of content columns.
pub(crate) fn batch(contract: &Contract, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(content_schema(contract), columns).unwrap()
}

/// 2024-05-31T00:00:00, 2024-05-30T23:59:59.997 and 1753-01-01T00:00:00 in microseconds.
const TIMES: [i64; 3] = [
    1_717_113_600_000_000,
    1_717_113_599_997_000,
    -6_847_804_800_000_000,
];

/// The three rows of the published test vectors, the last one twice.
pub(crate) fn vector_batch() -> RecordBatch {
    let unit = 10_i128.pow(18);
    let amounts = Decimal128Array::from(vec![-50 * unit, 123_456_789 * unit, 0, 0]);
    batch(
        &vector_contract(),
        vec![
            Arc::new(StringArray::from(vec!["EC_NG", "EC_NG", "JM_EG", "JM_EG"])),
            Arc::new(Int32Array::from(vec![1, 2, 1, 1])),
            Arc::new(amounts.with_precision_and_scale(38, 20).unwrap()),
            Arc::new(TimestampMicrosecondArray::from(vec![
                TIMES[0], TIMES[1], TIMES[2], TIMES[2],
            ])),
            Arc::new(StringArray::from(vec![
                Some("Café à Abidjan"),
                None,
                Some(""),
                Some(""),
            ])),
        ],
    )
}

/// The published row texts, row hashes, limbs and buckets of [`vector_batch`].
pub(crate) const VECTORS: [(&str, &str, [u128; 4], usize); 3] = [
    (
        "5:EC_NG,1:1,23:-0.50000000000000000000,26:2024-05-31T00:00:00.000000,16:Café à Abidjan,",
        "90b8668642d97bd6d149c0bfb9855ab0377902d45e42876152d41dbc91f6906b",
        [
            40735147125037435,
            60465759712688517,
            25526500203877470,
            18726200534113724,
        ],
        2335,
    ),
    (
        "5:EC_NG,1:2,28:1234567.89000000000000000000,26:2024-05-30T23:59:59.997000,-,",
        "d707c0ae61a81423c4dea1746495ce7142d100eff8e7845df0f6ff34dd8e9d8a",
        [
            60525644133541908,
            10068084655416469,
            58108376990674936,
            65166258629705524,
        ],
        3544,
    ),
    (
        "5:JM_EG,1:1,22:0.00000000000000000000,26:1753-01-01T00:00:00.000000,0:,",
        "b2d3ddf858a6d3778aa121290cde1d794570e32938265611a7eba643fe3230e6",
        [
            50335496162289363,
            33647946879274206,
            8296113478248760,
            10790682946676291,
        ],
        4067,
    ),
];

/// The published digest of the four rows.
pub(crate) const VECTOR_DIGEST: &str =
    "v1:4:201931783583158069:137829738126653398:100227104151049926:105473825057171830";

/// Its published fingerprint.
pub(crate) const VECTOR_FINGERPRINT: &str =
    "46c5ae89f99317edc69f418c3c96503783b585710ffa294dcfd53037e579786d";
