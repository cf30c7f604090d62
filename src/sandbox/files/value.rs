//! A text as a value of its declared type: exactly, or a sentence that says why not and how to mend it.
//!
//! The sentence never holds the text. Nothing is rounded: SQL Server would, an extract that is to be proved must not.

use std::borrow::Cow;

use chrono::NaiveDate;

use crate::domain::sql_type::SqlType;
use crate::domain::text_file::cp1252::put_cp1252;
use crate::domain::text_file::value::{Refused, date, decimal_units, time_of};
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tds::text::{guid_text, parse_guid};
use crate::sandbox::tsql::types::{exact_digits, text_len};
use crate::sandbox::tsql::value::{DAY_US, datetime_tick, days_of};

/// Reads a text as a value of `ty`.
pub(super) fn parse<'a>(text: &'a str, ty: &SqlType) -> Result<Cell<'a>, Refused> {
    Ok(match ty {
        SqlType::Bit => Cell::Int(bit(text.trim())?),
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            Cell::Int(integer(text.trim(), ty)?)
        }
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => decimal(text.trim(), ty)?,
        SqlType::Real | SqlType::Float => Cell::Float(float(text.trim(), ty)?),
        SqlType::Date => {
            let day = date(text.trim()).ok_or("is not a date; write YYYY-MM-DD")?;
            Cell::Date(days_of(day))
        }
        SqlType::Time(digits) => Cell::Time(time_of(text.trim(), *digits)?),
        SqlType::DateTime | SqlType::SmallDateTime | SqlType::DateTime2(_) => {
            Cell::DateTime(date_time(text.trim(), ty)?)
        }
        SqlType::UniqueIdentifier => {
            let guid = parse_guid(text.trim().trim_matches(['{', '}']));
            let guid = guid.ok_or("is not a uniqueidentifier; write 8-4-4-4-12 hex digits")?;
            Cell::text(guid_text(guid))
        }
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            Cell::Bytes(Cow::Owned(binary(text.trim(), ty)?))
        }
        _ => Cell::Text(characters(text, ty)?),
    })
}

/// True for the character types.
pub(super) fn is_text(ty: &SqlType) -> bool {
    text_len(ty).is_some()
}

fn bit(text: &str) -> Result<i64, Refused> {
    match text.to_ascii_lowercase().as_str() {
        "0" | "false" => Ok(0),
        "1" | "true" => Ok(1),
        _ => Err("is not a bit; write 0 or 1, or true or false".to_owned()),
    }
}

fn integer(text: &str, ty: &SqlType) -> Result<i64, Refused> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "is not a whole number; write digits only, or declare another type than {ty}"
        ));
    }
    let value: Option<i64> = text.parse().ok();
    let held = value.filter(|value| match ty {
        SqlType::TinyInt => u8::try_from(*value).is_ok(),
        SqlType::SmallInt => i16::try_from(*value).is_ok(),
        SqlType::Int => i32::try_from(*value).is_ok(),
        _ => true,
    });
    held.ok_or_else(|| format!("is out of the range of {ty}; declare a larger type"))
}

fn decimal(text: &str, ty: &SqlType) -> Result<Cell<'static>, Refused> {
    let (precision, scale) = exact_digits(ty).unwrap_or((38, 0));
    let units = decimal_units(text, (precision, scale), ty)?;
    let held = match ty {
        SqlType::Money => i64::try_from(units).is_ok(),
        SqlType::SmallMoney => i32::try_from(units).is_ok(),
        _ => true,
    };
    if held {
        Ok(Cell::Dec(units, scale))
    } else {
        Err(format!(
            "is out of the range of {ty}; declare a larger type"
        ))
    }
}

fn float(text: &str, ty: &SqlType) -> Result<f64, Refused> {
    let value = match ty {
        SqlType::Real => text.parse::<f32>().map(f64::from),
        _ => text.parse::<f64>(),
    };
    let value = value.ok().filter(|value| value.is_finite());
    value.ok_or_else(|| {
        format!("is not a finite number in the range of {ty}; write digits with a point")
    })
}

fn date_time(text: &str, ty: &SqlType) -> Result<i64, Refused> {
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let day = date(day)
        .ok_or("is not a date and time; write YYYY-MM-DD hh:mm:ss, in UTC without a zone")?;
    let digits = match ty {
        SqlType::DateTime2(digits) => *digits,
        SqlType::SmallDateTime => 0,
        _ => 3,
    };
    let time = match time {
        "" => 0,
        time => time_of(time, digits)?,
    };
    let us = days_of(day) * DAY_US + time;
    let year =
        |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map_or(0, |day| days_of(day) * DAY_US);
    match ty {
        SqlType::DateTime if us < year(1753) => {
            Err("is before 1753, where datetime begins; declare datetime2(3)".to_owned())
        }
        SqlType::DateTime if datetime_tick(us) != Some(us) => Err(
            "is between two ticks of datetime (.000, .003, .007); declare datetime2(3)".to_owned(),
        ),
        SqlType::SmallDateTime
            if us % 60_000_000 != 0 || us < year(1900) || us >= year(2079) + 157 * DAY_US =>
        {
            Err(
                "is no minute from 1900 to 2079-06-06, as smalldatetime has; declare datetime2(0)"
                    .to_owned(),
            )
        }
        _ => Ok(us),
    }
}

fn binary(text: &str, ty: &SqlType) -> Result<Vec<u8>, Refused> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let hex: Option<Vec<u32>> = digits.chars().map(|c| c.to_digit(16)).collect();
    let hex = hex.filter(|hex| hex.len().is_multiple_of(2));
    let hex = hex.ok_or("is not binary; write hex digits in pairs, with or without 0x")?;
    let (pairs, _) = hex.as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|[high, low]| u8::try_from(high * 16 + low));
    let mut bytes: Vec<u8> = bytes.collect::<Result<_, _>>().unwrap_or_default();
    let (len_max, fixed) = match ty {
        SqlType::Binary(n) => (Some(*n), true),
        SqlType::VarBinary(n) => (*n, false),
        SqlType::RowVersion => (Some(8), true),
        _ => (None, false),
    };
    if let Some(len_max) = len_max.map(usize::from) {
        if bytes.len() > len_max {
            return Err(too_long(bytes.len(), "bytes", ty));
        }
        if fixed {
            bytes.resize(len_max, 0);
        }
    }
    Ok(bytes)
}

fn characters<'a>(text: &'a str, ty: &SqlType) -> Result<Cow<'a, str>, Refused> {
    let (len_max, unicode) = text_len(ty).unwrap_or((None, true));
    let len = if unicode {
        text.encode_utf16().count()
    } else {
        let mut bytes = Vec::new();
        put_cp1252(&mut bytes, text).ok_or_else(|| {
            format!(
                "has a character outside Windows-1252, which {ty} cannot hold; declare nvarchar"
            )
        })?;
        bytes.len()
    };
    let Some(len_max) = len_max.map(usize::from) else {
        return Ok(Cow::Borrowed(text));
    };
    if len > len_max {
        return Err(too_long(len, "characters", ty));
    }
    if matches!(ty, SqlType::Char(_) | SqlType::NChar(_)) && len < len_max {
        return Ok(Cow::Owned(format!("{text}{}", " ".repeat(len_max - len))));
    }
    Ok(Cow::Borrowed(text))
}

fn too_long(len: usize, unit: &str, ty: &SqlType) -> Refused {
    format!("has {len} {unit}, too many for {ty}; declare a longer type, nothing is cut")
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
