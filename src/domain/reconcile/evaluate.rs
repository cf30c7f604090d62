//! From balances, targets, bridges and rates to the word on every line: a pure function of values.
//!
//! Nothing is netted: not companies, not accounts of a split line, not lines. What is missing is named and never a zero.

use std::collections::{BTreeMap, BTreeSet};

use super::beside::{findings, not_covered, residuals};
use super::contract::{Line, ReconciliationContract};
use super::fx::Rates;
use super::result::{Bucket, LineDollars, LineResult, Reconciliation, Sides, Status};
use super::threshold::{Context, Kind, Thresholds};
use super::verdict::{Facts, judge};
use super::wide::Dollars;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::ids::IpeId;
use crate::domain::period::Period;

/// Company and account.
pub type Place = (String, String);

/// What an item has of a company, and of an account where its amounts are split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetPlace {
    /// The item.
    pub item: IpeId,
    /// Company code.
    pub company: String,
    /// Account, where amounts are split by it.
    pub gl: Option<String>,
}

/// What an item says somewhere, in ledger sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetSum {
    /// Sum of the rows.
    pub amount: Amount,
    /// Rows.
    pub rows: u64,
}

/// What is known of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputState {
    /// Why nothing may be concluded from it; empty for an item that passed its checks.
    pub unsound: Vec<String>,
    /// Companies of which it has rows, or of which it is proven that there are none.
    pub delivered: BTreeSet<String>,
    /// Rows that lack an amount or leave a condition open, by company.
    pub rows_without_amount: BTreeMap<String, u64>,
    /// What its checks found and held nothing: company and sentence.
    pub reported: Vec<(String, String)>,
}

/// Everything that a month is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The contract.
    pub contract: &'a ReconciliationContract,
    /// Thresholds.
    pub thresholds: &'a Thresholds,
    /// The month.
    pub period: Period,
    /// Balances by company and account.
    pub actuals: &'a BTreeMap<Place, Amount>,
    /// Sums of the items.
    pub targets: &'a BTreeMap<TargetPlace, TargetSum>,
    /// Amounts of bridges, by line, bridge and company.
    pub bridges: &'a BTreeMap<(String, String, String), Amount>,
    /// Closing rates.
    pub rates: &'a Rates,
    /// What is known of each item; one that is not here was not run.
    pub items: &'a BTreeMap<IpeId, InputState>,
}

/// Why a month could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// A sum beyond 38 digits.
    #[error("{place}: {source}")]
    Amount {
        /// Company and account.
        place: String,
        /// What went wrong.
        source: AmountError,
    },
}

/// Fraction digits in which everything is computed: those of NAV's amounts.
const SCALE: u8 = 20;

/// Judges a month.
///
/// # Errors
/// [`EvaluateError`] for a sum beyond 38 digits.
pub fn evaluate(inputs: Inputs<'_>) -> Result<Reconciliation, EvaluateError> {
    let contract = inputs.contract;
    let mut lines = Vec::new();
    for line in &contract.lines {
        lines.push(line_result(inputs, line)?);
    }
    let residuals = residuals(inputs, &lines);
    let findings = findings(inputs, &residuals);
    Ok(Reconciliation {
        control: contract.id.clone(),
        title: contract.title.clone(),
        contract_version: contract.version,
        contract_sha256: contract.sha256.clone(),
        period: inputs.period,
        lines,
        findings,
        not_covered: not_covered(inputs),
        residuals,
        unconfirmed: contract.unconfirmed(),
    })
}

fn line_result(inputs: Inputs<'_>, line: &Line) -> Result<LineResult, EvaluateError> {
    let mut buckets = Vec::new();
    for company in inputs.contract.scope(line) {
        if line.is_split() {
            let mut of_company = Vec::new();
            for gl in &line.gls {
                of_company.extend(bucket(inputs, line, company, Some(gl))?);
            }
            mark_offsets(&mut of_company);
            buckets.extend(of_company);
        } else {
            buckets.extend(bucket(inputs, line, company, None)?);
        }
    }
    let worst = buckets.iter().map(|bucket| bucket.status).max();
    Ok(LineResult {
        id: line.id.clone(),
        title: line.title.clone(),
        gls: line.gls.iter().cloned().collect(),
        items: line.targets.iter().map(|t| t.item.clone()).collect(),
        memo: line.memo,
        note: line.note.clone(),
        // No company has anything on it, and every input said so.
        status: worst.unwrap_or(Status::Ok),
        dollars: dollars(&buckets),
        buckets,
    })
}

/// What is known of a company's items on a line: why nothing may be concluded, and whether a side was found out at all.
struct Known {
    reasons: Vec<String>,
    actual: bool,
    target: bool,
}

fn known(inputs: Inputs<'_>, line: &Line, company: &str) -> Known {
    let mut known = Known {
        reasons: Vec::new(),
        actual: true,
        target: true,
    };
    let targets = line.targets.iter().map(|target| (&target.item, true));
    let sources = [(&inputs.contract.actual.item, false)].into_iter();
    for (item, is_target) in sources.chain(targets) {
        let side = if is_target {
            &mut known.target
        } else {
            &mut known.actual
        };
        match inputs.items.get(item) {
            None => {
                known.reasons.push(format!("{item} was not run"));
                *side = false;
            }
            Some(state) => {
                let unsound = state.unsound.iter();
                known
                    .reasons
                    .extend(unsound.map(|why| format!("{item}: {why}")));
                *side &= state.unsound.is_empty();
                if state.unsound.is_empty() && !state.delivered.contains(company) {
                    known
                        .reasons
                        .push(format!("{item} has nothing of {company}"));
                }
                if let Some(rows) = state.rows_without_amount.get(company) {
                    let what = format!("{item} has {rows} rows of {company} without an amount");
                    known.reasons.push(what);
                }
            }
        }
    }
    let rates = &inputs.contract.rates.item;
    match inputs.items.get(rates) {
        None => known.reasons.push(format!("{rates} was not run")),
        Some(state) => {
            let unsound = state.unsound.iter();
            known
                .reasons
                .extend(unsound.map(|why| format!("{rates}: {why}")));
        }
    }
    known
}

