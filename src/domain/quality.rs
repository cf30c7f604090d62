//! Rules of an item beside the names and types of its contract: how many rows, and what the values of a column must be.
//!
//! Names, types, nulls and keys are the contract's; a rule here is about numbers, days and how much of a column is filled.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::freshness::Bound;
use super::period::Period;
use super::totals::ControlTotals;

/// Nulls of a key, and of amounts and dates, that are still no finding: one row in twenty.
const ONE_IN: u64 = 20;

/// The rules of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityRules {
    /// Fewest rows.
    pub rows_min: Option<u64>,
    /// Most rows.
    pub rows_max: Option<u64>,
    /// By column.
    pub columns: Vec<ColumnRule>,
}

/// What the values of a column must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRule {
    /// Canonical name.
    pub column: String,
    /// What they add up to, over all companies; for amounts of the contract.
    pub sum: Option<SumRule>,
    /// Smallest number: `0` where none may be negative.
    pub min: Option<Amount>,
    /// Largest number.
    pub max: Option<Amount>,
    /// First day that may stand there.
    pub from: Option<DayBound>,
    /// First day that may not.
    pub before: Option<DayBound>,
    /// What the column is for: how much of it must be filled.
    pub meaning: Option<Meaning>,
}

/// What a column adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SumRule {
    /// Nothing.
    Zero,
    /// Something.
    NotZero,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A key or code: at most one row in twenty lacks it.
    Key,
    /// An amount: at most one row in twenty lacks it.
    Amount,
    /// A date: at most one row in twenty lacks it.
    Date,
    /// Anything else: not every row lacks it.
    Other,
}

/// A day of the calendar, or of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayBound {
    /// Always this one.
    Day(NaiveDate),
    /// One of the month.
    Of(Bound),
}

impl DayBound {
    /// The day in a month.
    #[must_use]
    pub fn day(self, period: Period) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Of(bound) => bound.day(period),
        }
    }

    /// A day as it is written: `2019-01-01`, or a parameter such as `@next_start`.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(day) => Some(Self::Day(day)),
            Err(_) => Bound::of(text).map(Self::Of),
        }
    }
}

impl fmt::Display for DayBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Of(Bound::Start) => f.write_str("@start"),
            Self::Of(Bound::NextStart) => f.write_str("@next_start"),
            Self::Of(Bound::PeriodEnd) => f.write_str("@period_end"),
        }
    }
}

impl fmt::Display for SumRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "zero",
            Self::NotZero => "something other than zero",
        })
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "a key: filled in 19 of 20 rows",
            Self::Amount => "an amount: filled in 19 of 20 rows",
            Self::Date => "a date: filled in 19 of 20 rows",
            Self::Other => "something: not empty in every row",
        })
    }
}

/// What was counted in a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSeen {
    /// Canonical name.
    pub column: String,
    /// Rows without a value.
    pub nulls: u64,
    /// Values below the smallest, or days before the first.
    pub below: u64,
    /// Values above the largest, or days from the first that may not stand there.
    pub above: u64,
}

/// What was counted in an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualitySeen {
    /// Rows.
    pub rows: u64,
    /// By rule, in the order of the rules.
    pub columns: Vec<ColumnSeen>,
}

impl QualitySeen {
    /// Adds what other rows have, counted by the same rules.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        for (ours, theirs) in self.columns.iter_mut().zip(&other.columns) {
            ours.nulls += theirs.nulls;
            ours.below += theirs.below;
            ours.above += theirs.above;
        }
    }
}

impl QualityRules {
    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows_min.is_none() && self.rows_max.is_none() && self.columns.is_empty()
    }

    /// Single conditions, for the count of a check.
    #[must_use]
    pub fn conditions(&self) -> u64 {
        let rows = u64::from(self.rows_min.is_some()) + u64::from(self.rows_max.is_some());
        let of_columns = self.columns.iter().map(|rule| {
            [
                rule.sum.is_some(),
                rule.min.is_some(),
                rule.max.is_some(),
                rule.from.is_some(),
                rule.before.is_some(),
                rule.meaning.is_some(),
            ]
            .into_iter()
            .map(u64::from)
            .sum::<u64>()
        });
        rows + of_columns.sum::<u64>()
    }

    /// Every rule that does not hold, one sentence each, in the order of the rules; never a value of a row.
    #[must_use]
    pub fn findings(
        &self,
        seen: &QualitySeen,
        totals: &ControlTotals,
        period: Period,
    ) -> Vec<String> {
        let rows = seen.rows;
        let mut found = Vec::new();
        if let Some(min) = self.rows_min.filter(|min| rows < *min) {
            found.push(format!("{rows} rows, at least {min} are expected"));
        }
        if let Some(max) = self.rows_max.filter(|max| rows > *max) {
            found.push(format!("{rows} rows, at most {max} are expected"));
        }
        for (rule, counted) in self.columns.iter().zip(&seen.columns) {
            rule.findings(counted, rows, period, &mut found);
            found.extend(rule.sum_finding(totals));
        }
        found
    }
}

impl ColumnRule {
    fn findings(&self, seen: &ColumnSeen, rows: u64, period: Period, found: &mut Vec<String>) {
        let column = &self.column;
        let ColumnSeen {
            nulls,
            below,
            above,
            ..
        } = seen;
        let mut say = |what: String| found.push(format!("column `{column}`: {what}"));
        let first = self
            .from
            .map(|from| format!("dated before {}", from.day(period)));
        let least = self.min.map(|min| format!("below {min}"));
        if let Some(what) = first.or(least).filter(|_| *below > 0) {
            say(format!("{below} of {rows} rows are {what}"));
        }
        let last = self
            .before
            .map(|before| format!("dated {} or later", before.day(period)));
        let most = self.max.map(|max| format!("above {max}"));
        if let Some(what) = last.or(most).filter(|_| *above > 0) {
            say(format!("{above} of {rows} rows are {what}"));
        }
        let is_dated = self.from.is_some() || self.before.is_some();
        if is_dated && rows > 0 && *nulls == rows {
            say(format!("none of {rows} rows has a date"));
        }
        match self.meaning {
            Some(Meaning::Other) if rows > 0 && *nulls == rows => {
                say(format!("all of {rows} rows are empty"));
            }
            Some(Meaning::Key | Meaning::Amount | Meaning::Date)
                if nulls.saturating_mul(ONE_IN) > rows =>
            {
                say(format!(
                    "{nulls} of {rows} rows are empty, more than one in {ONE_IN}"
                ));
            }
            _ => {}
        }
    }

    /// Whether the column adds up to what it must, over all companies.
    fn sum_finding(&self, totals: &ControlTotals) -> Option<String> {
        let rule = self.sum?;
        let column = &self.column;
        let place = totals.amounts.iter().position(|name| name == column)?;
        let sums = totals
            .groups
            .values()
            .filter_map(|group| group.sums.get(place));
        let mut sum: Option<Amount> = None;
        for one in sums {
            let together = sum.map_or(Ok(*one), |sum| sum.checked_add(*one));
            match together {
                Ok(together) => sum = Some(together),
                Err(error) => return Some(format!("column `{column}`: {error}")),
            }
        }
        let is_zero = sum.is_none_or(|sum| sum.units() == 0);
        match rule {
            SumRule::Zero if !is_zero => Some(format!("column `{column}` does not add up to zero")),
            SumRule::NotZero if is_zero => Some(format!("column `{column}` adds up to zero")),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "quality_tests.rs"]
mod tests;
