//! BigQuery's REST interface: datasets, tables and jobs that are used once, with an engine behind it or without.
//!
//! Without an engine statements are answered by script, and a load job shows its files in the month when it ends. With
//! one (`stand_in`), statements are its, and a load job is what BigQuery makes of a partition decorator.

mod counted;
mod routes;
mod rules;
mod tables;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use soxauto::adapters::bigquery::{BigQuery, DatasetPlace};
use soxauto::adapters::google::Session;
use soxauto::adapters::google::endpoints::Endpoints;
use soxauto::adapters::google::http::Http;
use soxauto::adapters::google::metadata::Metadata;
use soxauto::adapters::google::token::{CachedTokens, Origin};
use soxauto::domain::contract::Contract;
use soxauto::domain::limits::{BigQueryLimits, HttpLimits};
use soxauto::domain::manifest::PartFile;
use soxauto::kernels::bigquery::table::columns;
#[cfg(feature = "sandbox")]
use soxauto::settings::GoogleSettings;

use super::identity::{CLOUD, Issuer};
use super::server::Fake;
use super::stand_in::Engine;
use super::{Google, quick};

pub(crate) const PROJECT: &str = "test-project";
pub(crate) const DATASET: &str = "sox";

#[derive(Clone)]
struct Held {
    configuration: Value,
    /// Where it runs: elsewhere it is not found.
    location: String,
    /// Looks until it ends.
    looks: usize,
    /// `Some(null)` is a good end.
    ended: Option<Value>,
    statistics: Value,
}

#[derive(Default)]
struct Known {
    datasets: BTreeMap<String, String>,
    tables: BTreeMap<String, Value>,
    /// The table that the next CREATE makes.
    making: Value,
    /// Tables made so far: each has another time.
    made: u64,
    /// Tables dropped so far.
    dropped: u64,
    /// Milliseconds after which partitions of new tables are deleted, whatever their statement says.
    expiration_ms: Option<u64>,
    /// The next script ends after its DROP.
    is_halting: bool,
    /// Where files and what they hold are found.
    bucket: Option<Bucket>,
    jobs: BTreeMap<String, Held>,
    /// Files that exist: bytes and rows.
    files: BTreeMap<String, (u64, u64)>,
    /// Files that each partition shows.
    months: BTreeMap<String, Vec<String>>,
    failures: VecDeque<(&'static str, &'static str)>,
    answers: VecDeque<Value>,
    statements: Vec<String>,
    looks: usize,
    is_held: bool,
    is_miscounting: bool,
}

/// A folder in which `gs://staging/x` is the file `x`, and the contract of what lies there.
#[derive(Clone)]
struct Bucket {
    folder: PathBuf,
    contract: Contract,
}

/// What stands for BigQuery.
#[derive(Clone)]
pub(crate) struct Service {
    issuer: Issuer,
    known: Arc<Mutex<Known>>,
    engine: Option<Engine>,
}

/// A service on a port of this machine, and an identity that asks it.
pub(crate) struct Jobs {
    pub(crate) fake: Fake,
    pub(crate) service: Service,
    pub(crate) google: Google,
    patience: Duration,
}

impl Jobs {
    pub(crate) async fn start(engine: Option<Engine>) -> Self {
        // A look that ends a load waits for the engine; it must not be sent twice.
        let patience = match engine {
            Some(_) => Duration::from_secs(60),
            None => quick().silence_timeout,
        };
        let google = match &engine {
            Some(engine) => Google::keeping(engine.buckets()).await,
            None => Google::start().await,
        };
        let service = Service {
            issuer: google.issuer.clone(),
            known: Arc::new(Mutex::new(Known {
                looks: 2,
                ..Known::default()
            })),
            engine,
        };
        Self {
            fake: Fake::serve(routes::router(service.clone())).await,
            service,
            google,
            patience,
        }
    }

    /// How long a reply is waited for, in tests that hold requests back.
    pub(crate) fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn endpoints(&self) -> Vec<(String, String)> {
        let mut places = self.google.endpoints();
        places.push(("bigquery".to_owned(), self.fake.url()));
        places
    }

    /// How a run reaches it.
    #[cfg(feature = "sandbox")]
    pub(crate) fn settings(&self) -> GoogleSettings {
        GoogleSettings {
            endpoints: self.endpoints(),
            ..GoogleSettings::default()
        }
    }

    pub(crate) fn session(&self) -> Session {
        let endpoints = Endpoints::replaced(&self.endpoints()).unwrap();
        let patience = self.patience;
        let limits = HttpLimits {
            silence_timeout: patience,
            attempt_timeout: patience.max(quick().attempt_timeout),
            ..quick()
        };
        let http = Http::new(limits).unwrap();
        let metadata = Metadata::new(endpoints.metadata.clone(), &[CLOUD]);
        let tokens = CachedTokens::new(http.clone(), Origin::Metadata(metadata));
        Session::new(http, Arc::new(tokens), endpoints)
    }

