//! The one period object: a month, its inclusive end and its exclusive next start.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Europe::Paris;
use serde::{Deserialize, Serialize};

/// A calendar month that is closed by the control.
///
/// # Units
/// `start` inclusive, `end` inclusive, `next_start` exclusive. The cutoff date is `next_start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    start: NaiveDate,
    next_start: NaiveDate,
    end: NaiveDate,
}

/// Why a text names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not `YYYY-MM`.
    #[error("`{0}` is not a month: write it as YYYY-MM, such as 2024-04")]
    NotAMonth(String),
    /// Not `YYYY-MM-DD`.
    #[error("`{0}` is not a date: write it as YYYY-MM-DD, such as 2024-05-01")]
    NotADate(String),
    /// A cutoff that could mean two months.
    #[error(
        "cutoff {cutoff} is not the first day of a month and can be read in two ways: \
         everything up to and including it, which is --period {inclusive} (cutoff {inclusive_cutoff}), \
         or everything before its month, which is --period {exclusive} (cutoff {exclusive_cutoff})"
    )]
    AmbiguousCutoff {
        /// The date given.
        cutoff: NaiveDate,
        /// The month that contains the date.
        inclusive: Period,
        /// Cutoff of that month.
        inclusive_cutoff: NaiveDate,
        /// The month before.
        exclusive: Period,
        /// Cutoff of that month.
        exclusive_cutoff: NaiveDate,
    },
    /// Outside the years that every system in the chain can hold.
    #[error("year {0} is outside 1754 to 9998")]
    YearOutOfRange(i32),
}

impl Period {
    /// The month that contains `date`.
    ///
    /// # Errors
    /// [`PeriodError::YearOutOfRange`] outside 1754…9998: NAV's empty date is 1753-01-01 and `datetime` ends in 9999.
    pub fn containing(date: NaiveDate) -> Result<Self, PeriodError> {
        let out_of_range = PeriodError::YearOutOfRange(date.year());
        if !(1754..=9998).contains(&date.year()) {
            return Err(out_of_range);
        }
        let start = date.with_day(1).ok_or(out_of_range.clone())?;
        let next_start = start
            .checked_add_months(Months::new(1))
            .ok_or(out_of_range.clone())?;
        let end = next_start
            .checked_sub_days(Days::new(1))
            .ok_or(out_of_range)?;
        Ok(Self {
            start,
            next_start,
            end,
        })
    }

    /// The period that a cutoff closes; the cutoff is the first excluded day.
    ///
    /// # Errors
    /// [`PeriodError::AmbiguousCutoff`] unless it is the first day of a month.
    pub fn from_cutoff(cutoff: NaiveDate) -> Result<Self, PeriodError> {
        let inclusive = Self::containing(cutoff)?;
        let exclusive = inclusive.previous()?;
        if cutoff.day() == 1 {
            return Ok(exclusive);
        }
        Err(PeriodError::AmbiguousCutoff {
            cutoff,
            inclusive,
            inclusive_cutoff: inclusive.next_start,
            exclusive,
            exclusive_cutoff: exclusive.next_start,
        })
    }

