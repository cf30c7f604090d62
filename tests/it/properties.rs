//! What must hold for any table: digest and totals depend on the rows alone, notice every edit, and both paths agree.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int16Array,
    Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Schema;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::collection::vec;
use proptest::prelude::*;
use soxauto::domain::contract::{Column, ColumnType, Contract};
use soxauto::domain::digest::TableDigest;
use soxauto::domain::totals::{ControlTotals, TotalsError};
use soxauto::kernels::KernelError;
use soxauto::kernels::conform::staged_schema;
use soxauto::kernels::digest::{DigestFold, Digested};
use soxauto::kernels::recheck::{RecheckError, recheck_part};
use soxauto::kernels::totals::TotalsFold;

use crate::support::contract_column;

/// The greatest 38-digit number.
const TOP: i128 = 10_i128.pow(38) - 1;
/// Days and microseconds of 0001-01-01 and 9999-12-31.
const DAYS: (i32, i32) = (-719_162, 2_932_896);
const DAY_MICROS: i64 = 86_400_000_000;
const MICROS: (i64, i64) = (-62_135_596_800_000_000, 253_402_300_799_999_999);

/// One cell; the column's type says how it is carried.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Whole(i128),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone)]
struct Table {
    contract: Contract,
    rows: Vec<Vec<Cell>>,
}

/// Company first, then every type; the decimal of a random scale is an amount, as are the integers.
fn contract(scale: u8) -> Contract {
    let types = [
        ("company", "nvarchar(20)".to_owned(), false),
        ("flag", "bit".to_owned(), false),
        ("tiny", "tinyint".to_owned(), true),
        ("whole", "int".to_owned(), true),
        ("big", "bigint".to_owned(), true),
        ("amount", format!("decimal(38,{scale})"), true),
        ("money", "money".to_owned(), true),
        ("ratio", "float".to_owned(), false),
        ("day", "date".to_owned(), false),
        ("at", "datetime2(7)".to_owned(), false),
        ("instant", "datetimeoffset(7)".to_owned(), false),
        ("clock", "time(7)".to_owned(), false),
        ("name", "nvarchar(50)".to_owned(), false),
        ("bytes", "varbinary(20)".to_owned(), false),
    ];
    let column = |(name, sql_type, amount): (&str, String, bool)| Column {
        amount,
        ..contract_column(name, &sql_type)
    };
    Contract {
        version: 1,
        columns: types.into_iter().map(column).collect(),
        key: vec!["whole".to_owned()],
        company: "company".to_owned(),
    }
}

/// Values between two bounds, often the bounds themselves, zero or close to it.
fn between(least: i128, greatest: i128) -> BoxedStrategy<Cell> {
    let near = (-3_i128).max(least)..=3_i128.min(greatest);
    prop_oneof![
        1 => Just(Cell::Null),
        1 => Just(Cell::Whole(least)),
        1 => Just(Cell::Whole(greatest)),
        2 => near.prop_map(Cell::Whole),
        4 => (least..=greatest).prop_map(Cell::Whole),
    ]
    .boxed()
}

fn cell(column: &Column) -> BoxedStrategy<Cell> {
    match column.column_type {
        ColumnType::Bool => between(0, 1),
        ColumnType::Int16 => between(i128::from(i16::MIN), i128::from(i16::MAX)),
        ColumnType::Int32 => between(i128::from(i32::MIN), i128::from(i32::MAX)),
        ColumnType::Int64 => between(i128::from(i64::MIN), i128::from(i64::MAX)),
        // Mostly amounts whose sums stay within 38 digits, sometimes anything.
        ColumnType::Decimal { precision: 38, .. } => prop_oneof![
            9 => between(-TOP / 100, TOP / 100),
            1 => between(-TOP, TOP),
        ]
        .boxed(),
        ColumnType::Decimal { precision, .. } => {
            let top = 10_i128.pow(u32::from(precision)) - 1;
            between(-top, top)
        }
        ColumnType::Float32 | ColumnType::Float64 => between(-5, 5),
        ColumnType::Date => between(i128::from(DAYS.0), i128::from(DAYS.1)),
        ColumnType::DateTime | ColumnType::DateTimeUtc => {
            between(i128::from(MICROS.0), i128::from(MICROS.1))
        }
        ColumnType::Time => between(0, i128::from(DAY_MICROS - 1)),
        ColumnType::Text if column.name == "company" => prop_oneof![
            Just(Cell::Null),
            prop::sample::select(vec!["", "EC_NG", "EC_NG  ", " EC_NG", "ec_ng", "É  "])
                .prop_map(|text| Cell::Text(text.to_owned())),
        ]
        .boxed(),
        ColumnType::Text => prop_oneof![
            Just(Cell::Null),
            prop::sample::select(vec!["", " ", "a  ", "-,", "0:,", "Café à Abidjan"])
                .prop_map(|text| Cell::Text(text.to_owned())),
            any::<String>().prop_map(Cell::Text),
        ]
        .boxed(),
        ColumnType::Binary => prop_oneof![
            Just(Cell::Null),
            vec(any::<u8>(), 0..20).prop_map(Cell::Bytes)
        ]
        .boxed(),
    }
}

