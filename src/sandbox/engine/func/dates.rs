//! Date arithmetic of T-SQL: DATEADD, DATEDIFF, DATEPART, EOMONTH. Pure.

use chrono::{Datelike, Months, NaiveDate, Timelike};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{SqlResult, date_range, error, internal, unsupported};
use crate::sandbox::tsql::value::{
    DAY_US, base_day, date_of, date_time_of, datetime_tick, days_of, micros_of,
};

/// Parts of a date-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// year
    Year,
    /// quarter
    Quarter,
    /// month
    Month,
    /// dayofyear
    DayOfYear,
    /// day
    Day,
    /// week (of seven days; for DATEADD)
    Week,
    /// hour
    Hour,
    /// minute
    Minute,
    /// second
    Second,
    /// millisecond
    Millisecond,
    /// microsecond
    Microsecond,
}

impl Part {
    /// The part of a name or abbreviation.
    ///
    /// # Errors
    /// Parts that the sandbox does not know.
    pub fn named(name: &str) -> SqlResult<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "year" | "yy" | "yyyy" => Self::Year,
            "quarter" | "qq" | "q" => Self::Quarter,
            "month" | "mm" | "m" => Self::Month,
            "dayofyear" | "dy" | "y" => Self::DayOfYear,
            "day" | "dd" | "d" => Self::Day,
            "week" | "wk" | "ww" => Self::Week,
            "hour" | "hh" => Self::Hour,
            "minute" | "mi" | "n" => Self::Minute,
            "second" | "ss" | "s" => Self::Second,
            "millisecond" | "ms" => Self::Millisecond,
            "microsecond" | "mcs" => Self::Microsecond,
            other => return Err(unsupported(format!("the date part {other}"))),
        })
    }

    /// Microseconds of the parts that have a fixed length.
    fn micros(self) -> Option<i64> {
        Some(match self {
            Self::Year | Self::Quarter | Self::Month => return None,
            Self::Week => 7 * DAY_US,
            Self::DayOfYear | Self::Day => DAY_US,
            Self::Hour => DAY_US / 24,
            Self::Minute => 60_000_000,
            Self::Second => 1_000_000,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1,
        })
    }
}

/// Microseconds since 1970 of a date or date-time (a time lies on 1900-01-01).
fn moment(cell: &Cell<'_>) -> SqlResult<i64> {
    match cell {
        Cell::DateTime(us) => Ok(*us),
        Cell::Date(days) => Ok(days * DAY_US),
        Cell::Time(us) => Ok(days_of(base_day()) * DAY_US + us),
        other => Err(internal(format!("not a date: {other:?}"))),
    }
}

/// DATEADD.
///
/// # Errors
/// 517 when the result leaves the type's range.
pub fn add<'a>(part: Part, count: i64, cell: &Cell<'_>, ret: &SqlType) -> SqlResult<Cell<'a>> {
    let range = || {
        error(
            517,
            16,
            format!("Adding a value to a '{ret}' column caused an overflow."),
        )
    };
    let us = moment(cell)?;
    let moved = match part.micros() {
        Some(unit) => unit.checked_mul(count).and_then(|d| us.checked_add(d)),
        None => {
            let months = match part {
                Part::Year => count.checked_mul(12),
                Part::Quarter => count.checked_mul(3),
                _ => Some(count),
            };
            let months = months.ok_or_else(range)?;
            let size = Months::new(u32::try_from(months.unsigned_abs()).map_err(|_| range())?);
            let time = date_time_of(us).ok_or_else(range)?;
            let time = if months < 0 {
                time.checked_sub_months(size)
            } else {
                time.checked_add_months(size)
            };
            time.map(micros_of)
        }
    };
    let moved = moved.ok_or_else(range)?;
    let year = date_time_of(moved).ok_or_else(range)?.year();
    let first_year = if matches!(ret, SqlType::DateTime) {
        1753
    } else {
        1
    };
    if !(first_year..=9999).contains(&year) {
        return Err(range());
    }
    Ok(match cell {
        Cell::Date(_) => Cell::Date(moved.div_euclid(DAY_US)),
        Cell::Time(_) => Cell::Time(moved.rem_euclid(DAY_US)),
        _ if matches!(ret, SqlType::DateTime) => {
            Cell::DateTime(datetime_tick(moved).ok_or_else(range)?)
        }
        _ => Cell::DateTime(moved),
    })
}

