//! What the reconciliation came to, as values: the one source of report, tables and exit code.
//!
//! Amounts are in ledger sign (debit positive) and local currency unless their name says dollars.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fx::Rate;
use super::threshold::Threshold;
use crate::domain::amount::Amount;
use crate::domain::ids::IpeId;
use crate::domain::period::Period;
use crate::domain::run::ControlResult;

/// The reconciliation of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Name of the control.
    pub control: String,
    /// What it is.
    pub title: String,
    /// Version of the contract.
    pub contract_version: u32,
    /// SHA-256 of the contract's file, in hex.
    pub contract_sha256: String,
    /// The month.
    pub period: Period,
    /// The item that delivers the balances; `None` where an older version judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<IpeId>,
    /// Lines in the order of the contract, memos among them.
    pub lines: Vec<LineResult>,
    /// What is to be reported beside the lines.
    pub findings: Vec<ReconcileFinding>,
    /// Balances that no line compares.
    pub not_covered: Vec<NotCovered>,
    /// Residuals below the threshold, by company.
    pub residuals: Vec<Residual>,
    /// Closing rates of the scope as they were judged by.
    pub rates: BTreeMap<String, Rate>,
    /// Assumptions that nobody has confirmed yet: line and text.
    pub unconfirmed: Vec<(String, String)>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineResult {
    /// Name.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Accounts that it owns.
    pub gls: Vec<String>,
    /// Items of its targets.
    pub items: Vec<IpeId>,
    /// Companies that it compares.
    pub companies: Vec<String>,
    /// Who answers for it, where that is known.
    pub owner: Option<String>,
    /// Whether it is only shown.
    pub memo: bool,
    /// What a reader must know.
    pub note: String,
    /// The worst status of its buckets; of a memo what it would be.
    pub status: Status,
    /// One a company and account, or one a company; in their order, also those on which nothing is.
    pub buckets: Vec<Bucket>,
    /// Sums of the buckets that have a rate, in dollars of two digits.
    pub dollars: LineDollars,
}

/// Sums over the buckets of a line, of unrounded values; `None` where no bucket has one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDollars {
    /// Actual.
    pub actual: Option<Amount>,
    /// Target.
    pub target: Option<Amount>,
    /// Variance.
    pub variance: Option<Amount>,
    /// By bridge.
    pub bridges: BTreeMap<String, Amount>,
    /// What nothing explains.
    pub unexplained: Option<Amount>,
    /// Buckets that could not be counted in dollars.
    pub without_rate: u64,
    /// Buckets without a variance, which are in no sum.
    pub unknown: u64,
}

/// What a company, or an account of it, comes to on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Company code.
    pub company: String,
    /// Its currency.
    pub currency: String,
    /// Account of the group's chart; `None` where the line is compared as a whole.
    pub gl: Option<String>,
    /// Balance of the ledger; `None` where the ledger has none.
    pub actual: Option<Amount>,
    /// Its parts, by account.
    pub by_gl: BTreeMap<String, Amount>,
    /// What the sources come to; `None` where they have no row, or could not be found out.
    pub target: Option<Amount>,
    /// Its parts, by item.
    pub by_item: BTreeMap<IpeId, Amount>,
    /// Rows behind the target.
    pub target_rows: u64,
    /// Actual minus target, where one side has nothing the other alone; `None` where it could not be found out.
    pub variance: Option<Amount>,
    /// What explains a part, by bridge, signed as it adds to the variance.
    pub bridges: BTreeMap<String, Amount>,
    /// Variance without the bridges.
    pub unexplained: Option<Amount>,
    /// Whether a bridge lies outside what it is to explain: of another sign, or larger.
    pub is_over_bridged: bool,
    /// Local currency per dollar, where there is one rate.
    pub rate: Option<Amount>,
    /// Why there is none, and so no dollars.
    pub no_rate: Option<String>,
    /// Variance in dollars of two digits, for display.
    pub variance_usd: Option<Amount>,
    /// What nothing explains in dollars of two digits, for display.
    pub unexplained_usd: Option<Amount>,
    /// What reaching is judged by.
    pub threshold: Threshold,
    /// What a row behind it is worth a look by; `None` where an older version judged. No verdict rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_item: Option<Threshold>,
    /// Which sides have something.
    pub sides: Sides,
    /// The word on it.
    pub status: Status,
    /// Why it is not concluded.
    pub reasons: Vec<String>,
    /// Accounts of the same company and line whose unexplained amounts cancel this one.
    pub offset_by: Vec<String>,
    /// Companies of the same currency whose unexplained amounts on the same account or line cancel this one.
    pub offset_companies: Vec<String>,
    /// Months since the day of the only candidate; `None` where there is none or several, or it has no day.
    pub age_months: Option<u32>,
    /// Candidates: rows that alone have the unexplained amount, the first of them. They prove and explain nothing.
    pub rows: Vec<RowRef>,
    /// Candidates beyond the list.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_unlisted: u64,
}

