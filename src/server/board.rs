//! What runs have come to: the one in flight with its progress, and the last ones that ended with their results.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::run::{ItemStatus, RunContext};
use crate::pipeline::elsewhere::{Left, Trace};
use crate::pipeline::progress::{KeysExamined, Progress, Stage};
use crate::pipeline::workflow::WorkflowResult;

/// How far an item has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct ItemProgress {
    /// The step that it is in; `None` before its first.
    stage: Option<&'static str>,
    /// Rows that are staged or on their way.
    rows: u64,
    /// Rows that the source announced.
    rows_expected: Option<u64>,
    /// Outcome, once it has ended.
    status: Option<ItemStatus>,
}

/// Listens to one run.
#[derive(Default)]
pub(super) struct Listener(Mutex<BTreeMap<IpeId, ItemProgress>>);

impl Listener {
    fn with(&self, ipe: &IpeId, change: impl FnOnce(&mut ItemProgress)) {
        change(locked(&self.0).entry(ipe.clone()).or_default());
    }
}

impl Progress for Listener {
    fn stage(&self, ipe: &IpeId, stage: Stage) {
        self.with(ipe, |item| item.stage = Some(stage.word()));
    }

    fn expected(&self, ipe: &IpeId, rows: u64) {
        self.with(ipe, |item| item.rows_expected = Some(rows));
    }

    fn rows(&self, ipe: &IpeId, rows: u64) {
        self.with(ipe, |item| item.rows = rows);
    }

    fn keys(&self, _ipe: &IpeId, _found: KeysExamined) {}

    fn finished(&self, ipe: &IpeId, status: ItemStatus) {
        self.with(ipe, |item| item.status = Some(status));
    }
}

/// A run that was started here.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) run_id: RunId,
    pub(super) period: Period,
    items: BTreeSet<IpeId>,
    pub(super) started_at: DateTime<Utc>,
    listener: Arc<Listener>,
    pub(super) stop: CancellationToken,
    end: Option<End>,
}

/// How a run ended.
#[derive(Clone)]
pub(super) enum End {
    /// With a result.
    Result(Arc<WorkflowResult>),
    /// Without one, which is a mistake of the program.
    Lost(String),
}

/// A run as it is shown.
#[derive(Serialize)]
pub(super) struct RunView {
    run_id: RunId,
    period: Period,
    cutoff_date: NaiveDate,
    started_at: DateTime<Utc>,
    /// `RUNNING`, what the result says of the whole, or `LOST`.
    status: String,
    ipes: BTreeMap<IpeId, ItemProgress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Arc<WorkflowResult>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    /// Where the packages lie, of a run that another process made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    packages: BTreeMap<IpeId, String>,
}

/// What of a run that another process made is left behind without a package.
const UNSEALED: &str = "nobody is at work on it, and not all of it was sealed: the next run of the month seals the rest as \
     ABANDONED";

impl RunView {
    /// What leases and packages say of a run that another process made.
    pub(super) fn of_trace(run_id: RunId, trace: Trace) -> Self {
        let status = trace.word().to_owned();
        let is_unsealed = trace.items.values().any(|left| *left == Left::Nothing);
        let (mut ipes, mut packages) = (BTreeMap::new(), BTreeMap::new());
        for (ipe, left) in trace.items {
            let mut progress = ItemProgress::default();
            if let Left::Sealed(package) = left {
                (progress.rows, progress.status) = (package.rows, Some(package.status));
                packages.insert(ipe.clone(), package.uri);
            }
            ipes.insert(ipe, progress);
        }
        Self {
            started_at: run_id.started_at().unwrap_or_default(),
            run_id,
            period: trace.period,
            cutoff_date: trace.period.cutoff(),
            status,
            ipes,
            result: None,
            failure_reason: is_unsealed.then(|| UNSEALED.to_owned()),
            packages,
        }
    }
}

