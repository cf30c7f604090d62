//! A job of Cloud Run: starting an execution with other arguments, and looking what executions came to.
//!
//! May use the session. Starting is not repeatable: a second call makes a second execution. So it is sent once, and
//! where no reply came the executions are listed, and the one that carries our mark is ours (ADR-0035).

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::Session;
use super::endpoints::below;
use super::failure::Failure;
use super::http::Call;
use crate::domain::job::JobName;
use crate::ports::{PortError, PortErrorKind};

/// Who may start an execution with other arguments.
const EXECUTOR: &str = "roles/run.jobsExecutorWithOverrides";
/// Who may look at executions.
const VIEWER: &str = "roles/run.viewer";

/// What starting with other arguments needs.
const START: &str = "run.jobs.runWithOverrides";

/// Variable of the container that says which request started it.
const MARK: &str = "SOXAUTO_REQUEST";

/// Executions in one page of a list.
const PAGE_MAX: &str = "100";

/// A job and the way there.
#[derive(Clone)]
pub struct CloudRunJob {
    session: Session,
    name: JobName,
    pages_max: u32,
}

/// What came of starting an execution, where it was not refused.
#[derive(Debug)]
pub enum Start {
    /// It is there.
    Made(Execution),
    /// No good reply came, and it is not listed: it may still come.
    Unknown(PortError),
}

/// How an execution ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionState {
    /// No task runs yet.
    Pending,
    /// A task runs.
    Running,
    /// Every task ended with exit code 0.
    Succeeded,
    /// A task ended with another exit code, or not in time.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its short name.
    pub id: String,
    /// State.
    pub state: ExecutionState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Arguments of its container.
    pub arguments: Vec<String>,
    /// Where its log is shown.
    pub log_uri: Option<String>,
    mark: Option<String>,
}

/// An execution as Cloud Run describes it; counts that are zero are left out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    name: String,
    create_time: DateTime<Utc>,
    completion_time: Option<DateTime<Utc>>,
    #[serde(default)]
    running_count: u32,
    #[serde(default)]
    failed_count: u32,
    #[serde(default)]
    cancelled_count: u32,
    #[serde(default)]
    succeeded_count: u32,
    #[serde(default)]
    template: TemplateSaid,
    log_uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct TemplateSaid {
    #[serde(default)]
    containers: Vec<ContainerSaid>,
}

#[derive(Debug, Deserialize)]
struct ContainerSaid {
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<VariableSaid>,
}

#[derive(Debug, Deserialize)]
struct VariableSaid {
    name: String,
    #[serde(default)]
    value: String,
}

/// The long-running operation, whose metadata is the execution.
#[derive(Debug, Deserialize)]
struct Operation {
    metadata: Said,
}

/// Which of the permissions that were asked about the caller has.
#[derive(Debug, Deserialize)]
struct Permitted {
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    executions: Vec<Said>,
    #[serde(default)]
    next_page_token: String,
}

impl Execution {
    /// Whether it may still do something.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        matches!(
            self.state,
            ExecutionState::Pending | ExecutionState::Running
        )
    }

    /// Whether the request with this mark started it.
    #[must_use]
    pub fn is_marked(&self, mark: &str) -> bool {
        self.mark.as_deref() == Some(mark)
    }
}

impl From<Said> for Execution {
    fn from(said: Said) -> Self {
        let state = match said.completion_time {
            None if said.running_count > 0 => ExecutionState::Running,
            None => ExecutionState::Pending,
            Some(_) if said.failed_count > 0 => ExecutionState::Failed,
            Some(_) if said.cancelled_count > 0 || said.succeeded_count == 0 => {
                ExecutionState::Cancelled
            }
            Some(_) => ExecutionState::Succeeded,
        };
        let container = said.template.containers.into_iter().next();
        let (arguments, variables) = container.map_or_else(Default::default, |container| {
            (container.args, container.env)
        });
        let mark = variables.into_iter().find(|variable| variable.name == MARK);
        Self {
            id: said.name.rsplit('/').next().unwrap_or_default().to_owned(),
            state,
            created_at: said.create_time,
            ended_at: said.completion_time,
            arguments,
            log_uri: said.log_uri,
            mark: mark.map(|variable| variable.value),
        }
    }
}

impl CloudRunJob {
    /// The job, asked through `session`; a list of its executions is read to so many pages.
    #[must_use]
    pub fn new(session: Session, name: JobName, pages_max: u32) -> Self {
        Self {
            session,
            name,
            pages_max,
        }
    }

    /// Starts an execution with these arguments; `mark` is a word that no other request has.
    ///
    /// # Errors
    /// `Denied` and `Config` when it was not started; `Unreachable` when the service would not take it now.
    pub async fn start(&self, arguments: &[String], mark: &str) -> Result<Start, PortError> {
        let verb = format!("{}:run", self.name.job);
        let call = Call::new(
            format!("starting job {}", self.name),
            Method::POST,
            self.url(&[&verb])?,
        );
        let body = json!({"overrides": {"containerOverrides": [{
            "args": arguments, "env": [{"name": MARK, "value": mark}],
        }]}});
        let call = call.needs(format!("{EXECUTOR} on job {}", self.name.job));
        let call = call.json(&body)?;
        let (error, is_open) = match self.session.send(&call).await {
            Ok(reply) => match reply.document::<Operation>(&call) {
                Ok(operation) => return Ok(Start::Made(operation.metadata.into())),
                Err(error) => (error, true),
            },
            Err(failure) => {
                let is_open = is_open(&failure);
                (self.failed(failure), is_open)
            }
        };
        if !is_open {
            return Err(error);
        }
        tracing::warn!(job = %self.name, "no good reply to starting a job: its executions are listed");
        let listed = self.executions().await;
        let ours = listed.map(|all| all.into_iter().find(|one| one.is_marked(mark)));
        Ok(match ours {
            Ok(Some(ours)) => Start::Made(ours),
            Ok(None) | Err(_) => Start::Unknown(PortError::new(
                PortErrorKind::Unreachable,
                format!(
                    "it is not known whether job {} was started: {}",
                    self.name.job, error.message
                ),
            )),
        })
    }

