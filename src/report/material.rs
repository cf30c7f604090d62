//! What a report is made from: the statement of a month, and what may stand beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::amount::Amount;
use crate::domain::matching::ScopeMatch;
use crate::domain::period::Period;
use crate::domain::reconcile::result::{Bucket, Status};
use crate::domain::reconcile::statement::{MonthState, Statement};
use crate::domain::reconcile::wide::Dollars;
use crate::domain::run::ControlResult;
use crate::kernels::bridges::{LabelCell, PostingGroups, Reclass, Timing, Vtc};
use crate::kernels::reconcile::audit::JoinAudit;
use crate::kernels::vouchers::{FlowCell, Pivot};

/// A statement and its company.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The month.
    pub statement: &'a Statement,
    /// What matching found, by line; empty where no rows were matched.
    pub matches: &'a [LineMatch],
    /// Earlier months, oldest first; empty where none is known.
    pub months: &'a [MonthPoint],
    /// What bridges and lists consist of.
    pub explained: Explained<'a>,
}

/// What bridges and lists consist of; `None` where it was not computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Explained<'a> {
    /// B1, voucher by voucher.
    pub timing: Option<&'a Timing>,
    /// B2, voucher by voucher.
    pub vtc: Option<&'a Vtc>,
    /// The voucher account.
    pub vouchers: Option<Vouchers<'a>>,
    /// B3.
    pub posting_groups: Option<&'a [PostingGroups]>,
    /// B4.
    pub reclass: Option<&'a [Reclass]>,
    /// B5.
    pub labels: Option<&'a [LabelCell]>,
    /// What was not computed, by name, and why.
    pub not_computed: Option<&'a BTreeMap<String, String>>,
}

/// The voucher account by category and kind of voucher.
#[derive(Debug, Clone, Copy)]
pub struct Vouchers<'a> {
    /// Sums of the year up to the end of the month.
    pub pivot: &'a Pivot,
    /// What moved it in the month, in the shop and in the ledger.
    pub flows: &'a [FlowCell],
    /// What the plain joins of its look-ups would have done.
    pub audits: &'a [JoinAudit],
    /// Its balances when the month began, in ledger sign, by company; one that is not here is not known.
    pub opening: &'a BTreeMap<String, Amount>,
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
            explained: Explained::default(),
        }
    }

    /// The month before, where it was judged: an older version compared with it, and did not say so.
    pub(super) fn last_month(&self) -> Option<Period> {
        let last = self.months.last().map(|month| month.period)?;
        let is_before = self.statement.result.period.previous() == Ok(last);
        is_before.then_some(last)
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

/// The exact sum; `None` beyond 38 digits.
pub(super) fn sum(amounts: impl Iterator<Item = Amount>) -> Option<Amount> {
    let mut by_scale: BTreeMap<u8, Amount> = BTreeMap::new();
    for amount in amounts {
        let sum = by_scale
            .entry(amount.scale())
            .or_insert(Amount::zero(amount.scale()));
        *sum = sum.checked_add(amount).ok()?;
    }
    let finest = *by_scale.keys().next_back().unwrap_or(&0);
    let mut scaled = by_scale.into_values().map(|sum| sum.rescale(finest));
    scaled.try_fold(Amount::zero(finest), |sum, one| {
        sum.checked_add(one.ok()?).ok()
    })
}
