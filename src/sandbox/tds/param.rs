//! Parameters of remote procedure calls: TYPE_INFO and value to a one-row Arrow array.
//!
//! May use Arrow and the pure parts of TDS. A type that it does not know is refused by name; nothing is
//! converted on the way.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, StringArray, StructArray, Time64NanosecondArray,
    TimestampMicrosecondArray, UInt8Array,
};
use arrow::buffer::NullBuffer;

use crate::domain::sql_type::SqlType;
use crate::domain::text_file::cp1252::cp1252_text;
use crate::sandbox::wire::SqlParam;

use super::input::{Input, utf16_text};
use super::packet::TdsError;
use super::temporal;
use super::text::{guid_text, swap_guid};
use super::value::offset_fields;

/// Longest value of a (max) parameter; messages are limited to the same size.
const PLP_NULL: u64 = u64::MAX;
const PLP_UNKNOWN: u64 = u64::MAX - 1;
const SHORT_NULL: u16 = u16::MAX;

/// How the length of the value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Fixed(usize),
    Byte,
    Short,
    Plp,
    Long,
}

/// Reads one parameter: name, status, type, value. The second part says whether it is an output parameter.
pub(super) fn read_param(input: &mut Input<'_>) -> Result<(SqlParam, bool), TdsError> {
    let name = input.b_varchar()?;
    let status = input.u8()?;
    let (sql_type, length) = read_type(input)?;
    let bytes = read_bytes(input, length)?;
    let (sql_type, value) = decode(sql_type, bytes.as_deref())?;
    Ok((
        SqlParam {
            name,
            sql_type,
            value,
        },
        status & 1 != 0,
    ))
}

fn read_type(input: &mut Input<'_>) -> Result<(SqlType, Length), TdsError> {
    let type_byte = input.u8()?;
    let unknown = || TdsError::Unsupported(format!("parameter of type {type_byte:#04x}"));
    Ok(match type_byte {
        0x1F => (SqlType::NVarChar(Some(1)), Length::Fixed(0)),
        0x30 => (SqlType::TinyInt, Length::Fixed(1)),
        0x32 => (SqlType::Bit, Length::Fixed(1)),
        0x34 => (SqlType::SmallInt, Length::Fixed(2)),
        0x38 => (SqlType::Int, Length::Fixed(4)),
        0x7F => (SqlType::BigInt, Length::Fixed(8)),
        0x3B => (SqlType::Real, Length::Fixed(4)),
        0x3E => (SqlType::Float, Length::Fixed(8)),
        0x3C => (SqlType::Money, Length::Fixed(8)),
        0x7A => (SqlType::SmallMoney, Length::Fixed(4)),
        0x3D => (SqlType::DateTime, Length::Fixed(8)),
        0x3A => (SqlType::SmallDateTime, Length::Fixed(4)),
        0x28 => (SqlType::Date, Length::Byte),
        0x29 => (SqlType::Time(read_scale(input)?), Length::Byte),
        0x2A => (SqlType::DateTime2(read_scale(input)?), Length::Byte),
        0x2B => (SqlType::DateTimeOffset(read_scale(input)?), Length::Byte),
        0x6A | 0x6C => (read_decimal_type(input)?, Length::Byte),
        0x24 | 0x26 | 0x68 | 0x6D | 0x6E | 0x6F => {
            let sql_type = nullable_type(type_byte, input.u8()?).ok_or_else(unknown)?;
            (sql_type, Length::Byte)
        }
        0xA5 | 0xAD | 0xA7 | 0xAF | 0xE7 | 0xEF => {
            let len = input.u16()?;
            if !matches!(type_byte, 0xA5 | 0xAD) {
                input.bytes(5)?;
            }
            let sql_type = sized_type(type_byte, len);
            (
                sql_type,
                if len == u16::MAX {
                    Length::Plp
                } else {
                    Length::Short
                },
            )
        }
        0x22 | 0x23 | 0x63 => {
            input.u32()?;
            if type_byte != 0x22 {
                input.bytes(5)?;
            }
            let sql_type = match type_byte {
                0x22 => SqlType::Image,
                0x23 => SqlType::Text,
                _ => SqlType::NText,
            };
            (sql_type, Length::Long)
        }
        _ => return Err(unknown()),
    })
}

fn read_scale(input: &mut Input<'_>) -> Result<u8, TdsError> {
    let scale = input.u8()?;
    if scale > 7 {
        return Err(TdsError::Malformed("scale above 7"));
    }
    Ok(scale)
}

fn read_decimal_type(input: &mut Input<'_>) -> Result<SqlType, TdsError> {
    let [_, precision, scale] = input.array()?;
    if !(1..=38).contains(&precision) || scale > precision {
        return Err(TdsError::Malformed("precision or scale of a decimal"));
    }
    Ok(SqlType::Decimal { precision, scale })
}