fn is_zero(rows: &u64) -> bool {
    *rows == 0
}

/// A row, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRef {
    /// Item that delivered it.
    pub item: IpeId,
    /// Its key, in the order of the item's contract.
    pub key: Vec<String>,
    /// Its amount in ledger sign, where it has one.
    pub amount: Option<Amount>,
}

impl Bucket {
    /// Bridges that explain what is not there: of another sign than the variance, or larger.
    #[must_use]
    pub fn outside(&self) -> Vec<&str> {
        let Some(variance) = self.variance else {
            return Vec::new();
        };
        let bridges = self.bridges.iter();
        let outside = bridges.filter(|(_, amount)| lies_outside(**amount, variance));
        outside.map(|(bridge, _)| bridge.as_str()).collect()
    }

    /// Whether nothing is on either side.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sides == Sides::Neither
    }
}

impl LineResult {
    /// Companies with a bucket that is not OK.
    #[must_use]
    pub fn affected(&self) -> BTreeSet<&str> {
        let buckets = self.buckets.iter();
        let affected = buckets.filter(|bucket| bucket.status != Status::Ok);
        affected.map(|bucket| bucket.company.as_str()).collect()
    }
}

/// Whether a bridge explains something that is not there. Both are of one scale.
pub(super) fn lies_outside(bridge: Amount, variance: Amount) -> bool {
    let (bridge, variance) = (bridge.units(), variance.units());
    bridge.signum() * variance.signum() < 0 || bridge.unsigned_abs() > variance.unsigned_abs()
}

/// Which sides of a bucket have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Both.
    Both,
    /// The ledger alone.
    ActualOnly,
    /// The sources alone.
    TargetOnly,
    /// Neither: nothing is there, or it could not be found out.
    Neither,
}

/// The word on a bucket or a line; later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Below the threshold.
    Ok,
    /// What nothing explains reaches the threshold.
    Investigate,
    /// It reaches the threshold because bridges explain more than there is.
    OverExplained,
    /// An input is missing, was held, or did not deliver a company.
    NotConcluded,
}

impl Status {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Investigate => "INVESTIGATE",
            Self::OverExplained => "OVER_EXPLAINED",
            Self::NotConcluded => "NOT_CONCLUDED",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A company has no closing rate.
    FxMissing,
    /// A company has several closing rates.
    FxAmbiguous,
    /// A company has a rate that is not above zero.
    FxNotPositive,
    /// A rate of 1 for another currency than the dollar, or another rate for the dollar.
    FxUnfit,
    /// Companies of one currency have different rates.
    FxUnequal,
    /// The balances were computed with another rate.
    FxDiffers,
    /// A rate is far from last month's.
    FxMoved,
    /// An item has nothing of a company that must deliver.
    CompanyEmpty,
    /// Residuals of a company reach its country's materiality.
    Aggregate,
    /// Rows without an amount, which are in no sum.
    AmountMissing,
    /// An item has amounts on accounts that its line does not own.
    AmountElsewhere,
    /// What a check of an item found, or somebody answers for.
    Item,
    /// A value that nobody has approved, and what is filtered by it.
    Scope,
    /// What must come to nothing does not, or could not be found out.
    ZeroCheck,
    /// Entries dated into a closed month.
    LatePosting,
}

