//! Earlier months as they were judged: what a trend shows, and which one a month is compared with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reconciled;
use super::inputs::{Chosen, Packaged};
use super::judgement::{self, Judgement};
use super::late::Final;
use crate::domain::amount::Amount;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::reconcile::result::Status;
use crate::domain::reconcile::statement::Since;
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
    /// The judgement of the last month that is closed, where last month was not judged.
    last_final: Option<Judgement>,
    /// The package of last month's balances.
    pub(super) opening: Option<Packaged>,
    /// Whether no earlier month of the balances was ever sealed.
    pub(super) is_first: bool,
}

impl Past {
    /// The judgement that the month is compared with: that of last month, else the last that is final.
    pub(super) fn compared(&self) -> Option<&Judgement> {
        self.last.as_ref().or(self.last_final.as_ref())
    }

    /// Which one that is.
    pub(super) fn since(&self) -> Option<Since> {
        let compared = self.compared()?;
        let place = (compared.period(), compared.run_id.clone());
        Some(Since {
            is_final: self.finals.contains(&place),
            period: place.0,
            run_id: place.1,
            binary_sha256: compared.program.binary_sha256.clone(),
        })
    }
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
    let last_final = match (&last, finals.last()) {
        (None, Some((month, run))) => Some(judgement::read(evidence, *month, run).await?.0),
        _ => None,
    };
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
        last_final,
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

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::domain::reconcile::months::MonthEvent;
    use crate::pipeline::reconcile::Rules;
    use crate::pipeline::reconcile::judgement::tests::judged;
    use crate::report::month;

    const JANUARY: &str = "20240203T090000Z-00000001";
    const MARCH: &str = "20240403T090000Z-00000003";

    pub(in crate::pipeline::reconcile) fn rules() -> Rules {
        let files = [
            (
                "rules/reconciliation/v1.toml",
                include_str!("../../../data/rules/reconciliation/v1.toml"),
            ),
            (
                "rules/vouchers/v1.toml",
                include_str!("../../../data/rules/vouchers/v1.toml"),
            ),
            (
                "rules/collections/v1.toml",
                include_str!("../../../data/rules/collections/v1.toml"),
            ),
            (
                "thresholds/DEFAULT/v1.toml",
                include_str!("../../../data/thresholds/DEFAULT/v1.toml"),
            ),
        ];
        let files = files.map(|(place, text)| (place.to_owned(), text.to_owned()));
        Rules::read(&files.into()).unwrap()
    }

    async fn seal(evidence: &StoreRoot, month: &str, run: &str) {
        let mut statement = month::clean();
        statement.result.period = month.parse().unwrap();
        statement.run_id = run.parse().unwrap();
        let sealed = judgement::seal(evidence, judged(statement), rules()).await;
        sealed.unwrap();
    }

    async fn close(evidence: &StoreRoot, month: &str, run: &str) {
        let event = MonthEvent::Closed {
            run_id: run.parse().unwrap(),
            manifest_sha256: String::new(),
            by: "A. Mwangi".to_owned(),
        };
        let at = "2024-05-01T00:00:00Z".parse().unwrap();
        let month = month.parse().unwrap();
        months::append(evidence, month, event, at, None)
            .await
            .unwrap();
    }

    /// The month that April is compared with, and whether it is final.
    async fn since(evidence: &StoreRoot) -> Option<(String, bool)> {
        let (item, april) = ("CR_04".parse().unwrap(), "2024-04".parse().unwrap());
        let past = past(evidence, &item, april, &Chosen::Newest).await.unwrap();
        let since = past.since()?;
        assert_eq!(Some(&since.run_id), past.compared().map(|one| &one.run_id));
        Some((format!("{} {}", since.period, since.run_id), since.is_final))
    }

    #[tokio::test]
    async fn a_month_is_compared_with_the_last_one_else_with_the_last_that_is_final() {
        let evidence = StoreRoot {
            store: Arc::new(InMemory::new()),
            uri: "memory://evidence".to_owned(),
        };
        assert_eq!(since(&evidence).await, None, "nothing came before");
        seal(&evidence, "2024-01", JANUARY).await;
        assert_eq!(since(&evidence).await, None, "nobody closed January");
        close(&evidence, "2024-01", JANUARY).await;
        let january = (format!("2024-01 {JANUARY}"), true);
        assert_eq!(since(&evidence).await, Some(january));
        seal(&evidence, "2024-03", MARCH).await;
        let march = |is_final| Some((format!("2024-03 {MARCH}"), is_final));
        assert_eq!(since(&evidence).await, march(false));
        close(&evidence, "2024-03", MARCH).await;
        assert_eq!(since(&evidence).await, march(true));
    }
}
