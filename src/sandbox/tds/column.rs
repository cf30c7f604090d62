//! Encodes the cells of one column of one batch; the way is chosen once per batch, not per cell.
//!
//! May use Arrow arrays and the pure parts of TDS. It must never write a null (those rows are NBCROW), never
//! change a value without SQL Server doing the same, and never quote a value in an error.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray,
    LargeBinaryArray, LargeStringArray, StringArray, StringViewArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, UInt8Type,
};

use crate::domain::sql_type::SqlType;
use crate::sandbox::wire::ColumnMeta;

use super::cell::{CellError, put_bytes, put_decimal, put_money, put_number, put_text};
use super::temporal;
use super::text::{parse_guid, swap_guid};
use super::type_info::{Framing, decimal_bytes, framing};

/// Text of one of the Arrow layouts.
pub(super) enum TextArray<'a> {
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> TextArray<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Utf8(array.as_string_opt()?),
            DataType::LargeUtf8 => Self::Large(array.as_string_opt()?),
            DataType::Utf8View => Self::View(array.as_string_view_opt()?),
            _ => return None,
        })
    }

    fn value(&self, row: usize) -> &'a str {
        match self {
            Self::Utf8(array) => array.value(row),
            Self::Large(array) => array.value(row),
            Self::View(array) => array.value(row),
        }
    }
}

/// Bytes of one of the Arrow layouts.
pub(super) enum BytesArray<'a> {
    Binary(&'a BinaryArray),
    Large(&'a LargeBinaryArray),
    View(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> BytesArray<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Binary => Self::Binary(array.as_binary_opt()?),
            DataType::LargeBinary => Self::Large(array.as_binary_opt()?),
            DataType::BinaryView => Self::View(array.as_binary_view_opt()?),
            DataType::FixedSizeBinary(_) => Self::Fixed(array.as_fixed_size_binary_opt()?),
            _ => return None,
        })
    }

    fn value(&self, row: usize) -> &'a [u8] {
        match self {
            Self::Binary(array) => array.value(row),
            Self::Large(array) => array.value(row),
            Self::View(array) => array.value(row),
            Self::Fixed(array) => array.value(row),
        }
    }
}

/// Code page, length and padding of a text column.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextForm {
    /// UTF-16LE instead of Windows-1252.
    pub(super) wide: bool,
    /// Largest number of bytes.
    pub(super) bytes_max: usize,
    /// Fill up with blanks to `bytes_max`.
    pub(super) padded: bool,
}

