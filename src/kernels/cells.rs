//! Cells of small answers as columns of a contract, as values to bind, and as text for people.
//!
//! May use Arrow and the value types of `ports`. Never changes a value: what does not fit its column is refused.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, BinaryArray, BooleanArray, Decimal128Array, Int16Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::query::ParamValue;
use crate::domain::sql_type::SqlType;
use crate::ports::Cell;

/// The contract with those of its columns alone that `takes` names.
#[must_use]
pub fn only(contract: &Contract, takes: impl Fn(&str) -> bool) -> Contract {
    let columns = contract.columns.iter();
    Contract {
        columns: columns
            .filter(|column| takes(&column.name))
            .cloned()
            .collect(),
        ..contract.clone()
    }
}

/// Rows of a small answer as a batch of the contract's columns.
///
/// # Shape
/// `names`: the columns of the rows; each column of the contract is among them.
/// # Errors
/// One sentence for a column that is missing, a value that is not of its column's type, or a type of which no small
/// answer is made.
pub fn batch(
    contract: &Contract,
    names: &[String],
    rows: &[Vec<Cell>],
) -> Result<RecordBatch, String> {
    let mut arrays = Vec::with_capacity(contract.columns.len());
    for column in &contract.columns {
        let place = names.iter().position(|name| *name == column.name);
        let place = place.ok_or_else(|| format!("column `{}` is missing", column.name))?;
        let cells = rows.iter().map(|row| row.get(place).unwrap_or(&Cell::Null));
        arrays.push((column.name.clone(), array(column, cells)?, true));
    }
    RecordBatch::try_from_iter_with_nullable(arrays).map_err(|error| error.to_string())
}

/// Rows of a table that this program makes, as a batch: as [`batch`], and a moment of a column with a zone is one in UTC.
///
/// # Errors
/// As [`batch`].
pub fn own_batch(contract: &Contract, rows: &[Vec<Cell>]) -> Result<RecordBatch, String> {
    let mut naive = contract.clone();
    for column in &mut naive.columns {
        if column.column_type == ColumnType::DateTimeUtc {
            column.column_type = ColumnType::DateTime;
        }
    }
    let names: Vec<String> = contract.columns.iter().map(|c| c.name.clone()).collect();
    let made = batch(&naive, &names, rows)?;
    let columns = contract.columns.iter().zip(made.columns());
    let columns = columns.map(|(column, array)| {
        let moments = array.as_primitive_opt::<TimestampMicrosecondType>();
        let array: ArrayRef = match (column.column_type, moments) {
            (ColumnType::DateTimeUtc, Some(moments)) => {
                Arc::new(moments.clone().with_timezone("UTC"))
            }
            _ => Arc::clone(array),
        };
        (column.name.clone(), array, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| error.to_string())
}

fn array<'a>(column: &Column, cells: impl Iterator<Item = &'a Cell>) -> Result<ArrayRef, String> {
    Ok(match column.column_type {
        ColumnType::Text => Arc::new(each(column, cells, text)?.collect::<StringArray>()),
        ColumnType::Bool => Arc::new(each(column, cells, flag)?.collect::<BooleanArray>()),
        ColumnType::Binary => Arc::new(each(column, cells, bytes)?.collect::<BinaryArray>()),
        ColumnType::Int16 => Arc::new(each(column, cells, whole)?.collect::<Int16Array>()),
        ColumnType::Int32 => Arc::new(each(column, cells, whole)?.collect::<Int32Array>()),
        ColumnType::Int64 => Arc::new(each(column, cells, whole)?.collect::<Int64Array>()),
        ColumnType::DateTime => {
            Arc::new(each(column, cells, micros)?.collect::<TimestampMicrosecondArray>())
        }
        ColumnType::Date => {
            let stamps: TimestampMicrosecondArray = each(column, cells, micros)?.collect();
            cast(&stamps, &DataType::Date32).map_err(|error| error.to_string())?
        }
        ColumnType::Decimal { precision, scale } => {
            let units = |cell: &'a Cell| match cell {
                Cell::Decimal(amount) => amount.rescale(scale).ok().map(Amount::units),
                _ => None,
            };
            let units: Decimal128Array = each(column, cells, units)?.collect();
            let typed = units.with_precision_and_scale(precision, scale.cast_signed());
            Arc::new(typed.map_err(|error| error.to_string())?)
        }
        ColumnType::Float32 | ColumnType::Float64 | ColumnType::DateTimeUtc | ColumnType::Time => {
            return Err(format!(
                "column `{}` of type {} cannot be compared with a small answer",
                column.name, column.sql_type
            ));
        }
    })
}

