//! A warehouse in a directory: the same promises as the one in the cloud, for sandbox, tests and small shops.
//!
//! May use `domain`, `kernels` and `ports`; never writes below the staging root, never deletes a run: a re-run
//! shows its own files and the files of earlier runs stay beside them.

mod compared;
mod layout;
mod leftovers;
mod literals;
mod load;
mod query;
mod read_back;
mod sql;
mod turn;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::layout::{Current, CurrentFile};
use self::layout::{Layout, make_folder, place, sync_folder, write_beside};
use self::load::blocking;
pub use self::load::{Step, Watch};
use crate::domain::contract::Contract;
use crate::domain::manifest::LoadReceipt;
use crate::domain::period::Period;
use crate::ports::{
    AnswerTo, Leftover, LoadJob, PortError, PortErrorKind, ReadBack, SmallTable, StoreRoot, Tell,
    Warehouse,
};

/// Tables as folders of Parquet files below one directory.
#[derive(Debug, Clone)]
pub struct LocalWarehouse {
    layout: Layout,
    staging: StoreRoot,
    uri: String,
}

impl LocalWarehouse {
    /// A warehouse in the directory of `root`, that loads parts of `staging`.
    ///
    /// # Errors
    /// `Unsupported` when `root` is no directory.
    pub fn new(root: &StoreRoot, staging: StoreRoot) -> Result<Self, PortError> {
        let directory = root.local_dir().ok_or_else(|| {
            let what = format!("the local warehouse needs a directory, not {}", root.uri);
            PortError::new(PortErrorKind::Unsupported, what)
        })?;
        Ok(Self {
            layout: Layout { root: directory },
            staging,
            uri: root.uri.clone(),
        })
    }

    /// What a month shows: the run and its files; `None` before its first load.
    ///
    /// # Errors
    /// `Corrupt` when the warehouse's own file cannot be read; `Denied`.
    pub fn current(&self, table: &str, period: Period) -> Result<Option<Current>, PortError> {
        self.layout.current(table, period)
    }

    /// Whatever no month shows or ever showed: run folders and files that were being written.
    ///
    /// # Errors
    /// `Corrupt` when a `CURRENT` cannot be read: then nobody knows what its month shows; `Denied`.
    pub fn leftovers(&self) -> Result<Vec<Leftover>, PortError> {
        leftovers::leftovers(&self.layout)
    }

    /// Paths of the files that a month shows, in order; none before its first load.
    ///
    /// # Errors
    /// As [`LocalWarehouse::current`].
    pub fn current_parts(&self, table: &str, period: Period) -> Result<Vec<PathBuf>, PortError> {
        self.layout.current_paths(table, period)
    }

    /// A table and the month behind its `$`, if there is one: `pg01_validated_ipe_ipe_07$202404`.
    ///
    /// # Errors
    /// `Query` for a month that is not written YYYYMM.
    pub fn month_of(name: &str) -> Result<(&str, Option<Period>), PortError> {
        query::month_of(name)
    }

    /// The names that a statement reads from, and those that it gives to common table expressions.
    ///
    /// # Errors
    /// `Query` for what is no SQL or no query.
    pub fn names(sql: &str) -> Result<Vec<String>, PortError> {
        query::names(sql)
    }

    /// The contract of a table and the files that it shows: of one month, or of all that are loaded.
    ///
    /// # Errors
    /// `Query` for a table that there is not or a month that is not loaded, naming what there is.
    pub fn table(
        &self,
        table: &str,
        period: Option<Period>,
    ) -> Result<(Contract, Vec<PathBuf>), PortError> {
        let contract = self.layout.contract(table)?.ok_or_else(|| {
            let what = format!("there is no table `{table}`");
            PortError::new(PortErrorKind::Query, what).hint(self.layout.names_hint())
        })?;
        let months = match period {
            Some(period) => return Ok((contract, self.layout.current_paths_of(table, period)?)),
            None => self.layout.months(table)?,
        };
        let mut paths = Vec::new();
        for month in months {
            paths.extend(self.layout.current_paths(table, month)?);
        }
        Ok((contract, paths))
    }