/// The values of a column with what their encoding needs.
enum Values<'a> {
    Bit(&'a BooleanArray),
    TinyInt(&'a [u8]),
    SmallInt(&'a [i16]),
    Int(&'a [i32]),
    BigInt(&'a [i64]),
    Real(&'a [f32]),
    Float(&'a [f64]),
    Decimal {
        values: &'a [i128],
        bytes: u8,
        limit: u128,
    },
    Money(&'a [i128]),
    SmallMoney(&'a [i128]),
    Date(&'a [i32]),
    DateTime(&'a [i64]),
    SmallDateTime(&'a [i64]),
    DateTime2Micros(&'a [i64], u8),
    DateTime2Ticks(&'a [i64], u8),
    DateTimeOffset {
        ticks: &'a [i64],
        offsets: &'a [i16],
        scale: u8,
    },
    Time(&'a [i64], u8),
    Text(TextArray<'a>, TextForm),
    Bytes {
        values: BytesArray<'a>,
        bytes_max: usize,
        padded: bool,
    },
    GuidText(TextArray<'a>),
    GuidBytes(&'a FixedSizeBinaryArray),
}

/// Encoder of one column of one batch.
pub(super) struct ColumnEncoder<'a> {
    values: Values<'a>,
    framing: Framing,
}

impl<'a> ColumnEncoder<'a> {
    /// Picks the way; `None` when the array is no carrier of the column's type.
    pub(super) fn new(column: &ColumnMeta, array: &'a ArrayRef) -> Option<Self> {
        Some(Self {
            values: values_of(&column.sql_type, array)?,
            framing: framing(column),
        })
    }

    /// Appends the value of a row that is not null.
    pub(super) fn put(&self, row: usize, buf: &mut Vec<u8>) -> Result<(), CellError> {
        match &self.values {
            Values::Bit(values) => put_number(buf, self.framing, [u8::from(values.value(row))]),
            Values::TinyInt(values) => put_number(buf, self.framing, [at(values, row)?]),
            Values::SmallInt(values) => {
                put_number(buf, self.framing, at(values, row)?.to_le_bytes())
            }
            Values::Int(values) => put_number(buf, self.framing, at(values, row)?.to_le_bytes()),
            Values::BigInt(values) => put_number(buf, self.framing, at(values, row)?.to_le_bytes()),
            Values::Real(values) => put_number(buf, self.framing, at(values, row)?.to_le_bytes()),
            Values::Float(values) => put_number(buf, self.framing, at(values, row)?.to_le_bytes()),
            Values::Decimal {
                values,
                bytes,
                limit,
            } => put_decimal(buf, at(values, row)?, *bytes, *limit),
            Values::Money(values) => put_money(buf, self.framing, at(values, row)?),
            Values::SmallMoney(values) => {
                let value = i32::try_from(at(values, row)?).map_err(|_| CellError::Overflow)?;
                put_number(buf, self.framing, value.to_le_bytes())
            }
            Values::Text(values, form) => put_text(buf, self.framing, values.value(row), *form),
            Values::Bytes {
                values,
                bytes_max,
                padded,
            } => put_bytes(buf, self.framing, values.value(row), *bytes_max, *padded),
            Values::GuidText(values) => {
                let guid = parse_guid(values.value(row)).ok_or(CellError::Guid)?;
                put_number(buf, self.framing, swap_guid(guid))
            }
            Values::GuidBytes(values) => {
                let guid = values.value(row).try_into().map_err(|_| CellError::Guid)?;
                put_number(buf, self.framing, swap_guid(guid))
            }
            _ => self.put_temporal(row, buf),
        }
    }

    /// The date and time types.
    fn put_temporal(&self, row: usize, buf: &mut Vec<u8>) -> Result<(), CellError> {
        match &self.values {
            Values::Date(values) => {
                let day = temporal::day_from_unix(at(values, row)?).ok_or(CellError::Date)?;
                buf.push(3);
                temporal::put_day(buf, day);
            }
            Values::DateTime(values) => {
                let (days, clock) =
                    temporal::clock_from_micros(at(values, row)?).ok_or(CellError::Date)?;
                let ([a, b, c, d], [e, f, g, h]) = (days.to_le_bytes(), clock.to_le_bytes());
                put_number(buf, self.framing, [a, b, c, d, e, f, g, h])?;
            }
            Values::SmallDateTime(values) => {
                let (days, minutes) =
                    temporal::minutes_from_micros(at(values, row)?).ok_or(CellError::Date)?;
                let ([a, b], [c, d]) = (days.to_le_bytes(), minutes.to_le_bytes());
                put_number(buf, self.framing, [a, b, c, d])?;
            }
            Values::DateTime2Micros(values, scale) => {
                let ticks = temporal::ticks_from_micros(at(values, row)?).ok_or(CellError::Date)?;
                put_ticks(buf, ticks, *scale, None)?;
            }
            Values::DateTime2Ticks(values, scale) => {
                put_ticks(buf, at(values, row)?, *scale, None)?;
            }
            Values::DateTimeOffset {
                ticks,
                offsets,
                scale,
            } => {
                put_ticks(buf, at(ticks, row)?, *scale, Some(at(offsets, row)?))?;
            }
            Values::Time(values, scale) => {
                let ticks = at(values, row)? / 100;
                let unit = temporal::ticks_per_unit(*scale);
                // A value beyond its scale is cut, so that it stays within its day.
                if !(0..temporal::TICKS_DAY).contains(&ticks) {
                    return Err(CellError::Date);
                }
                buf.push(temporal::time_bytes(*scale));
                temporal::put_time(buf, ticks / unit * unit, *scale);
            }
            _ => return Err(CellError::Carrier),
        }
        Ok(())
    }
}

fn at<T: Copy>(values: &[T], row: usize) -> Result<T, CellError> {
    values.get(row).copied().ok_or(CellError::Carrier)
}

fn put_ticks(
    buf: &mut Vec<u8>,
    ticks: i64,
    scale: u8,
    offset: Option<i16>,
) -> Result<(), CellError> {
    let ticks = temporal::round_ticks(ticks, scale).ok_or(CellError::Date)?;
    buf.push(temporal::time_bytes(scale) + if offset.is_some() { 5 } else { 3 });
    temporal::put_time(buf, ticks % temporal::TICKS_DAY, scale);
    temporal::put_day(buf, ticks / temporal::TICKS_DAY);
    if let Some(minutes) = offset {
        if !(-840..=840).contains(&minutes) {
            return Err(CellError::Date);
        }
        buf.extend_from_slice(&minutes.to_le_bytes());
    }
    Ok(())
}

fn values_of<'a>(sql_type: &SqlType, array: &'a ArrayRef) -> Option<Values<'a>> {
    Some(match sql_type {
        SqlType::Bit => Values::Bit(array.as_boolean_opt()?),
        SqlType::TinyInt => Values::TinyInt(array.as_primitive_opt::<UInt8Type>()?.values()),
        SqlType::SmallInt => Values::SmallInt(array.as_primitive_opt::<Int16Type>()?.values()),
        SqlType::Int => Values::Int(array.as_primitive_opt::<Int32Type>()?.values()),
        SqlType::BigInt => Values::BigInt(array.as_primitive_opt::<Int64Type>()?.values()),
        SqlType::Real => Values::Real(array.as_primitive_opt::<Float32Type>()?.values()),
        SqlType::Float => Values::Float(array.as_primitive_opt::<Float64Type>()?.values()),
        SqlType::Decimal { precision, scale } => Values::Decimal {
            values: decimals(array, *scale)?,
            bytes: decimal_bytes(*precision),
            limit: 10_u128.checked_pow(u32::from(*precision))?,
        },
        SqlType::Money => Values::Money(decimals(array, 4)?),
        SqlType::SmallMoney => Values::SmallMoney(decimals(array, 4)?),
        SqlType::UniqueIdentifier => match array.data_type() {
            DataType::FixedSizeBinary(16) => Values::GuidBytes(array.as_fixed_size_binary_opt()?),
            _ => Values::GuidText(TextArray::of(array)?),
        },
        _ => return temporal_values(sql_type, array).or_else(|| long_values(sql_type, array)),
    })
}

fn decimals(array: &ArrayRef, scale: u8) -> Option<&[i128]> {
    match array.data_type() {
        DataType::Decimal128(_, carried) if i16::from(*carried) == i16::from(scale) => {
            Some(array.as_primitive_opt::<Decimal128Type>()?.values())
        }
        _ => None,
    }
}

fn temporal_values<'a>(sql_type: &SqlType, array: &'a ArrayRef) -> Option<Values<'a>> {
    let micros = || match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, None) => Some(
            &**array
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .values(),
        ),
        _ => None,
    };
    Some(match sql_type {
        SqlType::Date => Values::Date(array.as_primitive_opt::<Date32Type>()?.values()),
        SqlType::DateTime => Values::DateTime(micros()?),
        SqlType::SmallDateTime => Values::SmallDateTime(micros()?),
        SqlType::DateTime2(scale) => match array.data_type() {
            DataType::Int64 => {
                Values::DateTime2Ticks(array.as_primitive_opt::<Int64Type>()?.values(), *scale)
            }
            _ => Values::DateTime2Micros(micros()?, *scale),
        },
        SqlType::DateTimeOffset(scale) => {
            let parts = array.as_struct_opt()?;
            let [ticks, offsets] = parts.columns() else {
                return None;
            };
            Values::DateTimeOffset {
                ticks: ticks.as_primitive_opt::<Int64Type>()?.values(),
                offsets: offsets.as_primitive_opt::<Int16Type>()?.values(),
                scale: *scale,
            }
        }
        SqlType::Time(scale) => Values::Time(
            array.as_primitive_opt::<Time64NanosecondType>()?.values(),
            *scale,
        ),
        _ => return None,
    })
}

fn long_values<'a>(sql_type: &SqlType, array: &'a ArrayRef) -> Option<Values<'a>> {
    let text = |wide, bytes_max: Option<usize>, padded| {
        let bytes_max = bytes_max.unwrap_or(usize::MAX);
        Some(Values::Text(
            TextArray::of(array)?,
            TextForm {
                wide,
                bytes_max,
                padded,
            },
        ))
    };
    let bytes = |bytes_max: Option<u16>, padded| {
        let bytes_max = bytes_max.map_or(usize::MAX, usize::from);
        Some(Values::Bytes {
            values: BytesArray::of(array)?,
            bytes_max,
            padded,
        })
    };
    match sql_type {
        SqlType::Char(n) => text(false, Some(usize::from(*n)), true),
        SqlType::VarChar(n) => text(false, n.map(usize::from), false),
        SqlType::NChar(n) => text(true, Some(usize::from(*n) * 2), true),
        SqlType::NVarChar(n) => text(true, n.map(|n| usize::from(n) * 2), false),
        SqlType::Text => text(false, None, false),
        SqlType::NText => text(true, None, false),
        SqlType::Other(name) if name == "xml" => text(true, None, false),
        SqlType::Binary(n) => bytes(Some(*n), true),
        SqlType::VarBinary(n) => bytes(*n, false),
        SqlType::RowVersion => bytes(Some(8), true),
        SqlType::Image => bytes(None, false),
        _ => None,
    }
}
