//! Encodes Arrow batches as ROW and NBCROW tokens.
//!
//! May use Arrow and the pure parts of TDS; it must never allocate per cell. A row with a null goes as
//! NBCROW, a row without as ROW, as SQL Server does.
//!
//! # Carriers
//! | SQL Server type | Arrow carrier |
//! |---|---|
//! | `bit` | `Boolean` |
//! | `tinyint` / `smallint` / `int` / `bigint` | `UInt8` / `Int16` / `Int32` / `Int64` |
//! | `decimal(p,s)` | `Decimal128(_, s)`; a value of more than p digits is error 8115 |
//! | `money` / `smallmoney` | `Decimal128(19,4)` / `Decimal128(10,4)` |
//! | `real` / `float` | `Float32` / `Float64` |
//! | `date` | `Date32` |
//! | `datetime` / `smalldatetime` | `Timestamp(Microsecond, None)`, rounded to 1/300 s / minutes |
//! | `datetime2(n)` | `Timestamp(Microsecond, None)`, or `Int64` ticks of 100 ns since 0001-01-01 |
//! | `datetimeoffset(n)` | `Struct { utc_ticks: Int64, offset_minutes: Int16 }`, ticks of 100 ns in UTC |
//! | `time(n)` | `Time64(Nanosecond)`, cut to n digits |
//! | `char`, `varchar`, `text` | `Utf8` (`LargeUtf8`, `Utf8View`), sent in Windows-1252; another character is error 8114 |
//! | `nchar`, `nvarchar`, `ntext`, `xml` | the same, sent as UTF-16LE |
//! | `uniqueidentifier` | `Utf8`, or `FixedSizeBinary(16)` in the byte order of the text form |
//! | `binary`, `varbinary`, `image` | `Binary` (`LargeBinary`, `BinaryView`, `FixedSizeBinary`) |
//! | `rowversion` | `Binary` or `FixedSizeBinary(8)` |
//!
//! `char`, `nchar`, `binary` and `rowversion` are filled up to their length, as a table column would be.

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::record_batch::RecordBatch;

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::{ColumnMeta, SqlError};

use super::cell::CellError;
use super::column::ColumnEncoder;
use super::token::{NBC_ROW, ROW};

/// The preferred Arrow type that carries a SQL type; `None` for what the wire cannot carry.
#[must_use]
pub fn carrier(sql_type: &SqlType) -> Option<DataType> {
    Some(match sql_type {
        SqlType::Bit => DataType::Boolean,
        SqlType::TinyInt => DataType::UInt8,
        SqlType::SmallInt => DataType::Int16,
        SqlType::Int => DataType::Int32,
        SqlType::BigInt => DataType::Int64,
        SqlType::Decimal { precision, scale } => {
            DataType::Decimal128(*precision, i8::try_from(*scale).ok()?)
        }
        SqlType::Money => DataType::Decimal128(19, 4),
        SqlType::SmallMoney => DataType::Decimal128(10, 4),
        SqlType::Real => DataType::Float32,
        SqlType::Float => DataType::Float64,
        SqlType::Date => DataType::Date32,
        SqlType::DateTime | SqlType::SmallDateTime | SqlType::DateTime2(0..=6) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        SqlType::DateTime2(_) => DataType::Int64,
        SqlType::DateTimeOffset(_) => DataType::Struct(offset_fields().into()),
        SqlType::Time(_) => DataType::Time64(TimeUnit::Nanosecond),
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Text
        | SqlType::NText
        | SqlType::UniqueIdentifier => DataType::Utf8,
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            DataType::Binary
        }
        SqlType::Other(name) => return (name == "xml").then_some(DataType::Utf8),
    })
}

/// The two fields that carry a `datetimeoffset`.
pub(super) fn offset_fields() -> Vec<Field> {
    vec![
        Field::new("utc_ticks", DataType::Int64, false),
        Field::new("offset_minutes", DataType::Int16, false),
    ]
}

