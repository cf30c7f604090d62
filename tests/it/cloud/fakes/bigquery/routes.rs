//! What is asked and answered.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::{DATASET, Held, Known, PROJECT, Service, rules};

pub(super) fn router(service: Service) -> Router {
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
        .layer(from_fn_with_state(service.clone(), rules::guard))
        .with_state(service)
}

pub(super) fn no(status: u16, reason: &str, message: &str) -> Response {
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
    if body["datasetReference"]["projectId"] != PROJECT {
        return no(400, "invalid", "another project");
    }
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
        let statements = service.statements();
        return engine.table(&dataset, &name, &statements).await;
    }
    let known = service.known();
    if !known.datasets.contains_key(&dataset) {
        return no(404, "notFound", "Not found: Dataset");
    }
    match known.tables.get(&name) {
        Some(table) => yes(table.clone()),
        None => no(404, "notFound", "Not found: Table"),
    }
}

async fn statement(
    State(service): State<Service>,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if let Some(said) = rules::statement(&body) {
        return no(400, "invalid", &said);
    }
    let sql = body["query"].as_str().unwrap().to_owned();
    // A question that names no table is answered anywhere.
    let elsewhere = service.known().elsewhere(&body["location"]);
    if let Some(refusal) = elsewhere.filter(|_| sql.contains('`')) {
        return refusal;
    }
    service.known().statements.push(sql.clone());
    if let Some(engine) = &service.engine {
        return engine.post("queries", &body).await;
    }
    let mut known = service.known();
    match known.answered(&sql) {
        Ok(Some(page)) => yes(page),
        Ok(None) => {
            let reply = known.answers.pop_front();
            yes(reply.unwrap_or_else(|| json!({"jobComplete": true, "totalRows": "0"})))
        }
        Err(message) => no(400, "invalidQuery", &message),
    }
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
    let location = asked.get("location").cloned().unwrap_or_default();
    if let Some(refusal) = service.known().elsewhere(&json!(location)) {
        return refusal;
    }
    yes(service
        .known()
        .answers
        .pop_front()
        .expect("no answer is planned"))
}

async fn insert(State(service): State<Service>, axum::Json(body): axum::Json<Value>) -> Response {
    if let Some(said) = rules::job(&body) {
        return no(400, "invalid", &said);
    }
    let reference = &body["jobReference"];
    let id = reference["jobId"].as_str().unwrap().to_owned();
    let mut known = service.known();
    if let Some(refusal) = known.elsewhere(&reference["location"]) {
        return refusal;
    }
    if known.jobs.contains_key(&id) {
        return no(409, "duplicate", "Already Exists: Job");
    }
    let configuration = body["configuration"].clone();
    // A job that stands for a place or an attempt does nothing and has ended at once.
    let is_mark = configuration["query"]["query"] == "SELECT 1";
    let job = Held {
        looks: if is_mark { 0 } else { known.looks },
        configuration,
        location: reference["location"].as_str().unwrap().to_owned(),
        ended: is_mark.then_some(Value::Null),
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
    let due = {
        let mut known = service.known();
        let is_held = known.is_held;
        let Some(job) = known.job(&id, &asked) else {
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
    match (due, &service.engine) {
        (None, _) => {}
        (Some(_), None) => service.known().end(&id),
        (Some(configuration), Some(engine)) => {
            let (ended, statistics) = match configuration["query"]["query"].as_str() {
                Some(script) => (engine.run(script).await.err(), Value::Null),
                None => {
                    let (ended, said) = engine.load(&id, &configuration["load"]).await;
                    (Some(ended), said)
                }
            };
            let ended = ended.unwrap_or_default();
            service.known().note(&id, ended, statistics);
        }
    }
    yes(of(&service.known().jobs[&id]))
}

impl Known {
    /// A job, where it is asked for in the location in which it runs.
    fn job(&mut self, id: &str, asked: &BTreeMap<String, String>) -> Option<&mut Held> {
        let job = self.jobs.get_mut(id)?;
        (asked.get("location") == Some(&job.location)).then_some(job)
    }

    /// The refusal of what is to happen elsewhere than where the dataset is.
    fn elsewhere(&self, location: &Value) -> Option<Response> {
        let is_there = self.datasets.get(DATASET).is_some_and(|at| at == location);
        (!is_there).then(|| no(404, "notFound", "Not found: Dataset in this location"))
    }

    /// The end of a job, by script or by what it does.
    pub(super) fn end(&mut self, id: &str) {
        let configuration = self.jobs[id].configuration.clone();
        let (ended, statistics) = match self.failures.pop_front() {
            Some((reason, message)) => (json!({"reason": reason, "message": message}), Value::Null),
            None => match configuration["query"]["query"].as_str() {
                Some(script) => (self.script(script), Value::Null),
                None => self.load(&configuration["load"]),
            },
        };
        self.note(id, ended, statistics);
    }

    /// Somebody may have cancelled it meanwhile; the end that was first stands.
    fn note(&mut self, id: &str, ended: Value, statistics: Value) {
        let job = self.jobs.get_mut(id).unwrap();
        if job.ended.is_none() {
            job.ended = Some(ended);
            job.statistics = statistics;
        }
    }

    fn load(&mut self, load: &Value) -> (Value, Value) {
        let no = |what: &str| {
            let message = format!("Not found: {what}");
            (
                json!({"reason": "notFound", "message": message}),
                Value::Null,
            )
        };
        let bad = |what: &str| (json!({"reason": "invalid", "message": what}), Value::Null);
        let partition = load["destinationTable"]["tableId"]
            .as_str()
            .unwrap()
            .to_owned();
        let (table, month) = partition
            .split_once('$')
            .expect("a partition is replaced, never a table");
        if month.len() != 6 || month.parse::<u32>().is_err() {
            return bad("the partition is no month");
        }
        if !load["schema"].is_null() {
            return bad("the schema of the files would be that of the table");
        }
        if load["decimalTargetTypes"] != json!(["NUMERIC", "BIGNUMERIC"]) {
            return bad("a decimal does not fit NUMERIC");
        }
        if !self.tables.contains_key(table) {
            return no("Table");
        }
        let uris: Vec<String> = serde_json::from_value(load["sourceUris"].clone()).unwrap();
        let (mut bytes, mut rows) = (0, 0);
        for uri in &uris {
            let Some(file) = self.file(uri) else {
                return no("URI");
            };
            bytes += file.0;
            rows += file.1;
        }
        let files = uris.len() + usize::from(self.is_miscounting);
        let month = self.months.entry(partition).or_default();
        // What is not said to be replaced is added to.
        if load["writeDisposition"] == "WRITE_TRUNCATE" {
            month.clear();
        }
        month.extend(uris);
        let said = json!({
            "inputFiles": files.to_string(), "inputFileBytes": bytes.to_string(),
            "outputRows": rows.to_string(), "outputBytes": (bytes * 2).to_string(), "badRecords": "0",
        });
        (Value::Null, said)
    }
}

async fn cancel(
    State(service): State<Service>,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let mut known = service.known();
    let Some(job) = known.job(&id, &asked) else {
        return no(404, "notFound", "Not found: Job");
    };
    if job.ended.is_none() {
        job.ended = Some(json!({"reason": "stopped", "message": "Job execution was cancelled"}));
    }
    yes(json!({"job": of(job)}))
}