/// DATEDIFF: boundaries crossed, not whole units.
///
/// # Errors
/// 535 when the result is no `int`.
pub fn diff(part: Part, from: &Cell<'_>, to: &Cell<'_>) -> SqlResult<i64> {
    let (a, b) = (moment(from)?, moment(to)?);
    let months = |us: i64| -> SqlResult<i64> {
        let day = date_time_of(us).ok_or_else(|| date_range("datetime"))?;
        Ok(i64::from(day.year()) * 12 + i64::from(day.month0()))
    };
    let count = match part {
        Part::Year => months(b)?.div_euclid(12) - months(a)?.div_euclid(12),
        Part::Quarter => months(b)?.div_euclid(3) - months(a)?.div_euclid(3),
        Part::Month => months(b)? - months(a)?,
        // Weeks begin on Sunday; 1970-01-01 was a Thursday.
        Part::Week => {
            let week = |us: i64| (us.div_euclid(DAY_US) + 4).div_euclid(7);
            week(b) - week(a)
        }
        other => {
            let unit = other.micros().unwrap_or(1);
            b.div_euclid(unit) - a.div_euclid(unit)
        }
    };
    let message = "The datediff function resulted in an overflow.";
    i32::try_from(count)
        .map(i64::from)
        .map_err(|_| error(535, 16, message))
}

/// DATEPART.
///
/// # Errors
/// Parts that depend on settings.
pub fn part(part: Part, cell: &Cell<'_>) -> SqlResult<i64> {
    let us = moment(cell)?;
    let time = date_time_of(us).ok_or_else(|| date_range("datetime"))?;
    Ok(match part {
        Part::Year => i64::from(time.year()),
        Part::Quarter => i64::from(time.month0() / 3 + 1),
        Part::Month => i64::from(time.month()),
        Part::DayOfYear => i64::from(time.ordinal()),
        Part::Day => i64::from(time.day()),
        Part::Week => return Err(unsupported("DATEPART(week, …)")),
        Part::Hour => i64::from(time.hour()),
        Part::Minute => i64::from(time.minute()),
        Part::Second => i64::from(time.second()),
        Part::Millisecond => us.rem_euclid(1_000_000) / 1_000,
        Part::Microsecond => us.rem_euclid(1_000_000),
    })
}

/// EOMONTH with its optional number of months.
///
/// # Errors
/// 517 beyond the range of `date`.
pub fn end_of_month<'a>(cell: &Cell<'_>, months: i64) -> SqlResult<Cell<'a>> {
    let range = || {
        error(
            517,
            16,
            "Adding a value to a 'date' column caused an overflow.",
        )
    };
    let day = date_of(moment(cell)?.div_euclid(DAY_US)).ok_or_else(range)?;
    let index = i64::from(day.year()) * 12 + i64::from(day.month0()) + months + 1;
    let year = i32::try_from(index.div_euclid(12)).map_err(|_| range())?;
    let month = u32::try_from(index.rem_euclid(12) + 1).map_err(|_| range())?;
    let next = NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(range)?;
    Ok(Cell::Date(days_of(next) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tsql::value::{date_time_text, parse_date_time};

    fn at(text: &str) -> Cell<'static> {
        Cell::DateTime(parse_date_time(text).unwrap())
    }

    #[test]
    fn months_are_added_within_the_calendar() {
        let Cell::DateTime(us) =
            add(Part::Month, 1, &at("2024-01-31 10:00"), &SqlType::DateTime).unwrap()
        else {
            panic!()
        };
        assert_eq!(date_time_text(us, 120, 3).unwrap(), "2024-02-29 10:00:00");
        assert_eq!(
            add(Part::Year, -500, &at("2024-01-31"), &SqlType::DateTime)
                .unwrap_err()
                .number,
            517
        );
        assert_eq!(
            add(Part::Year, i64::MAX, &at("2024-01-31"), &SqlType::DateTime)
                .unwrap_err()
                .number,
            517
        );
    }

    #[test]
    fn differences_count_boundaries() {
        assert_eq!(
            diff(Part::Month, &at("2024-01-31"), &at("2024-02-01")).unwrap(),
            1
        );
        assert_eq!(
            diff(Part::Day, &at("2024-04-30 23:59:59"), &at("2024-05-01")).unwrap(),
            1
        );
        assert_eq!(
            diff(Part::Microsecond, &at("1900-01-01"), &at("2024-05-01"))
                .unwrap_err()
                .number,
            535
        );
    }

    #[test]
    fn month_ends_are_found_in_leap_years_too() {
        assert_eq!(
            end_of_month(&at("2024-02-03"), 0).unwrap(),
            Cell::Date(19_782)
        );
        assert_eq!(
            end_of_month(&at("2024-01-03"), 1).unwrap(),
            Cell::Date(19_782)
        );
    }
}