/// Encodes the rows of one batch.
pub struct BatchEncoder<'a> {
    columns: &'a [ColumnMeta],
    encoders: Vec<ColumnEncoder<'a>>,
    /// Per column the nulls, if this batch has any there.
    nulls: Vec<Option<&'a NullBuffer>>,
    has_nulls: bool,
    rows: usize,
}

impl<'a> BatchEncoder<'a> {
    /// Picks one encoder per column.
    ///
    /// # Errors
    /// The batch does not carry the announced columns, or has a null where none was announced.
    pub fn new(columns: &'a [ColumnMeta], batch: &'a RecordBatch) -> Result<Self, SqlError> {
        if columns.len() != batch.num_columns() {
            return Err(internal(format!(
                "{} columns were announced, the batch has {}",
                columns.len(),
                batch.num_columns()
            )));
        }
        let mut encoders = Vec::with_capacity(columns.len());
        let mut nulls = Vec::with_capacity(columns.len());
        for (column, array) in columns.iter().zip(batch.columns()) {
            let encoder = ColumnEncoder::new(column, array)
                .ok_or_else(|| cell_error(CellError::Carrier, column))?;
            if array.null_count() > 0 && !column.nullable {
                return Err(cell_error(CellError::Null, column));
            }
            encoders.push(encoder);
            nulls.push(array.nulls().filter(|_| array.null_count() > 0));
        }
        let has_nulls = nulls.iter().any(Option::is_some);
        Ok(Self {
            columns,
            encoders,
            nulls,
            has_nulls,
            rows: batch.num_rows(),
        })
    }

    /// Rows of the batch.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends rows from `first` until the batch ends or `buf` holds `bytes_goal`; returns the next row.
    ///
    /// # Errors
    /// A value that its column cannot carry; `buf` then ends with the last good row.
    pub fn put_rows(
        &self,
        first: usize,
        bytes_goal: usize,
        buf: &mut Vec<u8>,
    ) -> Result<usize, SqlError> {
        let mut row = first;
        while row < self.rows && buf.len() < bytes_goal {
            self.put_row(row, buf)?;
            row += 1;
        }
        Ok(row)
    }

    /// Appends one row.
    ///
    /// # Errors
    /// As [`BatchEncoder::put_rows`].
    pub fn put_row(&self, row: usize, buf: &mut Vec<u8>) -> Result<(), SqlError> {
        let start = buf.len();
        let nulls = self.has_nulls && self.put_null_bitmap(row, buf);
        if !nulls {
            buf.push(ROW);
        }
        for (at, encoder) in self.encoders.iter().enumerate() {
            if nulls && self.is_null(at, row) {
                continue;
            }
            if let Err(error) = encoder.put(row, buf) {
                buf.truncate(start);
                let column = self.columns.get(at);
                return Err(column.map_or_else(
                    || internal("row without columns".to_owned()),
                    |column| cell_error(error, column),
                ));
            }
        }
        Ok(())
    }

    fn is_null(&self, column: usize, row: usize) -> bool {
        self.nulls
            .get(column)
            .copied()
            .flatten()
            .is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the NBCROW token and its bitmap if the row has a null.
    fn put_null_bitmap(&self, row: usize, buf: &mut Vec<u8>) -> bool {
        let start = buf.len();
        buf.push(NBC_ROW);
        let mut any = 0;
        for group in self.nulls.chunks(8) {
            let mut bits = 0;
            for (bit, nulls) in group.iter().enumerate() {
                bits |= u8::from(nulls.is_some_and(|nulls| nulls.is_null(row))) << bit;
            }
            any |= bits;
            buf.push(bits);
        }
        if any == 0 {
            buf.truncate(start);
        }
        any != 0
    }
}

fn cell_error(error: CellError, column: &ColumnMeta) -> SqlError {
    let (number, message) = error.explain(&column.name, &column.sql_type.to_string());
    SqlError {
        number,
        message,
        ..internal(String::new())
    }
}

/// An error of the stand-in itself or of a value, class 16.
pub(super) fn internal(message: String) -> SqlError {
    SqlError {
        number: 50_000,
        class: 16,
        state: 1,
        message,
        procedure: String::new(),
        line: 1,
    }
}
