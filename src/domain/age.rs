//! How old something is at the end of a period.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};

use super::period::Period;

/// Age of an open row at the end of the period, in whole months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeBucket {
    /// Less than one month.
    BelowOne,
    /// One month or more, less than three.
    OneToThree,
    /// Three months or more, less than six.
    ThreeToSix,
    /// Six months or more, less than twelve.
    SixToTwelve,
    /// Twelve months or more.
    TwelveAndMore,
    /// Dated after the end of the period.
    AfterPeriod,
    /// No date, or the empty date of NAV.
    NoDate,
}

impl AgeBucket {
    /// Age and its bucket. The end of a period is the end of a month, so the whole months since a day are the difference
    /// of the two months.
    ///
    /// # Units
    /// Whole months; negative after the period, `None` without a date.
    #[must_use]
    pub fn of(date: Option<NaiveDate>, period: Period) -> (Option<i64>, Self) {
        let Some(date) = date.filter(|date| !is_empty(*date)) else {
            return (None, Self::NoDate);
        };
        let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month());
        let age = months(period.end()) - months(date);
        let bucket = match age {
            ..0 => Self::AfterPeriod,
            0 => Self::BelowOne,
            1..3 => Self::OneToThree,
            3..6 => Self::ThreeToSix,
            6..12 => Self::SixToTwelve,
            12.. => Self::TwelveAndMore,
        };
        (Some(age), bucket)
    }
}

/// NAV writes 1753-01-01 where there is no date.
fn is_empty(date: NaiveDate) -> bool {
    date.year() == 1753 && date.ordinal() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_whole_months_at_the_end_of_the_period() {
        let period = "2024-04".parse().unwrap();
        for (day, age, bucket) in [
            ("2024-05-01", -1, AgeBucket::AfterPeriod),
            ("2024-04-30", 0, AgeBucket::BelowOne),
            ("2024-04-01", 0, AgeBucket::BelowOne),
            ("2024-03-31", 1, AgeBucket::OneToThree),
            ("2024-02-01", 2, AgeBucket::OneToThree),
            ("2024-01-31", 3, AgeBucket::ThreeToSix),
            ("2023-11-01", 5, AgeBucket::ThreeToSix),
            ("2023-10-31", 6, AgeBucket::SixToTwelve),
            ("2023-05-01", 11, AgeBucket::SixToTwelve),
            ("2023-04-30", 12, AgeBucket::TwelveAndMore),
            ("1753-01-02", 3_255, AgeBucket::TwelveAndMore),
        ] {
            assert_eq!(
                AgeBucket::of(Some(day.parse().unwrap()), period),
                (Some(age), bucket),
                "{day}"
            );
        }
        let none = (None, AgeBucket::NoDate);
        assert_eq!(AgeBucket::of(None, period), none);
        assert_eq!(
            AgeBucket::of(Some("1753-01-01".parse().unwrap()), period),
            none
        );
    }
}