fn row(contract: &Contract) -> impl Strategy<Value = Vec<Cell>> + use<> {
    contract.columns.iter().map(cell).collect::<Vec<_>>()
}

fn table(rows: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Table> {
    let rows = rows.into();
    (0_u8..=38).prop_flat_map(move |scale| {
        let contract = contract(scale);
        vec(row(&contract), rows.clone()).prop_map(move |rows| Table {
            contract: contract.clone(),
            rows,
        })
    })
}

fn whole<T: TryFrom<i128>>(cell: &Cell) -> Option<T> {
    match cell {
        Cell::Whole(n) => Some(T::try_from(*n).unwrap_or_else(|_| panic!("{n} fits"))),
        _ => None,
    }
}

impl Table {
    fn batch(&self) -> RecordBatch {
        let schema = staged_schema(&self.contract);
        let fields = schema.fields().iter().take(self.contract.columns.len());
        let columns = (0..self.contract.columns.len()).map(|place| self.array(place));
        let schema = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
        RecordBatch::try_new(schema, columns.collect()).unwrap()
    }

    fn array(&self, place: usize) -> ArrayRef {
        let cells = || self.rows.iter().map(|row| &row[place]);
        match self.contract.columns[place].column_type {
            ColumnType::Bool => Arc::new(BooleanArray::from_iter(
                cells().map(|cell| whole::<u8>(cell).map(|bit| bit == 1)),
            )),
            ColumnType::Int16 => Arc::new(Int16Array::from_iter(cells().map(whole::<i16>))),
            ColumnType::Int32 => Arc::new(Int32Array::from_iter(cells().map(whole::<i32>))),
            ColumnType::Int64 => Arc::new(Int64Array::from_iter(cells().map(whole::<i64>))),
            ColumnType::Decimal { precision, scale } => Arc::new(
                Decimal128Array::from_iter(cells().map(whole::<i128>))
                    .with_precision_and_scale(precision, scale.cast_signed())
                    .unwrap(),
            ),
            ColumnType::Float32 | ColumnType::Float64 => Arc::new(Float64Array::from_iter(
                cells().map(|cell| whole::<i32>(cell).map(f64::from)),
            )),
            ColumnType::Date => Arc::new(Date32Array::from_iter(cells().map(whole::<i32>))),
            ColumnType::DateTime => Arc::new(TimestampMicrosecondArray::from_iter(
                cells().map(whole::<i64>),
            )),
            ColumnType::DateTimeUtc => Arc::new(
                TimestampMicrosecondArray::from_iter(cells().map(whole::<i64>))
                    .with_timezone("UTC"),
            ),
            ColumnType::Time => {
                Arc::new(Time64MicrosecondArray::from_iter(cells().map(whole::<i64>)))
            }
            ColumnType::Text => Arc::new(StringArray::from_iter(cells().map(|cell| match cell {
                Cell::Text(text) => Some(text.as_str()),
                _ => None,
            }))),
            ColumnType::Binary => {
                Arc::new(BinaryArray::from_iter(cells().map(|cell| match cell {
                    Cell::Bytes(bytes) => Some(bytes.as_slice()),
                    _ => None,
                })))
            }
        }
    }

    fn digested(&self) -> Digested {
        let mut fold = DigestFold::new(&self.contract);
        fold.fold(&self.batch()).unwrap();
        fold.finish()
    }

    fn totals(&self) -> Result<ControlTotals, TotalsError> {
        let mut fold = TotalsFold::new(&self.contract);
        fold.fold(&self.batch()).unwrap();
        fold.finish()
    }
}

fn part(batch: &RecordBatch, row_group_rows: usize) -> Bytes {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(row_group_rows))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_paths_agree(table in table(0..24), row_group_rows in 1_usize..30, rows_max in 1_usize..30) {
        let found = recheck_part(part(&table.batch(), row_group_rows), &table.contract, rows_max);
        match (table.totals(), found) {
            (Ok(totals), Ok(found)) => {
                prop_assert_eq!(found.totals, totals);
                prop_assert_eq!(found.digest, table.digested().total);
            }
            (Err(ours), Err(RecheckError::Totals(theirs))) => prop_assert_eq!(ours, theirs),
            (ours, theirs) => prop_assert!(false, "{ours:?} but {theirs:?}"),
        }
    }

    #[test]
    fn order_and_batches_do_not_matter(
        (table, shuffled) in table(1..24).prop_flat_map(|table| {
            let rows = Just(table.rows.clone()).prop_shuffle();
            (Just(table), rows)
        }),
        cut in 0_usize..24,
    ) {
        let other = Table { contract: table.contract.clone(), rows: shuffled };
        let batch = other.batch();
        let cut = cut.min(batch.num_rows());
        let mut digest = DigestFold::new(&table.contract);
        let mut totals = TotalsFold::new(&table.contract);
        for piece in [batch.slice(0, cut), batch.slice(cut, batch.num_rows() - cut)] {
            digest.fold(&piece).unwrap();
            totals.fold(&piece).unwrap();
        }
        prop_assert_eq!(digest.finish(), table.digested());
        prop_assert_eq!(totals.finish(), table.totals());
    }

    #[test]
    fn parts_merge_to_the_whole(table in table(1..24), cut in 0_usize..24) {
        let cut = cut.min(table.rows.len());
        let (left, right) = table.rows.split_at(cut);
        let digests = [left, right].map(|rows| {
            Table { contract: table.contract.clone(), rows: rows.to_vec() }.digested()
        });
        let whole = table.digested();
        prop_assert_eq!(digests[0].total.merge(&digests[1].total), whole.total);
        let buckets = whole.buckets.iter().fold(TableDigest::default(), |sum, one| sum.merge(one));
        prop_assert_eq!(buckets, whole.total);
    }

    #[test]
    fn every_edit_of_one_cell_is_noticed(
        table in table(1..8),
        row in any::<prop::sample::Index>(),
        column in any::<prop::sample::Index>(),
        other in contract_row(),
    ) {
        let (row, column) = (row.index(table.rows.len()), column.index(other.len()));
        let mut edited = table.clone();
        edited.rows[row][column] = other[column].clone();
        let digested = table.contract.columns[column].column_type.digestible();
        let same = edited.rows[row][column] == table.rows[row][column] || !digested;
        let (before, after) = (table.digested(), edited.digested());
        prop_assert_eq!(before.total == after.total, same);
        // A changed row leaves one bucket and enters one; nothing else moves.
        let touched = before.buckets.iter().zip(&after.buckets).filter(|(a, b)| a != b).count();
        prop_assert!(touched <= 2 && (same == (touched == 0)), "{touched}");
    }

    #[test]
    fn a_repeated_row_is_noticed(table in table(1..8)) {
        let mut twice = table.clone();
        twice.rows.push(table.rows[0].clone());
        prop_assert_ne!(twice.digested().total, table.digested().total);
    }

    #[test]
    fn null_and_empty_differ(table in table(1..8)) {
        let place = table.contract.columns.iter().position(|c| c.name == "name").unwrap();
        let with = |cell: Cell| {
            let mut table = table.clone();
            table.rows[0][place] = cell;
            table.digested().total
        };
        let texts = ["", " ", "-", "-,"].map(|text| with(Cell::Text(text.to_owned())));
        for (index, text) in texts.iter().enumerate() {
            prop_assert_ne!(*text, with(Cell::Null));
            prop_assert!(!texts[..index].contains(text));
        }
    }
}

