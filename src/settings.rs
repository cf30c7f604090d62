//! What a run is asked to do, as typed values; the faces fill it in, the root acts on it.

use std::path::PathBuf;
use std::str::FromStr;

use crate::domain::check::Acceptance;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::plant::PlantProfile;

/// Where connection strings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretsChoice {
    /// The embedded SQL Server stand-in.
    Sandbox,
    /// Environment variables named as the secrets are.
    Env,
    /// Files named as the secrets are, below a folder.
    File(PathBuf),
}

impl FromStr for SecretsChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            "env" => Ok(Self::Env),
            other => match other.strip_prefix("file:") {
                Some(dir) if !dir.is_empty() => Ok(Self::File(PathBuf::from(dir))),
                _ => Err("write sandbox, env or file:DIR".to_owned()),
            },
        }
    }
}

/// What is read from.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// Where connection strings come from.
    pub secrets: SecretsChoice,
    /// Open customer entries of the embedded stand-in; `None` is its default, or no ledger where there are own tables.
    pub sandbox_rows: Option<u64>,
    /// Folder of own tables that the embedded stand-in serves.
    pub sandbox_data: Option<PathBuf>,
    /// Differences planted in the ledger of the embedded stand-in.
    pub sandbox_plant: PlantProfile,
}

/// One run.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Month to close; `None` is the last one that has ended in Europe/Paris.
    pub period: Option<Period>,
    /// Whether a month that has not ended may be run.
    pub preliminary: bool,
    /// Checks whose findings somebody answers for.
    pub accepted: Vec<Acceptance>,
    /// Files with keys that are compared beside the drawn witnesses, by item.
    pub witnesses: Vec<(String, PathBuf)>,
    /// Names of the items; empty is all.
    pub items: Vec<String>,
    /// Items that run at once.
    pub jobs: usize,
    /// Staging root.
    pub staging: String,
    /// Warehouse.
    pub warehouse: String,
    /// Evidence root.
    pub evidence: String,
    /// Folder that replaces the embedded catalog.
    pub catalog: Option<PathBuf>,
    /// What is read from.
    pub source: SourceSettings,
    /// Limits.
    pub limits: Limits,
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Staging root.
    pub staging: String,
    /// Warehouse.
    pub warehouse: String,
    /// Evidence root.
    pub evidence: String,
}

/// What is looked into.
#[derive(Debug, Clone)]
pub struct LookSettings {
    /// A file, a folder, a run or a table.
    pub target: String,
    /// Month of a table that is named without one; `None` is all.
    pub period: Option<Period>,
    /// Where things are.
    pub roots: Roots,
    /// Folder that replaces the embedded catalog.
    pub catalog: Option<PathBuf>,
}
