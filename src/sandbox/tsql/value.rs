//! Values of T-SQL as text and back: numbers, dates and their CONVERT styles. Pure functions, one value at a time.
//!
//! # Units
//! Date-times are microseconds since 1970 without a zone, dates are days since 1970, decimals `i128` with a scale.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::sandbox::tsql::error::{SqlResult, bad_date, conversion_failed, overflow, unsupported};

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// 10 to the power of `digits`, or `None` beyond `i128`.
pub fn power_of_ten(digits: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(digits))
}

/// Moves a decimal to another scale, half away from zero.
pub fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return value.checked_mul(power_of_ten(to - from)?);
    }
    let unit = power_of_ten(from - to)?;
    let (whole, rest) = (value / unit, value % unit);
    let up = rest.unsigned_abs() >= unit.unsigned_abs() / 2;
    whole.checked_add(if up { value.signum() } else { 0 })
}

/// True when the value has at most `precision` digits.
pub fn fits(value: i128, precision: u8) -> bool {
    power_of_ten(precision).is_some_and(|limit| value.abs() < limit)
}

/// Reads a decimal number as a value and a scale; `None` when the text is not one.
pub fn parse_decimal(text: &str) -> Option<(i128, u8)> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))?;
    }
    Some((
        if negative { -value } else { value },
        u8::try_from(fraction.len()).ok()?,
    ))
}

/// Reads a text as `decimal(precision, scale)`.
///
/// # Errors
/// 8114 as 245 when it is not a number, 8115 when it does not fit.
pub fn text_to_decimal(text: &str, precision: u8, scale: u8) -> SqlResult<i128> {
    let (value, from) = parse_decimal(text).ok_or_else(|| {
        conversion_failed("varchar", text, format!("decimal({precision},{scale})"))
    })?;
    rescale(value, from, scale)
        .filter(|v| fits(*v, precision))
        .ok_or_else(|| overflow(format!("decimal({precision},{scale})")))
}

/// Writes a decimal with exactly `scale` fraction digits.
pub fn decimal_text(value: i128, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs().to_string();
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let scale = usize::from(scale);
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Days since 1970 of a calendar day.
pub fn days_of(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// The calendar day of days since 1970.
pub fn date_of(days: i64) -> Option<NaiveDate> {
    date_time_of(days.checked_mul(DAY_US)?).map(|t| t.date())
}

/// Calendar day and time of microseconds since 1970.
pub fn date_time_of(us: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(us).map(|t| t.naive_utc())
}

/// Microseconds since 1970 of a calendar day and time.
pub fn micros_of(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_micros()
}

/// Rounds to the ticks of `datetime`: 1/300 s, shown as .000, .003 and .007.
pub fn datetime_tick(us: i64) -> Option<i64> {
    let ticks = us.checked_mul(3)?.checked_add(5_000)?.div_euclid(10_000);
    let ms = ticks.checked_mul(10)?.checked_add(1)?.div_euclid(3);
    ms.checked_mul(1000)
}

/// Reads a date, a time, or both: `YYYY-MM-DD`, `YYYYMMDD`, `hh:mm[:ss[.fffffff]]`, joined by a space or `T`.
///
/// # Errors
/// 241 for anything else.
pub fn parse_date_time(text: &str) -> SqlResult<i64> {
    let text = text.trim();
    if text.is_empty() {
        // SQL Server reads the empty text as 1900-01-01.
        return Ok(days_of(base_day()) * DAY_US);
    }
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (Some(date), Some(time.trim())),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    let date = date
        .map_or(Some(base_day()), parse_date)
        .ok_or_else(bad_date)?;
    let time = time
        .filter(|t| !t.is_empty())
        .map_or(Some(0), parse_time_us)
        .ok_or_else(bad_date)?;
    Ok(days_of(date) * DAY_US + time)
}

/// 1900-01-01, day 0 of SQL Server.
pub fn base_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let number = |s: &str| {
        s.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| s.parse::<u32>().ok())
            .flatten()
    };
    let (year, month, day) = if text.len() == 8 && number(text).is_some() {
        (text.get(..4)?, text.get(4..6)?, text.get(6..)?)
    } else {
        let mut parts = text.splitn(3, ['-', '/']);
        (parts.next()?, parts.next()?, parts.next()?)
    };
    if year.len() != 4 {
        return None;
    }
    NaiveDate::from_ymd_opt(
        i32::try_from(number(year)?).ok()?,
        number(month)?,
        number(day)?,
    )
    .filter(|d| d.year() >= 1)
}

fn parse_time_us(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|p| p.parse::<u32>().ok());
    let (hour, minute, second) = (
        parts.next()??,
        parts.next()??,
        parts.next().unwrap_or(Some(0))?,
    );
    if parts.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    let padded = format!("{fraction:0<6}");
    let micros: i64 = padded.get(..6)?.parse().ok()?;
    Some(i64::from(time.num_seconds_from_midnight()) * 1_000_000 + micros)
}

