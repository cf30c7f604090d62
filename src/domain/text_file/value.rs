//! A text as a number, a date or a time: exactly, or a sentence that says why not and how to mend it.
//!
//! The sentence never holds the text. Nothing is rounded: SQL Server would, an extract that is to be proved must not.

use chrono::NaiveDate;

use crate::domain::sql_type::SqlType;

/// Why a text is not a value of its type.
pub type Refused = String;

/// The units of a decimal of so many digits, of which `scale` stand behind the point.
///
/// # Errors
/// Why it is none and how to mend it, without the text; `ty` is the type that people declared.
pub fn decimal_units(
    text: &str,
    (precision, scale): (u8, u8),
    ty: &SqlType,
) -> Result<i128, Refused> {
    let Some((negative, whole, fraction)) = decimal_parts(text) else {
        let what =
            "is not a decimal number; write digits with a point, without separators or currency";
        return Err(what.to_owned());
    };
    if fraction.len() > usize::from(scale) {
        return Err(format!(
            "has {} fraction digits, {ty} holds {scale}; declare more or correct the file, nothing is rounded",
            fraction.len()
        ));
    }
    let whole_max = usize::from(precision - scale);
    if whole.len() > whole_max {
        return Err(format!(
            "has {} digits before the point, {ty} holds {whole_max}; declare a larger type",
            whole.len()
        ));
    }
    let width = usize::from(scale);
    let sign = if negative { "-" } else { "" };
    let units = format!("{sign}0{whole}{fraction:0<width$}").parse();
    units.map_err(|_| "has more than 38 digits; correct the file".to_owned())
}

/// The parts of a number: sign, digits before the point without leading zeros, digits after it without trailing ones.
///
/// An exponent moves the point, which is exact; exports of floats write small numbers so.
fn decimal_parts(text: &str) -> Option<(bool, String, String)> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent_of(exponent)?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !plain(whole) || !plain(fraction) {
        return None;
    }
    let shift = usize::from(exponent.unsigned_abs());
    let (zeros, digits) = ("0".repeat(shift), format!("{whole}{fraction}"));
    let (digits, point) = if exponent < 0 {
        (format!("{zeros}{digits}"), whole.len())
    } else {
        (format!("{digits}{zeros}"), whole.len() + shift)
    };
    let (whole, fraction) = digits.split_at_checked(point)?;
    let whole = whole.trim_start_matches('0').to_owned();
    Some((negative, whole, fraction.trim_end_matches('0').to_owned()))
}

/// An exponent of at most two digits; a larger one leaves every decimal.
fn exponent_of(text: &str) -> Option<i8> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The day of `YYYY-MM-DD` or `YYYYMMDD`.
#[must_use]
pub fn date(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = match text.len() {
        10 if text.get(4..5) == Some("-") && text.get(7..8) == Some("-") => {
            (text.get(..4)?, text.get(5..7)?, text.get(8..)?)
        }
        8 => (text.get(..4)?, text.get(4..6)?, text.get(6..)?),
        _ => return None,
    };
    let year: u16 = number(year)?.try_into().ok()?;
    let day = NaiveDate::from_ymd_opt(i32::from(year), number(month)?, number(day)?)?;
    (year >= 1).then_some(day)
}

fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The day of `DD/MM/YYYY`.
#[must_use]
pub fn day_first(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = matches!(day.len(), 1 | 2) && matches!(month.len(), 1 | 2) && year.len() == 4;
    let year: u16 = number(year)?.try_into().ok()?;
    let date = NaiveDate::from_ymd_opt(i32::from(year), number(month)?, number(day)?)?;
    (is_whole && year >= 1 && parts.next().is_none()).then_some(date)
}

/// Microseconds since midnight of `hh:mm[:ss[.fffffff]]`, with at most `digits` fraction digits.
///
/// # Errors
/// Why it is none and how to mend it, without the text.
pub fn time_of(text: &str, digits: u8) -> Result<i64, Refused> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut parts = clock.split(':').map(|part| match part.len() {
        2 => number(part),
        _ => None,
    });
    let (hour, minute) = (parts.next().flatten(), parts.next().flatten());
    let second = parts.next().unwrap_or(Some(0));
    let (Some(hour @ 0..24), Some(minute @ 0..60), Some(second @ 0..60), None) =
        (hour, minute, second, parts.next())
    else {
        return Err("is not a time; write hh:mm:ss with a fraction if there is one".to_owned());
    };
    if fraction.len() > usize::from(digits.min(6)) {
        return Err(format!(
            "has {} fraction digits of a second, where {} are held; declare more (at most 6) or correct the file",
            fraction.len(),
            digits.min(6)
        ));
    }
    let micros = match fraction {
        "" => Some(0),
        fraction => number(&format!("{fraction:0<6}")),
    };
    let micros = micros.ok_or("has a fraction of a second that is no number; write digits")?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Ok(seconds * 1_000_000 + i64::from(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_may_come_first_where_somebody_said_so() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
        assert_eq!(day_first("01/04/2024"), day(2024, 4, 1));
        assert_eq!(day_first("1/4/2024"), day(2024, 4, 1));
        assert_eq!(date("2024-04-01"), day(2024, 4, 1));
        for wrong in [
            "04/31/2024",
            "31/04/2024",
            "2024/04/01",
            "01/04/24",
            "01/04/2024/",
            "1-4-2024",
            "",
            "+1/4/2024",
            "01/04/0000",
            "001/4/2024",
        ] {
            assert_eq!(day_first(wrong), None, "{wrong}");
        }
    }
}
