//! The amounts of one bucket, gathered from balances, targets and bridges.

use std::collections::BTreeMap;

use super::contract::Line;
use super::evaluate::{EvaluateError, Inputs, SCALE, TargetPlace};
use super::known::known;
use super::result::Bucket;
use super::threshold::{Context, Kind};
use super::verdict::{Facts, judge};
use crate::domain::amount::{Amount, AmountError};
use crate::domain::ids::IpeId;

/// The bucket of a company, and of an account where the line is split; also where nothing is on either side.
pub(super) fn bucket(
    inputs: Inputs<'_>,
    line: &Line,
    company: &str,
    gl: Option<&str>,
) -> Result<Bucket, EvaluateError> {
    let known = known(inputs, line, company);
    let failed = |source| EvaluateError::Amount {
        place: format!("{} {company}", line.id),
        source,
    };
    let by_gl = balances(inputs, line, company, gl).map_err(failed)?;
    let (by_item, target_rows) = targets(inputs, line, company, gl).map_err(failed)?;
    let actual = sum(by_gl.values()).map_err(failed)?;
    let target = sum(by_item.values()).map_err(failed)?;
    let of_company = inputs.contract.companies.get(company);
    let (country, currency) = of_company.map_or(("", ""), |c| (&c.country, &c.currency));
    // An account that is the only one of its line is known also where the line is not split.
    let only = (line.gls.len() == 1).then(|| line.gls.first()).flatten();
    let context = Context {
        gl: gl.or(only.map(String::as_str)),
        ..Context::default()
    };
    let resolve = |kind| {
        let thresholds = inputs.thresholds;
        thresholds.resolve(kind, country, context, inputs.period.end())
    };
    judge(Facts {
        company,
        currency,
        gl,
        actual: known.actual.then_some(actual).ok_or(()),
        target: known.target.then_some(target).ok_or(()),
        is_comparable: known.is_comparable,
        by_gl,
        by_item,
        target_rows,
        bridges: bridges(inputs, line, company).map_err(failed)?,
        rate: inputs.rates.of(company),
        threshold: resolve(Kind::BucketUsd),
        line_item: resolve(Kind::LineItemUsd),
        reasons: known.reasons,
        scale: SCALE,
    })
}

fn balances(
    inputs: Inputs<'_>,
    line: &Line,
    company: &str,
    gl: Option<&str>,
) -> Result<BTreeMap<String, Amount>, AmountError> {
    let owned = line.gls.iter().filter(|own| gl.is_none_or(|gl| *own == gl));
    let mut found = BTreeMap::new();
    for own in owned {
        let place = (company.to_owned(), own.clone());
        if let Some(balance) = inputs.actuals.get(&place) {
            found.insert(own.clone(), balance.rescale(SCALE)?);
        }
    }
    Ok(found)
}

fn targets(
    inputs: Inputs<'_>,
    line: &Line,
    company: &str,
    gl: Option<&str>,
) -> Result<(BTreeMap<IpeId, Amount>, u64), AmountError> {
    let mut found = BTreeMap::new();
    let mut rows = 0_u64;
    for source in &line.targets {
        let place = TargetPlace {
            item: source.item.clone(),
            company: company.to_owned(),
            gl: gl.map(str::to_owned),
        };
        if let Some(sum) = inputs.targets.get(&place) {
            found.insert(source.item.clone(), sum.amount.rescale(SCALE)?);
            rows = rows.saturating_add(sum.rows);
        }
    }
    Ok((found, rows))
}

/// Every bridge of the line that was computed; a company that it does not name has nothing of it.
fn bridges(
    inputs: Inputs<'_>,
    line: &Line,
    company: &str,
) -> Result<BTreeMap<String, Amount>, AmountError> {
    let mut found = BTreeMap::new();
    for bridge in &line.bridges {
        let sums = inputs.bridges.get(bridge);
        if let Some(amount) = sums.and_then(|sums| sums.amounts.get(company)) {
            found.insert(bridge.clone(), amount.rescale(SCALE)?);
        }
    }
    Ok(found)
}

/// The sum of amounts; `None` of none.
fn sum<'a>(mut amounts: impl Iterator<Item = &'a Amount>) -> Result<Option<Amount>, AmountError> {
    let Some(first) = amounts.next() else {
        return Ok(None);
    };
    let sum = amounts.try_fold(*first, |sum, amount| sum.checked_add(*amount));
    sum.map(Some)
}