impl Run {
    pub(super) fn new(
        context: &RunContext,
        items: BTreeSet<IpeId>,
        listener: Arc<Listener>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            run_id: context.run_id.clone(),
            period: context.period,
            items,
            started_at: context.started_at,
            listener,
            stop,
            end: None,
        }
    }

    /// Whether it runs an item of that name.
    pub(super) fn has(&self, item: &str) -> bool {
        self.items.iter().any(|one| one.as_str() == item)
    }

    /// What is shown of it, its result only if it is asked for.
    pub(super) fn view(&self, with_result: bool) -> RunView {
        let (status, result, failure_reason) = match &self.end {
            None => ("RUNNING".to_owned(), None, None),
            Some(End::Result(result)) => {
                let status = result.overall_status.word().to_owned();
                (
                    status,
                    Some(Arc::clone(result)),
                    result.failure_reason.clone(),
                )
            }
            Some(End::Lost(why)) => ("LOST".to_owned(), None, Some(why.clone())),
        };
        RunView {
            run_id: self.run_id.clone(),
            period: self.period,
            cutoff_date: self.period.cutoff(),
            started_at: self.started_at,
            status,
            ipes: locked(&self.listener.0).clone(),
            result: result.filter(|_| with_result),
            failure_reason,
            packages: BTreeMap::new(),
        }
    }
}

/// The runs that are remembered, oldest first.
pub(super) struct Board {
    runs: Mutex<VecDeque<Run>>,
    kept_max: usize,
}

impl Board {
    pub(super) fn new(kept_max: usize) -> Self {
        Self {
            runs: Mutex::default(),
            kept_max,
        }
    }

    /// Notes a run that begins; forgets the oldest one that has ended if there are too many.
    pub(super) fn begin(&self, run: Run) {
        let mut runs = locked(&self.runs);
        runs.push_back(run);
        if runs.len() > self.kept_max
            && let Some(oldest) = runs.iter().position(|run| run.end.is_some())
        {
            runs.remove(oldest);
        }
    }

    /// Notes how a run ended.
    pub(super) fn end(&self, run_id: &RunId, end: End) {
        if let Some(run) = locked(&self.runs)
            .iter_mut()
            .find(|run| run.run_id == *run_id)
        {
            run.end = Some(end);
        }
    }

    /// The run in flight.
    pub(super) fn running(&self) -> Option<Run> {
        let runs = locked(&self.runs);
        runs.iter().find(|run| run.end.is_none()).cloned()
    }

    /// The run of that name.
    pub(super) fn run(&self, run_id: &str) -> Option<Run> {
        let runs = locked(&self.runs);
        runs.iter()
            .find(|run| run.run_id.as_str() == run_id)
            .cloned()
    }

    /// All that are remembered, newest first.
    pub(super) fn runs(&self) -> Vec<Run> {
        locked(&self.runs).iter().rev().cloned().collect()
    }
}

/// What is behind the lock is whole after every change, so a panic elsewhere does not spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u32) -> Run {
        let started_at = DateTime::<Utc>::UNIX_EPOCH;
        Run {
            run_id: RunId::new(started_at, number),
            period: "2024-04".parse().unwrap(),
            items: BTreeSet::new(),
            started_at,
            listener: Arc::default(),
            stop: CancellationToken::new(),
            end: None,
        }
    }

    #[test]
    fn only_runs_that_ended_are_forgotten_and_the_oldest_first() {
        let board = Board::new(2);
        for number in 0..4 {
            board.begin(run(number));
            if number > 0 {
                board.end(&run(number).run_id, End::Lost("x".into()));
            }
        }
        let left: Vec<RunId> = board.runs().into_iter().map(|run| run.run_id).collect();
        assert_eq!(left, [run(3).run_id, run(0).run_id]);
        assert_eq!(board.running().map(|run| run.run_id), Some(run(0).run_id));
        assert!(board.run(run(1).run_id.as_str()).is_none());
    }
}
