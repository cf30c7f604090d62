//! The word on one bucket: its identity, its threshold and what stands in the way of a conclusion.

use std::collections::BTreeMap;

use super::evaluate::EvaluateError;
use super::fx::Rate;
use super::result::{Bucket, Sides, Status, lies_outside};
use super::threshold::Threshold;
use super::wide::{Dollars, reaches};
use crate::domain::amount::{Amount, AmountError};
use crate::domain::ids::IpeId;

/// What is known of a bucket before it is judged. Every amount has the same scale.
pub(super) struct Facts<'a> {
    pub(super) company: &'a str,
    pub(super) currency: &'a str,
    pub(super) gl: Option<&'a str>,
    /// Balance, where the ledger has one; `Err` where it could not be found out.
    pub(super) actual: Result<Option<Amount>, ()>,
    pub(super) target: Result<Option<Amount>, ()>,
    /// Whether one may be subtracted from the other: not where nobody knows a sign.
    pub(super) is_comparable: bool,
    pub(super) by_gl: BTreeMap<String, Amount>,
    pub(super) by_item: BTreeMap<IpeId, Amount>,
    pub(super) target_rows: u64,
    pub(super) bridges: BTreeMap<String, Amount>,
    pub(super) rate: &'a Rate,
    pub(super) threshold: Threshold,
    pub(super) line_item: Threshold,
    pub(super) reasons: Vec<String>,
    pub(super) scale: u8,
}

/// Judges a bucket: variance = Σ bridges + unexplained, to the last digit.
pub(super) fn judge(facts: Facts<'_>) -> Result<Bucket, EvaluateError> {
    let failed = |source| EvaluateError::Amount {
        place: format!("{} {}", facts.company, facts.gl.unwrap_or("all accounts")),
        source,
    };
    let zero = Amount::zero(facts.scale);
    let variance = variance(&facts).map_err(failed)?;
    let mut explained = zero;
    for amount in facts.bridges.values() {
        explained = explained.checked_add(*amount).map_err(failed)?;
    }
    let unexplained = variance
        .map(|variance| minus(variance, explained))
        .transpose()
        .map_err(failed)?;
    let is_over_bridged = variance.is_some_and(|variance| {
        let mut amounts = facts.bridges.values().chain([&explained]);
        amounts.any(|bridge| lies_outside(*bridge, variance))
    });
    let rate = facts.rate.one();
    let status = status(&facts, (variance, unexplained), is_over_bridged);
    let shown = |amount: Option<Amount>| Dollars::of(amount?, rate?)?.shown();
    let (actual, target) = (facts.actual.ok().flatten(), facts.target.ok().flatten());
    Ok(Bucket {
        company: facts.company.to_owned(),
        currency: facts.currency.to_owned(),
        gl: facts.gl.map(str::to_owned),
        sides: match (actual, target) {
            (Some(_), Some(_)) => Sides::Both,
            (Some(_), None) => Sides::ActualOnly,
            (None, Some(_)) => Sides::TargetOnly,
            (None, None) => Sides::Neither,
        },
        actual,
        by_gl: facts.by_gl,
        target,
        by_item: facts.by_item,
        target_rows: facts.target_rows,
        variance,
        unexplained,
        is_over_bridged,
        rate,
        no_rate: facts.rate.problem().map(|(_, what)| what),
        variance_usd: shown(variance),
        unexplained_usd: shown(unexplained),
        bridges: facts.bridges,
        threshold: facts.threshold,
        line_item: Some(facts.line_item),
        status,
        reasons: facts.reasons,
        offset_by: Vec::new(),
        offset_companies: Vec::new(),
        age_months: None,
        rows: Vec::new(),
        rows_unlisted: 0,
    })
}

/// Actual minus target, as far as both were found out.
fn variance(facts: &Facts<'_>) -> Result<Option<Amount>, AmountError> {
    let (Ok(actual), Ok(target), true) = (facts.actual, facts.target, facts.is_comparable) else {
        return Ok(None);
    };
    let zero = Amount::zero(facts.scale);
    let variance = minus(actual.unwrap_or(zero), target.unwrap_or(zero))?;
    // What could not be concluded is no variance of zero.
    let says_nothing = variance.units() == 0 && !facts.reasons.is_empty();
    Ok((!says_nothing).then_some(variance))
}

fn status(
    facts: &Facts<'_>,
    (variance, unexplained): (Option<Amount>, Option<Amount>),
    is_over_bridged: bool,
) -> Status {
    let (Some(variance), Some(unexplained), true) =
        (variance, unexplained, facts.reasons.is_empty())
    else {
        return Status::NotConcluded;
    };
    let is_reached = match facts.rate.one() {
        Some(rate) => reaches(unexplained, facts.threshold.usd, rate),
        // Without a rate nothing says that a difference is small, explained or not.
        None => variance.units() != 0 || unexplained.units() != 0,
    };
    match (is_reached, is_over_bridged) {
        (false, _) => Status::Ok,
        (true, false) => Status::Investigate,
        (true, true) => Status::OverExplained,
    }
}

fn minus(left: Amount, right: Amount) -> Result<Amount, AmountError> {
    left.checked_add(Amount::new(-right.units(), right.scale())?)
}
