//! What a report is made from: the statement of a month, and what may stand beside it.

use serde::{Deserialize, Serialize};

use crate::domain::amount::Amount;
use crate::domain::matching::ScopeMatch;
use crate::domain::period::Period;
use crate::domain::reconcile::result::{Bucket, Status};
use crate::domain::reconcile::statement::{MonthState, Statement};
use crate::domain::reconcile::wide::Dollars;
use crate::domain::run::ControlResult;

/// A statement and its company.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The month.
    pub statement: &'a Statement,
    /// What matching found, by line; empty where no rows were matched.
    pub matches: &'a [LineMatch],
    /// Earlier months, oldest first; empty where none is known.
    pub months: &'a [MonthPoint],
}

/// What matching found on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMatch {
    /// The line.
    pub line: String,
    /// By company and account.
    pub scopes: Vec<ScopeMatch>,
}

/// What is shown of a month beside others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthPoint {
    /// The month.
    pub period: Period,
    /// Number of its final statement; `None` for a preliminary one.
    pub number: Option<u32>,
    /// The control's word.
    pub result: ControlResult,
    /// Buckets that are not OK.
    pub exceptions: u64,
    /// What nothing explains of them, without signs, in dollars of two digits; `None` where no bucket has dollars.
    pub gross_usd: Option<Amount>,
}

impl<'a> Material<'a> {
    /// A statement by itself.
    #[must_use]
    pub fn of(statement: &'a Statement) -> Self {
        Self {
            statement,
            matches: &[],
            months: &[],
        }
    }
}

impl MonthPoint {
    /// The month of a statement.
    #[must_use]
    pub fn of(statement: &Statement) -> Self {
        let result = &statement.result;
        let exceptions = result.exceptions();
        Self {
            period: result.period,
            number: match statement.state {
                MonthState::Preliminary => None,
                MonthState::Final { number, .. } => Some(number),
            },
            result: statement.control_result(),
            exceptions: count(exceptions.len()),
            gross_usd: gross(exceptions.into_iter().map(|(_, bucket)| bucket)),
        }
    }
}

/// What nothing explains of buckets, without signs: a sum of unrounded dollars, rounded once.
pub(super) fn gross<'b>(buckets: impl Iterator<Item = &'b Bucket>) -> Option<Amount> {
    let dollars = buckets.filter_map(|b| Some(Dollars::of(b.unexplained?, b.rate?)?.abs()));
    dollars.reduce(|sum, one| sum.add(&one))?.shown()
}

/// Whether a bucket is to be looked at for its amount.
pub(super) fn is_large(status: Status) -> bool {
    matches!(status, Status::Investigate | Status::OverExplained)
}

/// Candidates of a bucket, those beyond its list among them.
pub(super) fn candidates(bucket: &Bucket) -> u64 {
    count(bucket.rows.len()).saturating_add(bucket.rows_unlisted)
}

/// A length as a number that is printed.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
