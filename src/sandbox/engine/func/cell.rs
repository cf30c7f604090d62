//! One value at a time out of an Arrow column and into another: the form in which the functions of T-SQL compute.
//!
//! Pure; knows types and arrays, no sessions and no plans.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, BooleanBuilder,
    Date32Array, Date32Builder, Decimal128Array, Decimal128Builder, Float32Array, Float32Builder,
    Float64Array, Float64Builder, Int16Array, Int16Builder, Int32Array, Int32Builder, Int64Array,
    Int64Builder, StringArray, StringBuilder, Time64NanosecondArray, Time64NanosecondBuilder,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder, UInt8Array, UInt8Builder,
};
use arrow::datatypes::{DataType, TimeUnit};

use crate::domain::sql_type::SqlType;
use crate::sandbox::tsql::error::{SqlResult, internal, overflow};
use crate::sandbox::tsql::types::arrow_type;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// bit and the integers.
    Int(i64),
    /// decimal and money: value and scale.
    Dec(i128, u8),
    /// real and float.
    Float(f64),
    /// Every text type, and uniqueidentifier.
    Text(Cow<'a, str>),
    /// Every binary type.
    Bytes(Cow<'a, [u8]>),
    /// Days since 1970.
    Date(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970.
    DateTime(i64),
}

impl Cell<'_> {
    /// A text that owns its characters.
    pub fn text(text: impl Into<String>) -> Cell<'static> {
        Cell::Text(Cow::Owned(text.into()))
    }

    /// The same value, owning its memory.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Null => Cell::Null,
            Cell::Int(v) => Cell::Int(v),
            Cell::Dec(v, s) => Cell::Dec(v, s),
            Cell::Float(v) => Cell::Float(v),
            Cell::Text(v) => Cell::Text(Cow::Owned(v.into_owned())),
            Cell::Bytes(v) => Cell::Bytes(Cow::Owned(v.into_owned())),
            Cell::Date(v) => Cell::Date(v),
            Cell::Time(v) => Cell::Time(v),
            Cell::DateTime(v) => Cell::DateTime(v),
        }
    }
}

/// A column, ready to give its values.
pub enum Reader {
    /// bit.
    Bool(BooleanArray),
    /// tinyint.
    U8(UInt8Array),
    /// smallint.
    I16(Int16Array),
    /// int.
    I32(Int32Array),
    /// bigint.
    I64(Int64Array),
    /// decimal, money.
    Dec(Decimal128Array, u8),
    /// real.
    F32(Float32Array),
    /// float.
    F64(Float64Array),
    /// date.
    Date(Date32Array),
    /// The date-times.
    DateTime(TimestampMicrosecondArray),
    /// time.
    Time(Time64NanosecondArray),
    /// Texts.
    Text(StringArray),
    /// Binaries.
    Bytes(BinaryArray),
}

