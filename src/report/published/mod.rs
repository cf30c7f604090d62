//! The tables of a month that are loaded into the warehouse for analysts: what every bucket came to, and which runs there
//! were (ADR 44).
//!
//! Contracts and rows only, made from values. What is not known is null, never zero. Staging and loading is others' work.

mod runs;
mod validations;
mod words;

use chrono::{DateTime, Utc};

use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::sql_type::SqlType;
use crate::ports::Cell;

pub use runs::{JUDGEMENT, RUNS, RunRow, Standing, runs};
pub use validations::{Judged, VALIDATIONS, validations};

/// Every table that is published. None has the name of an item's table, and none can be one's.
pub const TABLES: [&str; 2] = [VALIDATIONS, RUNS];

/// A table of a month: its contract, and its rows in the order of the contract's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthTable {
    /// Name in the warehouse.
    pub name: &'static str,
    /// Columns, key and grouping.
    pub contract: Contract,
    /// Rows, each with one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// Whole number.
    Whole,
    /// Exact decimal number with 20 fraction digits.
    Exact,
    /// Dollars of two digits.
    Dollars,
    /// Per cent with six digits.
    PerCent,
    /// Moment in UTC.
    Moment,
}

impl Kind {
    fn types(self) -> (SqlType, ColumnType) {
        let decimal = |scale| {
            let precision = 38;
            let sql_type = SqlType::Decimal { precision, scale };
            (sql_type, ColumnType::Decimal { precision, scale })
        };
        match self {
            Self::Text => (SqlType::NVarChar(None), ColumnType::Text),
            Self::Flag => (SqlType::Bit, ColumnType::Bool),
            Self::Whole => (SqlType::BigInt, ColumnType::Int64),
            Self::Exact => decimal(20),
            Self::Dollars => decimal(2),
            Self::PerCent => decimal(6),
            Self::Moment => (SqlType::DateTimeOffset(6), ColumnType::DateTimeUtc),
        }
    }
}

/// A column, and how its cell is taken from what a row is made of.
struct Field<T> {
    name: &'static str,
    kind: Kind,
    nullable: bool,
    amount: bool,
    description: &'static str,
    cell: fn(&T) -> Cell,
}

impl<T> Field<T> {
    /// A column that always has a value.
    fn must(
        name: &'static str,
        kind: Kind,
        description: &'static str,
        cell: fn(&T) -> Cell,
    ) -> Self {
        Self {
            nullable: false,
            ..Self::may(name, kind, description, cell)
        }
    }

    /// A column whose value may be unknown.
    fn may(
        name: &'static str,
        kind: Kind,
        description: &'static str,
        cell: fn(&T) -> Cell,
    ) -> Self {
        Self {
            name,
            kind,
            nullable: true,
            amount: false,
            description,
            cell,
        }
    }

    /// A number that the read-back sums.
    fn sum(
        name: &'static str,
        kind: Kind,
        description: &'static str,
        cell: fn(&T) -> Cell,
    ) -> Self {
        Self {
            amount: true,
            ..Self::may(name, kind, description, cell)
        }
    }

    fn column(&self) -> Column {
        let (sql_type, column_type) = self.kind.types();
        Column {
            source: self.name.to_owned(),
            name: self.name.to_owned(),
            sql_type,
            column_type,
            nullable: self.nullable,
            amount: self.amount,
            personal: false,
            description: self.description.to_owned(),
        }
    }
}

/// Contract and rows of a table; `grouped_by` is the column by which the read-back gives its totals.
fn table<T>(
    name: &'static str,
    fields: &[Field<T>],
    rows: &[T],
    (key, grouped_by): (&[&str], &str),
) -> MonthTable {
    let cells = |row: &T| fields.iter().map(|field| (field.cell)(row)).collect();
    MonthTable {
        name,
        contract: Contract {
            version: 1,
            columns: fields.iter().map(Field::column).collect(),
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            company: grouped_by.to_owned(),
        },
        rows: rows.iter().map(cells).collect(),
    }
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn maybe(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Null, text)
}

/// Texts in one, or nothing where there is none.
fn joined(values: &[impl ToString]) -> Cell {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    maybe((!values.is_empty()).then(|| values.join("; ")))
}

fn exact(value: Option<Amount>) -> Cell {
    value.map_or(Cell::Null, Cell::Decimal)
}

fn whole(value: Option<u64>) -> Cell {
    value.map_or(Cell::Null, |value| {
        Cell::Int(i64::try_from(value).unwrap_or(i64::MAX))
    })
}

fn moment(value: Option<DateTime<Utc>>) -> Cell {
    value.map_or(Cell::Null, |at| Cell::DateTime(at.naive_utc()))
}

#[cfg(test)]
mod tests;
