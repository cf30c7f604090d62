//! Whole runs of one month into the scripted service: read, checked, staged, loaded, counted there and sealed.
//!
//! Staging, evidence and leases lie in buckets, each in its own, and the load jobs read what was staged there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use soxauto::adapters::google::storage;
use soxauto::domain::limits::{BigQueryLimits, Limits};
use soxauto::pipeline::lease::{Leases, at_work};
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::{ItemRecord, Places};
use soxauto::pipeline::{ItemOutcome, Tools, run_ipe};
use soxauto::ports::{Clock, Processes, StoreRoot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::fakes::bigquery::{Jobs, table_of};
use super::brisk;
use crate::chaos::source::{Fixed, item};
use crate::chaos::world::{Hands, Machine, limits};
use crate::evidence::sample::{context, period};
use crate::evidence::world::verify_with;

/// The month that every run here is about.
pub(super) const MONTH: &str = "pg01_validated_ipe_ipe_07$202404";

/// The prefix of each root: it stands in the line of every request about objects, and of no other.
pub(super) const BELOW: &str = "soxauto";

const BUCKETS: [&str; 3] = ["staging", "evidence", "leases"];

pub(super) struct World {
    pub(super) jobs: Jobs,
    pub(super) staging: StoreRoot,
    pub(super) evidence: StoreRoot,
    pub(super) leases: Leases,
    pub(super) runs: u32,
    /// Time between two signs of life of a run that begins.
    pub(super) beats: Duration,
    clock: Hands,
    /// Processes that are seen to be gone.
    gone: Arc<Mutex<BTreeSet<u32>>>,
}

/// A run that was begun.
pub(super) struct Running(JoinSet<ItemOutcome>);

impl Running {
    pub(super) async fn ended(&mut self) -> ItemOutcome {
        self.0.join_next().await.unwrap().unwrap()
    }

    /// It does nothing more, wherever it is.
    pub(super) async fn kill(mut self) {
        self.0.shutdown().await;
    }
}

impl World {
    /// A dataset without a table, or with the one that the guide has somebody make.
    pub(super) async fn start(is_by_hand: bool) -> Self {
        let jobs = Jobs::start(None).await.patient(Duration::from_secs(60));
        jobs.google.buckets.page(1_000);
        let session = jobs.session();
        let open = |bucket: &str| {
            storage::root(session.clone(), &format!("gs://{bucket}/{BELOW}")).unwrap()
        };
        let [staging, evidence, leases] = BUCKETS.map(open);
        let contract = item().contract;
        jobs.service.dataset("EU");
        jobs.service.makes(&contract);
        let table = item().id.table_name();
        if is_by_hand {
            let mut bare = table_of(&contract);
            bare.as_object_mut().unwrap().remove("timePartitioning");
            jobs.service.table(&table, bare);
        }
        jobs.service.bucket(jobs.google.bucket("staging"), contract);
        Self {
            jobs,
            staging,
            leases: Leases::new(leases, &evidence),
            evidence,
            runs: 0,
            beats: limits().lease_beat_interval,
            clock: Hands::now(),
            gone: Arc::default(),
        }
    }

    pub(super) fn run_id(run: u32) -> String {
        context(run).run_id.to_string()
    }

    /// Begins the next run.
    pub(super) fn begin(&mut self, within: BigQueryLimits) -> Running {
        self.runs += 1;
        let run = self.runs;
        let tools = Tools {
            sources: Arc::new(Fixed(run)),
            warehouse: Arc::new(self.jobs.warehouse(within)),
            staging: self.staging.clone(),
            leases: self.leases.clone(),
            evidence: self.evidence.clone(),
            clock: Arc::new(self.clock.clone()),
            processes: Arc::new(Machine {
                own: run,
                gone: Arc::clone(&self.gone),
            }),
            progress: Arc::new(Silent),
            stop: CancellationToken::new(),
            limits: Limits {
                lease_beat_interval: self.beats,
                // Every row is a part of its own.
                part_bytes_max: 1,
                ..limits()
            },
            places: Places {
                staging: self.staging.uri.clone(),
                warehouse: "bigquery".into(),
                secrets: "test".into(),
                host: "test".into(),
                caller: None,
                endpoints: Vec::new(),
                leases: self.leases.apart().map(str::to_owned),
            },
        };
        let mut running = JoinSet::new();
        running.spawn(async move { run_ipe(&tools, &context(run), &item()).await });
        Running(running)
    }

    /// A run from its beginning to its end.
    pub(super) async fn run(&mut self) -> ItemOutcome {
        let outcome = self.begin(brisk()).ended().await;
        self.seen_gone(self.runs);
        outcome
    }

    /// The process of a run is no more, on this machine.
    pub(super) fn seen_gone(&self, run: u32) {
        self.gone.lock().unwrap().insert(run);
    }

    /// Every lease that nobody renews expires.
    pub(super) fn expire(&self) {
        self.clock.expire();
    }

    /// Part files by run, as they lie in staging.
    pub(super) async fn staged(&self) -> BTreeMap<String, Vec<String>> {
        let mut runs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for stored in self.staging.list("").await.unwrap() {
            if stored.path.ends_with(".parquet") {
                let run = stored.path.split("run=").nth(1).unwrap();
                let run = run.split('/').next().unwrap().to_owned();
                let parts = runs.entry(run).or_default();
                parts.push(self.staging.uri_of(&stored.path));
                parts.sort();
            }
        }
        runs
    }

    /// The run that the month shows, all of its files and nothing else; no name before the first load.
    pub(super) async fn shown(&self) -> Result<String, String> {
        let files = self.jobs.service.month(MONTH);
        if files.is_empty() {
            return Ok(String::new());
        }
        let staged = self.staged().await;
        let whole = staged.iter().find(|(_, parts)| **parts == files);
        let whole = whole.map(|(run, _)| run.clone());
        whole.ok_or_else(|| format!("the month is no whole run: {files:?} of {staged:?}"))
    }

    /// Every object in a bucket, with its generation.
    pub(super) fn objects(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for bucket in BUCKETS {
            let objects = self.jobs.google.buckets.objects(bucket).into_iter();
            all.extend(objects.map(|(name, generation)| (format!("{bucket}/{name}"), generation)));
        }
        all
    }

    /// The run that is at work, to those who see no process end.
    pub(super) async fn holder(&self) -> Option<String> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let processes: Arc<dyn Processes> = Arc::new(Machine {
            own: 0,
            gone: Arc::default(),
        });
        let (item, limits) = (item().id, limits());
        let month = (&item, period());
        let holder = at_work(&self.leases, month, &clock, &processes, &limits).await;
        Some(holder.unwrap()?.run_id.to_string())
    }

    /// Folders of the packages that are sealed.
    pub(super) async fn sealed(&self) -> BTreeSet<String> {
        let stored = self.evidence.list("").await.unwrap().into_iter();
        let folder = |path: String| Some(path.strip_suffix("/manifest-sha256.txt")?.to_owned());
        stored.filter_map(|stored| folder(stored.path)).collect()
    }

    /// A file of the package that a run sealed itself, which must be sound.
    pub(super) async fn packaged(&self, run: u32, file: &str) -> String {
        self.sound(&Self::run_id(run), file).await
    }

    /// The same of the one that was sealed in its name.
    pub(super) async fn abandoned(&self, run: u32, file: &str) -> String {
        let end = format!("{}.abandoned", Self::run_id(run));
        self.sound(&end, file).await
    }

    async fn sound(&self, end: &str, file: &str) -> String {
        let sealed = self.sealed().await;
        let folder = sealed.iter().find(|folder| folder.ends_with(end));
        let folder = folder.expect("the run is sealed");
        self.verify(folder).await.unwrap();
        self.text(folder, file).await
    }

    async fn text(&self, folder: &str, file: &str) -> String {
        let path = format!("{folder}/{file}");
        let bytes = self.evidence.get(&path).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// The record in a package.
    pub(super) async fn record(&self, folder: &str) -> ItemRecord {
        serde_json::from_str(&self.text(folder, "data/record.json").await).unwrap()
    }

    pub(super) async fn verify(&self, folder: &str) -> Result<(), String> {
        let package = self.evidence.below(folder);
        let report = verify_with(&package, Some(&self.staging), None).await;
        match report.findings.is_empty() && report.not_run.is_empty() {
            true => Ok(()),
            false => Err(format!("{folder} does not verify: {report:#?}")),
        }
    }
}
