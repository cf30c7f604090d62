//! Earlier months as they were judged: what a trend shows, and what is not as it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inputs::{Chosen, Packaged};
use super::judgement::{self, Judgement};
use super::late::Final;
use super::{Reconciled, Rules};
use crate::domain::amount::Amount;
use crate::domain::digest::sha256_hex;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::reconcile::drift::{Drift, Sealed, since};
use crate::domain::reconcile::result::{Reconciliation, Status};
use crate::domain::reconcile::statement::{Change, Input};
use crate::domain::run::Program;
use crate::pipeline::months;
use crate::ports::{PortError, StoreRoot};
use crate::report::material as report;

/// Earlier months that are looked at.
pub(super) const MONTHS_MAX: usize = 12;

/// An earlier month and what speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoke {
    /// The month.
    pub period: Period,
    /// The run that speaks for it.
    pub run_id: RunId,
    /// How many records of its log were there; `None` takes all that are there now.
    pub records: Option<usize>,
}

/// A month as it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthPoint {
    /// The month.
    pub period: Period,
    /// The run that speaks for it: the final one, else the newest.
    pub run_id: RunId,
    /// SHA-256 of the manifest of its judgement, in hex.
    pub manifest_sha256: String,
    /// How many records its log had.
    pub records: usize,
    /// SHA-256 of the last of these, in hex; `None` for a log without records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_sha256: Option<String>,
    /// What a report shows of it.
    pub shown: report::MonthPoint,
    /// The program that judged.
    pub program: Program,
    /// The judged lines.
    pub lines: BTreeMap<String, LinePoint>,
    /// Rows of every item.
    pub rows: BTreeMap<IpeId, u64>,
}

/// A line of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePoint {
    /// The word on it.
    pub status: Status,
    /// Variance in dollars of two digits.
    pub variance_usd: Option<Amount>,
    /// What nothing explains in dollars of two digits.
    pub unexplained_usd: Option<Amount>,
}

/// Everything of earlier months that a judgement rests on.
pub(super) struct Past {
    /// Months that are closed, with the run that is final.
    pub(super) finals: Vec<Final>,
    /// Months that were judged, the oldest first.
    pub(super) months: Vec<MonthPoint>,
    /// The judgement of last month.
    pub(super) last: Option<Judgement>,
    /// The package of last month's balances.
    pub(super) opening: Option<Packaged>,
    /// Whether no earlier month of the balances was ever sealed.
    pub(super) is_first: bool,
}

/// Reads the past of a month; `item` delivers the balances.
pub(super) async fn past(
    evidence: &StoreRoot,
    item: &IpeId,
    period: Period,
    chosen: &Chosen,
) -> Result<Past, PortError> {
    let finals = chosen.finals(evidence, period).await?;
    let runs = chosen.history(evidence, period, &finals).await?;
    let (months, last) = read(evidence, period, &runs).await?;
    let previous = period.previous().ok();
    let is_last = |closed: &&Final| Some(closed.0) == previous;
    let closed = finals.iter().find(is_last).is_some();
    // The balances that the final judgement was made from, if last month is closed.
    let inputs = last.iter().flat_map(|last| &last.reconciled.inputs);
    let mut of_final = inputs.filter(|input| closed && input.item == *item);
    let run = of_final.next().map(|input| &input.run_id);
    let opening = match previous {
        Some(month) => chosen.opening(evidence, item, month, run).await?,
        None => None,
    };
    let is_first = opening.is_none() && chosen.is_first(evidence, item, period).await?;
    Ok(Past {
        finals,
        months,
        last,
        opening,
        is_first,
    })
}

/// Which run speaks for each earlier month.
pub(super) async fn runs(
    evidence: &StoreRoot,
    period: Period,
    finals: &[Final],
) -> Result<Vec<Spoke>, PortError> {
    let mut months = Vec::new();
    let mut month = period;
    for _ in 0..MONTHS_MAX {
        let Ok(previous) = month.previous() else {
            break;
        };
        month = previous;
        let closed = finals.iter().find(|(closed, _)| *closed == month);
        let run = match closed {
            Some((_, run)) => Some(run.clone()),
            None => judgement::runs(evidence, month).await?.into_iter().next(),
        };
        months.extend(run.map(|run_id| Spoke {
            period: month,
            run_id,
            records: None,
        }));
    }
    months.reverse();
    Ok(months)
}

