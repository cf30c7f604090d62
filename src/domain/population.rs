//! The scope funnel of an item: from every row of its base table down to the rows that it extracts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::freshness::{FreshnessRule, SourceDates};
use super::query::QueryFile;
use super::scope::{Scope, ScopeRule};
use super::sequence::PreviousMonth;
use super::totals::{ControlTotals, GroupTotals, TotalsError};

/// What a column of the population begins with when it says whether a predicate keeps the row.
pub const KEEP: &str = "keep: ";

/// How an item's population is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopulationDefinition {
    /// Base table, in three quoted parts.
    pub table: String,
    /// Its column with the company code.
    pub company: String,
    /// Condition of the cutoff and nothing else, with the item's parameters.
    pub until: String,
    /// Its column with the running number of a company, if it has one.
    pub sequence: Option<String>,
    /// Companies that must deliver.
    pub companies: Vec<String>,
    /// How fresh the base table must be, if it has a date.
    pub freshness: Option<FreshnessRule>,
    /// Columns of the population whose values are compared with a known list.
    pub scopes: Vec<ScopeRule>,
    /// Every row of the base table, with what each predicate of the item says of it.
    pub query: QueryFile,
}

/// What the base table holds of one company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseCount {
    /// Rows.
    pub rows: u64,
    /// Lowest running number.
    pub first: Option<i64>,
    /// Highest running number.
    pub last: Option<i64>,
    /// Its dates, where the catalog names the column.
    pub dates: SourceDates,
}

impl BaseCount {
    /// Numbers between the lowest and the highest that no row has; negative when numbers repeat.
    #[must_use]
    pub fn gaps(&self) -> Option<i64> {
        let span = self.last?.checked_sub(self.first?)?.checked_add(1)?;
        span.checked_sub(i64::try_from(self.rows).ok()?)
    }
}

/// Rows of one company on which all predicates say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelCell {
    /// Company code.
    pub company: String,
    /// Whether each predicate keeps the rows, in the order of [`Population::predicates`].
    pub kept: Vec<bool>,
    /// Rows of the base table.
    pub rows: u64,
    /// Rows that the item makes of them: as many, where the population does not say otherwise.
    pub delivered: u64,
    /// Sums, in the order of [`Population::amounts`].
    pub sums: Vec<Amount>,
}

/// What the source said of an item's population, and what of it was found in the staged rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// Companies that must deliver.
    pub expected: Vec<String>,
    /// The base table by company, counted without any join.
    pub base: BTreeMap<String, BaseCount>,
    /// Names of the predicates.
    pub predicates: Vec<String>,
    /// Canonical names of the amounts that the funnel sums.
    pub amounts: Vec<String>,
    /// The funnel.
    pub cells: Vec<FunnelCell>,
    /// How fresh the base table must be.
    pub freshness: Option<FreshnessRule>,
    /// The values of the declared columns.
    pub scopes: Vec<Scope>,
    /// What last month's package says of the running numbers; `None` without such a package.
    pub previous: Option<PreviousMonth>,
    /// Rows of the item by company when one predicate is left out, by its name.
    pub without: BTreeMap<String, BTreeMap<String, u64>>,
    /// Keys that a predicate excludes and that were looked for, by its name.
    pub looked_for: BTreeMap<String, u64>,
    /// Keys that a predicate excludes and that were staged all the same, by its name.
    pub present: BTreeMap<String, Vec<String>>,
}