    /// Reads a cutoff date `YYYY-MM-DD`.
    ///
    /// # Errors
    /// As [`Period::from_cutoff`], and [`PeriodError::NotADate`].
    pub fn from_cutoff_text(text: &str) -> Result<Self, PeriodError> {
        let refuse = || PeriodError::NotADate(text.to_owned());
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| refuse())?;
        if date.to_string() != text {
            return Err(refuse());
        }
        Self::from_cutoff(date)
    }

    /// The last month that has ended at `now` in Europe/Paris.
    ///
    /// # Errors
    /// [`PeriodError::YearOutOfRange`] for absurd clocks.
    pub fn last_closed(now: DateTime<Utc>) -> Result<Self, PeriodError> {
        Self::containing(now.with_timezone(&Paris).date_naive())?.previous()
    }

    /// The month before.
    ///
    /// # Errors
    /// [`PeriodError::YearOutOfRange`] at the edge of the range.
    pub fn previous(self) -> Result<Self, PeriodError> {
        let day_before = self
            .start
            .checked_sub_days(Days::new(1))
            .ok_or(PeriodError::YearOutOfRange(self.start.year()))?;
        Self::containing(day_before)
    }

    /// Whether the month has ended at `now` in Europe/Paris.
    #[must_use]
    pub fn has_ended(self, now: DateTime<Utc>) -> bool {
        now.with_timezone(&Paris).date_naive() >= self.next_start
    }

    /// First day.
    #[must_use]
    pub fn start(self) -> NaiveDate {
        self.start
    }

    /// First day of the calendar year that the month lies in.
    #[must_use]
    pub fn year_start(self) -> NaiveDate {
        self.start.with_ordinal(1).unwrap_or(self.start)
    }

    /// First day of the next month: the exclusive bound.
    #[must_use]
    pub fn next_start(self) -> NaiveDate {
        self.next_start
    }

    /// Last day.
    #[must_use]
    pub fn end(self) -> NaiveDate {
        self.end
    }

    /// The cutoff date: the first excluded day.
    #[must_use]
    pub fn cutoff(self) -> NaiveDate {
        self.next_start
    }

    /// The date of a query's parameter, by its name without the at sign; `None` for a name that no period has.
    #[must_use]
    pub fn parameter(self, name: &str) -> Option<NaiveDate> {
        Some(match name {
            "start" => self.start(),
            "year_start" => self.year_start(),
            "next_start" => self.next_start(),
            "period_end" => self.end(),
            _ => return None,
        })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start.format("%Y-%m"))
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let refuse = || PeriodError::NotAMonth(text.to_owned());
        let date =
            NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| refuse())?;
        let period = Self::containing(date)?;
        if period.to_string() != text {
            return Err(refuse());
        }
        Ok(period)
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_and_its_cutoff_say_the_same() {
        let april = period("2024-04");
        assert_eq!(Period::from_cutoff_text("2024-05-01"), Ok(april));
        assert_eq!(april.start().to_string(), "2024-04-01");
        assert_eq!(april.end().to_string(), "2024-04-30");
        assert_eq!(april.cutoff().to_string(), "2024-05-01");
    }

    #[test]
    fn an_ambiguous_cutoff_names_both_readings() {
        let error = Period::from_cutoff_text("2025-09-30")
            .unwrap_err()
            .to_string();
        for part in [
            "2025-09-30",
            "--period 2025-09 (cutoff 2025-10-01)",
            "--period 2025-08 (cutoff 2025-09-01)",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn absent_means_last_closed_month_in_paris() {
        // 30 April 22:30 UTC is already 1 May in Paris.
        let now = Utc.with_ymd_and_hms(2024, 4, 30, 22, 30, 0).unwrap();
        assert_eq!(Period::last_closed(now), Ok(period("2024-04")));
        let before = Utc.with_ymd_and_hms(2024, 4, 30, 21, 59, 59).unwrap();
        assert_eq!(Period::last_closed(before), Ok(period("2024-03")));
        assert!(period("2024-04").has_ended(now));
        assert!(!period("2024-04").has_ended(before));
    }

    #[test]
    fn other_spellings_are_refused() {
        for bad in [
            "",
            "2024-4",
            "2024-13",
            "24-04",
            "2024-04-01",
            "+2024-04",
            "1753-01",
            "9999-12",
        ] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
        for bad in [
            "",
            "2024-5-1",
            "2024-02-30",
            "01/05/2024",
            "2024-05-01T00:00:00",
        ] {
            assert!(Period::from_cutoff_text(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn months_tile_the_calendar(year in 1755_i32..9998, month in 1_u32..=12) {
            let this = period(&format!("{year:04}-{month:02}"));
            prop_assert_eq!(this.previous().unwrap().next_start(), this.start());
            prop_assert_eq!(Period::from_cutoff(this.cutoff()).unwrap(), this);
            prop_assert_eq!(Period::containing(this.end()).unwrap(), this);
        }
    }
}
