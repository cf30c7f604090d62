//! What came of matching the rows behind an actual balance with the rows behind its target.
//!
//! Values only, made by `kernels::matching`. Every row of both sides is in exactly one class; [`ScopeMatch::prove`]
//! shows that nothing was lost or counted twice.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::age::AgeBucket;
use super::amount::{Amount, AmountError};

/// The two sides of a reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Rows of the ledger.
    Actual,
    /// Rows of the system that the ledger is compared with, in ledger sign.
    Target,
}

impl Side {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Target => "target",
        }
    }
}

/// One value for each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides<T> {
    /// Of the ledger.
    pub actual: T,
    /// Of the target.
    pub target: T,
}

impl<T> Sides<T> {
    /// The value of a side.
    #[must_use]
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Actual => &self.actual,
            Side::Target => &self.target,
        }
    }

    /// The value of a side, to be changed.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Actual => &mut self.actual,
            Side::Target => &mut self.target,
        }
    }
}

/// What the rows of one company, GL and key are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// One row each, equal amounts.
    OneToOne,
    /// One row of the ledger, several of the target, equal sums.
    OneToMany,
    /// Several rows of the ledger, one of the target, equal sums.
    ManyToOne,
    /// Several rows each, few enough to be looked at, equal sums.
    ManyToMany,
    /// Rows on both sides whose sums differ by no more than the tolerance; zero differences are not here.
    WithinTolerance,
    /// Rows on both sides whose sums differ.
    Difference,
    /// Several rows on each side, too many for anyone to say which belongs to which: no match, whatever the sums.
    TooLarge,
    /// A row among them has no amount: no match and no open item, as nobody knows the sum.
    AmountMissing,
    /// Rows of the ledger alone.
    ActualOnly,
    /// Rows of the target alone.
    TargetOnly,
}

impl Class {
    /// The class of rows that one side has alone.
    #[must_use]
    pub fn only(side: Side) -> Self {
        match side {
            Side::Actual => Self::ActualOnly,
            Side::Target => Self::TargetOnly,
        }
    }

    /// Whether it is a match with equal sums.
    #[must_use]
    pub fn is_match(self) -> bool {
        matches!(
            self,
            Self::OneToOne | Self::OneToMany | Self::ManyToOne | Self::ManyToMany
        )
    }
}

/// Where a row stands among the staged parts of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowPlace {
    /// Part, from 0.
    pub part: u32,
    /// Row of the part, from 0.
    pub row: u32,
}

/// Why a row is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenBecause {
    /// The other side has no row of this key.
    NoCounterpart,
    /// A column of its key is null or blank.
    NoKey,
    /// It has no company or no GL, and matching crosses neither.
    NoScope,
}

/// A row that one side has alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenItem {
    /// Its key in normal form, columns joined by ` | `; `None` without one. A personal key is masked.
    pub key: Option<String>,
    /// Why it is open.
    pub because: OpenBecause,
    /// Amount in ledger sign.
    pub amount: Amount,
    /// Its date.
    pub date: Option<NaiveDate>,
    /// Whole months at the end of the period.
    pub age_months: Option<i64>,
    /// Where it stands.
    pub place: RowPlace,
}

/// The rows of one key that both sides have, or that nobody can sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupItem {
    /// Key in normal form, as in [`OpenItem`].
    pub key: Option<String>,
    /// Rows.
    pub rows: Sides<u64>,
    /// Sums of the amounts that are there.
    pub sums: Sides<Amount>,
    /// Actual − target.
    pub difference: Amount,
    /// Oldest date of each side.
    pub oldest: Sides<Option<NaiveDate>>,
    /// First row of each side.
    pub first: Sides<Option<RowPlace>>,
}

/// A list that is cut: what it leaves out is counted and summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<T> {
    /// Largest first, by absolute amount or difference.
    pub items: Vec<T>,
    /// How many more there are.
    pub unlisted: u64,
    /// Their amounts or differences, summed.
    pub unlisted_sum: Amount,
}

/// Rows and sums of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTotal {
    /// Keys; rows without a key count one each.
    pub groups: u64,
    /// Rows.
    pub rows: Sides<u64>,
    /// Sums.
    pub sums: Sides<Amount>,
}

/// Open rows of one age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgedTotal {
    /// Rows.
    pub rows: u64,
    /// Sum.
    pub sum: Amount,
}

/// What matching found in one company and GL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeMatch {
    /// Company in normal form; empty where rows have none.
    pub company: String,
    /// GL in normal form; empty where rows have none.
    pub gl: String,
    /// Rows that were read.
    pub rows: Sides<u64>,
    /// Their sums, taken while they were read.
    pub sums: Sides<Amount>,
    /// Rows and sums by class, taken while they were matched.
    pub classes: BTreeMap<Class, ClassTotal>,
    /// Open rows by age.
    pub ageing: Sides<BTreeMap<AgeBucket, AgedTotal>>,
    /// The open rows.
    pub open: Sides<Listed<OpenItem>>,
    /// The keys of classes that are neither a match nor open.
    pub groups: BTreeMap<Class, Listed<GroupItem>>,
}

