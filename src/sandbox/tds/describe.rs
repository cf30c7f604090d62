//! The result of `sp_describe_first_result_set`, as SQL Server shapes it.
//!
//! Pure; the engine layer uses it for every statement it can plan.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int16Array, Int32Array, StringArray, UInt8Array};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::{ColumnMeta, Reply, SqlError};

use super::text::COLLATION_NAME;
use super::type_info::tds_type;
use super::value::internal;

/// The replies that describe `columns`: columns, one row per column, done.
#[must_use]
pub fn describe_reply(columns: &[ColumnMeta]) -> Vec<Reply> {
    let rows = u64::try_from(columns.len()).ok();
    match described(columns) {
        Ok((metas, batch)) => {
            vec![
                Reply::Columns(metas),
                Reply::Rows(batch),
                Reply::StatementDone { rows },
            ]
        }
        Err(error) => vec![Reply::Error(error)],
    }
}

/// The description of `columns` as a table.
///
/// # Shape
/// The 39 columns of SQL Server 2022, one row per described column in ordinal order.
/// # Errors
/// An internal error when the table cannot be made.
pub fn described(columns: &[ColumnMeta]) -> Result<(Vec<ColumnMeta>, RecordBatch), SqlError> {
    let (metas, arrays): (Vec<ColumnMeta>, Vec<ArrayRef>) =
        described_columns(columns).into_iter().unzip();
    let fields: Vec<Field> = metas
        .iter()
        .zip(&arrays)
        .map(|(meta, array)| Field::new(&meta.name, array.data_type().clone(), true))
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
    let batch = batch.map_err(|error| internal(format!("describe: {error}")))?;
    Ok((metas, batch))
}

type Described = (ColumnMeta, ArrayRef);

/// All columns of the result in SQL Server's order.
fn described_columns(columns: &[ColumnMeta]) -> Vec<Described> {
    let facts: Vec<TypeFacts> = columns
        .iter()
        .map(|column| TypeFacts::of(&column.sql_type))
        .collect();
    let mut all = type_columns(columns, &facts);
    all.extend(origin_columns(columns.len()));
    all.extend(tds_columns(columns, &facts));
    all
}

/// Name, nullability and type.
fn type_columns(columns: &[ColumnMeta], facts: &[TypeFacts]) -> Vec<Described> {
    let collation = |f: &TypeFacts| f.collated.then(|| COLLATION_NAME.to_owned());
    vec![
        bits("is_hidden", columns.iter().map(|_| false)),
        ints("column_ordinal", false, (1..).take(columns.len()).map(Some)),
        // A column without a name has a null here.
        texts(
            "name",
            columns
                .iter()
                .map(|c| Some(c.name.clone()).filter(|name| !name.is_empty())),
        ),
        bits("is_nullable", columns.iter().map(|c| c.nullable)),
        ints(
            "system_type_id",
            false,
            facts.iter().map(|f| Some(f.system_type_id)),
        ),
        wide_texts(
            "system_type_name",
            256,
            columns.iter().map(|c| Some(type_name(&c.sql_type))),
        ),
        small_ints(
            "max_length",
            false,
            facts.iter().map(|f| Some(f.max_length)),
        ),
        tiny_ints("precision", false, facts.iter().map(|f| Some(f.precision))),
        tiny_ints("scale", false, facts.iter().map(|f| Some(f.scale))),
        texts("collation_name", facts.iter().map(collation)),
    ]
}

