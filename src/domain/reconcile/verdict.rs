//! The word on one bucket: its identity, its threshold and what stands in the way of a conclusion.

use std::collections::BTreeMap;

use super::evaluate::EvaluateError;
use super::fx::Rate;
use super::result::{Bucket, Sides, Status};
use super::threshold::Threshold;
use super::wide::{Dollars, reaches};
use crate::domain::amount::Amount;

/// What is known of a bucket before it is judged.
pub(super) struct Facts<'a> {
    pub(super) company: &'a str,
    pub(super) currency: &'a str,
    pub(super) gl: Option<&'a str>,
    /// Balance, where the ledger has one; `Err` where it could not be found out.
    pub(super) actual: Result<Option<Amount>, ()>,
    pub(super) target: Result<Option<Amount>, ()>,
    pub(super) target_rows: u64,
    pub(super) bridges: BTreeMap<String, Amount>,
    pub(super) rate: &'a Rate,
    pub(super) threshold: Threshold,
    pub(super) reasons: Vec<String>,
    /// Fraction digits of every amount.
    pub(super) scale: u8,
}

/// Judges a bucket: variance = Σ bridges + unexplained, to the last digit.
pub(super) fn judge(facts: Facts<'_>) -> Result<Bucket, EvaluateError> {
    let zero = Amount::zero(facts.scale);
    let failed = |source| EvaluateError::Amount {
        place: format!("{} {}", facts.company, facts.gl.unwrap_or("all accounts")),
        source,
    };
    let known = match (facts.actual, facts.target) {
        (Ok(actual), Ok(target)) => Some((actual.unwrap_or(zero), target.unwrap_or(zero))),
        _ => None,
    };
    let variance = known
        .map(|(actual, target)| minus(actual, target))
        .transpose()
        .map_err(failed)?;
    let mut explained = zero;
    for amount in facts.bridges.values() {
        explained = explained.checked_add(*amount).map_err(failed)?;
    }
    let unexplained = variance
        .map(|variance| minus(variance, explained))
        .transpose()
        .map_err(failed)?;
    let is_over_bridged = variance.is_some_and(|variance| {
        let amounts = facts.bridges.values().chain([&explained]);
        amounts
            .into_iter()
            .any(|bridge| lies_outside(*bridge, variance))
    });
    let rate = facts.rate.one();
    let status = status(&facts, (variance, unexplained), rate, is_over_bridged);
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
        target,
        target_rows: facts.target_rows,
        variance,
        unexplained,
        is_over_bridged,
        rate,
        variance_usd: shown(variance),
        unexplained_usd: shown(unexplained),
        bridges: facts.bridges,
        threshold: facts.threshold,
        status,
        reasons: facts.reasons,
        offset_by: Vec::new(),
    })
}

fn status(
    facts: &Facts<'_>,
    (variance, unexplained): (Option<Amount>, Option<Amount>),
    rate: Option<Amount>,
    is_over_bridged: bool,
) -> Status {
    let (Some(variance), Some(unexplained), true) =
        (variance, unexplained, facts.reasons.is_empty())
    else {
        return Status::NotConcluded;
    };
    let is_reached = match rate {
        Some(rate) => reaches(unexplained, facts.threshold.usd, rate),
        // Without a rate nothing says that a difference is small.
        None => variance.units() != 0,
    };
    match (is_reached, is_over_bridged) {
        (false, _) => Status::Ok,
        (true, false) => Status::Investigate,
        (true, true) => Status::OverExplained,
    }
}

/// Whether a bridge explains something that is not there: another sign than the variance, or more than it.
fn lies_outside(bridge: Amount, variance: Amount) -> bool {
    let (bridge, variance) = (bridge.units(), variance.units());
    bridge.signum() * variance.signum() < 0 || bridge.unsigned_abs() > variance.unsigned_abs()
}

fn minus(left: Amount, right: Amount) -> Result<Amount, crate::domain::amount::AmountError> {
    left.checked_add(Amount::new(-right.units(), right.scale())?)
}