impl Population {
    /// Rows of the funnel by company.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<String, u64> {
        self.rows_where(|_| true, |cell| cell.rows)
    }

    /// Rows of the item by company that only this predicate keeps out.
    #[must_use]
    pub fn only_by(&self, predicate: usize) -> BTreeMap<String, u64> {
        let only = |kept: &[bool]| {
            let mut kept = kept.iter().enumerate();
            kept.all(|(place, kept)| *kept == (place != predicate))
        };
        self.rows_where(only, |cell| cell.delivered)
    }

    /// Rows that this predicate removes of those that the ones before it left, in all companies.
    #[must_use]
    pub fn removed_in_turn(&self, predicate: usize) -> u64 {
        let first = |kept: &[bool]| kept.iter().position(|kept| !kept) == Some(predicate);
        let rows = self.rows_where(first, |cell| cell.rows);
        rows.values().sum()
    }

    fn rows_where(
        &self,
        takes: impl Fn(&[bool]) -> bool,
        count: impl Fn(&FunnelCell) -> u64,
    ) -> BTreeMap<String, u64> {
        let mut rows = BTreeMap::new();
        for cell in self.cells.iter().filter(|cell| takes(&cell.kept)) {
            *rows.entry(cell.company.clone()).or_default() += count(cell);
        }
        rows
    }

    /// What every predicate keeps: the item's rows, as the funnel counts them.
    ///
    /// # Errors
    /// [`TotalsError`] for a sum beyond 38 digits.
    pub fn kept(&self) -> Result<ControlTotals, TotalsError> {
        let mut totals = ControlTotals {
            amounts: self.amounts.clone(),
            groups: BTreeMap::new(),
        };
        let kept = |cell: &&FunnelCell| cell.kept.iter().all(|kept| *kept);
        for cell in self.cells.iter().filter(kept) {
            let group = GroupTotals {
                rows: cell.delivered,
                sums: cell.sums.clone(),
            };
            totals.merge(&ControlTotals {
                amounts: self.amounts.clone(),
                groups: BTreeMap::from([(cell.company.clone(), group)]),
            })?;
        }
        Ok(totals)
    }

    /// The same columns of other totals, to be compared with [`Population::kept`].
    /// An amount that they do not have is left out, which then is a difference.
    #[must_use]
    pub fn of_totals(&self, totals: &ControlTotals) -> ControlTotals {
        let places = self.amounts.iter().filter_map(|name| {
            let place = totals.amounts.iter().position(|amount| amount == name)?;
            Some((name.clone(), place))
        });
        let places: Vec<(String, usize)> = places.collect();
        let groups = totals.groups.iter().map(|(company, group)| {
            let sums = places
                .iter()
                .filter_map(|(_, place)| group.sums.get(*place));
            let sums = sums.copied().collect();
            let rows = group.rows;
            (company.clone(), GroupTotals { rows, sums })
        });
        ControlTotals {
            amounts: places.iter().map(|(name, _)| name.clone()).collect(),
            groups: groups.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(company: &str, kept: [bool; 2], rows: u64) -> FunnelCell {
        FunnelCell {
            company: company.into(),
            kept: kept.to_vec(),
            rows,
            delivered: rows * 2,
            sums: vec![],
        }
    }

    #[test]
    fn the_funnel_counts_alone_and_in_turn() {
        let population = Population {
            predicates: vec!["a".into(), "b".into()],
            cells: vec![
                cell("X", [true, true], 10),
                cell("X", [false, true], 3),
                cell("X", [false, false], 2),
                cell("X", [true, false], 5),
                cell("Y", [true, true], 1),
            ],
            ..Population::default()
        };
        assert_eq!(population.rows()["X"], 20);
        // Every row of the base table becomes two of the item.
        assert_eq!(population.only_by(0)["X"], 6);
        assert_eq!(population.only_by(1)["X"], 10);
        assert_eq!(
            (population.removed_in_turn(0), population.removed_in_turn(1)),
            (5, 5)
        );
        let kept = population.kept().unwrap();
        assert_eq!((kept.groups["X"].rows, kept.groups["Y"].rows), (20, 2));
    }

    #[test]
    fn gaps_are_the_numbers_that_no_row_has() {
        let count = |rows, first, last| BaseCount {
            rows,
            first,
            last,
            dates: SourceDates::default(),
        };
        assert_eq!(count(3, Some(5), Some(9)).gaps(), Some(2));
        assert_eq!(count(0, None, None).gaps(), None);
        assert_eq!(
            count(4, Some(1), Some(3)).gaps(),
            Some(-1),
            "numbers repeat"
        );
    }
}
