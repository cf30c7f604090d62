//! Where a run may be cut, stopped or lied to: one gate that every operation on storage and warehouse passes.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex};

use async_trait::async_trait;
use soxauto::adapters::local_warehouse::{LocalWarehouse, Step};
use soxauto::domain::contract::Contract;
use soxauto::domain::manifest::LoadReceipt;
use soxauto::domain::period::Period;
use soxauto::ports::{
    LoadJob, PortError, PortErrorKind, ReadBack, SmallTable, StoreRoot, Tell, Warehouse,
};

use super::world::Event;
use crate::support::{Moment, guarded};

/// What happens at an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// It is refused before it did anything.
    Refused,
    /// It is done, and reported as failed.
    Lost,
    /// The process is gone: it and everything after it does nothing.
    Killed,
    /// The process sleeps here until it is woken.
    Stopped,
}

#[derive(Default)]
struct State {
    operations: usize,
    dead: bool,
    asleep: bool,
    /// The reply to the operation that is under way will be lost.
    losing: bool,
}

/// The gate of one run.
pub(super) struct Gate {
    plan: Plan,
    state: Mutex<State>,
    woken: Condvar,
    events: Sender<Event>,
    /// Whether its loads say where they stand; off is the mutation.
    pub(super) fenced: bool,
    /// What each run asked to be loaded.
    pub(super) jobs: Arc<Mutex<BTreeMap<String, LoadJob>>>,
}

/// When what happens: by the number of the operation, or once before a step of the load.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) at: BTreeMap<usize, Fault>,
    pub(super) at_step: Option<(Step, Fault)>,
}

impl Gate {
    pub(super) fn new(
        plan: Plan,
        events: Sender<Event>,
        fenced: bool,
        jobs: Arc<Mutex<BTreeMap<String, LoadJob>>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            plan,
            state: Mutex::default(),
            woken: Condvar::new(),
            events,
            fenced,
            jobs,
        })
    }

    /// Wakes a run that sleeps; a dead one wakes only to find that nothing works any more.
    pub(super) fn wake(&self, dead: bool) {
        let mut state = self.state.lock().unwrap();
        state.asleep = false;
        state.dead |= dead;
        self.woken.notify_all();
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.lock().unwrap().dead
    }

    fn before(&self, step: Option<&Step>) -> Result<(), &'static str> {
        let mut state = self.state.lock().unwrap();
        if state.dead {
            return Err("the process is gone");
        }
        state.operations += 1;
        let planned = self.plan.at_step.as_ref();
        let by_step = planned.filter(|(at, _)| Some(at) == step).map(|(_, f)| *f);
        let fault = by_step.or_else(|| self.plan.at.get(&state.operations).copied());
        // Who sleeps in the midst of a switch keeps the turn: others are told so after two seconds, which a test of
        // the warehouse shows.
        let in_turn = matches!(
            step,
            Some(Step::SyncFolder | Step::WriteCurrent | Step::PlaceCurrent | Step::SyncMonth)
        );
        match fault {
            Some(Fault::Refused) => return Err("503 service unavailable"),
            Some(Fault::Lost) => state.losing = true,
            Some(Fault::Killed) => state.dead = true,
            Some(Fault::Stopped) if !in_turn => {
                state.asleep = true;
                self.events.send(Event::Stopped).unwrap();
                state = self.woken.wait_while(state, |s| s.asleep).unwrap();
            }
            _ => {}
        }
        if state.dead {
            return Err("the process is gone");
        }
        Ok(())
    }

    fn after(&self) -> Result<(), &'static str> {
        let mut state = self.state.lock().unwrap();
        match std::mem::take(&mut state.losing) {
            true => Err("503 service unavailable, after it was done"),
            false => Ok(()),
        }
    }

    /// A root whose operations pass here.
    pub(super) fn root(self: &Arc<Self>, root: StoreRoot) -> StoreRoot {
        let gate = Arc::clone(self);
        guarded(root, move |moment| {
            let passed = match moment {
                Moment::Before(_) => gate.before(None),
                Moment::After => gate.after(),
            };
            passed.map_err(Into::into)
        })
    }
}

/// A warehouse whose operations, and every step of a load, pass the gate.
pub(super) struct Guarded {
    pub(super) inner: LocalWarehouse,
    pub(super) gate: Arc<Gate>,
}

fn unreachable(what: &str) -> PortError {
    PortError::new(PortErrorKind::Unreachable, what)
}

impl Guarded {
    async fn pass<T>(
        &self,
        work: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        self.gate.before(None).map_err(unreachable)?;
        // Asked before the work, whose own operations pass the gate too.
        let replied = self.gate.after();
        let done = work.await?;
        replied.map_err(unreachable)?;
        Ok(done)
    }
}

#[async_trait]
impl Warehouse for Guarded {
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        self.pass(self.inner.prepare(table, contract)).await
    }

    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError> {
        let mut job = job.clone();
        if !self.gate.fenced {
            job.fence = None;
        }
        let run = job.metadata.run_id.to_string();
        self.gate.jobs.lock().unwrap().insert(run, job.clone());
        let gate = Arc::clone(&self.gate);
        let watch = move |step: &Step| gate.before(Some(step)).map_err(unreachable);
        self.pass(self.inner.load_watched(&job, Arc::new(watch), tell))
            .await
    }

    async fn read_back(
        &self,
        table: &str,
        period: Period,
        contract: &Contract,
        rows_max: usize,
    ) -> Result<ReadBack, PortError> {
        self.pass(self.inner.read_back(table, period, contract, rows_max))
            .await
    }

    async fn rows(&self, sql: &str, rows_max: usize) -> Result<SmallTable, PortError> {
        self.pass(self.inner.rows(sql, rows_max)).await
    }

    fn location(&self) -> String {
        self.inner.location()
    }
}