    /// Answers a query of any size, batch by batch. Tables are named by their names (all current months) or with one
    /// month, `table$YYYYMM`; `frames` brings other files under names of its own.
    ///
    /// # Errors
    /// `Query` for a statement that is refused, `Unsupported` for a value without exact text, and what writing says.
    pub async fn answer(
        &self,
        sql: &str,
        frames: BTreeMap<String, Vec<PathBuf>>,
        to: AnswerTo,
    ) -> Result<(), PortError> {
        let (layout, sql) = (self.layout.clone(), sql.to_owned());
        blocking(move || query::answer(&layout, &sql, &frames, to)).await
    }

    /// Loads like [`Warehouse::load_telling`], showing every step to `watch` before it is taken.
    ///
    /// # Errors
    /// As [`Warehouse::load_telling`], and the error that `watch` gives.
    pub async fn load_watched(
        &self,
        job: &LoadJob,
        watch: Watch,
        tell: Tell<'_>,
    ) -> Result<LoadReceipt, PortError> {
        load::load(self.layout.clone(), &self.staging, job, watch, tell).await
    }
}

#[async_trait]
impl Warehouse for LocalWarehouse {
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        let (layout, table, contract) = (self.layout.clone(), table.to_owned(), contract.clone());
        blocking(move || prepare(&layout, &table, &contract)).await
    }

    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError> {
        self.load_watched(job, Arc::new(|_| Ok(())), tell).await
    }

    async fn read_back(
        &self,
        table: &str,
        period: Period,
        contract: &Contract,
        rows_max: usize,
    ) -> Result<ReadBack, PortError> {
        let (layout, table, contract) = (self.layout.clone(), table.to_owned(), contract.clone());
        blocking(move || {
            let mut found = read_back::read_back(&layout, &table, period, &contract, rows_max)?;
            let held = layout.contract(&table)?;
            found.table.extend(match held {
                Some(held) => contradiction(&held, &contract),
                None => Some("there is no such table any more".to_owned()),
            });
            Ok(found)
        })
        .await
    }

    async fn rows(&self, sql: &str, rows_max: usize) -> Result<SmallTable, PortError> {
        let (layout, sql) = (self.layout.clone(), sql.to_owned());
        blocking(move || sql::answer(&layout, &sql, rows_max)).await
    }

    fn location(&self) -> String {
        self.uri.clone()
    }
}

/// Makes the table; blocking.
fn prepare(layout: &Layout, table: &str, contract: &Contract) -> Result<(), PortError> {
    if let Some(held) = layout.contract(table)? {
        return match contradiction(&held, contract) {
            Some(what) => Err(PortError::new(PortErrorKind::Corrupt, what)
                .at("table", table)
                .hint("load into a new warehouse directory, or migrate the table first")),
            None => Ok(()),
        };
    }
    let folder = layout.table(table)?;
    let text = serde_json::to_vec_pretty(contract)
        .map_err(|e| PortError::new(PortErrorKind::Corrupt, e.to_string()))?;
    make_folder(&folder, &layout.root)?;
    let target = folder.join("schema.json");
    place(&write_beside(&target, &text)?, &target)?;
    sync_folder(&folder)
}

/// The first column in which a new contract does not fit the table: names, order and carriers are fixed by the files.
fn contradiction(held: &Contract, new: &Contract) -> Option<String> {
    let pairs = held.columns.iter().zip(&new.columns);
    for (position, (old, new)) in pairs.enumerate() {
        if old.name != new.name {
            return Some(format!(
                "column {position} is `{}` in the table and `{}` in the contract",
                old.name, new.name
            ));
        }
        if old.column_type != new.column_type {
            return Some(format!(
                "column `{}` is {:?} in the table and {:?} in the contract",
                old.name, old.column_type, new.column_type
            ));
        }
    }
    let (old, new) = (&held.columns, &new.columns);
    if let Some(extra) = new.get(old.len()) {
        return Some(format!("column `{}` is not in the table", extra.name));
    }
    let missing = old.get(new.len())?;
    Some(format!(
        "column `{}` of the table is not in the contract",
        missing.name
    ))
}
