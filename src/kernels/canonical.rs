//! The row encoding of the content digest: each value as canonical text, each text as a netstring.
//!
//! May use Arrow arrays and `itoa`. Allocates nothing per cell; never trims, rounds or replaces a value, and never
//! shares code with `recheck`, which computes the same texts with Polars.
//!
//! # Source
//! The digest specification, version 1 (ADR-0007). Changing a byte here changes `DIGEST_VERSION`.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Int16Array,
    Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    Date32Type, Decimal128Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::KernelError;
use super::conform::content_column;
use crate::domain::contract::{ColumnType, Contract};

/// 0001-01-01, in days from 1970-01-01.
const DAY_FIRST: i64 = -719_162;
/// 9999-12-31, in days from 1970-01-01.
const DAY_LAST: i64 = 2_932_896;
/// 0000-03-01, the begin of the 400-year cycle that the calendar is counted in, lies so many days before 1970-01-01.
const CYCLE_DAYS_BEFORE_EPOCH: i64 = 719_468;
/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// The longest run of zeros that a decimal needs.
const ZEROS: [u8; 38] = [b'0'; 38];

/// Which columns of a conformed batch make up a row's bytes.
#[derive(Debug, Clone)]
pub struct RowLayout {
    columns: Vec<LayoutColumn>,
}

#[derive(Debug, Clone)]
struct LayoutColumn {
    ordinal: usize,
    name: String,
    column_type: ColumnType,
}

impl RowLayout {
    /// The columns of the content digest, in contract order.
    #[must_use]
    pub fn digested(contract: &Contract) -> Self {
        Self::of(contract, |column_type, _| column_type.digestible())
    }

    /// The columns of the key, in contract order; floats cannot be part of it.
    #[must_use]
    pub fn key(contract: &Contract) -> Self {
        Self::of(contract, |column_type, name| {
            column_type.digestible() && contract.key.iter().any(|key| key == name)
        })
    }

    /// One column alone.
    #[must_use]
    pub fn named(contract: &Contract, name: &str) -> Self {
        Self::of(contract, |column_type, known| {
            column_type.digestible() && known == name
        })
    }

    fn of(contract: &Contract, takes: impl Fn(ColumnType, &str) -> bool) -> Self {
        let columns = contract.columns.iter().enumerate();
        let columns = columns.filter(|(_, column)| takes(column.column_type, &column.name));
        Self {
            columns: columns
                .map(|(ordinal, column)| LayoutColumn {
                    ordinal,
                    name: column.name.clone(),
                    column_type: column.column_type,
                })
                .collect(),
        }
    }

    /// Chooses the encoder of every column, once for all rows of a batch.
    ///
    /// # Shape
    /// `batch`: conformed, content columns at the places of the contract; further columns are not looked at.
    /// # Errors
    /// [`KernelError::ColumnName`] or [`KernelError::ColumnType`].
    pub fn bind<'a>(&'a self, batch: &'a RecordBatch) -> Result<BoundRows<'a>, KernelError> {
        let encoders = self.columns.iter().map(|column| {
            let array = content_column(batch, column.ordinal, &column.name, column.column_type)?;
            Encoder::new(column, array).ok_or_else(|| KernelError::ColumnType {
                column: column.name.clone(),
                expected: format!("{:?}", column.column_type),
                found: array.data_type().to_string(),
            })
        });
        Ok(BoundRows {
            encoders: encoders.collect::<Result<_, _>>()?,
        })
    }
}

/// The rows of one batch, ready to be written.
pub struct BoundRows<'a> {
    encoders: Vec<Encoder<'a>>,
}

impl BoundRows<'_> {
    /// Appends the canonical bytes of one row to `out`.
    ///
    /// # Errors
    /// [`KernelError::OutOfRange`] for a date outside the years 1 to 9999.
    /// # Panics
    /// When the batch has no such row.
    #[inline]
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), KernelError> {
        for encoder in &self.encoders {
            encoder.write(row, out)?;
        }
        Ok(())
    }
}

