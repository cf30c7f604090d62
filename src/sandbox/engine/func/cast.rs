//! CAST and CONVERT: every conversion that the sandbox does, one value at a time.
//!
//! What SQL Server converts and the sandbox does not is refused by the names of both types.

use std::borrow::Cow;

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{
    SqlResult, conversion_failed, date_range, overflow, unsupported,
};
use crate::sandbox::tsql::types::{exact_digits, text_len};
use crate::sandbox::tsql::value::{
    DAY_US, base_day, date_time_text, datetime_tick, days_of, decimal_text, fits, parse_date_time,
    parse_decimal, rescale, text_to_decimal, time_text,
};

/// First moment that `datetime` can hold, 1753-01-01.
const DATETIME_MIN_US: i64 = -6_847_804_800_000_000;

/// Converts one value.
///
/// # Errors
/// 245, 241, 242, 8115 as SQL Server has them; the sandbox's refusal for conversions that it does not do.
pub fn cast<'a>(
    cell: Cell<'a>,
    from: &SqlType,
    to: &SqlType,
    style: Option<i64>,
) -> SqlResult<Cell<'a>> {
    if cell == Cell::Null {
        return Ok(Cell::Null);
    }
    match to {
        SqlType::Bit => to_bit(&cell, from),
        SqlType::TinyInt => to_int(&cell, from, to, 0, 255),
        SqlType::SmallInt => to_int(&cell, from, to, i64::from(i16::MIN), i64::from(i16::MAX)),
        SqlType::Int => to_int(&cell, from, to, i64::from(i32::MIN), i64::from(i32::MAX)),
        SqlType::BigInt => to_int(&cell, from, to, i64::MIN, i64::MAX),
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => {
            to_decimal(&cell, from, to)
        }
        SqlType::Real | SqlType::Float => to_float(&cell, from, to),
        SqlType::Date => date_time(&cell, from, to).map(|us| Cell::Date(us.div_euclid(DAY_US))),
        SqlType::Time(digits) => {
            date_time(&cell, from, to).map(|us| Cell::Time(cut(us.rem_euclid(DAY_US), *digits)))
        }
        SqlType::DateTime => {
            let us = datetime_tick(date_time(&cell, from, to)?).ok_or_else(|| date_range(to))?;
            if us < DATETIME_MIN_US {
                Err(date_range(to))
            } else {
                Ok(Cell::DateTime(us))
            }
        }
        SqlType::SmallDateTime => {
            let us = date_time(&cell, from, to)?;
            Ok(Cell::DateTime(
                (us + 30_000_000).div_euclid(60_000_000) * 60_000_000,
            ))
        }
        SqlType::DateTime2(digits) => {
            date_time(&cell, from, to).map(|us| Cell::DateTime(cut(us, *digits)))
        }
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => {
            to_bytes(cell, from, to, style)
        }
        SqlType::UniqueIdentifier => to_guid(&cell, from, to),
        _ => match text_len(to) {
            Some((len, _)) => to_text(cell, from, to, style, len),
            None => Err(refused(from, to)),
        },
    }
}

fn refused(from: &SqlType, to: &SqlType) -> crate::sandbox::wire::SqlError {
    unsupported(format!("the conversion from {from} to {to}"))
}

/// Drops the digits that a scale does not have (all values here have six at most).
fn cut(us: i64, digits: u8) -> i64 {
    let unit = 10_i64.saturating_pow(u32::from(6_u8.saturating_sub(digits)));
    (us + unit / 2).div_euclid(unit) * unit
}

fn to_bit<'a>(cell: &Cell<'_>, from: &SqlType) -> SqlResult<Cell<'a>> {
    let one = match cell {
        Cell::Int(v) => *v != 0,
        Cell::Dec(v, _) => *v != 0,
        Cell::Text(t) => match t.trim().to_ascii_uppercase().as_str() {
            "TRUE" | "1" => true,
            "FALSE" | "0" | "" => false,
            _ => return Err(conversion_failed("varchar", t, "bit")),
        },
        _ => return Err(refused(from, &SqlType::Bit)),
    };
    Ok(Cell::Int(i64::from(one)))
}

fn to_int<'a>(
    cell: &Cell<'_>,
    from: &SqlType,
    to: &SqlType,
    min: i64,
    max: i64,
) -> SqlResult<Cell<'a>> {
    let value = match cell {
        Cell::Int(v) => i128::from(*v),
        Cell::Dec(v, scale) => {
            v / crate::sandbox::tsql::value::power_of_ten(*scale).ok_or_else(|| overflow(to))?
        }
        Cell::Text(t) if t.trim().is_empty() => 0,
        Cell::Text(t) => match parse_decimal(t) {
            Some((v, 0)) => v,
            _ => return Err(conversion_failed(&family_name(from), t, to)),
        },
        // The last eight bytes, big-endian.
        Cell::Bytes(b) => {
            let mut value: i64 = 0;
            for byte in b.iter().skip(b.len().saturating_sub(8)) {
                value = value.wrapping_shl(8) | i64::from(*byte);
            }
            i128::from(value)
        }
        _ => return Err(refused(from, to)),
    };
    let value = i64::try_from(value).map_err(|_| overflow(to))?;
    if (min..=max).contains(&value) {
        Ok(Cell::Int(value))
    } else {
        Err(overflow(to))
    }
}

