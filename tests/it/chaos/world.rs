//! Runs on threads of their own, of which one moves at a time: each ends, or sleeps at its gate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::app::SystemClock;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::{ProcessMark, RunContext};
use soxauto::pipeline::clean::{self, CleanTools};
use soxauto::pipeline::lease::Leases;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::Places;
use soxauto::pipeline::{ItemOutcome, Tools, run_ipe};
use soxauto::ports::{Clock, LoadJob, Processes, StoreRoot};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::gate::{Gate, Guarded, Plan};
use super::source::{Fixed, item};
use crate::evidence::sample::context;

/// What a run on its thread says.
pub(super) enum Event {
    Stopped,
    Ended(u32, Box<ItemOutcome>),
}

/// The clock of every machine, moved by hand.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicI64>, DateTime<Utc>);

impl Hands {
    pub(crate) fn now() -> Self {
        Self(Arc::default(), SystemClock.now())
    }

    /// Every lease that nobody renews expires.
    pub(crate) fn expire(&self) {
        self.0.fetch_add(301_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        self.1 + TimeDelta::milliseconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// The processes of one machine; each run is one.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) own: u32,
    pub(crate) gone: Arc<Mutex<BTreeSet<u32>>>,
}

impl Processes for Machine {
    fn mine(&self) -> Option<ProcessMark> {
        Some(ProcessMark {
            boot: "b".into(),
            namespace: "n".into(),
            pid: self.own,
            started_ticks: 1,
        })
    }

    fn is_gone(&self, mark: &ProcessMark) -> bool {
        self.gone.lock().unwrap().contains(&mark.pid)
    }
}

pub(super) struct World {
    pub(super) staging: StoreRoot,
    pub(super) evidence: StoreRoot,
    pub(super) warehouse: LocalWarehouse,
    pub(super) root: StoreRoot,
    pub(super) jobs: Arc<Mutex<BTreeMap<String, LoadJob>>>,
    /// Runs that sleep.
    pub(super) asleep: BTreeMap<u32, Arc<Gate>>,
    pub(super) runs: u32,
    /// Runs that slept while somebody cleaned: whose lease had expired, their parts may be gone.
    pub(super) cleaned_under: BTreeSet<String>,
    /// The mutation: loads do not say where they stand.
    pub(super) fenced: bool,
    clock: Hands,
    gone: Arc<Mutex<BTreeSet<u32>>>,
    sender: Sender<Event>,
    events: Receiver<Event>,
    pub(super) dir: TempDir,
}

pub(crate) fn limits() -> Limits {
    Limits {
        evidence_reserve_bytes: 0,
        ..Limits::default()
    }
}

impl World {
    pub(super) fn new() -> Self {
        // Memory where there is some: every write is seen onto the disk.
        let shared = Path::new("/dev/shm");
        let dir = if shared.is_dir() {
            tempfile::tempdir_in(shared)
        } else {
            tempfile::tempdir()
        };
        let dir = dir.unwrap();
        let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
        let (staging, evidence, root) = (open("staging"), open("evidence"), open("warehouse"));
        let (sender, events) = channel();
        Self {
            warehouse: LocalWarehouse::new(&root, staging.clone()).unwrap(),
            staging,
            evidence,
            root,
            jobs: Arc::default(),
            asleep: BTreeMap::new(),
            runs: 0,
            cleaned_under: BTreeSet::new(),
            fenced: true,
            clock: Hands::now(),
            gone: Arc::default(),
            sender,
            events,
            dir,
        }
    }

    pub(super) fn context(run: u32) -> RunContext {
        context(run)
    }

    /// Starts a run and lets it go on until it sleeps or ends; its outcome, unless it sleeps or died.
    pub(super) fn run(&mut self, plan: Plan) -> Option<ItemOutcome> {
        self.runs += 1;
        let run = self.runs;
        let (sender, jobs) = (self.sender.clone(), Arc::clone(&self.jobs));
        let gate = Gate::new(plan, sender.clone(), self.fenced, jobs);
        let staging = gate.root(self.staging.clone());
        let warehouse = LocalWarehouse::new(&self.root, staging.clone()).unwrap();
        let tools = Tools {
            sources: Arc::new(Fixed(run)),
            warehouse: Arc::new(Guarded {
                inner: warehouse,
                gate: Arc::clone(&gate),
            }),
            leases: Leases::within(&gate.root(self.evidence.clone())),
            evidence: gate.root(self.evidence.clone()),
            clock: Arc::new(self.clock.clone()),
            processes: Arc::new(self.machine(run)),
            progress: Arc::new(Silent),
            stop: CancellationToken::new(),
            limits: limits(),
            places: Places {
                staging: staging.uri.clone(),
                warehouse: "warehouse".into(),
                secrets: "test".into(),
                host: "test".into(),
                caller: None,
                endpoints: Vec::new(),
                leases: None,
            },
            staging,
        };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let outcome = runtime
                .unwrap()
                .block_on(run_ipe(&tools, &Self::context(run), &item()));
            sender.send(Event::Ended(run, Box::new(outcome))).unwrap();
        });
        self.asleep.insert(run, gate);
        self.next()
    }

    /// Lets a sleeping run go on, or ends its process.
    pub(super) fn wake(&mut self, run: u32, dead: bool) -> Option<ItemOutcome> {
        self.asleep[&run].wake(dead);
        self.next()
    }

    fn next(&mut self) -> Option<ItemOutcome> {
        let event = self
            .events
            .recv_timeout(Duration::from_secs(60))
            .expect("a run hangs");
        match event {
            Event::Stopped => None,
            Event::Ended(run, outcome) => {
                let gate = self.asleep.remove(&run).unwrap();
                if gate.is_dead() {
                    // Odd runs are seen to be gone; the others were on another machine.
                    self.gone
                        .lock()
                        .unwrap()
                        .extend((run % 2 == 1).then_some(run));
                    return None;
                }
                self.gone.lock().unwrap().insert(run);
                Some(*outcome)
            }
        }
    }

    fn machine(&self, own: u32) -> Machine {
        let gone = Arc::clone(&self.gone);
        Machine { own, gone }
    }

    /// Every lease that nobody renews expires.
    pub(super) fn expire(&self) {
        self.clock.expire();
    }

    /// `clean --remove`.
    pub(super) async fn clean(&mut self) {
        let asleep = self.asleep.keys().map(|run| Self::context(*run).run_id);
        self.cleaned_under.extend(asleep.map(|run| run.to_string()));
        let tools = CleanTools {
            staging: Some(self.staging.clone()),
            warehouse: Some((self.root.clone(), self.warehouse.leftovers().unwrap())),
            leases: Leases::within(&self.evidence),
            evidence: self.evidence.clone(),
            clock: Arc::new(self.clock.clone()),
            processes: Arc::new(self.machine(0)),
            limits: limits(),
        };
        let found = clean::find(&tools).await.unwrap();
        clean::remove(&tools, found).await;
    }
}
