//! What a warehouse is asked to load, and what it is found to hold.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{PortError, SmallTable};
use crate::domain::contract::Contract;
use crate::domain::digest::TableDigest;
use crate::domain::manifest::{LoadReceipt, PartFile, Recomputed, Submitted};
use crate::domain::period::Period;
use crate::domain::run::{Fence, RowMetadata};

/// One replacement of one month of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadJob {
    /// Table name.
    pub table: String,
    /// Month that is replaced.
    pub period: Period,
    /// Metadata that every row of the files carries.
    pub metadata: RowMetadata,
    /// Exact files; never a wildcard.
    pub parts: Vec<PartFile>,
    /// The right under which it is loaded; `None` where nobody else can be at work.
    pub fence: Option<Fence>,
}

/// What a warehouse finds in one month of one table, computed from the rows that it now serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// Totals and content digest of the month.
    pub recomputed: Recomputed,
    /// Rows by `_run_id`; a good month has exactly one entry, an empty or absent one has none.
    pub run_ids: BTreeMap<String, u64>,
    /// Digest of each bucket that has rows.
    pub buckets: BTreeMap<u16, TableDigest>,
    /// Every way in which the table is not that of the contract by now, one sentence each.
    pub table: Vec<String>,
}

/// Is told of a load around the moment from which on nobody can take it back.
#[async_trait]
pub trait LoadListener: Send {
    /// Before anything is done that may replace the month.
    ///
    /// # Errors
    /// What kept it from being noted: then nothing is submitted.
    async fn begins(&mut self, load: Submitted) -> Result<(), PortError>;

    /// When it is certain that what was begun replaced nothing.
    async fn replaced_nothing(&mut self);
}

/// Who hears the same from a closure: `None` when nothing was replaced.
#[async_trait]
impl<F: FnMut(Option<Submitted>) + Send> LoadListener for F {
    async fn begins(&mut self, load: Submitted) -> Result<(), PortError> {
        self(Some(load));
        Ok(())
    }

    async fn replaced_nothing(&mut self) {
        self(None);
    }
}

/// Whoever listens to a load.
pub type Tell<'a> = &'a mut dyn LoadListener;

/// A place that keeps loaded months and answers SQL about them.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// Makes the table if it is absent; refuses one that contradicts the contract.
    ///
    /// # Errors
    /// `Corrupt` names the column that differs; `Denied`, `Unreachable`.
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError>;

    /// Replaces the month by the files, all or nothing. The same job again gives the same single copy. What is seen to
    /// be wrong after the month was replaced is in the receipt, and no error.
    ///
    /// # Errors
    /// `Corrupt` when a file is not what the job says; `Limit` when storage is full; `Denied` when the month shows a
    /// run that stands after this one. The old month then stands, unless `tell` was told of a load last: then the
    /// month shows the old rows or the new ones, whole, and nobody here knows which.
    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError>;

    /// The same where nobody listens.
    ///
    /// # Errors
    /// As [`Warehouse::load_telling`].
    async fn load(&self, job: &LoadJob) -> Result<LoadReceipt, PortError> {
        self.load_telling(job, &mut |_: Option<Submitted>| ()).await
    }

    /// Counts one month from the warehouse's own rows, after a load: never from staging and never from the receipt.
    /// BigQuery does it by SQL; the local warehouse aggregates its own files for the totals and folds their rows for the
    /// digest, `rows_max` rows at a time. The table itself is looked at again, too.
    ///
    /// # Errors
    /// `Corrupt` when a file is not what the warehouse itself says; `Query` when it cannot be computed.
    async fn read_back(
        &self,
        table: &str,
        period: Period,
        contract: &Contract,
        rows_max: usize,
    ) -> Result<ReadBack, PortError>;

    /// Answers SQL; tables are named by their table name, months by `_period`.
    ///
    /// # Errors
    /// `Query`, `Limit` for more than `rows_max` rows.
    async fn rows(&self, sql: &str, rows_max: usize) -> Result<SmallTable, PortError>;

    /// How a statement for [`Warehouse::rows`] names a table.
    fn name_of(&self, table: &str) -> String {
        table.to_owned()
    }

    /// Where it is, for people: no secrets.
    fn location(&self) -> String;
}