struct Encoder<'a> {
    name: &'a str,
    nulls: Option<&'a NullBuffer>,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Decimal(&'a Decimal128Array, usize),
    Date(&'a Date32Array),
    DateTime(&'a TimestampMicrosecondArray),
    DateTimeUtc(&'a TimestampMicrosecondArray),
    Time(&'a Time64MicrosecondArray),
    Text(&'a StringArray),
    Binary(&'a BinaryArray),
}

impl<'a> Encoder<'a> {
    fn new(column: &'a LayoutColumn, array: &'a ArrayRef) -> Option<Self> {
        let cells = match column.column_type {
            ColumnType::Bool => Cells::Bool(array.as_boolean_opt()?),
            ColumnType::Int16 => Cells::Int16(array.as_primitive_opt::<Int16Type>()?),
            ColumnType::Int32 => Cells::Int32(array.as_primitive_opt::<Int32Type>()?),
            ColumnType::Int64 => Cells::Int64(array.as_primitive_opt::<Int64Type>()?),
            ColumnType::Decimal { scale, .. } => Cells::Decimal(
                array.as_primitive_opt::<Decimal128Type>()?,
                usize::from(scale),
            ),
            ColumnType::Float32 | ColumnType::Float64 => return None,
            ColumnType::Date => Cells::Date(array.as_primitive_opt::<Date32Type>()?),
            ColumnType::DateTime => {
                Cells::DateTime(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            ColumnType::DateTimeUtc => {
                Cells::DateTimeUtc(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            ColumnType::Time => Cells::Time(array.as_primitive_opt::<Time64MicrosecondType>()?),
            ColumnType::Text => Cells::Text(array.as_string_opt::<i32>()?),
            ColumnType::Binary => Cells::Binary(array.as_binary_opt::<i32>()?),
        };
        Some(Self {
            name: &column.name,
            nulls: array.nulls().filter(|nulls| nulls.null_count() > 0),
            cells,
        })
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), KernelError> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"-,");
            return Ok(());
        }
        let in_range = match &self.cells {
            Cells::Bool(array) => {
                out.extend_from_slice(if array.value(row) { b"1:1," } else { b"1:0," });
                true
            }
            Cells::Int16(array) => write_integer(out, i64::from(array.value(row))),
            Cells::Int32(array) => write_integer(out, i64::from(array.value(row))),
            Cells::Int64(array) => write_integer(out, array.value(row)),
            Cells::Decimal(array, scale) => write_decimal(out, array.value(row), *scale),
            Cells::Date(array) => write_date(out, i64::from(array.value(row))),
            Cells::DateTime(array) => write_datetime(out, array.value(row), b"26:", b","),
            Cells::DateTimeUtc(array) => write_datetime(out, array.value(row), b"27:", b"Z,"),
            Cells::Time(array) => write_time(out, array.value(row)),
            Cells::Text(array) => write_bytes(out, array.value(row).as_bytes()),
            Cells::Binary(array) => write_hex(out, array.value(row)),
        };
        if in_range {
            return Ok(());
        }
        Err(KernelError::OutOfRange {
            column: self.name.to_owned(),
            row,
        })
    }
}

fn write_length(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(itoa::Buffer::new().format(len).as_bytes());
    out.push(b':');
}

fn write_bytes(out: &mut Vec<u8>, text: &[u8]) -> bool {
    write_length(out, text.len());
    out.extend_from_slice(text);
    out.push(b',');
    true
}

fn write_integer(out: &mut Vec<u8>, value: i64) -> bool {
    write_bytes(out, itoa::Buffer::new().format(value).as_bytes())
}

/// Exactly `scale` fraction digits, a zero before the point, a minus only below zero, no point at scale 0.
fn write_decimal(out: &mut Vec<u8>, units: i128, scale: usize) -> bool {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(units.unsigned_abs()).as_bytes();
    let whole_len = digits.len().saturating_sub(scale);
    let (whole, fraction) = digits.split_at(whole_len);
    let sign_len = usize::from(units < 0);
    let point_len = usize::from(scale > 0);
    write_length(out, sign_len + whole_len.max(1) + point_len + scale);
    if units < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if scale > 0 {
        out.push(b'.');
        let padding = scale.saturating_sub(fraction.len());
        out.extend_from_slice(ZEROS.get(..padding).unwrap_or(&ZEROS));
        out.extend_from_slice(fraction);
    }
    out.push(b',');
    true
}

fn write_hex(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' - 10 + nibble
        }
    };
    write_length(out, bytes.len() * 2);
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b',');
    true
}

fn write_date(out: &mut Vec<u8>, day: i64) -> bool {
    let Some([y0, y1, y2, y3, m0, m1, d0, d1]) = calendar_digits(day) else {
        return false;
    };
    out.extend_from_slice(&[
        b'1', b'0', b':', y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b',',
    ]);
    true
}

fn write_datetime(out: &mut Vec<u8>, micros: i64, length: &[u8; 3], end: &[u8]) -> bool {
    let Some([y0, y1, y2, y3, m0, m1, d0, d1]) = calendar_digits(micros.div_euclid(DAY_MICROS))
    else {
        return false;
    };
    out.extend_from_slice(length);
    out.extend_from_slice(&[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T']);
    out.extend_from_slice(&clock_text(micros.rem_euclid(DAY_MICROS)));
    out.extend_from_slice(end);
    true
}

fn write_time(out: &mut Vec<u8>, micros: i64) -> bool {
    if !(0..DAY_MICROS).contains(&micros) {
        return false;
    }
    out.extend_from_slice(b"15:");
    out.extend_from_slice(&clock_text(micros));
    out.push(b',');
    true
}

/// `YYYYMMDD` of a day, `None` outside the years 1 to 9999.
///
/// Counts from 1 March of year 0, so that the leap day is the last of its year and every month but the last begins at
/// `(153 × month + 2) / 5` days.
fn calendar_digits(day: i64) -> Option<[u8; 8]> {
    if !(DAY_FIRST..=DAY_LAST).contains(&day) {
        return None;
    }
    let day = u32::try_from(day + CYCLE_DAYS_BEFORE_EPOCH).ok()?;
    let (cycle, day_of_cycle) = (day / 146_097, day % 146_097);
    let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year_of_cycle = (day_of_cycle - leap_days) / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let in_next_year = month_from_march >= 10;
    let month = if in_next_year {
        month_from_march - 9
    } else {
        month_from_march + 3
    };
    let year = cycle * 400 + year_of_cycle + u32::from(in_next_year);
    let ([y0, y1], [y2, y3]) = (pair(year / 100), pair(year % 100));
    let ([m0, m1], [d0, d1]) = (pair(month), pair(day_of_month));
    Some([y0, y1, y2, y3, m0, m1, d0, d1])
}

/// `hh:mm:ss.ffffff` of the microseconds since midnight.
fn clock_text(micros: i64) -> [u8; 15] {
    // Below 86,400 and below 1,000,000: both fit.
    let seconds = u32::try_from(micros / 1_000_000).unwrap_or_default();
    let fraction = u32::try_from(micros % 1_000_000).unwrap_or_default();
    let ([h0, h1], [m0, m1]) = (pair(seconds / 3_600), pair(seconds / 60 % 60));
    let ([s0, s1], [f0, f1]) = (pair(seconds % 60), pair(fraction / 10_000));
    let ([f2, f3], [f4, f5]) = (pair(fraction / 100 % 100), pair(fraction % 100));
    [
        h0, h1, b':', m0, m1, b':', s0, s1, b'.', f0, f1, f2, f3, f4, f5,
    ]
}

/// Two decimal digits of a number below 100.
fn pair(n: u32) -> [u8; 2] {
    let [low, ..] = n.to_le_bytes();
    [b'0' + low / 10, b'0' + low % 10]
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