    pub(crate) fn warehouse(&self, limits: BigQueryLimits) -> BigQuery {
        let place = DatasetPlace {
            project: PROJECT.into(),
            dataset: DATASET.into(),
            location: "EU".into(),
        };
        BigQuery::new(self.session(), place, limits)
    }
}

impl Service {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    pub(crate) fn dataset(&self, location: &str) {
        self.known()
            .datasets
            .insert(DATASET.into(), location.into());
    }

    /// The next CREATE makes the table of this contract.
    pub(crate) fn makes(&self, contract: &Contract) {
        self.known().making = table_of(contract);
    }

    /// Puts a table there as somebody would have made it by hand.
    pub(crate) fn table(&self, name: &str, table: Value) {
        self.known().put(name, table);
    }

    /// Somebody changes a table.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        change(self.known().tables.get_mut(name).unwrap());
    }

    /// A table as it is described now.
    pub(crate) fn described(&self, name: &str) -> Value {
        self.known().tables[name].clone()
    }

    /// Months of tables that are made from now on end by themselves.
    pub(crate) fn expire(&self, milliseconds: u64) {
        self.known().expiration_ms = Some(milliseconds);
    }

    /// The next script ends after its DROP.
    pub(crate) fn halt(&self) {
        self.known().is_halting = true;
    }

    /// Tables that were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.known().dropped
    }

    /// Takes files from a folder, and counts months out of them.
    pub(crate) fn bucket(&self, folder: PathBuf, contract: Contract) {
        self.known().bucket = Some(Bucket { folder, contract });
    }

    /// Every job ends that is at work, with nobody looking.
    pub(crate) fn end_jobs(&self) {
        let mut known = self.known();
        let open = known.jobs.iter().filter(|(_, job)| job.ended.is_none());
        let open: Vec<String> = open.map(|(id, _)| id.clone()).collect();
        for id in open {
            known.end(&id);
        }
    }

    pub(crate) fn files(&self, parts: &[PartFile]) {
        let files = parts
            .iter()
            .map(|part| (part.uri.clone(), (part.bytes, part.rows)));
        self.known().files.extend(files);
    }

    /// Load jobs stay at work until they are released or cancelled.
    pub(crate) fn hold(&self, is_held: bool) {
        self.known().is_held = is_held;
    }

    /// Load jobs count a file too many.
    pub(crate) fn miscount(&self) {
        self.known().is_miscounting = true;
    }

    pub(crate) fn fail(&self, reason: &'static str, message: &'static str) {
        self.known().failures.push_back((reason, message));
    }

    /// The reply to the next statement, or to the next look at its answer.
    pub(crate) fn answer(&self, reply: Value) {
        self.known().answers.push_back(reply);
    }

    pub(crate) fn month(&self, partition: &str) -> Vec<String> {
        self.known()
            .months
            .get(partition)
            .cloned()
            .unwrap_or_default()
    }

    /// Lets a month show files, past every job.
    pub(crate) fn show(&self, partition: &str, uris: Vec<String>) {
        self.known().months.insert(partition.into(), uris);
    }

    pub(crate) fn statements(&self) -> Vec<String> {
        self.known().statements.clone()
    }

    /// Ids of the jobs that load.
    pub(crate) fn loads(&self) -> Vec<String> {
        let known = self.known();
        let loads = known
            .jobs
            .iter()
            .filter(|(_, job)| job.configuration["load"].is_object());
        loads.map(|(id, _)| id.clone()).collect()
    }

    /// Puts a load job there as another program would have left it.
    pub(crate) fn left(&self, id: &str, configuration: Value, looks: usize, ended: Option<Value>) {
        let job = Held {
            configuration,
            location: "EU".to_owned(),
            looks,
            ended,
            statistics: Value::Null,
        };
        self.known().jobs.insert(id.into(), job);
    }
}

/// A table in the words of the interface.
pub(crate) fn table_of(contract: &Contract) -> Value {
    let fields: Vec<Value> = columns(contract)
        .iter()
        .map(|column| {
            let (kind, parameters) = match column.data_type.split_once('(') {
                Some((kind, rest)) => (kind, rest.trim_end_matches(')').split_once(", ")),
                None => (column.data_type.as_str(), None),
            };
            let mut field = json!({
                "name": column.name, "type": if kind == "INT64" { "INTEGER" } else { kind },
                "mode": if column.nullable { "NULLABLE" } else { "REQUIRED" },
            });
            if let Some((precision, scale)) = parameters {
                field["precision"] = json!(precision);
                field["scale"] = json!(scale);
            }
            field
        })
        .collect();
    json!({"type": "TABLE", "timePartitioning": {"type": "MONTH", "field": "_period"}, "schema": {"fields": fields}})
}