/// What only user types, XML, linked servers and browse mode fill: nulls and zeros here.
fn origin_columns(rows: usize) -> Vec<Described> {
    let null_text = |name: &str| texts(name, (0..rows).map(|_| None));
    let false_bit = |name: &str| bits(name, (0..rows).map(|_| false));
    let null_int = |name: &str| ints(name, true, (0..rows).map(|_| None));
    let null_small_int = |name: &str| small_ints(name, true, (0..rows).map(|_| None));
    vec![
        null_int("user_type_id"),
        null_text("user_type_database"),
        null_text("user_type_schema"),
        null_text("user_type_name"),
        wide_texts(
            "assembly_qualified_type_name",
            4000,
            (0..rows).map(|_| None),
        ),
        null_int("xml_collection_id"),
        null_text("xml_collection_database"),
        null_text("xml_collection_schema"),
        null_text("xml_collection_name"),
        false_bit("is_xml_document"),
        false_bit("is_case_sensitive"),
        false_bit("is_fixed_length_clr_type"),
        null_text("source_server"),
        null_text("source_database"),
        null_text("source_schema"),
        null_text("source_table"),
        null_text("source_column"),
        false_bit("is_identity_column"),
        false_bit("is_part_of_unique_key"),
        false_bit("is_updateable"),
        false_bit("is_computed_column"),
        false_bit("is_sparse_column_set"),
        null_small_int("ordinal_in_order_by_list"),
        null_small_int("order_by_is_descending"),
        null_small_int("order_by_list_length"),
    ]
}

/// How TDS announces the type.
fn tds_columns(columns: &[ColumnMeta], facts: &[TypeFacts]) -> Vec<Described> {
    let tds: Vec<(i32, i32)> = columns.iter().map(|c| tds_type(&c.sql_type)).collect();
    // LCID 1033 with its comparison flags and sort id 52, as in the collation's wire bytes.
    let collation = facts.iter().map(|f| f.collated.then_some(0x00D0_0409));
    let sort_id = facts.iter().map(|f| f.collated.then_some(52));
    vec![
        ints("tds_type_id", false, tds.iter().map(|(id, _)| Some(*id))),
        ints(
            "tds_length",
            false,
            tds.iter().map(|(_, length)| Some(*length)),
        ),
        ints("tds_collation_id", true, collation),
        tiny_ints("tds_collation_sort_id", true, sort_id),
    ]
}

/// `rowversion` is described by its old name.
fn type_name(sql_type: &SqlType) -> String {
    match sql_type {
        SqlType::RowVersion => "timestamp".to_owned(),
        other => other.to_string(),
    }
}

/// What `sys.types` says about a type with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeFacts {
    pub(crate) system_type_id: i32,
    /// Bytes; -1 for max, 16 for a pointer to a large value.
    pub(crate) max_length: i16,
    pub(crate) precision: u8,
    pub(crate) scale: u8,
    /// Text with a collation.
    pub(crate) collated: bool,
}

impl TypeFacts {
    pub(crate) fn of(sql_type: &SqlType) -> Self {
        let number = |system_type_id, max_length, precision, scale| Self {
            system_type_id,
            max_length,
            precision,
            scale,
            collated: false,
        };
        let sized = |system_type_id, max_length| number(system_type_id, max_length, 0, 0);
        let text = |id, max_length| Self {
            collated: true,
            ..sized(id, max_length)
        };
        let bytes = |n: u16| i16::try_from(n).unwrap_or(-1);
        let units = |n: u16| bytes(n.saturating_mul(2));
        match sql_type {
            SqlType::Bit => number(104, 1, 1, 0),
            SqlType::TinyInt => number(48, 1, 3, 0),
            SqlType::SmallInt => number(52, 2, 5, 0),
            SqlType::Int => number(56, 4, 10, 0),
            SqlType::BigInt => number(127, 8, 19, 0),
            SqlType::Decimal { precision, scale } => {
                let length = i16::from(super::type_info::decimal_bytes(*precision)) + 1;
                number(106, length, *precision, *scale)
            }
            SqlType::Money => number(60, 8, 19, 4),
            SqlType::SmallMoney => number(122, 4, 10, 4),
            SqlType::Real => number(59, 4, 24, 0),
            SqlType::Float => number(62, 8, 53, 0),
            SqlType::Date => number(40, 3, 10, 0),
            SqlType::DateTime => number(61, 8, 23, 3),
            SqlType::SmallDateTime => number(58, 4, 16, 0),
            SqlType::DateTime2(n) => number(42, time_len(*n) + 3, digits(19, *n), *n),
            SqlType::DateTimeOffset(n) => number(43, time_len(*n) + 5, digits(26, *n), *n),
            SqlType::Time(n) => number(41, time_len(*n), digits(8, *n), *n),
            SqlType::Char(n) => text(175, bytes(*n)),
            SqlType::VarChar(n) => text(167, n.map_or(-1, bytes)),
            SqlType::NChar(n) => text(239, units(*n)),
            SqlType::NVarChar(n) => text(231, n.map_or(-1, units)),
            SqlType::Text => text(35, 16),
            SqlType::NText => text(99, 16),
            SqlType::UniqueIdentifier => sized(36, 16),
            SqlType::Binary(n) => sized(173, bytes(*n)),
            SqlType::VarBinary(n) => sized(165, n.map_or(-1, bytes)),
            SqlType::Image => sized(34, 16),
            SqlType::RowVersion => sized(189, 8),
            SqlType::Other(name) => sized(if name == "xml" { 241 } else { 98 }, -1),
        }
    }
}

