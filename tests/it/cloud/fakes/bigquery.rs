//! BigQuery's REST interface: datasets, tables and jobs that are used once, with an engine behind it or without.
//!
//! Without an engine statements are answered by script, and a load job shows its files in the month when it ends. With
//! one (`stand_in`), statements are its, and a load job is what BigQuery makes of a partition decorator.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
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

use super::server::Fake;
use super::stand_in::Engine;
use super::{Google, quick};

pub(crate) const PROJECT: &str = "test-project";
pub(crate) const DATASET: &str = "sox";

#[derive(Clone)]
struct Held {
    configuration: Value,
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

/// What stands for BigQuery.
#[derive(Clone)]
pub(crate) struct Service {
    known: Arc<Mutex<Known>>,
    engine: Option<Engine>,
}

/// A service on a port of this machine, and an identity that asks it.
pub(crate) struct Jobs {
    pub(crate) fake: Fake,
    pub(crate) service: Service,
    google: Google,
}

impl Jobs {
    pub(crate) async fn start(engine: Option<Engine>) -> Self {
        let service = Service {
            known: Arc::new(Mutex::new(Known {
                looks: 2,
                ..Known::default()
            })),
            engine,
        };
        Self {
            fake: Fake::serve(router(service.clone())).await,
            service,
            google: Google::start().await,
        }
    }

