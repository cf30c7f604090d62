//! A job of Cloud Run: executions that are started with other arguments, listed in pages, and shown.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use soxauto::app::SystemClock;
use soxauto::ports::Clock as _;

use super::identity::Issuer;
use super::{error, strict};

pub(crate) const JOB: &str = "projects/test-project/locations/europe-west1/jobs/soxauto-pg01-run";

/// Executions in one page.
const PAGE: usize = 2;

#[derive(Default)]
struct Held {
    executions: Vec<Value>,
    may_not_run: bool,
    may_not_look: bool,
    /// New executions are not listed yet.
    is_slow: bool,
}

/// The job.
#[derive(Clone)]
pub(crate) struct Executions {
    issuer: Issuer,
    held: Arc<Mutex<Held>>,
}

impl Executions {
    pub(crate) fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            held: Arc::default(),
        }
    }

    /// The caller may not start the job from now on.
    pub(crate) fn deny_running(&self) {
        self.held.lock().unwrap().may_not_run = true;
    }

    /// The caller may not look at executions from now on.
    pub(crate) fn deny_looking(&self) {
        self.held.lock().unwrap().may_not_look = true;
    }

    /// What is started is not listed from now on.
    pub(crate) fn list_nothing(&self) {
        self.held.lock().unwrap().is_slow = true;
    }

    /// Everything that was started is listed again.
    pub(crate) fn list_again(&self) {
        self.held.lock().unwrap().is_slow = false;
    }

    /// Arguments of every execution, oldest first.
    pub(crate) fn arguments(&self) -> Vec<Vec<String>> {
        let held = self.held.lock().unwrap();
        let of = |one: &Value| one["template"]["containers"][0]["args"].clone();
        held.executions
            .iter()
            .map(|one| serde_json::from_value(of(one)).unwrap())
            .collect()
    }

    /// Puts an execution there that somebody else started; gives its name.
    pub(crate) fn left(&self, args: &[&str]) -> String {
        let container = json!({"args": args});
        self.add(container)["name"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }

    /// Says how an execution stands.
    pub(crate) fn stands(&self, id: &str, counts: Value) {
        let mut held = self.held.lock().unwrap();
        let found = held.executions.iter_mut();
        let one = found
            .into_iter()
            .find(|one| one["name"].as_str().unwrap().ends_with(id));
        let fields = counts.as_object().unwrap().clone();
        one.unwrap().as_object_mut().unwrap().extend(fields);
    }

    fn add(&self, container: Value) -> Value {
        let mut held = self.held.lock().unwrap();
        let id = format!("soxauto-pg01-run-x{}", held.executions.len() + 1);
        let execution = json!({
            "name": format!("{JOB}/executions/{id}"), "job": "soxauto-pg01-run", "taskCount": 1,
            "createTime": SystemClock.now().to_rfc3339(), "logUri": "https://console.example/logs",
            "template": {"containers": [container]},
        });
        held.executions.push(execution.clone());
        execution
    }
}

pub(crate) fn router(executions: Executions) -> Router {
    let jobs = "/v2/projects/{project}/locations/{location}/jobs/{job}";
    Router::new()
        .route(jobs, post(run).get(describe))
        .route(&format!("{jobs}/executions"), get(list))
        .route(&format!("{jobs}/executions/{{id}}"), get(show))
        .with_state(executions)
}

type Named = Path<(String, String, String)>;

fn is_there((project, location, job): &(String, String, String)) -> bool {
    format!("projects/{project}/locations/{location}/jobs/{job}") == JOB
}

fn absent() -> Response {
    error(404, "NOT_FOUND", "Resource is not found.")
}

fn denied(permission: &str) -> Response {
    let said = format!("Permission '{permission}' denied on resource.");
    error(403, "PERMISSION_DENIED", &said)
}

