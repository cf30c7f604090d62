//! A warehouse in BigQuery: a table an item, a partition a month, one load job a replacement.
//!
//! May use `domain`, `kernels`, `ports`, the session of `adapters/google` and the models of gcp-bigquery-client. Never
//! drops a table that holds rows, unless it was made for a trial, or twice the same, never brings a schema from files into
//! a table, and never puts what a message quotes into an error.

mod client;
mod line;
mod load;
mod prepare;
mod query;
mod replace;
mod trial;
mod watch;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::adapters::google::Session;
use crate::domain::contract::Contract;
use crate::domain::digest::BUCKETS;
use crate::domain::limits::BigQueryLimits;
use crate::domain::manifest::LoadReceipt;
use crate::domain::period::Period;
use crate::kernels::bigquery::{full_name, read_back};
use crate::ports::{
    LoadJob, PortError, PortErrorKind, ReadBack, SmallTable, StoreRoot, Tell, Warehouse,
};

use client::Client;

/// Gives the URI under which BigQuery reads a part.
pub type UriOf = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Where a dataset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetPlace {
    /// Project that holds the dataset and pays for its jobs.
    pub project: String,
    /// Dataset.
    pub dataset: String,
    /// Location such as `EU` or `europe-west1`.
    pub location: String,
}

/// Tables of one dataset.
pub struct BigQuery {
    client: Client,
    uri_of: UriOf,
    /// Contracts of the tables that were prepared.
    prepared: Mutex<BTreeMap<String, Contract>>,
}

impl BigQuery {
    /// The dataset, asked through `session`.
    #[must_use]
    pub fn new(session: Session, place: DatasetPlace, limits: BigQueryLimits) -> Self {
        let place = (place.project, place.dataset, place.location);
        Self {
            client: Client::new(session, place, limits),
            uri_of: Arc::new(str::to_owned),
            prepared: Mutex::default(),
        }
    }

    /// The same, where BigQuery reads parts under other URIs than they were staged under.
    #[must_use]
    pub fn reading(mut self, uri_of: UriOf) -> Self {
        self.uri_of = uri_of;
        self
    }

    /// Looks whether the dataset is where it is said to be, without a job; one that is not there can be made.
    ///
    /// # Errors
    /// `Config` for another location; `Denied`, `Unreachable`.
    pub async fn look(&self) -> Result<(), PortError> {
        prepare::located(&self.client).await.map(|_found| ())
    }

    /// Refuses a staging root that BigQuery cannot load from, before anything is read.
    ///
    /// # Errors
    /// `Config` for a root that is not in Cloud Storage.
    pub fn refuse_staging(staging: &StoreRoot) -> Result<(), PortError> {
        if staging.uri.starts_with("gs://") {
            return Ok(());
        }
        let what = format!(
            "BigQuery loads from Cloud Storage, and staging is {}",
            staging.uri
        );
        Err(PortError::new(PortErrorKind::Config, what)
            .hint("use --staging gs://BUCKET/PREFIX, in the location of the dataset"))
    }
}

#[async_trait]
impl Warehouse for BigQuery {
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        prepare::prepare(&self.client, table, contract).await?;
        let mut prepared = self.prepared.lock().await;
        prepared.insert(table.to_owned(), contract.clone());
        Ok(())
    }

    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError> {
        let contract = self.prepared.lock().await.get(&job.table).cloned();
        let contract = contract.ok_or_else(|| {
            let what = format!("table `{}` was not prepared", job.table);
            PortError::new(PortErrorKind::Query, what)
        })?;
        let uris = job.parts.iter().map(|part| (self.uri_of)(&part.uri));
        load::load(&self.client, &contract, job, uris.collect(), tell).await
    }

    async fn read_back(
        &self,
        table: &str,
        period: Period,
        contract: &Contract,
        _rows_max: usize,
    ) -> Result<ReadBack, PortError> {
        let sql = read_back::query(&self.name_of(table), period, contract);
        let what = format!("reading {table} {period} back");
        // Companies and runs beside the buckets; more of them than that is no month of ours.
        let answer = query::ask(&self.client, &what, &sql, BUCKETS * 2).await?;
        let mut found = read_back::parse(contract, &answer)
            .map_err(|error| PortError::new(PortErrorKind::Corrupt, format!("{what}: {error}")))?;
        found.table = prepare::wrong(&self.client, table, contract).await?;
        Ok(found)
    }

    async fn rows(&self, sql: &str, rows_max: usize) -> Result<SmallTable, PortError> {
        query::ask(&self.client, "answering a statement", sql, rows_max).await
    }

    fn name_of(&self, table: &str) -> String {
        full_name(&self.client.project, &self.client.dataset, table)
    }

    fn location(&self) -> String {
        let client = &self.client;
        format!(
            "bigquery://{}/{}?location={}",
            client.project, client.dataset, client.location
        )
    }
}