impl Reader {
    /// Reads `array` as values of `ty`; other Arrow types are converted first.
    ///
    /// # Errors
    /// When Arrow cannot convert.
    pub fn new(array: &ArrayRef, ty: &SqlType) -> SqlResult<Self> {
        let target = arrow_type(ty)?;
        let converted;
        let array = if array.data_type() == &target {
            array
        } else {
            converted = arrow::compute::cast(array, &target).map_err(internal)?;
            &converted
        };
        Ok(match target {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::UInt8 => Self::U8(array.as_primitive().clone()),
            DataType::Int16 => Self::I16(array.as_primitive().clone()),
            DataType::Int32 => Self::I32(array.as_primitive().clone()),
            DataType::Int64 => Self::I64(array.as_primitive().clone()),
            DataType::Decimal128(_, scale) => Self::Dec(
                array.as_primitive().clone(),
                u8::try_from(scale).unwrap_or(0),
            ),
            DataType::Float32 => Self::F32(array.as_primitive().clone()),
            DataType::Float64 => Self::F64(array.as_primitive().clone()),
            DataType::Date32 => Self::Date(array.as_primitive().clone()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Self::DateTime(array.as_primitive().clone())
            }
            DataType::Time64(TimeUnit::Nanosecond) => Self::Time(array.as_primitive().clone()),
            DataType::Utf8 => Self::Text(array.as_string().clone()),
            DataType::Binary => Self::Bytes(array.as_binary().clone()),
            other => return Err(internal(format!("no reader for {other}"))),
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(a) => a,
            Self::U8(a) => a,
            Self::I16(a) => a,
            Self::I32(a) => a,
            Self::I64(a) => a,
            Self::Dec(a, _) => a,
            Self::F32(a) => a,
            Self::F64(a) => a,
            Self::Date(a) => a,
            Self::DateTime(a) => a,
            Self::Time(a) => a,
            Self::Text(a) => a,
            Self::Bytes(a) => a,
        }
    }

    /// The value of a row; a column of one row gives it for every row.
    pub fn get(&self, row: usize) -> Cell<'_> {
        let array = self.array();
        let row = if array.len() == 1 { 0 } else { row };
        if row >= array.len() || array.is_null(row) {
            return Cell::Null;
        }
        match self {
            Self::Bool(a) => Cell::Int(i64::from(a.value(row))),
            Self::U8(a) => Cell::Int(i64::from(a.value(row))),
            Self::I16(a) => Cell::Int(i64::from(a.value(row))),
            Self::I32(a) => Cell::Int(i64::from(a.value(row))),
            Self::I64(a) => Cell::Int(a.value(row)),
            Self::Dec(a, scale) => Cell::Dec(a.value(row), *scale),
            Self::F32(a) => Cell::Float(f64::from(a.value(row))),
            Self::F64(a) => Cell::Float(a.value(row)),
            Self::Date(a) => Cell::Date(i64::from(a.value(row))),
            Self::DateTime(a) => Cell::DateTime(a.value(row)),
            Self::Time(a) => Cell::Time(a.value(row) / 1000),
            Self::Text(a) => Cell::Text(Cow::Borrowed(a.value(row))),
            Self::Bytes(a) => Cell::Bytes(Cow::Borrowed(a.value(row))),
        }
    }
}

/// A column being filled with values of one type.
pub enum Writer {
    /// bit.
    Bool(BooleanBuilder),
    /// tinyint.
    U8(UInt8Builder),
    /// smallint.
    I16(Int16Builder),
    /// int.
    I32(Int32Builder),
    /// bigint.
    I64(Int64Builder),
    /// decimal, money.
    Dec(Decimal128Builder),
    /// real.
    F32(Float32Builder),
    /// float.
    F64(Float64Builder),
    /// date.
    Date(Date32Builder),
    /// The date-times.
    DateTime(TimestampMicrosecondBuilder),
    /// time.
    Time(Time64NanosecondBuilder),
    /// Texts.
    Text(StringBuilder),
    /// Binaries.
    Bytes(BinaryBuilder),
}

