//! Folders and small files of the local warehouse.
//!
//! `<root>/<table>/schema.json` · `<root>/<table>/period=YYYY-MM/<run_id>/part-NNNNN.parquet` ·
//! `<root>/<table>/period=YYYY-MM/CURRENT` · `<root>/<table>/period=YYYY-MM/SHOWN-<run_id>`. Only `CURRENT` says which
//! run a month shows; `SHOWN-…` is the `CURRENT` of an earlier time, so that history is known from leftovers (ADR-0021).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::contract::Contract;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::run::Fence;
use crate::ports::{PortError, PortErrorKind};

/// One file of the run that a month shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentFile {
    /// Name in the run's folder.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// Rows in its footer.
    pub rows: u64,
}

/// The file `CURRENT`: the run that a month shows, and its exact files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The run.
    pub run_id: RunId,
    /// The load that wrote it.
    pub job_id: String,
    /// Its files, in order.
    pub files: Vec<CurrentFile>,
    /// The right under which it was loaded; `None` for loads without a lease and of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
}

/// How the notes of what a month showed begin.
pub(super) const SHOWN: &str = "SHOWN-";

/// The tables below one directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
}

impl Layout {
    /// Folder of a table.
    ///
    /// # Errors
    /// `Query` for a name that could leave the root.
    pub(super) fn table(&self, table: &str) -> Result<PathBuf, PortError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if table.is_empty() || !table.chars().all(legal) {
            let what = format!("`{table}` is not a table name");
            return Err(PortError::new(PortErrorKind::Query, what));
        }
        Ok(self.root.join(table))
    }

    pub(super) fn month(&self, table: &str, period: Period) -> Result<PathBuf, PortError> {
        Ok(self.table(table)?.join(format!("period={period}")))
    }

    /// The contract that the table was made with; `None` when there is no such table.
    pub(super) fn contract(&self, table: &str) -> Result<Option<Contract>, PortError> {
        read_json(&self.table(table)?.join("schema.json"))
    }

    /// What a month shows; `None` before its first load.
    pub(super) fn current(
        &self,
        table: &str,
        period: Period,
    ) -> Result<Option<Current>, PortError> {
        read_json(&self.month(table, period)?.join("CURRENT"))
    }

    /// Notes what a month shows, before another run takes its place; a note that is there says the same.
    pub(super) fn remember(&self, month: &Path, shown: &Current) -> Result<(), PortError> {
        let target = month.join(format!("{SHOWN}{}", shown.run_id));
        if target.exists() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(shown)
            .map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
        place(&write_beside(&target, &text)?, &target)?;
        sync_folder(month)
    }

    /// Files that a month shows.
    pub(super) fn current_paths(
        &self,
        table: &str,
        period: Period,
    ) -> Result<Vec<PathBuf>, PortError> {
        let Some(current) = self.current(table, period)? else {
            return Ok(Vec::new());
        };
        let folder = self.month(table, period)?.join(current.run_id.as_str());
        let names = current.files.iter().map(|file| folder.join(&file.name));
        Ok(names.collect())
    }

    /// Files that a month shows; the month must be loaded.
    ///
    /// # Errors
    /// `Query` names the months that are.
    pub(super) fn current_paths_of(
        &self,
        table: &str,
        period: Period,
    ) -> Result<Vec<PathBuf>, PortError> {
        let paths = self.current_paths(table, period)?;
        if !paths.is_empty() {
            return Ok(paths);
        }
        let mut loaded = Vec::new();
        for month in self.months(table)? {
            if self.current(table, month)?.is_some() {
                loaded.push(month.to_string());
            }
        }
        let what = format!("month {period} of table `{table}` is not loaded");
        Err(PortError::new(PortErrorKind::Query, what)
            .hint(format!("loaded are: {}", listed(&loaded))))
    }

    /// The tables that there are.
    pub(super) fn tables(&self) -> Result<Vec<String>, PortError> {
        let entries = fs::read_dir(&self.root).map_err(|e| at(e, &self.root))?;
        let mut tables = Vec::new();
        for entry in entries {
            let name = entry.map_err(|e| at(e, &self.root))?.file_name();
            let is_table = |name: &&str| matches!(self.contract(name), Ok(Some(_)));
            tables.extend(name.to_str().filter(is_table).map(str::to_owned));
        }
        tables.sort();
        Ok(tables)
    }

    /// The tables that there are, as a hint.
    pub(super) fn names_hint(&self) -> String {
        format!("tables are: {}", listed(&self.tables().unwrap_or_default()))
    }

    /// Every month of a table that has a folder, in order.
    pub(super) fn months(&self, table: &str) -> Result<Vec<Period>, PortError> {
        let folder = self.table(table)?;
        let entries = fs::read_dir(&folder).map_err(|e| at(e, &folder))?;
        let mut months = Vec::new();
        for entry in entries {
            let name = entry.map_err(|e| at(e, &folder))?.file_name();
            let month = name.to_str().and_then(|name| name.strip_prefix("period="));
            months.extend(month.and_then(|month| month.parse::<Period>().ok()));
        }
        months.sort();
        Ok(months)
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

/// An error of the disk, with the path.
pub(super) fn at(error: io::Error, path: &Path) -> PortError {
    PortError::from(error).at("path", path.display().to_string())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, PortError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(error, path)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        let what = format!("the warehouse's own file cannot be read: {error}");
        PortError::new(PortErrorKind::Corrupt, what).at("path", path.display().to_string())
    })
}

/// Makes a folder and sees its name onto the disk, with those of its parents below the root.
pub(super) fn make_folder(folder: &Path, root: &Path) -> Result<(), PortError> {
    fs::create_dir_all(folder).map_err(|e| at(e, folder))?;
    let parents = folder.ancestors().skip(1);
    parents
        .take_while(|parent| parent.starts_with(root))
        .try_for_each(sync_folder)
}

/// Sees the names in a folder onto the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), PortError> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|e| at(e, folder))
}

/// Writes a file beside its target and sees it onto the disk; [`place`] then shows it whole.
pub(super) fn write_beside(target: &Path, bytes: &[u8]) -> Result<PathBuf, PortError> {
    let beside = target.with_extension("tmp");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| at(e, &beside))?;
    Ok(beside)
}

/// Shows a file written beside its target; whatever stood there is replaced in one step.
pub(super) fn place(beside: &Path, target: &Path) -> Result<(), PortError> {
    fs::rename(beside, target).map_err(|e| at(e, target))
}
