//! Tables as files: CSV and JSON as text, Parquet with decimals of 38 digits.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value, json};

use super::{Cell, Column, Kind, Table};
use crate::domain::amount::Amount;

/// Scale of every decimal in Parquet: that of NAV's amounts.
const SCALE: u8 = 20;
/// Digits of every decimal in Parquet.
const PRECISION: u8 = 38;
/// Begins a text that a spreadsheet would take for a formula.
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A number that has no place in 38 digits of which 20 are fraction digits.
    #[error("table {table}: {amount} in column {column} does not fit decimal(38,20)")]
    TooWide {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The number.
        amount: Amount,
    },
    /// CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Columns.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// Parquet.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// Excel.
    #[error(transparent)]
    Excel(#[from] rust_xlsxwriter::XlsxError),
}

/// A table as CSV with a header of column names; a cell of which nothing is known is empty.
///
/// # Shape
/// A text that a spreadsheet would run as a formula gets an apostrophe in front; JSON and Parquet have it as it is.
///
/// # Errors
/// [`TableError::Csv`], which a table in memory does not give.
pub fn csv(table: &Table) -> Result<Vec<u8>, TableError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.columns.iter().map(|column| &column.name))?;
    for row in &table.rows {
        writer.write_record(row.iter().map(csv_cell))?;
    }
    let bytes = writer.into_inner();
    bytes.map_err(|error| TableError::Csv(error.into_error().into()))
}

fn csv_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) if text.starts_with(FORMULAS) => format!("'{text}"),
        other => plain(other).unwrap_or_default(),
    }
}

/// The cell as one text, the same in every language; `None` where nothing is known.
fn plain(cell: &Cell) -> Option<String> {
    match cell {
        Cell::None => None,
        Cell::Text(text) => Some(text.clone()),
        Cell::Amount(amount) => Some(amount.to_string()),
        Cell::Count(count) => Some(count.to_string()),
        Cell::Date(date) => Some(date.to_string()),
        Cell::Moment(moment) => Some(moment.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
    }
}

/// A table as JSON: its name, its columns with their types, its rows as objects; exact numbers are texts.
///
/// # Errors
/// [`TableError::Json`], which a table in memory does not give.
pub fn json(table: &Table) -> Result<Vec<u8>, TableError> {
    let columns = table.columns.iter();
    let columns: Vec<Value> = columns
        .map(|column| json!({"name": column.name, "label": column.label, "type": type_name(column.kind)}))
        .collect();
    let rows = table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(row);
        let cells = cells.map(|(column, cell)| {
            let value = match cell {
                Cell::Count(count) => Value::from(*count),
                other => plain(other).map_or(Value::Null, Value::String),
            };
            (column.name.clone(), value)
        });
        Value::Object(cells.collect::<Map<_, _>>())
    });
    let rows: Vec<Value> = rows.collect();
    let whole = json!({"name": table.name, "title": table.title, "columns": columns, "rows": rows});
    let mut bytes = serde_json::to_vec_pretty(&whole)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Amount | Kind::Number => "decimal",
        Kind::Count => "integer",
        Kind::Date => "date",
        Kind::Moment => "timestamp",
    }
}

/// A table as Parquet: decimals as decimal(38,20), days, timestamps in microseconds without a zone.
///
/// # Errors
/// [`TableError::TooWide`] for a number that has no place there; errors of the encoder.
pub fn parquet(table: &Table) -> Result<Vec<u8>, TableError> {
    let mut fields = Vec::with_capacity(table.columns.len());
    let mut arrays = Vec::with_capacity(table.columns.len());
    for (place, column) in table.columns.iter().enumerate() {
        let cells = table
            .rows
            .iter()
            .map(|row| row.get(place).unwrap_or(&Cell::None));
        let array = array(table.name, column, cells)?;
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    let properties = WriterProperties::builder()
        .set_created_by("soxauto".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

fn array<'a>(
    table: &'static str,
    column: &Column,
    cells: impl Iterator<Item = &'a Cell>,
) -> Result<ArrayRef, TableError> {
    Ok(match column.kind {
        Kind::Text => Arc::new(cells.map(plain).collect::<StringArray>()),
        Kind::Amount | Kind::Number => {
            let units = cells.map(|cell| match cell {
                Cell::Amount(amount) => {
                    let scaled = amount.rescale(SCALE).map_err(|_| TableError::TooWide {
                        table,
                        column: column.name.clone(),
                        amount: *amount,
                    })?;
                    Ok(Some(scaled.units()))
                }
                _ => Ok(None),
            });
            let units = units.collect::<Result<Decimal128Array, TableError>>()?;
            let scale = i8::try_from(SCALE).unwrap_or(i8::MAX);
            Arc::new(units.with_precision_and_scale(PRECISION, scale)?)
        }
        Kind::Count => {
            let counts = cells.map(|cell| match cell {
                Cell::Count(count) => Some(*count),
                _ => None,
            });
            Arc::new(counts.collect::<Int64Array>())
        }
        Kind::Date => {
            let days = cells.map(|cell| match cell {
                Cell::Date(date) => {
                    let days = date.signed_duration_since(NaiveDate::default()).num_days();
                    i32::try_from(days).ok()
                }
                _ => None,
            });
            Arc::new(days.collect::<Date32Array>())
        }
        Kind::Moment => {
            let moments = cells.map(|cell| match cell {
                Cell::Moment(moment) => Some(moment.and_utc().timestamp_micros()),
                _ => None,
            });
            Arc::new(moments.collect::<TimestampMicrosecondArray>())
        }
    })
}