/// A row whose cells fit every contract of this file.
fn contract_row() -> impl Strategy<Value = Vec<Cell>> {
    row(&contract(0))
}

#[test]
fn dates_outside_the_calendar_stop_both_paths() {
    let beyond = [
        ("day", i128::from(DAYS.0) - 1),
        ("day", i128::from(DAYS.1) + 1),
        ("at", i128::from(MICROS.0) - 1),
        ("at", i128::from(MICROS.1) + 1),
        ("at", i128::from(i64::MAX)),
        ("instant", i128::from(i64::MIN)),
        ("clock", -1),
        ("clock", i128::from(DAY_MICROS)),
    ];
    let contract = contract(2);
    for (name, value) in beyond {
        let cells = contract.columns.iter().map(|column| {
            if column.name == name {
                Cell::Whole(value)
            } else {
                Cell::Null
            }
        });
        let table = Table {
            contract: contract.clone(),
            rows: vec![cells.collect()],
        };
        let error = DigestFold::new(&contract).fold(&table.batch()).unwrap_err();
        assert_eq!(
            error,
            KernelError::OutOfRange {
                column: name.to_owned(),
                row: 0
            }
        );
        let found = recheck_part(part(&table.batch(), 9), &contract, 9);
        if name == "clock" {
            // Polars reads it as null: no error, but never the digest of a time of day.
            let place = contract
                .columns
                .iter()
                .position(|c| c.name == name)
                .unwrap();
            let mut null = table.clone();
            null.rows[0][place] = Cell::Null;
            assert_eq!(found.unwrap().digest, null.digested().total);
        } else {
            let column = name.to_owned();
            assert_eq!(found.unwrap_err(), RecheckError::OutOfRange { column });
        }
    }
}
