//! What was there of earlier months at the moment at which a month was judged, found out from the evidence and not from the
//! judgement: one that says something else of them was bent, or was made where they were hidden.

use chrono::{DateTime, Utc};

use super::history::MONTHS_MAX;
use super::inputs::{self, Chosen, Packaged};
use super::judgement;
use super::late::{self, Final};
use super::{Reconciled, Rules, Sources, reconcile};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::pipeline::package::MANIFEST;
use crate::pipeline::package::read::{run_of, sealed_folders};
use crate::ports::{Clock, PortError, PortErrorKind, StoreRoot};

/// How often a month is judged again because something of earlier months changed meanwhile.
const ROUNDS_MAX: u32 = 3;

/// Earlier months as they stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// Months that were closed, with the run that was final.
    pub finals: Vec<Final>,
    /// Months that were judged with the run that spoke for each, the oldest first.
    pub judged: Vec<(Period, RunId)>,
    /// The run whose package had last month's balances.
    pub opening: Option<RunId>,
    /// Whether no package of an earlier month's balances was there.
    pub is_first: bool,
}

impl Before {
    /// What a judgement says of them.
    #[must_use]
    pub fn said(reconciled: &Reconciled) -> Self {
        let history = reconciled.history.iter();
        let opening = reconciled.opening.as_ref();
        Self {
            finals: reconciled.finals.clone(),
            judged: history
                .map(|month| (month.period, month.run_id.clone()))
                .collect(),
            opening: opening.map(|opening| opening.run_id.clone()),
            is_first: reconciled.is_first,
        }
    }

    /// What the evidence says of the months before `period` as they stood `at` a moment; `item` delivers the balances.
    ///
    /// # Errors
    /// `Corrupt` for a log, judgement or package that is not what was sealed; storage errors.
    pub async fn found(
        evidence: &StoreRoot,
        item: &IpeId,
        period: Period,
        at: DateTime<Utc>,
    ) -> Result<Self, PortError> {
        let finals = late::finals(evidence, period, Some(at)).await?;
        let mut judged = Vec::new();
        let mut month = period;
        for _ in 0..MONTHS_MAX {
            let Ok(previous) = month.previous() else {
                break;
            };
            month = previous;
            let run = speaks(evidence, month, &finals, at).await?;
            judged.extend(run.map(|run| (month, run)));
        }
        judged.reverse();
        let opening = match period.previous() {
            Ok(last) => opening(evidence, (item, last), &finals, at).await?,
            Err(_) => None,
        };
        let is_first = opening.is_none() && is_first(evidence, item, period, at).await?;
        Ok(Self {
            finals,
            judged,
            opening,
            is_first,
        })
    }
}

/// Judges a month until nothing of earlier months changed while it was judged, and says at which moment that began.
///
/// # Errors
/// As [`reconcile`]; `Limit` where earlier months changed all the while.
pub async fn settled(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    chosen: &Chosen,
    clock: &dyn Clock,
) -> Result<(DateTime<Utc>, Reconciled), PortError> {
    let item = &rules.contract.actual.item;
    for _ in 0..ROUNDS_MAX {
        let at = clock.now();
        let reconciled = reconcile(sources, rules, period, chosen).await?;
        let found = Before::found(sources.evidence, item, period, at).await?;
        if found == Before::said(&reconciled) {
            return Ok((at, reconciled));
        }
    }
    let what = format!("earlier months changed all the while {period} was judged");
    Err(PortError::new(PortErrorKind::Limit, what)
        .at("evidence", sources.evidence.uri.clone())
        .hint("reconcile again when the runs of earlier months have ended"))
}

/// A run that began then or later had sealed nothing before.
fn began_after(run: &RunId, at: DateTime<Utc>) -> bool {
    run.started_at().is_some_and(|began| began >= at)
}

/// The run that spoke for a month: the final one, else the newest that had judged it.
async fn speaks(
    evidence: &StoreRoot,
    month: Period,
    finals: &[Final],
    at: DateTime<Utc>,
) -> Result<Option<RunId>, PortError> {
    if let Some((_, run)) = finals.iter().find(|(closed, _)| *closed == month) {
        return Ok(Some(run.clone()));
    }
    for run in judgement::runs(evidence, month).await? {
        if began_after(&run, at) {
            continue;
        }
        if judgement::read(evidence, month, &run).await?.0.at < at {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// The package that the balances rolled forward from: that of the final judgement, else the newest.
async fn opening(
    evidence: &StoreRoot,
    (item, month): (&IpeId, Period),
    finals: &[Final],
    at: DateTime<Utc>,
) -> Result<Option<RunId>, PortError> {
    if let Some((_, run)) = finals.iter().find(|(closed, _)| *closed == month) {
        let (judged, _) = judgement::read(evidence, month, run).await?;
        let mut inputs = judged.reconciled.inputs.into_iter();
        if let Some(input) = inputs.find(|input| input.item == *item) {
            return Ok(Some(input.run_id));
        }
    }
    for folder in sealed_folders(evidence, item, month).await? {
        let run = run_of(&folder);
        if was_there(evidence, (item, month), run.as_ref(), at).await? {
            return Ok(run);
        }
    }
    Ok(None)
}

async fn is_first(
    evidence: &StoreRoot,
    item: &IpeId,
    period: Period,
    at: DateTime<Utc>,
) -> Result<bool, PortError> {
    for file in evidence.list(item.as_str()).await? {
        let Some(folder) = file.path.strip_suffix(&format!("/{MANIFEST}")) else {
            continue;
        };
        let month = inputs::month_of(folder);
        let earlier = month.filter(|month| month.start() < period.start());
        if let Some(month) = earlier
            && was_there(evidence, (item, month), run_of(folder).as_ref(), at).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a run had ended then.
async fn was_there(
    evidence: &StoreRoot,
    of: (&IpeId, Period),
    run: Option<&RunId>,
    at: DateTime<Utc>,
) -> Result<bool, PortError> {
    let Some(run) = run.filter(|run| !began_after(run, at)) else {
        return Ok(false);
    };
    let package: Option<Packaged> = inputs::find(evidence, of, Some(run)).await?;
    Ok(package.is_some_and(|package| package.record.ended_at < at))
}