impl Writer {
    /// An empty column of `ty`.
    ///
    /// # Errors
    /// Types that the sandbox does not hold.
    pub fn new(ty: &SqlType) -> SqlResult<Self> {
        Ok(match arrow_type(ty)? {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::UInt8 => Self::U8(UInt8Builder::new()),
            DataType::Int16 => Self::I16(Int16Builder::new()),
            DataType::Int32 => Self::I32(Int32Builder::new()),
            DataType::Int64 => Self::I64(Int64Builder::new()),
            decimal @ DataType::Decimal128(..) => {
                Self::Dec(Decimal128Builder::new().with_data_type(decimal))
            }
            DataType::Float32 => Self::F32(Float32Builder::new()),
            DataType::Float64 => Self::F64(Float64Builder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Timestamp(..) => Self::DateTime(TimestampMicrosecondBuilder::new()),
            DataType::Time64(_) => Self::Time(Time64NanosecondBuilder::new()),
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Binary => Self::Bytes(BinaryBuilder::new()),
            other => return Err(internal(format!("no writer for {other}"))),
        })
    }

    /// Adds a value, which must already be one of the column's type.
    ///
    /// # Errors
    /// A value of another kind or range.
    pub fn push(&mut self, cell: &Cell<'_>) -> SqlResult<()> {
        match (self, cell) {
            (Self::Bool(b), Cell::Int(v)) => b.append_value(*v != 0),
            (Self::U8(b), Cell::Int(v)) => {
                b.append_value(u8::try_from(*v).map_err(|_| overflow("tinyint"))?);
            }
            (Self::I16(b), Cell::Int(v)) => {
                b.append_value(i16::try_from(*v).map_err(|_| overflow("smallint"))?);
            }
            (Self::I32(b), Cell::Int(v)) => {
                b.append_value(i32::try_from(*v).map_err(|_| overflow("int"))?);
            }
            (Self::I64(b), Cell::Int(v)) => b.append_value(*v),
            (Self::Dec(b), Cell::Dec(v, _)) => b.append_value(*v),
            (Self::F32(b), Cell::Float(v)) => {
                b.append_value(v.to_string().parse().map_err(internal)?);
            }
            (Self::F64(b), Cell::Float(v)) => b.append_value(*v),
            (Self::Date(b), Cell::Date(v)) => {
                b.append_value(i32::try_from(*v).map_err(|_| overflow("date"))?);
            }
            (Self::DateTime(b), Cell::DateTime(v)) => b.append_value(*v),
            (Self::Time(b), Cell::Time(v)) => b.append_value(v * 1000),
            (Self::Text(b), Cell::Text(v)) => b.append_value(v),
            (Self::Bytes(b), Cell::Bytes(v)) => b.append_value(v),
            (writer, Cell::Null) => writer.push_null(),
            (_, other) => return Err(internal(format!("a value of another kind: {other:?}"))),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Self::Bool(b) => b.append_null(),
            Self::U8(b) => b.append_null(),
            Self::I16(b) => b.append_null(),
            Self::I32(b) => b.append_null(),
            Self::I64(b) => b.append_null(),
            Self::Dec(b) => b.append_null(),
            Self::F32(b) => b.append_null(),
            Self::F64(b) => b.append_null(),
            Self::Date(b) => b.append_null(),
            Self::DateTime(b) => b.append_null(),
            Self::Time(b) => b.append_null(),
            Self::Text(b) => b.append_null(),
            Self::Bytes(b) => b.append_null(),
        }
    }

    /// The filled column.
    pub fn finish(mut self) -> ArrayRef {
        match &mut self {
            Self::Bool(b) => Arc::new(b.finish()),
            Self::U8(b) => Arc::new(b.finish()),
            Self::I16(b) => Arc::new(b.finish()),
            Self::I32(b) => Arc::new(b.finish()),
            Self::I64(b) => Arc::new(b.finish()),
            Self::Dec(b) => Arc::new(b.finish()),
            Self::F32(b) => Arc::new(b.finish()),
            Self::F64(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::DateTime(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Text(b) => Arc::new(b.finish()),
            Self::Bytes(b) => Arc::new(b.finish()),
        }
    }
}

/// The first value of a column.
///
/// # Errors
/// As [`Reader::new`].
pub fn first(array: &ArrayRef, ty: &SqlType) -> SqlResult<Cell<'static>> {
    Ok(Reader::new(array, ty)?.get(0).into_owned())
}

/// A column of one value.
///
/// # Errors
/// As [`Writer::push`].
pub fn single(cell: &Cell<'_>, ty: &SqlType) -> SqlResult<ArrayRef> {
    let mut writer = Writer::new(ty)?;
    writer.push(cell)?;
    Ok(writer.finish())
}