fn family_name(ty: &SqlType) -> String {
    let text = ty.to_string();
    text.split_once('(')
        .map_or(text.as_str(), |(name, _)| name)
        .to_owned()
}

fn to_decimal<'a>(cell: &Cell<'_>, from: &SqlType, to: &SqlType) -> SqlResult<Cell<'a>> {
    let (precision, scale) = exact_digits(to).ok_or_else(|| refused(from, to))?;
    let value = match cell {
        Cell::Int(v) => rescale(i128::from(*v), 0, scale),
        Cell::Dec(v, s) => rescale(*v, *s, scale),
        Cell::Text(t) => return text_to_decimal(t, precision, scale).map(|v| Cell::Dec(v, scale)),
        Cell::Float(v) => {
            let text = format!("{v:.width$}", width = usize::from(scale));
            return text_to_decimal(&text, precision, scale).map(|v| Cell::Dec(v, scale));
        }
        _ => return Err(refused(from, to)),
    };
    value
        .filter(|v| fits(*v, precision))
        .map(|v| Cell::Dec(v, scale))
        .ok_or_else(|| overflow(to))
}

fn to_float<'a>(cell: &Cell<'_>, from: &SqlType, to: &SqlType) -> SqlResult<Cell<'a>> {
    let text = match cell {
        Cell::Float(v) => return Ok(Cell::Float(*v)),
        Cell::Int(v) => v.to_string(),
        Cell::Dec(v, s) => decimal_text(*v, *s),
        Cell::Text(t) => t.trim().to_owned(),
        _ => return Err(refused(from, to)),
    };
    text.parse()
        .map(Cell::Float)
        .map_err(|_| conversion_failed(&family_name(from), &text, to))
}

/// The value as microseconds since 1970.
fn date_time(cell: &Cell<'_>, from: &SqlType, to: &SqlType) -> SqlResult<i64> {
    match cell {
        Cell::DateTime(us) => Ok(*us),
        Cell::Date(days) => days.checked_mul(DAY_US).ok_or_else(|| date_range(to)),
        Cell::Time(us) => Ok(days_of(base_day()) * DAY_US + us),
        Cell::Text(t) => parse_date_time(t),
        // Numbers are days since 1900-01-01, for the old types only.
        Cell::Int(v) if matches!(to, SqlType::DateTime | SqlType::SmallDateTime) => {
            let days = days_of(base_day())
                .checked_add(*v)
                .filter(|d| (-79_258..=2_932_896).contains(d));
            days.map(|d| d * DAY_US).ok_or_else(|| date_range(to))
        }
        _ => Err(refused(from, to)),
    }
}

fn to_guid<'a>(cell: &Cell<'_>, from: &SqlType, to: &SqlType) -> SqlResult<Cell<'a>> {
    let Cell::Text(t) = cell else {
        return Err(refused(from, to));
    };
    let text = t.trim().trim_matches(['{', '}']).to_ascii_uppercase();
    let shape = text.bytes().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    if shape && text.len() == 36 {
        Ok(Cell::text(text))
    } else {
        Err(conversion_failed("varchar", t, to))
    }
}

fn to_bytes<'a>(
    cell: Cell<'a>,
    from: &SqlType,
    to: &SqlType,
    style: Option<i64>,
) -> SqlResult<Cell<'a>> {
    let len = match to {
        SqlType::Binary(n) => Some(usize::from(*n)),
        SqlType::VarBinary(n) => n.map(usize::from),
        _ => None,
    };
    let mut bytes = match (cell, style.unwrap_or(0)) {
        (Cell::Bytes(b), _) => b.into_owned(),
        (Cell::Text(t), 1 | 2) => {
            from_hex(&t).ok_or_else(|| conversion_failed("varchar", &t, to))?
        }
        (Cell::Text(t), 0) if text_len(from).is_some_and(|(_, unicode)| unicode) => {
            t.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        (Cell::Text(t), 0) => t.into_owned().into_bytes(),
        (Cell::Int(v), _) => {
            let width = match from {
                SqlType::BigInt => 8,
                SqlType::Int => 4,
                SqlType::SmallInt => 2,
                _ => 1,
            };
            let wanted = len.unwrap_or(width).min(8);
            v.to_be_bytes().into_iter().skip(8 - wanted).collect()
        }
        _ => return Err(refused(from, to)),
    };
    if let Some(len) = len {
        bytes.truncate(len);
        if matches!(to, SqlType::Binary(_)) {
            bytes.resize(len, 0);
        }
    }
    Ok(Cell::Bytes(Cow::Owned(bytes)))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok())
        .collect()
}