/// Writes a date-time in a CONVERT style; `digits` are the fraction digits of its type.
///
/// # Errors
/// Styles that the sandbox does not know.
pub fn date_time_text(us: i64, style: i64, digits: u8) -> SqlResult<String> {
    let time = date_time_of(us).ok_or_else(bad_date)?;
    let fraction = || {
        let micros = format!("{:06}0", us.rem_euclid(1_000_000));
        micros.get(..usize::from(digits)).unwrap_or("").to_owned()
    };
    Ok(match style {
        23 => time.format("%Y-%m-%d").to_string(),
        112 => time.format("%Y%m%d").to_string(),
        108 => time.format("%H:%M:%S").to_string(),
        20 | 120 => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        21 | 25 | 121 => with_fraction(time.format("%Y-%m-%d %H:%M:%S").to_string(), &fraction()),
        126 => {
            let digits = fraction();
            let digits = if digits.bytes().all(|b| b == b'0') {
                ""
            } else {
                digits.as_str()
            };
            with_fraction(time.format("%Y-%m-%dT%H:%M:%S").to_string(), digits)
        }
        0 | 100 => time.format("%b %e %Y %l:%M%p").to_string(),
        other => return Err(unsupported(format!("CONVERT style {other} for dates"))),
    })
}

fn with_fraction(text: String, digits: &str) -> String {
    if digits.is_empty() {
        text
    } else {
        format!("{text}.{digits}")
    }
}

/// Writes a time of day with `digits` fraction digits.
pub fn time_text(us: i64, digits: u8) -> String {
    let seconds = us.div_euclid(1_000_000);
    let micros = format!("{:06}0", us.rem_euclid(1_000_000));
    let clock = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    with_fraction(clock, micros.get(..usize::from(digits)).unwrap_or(""))
}

/// Folds a text as the default collation compares it: without trailing spaces, upper and lower case alike.
pub fn collation_key(text: &str) -> String {
    text.trim_end_matches(' ').to_uppercase()
}

/// True when [`collation_key`] would give the text back, by looking at its bytes only.
pub fn is_own_key(text: &str) -> bool {
    !text.ends_with(' ')
        && text
            .bytes()
            .all(|b| b.is_ascii() && !b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_round_and_write() {
        assert_eq!(parse_decimal("-12.50"), Some((-1250, 2)));
        assert_eq!(parse_decimal(".5"), Some((5, 1)));
        assert_eq!(parse_decimal("1e3"), None);
        assert_eq!(parse_decimal("."), None);
        assert_eq!(rescale(125, 2, 1), Some(13));
        assert_eq!(rescale(-125, 2, 1), Some(-13));
        assert_eq!(rescale(124, 2, 1), Some(12));
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(1, 20), "0.00000000000000000001");
        assert_eq!(decimal_text(7, 0), "7");
        assert!(text_to_decimal("100", 2, 0).is_err());
    }

    #[test]
    fn dates_read_and_write_in_the_styles() {
        let us = parse_date_time("2024-04-30 23:59:59.997").unwrap();
        assert_eq!(datetime_tick(us), Some(us));
        assert_eq!(
            date_time_text(us, 121, 3).unwrap(),
            "2024-04-30 23:59:59.997"
        );
        assert_eq!(
            date_time_text(us, 126, 3).unwrap(),
            "2024-04-30T23:59:59.997"
        );
        assert_eq!(date_time_text(us, 23, 3).unwrap(), "2024-04-30");
        assert_eq!(
            parse_date_time("20240430").unwrap(),
            parse_date_time("2024-04-30").unwrap()
        );
        assert_eq!(
            parse_date_time("1753-01-01").unwrap(),
            -6_847_804_800_000_000
        );
        for bad in ["2024-13-01", "30.04.2024", "2024-04-30 25:00", "x"] {
            assert!(parse_date_time(bad).is_err(), "{bad}");
        }
        assert!(date_time_text(us, 99, 3).is_err());
    }

    #[test]
    fn datetime_has_ticks_of_a_three_hundredth() {
        for (us, tick) in [
            (0, 0),
            (1_000, 0),
            (2_000, 3_000),
            (4_000, 3_000),
            (5_000, 7_000),
            (999_000, 1_000_000),
        ] {
            assert_eq!(datetime_tick(us), Some(tick), "{us}");
        }
    }

    #[test]
    fn keys_ignore_case_and_trailing_spaces_only() {
        assert_eq!(collation_key("Café  "), collation_key("CAFÉ"));
        assert_ne!(collation_key(" a"), collation_key("a"));
        assert!(is_own_key("EC_NG") && !is_own_key("ec_ng") && !is_own_key("EC_NG "));
    }
}