/// The value of every cell that is not null; one that has none is not of the column's type.
fn each<'a, T>(
    column: &Column,
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&'a Cell) -> Option<T>,
) -> Result<std::vec::IntoIter<Option<T>>, String> {
    let values = cells.map(|cell| match cell {
        Cell::Null => Ok(None),
        cell => value(cell).map(Some).ok_or_else(|| {
            format!(
                "column `{}`: a value is no {}",
                column.name, column.sql_type
            )
        }),
    });
    Ok(values.collect::<Result<Vec<_>, String>>()?.into_iter())
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

fn flag(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Bool(flag) => Some(*flag),
        _ => None,
    }
}

fn bytes(cell: &Cell) -> Option<&[u8]> {
    match cell {
        Cell::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn whole<T: TryFrom<i64>>(cell: &Cell) -> Option<T> {
    match cell {
        Cell::Int(number) => T::try_from(*number).ok(),
        _ => None,
    }
}

fn micros(cell: &Cell) -> Option<i64> {
    let moment = match cell {
        Cell::Date(date) => date.and_time(NaiveTime::MIN),
        Cell::DateTime(moment) => *moment,
        _ => return None,
    };
    Some(moment.and_utc().timestamp_micros())
}

/// A cell as the value of a parameter that is cast to the column's type: exact, and the same in every language setting.
///
/// # Errors
/// One sentence for bytes, which no key of the catalog is made of.
pub fn param(column: &Column, cell: &Cell) -> Result<ParamValue, String> {
    Ok(match cell {
        Cell::Null => ParamValue::Null,
        Cell::Bool(flag) => ParamValue::Int(i64::from(*flag)),
        Cell::Int(number) => ParamValue::Int(*number),
        Cell::Decimal(amount) => ParamValue::Text(amount.to_string()),
        Cell::Text(text) => ParamValue::Text(text.clone()),
        Cell::Date(date) => ParamValue::Date(*date),
        // `datetime` takes three digits of a second and no more.
        Cell::DateTime(moment) if matches!(column.sql_type, SqlType::DateTime2(_)) => {
            ParamValue::Text(moment.format("%Y-%m-%dT%H:%M:%S%.6f").to_string())
        }
        Cell::DateTime(moment) => {
            ParamValue::Text(moment.format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
        }
        Cell::Bytes(_) => return Err(format!("column `{}` holds bytes", column.name)),
    })
}

/// A value as people write it into a file; `None` is null.
///
/// # Errors
/// One sentence that names the column and how to write it, without the value.
pub fn parse(column: &Column, text: Option<&str>) -> Result<Cell, String> {
    let Some(text) = text else {
        return Ok(Cell::Null);
    };
    let wrong = |how: &str| format!("column `{}`: write {how}", column.name);
    Ok(match column.column_type {
        ColumnType::Text => Cell::Text(text.to_owned()),
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
            Cell::Int(text.parse().map_err(|_| wrong("a whole number"))?)
        }
        ColumnType::Decimal { .. } => {
            Cell::Decimal(text.parse().map_err(|_| wrong("a number such as -12.34"))?)
        }
        ColumnType::Bool => match text {
            "0" => Cell::Bool(false),
            "1" => Cell::Bool(true),
            _ => return Err(wrong("0 or 1")),
        },
        ColumnType::Date => Cell::Date(
            text.parse::<NaiveDate>()
                .map_err(|_| wrong("a date such as 2024-04-30"))?,
        ),
        ColumnType::DateTime => {
            let day = || {
                text.parse::<NaiveDate>()
                    .map(|day| day.and_time(NaiveTime::MIN))
            };
            let moment = text.replacen(' ', "T", 1).parse::<NaiveDateTime>();
            let how = "a date such as 2024-04-30 or 2024-04-30T23:59:59.997";
            Cell::DateTime(moment.or_else(|_| day()).map_err(|_| wrong(how))?)
        }
        _ => {
            return Err(format!(
                "column `{}` cannot be written in a file",
                column.name
            ));
        }
    })
}

/// A key for people; a personal value is masked.
///
/// # Shape
/// `key`: the values in the order of `contract.key`.
#[must_use]
pub fn shown(contract: &Contract, key: &[Cell]) -> String {
    let pieces = contract.key.iter().zip(key).map(|(name, cell)| {
        let is_personal = contract.column(name).is_some_and(|column| column.personal);
        let value = match cell {
            _ if is_personal => "(personal)".to_owned(),
            Cell::Text(text) => text.clone(),
            Cell::Int(number) => number.to_string(),
            Cell::Decimal(amount) => amount.to_string(),
            Cell::Date(date) => date.to_string(),
            Cell::DateTime(moment) => moment.to_string(),
            Cell::Null => "null".to_owned(),
            Cell::Bool(_) | Cell::Bytes(_) => "…".to_owned(),
        };
        format!("{name} = {value}")
    });
    pieces.collect::<Vec<_>>().join(", ")
}