/// A result that contradicts itself: an error of the program, never of the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Two ways to one number disagree.
    #[error("matching of {company} {gl} contradicts itself: {what}")]
    Contradiction {
        /// Company.
        company: String,
        /// GL.
        gl: String,
        /// Which numbers.
        what: &'static str,
    },
    /// A sum beyond 38 digits.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

impl ScopeMatch {
    /// Whether the amounts of all rows are known: without one of them neither a variance nor its absence is proven.
    #[must_use]
    pub fn is_conclusive(&self) -> bool {
        !self.classes.contains_key(&Class::AmountMissing)
    }

    /// Actual − target.
    ///
    /// # Errors
    /// [`AmountError::Overflow`] beyond 38 digits.
    pub fn difference(&self) -> Result<Amount, AmountError> {
        minus(self.sums.actual, self.sums.target)
    }

    /// Proves that every row is in one class, and that
    /// actual − target = Σ actual only − Σ target only + Σ differences of the classes that are not a match.
    ///
    /// # Errors
    /// [`ProofError`] names the numbers that do not agree.
    pub fn prove(&self) -> Result<(), ProofError> {
        let zero = Amount::zero(self.sums.actual.scale());
        let mut rows = Sides::<u64>::default();
        let mut explained = zero;
        for (class, total) in &self.classes {
            rows.actual += total.rows.actual;
            rows.target += total.rows.target;
            let difference = minus(total.sums.actual, total.sums.target)?;
            if class.is_match() {
                self.hold(difference == zero, "the sums of a match")?;
            } else {
                explained = explained.checked_add(difference)?;
            }
        }
        self.hold(rows == self.rows, "rows read and rows of all classes")?;
        self.hold(
            explained == self.difference()?,
            "actual − target and the sum of what is open or differs",
        )?;
        for side in [Side::Actual, Side::Target] {
            self.prove_open(side)?;
        }
        for (class, listed) in &self.groups {
            let Some(total) = self.classes.get(class) else {
                self.hold(false, "a list of a class without rows")?;
                continue;
            };
            self.hold(
                count(listed) == total.groups,
                "keys of a class and their list",
            )?;
            let differences = listed.items.iter().map(|item| item.difference);
            let sum = sum(listed.unlisted_sum, differences)?;
            let same = sum == minus(total.sums.actual, total.sums.target)?;
            self.hold(same, "differences of a class and their list")?;
        }
        Ok(())
    }

    /// Open rows, their ages and their list are the same rows.
    fn prove_open(&self, side: Side) -> Result<(), ProofError> {
        let zero = Amount::zero(self.sums.actual.scale());
        let total = self.classes.get(&Class::only(side));
        let rows = total.map_or(0, |total| *total.rows.of(side));
        let open = total.map_or(zero, |total| *total.sums.of(side));
        let ageing = self.ageing.of(side).values();
        let aged: u64 = ageing.clone().map(|aged| aged.rows).sum();
        self.hold(aged == rows, "open rows and their ages")?;
        let aged = sum(zero, ageing.map(|aged| aged.sum))?;
        self.hold(aged == open, "sums of open rows and of their ages")?;
        let listed = self.open.of(side);
        self.hold(count(listed) == rows, "open rows and their list")?;
        let amounts = listed.items.iter().map(|item| item.amount);
        let listed = sum(listed.unlisted_sum, amounts)?;
        self.hold(listed == open, "sums of open rows and of their list")
    }

    fn hold(&self, holds: bool, what: &'static str) -> Result<(), ProofError> {
        if holds {
            return Ok(());
        }
        Err(ProofError::Contradiction {
            company: self.company.clone(),
            gl: self.gl.clone(),
            what,
        })
    }
}

/// What matching found, and what it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// By company and GL, in their order.
    pub scopes: Vec<ScopeMatch>,
    /// Rows of other GLs, and those that conditions or the caller left out.
    pub left_out: Sides<u64>,
    /// How the work was done: not the same twice, so no part of what is written down.
    #[serde(skip)]
    pub work: MatchWork,
}

/// How matching was done; changes no result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchWork {
    /// Partitions by the hash of company, GL and key.
    pub partitions: usize,
    /// Most keys that one thread held.
    pub groups_peak: usize,
    /// Bytes of rows that waited in memory.
    pub held_bytes: usize,
    /// Bytes of rows that waited in the scratch file.
    pub scratch_bytes: u64,
    /// Keys whose hash another key has too; they were told apart by the whole key.
    pub collisions: u64,
}

fn count<T>(listed: &Listed<T>) -> u64 {
    u64::try_from(listed.items.len()).unwrap_or(u64::MAX) + listed.unlisted
}

fn sum(first: Amount, mut rest: impl Iterator<Item = Amount>) -> Result<Amount, AmountError> {
    rest.try_fold(first, Amount::checked_add)
}

fn minus(left: Amount, right: Amount) -> Result<Amount, AmountError> {
    // An amount has 38 digits at most, so its opposite exists.
    left.checked_add(Amount::new(-right.units(), right.scale())?)
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