async fn run(
    State(executions): State<Executions>,
    Path((project, location, verb)): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if let Some(refusal) = executions.issuer.refusal(&headers) {
        return refusal;
    }
    if let Err(said) = strict::asked(query.as_deref(), &[]) {
        return strict::bad(&said);
    }
    if let Some(job) = verb.strip_suffix(":testIamPermissions") {
        return permitted(&executions, &(project, location, job.to_owned()), &body);
    }
    let Some(job) = verb.strip_suffix(":run").map(str::to_owned) else {
        return absent();
    };
    if executions.held.lock().unwrap().may_not_run {
        return denied("run.jobs.runWithOverrides");
    }
    if !is_there(&(project, location, job)) {
        return absent();
    }
    if let Some(said) = wrong(&body) {
        return strict::bad(&said);
    }
    let container = body["overrides"]["containerOverrides"][0].clone();
    let execution = executions.add(container);
    axum::Json(json!({"name": "projects/p/locations/l/operations/o", "metadata": execution}))
        .into_response()
}

/// What of a start Cloud Run does not take.
fn wrong(body: &Value) -> Option<String> {
    let overrides = &body["overrides"];
    let containers = overrides["containerOverrides"].as_array();
    let Some([container]) = containers.map(Vec::as_slice) else {
        return Some("one container is overridden".to_owned());
    };
    let variables = container["env"].as_array().into_iter().flatten();
    strict::unknown(body, &["overrides"])
        .or_else(|| strict::unknown(overrides, &["containerOverrides"]))
        .or_else(|| strict::unknown(container, &["args", "env"]))
        .or_else(|| {
            variables
                .into_iter()
                .find_map(|one| strict::unknown(one, &["name", "value"]))
        })
}

/// Those of the permissions that the caller has; the field is left out when there is none.
fn permitted(executions: &Executions, name: &(String, String, String), body: &Value) -> Response {
    if !is_there(name) {
        return absent();
    }
    if *body != json!({"permissions": ["run.jobs.runWithOverrides"]}) {
        return strict::bad("other permissions");
    }
    let has_none = executions.held.lock().unwrap().may_not_run;
    let said = match has_none {
        true => json!({}),
        false => body.clone(),
    };
    axum::Json(said).into_response()
}

async fn describe(
    State(executions): State<Executions>,
    Path(name): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = executions.issuer.refusal(&headers) {
        return refusal;
    }
    if let Err(said) = strict::asked(query.as_deref(), &[]) {
        return strict::bad(&said);
    }
    if executions.held.lock().unwrap().may_not_look {
        return denied("run.jobs.get");
    }
    if !is_there(&name) {
        return absent();
    }
    axum::Json(json!({"name": JOB, "template": {"taskCount": 1}})).into_response()
}

async fn list(
    State(executions): State<Executions>,
    Path(name): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = executions.issuer.refusal(&headers) {
        return refusal;
    }
    let asked = match strict::asked(query.as_deref(), &["pageSize", "pageToken"]) {
        Ok(asked) => asked,
        Err(said) => return strict::bad(&said),
    };
    let number = |name: &str, absent| asked.get(name).map_or(Ok(absent), |text| text.parse());
    let (Ok(size), Ok(from)) = (number("pageSize", PAGE), number("pageToken", 0)) else {
        return strict::bad("a page is a number");
    };
    let size = size.min(PAGE);
    let held = executions.held.lock().unwrap();
    if held.may_not_look {
        return denied("run.executions.list");
    }
    if !is_there(&name) {
        return absent();
    }
    if held.is_slow {
        return axum::Json(json!({})).into_response();
    }
    let page: Vec<&Value> = held.executions.iter().rev().skip(from).take(size).collect();
    let mut body = json!({"executions": page});
    if from + size < held.executions.len() {
        body["nextPageToken"] = json!((from + size).to_string());
    }
    axum::Json(body).into_response()
}

async fn show(
    State(executions): State<Executions>,
    Path((project, location, job, id)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = executions.issuer.refusal(&headers) {
        return refusal;
    }
    if let Err(said) = strict::asked(query.as_deref(), &[]) {
        return strict::bad(&said);
    }
    let held = executions.held.lock().unwrap();
    if held.may_not_look {
        return denied("run.executions.get");
    }
    let name = format!("projects/{project}/locations/{location}/jobs/{job}/executions/{id}");
    match held
        .executions
        .iter()
        .find(|one| one["name"] == name.as_str())
    {
        Some(one) => axum::Json(one.clone()).into_response(),
        None => absent(),
    }
}