/// Bytes as hexadecimal digits in upper case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

/// Fraction digits of a date-time type.
pub fn fraction_digits(ty: &SqlType) -> u8 {
    match ty {
        SqlType::DateTime => 3,
        SqlType::DateTime2(n) | SqlType::Time(n) => *n,
        _ => 0,
    }
}

fn to_text<'a>(
    cell: Cell<'a>,
    from: &SqlType,
    to: &SqlType,
    style: Option<i64>,
    len: Option<u16>,
) -> SqlResult<Cell<'a>> {
    let chars_max = len.map(usize::from);
    let number = matches!(cell, Cell::Int(_) | Cell::Dec(..));
    let text: Cow<'a, str> = match cell {
        Cell::Text(t) => t,
        Cell::Int(v) => v.to_string().into(),
        Cell::Dec(v, s)
            if matches!(from, SqlType::Money | SqlType::SmallMoney) && style.unwrap_or(0) == 0 =>
        {
            decimal_text(rescale(v, s, 2).ok_or_else(|| overflow(to))?, 2).into()
        }
        Cell::Dec(v, s) => decimal_text(v, s).into(),
        Cell::Date(days) => date_time_text(days * DAY_US, style.unwrap_or(23), 0)?.into(),
        Cell::DateTime(us) => {
            let default = if matches!(from, SqlType::DateTime2(_)) {
                121
            } else {
                0
            };
            date_time_text(us, style.unwrap_or(default), fraction_digits(from))?.into()
        }
        Cell::Time(us) => match style.unwrap_or(121) {
            108 => time_text(us, 0).into(),
            _ => time_text(us, fraction_digits(from)).into(),
        },
        Cell::Bytes(b) => match style {
            Some(2) => hex(&b).into(),
            Some(1) => format!("0x{}", hex(&b)).into(),
            _ => {
                return Err(unsupported(
                    "the conversion from binary to text without style 1 or 2",
                ));
            }
        },
        Cell::Float(_) => return Err(refused(from, to)),
        Cell::Null => return Ok(Cell::Null),
    };
    let text = match chars_max {
        Some(max) if text.chars().count() > max && number => return Err(overflow(to)),
        Some(max) if text.chars().count() > max => {
            text.chars().take(max).collect::<String>().into()
        }
        _ => text,
    };
    Ok(Cell::Text(match (to, chars_max) {
        (SqlType::Char(_) | SqlType::NChar(_), Some(max)) => format!("{text:<max$}").into(),
        _ => text,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(text: &str, to: &str, style: Option<i64>) -> SqlResult<Cell<'static>> {
        cast(
            Cell::text(text),
            &SqlType::VarChar(None),
            &to.parse().unwrap(),
            style,
        )
    }

    #[test]
    fn texts_become_every_type_or_the_servers_error() {
        assert_eq!(convert(" 12 ", "int", None), Ok(Cell::Int(12)));
        assert_eq!(
            convert("1.005", "decimal(9,2)", None),
            Ok(Cell::Dec(101, 2))
        );
        assert_eq!(convert("2024-04-30", "date", None), Ok(Cell::Date(19_843)));
        assert_eq!(
            convert("0aFF", "varbinary(8)", Some(2)),
            Ok(Cell::Bytes(vec![10, 255].into()))
        );
        assert_eq!(convert("abcdef", "char(3)", None), Ok(Cell::text("abc")));
        assert_eq!(convert("x", "int", None).unwrap_err().number, 245);
        assert_eq!(convert("256", "tinyint", None).unwrap_err().number, 8115);
        assert_eq!(convert("soon", "datetime", None).unwrap_err().number, 241);
        assert_eq!(
            convert("1752-12-31", "datetime", None).unwrap_err().number,
            242
        );
    }

    #[test]
    fn numbers_and_dates_become_text() {
        let text = |cell: Cell<'static>, from: &str, style| {
            cast(
                cell,
                &from.parse().unwrap(),
                &SqlType::VarChar(Some(50)),
                style,
            )
        };
        assert_eq!(
            text(Cell::Dec(-5, 20), "decimal(38,20)", None),
            Ok(Cell::text("-0.00000000000000000005"))
        );
        assert_eq!(
            text(Cell::Dec(12_345, 4), "money", None),
            Ok(Cell::text("1.23"))
        );
        assert_eq!(
            text(Cell::Date(0), "date", None),
            Ok(Cell::text("1970-01-01"))
        );
        assert_eq!(
            text(Cell::DateTime(3_000), "datetime", Some(121)),
            Ok(Cell::text("1970-01-01 00:00:00.003"))
        );
        assert!(text(Cell::Float(1.5), "float", None).is_err());
        let narrow = cast(
            Cell::Int(123),
            &SqlType::Int,
            &SqlType::VarChar(Some(2)),
            None,
        );
        assert_eq!(narrow.unwrap_err().number, 8115);
    }
}
