//! The calls to BigQuery's REST interface that we make, through the one session of Google Cloud.
//!
//! Requests are the models of gcp-bigquery-client; replies are read into as little as is needed, so that a field that
//! BigQuery adds breaks nothing. That crate's own client is not used: it has no limits, loses the status of an error
//! page, and its result set may panic. Every call here may be sent twice: jobs have an id of their own, and statements
//! are questions or make what is absent.

use std::collections::{BTreeMap, HashMap};

use gcp_bigquery_client::model::dataset::Dataset;
use gcp_bigquery_client::model::error_proto::ErrorProto;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_reference::JobReference;
use gcp_bigquery_client::model::job_statistics3::JobStatistics3;
use gcp_bigquery_client::model::job_status::JobStatus;
use serde::Deserialize;
use url::Url;

use super::words::{DATA_EDITOR, JOB_USER, USER, of_call};
use crate::adapters::google::Session;
use crate::adapters::google::endpoints::below;
use crate::adapters::google::failure::Failure;
use crate::adapters::google::http::{Call, Method, Reply};
use crate::domain::limits::BigQueryLimits;
use crate::ports::{PortError, PortErrorKind};

/// One dataset and the way there.
#[derive(Clone)]
pub(super) struct Client {
    session: Session,
    pub(super) project: String,
    pub(super) dataset: String,
    pub(super) location: String,
    pub(super) limits: BigQueryLimits,
}

/// A table as BigQuery describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableSaid {
    #[serde(default)]
    pub(super) schema: SchemaSaid,
    pub(super) time_partitioning: Option<PartitioningSaid>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// When it was made: another table by the same name has another.
    pub(super) creation_time: Option<String>,
    /// When it is deleted, in milliseconds of the epoch.
    pub(super) expiration_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SchemaSaid {
    #[serde(default)]
    pub(super) fields: Vec<FieldSaid>,
}

/// A column, with the parameters of its type that the models of the crate leave out.
#[derive(Debug, Deserialize)]
pub(super) struct FieldSaid {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) mode: Option<String>,
    pub(super) precision: Option<String>,
    pub(super) scale: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartitioningSaid {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) field: Option<String>,
    /// How old a partition becomes before it is deleted, in milliseconds.
    pub(super) expiration_ms: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DatasetSaid {
    location: Option<String>,
}

/// A job as BigQuery describes it.
#[derive(Debug, Deserialize)]
pub(super) struct JobSaid {
    pub(super) status: JobStatus,
    #[serde(default)]
    pub(super) configuration: ConfigurationSaid,
    #[serde(default)]
    pub(super) statistics: StatisticsSaid,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ConfigurationSaid {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct StatisticsSaid {
    pub(super) load: Option<JobStatistics3>,
}

/// Whether a job id was free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It was, and the job is there now.
    Created,
    /// A job of that id is there: ours, whose reply was lost, or another's.
    Exists,
}

impl JobSaid {
    pub(super) fn is_done(&self) -> bool {
        self.status.state.as_deref() == Some("DONE")
    }

    pub(super) fn error(&self) -> Option<&ErrorProto> {
        self.status.error_result.as_ref()
    }

    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.configuration.labels.get(name).map(String::as_str)
    }
}

impl Client {
    pub(super) fn new(
        session: Session,
        (project, dataset, location): (String, String, String),
        limits: BigQueryLimits,
    ) -> Self {
        Self {
            session,
            project,
            dataset,
            location,
            limits,
        }
    }

    /// Where the dataset is, in words of BigQuery.
    pub(super) fn place(&self) -> String {
        format!("{}.{}", self.project, self.dataset)
    }

    /// A command that shows a job.
    pub(super) fn look(&self, id: &str) -> String {
        let (project, location) = (&self.project, &self.location);
        format!("bq show --project_id={project} --location={location} -j {id}")
    }

    /// A command that runs a statement, for a person who may what this program does not do by itself.
    pub(super) fn command(&self, sql: &str) -> String {
        let (project, location) = (&self.project, &self.location);
        format!(
            "bq query --project_id={project} --location={location} --use_legacy_sql=false '{sql}'"
        )
    }

    /// Location of the dataset; `None` where there is no dataset of that name.
    pub(super) async fn dataset_location(&self) -> Result<Option<String>, PortError> {
        let url = self.url(&["datasets", &self.dataset])?;
        let call = Call::get(format!("reading dataset {}", self.place()), url).needs(DATA_EDITOR);
        let said: Option<DatasetSaid> = self.found(&call).await?;
        Ok(said.map(|said| said.location.unwrap_or_default()))
    }

