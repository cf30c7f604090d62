//! The rows of a trial: every type that an item may have, at its edges, with nulls and with what texts may hold.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::sql_type::SqlType;
use crate::kernels::KernelError;
use crate::kernels::conform::source_schema;
use crate::ports::SourceColumn;

/// Days from 1970-01-01 to the first and the last date that there is, 0001-01-01 and 9999-12-31.
const DAYS: [i32; 2] = [-719_162, 2_932_896];
/// Microseconds to 1753-01-01, where `datetime` begins, and to the last of 9999.
const MICROS: [i64; 2] = [-6_847_804_800_000_000, 253_402_300_799_999_999];
/// The last microsecond of a day.
const DAY_END: i64 = 86_399_999_999;
/// The largest number of 29 digits: of a whole BIGNUMERIC the BigQuery stand-in of the tests keeps no more, and 38 digits
/// are tried with a fraction.
const DIGITS_29: i128 = 99_999_999_999_999_999_999_999_999_999;
/// The largest number of 38 digits.
const DIGITS_38: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// Why the rows could not be made, which is a mistake of the program.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowsError {
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

/// The contract of the trial: one column of every carrier, exact numbers on both sides of the edge between NUMERIC and
/// BIGNUMERIC.
#[must_use]
pub fn contract() -> Contract {
    let decimal = |precision, scale| SqlType::Decimal { precision, scale };
    let columns = [
        ("company", SqlType::VarChar(Some(10))),
        ("entry_no", SqlType::Int),
        ("amount", decimal(38, 20)),
        ("fee", SqlType::Money),
        ("numeric_max", decimal(38, 9)),
        ("big_max", decimal(38, 20)),
        ("whole", decimal(38, 0)),
        ("flag", SqlType::Bit),
        ("small", SqlType::SmallInt),
        ("big", SqlType::BigInt),
        ("ratio", SqlType::Real),
        ("rate", SqlType::Float),
        ("day", SqlType::Date),
        ("posted_at", SqlType::DateTime2(6)),
        ("changed_at", SqlType::DateTimeOffset(6)),
        ("at_time", SqlType::Time(6)),
        ("note", SqlType::NVarChar(Some(50))),
        ("stamp", SqlType::RowVersion),
    ];
    let columns = columns.into_iter().filter_map(|(name, sql_type)| {
        Some(Column {
            source: name.to_owned(),
            name: name.to_owned(),
            column_type: ColumnType::of(&sql_type)?,
            amount: matches!(name, "amount" | "fee"),
            nullable: !matches!(name, "company" | "entry_no"),
            personal: false,
            description: format!("the trial's \"{name}\" as {sql_type}"),
            sql_type,
        })
    });
    Contract {
        version: 1,
        columns: columns.collect(),
        key: vec!["company".to_owned(), "entry_no".to_owned()],
        company: "company".to_owned(),
    }
}

/// Columns and rows as a reader would deliver them: an ordinary row, both edges, and nulls.
pub(super) fn rows(contract: &Contract) -> Result<(Vec<SourceColumn>, RecordBatch), RowsError> {
    let columns = SourceColumn::of(contract);
    let schema = Arc::new(source_schema(&columns)?);
    let batch = RecordBatch::try_new(schema, values()?)?;
    Ok((columns, batch))
}

/// The values by column, in four rows.
fn values() -> Result<Vec<ArrayRef>, ArrowError> {
    let company: ArrayRef = Arc::new(StringArray::from(vec!["EC_NG", "EC_NG", "JM_EG", "JM_EG"]));
    let entry_no: ArrayRef = Arc::new(Int32Array::from(vec![1, i32::MIN, i32::MAX, 0]));
    let columns = [vec![company, entry_no], exact()?, small(), times(), texts()];
    Ok(columns.concat())
}

fn exact() -> Result<Vec<ArrayRef>, ArrowError> {
    let columns: [([i128; 3], u8, i8); 5] = [
        ([123_450_000_000_000_000_000, -1, -DIGITS_38 / 4], 38, 20),
        ([-5_000, 1, 922_337_203_685_477], 19, 4),
        ([0, -DIGITS_38, DIGITS_38], 38, 9),
        ([0, -DIGITS_38, DIGITS_38], 38, 20),
        ([10, -DIGITS_29, DIGITS_29], 38, 0),
    ];
    let columns = columns.into_iter().map(|(values, precision, scale)| {
        let array = Decimal128Array::from_iter(with_null(values));
        let array = array.with_precision_and_scale(precision, scale)?;
        let array: ArrayRef = Arc::new(array);
        Ok(array)
    });
    columns.collect()
}

fn small() -> Vec<ArrayRef> {
    vec![
        Arc::new(BooleanArray::from_iter(with_null([true, false, true]))),
        Arc::new(Int16Array::from_iter(with_null([7, i16::MIN, i16::MAX]))),
        Arc::new(Int64Array::from_iter(with_null([7, i64::MIN, i64::MAX]))),
        Arc::new(Float32Array::from_iter(with_null([0.25, -1.5, 1e30]))),
        Arc::new(Float64Array::from_iter(with_null([0.25, -1.5, 1e30]))),
    ]
}

fn times() -> Vec<ArrayRef> {
    let ([first_day, last_day], [first, last]) = (DAYS, MICROS);
    let moments = with_null([1_714_521_599_999_999, first, last]);
    let moments = TimestampMicrosecondArray::from_iter(moments);
    let times = with_null([43_200_000_001, 0, DAY_END]);
    vec![
        Arc::new(Date32Array::from_iter(with_null([
            19_843, first_day, last_day,
        ]))),
        Arc::new(moments.clone()),
        Arc::new(moments.with_timezone("UTC")),
        Arc::new(Time64MicrosecondArray::from_iter(times)),
    ]
}

fn texts() -> Vec<ArrayRef> {
    let notes = ["Café à Abidjan", "", "'\"\\\n\t, 漢字 🧾 "];
    let stamps = [[0, 0, 0, 0, 0, 0, 7, 209], [0; 8], [255; 8]];
    vec![
        Arc::new(StringArray::from_iter(with_null(notes))),
        Arc::new(BinaryArray::from_iter(with_null(stamps))),
    ]
}

/// Three values and a null.
fn with_null<T>([a, b, c]: [T; 3]) -> [Option<T>; 4] {
    [Some(a), Some(b), Some(c), None]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_carrier_is_tried_and_both_kinds_of_exact_numbers() {
        let contract = contract();
        contract.validate().unwrap();
        let carriers: BTreeSet<String> = contract
            .columns
            .iter()
            .map(|column| format!("{:?}", column.column_type))
            .map(|text| text.split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(carriers.len(), 13, "{carriers:?}");
        let types: BTreeSet<String> = contract
            .columns
            .iter()
            .map(|column| crate::kernels::bigquery::data_type(column.column_type))
            .collect();
        for wanted in ["NUMERIC(38, 9)", "BIGNUMERIC(38, 0)", "BIGNUMERIC(38, 20)"] {
            assert!(types.contains(wanted), "{types:?}");
        }
        let (columns, batch) = rows(&contract).unwrap();
        assert_eq!((columns.len(), batch.num_rows()), (18, 4));
    }
}