/// The months as they were judged, and the judgement of the one before `period`.
async fn read(
    evidence: &StoreRoot,
    period: Period,
    runs: &[Spoke],
) -> Result<(Vec<MonthPoint>, Option<Judgement>), PortError> {
    let (mut points, mut last) = (Vec::new(), None);
    for spoke in runs {
        let (month, run) = (spoke.period, spoke.run_id.clone());
        // What was judged before rests on the log as it was then; records are only appended.
        let (log, log_sha256) = months::read_first(evidence, month, spoke.records).await?;
        let (judged, manifest_sha256) = judgement::read(evidence, month, &run).await?;
        let making = judgement::beside(move || {
            let point = MonthPoint {
                period: month,
                run_id: run,
                manifest_sha256,
                records: log.records.len(),
                log_sha256,
                shown: report::MonthPoint::of(&judged.statement(&log)?),
                program: judged.program.clone(),
                lines: lines(&judged.reconciled),
                rows: rows(&judged.reconciled),
            };
            Ok::<_, PortError>((point, judged))
        });
        let (point, judged) = making.await??;
        points.push(point);
        if period.previous() == Ok(month) {
            last = Some(judged);
        }
    }
    Ok((points, last))
}

fn lines(reconciled: &Reconciled) -> BTreeMap<String, LinePoint> {
    let lines = reconciled.result.judged();
    let points = lines.map(|line| {
        let point = LinePoint {
            status: line.status,
            variance_usd: line.dollars.variance,
            unexplained_usd: line.dollars.unexplained,
        };
        (line.id.clone(), point)
    });
    points.collect()
}

fn rows(reconciled: &Reconciled) -> BTreeMap<IpeId, u64> {
    let inputs = reconciled.inputs.iter();
    inputs
        .map(|input| (input.item.clone(), input.rows))
        .collect()
}

/// The rule files with their hashes.
pub(super) fn hashes(rules: &Rules) -> BTreeMap<String, String> {
    let files = rules.files.iter();
    files
        .map(|(place, text)| (place.clone(), sha256_hex(text.as_bytes())))
        .collect()
}

/// What is not as it was when last month was judged: definitions of items, and rules.
pub(super) fn changes(
    last: Option<&Judgement>,
    packages: &BTreeMap<IpeId, Packaged>,
    rules: &BTreeMap<String, String>,
) -> Vec<Change> {
    let Some(last) = last else {
        return Vec::new();
    };
    let inputs = last.reconciled.inputs.iter();
    let before: BTreeMap<String, String> = inputs
        .map(|input| (definition(&input.item), input.definition_sha256.clone()))
        .collect();
    let now = packages.iter().map(|(item, package)| {
        let sha256 = package.record.definition_sha256.clone();
        (definition(item), sha256)
    });
    let mut changes = differing(&before, &now.collect());
    changes.extend(differing(&last.reconciled.rules, rules));
    changes
}

/// Rows, totals, columns and lines that are not as they were when last month was judged; `None` where it was not.
pub(super) fn drift(
    last: Option<&Judgement>,
    items: &[Input],
    result: &Reconciliation,
) -> Option<Drift> {
    let last = last.map(|last| Sealed {
        items: &last.reconciled.items,
        result: &last.reconciled.result,
    });
    since(last, Sealed { items, result })
}

/// How the definition of an item is called among the changes.
fn definition(item: &IpeId) -> String {
    format!("definition of {item}")
}

fn differing(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Change> {
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let all = names.into_iter().map(|name| Change {
        what: name.clone(),
        before: before.get(name).cloned(),
        now: now.get(name).cloned(),
    });
    all.filter(|change| change.before != change.now).collect()
}