    pub(crate) fn session(&self) -> Session {
        let mut places = self.google.endpoints();
        places.push(("bigquery".to_owned(), self.fake.url()));
        let endpoints = Endpoints::replaced(&places).unwrap();
        // A look that ends a load waits for the engine; it must not be sent twice.
        let patience = match self.service.engine {
            Some(_) => Duration::from_secs(60),
            None => quick().silence_timeout,
        };
        let limits = HttpLimits {
            silence_timeout: patience,
            attempt_timeout: patience.max(quick().attempt_timeout),
            ..quick()
        };
        let http = Http::new(limits).unwrap();
        let metadata = Metadata::new(endpoints.metadata.clone(), &["scope"]);
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

    pub(crate) fn table(&self, name: &str, table: Value) {
        self.known().tables.insert(name.into(), table);
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

fn router(service: Service) -> Router {
    let project = "/bigquery/v2/projects/{project}";
    Router::new()
        .route(&format!("{project}/datasets"), post(create_dataset))
        .route(&format!("{project}/datasets/{{dataset}}"), get(dataset))
        .route(
            &format!("{project}/datasets/{{dataset}}/tables/{{table}}"),
            get(table),
        )
        .route(&format!("{project}/queries"), post(statement))
        .route(&format!("{project}/queries/{{job}}"), get(answer))
        .route(&format!("{project}/jobs"), post(insert))
        .route(&format!("{project}/jobs/{{job}}"), get(look))
        .route(&format!("{project}/jobs/{{job}}/cancel"), post(cancel))
        .with_state(service)
}

fn no(status: u16, reason: &str, message: &str) -> Response {
    let body = json!({"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}});
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

fn yes(body: Value) -> Response {
    axum::Json(body).into_response()
}

async fn create_dataset(
    State(service): State<Service>,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    let name = body["datasetReference"]["datasetId"]
        .as_str()
        .unwrap()
        .to_owned();
    if let Some(engine) = &service.engine {
        engine.post("datasets", &body).await;
    }
    let location = body["location"].as_str().unwrap().to_owned();
    match service.known().datasets.insert(name, location) {
        Some(_) => no(409, "duplicate", "Already Exists: Dataset"),
        None => yes(body),
    }
}

async fn dataset(
    State(service): State<Service>,
    Path((_, name)): Path<(String, String)>,
) -> Response {
    match service.known().datasets.get(&name) {
        Some(location) => yes(json!({"location": location})),
        None => no(404, "notFound", "Not found: Dataset"),
    }
}

async fn table(
    State(service): State<Service>,
    Path((_, dataset, name)): Path<(String, String, String)>,
) -> Response {
    if let Some(engine) = &service.engine {
        return engine
            .get(&format!("datasets/{dataset}/tables/{name}"))
            .await;
    }
    match service.known().tables.get(&name) {
        Some(table) => yes(table.clone()),
        None => no(404, "notFound", "Not found: Table"),
    }
}

async fn statement(
    State(service): State<Service>,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    let sql = body["query"].as_str().unwrap().to_owned();
    assert_eq!(
        (&body["useLegacySql"], &body["useQueryCache"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(body["location"], "EU");
    service.known().statements.push(sql.clone());
    if let Some(engine) = &service.engine {
        return engine.post("queries", &body).await;
    }
    let mut known = service.known();
    if sql.starts_with("CREATE") {
        let name = sql.split('`').nth(1).unwrap().rsplit('.').next().unwrap();
        let made = known.making.clone();
        if sql.starts_with("CREATE OR REPLACE") || !known.tables.contains_key(name) {
            known.tables.insert(name.to_owned(), made);
        }
    }
    let reply = known.answers.pop_front();
    yes(reply.unwrap_or_else(|| json!({"jobComplete": true, "totalRows": "0"})))
}

async fn answer(
    State(service): State<Service>,
    Path((_, job)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    if let Some(engine) = &service.engine {
        let pairs: Vec<String> = asked
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        return engine
            .get(&format!("queries/{job}?{}", pairs.join("&")))
            .await;
    }
    assert!(asked.contains_key("location"), "{asked:?}");
    yes(service
        .known()
        .answers
        .pop_front()
        .expect("no answer is planned"))
}

async fn insert(State(service): State<Service>, axum::Json(body): axum::Json<Value>) -> Response {
    let reference = &body["jobReference"];
    let id = reference["jobId"].as_str().unwrap().to_owned();
    let mut known = service.known();
    if known
        .datasets
        .get(DATASET)
        .is_none_or(|location| *location != reference["location"])
    {
        return no(404, "notFound", "Not found: Dataset in this location");
    }
    if known.jobs.contains_key(&id) {
        return no(409, "duplicate", "Already Exists: Job");
    }
    let configuration = body["configuration"].clone();
    let is_load = configuration["load"].is_object();
    let job = Held {
        looks: if is_load { known.looks } else { 0 },
        configuration,
        ended: (!is_load).then_some(Value::Null),
        statistics: Value::Null,
    };
    let said = of(&job);
    known.jobs.insert(id, job);
    yes(said)
}

fn of(job: &Held) -> Value {
    let state = match (&job.ended, job.looks) {
        (Some(_), _) => "DONE",
        (None, 0 | 1) => "RUNNING",
        (None, _) => "PENDING",
    };
    let mut said = json!({"status": {"state": state}, "configuration": job.configuration, "statistics": {"creationTime": "1"}});
    if let Some(error) = job.ended.as_ref().filter(|error| !error.is_null()) {
        said["status"]["errorResult"] = error.clone();
    }
    if !job.statistics.is_null() {
        said["statistics"]["load"] = job.statistics.clone();
    }
    said
}

async fn look(
    State(service): State<Service>,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    assert_eq!(asked.get("location").map(String::as_str), Some("EU"));
    let due = {
        let mut known = service.known();
        let is_held = known.is_held;
        let Some(job) = known.jobs.get_mut(&id) else {
            return no(404, "notFound", "Not found: Job");
        };
        match job.ended {
            None if job.looks > 0 => {
                job.looks -= 1;
                None
            }
            None if !is_held => Some(job.configuration.clone()),
            _ => None,
        }
    };
    if let Some(configuration) = due {
        let failure = service.known().failures.pop_front();
        let (ended, statistics) = match (failure, &service.engine) {
            (Some((reason, message)), _) => {
                (json!({"reason": reason, "message": message}), Value::Null)
            }
            (None, Some(engine)) => engine.load(&id, &configuration["load"]).await,
            (None, None) => service.known().load(&configuration["load"]),
        };
        let mut known = service.known();
        let job = known.jobs.get_mut(&id).unwrap();
        // Somebody may have cancelled it meanwhile; the end that was first stands.
        if job.ended.is_none() {
            job.ended = Some(ended);
            job.statistics = statistics;
        }
    }
    yes(of(&service.known().jobs[&id]))
}

impl Known {
    fn load(&mut self, load: &Value) -> (Value, Value) {
        let partition = load["destinationTable"]["tableId"]
            .as_str()
            .unwrap()
            .to_owned();
        let (table, _) = partition
            .split_once('$')
            .expect("a partition is replaced, never a table");
        if !self.tables.contains_key(table) {
            return (
                json!({"reason": "notFound", "message": "Not found: Table"}),
                Value::Null,
            );
        }
        let uris: Vec<String> = serde_json::from_value(load["sourceUris"].clone()).unwrap();
        let (mut bytes, mut rows) = (0, 0);
        for uri in &uris {
            let Some(file) = self.files.get(uri) else {
                return (
                    json!({"reason": "notFound", "message": "Not found: URI"}),
                    Value::Null,
                );
            };
            bytes += file.0;
            rows += file.1;
        }
        let files = uris.len() + usize::from(self.is_miscounting);
        self.months.insert(partition, uris);
        let said = json!({
            "inputFiles": files.to_string(), "inputFileBytes": bytes.to_string(),
            "outputRows": rows.to_string(), "outputBytes": (bytes * 2).to_string(), "badRecords": "0",
        });
        (Value::Null, said)
    }
}

async fn cancel(State(service): State<Service>, Path((_, id)): Path<(String, String)>) -> Response {
    let mut known = service.known();
    let Some(job) = known.jobs.get_mut(&id) else {
        return no(404, "notFound", "Not found: Job");
    };
    if job.ended.is_none() {
        job.ended = Some(json!({"reason": "stopped", "message": "Job execution was cancelled"}));
    }
    yes(json!({"job": of(job)}))
}