fn nullable_type(type_byte: u8, len: u8) -> Option<SqlType> {
    Some(match (type_byte, len) {
        (0x24, _) => SqlType::UniqueIdentifier,
        (0x26, 1) => SqlType::TinyInt,
        (0x26, 2) => SqlType::SmallInt,
        (0x26, 4) => SqlType::Int,
        (0x26, 8) => SqlType::BigInt,
        (0x68, _) => SqlType::Bit,
        (0x6D, 4) => SqlType::Real,
        (0x6D, 8) => SqlType::Float,
        (0x6E, 4) => SqlType::SmallMoney,
        (0x6E, 8) => SqlType::Money,
        (0x6F, 4) => SqlType::SmallDateTime,
        (0x6F, 8) => SqlType::DateTime,
        _ => return None,
    })
}

fn sized_type(type_byte: u8, len: u16) -> SqlType {
    let bytes = (len != u16::MAX).then_some(len.max(1));
    let units = bytes.map(|bytes| (bytes / 2).max(1));
    match type_byte {
        0xA5 => SqlType::VarBinary(bytes),
        0xAD => SqlType::Binary(len.max(1)),
        0xA7 => SqlType::VarChar(bytes),
        0xAF => SqlType::Char(len.max(1)),
        0xE7 => SqlType::NVarChar(units),
        _ => SqlType::NChar((len / 2).max(1)),
    }
}

fn read_bytes(input: &mut Input<'_>, length: Length) -> Result<Option<Vec<u8>>, TdsError> {
    Ok(match length {
        Length::Fixed(0) => None,
        Length::Fixed(len) => Some(input.bytes(len)?.to_vec()),
        Length::Byte => match input.u8()? {
            0 => None,
            len => Some(input.bytes(usize::from(len))?.to_vec()),
        },
        Length::Short => match input.u16()? {
            SHORT_NULL => None,
            len => Some(input.bytes(usize::from(len))?.to_vec()),
        },
        Length::Long => match input.u32()? {
            u32::MAX => None,
            len => {
                let len = usize::try_from(len).map_err(|_| TdsError::Malformed("length"))?;
                Some(input.bytes(len)?.to_vec())
            }
        },
        Length::Plp => read_plp(input)?,
    })
}