    /// Makes the dataset; one that somebody else has just made is as good.
    pub(super) async fn create_dataset(&self) -> Result<(), PortError> {
        let dataset = Dataset::new(&self.project, &self.dataset).location(&self.location);
        let what = format!("creating dataset {} in {}", self.place(), self.location);
        let call = Call::new(what, Method::POST, self.url(&["datasets"])?);
        let call = call.repeatable().needs(USER).json(&dataset)?;
        match self.session.send(&call).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(409) => Ok(()),
            Err(failure) => Err(of_call(failure)),
        }
    }

    /// A table; `None` where there is none.
    pub(super) async fn table(&self, table: &str) -> Result<Option<TableSaid>, PortError> {
        let url = self.url(&["datasets", &self.dataset, "tables", table])?;
        let call = Call::get(format!("reading table {}.{table}", self.place()), url);
        self.found(&call.needs(DATA_EDITOR)).await
    }

    /// Creates a job under an id that is used once.
    pub(super) async fn insert(
        &self,
        what: &str,
        id: &str,
        configuration: JobConfiguration,
    ) -> Result<Inserted, PortError> {
        let job = Job {
            configuration: Some(configuration),
            job_reference: Some(JobReference {
                job_id: Some(id.to_owned()),
                location: Some(self.location.clone()),
                project_id: Some(self.project.clone()),
            }),
            ..Job::default()
        };
        let call = Call::new(what, Method::POST, self.url(&["jobs"])?);
        let call = call
            .repeatable()
            .needs(format!("{JOB_USER} and {DATA_EDITOR}"));
        match self.session.send(&call.json(&job)?).await {
            Ok(_) => Ok(Inserted::Created),
            Err(failure) if failure.is(409) => Ok(Inserted::Exists),
            Err(failure) => Err(of_call(failure)),
        }
    }

    /// A job; `None` where there is none of that id, or not yet.
    pub(super) async fn job(&self, id: &str) -> Result<Option<JobSaid>, PortError> {
        let url = self.located(&["jobs", id])?;
        let call = Call::get(format!("looking at job {id}"), url).needs(JOB_USER);
        self.found(&call).await
    }

    /// Asks a job to end. Whether it does is seen by looking.
    pub(super) async fn cancel(&self, id: &str) -> Result<(), PortError> {
        let url = self.located(&["jobs", id, "cancel"])?;
        let call = Call::new(format!("cancelling job {id}"), Method::POST, url);
        let call = call
            .repeatable()
            .needs(JOB_USER)
            .body("application/json", "{}");
        self.session.send(&call).await.map(drop).map_err(of_call)
    }

    /// Sends a call whose good reply is a document.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<T, PortError> {
        let reply: Reply = self.session.send(call).await.map_err(of_call)?;
        reply.document(call)
    }

    /// The same where 404 says that there is none.
    async fn found<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<Option<T>, PortError> {
        match self.session.send(call).await {
            Ok(reply) => reply.document(call).map(Some),
            Err(failure) if is_absent(&failure) => Ok(None),
            Err(failure) => Err(of_call(failure)),
        }
    }

    /// A place below the project.
    pub(super) fn url(&self, path: &[&str]) -> Result<Url, PortError> {
        let head = ["bigquery", "v2", "projects", &self.project];
        below(&self.session.endpoints().bigquery, &[&head, path].concat())
    }

    /// The same with the location, without which a job outside the US is not found.
    pub(super) fn located(&self, path: &[&str]) -> Result<Url, PortError> {
        let mut url = self.url(path)?;
        url.query_pairs_mut()
            .append_pair("location", &self.location);
        Ok(url)
    }
}

/// A page of a proxy with status 404 says nothing of BigQuery.
fn is_absent(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal)
        if refusal.status == 404 && refusal.reason.as_deref().is_some_and(|reason| matches!(reason, "notFound" | "NOT_FOUND")))
}

/// Labels as a job takes them.
pub(super) fn labels(pairs: BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    Some(pairs.into_iter().collect())
}

/// An error about a table of this dataset.
pub(super) fn about(
    client: &Client,
    table: &str,
    kind: PortErrorKind,
    what: impl Into<String>,
) -> PortError {
    PortError::new(kind, what).at("table", format!("{}.{table}", client.place()))
}