fn time_len(scale: u8) -> i16 {
    i16::from(super::temporal::time_bytes(scale))
}

/// Characters of the shown value: the point comes with the first fraction digit.
fn digits(whole: u8, scale: u8) -> u8 {
    if scale == 0 { whole } else { whole + 1 + scale }
}

fn meta(name: &str, sql_type: SqlType, nullable: bool) -> ColumnMeta {
    ColumnMeta {
        name: name.to_owned(),
        sql_type,
        nullable,
    }
}

fn bits(name: &str, values: impl Iterator<Item = bool>) -> Described {
    let values: Vec<bool> = values.collect();
    (
        meta(name, SqlType::Bit, false),
        Arc::new(BooleanArray::from(values)),
    )
}

fn ints(name: &str, nullable: bool, values: impl Iterator<Item = Option<i32>>) -> Described {
    (
        meta(name, SqlType::Int, nullable),
        Arc::new(values.collect::<Int32Array>()),
    )
}

fn small_ints(name: &str, nullable: bool, values: impl Iterator<Item = Option<i16>>) -> Described {
    (
        meta(name, SqlType::SmallInt, nullable),
        Arc::new(values.collect::<Int16Array>()),
    )
}

fn tiny_ints(name: &str, nullable: bool, values: impl Iterator<Item = Option<u8>>) -> Described {
    (
        meta(name, SqlType::TinyInt, nullable),
        Arc::new(values.collect::<UInt8Array>()),
    )
}

/// `sysname`.
fn texts(name: &str, values: impl Iterator<Item = Option<String>>) -> Described {
    wide_texts(name, 128, values)
}

fn wide_texts(name: &str, len: u16, values: impl Iterator<Item = Option<String>>) -> Described {
    let array: StringArray = values.collect();
    (
        meta(name, SqlType::NVarChar(Some(len)), true),
        Arc::new(array),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_that_of_sql_server() {
        let column = |text: &str| meta("c", text.parse().unwrap(), true);
        let columns = [
            column("decimal(38,20)"),
            column("nvarchar(max)"),
            column("datetime2(3)"),
        ];
        let replies = describe_reply(&columns);
        let [
            Reply::Columns(metas),
            Reply::Rows(batch),
            Reply::StatementDone { rows: Some(3) },
        ] = replies.as_slice()
        else {
            panic!("{replies:?}")
        };
        assert_eq!((metas.len(), batch.num_rows()), (39, 3));
        assert!(metas.iter().zip(batch.columns()).all(|(meta, array)| {
            super::super::value::carrier(&meta.sql_type).as_ref() == Some(array.data_type())
        }));
    }

    #[test]
    fn lengths_and_precisions_follow_sys_types() {
        let facts = |text: &str| {
            let facts = TypeFacts::of(&text.parse().unwrap());
            (facts.max_length, facts.precision, facts.scale)
        };
        assert_eq!(facts("decimal(38,20)"), (17, 38, 20));
        assert_eq!(facts("datetime2(7)"), (8, 27, 7));
        assert_eq!(facts("datetime2(0)"), (6, 19, 0));
        assert_eq!(facts("datetimeoffset(7)"), (10, 34, 7));
        assert_eq!(facts("time(3)"), (4, 12, 3));
        assert_eq!(facts("nvarchar(20)"), (40, 0, 0));
        assert_eq!(facts("varchar(max)"), (-1, 0, 0));
    }
}