/// The bucket of a company, and of an account where the line is split; `None` where nothing is on either side and every
/// input says so.
fn bucket(
    inputs: Inputs<'_>,
    line: &Line,
    company: &str,
    gl: Option<&str>,
) -> Result<Option<Bucket>, EvaluateError> {
    let known = known(inputs, line, company);
    let failed = |source| EvaluateError::Amount {
        place: format!("{} {company}", line.id),
        source,
    };
    let (mut actual, mut target, mut target_rows) = (None, None, 0_u64);
    let owned = line.gls.iter().filter(|own| gl.is_none_or(|gl| *own == gl));
    for own in owned {
        let place = (company.to_owned(), own.clone());
        if let Some(balance) = inputs.actuals.get(&place) {
            actual = Some(plus(actual, *balance).map_err(failed)?);
        }
    }
    for source in &line.targets {
        let place = TargetPlace {
            item: source.item.clone(),
            company: company.to_owned(),
            gl: gl.map(str::to_owned),
        };
        if let Some(sum) = inputs.targets.get(&place) {
            target = Some(plus(target, sum.amount).map_err(failed)?);
            target_rows += sum.rows;
        }
    }
    if known.reasons.is_empty() && actual.is_none() && target.is_none() {
        return Ok(None);
    }
    let mut bridges = BTreeMap::new();
    for bridge in &line.bridges {
        let key = (line.id.clone(), bridge.clone(), company.to_owned());
        if let Some(amount) = inputs.bridges.get(&key) {
            bridges.insert(bridge.clone(), amount.rescale(SCALE).map_err(failed)?);
        }
    }
    let of_company = inputs.contract.companies.get(company);
    let (country, currency) = of_company.map_or(("", ""), |c| (&c.country, &c.currency));
    // An account that is the only one of its line is known also where the line is not split.
    let only = (line.gls.len() == 1).then(|| line.gls.first()).flatten();
    let context = Context {
        gl: gl.or(only.map(String::as_str)),
        ..Context::default()
    };
    let thresholds = inputs.thresholds;
    let threshold = thresholds.resolve(Kind::BucketUsd, country, context, inputs.period.end());
    judge(Facts {
        company,
        currency,
        gl,
        actual: known.actual.then_some(actual).ok_or(()),
        target: known.target.then_some(target).ok_or(()),
        target_rows,
        bridges,
        rate: inputs.rates.of(company),
        threshold,
        reasons: known.reasons,
        scale: SCALE,
    })
    .map(Some)
}

fn plus(sum: Option<Amount>, amount: Amount) -> Result<Amount, AmountError> {
    sum.unwrap_or(Amount::zero(SCALE))
        .checked_add(amount.rescale(SCALE)?)
}

/// Marks buckets of a company whose unexplained amounts cancel each other: both stay what they are.
fn mark_offsets(buckets: &mut [Bucket]) {
    let units = |bucket: &Bucket| match (bucket.status, bucket.unexplained) {
        (Status::Ok, _) | (_, None) => 0,
        (_, Some(amount)) => amount.units(),
    };
    let all: Vec<(Option<String>, i128)> = buckets
        .iter()
        .map(|bucket| (bucket.gl.clone(), units(bucket)))
        .collect();
    for bucket in buckets {
        let own = units(bucket);
        let others = all.iter().filter(|(gl, other)| {
            own != 0 && *gl != bucket.gl && own.checked_add(*other) == Some(0)
        });
        bucket.offset_by = others.filter_map(|(gl, _)| gl.clone()).collect();
    }
}

fn dollars(buckets: &[Bucket]) -> LineDollars {
    let sum = |of: &dyn Fn(&Bucket) -> Option<Amount>| {
        let counted = buckets
            .iter()
            .filter_map(|bucket| Dollars::of(of(bucket)?, bucket.rate?));
        counted.reduce(|sum, one| sum.add(&one))?.shown()
    };
    let bridges: BTreeSet<&String> = buckets.iter().flat_map(|b| b.bridges.keys()).collect();
    let of_bridge = |name: &String| {
        let total = sum(&|bucket| bucket.bridges.get(name).copied())?;
        Some((name.clone(), total))
    };
    LineDollars {
        actual: sum(&|bucket| bucket.actual),
        target: sum(&|bucket| bucket.target),
        variance: sum(&|bucket| bucket.variance),
        bridges: bridges.into_iter().filter_map(of_bridge).collect(),
        unexplained: sum(&|bucket| bucket.unexplained),
        without_rate: u64::try_from(buckets.iter().filter(|b| b.rate.is_none()).count())
            .unwrap_or(u64::MAX),
    }
}

impl Bucket {
    /// Whether anything is on either side.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sides == Sides::Neither
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