    /// Asks whether we may start an execution; starts none.
    ///
    /// # Errors
    /// `Denied` without the right; `Config` where there is no such job; `Unreachable`.
    pub async fn may_start(&self) -> Result<(), PortError> {
        let verb = format!("{}:testIamPermissions", self.name.job);
        let what = format!("asking who may start job {}", self.name);
        let call = Call::new(what, Method::POST, self.url(&[&verb])?).repeatable();
        let call = call.json(&json!({"permissions": [START]}))?;
        let reply = self.session.send(&call).await;
        let said: Permitted = reply
            .map_err(|failure| self.failed(failure))?
            .document(&call)?;
        if said
            .permissions
            .iter()
            .any(|permission| permission == START)
        {
            return Ok(());
        }
        let caller = self.session.tokens().identity().await;
        let what = format!("{caller} may not start job {} for a month", self.name.job);
        Err(PortError::new(PortErrorKind::Denied, what).hint(format!(
            "grant {EXECUTOR} on job {} to {caller}",
            self.name.job
        )))
    }

    /// Looks whether the job is there.
    ///
    /// # Errors
    /// `Denied` without the right to look; `Config` where there is no such job; `Unreachable`.
    pub async fn look(&self) -> Result<(), PortError> {
        let what = format!("looking at job {}", self.name);
        let call = self.looking(what, self.url(&[&self.name.job])?);
        let reply = self.session.send(&call).await;
        reply.map(drop).map_err(|failure| self.failed(failure))
    }

    /// All executions that Cloud Run still lists.
    ///
    /// # Errors
    /// `Denied` without the right to look; `Config` where there is no such job; `Limit`, `Unreachable`.
    pub async fn executions(&self) -> Result<Vec<Execution>, PortError> {
        let mut found = Vec::new();
        let mut token = String::new();
        for _ in 0..self.pages_max {
            let mut url = self.url(&[&self.name.job, "executions"])?;
            url.query_pairs_mut().append_pair("pageSize", PAGE_MAX);
            if !token.is_empty() {
                url.query_pairs_mut().append_pair("pageToken", &token);
            }
            let call = self.looking(format!("listing the executions of job {}", self.name), url);
            let reply = self.session.send(&call).await;
            let page: Page = reply
                .map_err(|failure| self.failed(failure))?
                .document(&call)?;
            found.extend(page.executions.into_iter().map(Execution::from));
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
        let what = format!("job {} has more executions than are looked at", self.name);
        Err(PortError::new(PortErrorKind::Limit, what)
            .hint("delete old executions: gcloud run jobs executions delete"))
    }

    /// An execution of this job; `None` where there is none of that name, or no longer.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`.
    pub async fn execution(&self, id: &str) -> Result<Option<Execution>, PortError> {
        let url = self.url(&[&self.name.job, "executions", id])?;
        let call = self.looking(format!("looking at execution {id}"), url);
        match self.session.send(&call).await {
            Ok(reply) => Ok(Some(reply.document::<Said>(&call)?.into())),
            Err(failure) if failure.is(404) => Ok(None),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    fn looking(&self, what: String, url: url::Url) -> Call {
        Call::get(what, url).needs(format!("{VIEWER} on job {}", self.name.job))
    }

    fn failed(&self, failure: Failure) -> PortError {
        let is_absent = failure.is(404);
        let error = PortError::from(failure);
        match is_absent {
            true => error.hint(format!(
                "check --async-job: is there a job {} in {} of project {}?",
                self.name.job, self.name.location, self.name.project
            )),
            false => error,
        }
    }

    fn url(&self, path: &[&str]) -> Result<url::Url, PortError> {
        let JobName {
            project, location, ..
        } = &self.name;
        let head = ["v2", "projects", project, "locations", location, "jobs"];
        below(&self.session.endpoints().run, &[&head, path].concat())
    }
}

/// Whether the call may have been carried out all the same.
fn is_open(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(refusal) => matches!(refusal.status, 408 | 500..=599),
        Failure::Unanswered(_) => true,
        Failure::NoToken(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(counts: serde_json::Value) -> ExecutionState {
        let mut said = json!({"name": "projects/p/locations/l/jobs/j/executions/j-x",
            "createTime": "2024-05-01T09:00:00.123456789Z"});
        let fields = counts.as_object().unwrap().clone();
        said.as_object_mut().unwrap().extend(fields);
        let said: Said = serde_json::from_value(said).unwrap();
        Execution::from(said).state
    }

    #[test]
    fn an_execution_is_what_its_tasks_are() {
        let end = "2024-05-01T10:00:00Z";
        assert_eq!(state(json!({})), ExecutionState::Pending);
        assert_eq!(state(json!({"runningCount": 1})), ExecutionState::Running);
        let done = |counts: serde_json::Value| {
            let mut counts = counts;
            counts["completionTime"] = json!(end);
            state(counts)
        };
        assert_eq!(
            done(json!({"succeededCount": 2})),
            ExecutionState::Succeeded
        );
        let mixed = json!({"succeededCount": 1, "failedCount": 1});
        assert_eq!(done(mixed), ExecutionState::Failed);
        assert_eq!(
            done(json!({"cancelledCount": 1})),
            ExecutionState::Cancelled
        );
        assert_eq!(done(json!({})), ExecutionState::Cancelled, "it did nothing");
    }
}
