//! The lines as the warehouse joins and subtracts them itself, held against the result: the same on two ways, or no result.

use std::collections::BTreeMap;

use super::Sources;
use super::explain::Sound;
use super::inputs::plain;
use super::sums::LOADED_OTHERWISE;
use crate::domain::amount::Amount;
use crate::domain::period::Period;
use crate::domain::reconcile::contract::{Line, ReconciliationContract, Sign, Source};
use crate::domain::reconcile::evaluate::Place;
use crate::domain::reconcile::result::{Code, LineResult, Reconciliation};
use crate::domain::reconcile::wide::same;
use crate::kernels::bigquery::variances::{Joined, Side, parse, query};
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::sums::SumSpec;
use crate::ports::{PortError, PortErrorKind, Warehouse};

/// Has the warehouse join and subtract every line whose inputs passed, and compares; lines with a sign that nobody knows are
/// subtracted nowhere. Does nothing where no warehouse sums.
///
/// # Errors
/// `Corrupt` names the line, company and account of the first number that differs; those of the warehouse.
pub(super) async fn agree(
    sources: Sources<'_>,
    contract: &ReconciliationContract,
    period: Period,
    sound: &Sound<'_>,
    result: &Reconciliation,
) -> Result<(), PortError> {
    let Some(engine) = sources.engine else {
        return Ok(());
    };
    for (line, judged) in contract.lines.iter().zip(&result.lines) {
        let Some((actual, targets)) = sides(engine, contract, line, period, sound) else {
            continue;
        };
        let sql = query(line, period, &actual, &targets);
        let sql = sql.map_err(|error| failed(line, &error))?;
        let answer = engine.rows(&sql, sources.limits.small_rows_max).await?;
        let there = parse(&answer).map_err(|error| failed(line, &error))?;
        compare(contract, line, judged, result, there)?;
    }
    Ok(())
}

/// Where the balances and the targets of a line are loaded; `None` where not all of them passed.
fn sides<'a>(
    engine: &dyn Warehouse,
    contract: &ReconciliationContract,
    line: &Line,
    period: Period,
    sound: &Sound<'a>,
) -> Option<(Side<'a>, Vec<Side<'a>>)> {
    let side = |source: &Source| -> Option<Side<'a>> {
        let package = sound.get(&source.item).copied()?;
        let record = &package.record;
        Some(Side {
            table: engine.name_of(&record.ipe.table_name()),
            run: &record.context.run_id,
            contract: &record.contract,
            spec: SumSpec::of(source, period),
        })
    };
    let mut targets = line.targets.iter();
    if targets.any(|target| target.sign == Sign::Unknown) {
        return None;
    }
    let targets: Option<Vec<Side<'a>>> = line.targets.iter().map(side).collect();
    Some((side(&contract.actual)?, targets?))
}

/// Every bucket is what the warehouse says, and the warehouse says nothing that is in no bucket and not reported.
fn compare(
    contract: &ReconciliationContract,
    line: &Line,
    judged: &LineResult,
    result: &Reconciliation,
    mut there: BTreeMap<Place, Joined>,
) -> Result<(), PortError> {
    for bucket in &judged.buckets {
        let gl = bucket.gl.clone().unwrap_or_default();
        let place = (bucket.company.clone(), gl);
        let found = there.remove(&place);
        // Neither side has a row: nothing is subtracted from nothing.
        let variance = found.map_or(Amount::zero(0), |found| found.variance);
        let pairs = [
            (
                "actual",
                bucket.actual,
                found.and_then(|found| found.actual),
            ),
            (
                "target",
                bucket.target,
                found.and_then(|found| found.target),
            ),
            // What could not be concluded has no variance here, and is none there.
            (
                "variance",
                bucket.variance,
                bucket.variance.map(|_| variance),
            ),
        ];
        for (what, here, there) in pairs {
            let is_same = match (here, there) {
                (Some(here), Some(there)) => same(here, there),
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                return Err(differs(line, &place, what, [here, there]));
            }
        }
    }
    for (place, found) in &there {
        if !is_reported(contract, line, result, place, found) {
            let variance = [None, Some(found.variance)];
            return Err(differs(line, place, "variance", variance));
        }
    }
    Ok(())
}

/// Whether a place without a bucket is told of: as not covered where the line does not look at the company, as a finding
/// where it does not own the account. Memos report no account, and what comes to nothing is reported nowhere.
fn is_reported(
    contract: &ReconciliationContract,
    line: &Line,
    result: &Reconciliation,
    (company, gl): &Place,
    found: &Joined,
) -> bool {
    let nothing = |side: Option<Amount>| side.is_none_or(|amount| amount.units() == 0);
    let is_empty = nothing(found.actual) && nothing(found.target);
    if !contract.scope(line).any(|own| own == company) {
        let mut rest = result.not_covered.iter();
        let is_listed = rest.any(|one| {
            let is_its = match &one.item {
                Some(item) => line.targets.iter().any(|target| target.item == *item),
                None => line.gls.contains(&one.gl),
            };
            one.company == *company && is_its
        });
        return is_empty || is_listed;
    }
    if !line.is_split() || line.gls.contains(gl) {
        return false;
    }
    let mut findings = result.findings.iter();
    let is_found = findings.any(|finding| {
        let mut targets = line.targets.iter();
        finding.code == Code::AmountElsewhere
            && targets.any(|target| finding.place == format!("{company} {}", target.item))
    });
    is_empty || line.memo || is_found
}

/// Two ways to one number that do not meet: from the sums here, and in the warehouse.
fn differs(
    line: &Line,
    (company, gl): &Place,
    what: &str,
    [here, there]: [Option<Amount>; 2],
) -> PortError {
    let shown = |amount: Option<Amount>| amount.map_or_else(|| "nothing".to_owned(), plain);
    let place = format!("{company} {gl}");
    let (here, there) = (shown(here), shown(there));
    let what = format!(
        "the {what} of {} in {} is {here} by the sums of the loaded month and {there} as the warehouse joins it",
        line.id,
        place.trim_end(),
    );
    PortError::new(PortErrorKind::Corrupt, what).hint(LOADED_OTHERWISE)
}

fn failed(line: &Line, error: &ReconcileError) -> PortError {
    PortError::new(PortErrorKind::Corrupt, error.to_string()).at("line", line.id.clone())
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
