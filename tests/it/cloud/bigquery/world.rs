//! Whole runs of one month into the scripted service: read, checked, staged, loaded, counted there and sealed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use soxauto::adapters::store;
use soxauto::domain::limits::BigQueryLimits;
use soxauto::pipeline::lease::Leases;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::Places;
use soxauto::pipeline::{ItemOutcome, Tools, run_ipe};
use soxauto::ports::StoreRoot;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::fakes::bigquery::{Jobs, table_of};
use super::brisk;
use crate::chaos::source::{Fixed, item};
use crate::chaos::world::{Hands, Machine, limits};
use crate::evidence::sample::context;
use crate::evidence::world::verify_with;

/// The month that every run here is about.
pub(super) const MONTH: &str = "pg01_validated_ipe_ipe_07$202404";

pub(super) struct World {
    _dir: TempDir,
    pub(super) jobs: Jobs,
    pub(super) staging: StoreRoot,
    pub(super) evidence: StoreRoot,
    pub(super) runs: u32,
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
        let shared = Path::new("/dev/shm");
        let dir = match shared.is_dir() {
            true => tempfile::tempdir_in(shared),
            false => tempfile::tempdir(),
        };
        let dir = dir.unwrap();
        let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
        let (staged, evidence) = (open("staging"), open("evidence"));
        let jobs = Jobs::start(None).await.patient(Duration::from_secs(60));
        let contract = item().contract;
        jobs.service.dataset("EU");
        jobs.service.makes(&contract);
        let table = item().id.table_name();
        if is_by_hand {
            let mut bare = table_of(&contract);
            bare.as_object_mut().unwrap().remove("timePartitioning");
            jobs.service.table(&table, bare);
        }
        jobs.service.bucket(dir.path().join("staging"), contract);
        Self {
            _dir: dir,
            jobs,
            staging: StoreRoot {
                uri: "gs://staging".into(),
                ..staged
            },
            evidence,
            runs: 0,
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
            leases: Leases::within(&self.evidence),
            evidence: self.evidence.clone(),
            clock: Arc::new(self.clock.clone()),
            processes: Arc::new(Machine {
                own: run,
                gone: Arc::clone(&self.gone),
            }),
            progress: Arc::new(Silent),
            stop: CancellationToken::new(),
            limits: limits(),
            places: Places {
                staging: self.staging.uri.clone(),
                warehouse: "bigquery".into(),
                secrets: "test".into(),
                host: "test".into(),
                endpoints: Vec::new(),
                leases: None,
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

    /// Folders of the packages that are sealed.
    pub(super) async fn sealed(&self) -> BTreeSet<String> {
        let stored = self.evidence.list("").await.unwrap().into_iter();
        let folder = |path: String| Some(path.strip_suffix("/manifest-sha256.txt")?.to_owned());
        stored.filter_map(|stored| folder(stored.path)).collect()
    }

    /// A file of the package of a run, which must be sound.
    pub(super) async fn packaged(&self, run: u32, file: &str) -> String {
        let sealed = self.sealed().await;
        let folder = sealed
            .iter()
            .find(|folder| folder.ends_with(&Self::run_id(run)));
        let folder = folder.expect("the run is sealed");
        self.verify(folder).await.unwrap();
        let bytes = self
            .evidence
            .get(&format!("{folder}/{file}"))
            .await
            .unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
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
