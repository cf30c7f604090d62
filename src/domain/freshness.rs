//! How fresh a source is: the dates of its rows, and the bounds that the catalog sets for them.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use super::period::Period;

/// The date of a base table and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshnessRule {
    /// The column.
    pub column: String,
    /// The day before which no row may be, of whatever company.
    pub every_from: Option<Bound>,
    /// The day that the newest row of a company that must deliver must have reached.
    pub newest_from: Option<Bound>,
}

/// A day of the period, by the name that the queries give it: never a day of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// First day of the month.
    Start,
    /// First day of the next month.
    NextStart,
    /// Last day of the month.
    PeriodEnd,
}

impl Bound {
    /// The bound of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name.trim_start_matches('@') {
            "start" => Some(Self::Start),
            "next_start" => Some(Self::NextStart),
            "period_end" => Some(Self::PeriodEnd),
            _ => None,
        }
    }

    /// The day.
    #[must_use]
    pub fn day(self, period: Period) -> NaiveDate {
        match self {
            Self::Start => period.start(),
            Self::NextStart => period.next_start(),
            Self::PeriodEnd => period.end(),
        }
    }
}

/// The dates of one company's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDates {
    /// The oldest.
    pub oldest: Option<NaiveDateTime>,
    /// The newest.
    pub newest: Option<NaiveDateTime>,
    /// Rows without a date; zero where no column is named.
    pub undated: u64,
}

impl FreshnessRule {
    /// What is stale of one company, one clause each; empty when nothing is. The newest row is asked for only where the
    /// company must deliver: one that is no longer run stays as it was.
    #[must_use]
    pub fn stale(&self, dates: &SourceDates, period: Period, must_deliver: bool) -> Vec<String> {
        let column = &self.column;
        let mut found = Vec::new();
        let mut reaches = |which: &str, date: Option<NaiveDateTime>, bound: Option<Bound>| {
            let Some(bound) = bound.map(|bound| bound.day(period)) else {
                return;
            };
            match date {
                Some(date) if date.date() >= bound => {}
                Some(date) => {
                    found.push(format!("the {which} {column} is {date}, before {bound}"));
                }
                None => found.push(format!("no row has a {column}")),
            }
        };
        reaches("oldest", dates.oldest, self.every_from);
        let newest_from = self.newest_from.filter(|_| must_deliver);
        reaches("newest", dates.newest, newest_from);
        if self.every_from.is_some() && dates.undated > 0 {
            found.push(format!("{} rows have no {column}", dates.undated));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<NaiveDateTime> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_first_tick_of_the_bound_is_fresh_and_the_one_before_is_not() {
        let rule = FreshnessRule {
            column: "D".into(),
            every_from: Bound::of("@next_start"),
            newest_from: None,
        };
        let april: Period = "2024-04".parse().unwrap();
        let stale = |oldest, undated| {
            let newest = at("2024-05-02T03:00:00");
            let dates = SourceDates {
                oldest,
                newest,
                undated,
            };
            rule.stale(&dates, april, false)
        };
        assert!(stale(at("2024-05-01T00:00:00"), 0).is_empty());
        assert_eq!(
            stale(at("2024-04-30T23:59:59.997"), 0),
            ["the oldest D is 2024-04-30 23:59:59.997, before 2024-05-01"],
            "a newest row that is fresh does not hide it"
        );
        assert_eq!(stale(None, 0), ["no row has a D"]);
        assert_eq!(stale(at("2024-05-01T00:00:00"), 2), ["2 rows have no D"]);
    }

    #[test]
    fn the_newest_row_alone_can_be_asked_for_and_no_bound_asks_nothing() {
        let dates = SourceDates {
            oldest: at("2019-01-01T00:00:00"),
            newest: at("2024-03-31T00:00:00"),
            undated: 1,
        };
        let mut rule = FreshnessRule {
            column: "D".into(),
            every_from: None,
            newest_from: Bound::of("start"),
        };
        let stale = |rule: &FreshnessRule, month: &str, must_deliver: bool| {
            rule.stale(&dates, month.parse().unwrap(), must_deliver)
        };
        assert_eq!(stale(&rule, "2024-03", true), [""; 0]);
        assert_eq!(
            stale(&rule, "2024-04", true),
            ["the newest D is 2024-03-31 00:00:00, before 2024-04-01"]
        );
        assert_eq!(stale(&rule, "2024-04", false), [""; 0], "it left the group");
        rule.newest_from = None;
        assert_eq!(stale(&rule, "2024-04", true), [""; 0]);
        assert_eq!(Bound::of("today"), None);
    }
}
