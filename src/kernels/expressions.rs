//! Polars expressions of the second path: the text of a row, the sums of a company.
//!
//! May use Polars and the contract. Shares no code with `canonical` and `totals`: every text is made by a Polars cast
//! or format, every sum by a Polars aggregation.
//!
//! # Source
//! The digest specification, version 1 (ADR-0007), and what Polars 0.55.2 was seen to do: a decimal cast to text keeps
//! all its fraction digits, has a zero before the point and no sign on zero; `%Y` has four digits up to year 9999.

use polars::prelude::{
    DataType, Expr, Scalar, TimeUnit, TimeZone, col, concat_str, len, lit, when,
};

use crate::domain::contract::{Column, ColumnType, Contract};

/// Divides an amount into two numbers whose sums cannot overflow: 10^19 is half of the 38 digits.
pub(super) const SPLIT: i128 = 10_i128.pow(19);

/// The type that Polars must read from the part.
pub(super) fn dtype(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int16 => DataType::Int16,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Decimal { precision, scale } => {
            DataType::Decimal(usize::from(precision), usize::from(scale))
        }
        ColumnType::Float32 => DataType::Float32,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::Date => DataType::Date,
        ColumnType::DateTime => DataType::Datetime(TimeUnit::Microseconds, None),
        ColumnType::DateTimeUtc => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        ColumnType::Time => DataType::Time,
        ColumnType::Text => DataType::String,
        ColumnType::Binary => DataType::Binary,
    }
}

/// The canonical text of every row.
///
/// # Shape
/// One text column, never null. Pieces that are null are left out, so a null cell is its `-` and the comma that ends
/// every field.
pub(super) fn row_text(contract: &Contract) -> Expr {
    let pieces: Vec<Expr> = contract.digested().flat_map(field).collect();
    concat_str(pieces, "", true)
}

/// The pieces of one field, in order.
fn field(column: &Column) -> Vec<Expr> {
    let cell = col(column.name.as_str());
    match column.column_type {
        ColumnType::Bool => {
            let bit = when(cell.clone()).then(lit("1:1,")).otherwise(lit("1:0,"));
            vec![when(cell.is_null()).then(lit("-,")).otherwise(bit)]
        }
        ColumnType::Date => vec![fixed(cell, "10:%Y-%m-%d,")],
        ColumnType::DateTime => vec![fixed(cell, "26:%Y-%m-%dT%H:%M:%S%.6f,")],
        ColumnType::DateTimeUtc => vec![fixed(cell, "27:%Y-%m-%dT%H:%M:%S%.6fZ,")],
        ColumnType::Time => vec![fixed(cell, "15:%H:%M:%S%.6f,")],
        ColumnType::Binary => netstring(cell.binary().hex_encode()),
        ColumnType::Text => netstring(cell),
        _ => netstring(cell.cast(DataType::String)),
    }
}

/// A format whose length never changes carries its own length and comma.
fn fixed(cell: Expr, format: &str) -> Expr {
    cell.dt().to_string(format).fill_null(lit("-,"))
}

/// Length and colon (or `-`), the text (or nothing), a comma.
fn netstring(text: Expr) -> Vec<Expr> {
    let length = text.clone().str().len_bytes().cast(DataType::String);
    let head = (length + lit(":")).fill_null(lit("-"));
    vec![head, text, lit(",")]
}

/// The company code by which totals are grouped.
pub(super) fn company(contract: &Contract) -> Expr {
    col(contract.company.as_str())
        .str()
        .strip_chars_end(lit(" "))
        .fill_null(lit(""))
        .alias("company")
}

/// Number of rows, as `rows`.
pub(super) fn rows() -> Expr {
    len().cast(DataType::Int128).alias("rows")
}

/// The cells of an amount as whole units.
fn units(column: &Column) -> Expr {
    let cell = col(column.name.as_str());
    match column.column_type {
        ColumnType::Decimal { .. } => cell.to_physical(),
        _ => cell.cast(DataType::Int128),
    }
}

/// Sum of an amount, as `low_<place>`; only for columns whose magnitudes rule out an overflow.
pub(super) fn plain_sum(column: &Column, place: usize) -> Vec<Expr> {
    vec![units(column).sum().alias(format!("low_{place}"))]
}

/// Sum of an amount in two halves, as `high_<place>` × [`SPLIT`] + `low_<place>`; exact for any values.
pub(super) fn split_sum(column: &Column, place: usize) -> Vec<Expr> {
    let split = || lit(Scalar::from(SPLIT));
    let high = || units(column).floor_div(split());
    let low = units(column) - high() * split();
    vec![
        high().sum().alias(format!("high_{place}")),
        low.sum().alias(format!("low_{place}")),
    ]
}

/// Least and greatest physical value of a column, as `min_<place>` and `max_<place>`.
pub(super) fn bounds(column: &Column, place: usize) -> [Expr; 2] {
    let cell = || match column.column_type {
        ColumnType::Date | ColumnType::DateTime | ColumnType::DateTimeUtc | ColumnType::Time => {
            col(column.name.as_str())
                .to_physical()
                .cast(DataType::Int128)
        }
        _ => units(column),
    };
    [
        cell().min().alias(format!("min_{place}")),
        cell().max().alias(format!("max_{place}")),
    ]
}