impl Code {
    /// Whether it is only said: it makes no exception.
    #[must_use]
    pub fn is_warning(self) -> bool {
        self == Self::FxMoved
    }

    /// The code in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FxMissing => "FX_MISSING",
            Self::FxAmbiguous => "FX_AMBIGUOUS",
            Self::FxNotPositive => "FX_NOT_POSITIVE",
            Self::FxUnfit => "FX_UNFIT",
            Self::FxUnequal => "FX_UNEQUAL",
            Self::FxDiffers => "FX_DIFFERS",
            Self::FxMoved => "FX_MOVED",
            Self::CompanyEmpty => "COMPANY_EMPTY",
            Self::Aggregate => "AGGREGATE",
            Self::AmountMissing => "AMOUNT_MISSING",
            Self::AmountElsewhere => "AMOUNT_ELSEWHERE",
            Self::Item => "ITEM",
            Self::Scope => "SCOPE",
            Self::ZeroCheck => "ZERO_CHECK",
            Self::LatePosting => "LATE_POSTING",
        }
    }
}

/// Something to be reported beside the lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReconcileFinding {
    /// What it is about.
    pub code: Code,
    /// Company, and what of it.
    pub place: String,
    /// What was found, in a sentence.
    pub what: String,
}

/// An amount that no line compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCovered {
    /// Company code.
    pub company: String,
    /// Account; empty where the item says none.
    pub gl: String,
    /// The item that delivered it; `None` for a balance of the ledger.
    pub item: Option<IpeId>,
    /// Amount in ledger sign.
    pub balance: Amount,
    /// Why no line compares it.
    pub why: String,
}

/// Residuals below the threshold of a company, without their signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Residual {
    /// Company code.
    pub company: String,
    /// Sum of the residuals without their signs, in dollars of two digits.
    pub gross_usd: Option<Amount>,
    /// The country's materiality.
    pub materiality: Threshold,
    /// Whether the sum reaches it.
    pub is_reached: bool,
}

impl Reconciliation {
    /// What lines and findings come to: not concluded if a line is, else exceptions if anything is to be reported. The
    /// control's word is that of the statement, which looks at the checks of every input too.
    #[must_use]
    pub(super) fn of_lines(&self) -> ControlResult {
        let worst = self.judged().map(|line| line.status).max();
        match worst {
            None | Some(Status::NotConcluded) => ControlResult::NotConcluded,
            Some(Status::Ok) if !self.has_findings() => ControlResult::NoExceptions,
            Some(_) => ControlResult::Exceptions,
        }
    }

    fn has_findings(&self) -> bool {
        self.findings.iter().any(|found| !found.code.is_warning())
    }

    /// Adds what was found elsewhere, such as late postings.
    pub fn report(&mut self, found: impl IntoIterator<Item = ReconcileFinding>) {
        self.findings.extend(found);
        self.findings.sort();
    }

    /// Lines that have a verdict.
    pub fn judged(&self) -> impl Iterator<Item = &LineResult> {
        self.lines.iter().filter(|line| !line.memo)
    }

    /// Buckets of judged lines that are not OK, with their lines; the largest unexplained amount in dollars first, those
    /// without one before all.
    #[must_use]
    pub fn exceptions(&self) -> Vec<(&LineResult, &Bucket)> {
        let lines = self.judged();
        let all = lines.flat_map(|line| line.buckets.iter().map(move |bucket| (line, bucket)));
        let mut found: Vec<_> = all
            .filter(|(_, bucket)| bucket.status != Status::Ok)
            .collect();
        found.sort_by_key(|(line, bucket)| {
            let usd = bucket.unexplained_usd.map(|usd| usd.units().unsigned_abs());
            let size = usd.unwrap_or(u128::MAX);
            (
                std::cmp::Reverse(size),
                line.id.clone(),
                bucket.company.clone(),
                bucket.gl.clone(),
            )
        });
        found
    }
}
