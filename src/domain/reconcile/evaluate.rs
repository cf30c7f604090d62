//! From balances, targets, bridges and rates to the word on every line: a pure function of values.
//!
//! Nothing is netted: not companies, not accounts of a split line, not lines. What is missing is named and never a zero.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::bucket;
use super::contract::{Line, ReconciliationContract};
use super::coverage::{not_covered, residuals};
use super::findings::findings;
use super::fx::Rates;
use super::result::{Bucket, Code, LineDollars, LineResult, Reconciliation, Status};
use super::threshold::Thresholds;
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
    /// Why nothing may be concluded for a company, although its amounts are shown.
    pub unsound_of: BTreeMap<String, Vec<String>>,
    /// Companies of which it has rows, or of which it is proven that there are none.
    pub delivered: BTreeSet<String>,
    /// Rows that lack an amount or leave a condition open, by company.
    pub rows_without_amount: BTreeMap<String, u64>,
    /// What its checks found and held nothing.
    pub reported: Vec<Reported>,
}

/// Something that a check of an item found and that held nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// What it is about.
    pub code: Code,
    /// Company; empty where it is about all.
    pub company: String,
    /// What was found, in a sentence.
    pub what: String,
}

/// What a bridge comes to, where it was computed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgeSums {
    /// By company, in ledger sign: what it adds to actual minus target. A company that is not here has nothing of it.
    pub amounts: BTreeMap<String, Amount>,
    /// Why nothing may be concluded from it, by company.
    pub doubts: BTreeMap<String, Vec<String>>,
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
    /// Bridges that were computed, by name.
    pub bridges: &'a BTreeMap<String, BridgeSums>,
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
    /// An amount that the contract has no place for; it must not get lost.
    #[error("{0}")]
    Stray(String),
}

/// Fraction digits in which everything is computed: those of NAV's amounts.
pub(super) const SCALE: u8 = 20;

/// Judges a month.
///
/// # Errors
/// [`EvaluateError`] for a sum beyond 38 digits, and for an amount that the contract has no place for.
pub fn evaluate(inputs: Inputs<'_>) -> Result<Reconciliation, EvaluateError> {
    let contract = inputs.contract;
    strays(inputs)?;
    let companies = contract.companies.iter();
    let currencies = companies.map(|(code, company)| (code.as_str(), company.currency.as_str()));
    let rates = inputs.rates.fit(currencies);
    let inputs = Inputs {
        rates: &rates,
        ..inputs
    };
    let mut lines = Vec::new();
    for line in &contract.lines {
        lines.push(line_result(inputs, line)?);
    }
    let residuals = residuals(inputs, &lines);
    let mut findings = findings(inputs, &residuals);
    findings.sort();
    Ok(Reconciliation {
        control: contract.id.clone(),
        title: contract.title.clone(),
        contract_version: contract.version,
        contract_sha256: contract.sha256.clone(),
        period: inputs.period,
        actual: Some(contract.actual.item.clone()),
        lines,
        findings,
        not_covered: not_covered(inputs),
        residuals,
        rates: rates.all().clone(),
        unconfirmed: contract.unconfirmed(),
    })
}

/// Refuses amounts that no line would look at.
fn strays(inputs: Inputs<'_>) -> Result<(), EvaluateError> {
    let lines = &inputs.contract.lines;
    for place in inputs.targets.keys() {
        let is_its = |line: &&Line| line.targets.iter().any(|t| t.item == place.item);
        let Some(line) = lines.iter().find(is_its) else {
            let what = format!("no line has {} for its target", place.item);
            return Err(EvaluateError::Stray(what));
        };
        if place.gl.is_some() && !line.is_split() {
            let what = format!(
                "{} is summed by account, and {} is compared as a whole",
                place.item, line.id
            );
            return Err(EvaluateError::Stray(what));
        }
    }
    let explaining: Vec<&String> = lines.iter().flat_map(|line| &line.bridges).collect();
    match inputs.bridges.keys().find(|id| !explaining.contains(id)) {
        Some(id) => {
            let what = format!("bridge {id} explains no line");
            Err(EvaluateError::Stray(what))
        }
        None => Ok(()),
    }
}

fn line_result(inputs: Inputs<'_>, line: &Line) -> Result<LineResult, EvaluateError> {
    let mut buckets = Vec::new();
    for company in inputs.contract.scope(line) {
        if line.is_split() {
            for gl in &line.gls {
                buckets.push(bucket(inputs, line, company, Some(gl))?);
            }
        } else {
            buckets.push(bucket(inputs, line, company, None)?);
        }
    }
    mark_offsets(&mut buckets);
    let worst = buckets.iter().map(|bucket| bucket.status).max();
    Ok(LineResult {
        id: line.id.clone(),
        title: line.title.clone(),
        gls: line.gls.iter().cloned().collect(),
        items: line.targets.iter().map(|t| t.item.clone()).collect(),
        companies: inputs.contract.scope(line).map(str::to_owned).collect(),
        owner: line.owner.clone(),
        memo: line.memo,
        note: line.note.clone(),
        // A line without a company was refused with the contract.
        status: worst.unwrap_or(Status::NotConcluded),
        dollars: dollars(&buckets),
        buckets,
    })
}

/// Marks buckets whose unexplained amounts cancel each other, on two accounts of a company or in two companies of one
/// currency: both stay what they are.
fn mark_offsets(buckets: &mut [Bucket]) {
    let units = |bucket: &Bucket| match (bucket.status, bucket.unexplained) {
        (Status::Ok, _) | (_, None) => 0,
        (_, Some(amount)) => amount.units(),
    };
    let all: Vec<(String, String, Option<String>, i128)> = buckets
        .iter()
        .map(|b| {
            (
                b.company.clone(),
                b.currency.clone(),
                b.gl.clone(),
                units(b),
            )
        })
        .collect();
    for bucket in buckets {
        let own = units(bucket);
        let cancel = all
            .iter()
            .filter(|(.., other)| own != 0 && own.checked_add(*other) == Some(0));
        for (company, currency, gl, _) in cancel {
            let (same_company, same_gl) = (*company == bucket.company, *gl == bucket.gl);
            match gl {
                Some(gl) if same_company && !same_gl => bucket.offset_by.push(gl.clone()),
                _ if same_gl && !same_company && *currency == bucket.currency => {
                    bucket.offset_companies.push(company.clone());
                }
                _ => {}
            }
        }
    }
}

fn dollars(buckets: &[Bucket]) -> LineDollars {
    let sum = |of: &dyn Fn(&Bucket) -> Option<Amount>| {
        let counted = buckets
            .iter()
            .filter_map(|bucket| Dollars::of(of(bucket)?, bucket.rate?));
        counted.reduce(|sum, one| sum.add(&one))?.shown()
    };
    let count = |is: fn(&Bucket) -> bool| {
        let count = buckets.iter().filter(|bucket| is(bucket)).count();
        u64::try_from(count).unwrap_or(u64::MAX)
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
        without_rate: count(|bucket| bucket.rate.is_none() && !bucket.is_empty()),
        unknown: count(|bucket| bucket.variance.is_none()),
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