fn read_plp(input: &mut Input<'_>) -> Result<Option<Vec<u8>>, TdsError> {
    let total = input.u64()?;
    if total == PLP_NULL {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    loop {
        let len = input.len_u32()?;
        if len == 0 {
            break;
        }
        bytes.extend_from_slice(input.bytes(len)?);
    }
    if total != PLP_UNKNOWN && u64::try_from(bytes.len()).ok() != Some(total) {
        return Err(TdsError::Malformed("chunks do not add up to their total"));
    }
    Ok(Some(bytes))
}

/// The value as the carrier of its type; see the table in `value`.
fn decode(sql_type: SqlType, bytes: Option<&[u8]>) -> Result<(SqlType, ArrayRef), TdsError> {
    let value: ArrayRef = match &sql_type {
        SqlType::Bit => {
            let value = numeric::<1>(bytes)?.map(|[byte]| byte != 0);
            Arc::new(BooleanArray::from(vec![value]))
        }
        SqlType::TinyInt => Arc::new(UInt8Array::from(vec![
            numeric(bytes)?.map(u8::from_le_bytes),
        ])),
        SqlType::SmallInt => Arc::new(Int16Array::from(vec![
            numeric(bytes)?.map(i16::from_le_bytes),
        ])),
        SqlType::Int => Arc::new(Int32Array::from(vec![
            numeric(bytes)?.map(i32::from_le_bytes),
        ])),
        SqlType::BigInt => Arc::new(Int64Array::from(vec![
            numeric(bytes)?.map(i64::from_le_bytes),
        ])),
        SqlType::Real => Arc::new(Float32Array::from(vec![
            numeric(bytes)?.map(f32::from_le_bytes),
        ])),
        SqlType::Float => Arc::new(Float64Array::from(vec![
            numeric(bytes)?.map(f64::from_le_bytes),
        ])),
        SqlType::Decimal { precision, scale } => {
            decimal_array(bytes.map(magnitude).transpose()?, *precision, *scale)?
        }
        SqlType::Money => {
            let value = numeric(bytes)?
                .map(|[e, f, g, h, a, b, c, d]| i64::from_le_bytes([a, b, c, d, e, f, g, h]));
            decimal_array(value.map(i128::from), 19, 4)?
        }
        SqlType::SmallMoney => {
            let value = numeric(bytes)?.map(i32::from_le_bytes);
            decimal_array(value.map(i128::from), 10, 4)?
        }
        SqlType::UniqueIdentifier => {
            let value = numeric(bytes)?.map(|guid| guid_text(swap_guid(guid)));
            Arc::new(StringArray::from(vec![value]))
        }
        SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text => {
            Arc::new(StringArray::from(vec![bytes.map(cp1252_text)]))
        }
        SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText => {
            Arc::new(StringArray::from(vec![bytes.map(utf16_text).transpose()?]))
        }
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => {
            Arc::new(BinaryArray::from_opt_vec(vec![bytes]))
        }
        _ => decode_temporal(&sql_type, bytes)?,
    };
    Ok((sql_type, value))
}

fn numeric<const N: usize>(bytes: Option<&[u8]>) -> Result<Option<[u8; N]>, TdsError> {
    let wrong = |_| TdsError::Malformed("length of a parameter");
    bytes.map(<[u8; N]>::try_from).transpose().map_err(wrong)
}

/// Sign byte and little-endian magnitude.
fn magnitude(bytes: &[u8]) -> Result<i128, TdsError> {
    let wrong = TdsError::Malformed("decimal parameter");
    let Some((sign, digits)) = bytes.split_first().filter(|(_, digits)| digits.len() <= 16) else {
        return Err(wrong);
    };
    let mut value = [0; 16];
    for (place, digit) in value.iter_mut().zip(digits) {
        *place = *digit;
    }
    let value = i128::try_from(u128::from_le_bytes(value)).map_err(|_| wrong)?;
    Ok(if *sign == 0 { -value } else { value })
}

fn decimal_array(value: Option<i128>, precision: u8, scale: u8) -> Result<ArrayRef, TdsError> {
    let scale = i8::try_from(scale).map_err(|_| TdsError::Malformed("scale of a decimal"))?;
    let array = Decimal128Array::from(vec![value])
        .with_precision_and_scale(precision, scale)
        .map_err(|_| TdsError::Malformed("precision of a decimal"))?;
    Ok(Arc::new(array))
}

fn decode_temporal(sql_type: &SqlType, bytes: Option<&[u8]>) -> Result<ArrayRef, TdsError> {
    let mut input = Input::new(bytes.unwrap_or_default());
    let range = TdsError::Malformed("date or time out of range");
    if bytes.is_none() {
        return null_temporal(sql_type);
    }
    Ok(match sql_type {
        SqlType::Date => {
            let day = read_day(&mut input)?;
            Arc::new(Date32Array::from(vec![
                temporal::unix_from_day(day).ok_or(range)?,
            ]))
        }
        SqlType::DateTime => {
            let (days, clock) = (i32::from_le_bytes(input.array()?), input.u32()?);
            micros(temporal::micros_from_clock(days, clock).ok_or(range)?)
        }
        SqlType::SmallDateTime => {
            let (days, minutes) = (input.u16()?, input.u16()?);
            micros(temporal::micros_from_minutes(days, minutes))
        }
        SqlType::Time(scale) => {
            let nanos = read_time(&mut input, *scale)? * 100;
            Arc::new(Time64NanosecondArray::from(vec![nanos]))
        }
        SqlType::DateTime2(scale) => {
            let ticks = read_ticks(&mut input, *scale)?;
            match temporal::micros_from_ticks(ticks) {
                Some(value) => micros(value),
                None => Arc::new(Int64Array::from(vec![ticks])),
            }
        }
        SqlType::DateTimeOffset(scale) => {
            let ticks = read_ticks(&mut input, *scale)?;
            let offset = i16::from_le_bytes(input.array()?);
            offset_array(ticks, offset, None)?
        }
        _ => {
            return Err(TdsError::Unsupported(format!(
                "parameter of type {sql_type}"
            )));
        }
    })
}

fn null_temporal(sql_type: &SqlType) -> Result<ArrayRef, TdsError> {
    Ok(match sql_type {
        SqlType::Date => Arc::new(Date32Array::from(vec![None])),
        SqlType::Time(_) => Arc::new(Time64NanosecondArray::from(vec![None])),
        SqlType::DateTimeOffset(_) => offset_array(0, 0, Some(NullBuffer::new_null(1)))?,
        _ => Arc::new(TimestampMicrosecondArray::from(vec![None])),
    })
}

fn offset_array(ticks: i64, offset: i16, nulls: Option<NullBuffer>) -> Result<ArrayRef, TdsError> {
    let parts: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![ticks])),
        Arc::new(Int16Array::from(vec![offset])),
    ];
    let array = StructArray::try_new(offset_fields().into(), parts, nulls)
        .map_err(|_| TdsError::Malformed("datetimeoffset parameter"))?;
    Ok(Arc::new(array))
}

fn micros(value: i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![value]))
}

fn read_day(input: &mut Input<'_>) -> Result<i64, TdsError> {
    i64::try_from(input.uint(3)?).map_err(|_| TdsError::Malformed("date"))
}

/// Ticks of a time of day.
fn read_time(input: &mut Input<'_>, scale: u8) -> Result<i64, TdsError> {
    let units = input.uint(usize::from(temporal::time_bytes(scale)))?;
    let units = i64::try_from(units).map_err(|_| TdsError::Malformed("time"))?;
    Ok(units.saturating_mul(temporal::ticks_per_unit(scale)))
}

/// Ticks of a date and time.
fn read_ticks(input: &mut Input<'_>, scale: u8) -> Result<i64, TdsError> {
    let time = read_time(input, scale)?;
    Ok(read_day(input)?
        .saturating_mul(temporal::TICKS_DAY)
        .saturating_add(time))
}
