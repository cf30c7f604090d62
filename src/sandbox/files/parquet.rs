//! Parquet files: SQL types from Arrow types, or from the schema file where there is one.
//!
//! What is declared otherwise than it is stored goes through its text, so that the rules of [`super::value`] hold for it.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::domain::sql_type::SqlType;
use crate::sandbox::data::table::schema_of;
use crate::sandbox::data::{Column, Table};
use crate::sandbox::engine::REPLY_ROWS_MAX;
use crate::sandbox::tsql::types::arrow_type;

use super::builder::{ColumnBuilder, batch, of_file, table};
use super::schema::TableSchema;
use super::{FileError, LineKind};

/// The table of a Parquet file.
pub(super) fn read(
    name: [String; 3],
    path: &Path,
    schema: Option<TableSchema>,
) -> Result<Table, FileError> {
    // The reader panics on some damaged files.
    let read = catch_unwind(AssertUnwindSafe(|| rows(path, schema)));
    let damaged = |_| FileError::new(path, "is no sound Parquet file; write it again");
    let (columns, batches) = read.map_err(damaged)??;
    table(path, name, columns, batches)
}

fn rows(
    path: &Path,
    schema: Option<TableSchema>,
) -> Result<(Vec<Column>, Vec<RecordBatch>), FileError> {
    let unsound = |error: &dyn std::fmt::Display| {
        let what = format!(
            "cannot be read as Parquet: {error}; write it again, compressed by zstd or snappy"
        );
        FileError::new(path, what)
    };
    let file = File::open(path).map_err(|io| FileError::unreadable(path, &io))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unsound(&error))?;
    let stored = Arc::clone(reader.schema());
    let columns = columns(path, stored.fields(), schema)?;
    let target = of_file(path, schema_of(&columns))?;
    let reader: ParquetRecordBatchReader = reader
        .with_batch_size(REPLY_ROWS_MAX)
        .build()
        .map_err(|error| unsound(&error))?;
    let mut batches = Vec::new();
    let mut before = 0;
    for stored in reader {
        let stored = stored.map_err(|error| unsound(&error))?;
        let arrays = stored.columns().iter().zip(&columns);
        let arrays = arrays.map(|(array, column)| converted(path, array, column, before));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        before += stored.num_rows();
        batches.push(batch(path, &target, arrays)?);
    }
    Ok((columns, batches))
}

/// The declared columns, or those that follow from the stored types.
fn columns<'f>(
    path: &Path,
    stored: impl IntoIterator<Item = &'f Arc<Field>>,
    schema: Option<TableSchema>,
) -> Result<Vec<Column>, FileError> {
    let stored: Vec<&Field> = stored.into_iter().map(AsRef::as_ref).collect();
    let refused = |field: &Field, what: String| FileError::new(path, what).column(field.name());
    let Some(schema) = schema else {
        let derived = stored.into_iter().map(|field| {
            let sql_type = derived(field.data_type()).ok_or_else(|| {
                let what = format!(
                    "the type {} has no counterpart; declare one in {}",
                    field.data_type(),
                    super::schema::example(path)
                );
                refused(field, what)
            })?;
            Ok(Column {
                name: field.name().clone(),
                sql_type,
                nullable: field.is_nullable(),
            })
        });
        return derived.collect();
    };
    if schema.csv.is_some() {
        let what = "its schema file has [csv], which says nothing about Parquet; remove it";
        return Err(FileError::new(path, what));
    }
    let names: Vec<&str> = stored.iter().map(|field| field.name().as_str()).collect();
    schema.require(path, &names)?;
    for (field, column) in stored.iter().zip(&schema.columns) {
        let (stored, declared) = (field.data_type(), &column.sql_type);
        if stored.is_nested() {
            let what = format!("the type {stored} has no counterpart; flatten the column");
            return Err(refused(field, what));
        }
        let own = derived(stored);
        let text = own == Some(SqlType::NVarChar(None));
        let float = matches!(declared, SqlType::Real | SqlType::Float);
        let inexact = stored.is_floating() || (float && !text);
        if inexact && own.as_ref() != Some(declared) {
            let what = format!(
                "stored as {stored} and declared as {declared}; floats are not exact: write the column in the declared \
                 type"
            );
            return Err(refused(field, what));
        }
    }
    Ok(schema.columns)
}

/// The SQL type that holds every value of an Arrow type, if there is one.
fn derived(stored: &DataType) -> Option<SqlType> {
    Some(match stored {
        DataType::Boolean => SqlType::Bit,
        DataType::UInt8 => SqlType::TinyInt,
        DataType::Int8 | DataType::Int16 => SqlType::SmallInt,
        DataType::UInt16 | DataType::Int32 => SqlType::Int,
        DataType::UInt32 | DataType::Int64 => SqlType::BigInt,
        DataType::UInt64 => SqlType::Decimal {
            precision: 20,
            scale: 0,
        },
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => SqlType::Decimal {
            precision: *precision,
            scale: u8::try_from(*scale).ok()?,
        },
        DataType::Float32 => SqlType::Real,
        DataType::Float64 => SqlType::Float,
        DataType::Date32 => SqlType::Date,
        DataType::Timestamp(unit, None) => SqlType::DateTime2(match unit {
            TimeUnit::Second => 0,
            TimeUnit::Millisecond => 3,
            TimeUnit::Microsecond => 6,
            TimeUnit::Nanosecond => 7,
        }),
        DataType::Time32(TimeUnit::Second) => SqlType::Time(0),
        DataType::Time32(_) => SqlType::Time(3),
        DataType::Time64(TimeUnit::Microsecond) => SqlType::Time(6),
        DataType::Time64(_) => SqlType::Time(7),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => SqlType::NVarChar(None),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => SqlType::VarBinary(None),
        DataType::Dictionary(_, values) => return derived(values),
        _ => return None,
    })
}

/// A stored column in its declared type; `before` rows lie in earlier batches.
fn converted(
    path: &Path,
    array: &ArrayRef,
    column: &Column,
    before: usize,
) -> Result<ArrayRef, FileError> {
    let wrong = |what: String| FileError::new(path, what).column(&column.name);
    let every_value_fits = matches!(
        column.sql_type,
        SqlType::Bit
            | SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::Int
            | SqlType::BigInt
            | SqlType::Decimal { .. }
            | SqlType::NVarChar(None)
            | SqlType::VarBinary(None)
    );
    let no_nulls = array.logical_null_count() == 0;
    if every_value_fits
        && (column.nullable || no_nulls)
        && derived(array.data_type()).as_ref() == Some(&column.sql_type)
    {
        let target = of_file(path, arrow_type(&column.sql_type))?;
        return cast(array, &target).map_err(|error| wrong(error.to_string()));
    }
    let options = FormatOptions::default();
    let text =
        ArrayFormatter::try_new(array, &options).map_err(|error| wrong(error.to_string()))?;
    let nulls = array.logical_nulls();
    let mut builder = ColumnBuilder::new(path, column)?;
    for row in 0..array.len() {
        let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let place = (LineKind::Row, before + row + 1);
        if null {
            builder.push(None, place)?;
        } else {
            // A date beyond the calendar cannot be shown; its text is empty then and refused as such.
            let shown = text.value(row).try_to_string().unwrap_or_default();
            builder.push(Some(&shown), place)?;
        }
    }
    builder.take()
}
